//! What the business day's page loads and sends.

use crate::api::{Date, DateTime, Money, schema};
use crate::components::proof::{ProofTotal, Verdict};
use cynic::QueryFragment;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseStatus {
    Running,
    Halted,
    Done,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseStep {
    Drain,
    Repayments,
    Listings,
    Anchor,
    Proof,
    CustodianDate,
    BusinessDate,
}

impl CloseStep {
    /// In the order in which they are done.
    pub const ALL: [CloseStep; 7] = [
        CloseStep::Drain,
        CloseStep::Proof,
        CloseStep::Anchor,
        CloseStep::CustodianDate,
        CloseStep::BusinessDate,
        CloseStep::Listings,
        CloseStep::Repayments,
    ];
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseFindingCode {
    StillOnTheWay,
    BooksMatched,
    BooksInFlight,
    BooksBroken,
    AuditBroken,
    Begun,
    DayRun,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct CloseFinding {
    pub code: CloseFindingCode,
    pub count: Option<i32>,
    pub overdue: Option<i32>,
    pub date: Option<Date>,
    pub since: Option<DateTime>,
    pub what: Option<String>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct CloseStepDone {
    pub step: CloseStep,
    pub at: DateTime,
    pub finding: Option<CloseFinding>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct BusinessDay {
    pub date: Date,
    pub next: Date,
    pub status: CloseStatus,
    pub finding: Option<CloseFinding>,
    pub steps: Vec<CloseStepDone>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Day {
    pub business_date: Date,
    pub business_day: Option<BusinessDay>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct ProofFinding {
    pub owner: Option<String>,
    pub what: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct OnTheWay {
    pub count: i32,
    pub amounts: Vec<Money>,
    pub oldest: DateTime,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Proof {
    pub verdict: Verdict,
    pub in_flight: Option<OnTheWay>,
    pub at: DateTime,
    pub owners: i32,
    pub ledger_position: String,
    pub statement_position: String,
    pub chain_head: String,
    pub totals: Vec<ProofTotal>,
    pub findings: Vec<ProofFinding>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Proved {
    pub proof: Proof,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worker {
    Custody,
    Investing,
    Lending,
    Office,
    Notification,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Party")]
pub struct Named {
    pub name: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Parked {
    pub service: Worker,
    pub name: String,
    pub kind: String,
    pub error: String,
    pub code: Option<String>,
    pub party: Option<Named>,
    pub attempts: i32,
    pub since: DateTime,
    pub waits: bool,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct AllParked {
    pub parked: Vec<Parked>,
}

impl Worker {
    /// As the API writes it.
    pub fn code(self) -> &'static str {
        match self {
            Worker::Custody => "CUSTODY",
            Worker::Investing => "INVESTING",
            Worker::Lending => "LENDING",
            Worker::Office => "OFFICE",
            Worker::Notification => "NOTIFICATION",
        }
    }
}

pub const CLOSE: &str = "mutation($input: BusinessDayCloseInput!) { businessDayClose(input: $input) { \
    businessDay { date } errors { code message } } }";
pub const RETRY: &str =
    "mutation($input: ParkedRetryInput!) { parkedRetry(input: $input) { done errors { code message } } }";
