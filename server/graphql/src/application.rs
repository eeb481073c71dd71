//! Products and applications.

use crate::context::{asker, loader, services};
use crate::document::{self, Document};
use crate::error::{LendingUserError, fault, unauthenticated};
use crate::id::Gid;
use crate::listing::Listing;
use crate::loan::loaded;
use crate::party::Party;
use crate::payload;
use crate::scalars::{DateTime, Decimal, Money, MoneyInput, Uuid};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use custody_api::{CashAccountOf, Custody};
use kernel::id::{ApplicationId, TaskId, derived};
use lending_api::*;

/// What is lent, on which terms.
#[derive(SimpleObject)]
pub struct Product {
    pub code: String,
    pub version: u32,
    pub amount_min: Money,
    pub amount_max: Money,
    pub months_min: u32,
    pub months_max: u32,
    /// Yearly, as a ratio.
    pub rate_min: Decimal,
    pub rate_max: Decimal,
    /// What the platform takes once, as a ratio of the amount.
    pub fee: Decimal,
    pub listing_days: u32,
}

impl From<lending_api::Product> for Product {
    fn from(p: lending_api::Product) -> Product {
        Product {
            code: p.code,
            version: p.version,
            amount_min: p.amount_min.into(),
            amount_max: p.amount_max.into(),
            months_min: p.months_min,
            months_max: p.months_max,
            rate_min: Decimal::of_rate(p.rate_min),
            rate_max: Decimal::of_rate(p.rate_max),
            fee: Decimal::of_rate(p.fee),
            listing_days: p.listing_days,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "lending_api::ApplicationStatus")]
pub enum ApplicationStatus {
    Submitted,
    InReview,
    Approved,
    Declined,
    Withdrawn,
}

/// A borrower's request for a loan.
pub struct Application(pub ApplicationView);

impl From<ApplicationView> for Application {
    fn from(a: ApplicationView) -> Application {
        Application(a)
    }
}

#[Object]
impl Application {
    pub async fn id(&self) -> Gid<ApplicationId> {
        Gid(self.0.id)
    }

    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    async fn term_months(&self) -> u32 {
        self.0.term_months
    }

    async fn purpose(&self) -> &str {
        &self.0.purpose
    }

    async fn story(&self) -> &str {
        &self.0.story
    }

    async fn annual_income(&self) -> Option<Money> {
        self.0.facts.annual_income.map(Money::from)
    }

    async fn monthly_obligations(&self) -> Option<Money> {
        self.0.facts.monthly_obligations.map(Money::from)
    }

    async fn employed_years(&self) -> Option<u32> {
        self.0.facts.employed_years
    }

    async fn status(&self) -> ApplicationStatus {
        self.0.status.into()
    }

    /// What the borrower added; for its owner and for who judges it.
    #[graphql(complexity = "30 + child_complexity")]
    async fn documents(&self, ctx: &Context<'_>) -> Result<Vec<Document>> {
        document::of(ctx, self.0.id).await
    }

    /// Whether the borrower has a cash account at the custodian; the loan is not offered before.
    #[graphql(complexity = "30")]
    async fn has_cash_account(&self, ctx: &Context<'_>) -> Result<bool> {
        let ask = CashAccountOf { party: self.0.borrower };
        let found = services(ctx).custody.cash_account(&asker(ctx).call(), ask).await;
        found.map(|account| account.is_some()).map_err(|e| fault(asker(ctx), e))
    }

    /// Yearly, as a ratio, once an officer has set it.
    async fn rate(&self) -> Option<Decimal> {
        self.0.rate.map(Decimal::of_rate)
    }

    /// The product as it was when asked.
    async fn product(&self) -> Product {
        self.0.product.clone().into()
    }

    async fn submitted_at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// When it was approved, declined or withdrawn.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(DateTime)
    }

    /// Who asks.
    async fn borrower(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        loaded(loader(ctx).load_one(self.0.borrower).await).map(|p| p.map(Party::from))
    }

    /// The task in which two of the staff decide it, once a rate is proposed.
    async fn decision_task_id(&self) -> Option<Gid<TaskId>> {
        let decided = self.0.rate.is_some();
        decided.then(|| Gid(derived::application_task(self.0.id)))
    }

    /// The listing it became.
    async fn listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        if self.0.status != lending_api::ApplicationStatus::Approved {
            return Ok(None);
        }
        let id = derived::application_listing(self.0.id);
        loaded(loader(ctx).load_one(id).await).map(|l| l.map(Listing))
    }
}

#[derive(InputObject)]
pub struct ApplicationSubmitInput {
    pub id: Uuid,
    pub amount: MoneyInput,
    pub term_months: u32,
    /// In a few words.
    pub purpose: String,
    #[graphql(default)]
    pub story: String,
    pub annual_income: Option<MoneyInput>,
    pub monthly_obligations: Option<MoneyInput>,
    pub employed_years: Option<u32>,
}

#[derive(InputObject)]
pub struct ApplicationWithdrawInput {
    pub application: Gid<ApplicationId>,
}

#[derive(InputObject)]
pub struct ApplicationProposeRateInput {
    pub application: Gid<ApplicationId>,
    /// Yearly, as a ratio: 12 % is "0.12".
    pub rate: Decimal,
}

payload! {
    ApplicationSubmitPayload { application: Application } or LendingUserError;
    ApplicationWithdrawPayload { application: Application } or LendingUserError;
    ApplicationProposeRatePayload { application: Application } or LendingUserError;
}

#[derive(Default)]
pub struct ApplicationMutation;

#[Object]
impl ApplicationMutation {
    async fn application_submit(
        &self,
        ctx: &Context<'_>,
        input: ApplicationSubmitInput,
    ) -> Result<ApplicationSubmitPayload> {
        let asker = asker(ctx);
        asker.party().ok_or_else(unauthenticated)?;
        let money = |m: &Option<MoneyInput>| m.as_ref().map(MoneyInput::money).transpose();
        let apply = Apply {
            id: ApplicationId(input.id.0),
            amount: input.amount.money()?,
            term_months: input.term_months,
            purpose: input.purpose,
            story: input.story,
            facts: Facts {
                annual_income: money(&input.annual_income)?,
                monthly_obligations: money(&input.monthly_obligations)?,
                employed_years: input.employed_years,
            },
        };
        ApplicationSubmitPayload::of(asker, services(ctx).lending.apply(&asker.call(), apply).await)
    }

    async fn application_withdraw(
        &self,
        ctx: &Context<'_>,
        input: ApplicationWithdrawInput,
    ) -> Result<ApplicationWithdrawPayload> {
        let asker = asker(ctx);
        let withdraw = ApplicationOf { application: input.application.0 };
        ApplicationWithdrawPayload::of(
            asker,
            services(ctx).lending.withdraw_application(&asker.call(), withdraw).await,
        )
    }

    /// An officer sets the rate within the product's band; a task for two people opens.
    async fn application_propose_rate(
        &self,
        ctx: &Context<'_>,
        input: ApplicationProposeRateInput,
    ) -> Result<ApplicationProposeRatePayload> {
        let asker = asker(ctx);
        let propose = ProposeRate { application: input.application.0, rate: input.rate.rate()? };
        ApplicationProposeRatePayload::of(
            asker,
            services(ctx).lending.propose_rate(&asker.call(), propose).await,
        )
    }
}
