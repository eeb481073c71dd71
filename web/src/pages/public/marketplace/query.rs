//! What the marketplace loads and follows.

use crate::api::{Currency, Date, Decimal, Money, schema};
use cynic::QueryFragment;
use serde::Deserialize;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListingStatus {
    Open,
    Filled,
    Disbursing,
    Disbursed,
    Expired,
    Cancelled,
}

impl ListingStatus {
    /// The mark's class: what grows, what waits, what is over.
    pub fn mark(self) -> &'static str {
        match self {
            ListingStatus::Open | ListingStatus::Disbursed => "tag ok",
            ListingStatus::Filled | ListingStatus::Disbursing => "tag wait",
            ListingStatus::Expired | ListingStatus::Cancelled => "tag",
        }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Row {
    pub id: cynic::Id,
    pub purpose: String,
    pub amount: Money,
    pub progress: Decimal,
    pub rate: Decimal,
    pub term_months: i32,
    pub instalment: Money,
    pub status: ListingStatus,
    pub expires_on: Date,
}

#[derive(QueryFragment, Clone, Debug)]
pub struct PageInfo {
    pub has_next_page: bool,
    pub end_cursor: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "ListingConnection")]
pub struct Rows {
    pub nodes: Vec<Row>,
    pub page_info: PageInfo,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListingOrderField {
    OpenedAt,
    Rate,
    Term,
    Amount,
    ExpiresOn,
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderDirection {
    Asc,
    Desc,
}

#[derive(cynic::InputObject, Clone, Copy, PartialEq, Eq, Debug)]
pub struct ListingOrder {
    pub field: ListingOrderField,
    pub direction: OrderDirection,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct MarketVariables {
    pub status: Option<ListingStatus>,
    pub currency: Option<Currency>,
    pub text: Option<String>,
    pub rate: Option<Decimal>,
    pub months: Option<i32>,
    pub order: Option<ListingOrder>,
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "MarketVariables")]
pub struct Market {
    #[arguments(status: $status, currency: $currency, text: $text, rateAtLeast: $rate, monthsAtMost: $months, orderBy: $order, first: 50, after: $after)]
    pub listings: Rows,
    pub listed_currencies: Vec<Currency>,
}

/// The whole marketplace as it changes.
pub const CHANGES: &str = "subscription($after: String) { listingChanged(after: $after) { cursor listing { \
    id purpose amount { amount currency } progress rate termMonths instalment { amount currency } status expiresOn } } }";

/// One message of [`CHANGES`].
#[derive(Deserialize)]
pub struct Change {
    pub listing: Row,
}
