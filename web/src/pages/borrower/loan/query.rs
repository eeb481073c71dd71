//! What one loan's page loads and sends.

use crate::api::{Date, Decimal, Money, schema};
use crate::components::orders::OrderStatus;
use crate::pages::investor::overview::query::Target;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::staff::queue::query::Who;
use cynic::QueryFragment;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum InstalmentStatus {
    Scheduled,
    Paid,
    Replaced,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Instalment {
    pub number: i32,
    pub due_on: Date,
    pub interest: Money,
    pub principal: Money,
    pub total: Money,
    pub status: InstalmentStatus,
    pub paid_on: Option<Date>,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum RepaymentStatus {
    Freezing,
    Distributing,
    Partial,
    Settled,
    Failed,
}

impl RepaymentStatus {
    pub fn is_under_way(self) -> bool {
        !matches!(self, RepaymentStatus::Settled | RepaymentStatus::Failed)
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Repayment {
    pub id: cynic::Id,
    pub early: bool,
    pub interest: Money,
    pub principal: Money,
    pub value_date: Option<Date>,
    pub total: Money,
    pub status: RepaymentStatus,
    pub redirect_url: Option<String>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Order")]
pub struct FeeOrder {
    pub status: OrderStatus,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Loan {
    pub borrower: Option<Who>,
    pub id: cynic::Id,
    pub principal: Money,
    pub outstanding: Money,
    pub fee: Money,
    pub fee_order: Option<FeeOrder>,
    pub rate: Decimal,
    pub term_months: i32,
    pub status: LoanStatus,
    pub days_past_due: i32,
    pub started_on: Option<Date>,
    pub closed_on: Option<Date>,
    pub listing: Option<Target>,
    pub schedule: Vec<Instalment>,
    pub repayments: Vec<Repayment>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct LoanId {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "LoanConnection")]
pub struct Own {
    pub nodes: Vec<LoanId>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Account")]
pub struct Purse {
    pub available: Money,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Me {
    pub accounts: Vec<Purse>,
    #[arguments(first: 100)]
    pub loans: Own,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct LoanVariables {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "LoanVariables")]
pub struct Found {
    #[arguments(id: $id)]
    pub loan: Option<Loan>,
    pub viewer: Option<Me>,
    pub business_date: Date,
}

/// What [`QUOTE`] gives.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct PayoffQuote {
    pub id: cynic::Id,
    pub interest: Money,
    pub principal: Money,
    pub total: Money,
    pub valid_on: Date,
}

pub const REPAY: &str = "mutation($input: LoanRepayInput!) { loanRepay(input: $input) { \
    repayment { id } errors { code message } } }";
pub const QUOTE: &str = "mutation($input: LoanQuotePayoffInput!) { loanQuotePayoff(input: $input) { \
    quote { id interest { amount currency } principal { amount currency } total { amount currency } validOn } \
    errors { code message } } }";
pub const REPAY_EARLY: &str = "mutation($input: LoanRepayEarlyInput!) { loanRepayEarly(input: $input) { \
    repayment { id } errors { code message } } }";

/// This loan as it changes.
pub const CHANGES: &str =
    "subscription($id: ID, $after: String) { loanChanged(id: $id, after: $after) { cursor loan { id } } }";
