//! What a listing's page loads and follows.

use crate::api::{Date, Decimal, Money, schema};
use crate::pages::public::marketplace::query::ListingStatus;
use cynic::QueryFragment;
use serde::Deserialize;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Offer {
    pub id: cynic::Id,
    pub purpose: String,
    pub story: String,
    pub amount: Money,
    pub funded: Money,
    pub progress: Decimal,
    pub rate: Decimal,
    pub term_months: i32,
    pub instalment: Money,
    pub bid_minimum: Money,
    pub status: ListingStatus,
    pub expires_on: Date,
}

#[derive(cynic::QueryVariables)]
pub struct OfferVariables {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "OfferVariables")]
pub struct Found {
    #[arguments(id: $id)]
    pub listing: Option<Offer>,
    pub business_date: Date,
}

/// The listing as it is being funded.
pub const CHANGES: &str = "subscription($id: ID, $after: String) { listingChanged(id: $id, after: $after) { cursor listing { \
    id purpose story amount { amount currency } funded { amount currency } progress rate termMonths \
    instalment { amount currency } bidMinimum { amount currency } status expiresOn } } }";

/// One message of [`CHANGES`].
#[derive(Deserialize)]
pub struct Change {
    pub listing: Offer,
}
