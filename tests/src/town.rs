//! A town of people for stories and simulations: who they are, and what they do by the published methods.

use crate::world::World;
use anyhow::{Context, anyhow};
use chrono::Duration;
use custody_api::*;
use finance::{Currency, Money, Rate};
use investing_api::*;
use kernel::Clock;
use kernel::call::{Actor, Call, Role, Service};
use kernel::id::{
    ApplicationId, BidId, InstructionId, ListingId, LoanId, PartyId, PersonId, SessionId, derived,
};
use ledger_api::{AccountKind, BalancesOf, Ledger};
use lending_api::*;
use office_api::{DecideTask, Office};
use platform::Fault;
use platform::calendar;
use platform::db::WriteError;
use std::collections::BTreeSet;

/// How a user confirms a page of the custodian.
pub const CONFIRM: &str = "decision=confirm&password=correct-horse&bank_account=GB82WEST12345698765432";

/// A person with a name for the story, as the gateway would know them.
#[derive(Clone)]
pub struct Someone {
    pub party: PartyId,
    pub person: PersonId,
    pub roles: BTreeSet<Role>,
}

/// People and what they do, through the published methods.
pub struct Town<'a>(pub &'a World);

impl Town<'_> {
    pub fn someone(&self, roles: &[Role]) -> Someone {
        let party = PartyId(self.0.uuid());
        Someone { party, person: PersonId(party.0), roles: roles.iter().copied().collect() }
    }

    pub fn call(&self, who: &Someone) -> Call {
        let actor = Actor::Person {
            party: who.party,
            person: who.person,
            session: SessionId(self.0.uuid()),
            roles: who.roles.clone(),
        };
        Call { actor, ..self.0.call() }
    }

    pub async fn confirm(&self, url: Option<String>) -> anyhow::Result<()> {
        let (status, body) = self.0.at_custodian(&url.context("a page")?, CONFIRM).await?;
        anyhow::ensure!(status == 200, "{status}: {body}");
        self.0.settle().await
    }

    /// Opens the cash account, tops up, and allows what is usual.
    pub async fn with_account(
        &self,
        who: &Someone,
        amount: Money,
        scopes: &[ConsentScope],
    ) -> anyhow::Result<()> {
        let (custody, call) = (self.0.house.custody(Service::Gateway), self.call(who));
        let id = || InstructionId(self.0.uuid());
        let open = OpenCashAccount { id: id(), party: who.party, name: "Some One".into() };
        let view = custody.open_account(&call, open).await.map_err(|e| anyhow!("{e}"))?;
        self.confirm(view.redirect_url).await?;
        if amount.is_positive() {
            let view = custody
                .top_up(&call, TopUp { id: id(), party: who.party, amount })
                .await
                .map_err(|e| anyhow!("{e}"))?;
            self.confirm(view.redirect_url).await?;
        }
        if !scopes.is_empty() {
            let limit = Money::new(100_000_000, amount.currency());
            let expires_at = self.0.clock.now() + Duration::days(2_000);
            let grants = scopes
                .iter()
                .map(|scope| ConsentGrant { scope: *scope, per_order: limit, total: limit, expires_at })
                .collect();
            let view = custody
                .grant(&call, GrantConsent { id: id(), party: who.party, grants })
                .await
                .map_err(|e| anyhow!("{e}"))?;
            self.confirm(view.redirect_url).await?;
        }
        Ok(())
    }

    pub async fn top_up(&self, who: &Someone, amount: Money) -> anyhow::Result<()> {
        let top_up = TopUp { id: InstructionId(self.0.uuid()), party: who.party, amount };
        let view = self
            .0
            .house
            .custody(Service::Gateway)
            .top_up(&self.call(who), top_up)
            .await
            .map_err(|e| anyhow!("{e}"))?;
        self.confirm(view.redirect_url).await
    }

    /// Available money that is not set aside.
    pub async fn money(&self, who: PartyId) -> anyhow::Result<i64> {
        let ask = BalancesOf { owner: who.0, as_of: None };
        let balances = self
            .0
            .house
            .ledger(Service::Operator)
            .balances(&self.0.call(), ask)
            .await
            .map_err(|e| anyhow!("{e}"))?;
        let available = balances.iter().find(|b| b.key.kind == AccountKind::Available);
        Ok(available.map_or(0, |b| b.balance.minor() - b.reserved.minor()))
    }

    /// From the application to an open listing.
    pub async fn listing(
        &self,
        borrower: &Someone,
        staff: &Staff,
        amount: Money,
        months: u32,
        rate: Rate,
    ) -> anyhow::Result<ListingId> {
        let (lending, office) =
            (self.0.house.lending(Service::Gateway), self.0.house.office(Service::Gateway));
        let apply = Apply {
            id: ApplicationId(self.0.uuid()),
            amount,
            term_months: months,
            purpose: "A heat pump".into(),
            story: "It is cold.".into(),
            facts: Facts::default(),
        };
        lending.apply(&self.call(borrower), apply.clone()).await.map_err(|e| anyhow!("{e}"))?;
        let propose = ProposeRate { application: apply.id, rate };
        lending.propose_rate(&self.call(&staff.officer), propose).await.map_err(|e| anyhow!("{e}"))?;
        self.0.settle().await?;
        let task = derived::application_task(apply.id);
        for who in [&staff.officer, &staff.supervisor] {
            let word = DecideTask { task, approve: true, note: "sound".into() };
            office.decide(&self.call(who), word).await.map_err(|e| anyhow!("{e}"))?;
        }
        self.0.settle().await?;
        Ok(derived::application_listing(apply.id))
    }

    pub async fn bid(
        &self,
        who: &Someone,
        listing: ListingId,
        amount: Money,
    ) -> Result<BidView, Fault<InvestingError>> {
        let bid = PlaceBid { id: BidId(self.0.uuid()), listing, amount };
        self.0.house.investing(Service::Gateway).bid(&self.call(who), bid).await
    }

    /// Two people pay a filled listing out.
    pub async fn disburse(&self, listing: ListingId, staff: &Staff) -> anyhow::Result<LoanId> {
        let office = self.0.house.office(Service::Gateway);
        let task = derived::listing_disbursement_task(listing);
        for who in [&staff.operations, &staff.operations_too] {
            let word = DecideTask { task, approve: true, note: String::new() };
            office.decide(&self.call(who), word).await.map_err(|e| anyhow!("{e}"))?;
        }
        self.0.settle().await?;
        Ok(derived::listing_loan(listing))
    }

    pub async fn loan(&self, id: LoanId) -> anyhow::Result<LoanView> {
        let lending = self.0.house.lending(Service::Operator);
        lending.loan(&self.0.call(), LoanOf { loan: id }).await.map_err(|e| anyhow!("{e}"))
    }

    /// Moves the business date, the custodian's first, and does the day's work.
    pub async fn day(&self, date: chrono::NaiveDate) -> anyhow::Result<DayRun> {
        use futures::FutureExt;
        self.0.bank.advance(date).await?;
        let moved = self.0.house.db.write(move |tx| {
            async move {
                let today = calendar::today(tx).await?;
                calendar::advance(tx, today, date).await.map_err(WriteError::<()>::from)
            }
            .boxed()
        });
        moved.await.map_err(|e| anyhow!("{e:?}"))?;
        let run = self
            .0
            .house
            .lending(Service::Operator)
            .run_day(&self.0.call(), lending_api::RunDay { date })
            .await;
        let expire = self
            .0
            .house
            .investing(Service::Operator)
            .run_day(&self.0.call(), investing_api::RunDay { date })
            .await;
        expire.map_err(|e| anyhow!("{e}"))?;
        self.0.wait(2).await?;
        self.0.wait(10).await?;
        run.map_err(|e| anyhow!("{e}"))
    }

    pub async fn today(&self) -> anyhow::Result<chrono::NaiveDate> {
        Ok(calendar::today(self.0.house.db.read()).await?)
    }
}

/// Who decides.
pub struct Staff {
    pub officer: Someone,
    pub supervisor: Someone,
    pub operations: Someone,
    pub operations_too: Someone,
}

/// The four who decide.
pub fn staff(town: &Town<'_>) -> Staff {
    Staff {
        officer: town.someone(&[Role::CreditOfficer]),
        supervisor: town.someone(&[Role::CreditSupervisor]),
        operations: town.someone(&[Role::Operations]),
        operations_too: town.someone(&[Role::Operations]),
    }
}

/// A funded and disbursed loan of three investors.
pub async fn running(
    town: &Town<'_>,
    currency: Currency,
    unit: i64,
) -> anyhow::Result<(Someone, Vec<Someone>, LoanId)> {
    let money = |n: i64| Money::new(n * unit, currency);
    let staff = staff(town);
    let borrower = town.someone(&[Role::Borrower]);
    town.with_account(&borrower, money(0), &[ConsentScope::Repay, ConsentScope::Fee]).await?;
    let mut investors = Vec::new();
    for _ in 0..3 {
        let investor = town.someone(&[Role::Investor]);
        town.with_account(&investor, money(10_000), &[ConsentScope::Bid]).await?;
        investors.push(investor);
    }
    let listing = town.listing(&borrower, &staff, money(10_000), 12, Rate::from_ppm(120_000)).await?;
    for (investor, share) in investors.iter().zip([5_000, 3_333, 1_667]) {
        town.bid(investor, listing, money(share)).await.map_err(|e| anyhow!("{e}"))?;
    }
    town.0.settle().await?;
    let loan = town.disburse(listing, &staff).await?;
    Ok((borrower, investors, loan))
}
