//! What the queue loads and follows.

use crate::api::{DateTime, Decimal, Money, schema};
use crate::session::Role;
use cynic::QueryFragment;
use serde::Deserialize;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskKind {
    CreditDecision,
    Disbursement,
    DisbursementUndo,
    Break,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TaskStatus {
    Open,
    Claimed,
    Proposed,
    Approved,
    Refused,
}

impl TaskStatus {
    pub fn is_over(self) -> bool {
        matches!(self, TaskStatus::Approved | TaskStatus::Refused)
    }

    pub fn mark(self) -> &'static str {
        match self {
            TaskStatus::Approved => "tag ok",
            TaskStatus::Refused => "tag bad",
            TaskStatus::Open => "tag",
            TaskStatus::Claimed | TaskStatus::Proposed => "tag wait",
        }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Party")]
pub struct Who {
    pub id: cynic::Id,
    pub name: String,
    pub email: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Approval {
    pub approve: bool,
    pub at: DateTime,
    pub by: Option<Who>,
    pub note: String,
    pub role: Role,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Task")]
pub struct Row {
    pub id: cynic::Id,
    pub kind: TaskKind,
    pub status: TaskStatus,
    pub about: String,
    pub subject: Option<About>,
    pub opened_at: DateTime,
    pub claimed_by: Option<Who>,
    pub waits_for_me: bool,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Application")]
pub struct Judged {
    pub purpose: String,
    pub amount: Money,
    pub term_months: i32,
    pub rate: Option<Decimal>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct PaidOut {
    pub purpose: String,
    pub amount: Money,
    pub term_months: i32,
    /// Under a name of its own: an application's may be missing, and one name has one type in a document.
    #[cynic(rename = "rate", alias)]
    pub yearly: Decimal,
}

/// What a task is about, as far as a line of the queue says it.
#[derive(cynic::InlineFragments, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Subject")]
pub enum About {
    Application(Judged),
    Listing(PaidOut),
    #[cynic(fallback)]
    Other,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "TaskConnection")]
pub struct Rows {
    pub nodes: Vec<Row>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Queue {
    #[arguments(first: 100)]
    pub tasks: Rows,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Application")]
pub struct Asked {
    pub id: cynic::Id,
    pub purpose: String,
    pub amount: Money,
    pub term_months: i32,
    pub submitted_at: DateTime,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ApplicationConnection")]
pub struct AllAsked {
    pub nodes: Vec<Asked>,
}

/// What no officer has set a rate for yet.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Unrated {
    #[arguments(first: 100, status: "SUBMITTED")]
    pub applications: AllAsked,
}

/// The queue as it changes.
pub const CHANGES: &str = "subscription($after: String) { taskChanged(after: $after) { cursor task { \
    id kind status about openedAt claimedBy { id name email } waitsForMe subject { __typename \
    ... on Application { purpose amount { amount currency } termMonths rate } \
    ... on Listing { purpose amount { amount currency } termMonths yearly: rate } } } } }";

/// One message of [`CHANGES`].
#[derive(Deserialize)]
pub struct Change {
    pub task: Row,
}

pub const CLAIM: &str =
    "mutation($input: TaskClaimInput!) { taskClaim(input: $input) { task { id } errors { code message } } }";
