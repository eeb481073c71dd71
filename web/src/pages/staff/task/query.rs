//! What a task's page, and an application's, load and send.

use crate::api::{DateTime, Decimal, Money, schema};
use crate::components::documents::Document;
use crate::pages::borrower::loans::query::ApplicationStatus;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::public::marketplace::query::ListingStatus;
use crate::pages::staff::queue::query::{Approval, TaskKind, TaskStatus, Who};
use crate::session::Role;
use cynic::QueryFragment;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Product {
    pub rate_min: Decimal,
    pub rate_max: Decimal,
    pub fee: Decimal,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Named {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Application {
    pub id: cynic::Id,
    pub borrower: Option<Who>,
    pub purpose: String,
    pub story: String,
    pub amount: Money,
    pub term_months: i32,
    pub annual_income: Option<Money>,
    pub monthly_obligations: Option<Money>,
    pub employed_years: Option<i32>,
    pub rate: Option<Decimal>,
    pub status: ApplicationStatus,
    pub submitted_at: DateTime,
    pub documents: Vec<Document>,
    pub has_cash_account: bool,
    pub decision_task_id: Option<cynic::Id>,
    pub listing: Option<Named>,
    pub product: Product,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Offered {
    pub id: cynic::Id,
    pub purpose: String,
    pub amount: Money,
    pub funded: Money,
    pub fee: Money,
    #[cynic(rename = "rate", alias)]
    pub yearly: Decimal,
    pub term_months: i32,
    pub borrower: Option<Who>,
    pub fee_allowed: Option<bool>,
    pub status: ListingStatus,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Owed {
    pub id: cynic::Id,
    pub principal: Money,
    pub outstanding: Money,
    pub status: LoanStatus,
}

#[derive(cynic::InlineFragments, Clone, PartialEq, Debug)]
pub enum Subject {
    Application(Application),
    Listing(Offered),
    Loan(Owed),
    #[cynic(fallback)]
    Other,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Task")]
pub struct Whole {
    pub id: cynic::Id,
    pub kind: TaskKind,
    pub status: TaskStatus,
    pub about: String,
    pub opened_at: DateTime,
    pub claimed_by: Option<Who>,
    pub roles: Vec<Role>,
    pub waits_for_me: bool,
    pub approvals: Vec<Approval>,
    pub subject: Option<Subject>,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct IdVariables {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "IdVariables")]
pub struct FoundTask {
    #[arguments(id: $id)]
    pub task: Option<Whole>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "IdVariables")]
pub struct FoundApplication {
    #[arguments(id: $id)]
    pub application: Option<Application>,
}

pub const DECIDE: &str = "mutation($input: TaskDecideInput!) { taskDecide(input: $input) { task { id } errors { code message } } }";
pub const RATE: &str = "mutation($input: ApplicationProposeRateInput!) { applicationProposeRate(input: $input) { \
    application { id } errors { code message } } }";
