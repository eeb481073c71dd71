//! What the overview loads and follows.

use crate::api::{Currency, Date, DateTime, Decimal, Money, schema};
use crate::pages::investor::portfolio::query::LoanStatus;
use cynic::QueryFragment;
use serde::Deserialize;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Account")]
pub struct Purse {
    pub currency: Currency,
    pub available: Money,
    pub frozen: Money,
    pub held: Money,
    pub shortfall: Money,
}

impl Purse {
    /// Before anything has moved.
    pub fn empty(currency: finance::Currency) -> Purse {
        let nothing = Money::from(finance::Money::new(0, currency));
        let [available, frozen, held, shortfall] = [(); 4].map(|()| nothing.clone());
        Purse { currency: nothing.currency, available, frozen, held, shortfall }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct ExpectedCash {
    pub due_on: Date,
    pub interest: Money,
    pub principal: Money,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Portfolio {
    pub notes: i32,
    pub lent: Money,
    pub invested: Money,
    pub overdue: Money,
    pub principal_received: Money,
    pub interest_received: Money,
    pub xirr: Option<Decimal>,
    pub expected: Vec<ExpectedCash>,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum BidStatus {
    Reserved,
    Frozen,
    Settled,
    Refused,
    Withdrawing,
    Withdrawn,
    Returned,
}

impl BidStatus {
    pub fn mark(self) -> &'static str {
        match self {
            // What is set aside waits for the other lenders and has earned nothing yet.
            BidStatus::Settled => "tag ok",
            BidStatus::Refused => "tag bad",
            BidStatus::Reserved | BidStatus::Withdrawing => "tag wait",
            BidStatus::Frozen | BidStatus::Withdrawn | BidStatus::Returned => "tag",
        }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Target {
    pub id: cynic::Id,
    pub purpose: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Bid {
    pub id: cynic::Id,
    pub redirect_url: Option<String>,
    pub placed_at: DateTime,
    pub amount: Money,
    pub status: BidStatus,
    pub listing: Option<Target>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "BidConnection")]
pub struct Bids {
    pub nodes: Vec<Bid>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Mine {
    pub accounts: Vec<Purse>,
    pub portfolio: Vec<Portfolio>,
    pub cash_account: Option<Opened>,
    #[arguments(first: 50)]
    pub bids: Bids,
    #[arguments(first: 20)]
    pub loans: Debts,
}

/// One's account at the custodian, once it is there.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "CashAccount")]
pub struct Opened {
    pub opened_at: DateTime,
}

/// What one owes.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "LoanConnection")]
pub struct Debts {
    pub nodes: Vec<Debt>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Debt {
    pub id: cynic::Id,
    pub outstanding: Money,
    pub status: LoanStatus,
    pub days_past_due: i32,
    pub listing: Option<Target>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Overview {
    pub business_date: Date,
    pub viewer: Option<Mine>,
}

/// One's money as it changes.
pub const PURSE: &str = "subscription($after: String) { accountChanged(after: $after) { cursor accounts { currency \
    available { amount currency } frozen { amount currency } held { amount currency } shortfall { amount currency } } } }";

/// One message of [`PURSE`].
#[derive(Deserialize)]
pub struct PurseChange {
    pub accounts: Vec<Purse>,
}
