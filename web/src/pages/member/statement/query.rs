//! What the statement loads.

use crate::api::{Currency, Date, Money, schema};
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

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "CashMovement")]
pub struct Counterpart {
    pub number: String,
    pub order_number: String,
    pub amount: Money,
    pub business_date: Date,
    pub listing: Option<Target>,
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
    pub currency: Option<Currency>,
    pub first: i32,
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Viewer", variables = "StatementVariables")]
pub struct Mine {
    #[arguments(currency: $currency, first: $first, after: $after)]
    pub statement: Lines,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "StatementVariables")]
pub struct Statement {
    pub viewer: Option<Mine>,
}
