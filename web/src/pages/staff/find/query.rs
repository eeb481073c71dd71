//! What looking for somebody or something loads.

use crate::api::{Date, DateTime, Decimal, Money, schema};
use crate::pages::borrower::loans::query::ApplicationStatus;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::public::marketplace::query::{ListingStatus, PageInfo};
use crate::pages::staff::queue::query::Who;
use crate::session::Role;
use cynic::QueryFragment;

#[derive(cynic::QueryVariables, Clone)]
pub struct FindVariables {
    pub text: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Party")]
pub struct Person {
    pub id: cynic::Id,
    pub name: String,
    pub email: String,
    pub email_confirmed: bool,
    pub roles: Vec<Role>,
    pub created_at: DateTime,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Offered {
    pub id: cynic::Id,
    pub purpose: String,
    pub amount: Money,
    pub expires_on: Date,
    pub status: ListingStatus,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ListingConnection")]
pub struct Listings {
    pub nodes: Vec<Offered>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "FindVariables")]
pub struct Find {
    #[arguments(text: $text)]
    pub parties: Vec<Person>,
    #[arguments(text: $text, first: 20)]
    pub listings: Listings,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Named {
    pub purpose: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Lent {
    pub id: cynic::Id,
    pub listing: Option<Named>,
    pub borrower: Option<Who>,
    pub principal: Money,
    pub outstanding: Money,
    pub rate: Decimal,
    pub status: LoanStatus,
    pub days_past_due: i32,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "LoanConnection")]
pub struct Lents {
    pub nodes: Vec<Lent>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct LoanVariables {
    pub status: Option<LoanStatus>,
    pub borrower: Option<cynic::Id>,
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "LoanVariables")]
pub struct Loans {
    #[arguments(status: $status, borrower: $borrower, first: 50, after: $after)]
    pub loans: Lents,
}

/// Whoever stands behind an id.
#[derive(cynic::InlineFragments, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Node")]
pub enum Whoever {
    Party(Person),
    #[cynic(fallback)]
    Other,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct WhoVariables {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "WhoVariables")]
pub struct One {
    #[arguments(id: $id)]
    pub node: Option<Whoever>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Application {
    pub id: cynic::Id,
    pub purpose: String,
    pub amount: Money,
    pub term_months: i32,
    pub submitted_at: DateTime,
    pub status: ApplicationStatus,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ApplicationConnection")]
pub struct Applications {
    pub nodes: Vec<Application>,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct WhoseVariables {
    pub borrower: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "WhoseVariables")]
pub struct Applied {
    #[arguments(borrower: $borrower, first: 100)]
    pub applications: Applications,
}
