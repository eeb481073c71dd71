//! What the sign-in page loads.

use crate::api::schema;
use crate::session::Role;
use cynic::QueryFragment;

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "DemoAccount")]
pub struct Account {
    pub email: String,
    pub name: String,
    pub role: Role,
    pub password: String,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Accounts {
    pub demo_accounts: Vec<Account>,
}
