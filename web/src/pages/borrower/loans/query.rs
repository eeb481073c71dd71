//! What one's loans and applications load.

use crate::api::{Date, DateTime, Decimal, Money, schema};
use crate::components::documents::Document;
use crate::pages::investor::overview::query::Target;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::public::marketplace::query::ListingStatus;
use cynic::QueryFragment;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApplicationStatus {
    Submitted,
    InReview,
    Approved,
    Declined,
    Withdrawn,
}

impl ApplicationStatus {
    pub fn mark(self) -> &'static str {
        match self {
            ApplicationStatus::Approved => "tag ok",
            ApplicationStatus::Submitted | ApplicationStatus::InReview => "tag wait",
            ApplicationStatus::Declined => "tag bad",
            ApplicationStatus::Withdrawn => "tag",
        }
    }

    pub fn is_open(self) -> bool {
        matches!(self, ApplicationStatus::Submitted | ApplicationStatus::InReview)
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Listing")]
pub struct Offered {
    pub id: cynic::Id,
    pub status: ListingStatus,
    pub progress: Decimal,
    pub expires_on: Date,
}

/// What the platform takes, and the most it may cost.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Product")]
pub struct Priced {
    pub fee: Decimal,
    pub rate_max: Decimal,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Application {
    pub id: cynic::Id,
    pub purpose: String,
    pub amount: Money,
    pub term_months: i32,
    pub rate: Option<Decimal>,
    pub status: ApplicationStatus,
    pub submitted_at: DateTime,
    pub decided_at: Option<DateTime>,
    pub documents: Vec<Document>,
    pub product: Priced,
    pub listing: Option<Offered>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ApplicationConnection")]
pub struct Applications {
    pub nodes: Vec<Application>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Owed {
    pub id: cynic::Id,
    pub principal: Money,
    pub outstanding: Money,
    pub rate: Decimal,
    pub status: LoanStatus,
    pub days_past_due: i32,
    pub next_due_on: Option<Date>,
    pub listing: Option<Target>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "LoanConnection")]
pub struct Owing {
    pub nodes: Vec<Owed>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ApplicationDraft")]
pub struct Begun {
    pub saved_at: DateTime,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Mine {
    #[arguments(first: 50)]
    pub applications: Applications,
    #[arguments(first: 50)]
    pub loans: Owing,
    pub application_draft: Option<Begun>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Loans {
    pub viewer: Option<Mine>,
}

/// One's loans as they change.
pub const CHANGES: &str =
    "subscription($after: String) { loanChanged(after: $after) { cursor loan { id } } }";

pub const CANCEL: &str = "mutation($input: ListingCancelInput!) { listingCancel(input: $input) { \
    listing { id } errors { code message } } }";
pub const WITHDRAW: &str = "mutation($input: ApplicationWithdrawInput!) { applicationWithdraw(input: $input) { \
    application { id } errors { code message } } }";
