//! What the portfolio loads.

use crate::api::{Date, Decimal, Money, schema};
use crate::pages::investor::overview::query::Target;
use cynic::QueryFragment;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoanStatus {
    AwaitingDisbursement,
    Active,
    Overdue,
    Closed,
    Cancelled,
}

impl LoanStatus {
    /// The mark's class: what grows, what waits, what is at risk, what is over.
    pub fn mark(self) -> &'static str {
        match self {
            LoanStatus::Active => "tag ok",
            LoanStatus::AwaitingDisbursement => "tag wait",
            LoanStatus::Overdue => "tag bad",
            LoanStatus::Closed | LoanStatus::Cancelled => "tag",
        }
    }

    pub fn is_over(self) -> bool {
        matches!(self, LoanStatus::Closed | LoanStatus::Cancelled)
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Debt {
    pub rate: Decimal,
    pub status: LoanStatus,
    pub days_past_due: i32,
    pub started_on: Option<Date>,
    pub listing: Option<Target>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Note {
    pub id: cynic::Id,
    pub principal: Money,
    pub outstanding: Money,
    pub interest_received: Money,
    pub loan: Option<Debt>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Mine {
    pub notes: Vec<Note>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Portfolio {
    pub viewer: Option<Mine>,
}
