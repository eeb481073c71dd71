//! What happens when two want the same at the same moment: one outcome of those that were stated beforehand, each time.
//!
//! Each race runs on SQLite, on PostgreSQL, and on PostgreSQL between two sets of services with nothing in common but the
//! database and the custodian, as two processes have. `COUNTERFOIL_TEST_RACES` says how often.

use anyhow::{anyhow, bail, ensure};
use counterfoil::modules::{House, Reach};
use custody_api::ConsentScope;
use finance::{Currency, Money, Rate};
use futures::FutureExt;
use futures::future::join_all;
use investing_api::*;
use kernel::call::{Role, Service};
use kernel::id::{ApplicationId, BidId, ListingId, LoanId, QuoteId, RepaymentId, derived};
use lending_api::*;
use office_api::{DecideTask, Office, OfficeError, TaskOf, TaskStatus};
use platform::Fault;
use platform::calendar;
use platform::db::WriteError;
use platform::page::Page;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tests::database::Kind;
use tests::town::{Someone, Staff, Town, staff};
use tests::world::World;

fn usd(units: i64) -> Money {
    Money::new(units * 100, Currency::USD)
}

/// A few for every change, more before a claim.
fn rounds() -> usize {
    let asked = std::env::var("COUNTERFOIL_TEST_RACES").ok().and_then(|n| n.parse().ok());
    let full = std::env::var("COUNTERFOIL_TEST_LENGTH").is_ok_and(|l| l == "full");
    asked.unwrap_or(if full { 20 } else { 3 })
}

/// How many processes there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Processes {
    One,
    Two,
}

/// People with money enough for many rounds, and the processes between which they race.
struct Arena<'a> {
    world: &'a World,
    town: Town<'a>,
    houses: Vec<Arc<House>>,
    staff: Staff,
    borrower: Someone,
    lenders: Vec<Someone>,
    outcomes: BTreeMap<String, u32>,
}

impl<'a> Arena<'a> {
    async fn new(world: &'a World, processes: Processes, lenders: usize) -> anyhow::Result<Arena<'a>> {
        let town = Town(world);
        let staff = staff(&town);
        let borrower = town.someone(&[Role::Borrower]);
        town.with_account(&borrower, usd(500_000), &[ConsentScope::Repay, ConsentScope::Fee]).await?;
        let mut all = Vec::new();
        for _ in 0..lenders {
            let lender = town.someone(&[Role::Investor]);
            town.with_account(&lender, usd(900_000), &[ConsentScope::Bid]).await?;
            all.push(lender);
        }
        let mut houses = vec![world.house.clone()];
        if processes == Processes::Two {
            houses.push(world.twin().await?);
        }
        Ok(Arena { world, town, houses, staff, borrower, lenders: all, outcomes: BTreeMap::new() })
    }

    /// The process that the `n`th contestant is sent to.
    fn house(&self, n: usize) -> &House {
        &self.houses[n % self.houses.len()]
    }

    /// All processes do what waits, side by side, until nothing does.
    async fn settle(&self) -> anyhow::Result<()> {
        for house in join_all(self.houses.iter().map(|h| h.settle())).await {
            house.map_err(|e| anyhow!("{e}"))?;
        }
        self.world.settle().await
    }

    async fn listing(&self, amount: i64) -> anyhow::Result<ListingId> {
        self.town.listing(&self.borrower, &self.staff, usd(amount), 12, Rate::from_ppm(120_000)).await
    }

    /// A bid by way of the `n`th process.
    async fn bid(
        &self,
        n: usize,
        who: &Someone,
        listing: ListingId,
        amount: Money,
    ) -> Result<BidView, Fault<InvestingError>> {
        let bid = PlaceBid { id: BidId(self.world.uuid()), listing, amount };
        self.house(n).investing(Service::Gateway).bid(&self.town.call(who), bid).await
    }

    async fn seen(&self, listing: ListingId) -> anyhow::Result<ListingView> {
        let investing = self.world.house.investing(Service::Gateway);
        investing.listing(&self.world.call(), ListingOf { listing }).await.map_err(|e| anyhow!("{e}"))
    }

    /// The sum of bids that stand.
    async fn standing(&self, listing: ListingId) -> anyhow::Result<i64> {
        let investing = self.world.house.investing(Service::Operator);
        let ask = BidsOf { investor: None, listing: Some(listing), page: Page::first(100) };
        let bids = investing.bids(&self.world.call(), ask).await.map_err(|e| anyhow!("{e}"))?;
        let stands =
            |b: &&BidView| matches!(b.status, BidStatus::Reserved | BidStatus::Frozen | BidStatus::Settled);
        Ok(bids.iter().filter(stands).map(|b| b.amount.minor()).sum())
    }

    /// Everything is given back, so that the next round begins as this one did.
    async fn cancel(&self, listing: ListingId) -> anyhow::Result<()> {
        let investing = self.world.house.investing(Service::Gateway);
        let call = self.town.call(&self.staff.operations);
        investing.cancel_listing(&call, CancelListing { listing }).await.map_err(|e| anyhow!("{e}"))?;
        self.settle().await
    }

    /// A loan of a lender, running since today.
    async fn loan(&self, lender: &Someone, amount: i64) -> anyhow::Result<LoanId> {
        let listing = self.listing(amount).await?;
        self.bid(0, lender, listing, usd(amount)).await.map_err(|e| anyhow!("{e}"))?;
        self.settle().await?;
        self.town.disburse(listing, &self.staff).await
    }

    /// How far one has come when the other arrives is different each time.
    async fn later(&self, round: usize) {
        let most = [4_000, 60_000, 400_000][round % 3];
        tokio::time::sleep(Duration::from_micros(self.world.entropy.below(most))).await;
    }

    fn count(&mut self, outcome: impl Into<String>) {
        *self.outcomes.entry(outcome.into()).or_default() += 1;
    }

    async fn end(self, what: &str) -> anyhow::Result<()> {
        eprintln!("{what}: {:?}", self.outcomes);
        self.world.assert_matched().await?;
        for house in self.houses.iter().skip(1) {
            house.stop().await;
        }
        Ok(())
    }
}

/// A hundred bids of a tenth each, at once: ten stand, and not a cent more is raised.
async fn bids_on_a_listing_that_fills(world: &World, processes: Processes) -> anyhow::Result<()> {
    let mut arena = Arena::new(world, processes, 10).await?;
    for _ in 0..rounds() {
        let listing = arena.listing(1_000).await?;
        let bids = (0..100).map(|n| arena.bid(n, &arena.lenders[n % 10], listing, usd(100)));
        let outcomes = join_all(bids).await;
        let taken = outcomes.iter().filter(|o| o.is_ok()).count();
        for refused in outcomes.iter().filter_map(|o| o.as_ref().err()) {
            let fair = matches!(
                refused,
                Fault::Refused(InvestingError::ExceedsRest { .. } | InvestingError::ListingNotOpen)
            );
            ensure!(fair, "a bid too many hears {refused:?}");
        }
        ensure!(taken == 10, "{taken} of a hundred bids were taken");
        arena.settle().await?;
        let seen = arena.seen(listing).await?;
        ensure!(seen.funded == usd(1_000) && seen.status == ListingStatus::Filled, "{seen:?}");
        ensure!(arena.standing(listing).await? == 1_000_00);
        arena.count("10 of 100, raised 1,000.00");
        arena.cancel(listing).await?;
    }
    arena.end("bids").await
}

/// The last hundred is bid for while a hundred is taken back: either there was no room yet, or the listing fills and
/// nothing can be taken back any more, or what was taken back is sought again.
async fn a_bid_and_a_withdrawal(world: &World, processes: Processes) -> anyhow::Result<()> {
    let mut arena = Arena::new(world, processes, 3).await?;
    for round in 0..rounds() {
        let listing = arena.listing(1_000).await?;
        let (ann, bob, cat) = (&arena.lenders[0], &arena.lenders[1], &arena.lenders[2]);
        let own = arena.bid(0, ann, listing, usd(100)).await.map_err(|e| anyhow!("{e}"))?;
        arena.bid(1, bob, listing, usd(800)).await.map_err(|e| anyhow!("{e}"))?;
        arena.settle().await?;
        let call = arena.town.call(ann);
        let other = arena.house(1).investing(Service::Gateway);
        let come = async {
            let bid = arena.bid(0, cat, listing, usd(100)).await;
            arena.house(0).settle().await.map_err(|e| anyhow!("{e}"))?;
            anyhow::Ok(bid)
        };
        let back = async {
            arena.later(round).await;
            other.withdraw_bid(&call, WithdrawBid { bid: own.id }).await
        };
        let (bid, back) = tokio::join!(come, back);
        let bid = bid?;
        arena.settle().await?;
        let seen = arena.seen(listing).await?;
        ensure!(seen.funded.minor() == arena.standing(listing).await?, "{seen:?}");
        let outcome = match (&bid, &back, seen.status) {
            (Ok(_), Ok(_), ListingStatus::Open) if seen.funded == usd(900) => "one came, one was taken back",
            (Ok(_), Err(Fault::Refused(_)), ListingStatus::Filled) if seen.funded == usd(1_000) => {
                "filled, nothing taken back"
            }
            _ => bail!("{bid:?}, {back:?}, {seen:?}"),
        };
        arena.count(outcome);
        arena.cancel(listing).await?;
    }
    arena.end("a bid and a withdrawal").await
}

/// The second word on a payout while the listing is cancelled: a loan that runs, or everybody's money back; never both.
async fn a_payout_and_a_cancellation(world: &World, processes: Processes) -> anyhow::Result<()> {
    let mut arena = Arena::new(world, processes, 1).await?;
    for round in 0..rounds() {
        let before = arena.town.money(arena.lenders[0].party).await?;
        let listing = arena.listing(1_000).await?;
        arena.bid(0, &arena.lenders[0], listing, usd(1_000)).await.map_err(|e| anyhow!("{e}"))?;
        arena.settle().await?;
        let (office, investing) =
            (arena.house(0).office(Service::Gateway), arena.house(1).investing(Service::Gateway));
        let task = derived::listing_disbursement_task(listing);
        let word = DecideTask { task, approve: true, note: String::new() };
        let first = arena.town.call(&arena.staff.operations);
        office.decide(&first, word.clone()).await.map_err(|e| anyhow!("{e}"))?;
        let second = arena.town.call(&arena.staff.operations_too);
        let cancel = async {
            arena.later(round).await;
            investing.cancel_listing(&first, CancelListing { listing }).await
        };
        let pay = async {
            let said = office.decide(&second, word).await;
            arena.house(0).settle().await.map_err(|e| anyhow!("{e}"))?;
            anyhow::Ok(said)
        };
        let (approved, cancelled) = tokio::join!(pay, cancel);
        approved?.map_err(|e| anyhow!("{e}"))?;
        arena.settle().await?;
        let seen = arena.seen(listing).await?;
        let loan = arena.town.loan(derived::listing_loan(listing)).await.map(|l| l.status);
        let moved = before - arena.town.money(arena.lenders[0].party).await?;
        let outcome = match (seen.status, &loan, &cancelled) {
            (ListingStatus::Disbursed, Ok(LoanStatus::Active), Err(Fault::Refused(_)))
                if moved == 1_000_00 =>
            {
                "paid out, too late to cancel"
            }
            (ListingStatus::Cancelled, Err(_), Ok(_)) if moved == 0 => "cancelled, everything given back",
            _ => bail!("{seen:?}, cancelled {cancelled:?}, a loan {loan:?}, {moved} moved"),
        };
        arena.count(outcome);
    }
    arena.end("a payout and a cancellation").await
}

/// The same bid fifty times at once: one bid, one sum set aside, fifty equal answers.
async fn the_same_command_fifty_times(world: &World, processes: Processes) -> anyhow::Result<()> {
    let mut arena = Arena::new(world, processes, 1).await?;
    for _ in 0..rounds() {
        let listing = arena.listing(10_000).await?;
        let before = arena.town.money(arena.lenders[0].party).await?;
        let wish = PlaceBid { id: BidId(world.uuid()), listing, amount: usd(150) };
        let send = async |n: usize| {
            let call = arena.town.call(&arena.lenders[0]);
            arena.house(n).investing(Service::Gateway).bid(&call, wish.clone()).await
        };
        for answer in join_all((0..50).map(send)).await {
            ensure!(answer.map_err(|e| anyhow!("{e}"))?.id == wish.id);
        }
        arena.settle().await?;
        ensure!(arena.standing(listing).await? == 150_00);
        ensure!(arena.town.money(arena.lenders[0].party).await? == before - 150_00);
        arena.count("one bid");
        arena.cancel(listing).await?;
    }
    arena.end("the same command").await
}

/// One person with two accounts and two sessions, then two who may be the second, all at once: two words, of two people.
async fn approvers_at_once(world: &World, processes: Processes) -> anyhow::Result<()> {
    let mut arena = Arena::new(world, processes, 0).await?;
    let alias = Someone { person: arena.staff.officer.person, ..arena.town.someone(&[Role::CreditOfficer]) };
    let third = arena.town.someone(&[Role::CreditSupervisor]);
    for _ in 0..rounds() {
        let lending = world.house.lending(Service::Gateway);
        let apply = Apply {
            id: ApplicationId(world.uuid()),
            amount: usd(1_000),
            term_months: 12,
            purpose: "A heat pump".into(),
            story: String::new(),
            facts: Facts::default(),
        };
        lending.apply(&arena.town.call(&arena.borrower), apply.clone()).await.map_err(|e| anyhow!("{e}"))?;
        let propose = ProposeRate { application: apply.id, rate: Rate::from_ppm(120_000) };
        let officer = arena.town.call(&arena.staff.officer);
        lending.propose_rate(&officer, propose).await.map_err(|e| anyhow!("{e}"))?;
        arena.settle().await?;
        let task = derived::application_task(apply.id);
        let say = async |n: usize, who: &Someone, note: &str| {
            let word = DecideTask { task, approve: true, note: note.into() };
            arena.house(n).office(Service::Gateway).decide(&arena.town.call(who), word).await
        };
        let own = tokio::join!(
            say(0, &arena.staff.officer, "one"),
            say(1, &alias, "two"),
            say(1, &arena.staff.officer, "three")
        );
        let own = [own.0, own.1, own.2];
        let said = own.iter().filter(|o| o.is_ok()).count();
        let refused =
            own.iter().filter(|o| matches!(o, Err(Fault::Refused(OfficeError::AlreadyDecided)))).count();
        ensure!((said, refused) == (1, 2), "one person said {said} words: {own:?}");
        let (a, b) = tokio::join!(say(0, &arena.staff.supervisor, "a"), say(1, &third, "b"));
        ensure!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let office = world.house.office(Service::Gateway);
        let seen = office.task(&officer, TaskOf { task }).await.map_err(|e| anyhow!("{e}"))?;
        ensure!(seen.status == TaskStatus::Approved && seen.approvals.len() == 2, "{seen:?}");
        arena.settle().await?;
        let listing = derived::application_listing(apply.id);
        ensure!(arena.seen(listing).await?.status == ListingStatus::Open);
        arena.count("two words of two people");
        arena.cancel(listing).await?;
    }
    arena.end("approvers").await
}

/// On its due date a loan is paid off by its borrower while the day's run takes the instalment: one of the two, to the
/// cent, and never both.
async fn a_payoff_and_the_run_of_the_due_date(world: &World, processes: Processes) -> anyhow::Result<()> {
    let mut arena = Arena::new(world, processes, 1).await?;
    let lender = arena.lenders[0].clone();
    let mut loans = Vec::new();
    for _ in 0..rounds() {
        loans.push(arena.loan(&lender, 1_000).await?);
    }
    let me = arena.town.call(&arena.borrower);
    let lending = world.house.lending(Service::Gateway);
    let schedule = lending.schedule(&me, LoanOf { loan: loans[0] }).await.map_err(|e| anyhow!("{e}"))?;
    let due = schedule[0].due;
    let instalment = schedule[0].interest.plus(schedule[0].principal)?;
    world.bank.advance(due).await?;
    let moved = world.house.db.write(move |tx| {
        async move {
            let today = calendar::today(tx).await?;
            calendar::advance(tx, today, due).await.map_err(WriteError::<()>::from)
        }
        .boxed()
    });
    moved.await.map_err(|e| anyhow!("{e:?}"))?;
    let before = arena.town.money(arena.borrower.party).await?;
    let mut quotes = Vec::new();
    for loan in &loans {
        let quote = QuotePayoff { id: QuoteId(world.uuid()), loan: *loan };
        quotes.push(lending.quote_payoff(&me, quote).await.map_err(|e| anyhow!("{e}"))?);
    }
    let pay_off = async |n: usize, quote: QuoteId| {
        // From the last to the first, so that the two meet in the middle.
        let early = RepayEarly { id: RepaymentId(world.uuid()), quote };
        arena.house(n).lending(Service::Gateway).repay_early(&me, early).await
    };
    let by_hand = async {
        let mut all = Vec::new();
        for (n, quote) in quotes.iter().enumerate().rev() {
            all.push(pay_off(n, quote.id).await);
        }
        all.reverse();
        all
    };
    let operator = world.call();
    let run = arena.house(1).lending(Service::Operator);
    let (begun, ran) = tokio::join!(by_hand, run.run_day(&operator, lending_api::RunDay { date: due }));
    ran.map_err(|e| anyhow!("{e}"))?;
    for seconds in [2, 10] {
        arena.settle().await?;
        world.clock.advance(chrono::Duration::seconds(seconds));
    }
    arena.settle().await?;
    let mut paid = 0;
    for ((loan, quote), begun) in loans.iter().zip(&quotes).zip(begun) {
        if begun.is_ok() {
            // It is confirmed on the custodian's page, as ever.
            let all = lending.repayments(&me, LoanOf { loan: *loan }).await.map_err(|e| anyhow!("{e}"))?;
            let url = all.iter().find_map(|r| r.redirect_url.clone());
            if let Some(url) = url {
                world.at_custodian(&url, "decision=confirm&password=correct-horse").await?;
                arena.settle().await?;
            }
        }
        let view = arena.town.loan(*loan).await?;
        let all = lending.repayments(&me, LoanOf { loan: *loan }).await.map_err(|e| anyhow!("{e}"))?;
        let settled: Vec<_> = all.iter().filter(|r| r.status == RepaymentStatus::Settled).collect();
        ensure!(settled.len() == 1, "{all:?}");
        let total = settled[0].total;
        paid += total.minor();
        let outcome = match (&begun, view.status) {
            (Ok(_), LoanStatus::Closed) if total == quote.total => "paid off, nothing taken beside",
            (
                Err(Fault::Refused(LendingError::LoanBusy | LendingError::QuoteChanged)),
                LoanStatus::Active,
            ) if total == instalment => "the instalment, and the payoff refused",
            _ => bail!("{begun:?}, {view:?}, {settled:?}"),
        };
        arena.count(outcome);
    }
    ensure!(arena.town.money(arena.borrower.party).await? == before - paid, "another sum than {paid} went");
    arena.end("a payoff and the run of the due date").await
}

macro_rules! race {
    ($name:ident) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() -> anyhow::Result<()> {
                let race = |world| async move { super::$name(&world, Processes::One).await };
                tests::world::tell(Kind::Sqlite, Reach::Direct, race).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() -> anyhow::Result<()> {
                let race = |world| async move { super::$name(&world, Processes::One).await };
                tests::world::tell(Kind::Postgres, Reach::Direct, race).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_two_processes() -> anyhow::Result<()> {
                let race = |world| async move { super::$name(&world, Processes::Two).await };
                tests::world::tell(Kind::Postgres, Reach::Direct, race).await
            }
        }
    };
}

race!(bids_on_a_listing_that_fills);
race!(a_bid_and_a_withdrawal);
race!(a_payout_and_a_cancellation);
race!(the_same_command_fifty_times);
race!(approvers_at_once);
race!(a_payoff_and_the_run_of_the_due_date);
