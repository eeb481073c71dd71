//! What the statement loads.

use crate::api::{Date, Money, schema};
use crate::pages::investor::overview::query::Target;
use crate::pages::public::marketplace::query::PageInfo;
use cynic::QueryFragment;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    TopUp,
    Withdrawal,
    WithdrawalReturned,
    Bid,
    Disbursement,
    DisbursementUnblocked,
    DisbursementReversed,
    Repayment,
    Fee,
    OwnFunds,
    Shortfall,
    ShortfallSettled,
}

impl EntryKind {
    /// Those by which a statement can be narrowed, each by its word in the address.
    pub const CHOICES: [(&'static str, EntryKind); 5] = [
        ("in", EntryKind::TopUp),
        ("out", EntryKind::Withdrawal),
        ("loans", EntryKind::Disbursement),
        ("repayments", EntryKind::Repayment),
        ("fees", EntryKind::Fee),
    ];
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "RepaidParts")]
pub struct Parts {
    pub interest: Money,
    pub principal: Money,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "CashMovement")]
pub struct Counterpart {
    pub number: String,
    pub order_number: String,
    pub amount: Money,
    pub business_date: Date,
    pub listing: Option<Target>,
    pub parts: Option<Parts>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "StatementLine")]
pub struct Line {
    pub id: cynic::Id,
    pub kind: EntryKind,
    pub amount: Money,
    pub balance_after: Money,
    pub value_date: Date,
    pub cash: Option<Counterpart>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "StatementLineConnection")]
pub struct Lines {
    pub nodes: Vec<Line>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct StatementVariables {
    pub from: Option<Date>,
    pub to: Option<Date>,
    pub kinds: Option<Vec<EntryKind>>,
    pub first: i32,
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Viewer", variables = "StatementVariables")]
pub struct Mine {
    #[arguments(from: $from, to: $to, kinds: $kinds, first: $first, after: $after)]
    pub statement: Lines,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "StatementVariables")]
pub struct Statement {
    pub viewer: Option<Mine>,
}
