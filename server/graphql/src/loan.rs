//! Loans, notes, repayments.

use crate::account::Order;
use crate::context::{asker, loader, services};
use crate::error::{LendingUserError, fault, top, unauthenticated};
use crate::id::Gid;
use crate::listing::Listing;
use crate::loaders::NextDueOf;
use crate::party::Party;
use crate::payload;
use crate::scalars::{Date, DateTime, Decimal, Money, Uuid};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use custody_api::{Custody, CustodyError, InstructionOf};
use kernel::id::{LoanId, NoteId, QuoteId, RepaymentId, derived};
use lending_api::*;
use platform::Fault;
use std::fmt::Display;

/// What a loader brought; why it brought nothing is for the log.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub fn loaded<T, E: Display>(found: Result<Option<T>, E>) -> Result<Option<T>> {
    found.map_err(|e| {
        tracing::warn!(error = %e, "a batch could not be read");
        top("SERVICE_UNAVAILABLE", "a part of the platform does not answer; try again soon")
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending_api::LoanStatus")]
pub enum LoanStatus {
    AwaitingDisbursement,
    Active,
    Overdue,
    Closed,
    /// It could not be paid out; every investor has their money again.
    Cancelled,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending_api::InstalmentStatus")]
pub enum InstalmentStatus {
    Scheduled,
    Paid,
    /// Paid off before it was due.
    Replaced,
}

/// One due date of a loan.
#[derive(SimpleObject)]
pub struct Instalment {
    pub number: u32,
    pub due_on: Date,
    pub interest: Money,
    pub principal: Money,
    pub total: Money,
    pub status: InstalmentStatus,
    pub paid_on: Option<Date>,
}

impl From<InstalmentView> for Instalment {
    fn from(i: InstalmentView) -> Instalment {
        let total = finance::Money::new(i.interest.minor() + i.principal.minor(), i.interest.currency());
        Instalment {
            number: i.number,
            due_on: Date(i.due),
            interest: i.interest.into(),
            principal: i.principal.into(),
            total: total.into(),
            status: i.status.into(),
            paid_on: i.paid_on.map(Date),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending_api::RepaymentStatus")]
pub enum RepaymentStatus {
    /// The exact total is being frozen in the borrower's cash account.
    Freezing,
    /// It is being paid to the holders.
    Distributing,
    Settled,
    Partial,
    Failed,
}

/// One payment by the borrower.
#[derive(SimpleObject)]
pub struct Repayment {
    pub id: Gid<RepaymentId>,
    /// A payoff before the last due date.
    pub early: bool,
    pub interest: Money,
    pub principal: Money,
    pub total: Money,
    pub status: RepaymentStatus,
    /// Why it failed, when it did.
    pub why: Option<String>,
    pub value_date: Option<Date>,
    /// Where the borrower confirms it when no standing consent covers it.
    pub redirect_url: Option<String>,
    pub begun_at: DateTime,
}

impl From<RepaymentView> for Repayment {
    fn from(r: RepaymentView) -> Repayment {
        Repayment {
            id: Gid(r.id),
            early: r.early,
            interest: r.interest.into(),
            principal: r.principal.into(),
            total: r.total.into(),
            status: r.status.into(),
            why: Some(r.why).filter(|why| !why.is_empty()),
            value_date: r.value_date.map(Date),
            redirect_url: r.redirect_url,
            begun_at: DateTime(r.at),
        }
    }
}

/// What it takes to pay a loan off on a day.
#[derive(SimpleObject)]
pub struct PayoffQuote {
    pub id: Gid<QuoteId>,
    pub principal: Money,
    pub interest: Money,
    pub total: Money,
    /// The business date on which it is honoured, and no other.
    pub valid_on: Date,
}

impl From<QuoteView> for PayoffQuote {
    fn from(q: QuoteView) -> PayoffQuote {
        PayoffQuote {
            id: Gid(q.id),
            principal: q.principal.into(),
            interest: q.interest.into(),
            total: q.total.into(),
            valid_on: Date(q.valid_on),
        }
    }
}

/// The contract after disbursement.
pub struct Loan(pub LoanView);

impl From<LoanView> for Loan {
    fn from(l: LoanView) -> Loan {
        Loan(l)
    }
}

#[Object]
impl Loan {
    pub async fn id(&self) -> Gid<LoanId> {
        Gid(self.0.id)
    }

    /// Who borrows it; for themselves and for staff, and null to who holds a share.
    async fn borrower(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        let seen = asker(ctx).is_staff() || asker(ctx).party() == Some(self.0.borrower);
        if !seen {
            return Ok(None);
        }
        loaded(loader(ctx).load_one(self.0.borrower).await).map(|p| p.map(Party::from))
    }

    async fn principal(&self) -> Money {
        self.0.terms.principal.into()
    }

    /// Yearly, as a ratio; part of the contract and never changed.
    async fn rate(&self) -> Decimal {
        Decimal::of_rate(self.0.terms.rate)
    }

    async fn term_months(&self) -> u32 {
        self.0.terms.term_months
    }

    async fn fee(&self) -> Money {
        self.0.terms.fee.into()
    }

    /// The order by which the platform takes its fee, once the loan has been paid out; for the borrower, null to others.
    #[graphql(complexity = "10 + child_complexity")]
    async fn fee_order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        let asker = asker(ctx);
        if asker.party() != Some(self.0.borrower) {
            return Ok(None);
        }
        let ask = InstructionOf { id: derived::loan_fee(self.0.id), newest: true };
        match services(ctx).custody.instruction(&asker.call(), ask).await {
            Ok(order) => Ok(Some(order.into())),
            Err(Fault::Refused(CustodyError::InstructionNotFound)) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    async fn status(&self) -> LoanStatus {
        self.0.status.into()
    }

    async fn started_on(&self) -> Option<Date> {
        self.0.started_on.map(Date)
    }

    async fn closed_on(&self) -> Option<Date> {
        self.0.closed_on.map(Date)
    }

    /// Principal that is still owed.
    async fn outstanding(&self) -> Money {
        self.0.outstanding.into()
    }

    async fn days_past_due(&self) -> u32 {
        self.0.days_past_due
    }

    async fn contracted_at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    async fn listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        loaded(loader(ctx).load_one(self.0.listing).await).map(|l| l.map(Listing))
    }

    /// When the next instalment is due, or was where it is late; null once nothing is to come.
    async fn next_due_on(&self, ctx: &Context<'_>) -> Result<Option<Date>> {
        loaded(loader(ctx).load_one(NextDueOf(self.0.id)).await).map(|d| d.map(Date))
    }

    /// What is due when, and what was paid when.
    #[graphql(complexity = "30 + child_complexity")]
    async fn schedule(&self, ctx: &Context<'_>) -> Result<Vec<Instalment>> {
        let asker = asker(ctx);
        let found = services(ctx).lending.schedule(&asker.call(), LoanOf { loan: self.0.id }).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Instalment::from).collect())
    }

    /// Newest first.
    #[graphql(complexity = "30 + child_complexity")]
    async fn repayments(&self, ctx: &Context<'_>) -> Result<Vec<Repayment>> {
        let asker = asker(ctx);
        let found = services(ctx).lending.repayments(&asker.call(), LoanOf { loan: self.0.id }).await;
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(Repayment::from).collect())
    }
}

/// What a note got of one repayment.
#[derive(SimpleObject)]
pub struct NotePayment {
    pub repayment: Gid<RepaymentId>,
    pub interest: Money,
    pub principal: Money,
    pub value_date: Date,
    /// Whether the money has arrived.
    pub settled: bool,
}

/// An investor's share of one loan.
pub struct Note(pub NoteView);

#[Object]
impl Note {
    pub async fn id(&self) -> Gid<NoteId> {
        Gid(self.0.id)
    }

    /// What was lent.
    async fn principal(&self) -> Money {
        self.0.principal.into()
    }

    /// What is still out.
    async fn outstanding(&self) -> Money {
        self.0.outstanding.into()
    }

    async fn interest_received(&self) -> Money {
        self.0.interest_received.into()
    }

    async fn loan(&self, ctx: &Context<'_>) -> Result<Option<Loan>> {
        loaded(loader(ctx).load_one(self.0.loan).await).map(|l| l.map(Loan))
    }

    /// What each repayment brought, oldest first.
    #[graphql(complexity = "30 + child_complexity")]
    async fn history(&self, ctx: &Context<'_>) -> Result<Vec<NotePayment>> {
        let asker = asker(ctx);
        let found = services(ctx).lending.note_history(&asker.call(), NoteOf { note: self.0.id }).await;
        let view = |p: lending_api::NotePayment| NotePayment {
            repayment: Gid(p.repayment),
            interest: p.interest.into(),
            principal: p.principal.into(),
            value_date: Date(p.value_date),
            settled: p.settled,
        };
        Ok(found.map_err(|e| fault(asker, e))?.into_iter().map(view).collect())
    }
}

/// What is expected on one due date if everybody pays as agreed.
#[derive(SimpleObject)]
pub struct ExpectedCash {
    pub due_on: Date,
    pub interest: Money,
    pub principal: Money,
}

/// One's notes in one currency, added up.
#[derive(SimpleObject)]
pub struct Portfolio {
    pub notes: u32,
    /// What was lent, ever.
    pub lent: Money,
    /// What is still out.
    pub invested: Money,
    /// The part of `invested` in loans that are overdue.
    pub overdue: Money,
    pub principal_received: Money,
    pub interest_received: Money,
    pub expected: Vec<ExpectedCash>,
    /// The yearly return of what was paid and received so far, as a ratio, what is still out taken at its face.
    pub xirr: Option<Decimal>,
}

impl From<PortfolioView> for Portfolio {
    fn from(p: PortfolioView) -> Portfolio {
        let cash = |c: lending_api::ExpectedCash| ExpectedCash {
            due_on: Date(c.due),
            interest: c.interest.into(),
            principal: c.principal.into(),
        };
        Portfolio {
            notes: p.notes,
            lent: p.lent.into(),
            invested: p.invested.into(),
            overdue: p.overdue.into(),
            principal_received: p.principal_received.into(),
            interest_received: p.interest_received.into(),
            expected: p.expected.into_iter().map(cash).collect(),
            xirr: p.xirr.map(|x| Decimal::of(x.round_dp(6))),
        }
    }
}

#[derive(InputObject)]
pub struct LoanRepayInput {
    pub id: Uuid,
    pub loan: Gid<LoanId>,
}

#[derive(InputObject)]
pub struct LoanQuotePayoffInput {
    pub id: Uuid,
    pub loan: Gid<LoanId>,
}

#[derive(InputObject)]
pub struct LoanRepayEarlyInput {
    pub id: Uuid,
    pub quote: Gid<QuoteId>,
}

payload! {
    LoanRepayPayload { repayment: Repayment } or LendingUserError;
    LoanRepayEarlyPayload { repayment: Repayment } or LendingUserError;
    LoanQuotePayoffPayload { quote: PayoffQuote } or LendingUserError;
}

#[derive(Default)]
pub struct LoanMutation;

#[Object]
impl LoanMutation {
    /// Pays what is due, or the next instalment where nothing is.
    async fn loan_repay(&self, ctx: &Context<'_>, input: LoanRepayInput) -> Result<LoanRepayPayload> {
        let asker = asker(ctx);
        asker.party().ok_or_else(unauthenticated)?;
        let repay = RepayDue { id: RepaymentId(input.id.0), loan: input.loan.0 };
        LoanRepayPayload::of(asker, services(ctx).lending.repay(&asker.call(), repay).await)
    }

    /// What it takes to pay the loan off today.
    async fn loan_quote_payoff(
        &self,
        ctx: &Context<'_>,
        input: LoanQuotePayoffInput,
    ) -> Result<LoanQuotePayoffPayload> {
        let asker = asker(ctx);
        let quote = QuotePayoff { id: QuoteId(input.id.0), loan: input.loan.0 };
        LoanQuotePayoffPayload::of(asker, services(ctx).lending.quote_payoff(&asker.call(), quote).await)
    }

    /// Pays the loan off at the quoted amount, or not at all.
    async fn loan_repay_early(
        &self,
        ctx: &Context<'_>,
        input: LoanRepayEarlyInput,
    ) -> Result<LoanRepayEarlyPayload> {
        let asker = asker(ctx);
        let repay = RepayEarly { id: RepaymentId(input.id.0), quote: input.quote.0 };
        LoanRepayEarlyPayload::of(asker, services(ctx).lending.repay_early(&asker.call(), repay).await)
    }
}
