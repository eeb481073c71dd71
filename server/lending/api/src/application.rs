//! Products and applications.

use chrono::{DateTime, Utc};
use finance::{Currency, Money, Rate};
use kernel::id::{ApplicationId, PartyId};
use platform::page::Page;
use serde::{Deserialize, Serialize};

/// What may be lent, and on which terms. A loan keeps a copy, never a link.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Product {
    pub code: String,
    pub version: u32,
    pub amount_min: Money,
    pub amount_max: Money,
    pub months_min: u32,
    pub months_max: u32,
    pub rate_min: Rate,
    pub rate_max: Rate,
    /// Of the principal, paid by the borrower at disbursement.
    pub fee: Rate,
    /// How long a listing waits for its money.
    pub listing_days: u32,
}

/// Everything that is lent.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProductsOf {}

/// The currencies in which this installation lends.
pub const CURRENCIES: [&str; 5] = ["USD", "EUR", "GBP", "JPY", "BHD"];

impl Product {
    /// The personal loan: monthly annuity.
    pub fn personal(currency: Currency) -> Product {
        let unit = 10i64.pow(currency.exponent()) * if currency.exponent() == 0 { 100 } else { 1 };
        Product {
            code: "PERSONAL".into(),
            version: 1,
            amount_min: Money::new(500 * unit, currency),
            amount_max: Money::new(50_000 * unit, currency),
            months_min: 3,
            months_max: 60,
            rate_min: Rate::from_ppm(30_000),
            rate_max: Rate::from_ppm(300_000),
            fee: Rate::from_ppm(10_000),
            listing_days: 30,
        }
    }
}

/// Figures the borrower states, for whoever decides.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Facts {
    pub annual_income: Option<Money>,
    pub monthly_obligations: Option<Money>,
    pub employed_years: Option<u32>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Apply {
    pub id: ApplicationId,
    pub amount: Money,
    pub term_months: u32,
    pub purpose: String,
    /// In the borrower's words, for investors to read.
    pub story: String,
    pub facts: Facts,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProposeRate {
    pub application: ApplicationId,
    pub rate: Rate,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApplicationOf {
    pub application: ApplicationId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApplicationsOf {
    /// Only these, when there are any.
    pub ids: Vec<ApplicationId>,
    pub borrower: Option<PartyId>,
    pub status: Option<ApplicationStatus>,
    pub page: Page,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ApplicationStatus {
    Submitted,
    /// A rate is proposed and being decided.
    InReview,
    Approved,
    Declined,
    Withdrawn,
}

impl ApplicationStatus {
    pub fn code(self) -> &'static str {
        match self {
            ApplicationStatus::Submitted => "SUBMITTED",
            ApplicationStatus::InReview => "IN_REVIEW",
            ApplicationStatus::Approved => "APPROVED",
            ApplicationStatus::Declined => "DECLINED",
            ApplicationStatus::Withdrawn => "WITHDRAWN",
        }
    }

    pub fn from_code(code: &str) -> Option<ApplicationStatus> {
        use ApplicationStatus as S;
        [S::Submitted, S::InReview, S::Approved, S::Declined, S::Withdrawn]
            .into_iter()
            .find(|s| s.code() == code)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApplicationView {
    pub id: ApplicationId,
    pub borrower: PartyId,
    pub product: Product,
    pub amount: Money,
    pub term_months: u32,
    pub purpose: String,
    pub story: String,
    pub facts: Facts,
    pub status: ApplicationStatus,
    pub rate: Option<Rate>,
    pub at: DateTime<Utc>,
    /// When it was approved, declined or withdrawn.
    #[serde(default)]
    pub decided_at: Option<DateTime<Utc>>,
}
