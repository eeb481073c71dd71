//! What applying loads and sends.

use crate::api::{Decimal, Money, Uuid, schema};
use cynic::QueryFragment;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Product {
    pub code: String,
    pub amount_min: Money,
    pub amount_max: Money,
    pub months_min: i32,
    pub months_max: i32,
    pub rate_min: Decimal,
    pub rate_max: Decimal,
    pub fee: Decimal,
    pub listing_days: i32,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "CashAccount")]
pub struct Account {
    pub custodian: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Me {
    pub cash_account: Option<Account>,
    pub application_draft: Option<Saved>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ApplicationDraft")]
pub struct Saved {
    pub id: Uuid,
    pub fields: Vec<SavedField>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "DraftField")]
pub struct SavedField {
    pub name: String,
    pub value: String,
}

pub const SAVE: &str = "mutation($input: ApplicationDraftSaveInput!) { applicationDraftSave(input: $input) { draft { savedAt } errors { code message } } }";
pub const DISCARD: &str = "mutation($input: ApplicationDraftDiscardInput!) { applicationDraftDiscard(input: $input) { done errors { code message } } }";

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Apply {
    pub products: Vec<Product>,
    pub viewer: Option<Me>,
}

pub const SUBMIT: &str = "mutation($input: ApplicationSubmitInput!) { applicationSubmit(input: $input) { \
    application { id } errors { code message } } }";
