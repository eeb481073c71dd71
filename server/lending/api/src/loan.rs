//! Loans, their instalments, notes and repayments.

use chrono::{DateTime, NaiveDate, Utc};
use finance::{Money, Rate};
use kernel::id::{LineId, ListingId, LoanId, NoteId, PartyId, QuoteId, RepaymentId};
use platform::page::Page;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The contract's terms, as agreed; a copy that nothing changes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Terms {
    pub product: String,
    pub version: u32,
    pub principal: Money,
    pub rate: Rate,
    pub term_months: u32,
    pub fee: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoanOf {
    pub loan: LoanId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoansOf {
    /// Only these, when there are any; of them, those the caller may see.
    pub ids: Vec<LoanId>,
    pub borrower: Option<PartyId>,
    pub status: Option<LoanStatus>,
    pub page: Page,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NextDuesOf {
    /// At most a hundred.
    pub loans: Vec<LoanId>,
}

/// The earliest instalment that is not paid, late ones too.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NextDue {
    pub loan: LoanId,
    pub due: NaiveDate,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReceivedOf {
    /// At most a hundred.
    pub lines: Vec<LineId>,
}

/// What a holder gets by one line of a repayment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Received {
    pub line: LineId,
    pub interest: Money,
    pub principal: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotesOf {
    pub holder: Option<PartyId>,
    pub loan: Option<LoanId>,
}

/// What a holder has in loans: one's own, or anybody's for staff.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PortfolioOf {
    pub holder: PartyId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoteOf {
    pub note: NoteId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepayDue {
    pub id: RepaymentId,
    pub loan: LoanId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuotePayoff {
    pub id: QuoteId,
    pub loan: LoanId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepayEarly {
    pub id: RepaymentId,
    pub quote: QuoteId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepaymentOf {
    pub repayment: RepaymentId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunDay {
    pub date: NaiveDate,
}

/// What a business date's work has done, in all its runs.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DayRun {
    pub repayments_begun: u32,
    pub became_overdue: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LoanStatus {
    AwaitingDisbursement,
    Active,
    Overdue,
    Closed,
    /// It could not be paid out; every investor has their money again.
    Cancelled,
}

impl LoanStatus {
    pub fn code(self) -> &'static str {
        match self {
            LoanStatus::AwaitingDisbursement => "AWAITING_DISBURSEMENT",
            LoanStatus::Active => "ACTIVE",
            LoanStatus::Overdue => "OVERDUE",
            LoanStatus::Closed => "CLOSED",
            LoanStatus::Cancelled => "CANCELLED",
        }
    }

    pub fn from_code(code: &str) -> Option<LoanStatus> {
        use LoanStatus as S;
        [S::AwaitingDisbursement, S::Active, S::Overdue, S::Closed, S::Cancelled]
            .into_iter()
            .find(|s| s.code() == code)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LoanView {
    pub id: LoanId,
    pub listing: ListingId,
    pub borrower: PartyId,
    pub terms: Terms,
    pub status: LoanStatus,
    /// From this day interest runs.
    pub started_on: Option<NaiveDate>,
    pub closed_on: Option<NaiveDate>,
    pub outstanding: Money,
    /// Since the oldest unpaid due date, on the business date it was last looked at.
    pub days_past_due: u32,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstalmentStatus {
    Scheduled,
    Paid,
    /// Ended by an early payoff.
    Replaced,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstalmentView {
    pub number: u32,
    pub due: NaiveDate,
    pub interest: Money,
    pub principal: Money,
    pub status: InstalmentStatus,
    pub paid_on: Option<NaiveDate>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoteView {
    pub id: NoteId,
    pub loan: LoanId,
    pub holder: PartyId,
    pub principal: Money,
    pub outstanding: Money,
    pub interest_received: Money,
    pub version: u32,
}

/// What one repayment brought a note.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotePayment {
    pub repayment: RepaymentId,
    pub interest: Money,
    pub principal: Money,
    pub value_date: NaiveDate,
    pub settled: bool,
}

/// What is expected on one due date if everybody pays as agreed; fractions of a minor unit are left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExpectedCash {
    pub due: NaiveDate,
    pub interest: Money,
    pub principal: Money,
}

/// One holder's notes in one currency, added up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PortfolioView {
    pub notes: u32,
    /// What was lent, ever.
    pub lent: Money,
    /// What is still out.
    pub invested: Money,
    /// The part of `invested` in loans that are overdue.
    pub overdue: Money,
    pub principal_received: Money,
    pub interest_received: Money,
    /// In order of date.
    pub expected: Vec<ExpectedCash>,
    /// Yearly, from the day each loan started to today, what is still out taken at its face. `None` before a day has
    /// passed. See [`finance::xirr`].
    pub xirr: Option<Decimal>,
}

/// Where a repayment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RepaymentStatus {
    /// The borrower's money is being frozen, or the borrower is asked on the custodian's page.
    Freezing,
    /// It is frozen and split; the lines are on their way to the holders.
    Distributing,
    Settled,
    /// Some holders are paid, the others' lines are being tried again; the loan waits.
    Partial,
    Failed,
}

impl RepaymentStatus {
    pub fn code(self) -> &'static str {
        match self {
            RepaymentStatus::Freezing => "FREEZING",
            RepaymentStatus::Distributing => "DISTRIBUTING",
            RepaymentStatus::Settled => "SETTLED",
            RepaymentStatus::Partial => "PARTIAL",
            RepaymentStatus::Failed => "FAILED",
        }
    }

    pub fn from_code(code: &str) -> Option<RepaymentStatus> {
        use RepaymentStatus as S;
        [S::Freezing, S::Distributing, S::Settled, S::Partial, S::Failed]
            .into_iter()
            .find(|s| s.code() == code)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepaymentView {
    pub id: RepaymentId,
    pub loan: LoanId,
    pub early: bool,
    pub interest: Money,
    pub principal: Money,
    pub total: Money,
    pub status: RepaymentStatus,
    /// The custodian's reason where it failed.
    pub why: String,
    pub value_date: Option<NaiveDate>,
    /// Where the borrower confirms, where no consent covers it.
    pub redirect_url: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuoteView {
    pub id: QuoteId,
    pub loan: LoanId,
    pub on: NaiveDate,
    pub principal: Money,
    pub interest: Money,
    pub total: Money,
    /// It is honoured until the business date moves on.
    pub valid_on: NaiveDate,
}
