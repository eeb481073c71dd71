//! What the cash account's page loads.

use crate::api::{DateTime, Money, schema};
use crate::components::orders::{ConsentScope, Orders};
use crate::pages::investor::overview::query::Purse;
use cynic::QueryFragment;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Consent {
    pub scope: ConsentScope,
    pub per_order: Money,
    pub total: Money,
    pub used: Money,
    pub expires_at: DateTime,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Consents {
    pub page_url: String,
    pub account_number: String,
    pub active: Vec<Consent>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct CashAccount {
    pub custodian: String,
    pub balances: Vec<Money>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Mine {
    pub accounts: Vec<Purse>,
    pub cash_account: Option<CashAccount>,
    #[arguments(first: 30)]
    pub orders: Orders,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Product")]
pub struct Terms {
    pub amount_max: Money,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Cash {
    pub viewer: Option<Mine>,
    pub products: Vec<Terms>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "CashAccount")]
pub struct Allowed {
    pub consents: Consents,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct AllowedMine {
    pub cash_account: Option<Allowed>,
}

/// Asked apart, because the custodian itself is asked for it and may be away.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct MyConsents {
    pub viewer: Option<AllowedMine>,
}
