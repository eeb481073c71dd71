//! Who lives in a simulation and what they do: most behave, some leave or refuse, one would rather steal.

use anyhow::{anyhow, bail, ensure};
use custody_api::*;
use finance::{Currency, Money, Rate};
use investing_api::*;
use kernel::call::{Role, Service};
use kernel::id::{ApplicationId, BidId, InstructionId, QuoteId, RepaymentId, derived};
use lending_api::*;
use office_api::{DecideTask, Office, QueueOf, TaskKind};
use platform::Fault;
use platform::page::Page;
use std::collections::BTreeMap;
use tests::town::{CONFIRM, Someone, Staff, Town, staff};
use tests::world::World;

pub struct Sim {
    pub world: World,
    pub investors: Vec<Someone>,
    pub borrowers: Vec<Someone>,
    pub staff: Staff,
    pub thief: Someone,
    /// What was asked for, and not yet decided.
    pub asked: Vec<ApplicationId>,
    pub done: BTreeMap<String, u64>,
    seed: u64,
    drawn: u64,
}

pub fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// A refusal is an answer; nothing else is.
fn refused<T, E: kernel::Coded>(answer: Result<T, Fault<E>>) -> anyhow::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Fault::Refused(_)) => Ok(None),
        Err(e) => bail!("{e}"),
    }
}

impl Sim {
    pub async fn begin(world: World, seed: u64) -> anyhow::Result<Sim> {
        let town = Town(&world);
        let (mut investors, mut borrowers) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let who = town.someone(&[Role::Investor]);
            town.with_account(&who, usd(20_000_00), &[ConsentScope::Bid]).await?;
            investors.push(who);
        }
        // One is asked each time.
        let careful = town.someone(&[Role::Investor]);
        town.with_account(&careful, usd(20_000_00), &[]).await?;
        investors.push(careful);
        for _ in 0..3 {
            let who = town.someone(&[Role::Borrower]);
            town.with_account(&who, usd(100_00), &[ConsentScope::Repay, ConsentScope::Fee]).await?;
            borrowers.push(who);
        }
        let (staff, thief) = (staff(&town), town.someone(&[Role::Investor, Role::Borrower]));
        town.with_account(&thief, usd(50_00), &[ConsentScope::Bid]).await?;
        crate::day::weather(&world.bank, seed);
        let (asked, done) = (Vec::new(), BTreeMap::new());
        let mut sim = Sim { world, investors, borrowers, staff, thief, asked, done, seed, drawn: 0 };
        // A life begins with loans on the market: what follows from them has the time to happen.
        for _ in 0..3 {
            sim.apply().await?;
            sim.decide().await?;
        }
        Ok(sim)
    }

    /// A number below `bound` from the seed alone: what the platform draws for itself does not shift what people do.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        // SplitMix64 (Steele, Lea, Flood 2014).
        let mut z = self.seed.wrapping_add(self.drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }

    pub fn pick(&mut self, of: usize) -> usize {
        usize::try_from(self.below(u64::try_from(of).unwrap_or(1))).unwrap_or(0)
    }

    pub fn count(&mut self, what: &str) {
        *self.done.entry(what.into()).or_default() += 1;
    }

    /// At the custodian's page: confirmed mostly, refused or left now and then.
    pub async fn answer(&mut self, url: Option<String>) -> anyhow::Result<()> {
        let Some(url) = url else { return Ok(()) };
        match self.below(10) {
            0 => {
                self.count("page left");
                return Ok(());
            }
            1 => self.world.at_custodian(&url, "decision=refuse").await?,
            _ => self.world.at_custodian(&url, CONFIRM).await?,
        };
        Ok(())
    }

    /// One thing that somebody does.
    pub async fn act(&mut self) -> anyhow::Result<()> {
        match self.below(17) {
            0 => self.apply().await,
            1 => self.decide().await,
            2..=5 => self.bid().await,
            6 => self.take_back().await,
            7 => self.top_up().await,
            8 => self.withdraw().await,
            9..=10 => self.pay_out().await,
            11..=13 => self.repay().await,
            14 => self.pay_off().await,
            15 => self.steal().await,
            _ => self.stumble().await,
        }
    }

    async fn apply(&mut self) -> anyhow::Result<()> {
        let (n, amount, months) = (self.pick(3), 500_00 + 100_00 * self.below(20), 3 + self.below(10));
        let who = self.borrowers[n].clone();
        let apply = Apply {
            id: ApplicationId(self.world.uuid()),
            amount: usd(i64::try_from(amount)?),
            term_months: u32::try_from(months)?,
            purpose: "A heat pump".into(),
            story: String::new(),
            facts: Facts::default(),
        };
        let id = apply.id;
        let call = Town(&self.world).call(&who);
        if refused(self.world.house.lending(Service::Gateway).apply(&call, apply).await)?.is_some() {
            self.asked.push(id);
            self.count("applied");
        }
        Ok(())
    }

    async fn decide(&mut self) -> anyhow::Result<()> {
        if self.asked.is_empty() {
            return Ok(());
        }
        let at = self.pick(self.asked.len());
        let application = self.asked.remove(at);
        let (ppm, declines) = (60_000 + 10_000 * self.below(9), self.below(6) == 0);
        let town = Town(&self.world);
        let propose = ProposeRate { application, rate: Rate::from_ppm(u32::try_from(ppm)?) };
        let lending = self.world.house.lending(Service::Gateway);
        if refused(lending.propose_rate(&town.call(&self.staff.officer), propose).await)?.is_none() {
            return Ok(());
        }
        self.world.settle().await?;
        let office = self.world.house.office(Service::Gateway);
        let task = derived::application_task(application);
        for who in [&self.staff.officer, &self.staff.supervisor] {
            let word = DecideTask { task, approve: !declines, note: "sound".into() };
            refused(office.decide(&town.call(who), word).await)?;
        }
        self.count(if declines { "declined" } else { "approved" });
        Ok(())
    }

    async fn listings(&self, status: ListingStatus) -> anyhow::Result<Vec<ListingView>> {
        let ask = ListingsOf { status: Some(status), ..ListingsOf::all(Page::first(100)) };
        let found = self.world.house.investing(Service::Operator).listings(&self.world.call(), ask).await;
        found.map_err(|e| anyhow!("{e}"))
    }

    async fn bid(&mut self) -> anyhow::Result<()> {
        let open = self.listings(ListingStatus::Open).await?;
        if open.is_empty() {
            return self.apply().await;
        }
        let (l, n, part) = (self.pick(open.len()), self.pick(5), self.below(4));
        let listing = &open[l];
        let rest = listing.amount.minor() - listing.funded.minor();
        // All that is left, more than that, or a part.
        let amount = match part {
            0 => rest,
            1 => rest + 1,
            _ => (rest / 2).max(50_00),
        };
        let who = self.investors[n].clone();
        let call = Town(&self.world).call(&who);
        let place = PlaceBid { id: BidId(self.world.uuid()), listing: listing.id, amount: usd(amount) };
        let placed = self.world.house.investing(Service::Gateway).bid(&call, place.clone()).await;
        if let Some(bid) = refused(placed)? {
            self.count("bid");
            // Now and then the same command arrives once more, word by word.
            if self.below(4) == 0 {
                let again = self.world.house.investing(Service::Gateway).bid(&call, place).await;
                ensure!(again.is_ok_and(|b| b.id == bid.id), "the same bid again is another one");
            }
            self.answer(bid.redirect_url).await?;
        }
        Ok(())
    }

    async fn take_back(&mut self) -> anyhow::Result<()> {
        let n = self.pick(5);
        let who = self.investors[n].clone();
        let call = Town(&self.world).call(&who);
        let investing = self.world.house.investing(Service::Gateway);
        let ask = BidsOf { investor: Some(who.party), listing: None, page: Page::first(20) };
        let bids = investing.bids(&call, ask).await.map_err(|e| anyhow!("{e}"))?;
        let frozen = bids.iter().find(|b| b.status == BidStatus::Frozen).map(|b| b.id);
        if let Some(bid) = frozen
            && refused(investing.withdraw_bid(&call, WithdrawBid { bid }).await)?.is_some()
        {
            self.count("bid taken back");
        }
        Ok(())
    }

    async fn top_up(&mut self) -> anyhow::Result<()> {
        let (borrows, n, minor) = (self.below(2) == 0, self.pick(3), 1 + self.below(90_000));
        let who = if borrows { self.borrowers[n].clone() } else { self.investors[n].clone() };
        let top_up = TopUp {
            id: InstructionId(self.world.uuid()),
            party: who.party,
            amount: usd(i64::try_from(minor)?),
        };
        let call = Town(&self.world).call(&who);
        let order = refused(self.world.house.custody(Service::Gateway).top_up(&call, top_up).await)?;
        self.count("top-up");
        self.answer(order.and_then(|o| o.redirect_url)).await
    }

    async fn withdraw(&mut self) -> anyhow::Result<()> {
        let (n, minor) = (self.pick(5), 1 + self.below(100_000));
        let who = self.investors[n].clone();
        let withdraw = Withdraw {
            id: InstructionId(self.world.uuid()),
            party: who.party,
            amount: usd(i64::try_from(minor)?),
        };
        let call = Town(&self.world).call(&who);
        let order = refused(self.world.house.custody(Service::Gateway).withdraw(&call, withdraw).await)?;
        self.count("withdrawal");
        self.answer(order.and_then(|o| o.redirect_url)).await
    }

    /// Two of operations pay out what is filled; or one cancels it.
    async fn pay_out(&mut self) -> anyhow::Result<()> {
        let filled = self.listings(ListingStatus::Filled).await?;
        let Some(listing) = filled.first() else { return Ok(()) };
        let cancels = self.below(8) == 0;
        let town = Town(&self.world);
        if cancels {
            let call = town.call(&self.staff.operations);
            let cancel = CancelListing { listing: listing.id };
            if refused(self.world.house.investing(Service::Gateway).cancel_listing(&call, cancel).await)?
                .is_some()
            {
                self.count("listing cancelled");
            }
            return Ok(());
        }
        let office = self.world.house.office(Service::Gateway);
        let task = derived::listing_disbursement_task(listing.id);
        for who in [&self.staff.operations, &self.staff.operations_too] {
            let word = DecideTask { task, approve: true, note: String::new() };
            refused(office.decide(&town.call(who), word).await)?;
        }
        self.count("paid out");
        Ok(())
    }

    async fn loan_of(&mut self) -> anyhow::Result<Option<(Someone, LoanView)>> {
        let n = self.pick(3);
        let who = self.borrowers[n].clone();
        let ask = LoansOf { ids: Vec::new(), borrower: Some(who.party), status: None, page: Page::first(50) };
        let lending = self.world.house.lending(Service::Gateway);
        let loans = lending.loans(&Town(&self.world).call(&who), ask).await.map_err(|e| anyhow!("{e}"))?;
        let running =
            loans.into_iter().find(|l| matches!(l.status, LoanStatus::Active | LoanStatus::Overdue));
        Ok(running.map(|loan| (who, loan)))
    }

    async fn repay(&mut self) -> anyhow::Result<()> {
        let Some((who, loan)) = self.loan_of().await? else { return Ok(()) };
        let repay = RepayDue { id: RepaymentId(self.world.uuid()), loan: loan.id };
        let call = Town(&self.world).call(&who);
        if refused(self.world.house.lending(Service::Gateway).repay(&call, repay).await)?.is_some() {
            self.count("repaid by hand");
        }
        Ok(())
    }

    async fn pay_off(&mut self) -> anyhow::Result<()> {
        let Some((who, loan)) = self.loan_of().await? else { return Ok(()) };
        let call = Town(&self.world).call(&who);
        let lending = self.world.house.lending(Service::Gateway);
        let ask = QuotePayoff { id: QuoteId(self.world.uuid()), loan: loan.id };
        let Some(quote) = refused(lending.quote_payoff(&call, ask).await)? else { return Ok(()) };
        let repay = RepayEarly { id: RepaymentId(self.world.uuid()), quote: quote.id };
        let id = repay.id;
        if refused(lending.repay_early(&call, repay).await)?.is_none() {
            return Ok(());
        }
        self.count("payoff begun");
        self.world.settle().await?;
        let freeze = InstructionOf { id: derived::repayment_freeze(id), newest: false };
        let order = self.world.house.custody(Service::Gateway).instruction(&call, freeze).await;
        let url = refused(order)?.and_then(|o| o.redirect_url);
        self.answer(url).await
    }

    /// What must not be possible is tried each time anew; each must be refused.
    async fn steal(&mut self) -> anyhow::Result<()> {
        let n = self.pick(5);
        let victim = self.investors[n].clone();
        let way = self.below(6);
        let town = Town(&self.world);
        let call = town.call(&self.thief);
        let house = &self.world.house;
        let succeeded = match way {
            0 => {
                let withdraw =
                    Withdraw { id: InstructionId(self.world.uuid()), party: victim.party, amount: usd(1) };
                house.custody(Service::Gateway).withdraw(&call, withdraw).await.is_ok()
            }
            1 => {
                let grants = Vec::new();
                let grant =
                    GrantConsent { id: InstructionId(self.world.uuid()), party: victim.party, grants };
                house.custody(Service::Gateway).grant(&call, grant).await.is_ok()
            }
            2 => {
                // More than there is.
                let open = self.listings(ListingStatus::Open).await?;
                let Some(listing) = open.first() else { return Ok(()) };
                let place = PlaceBid {
                    id: BidId(self.world.uuid()),
                    listing: listing.id,
                    amount: usd(listing.amount.minor()),
                };
                listing.amount.minor() > 50_00
                    && house.investing(Service::Gateway).bid(&call, place).await.is_ok()
            }
            3 => {
                // A word on a task that is not theirs to decide.
                let queue = QueueOf { ids: Vec::new(), kind: None, all: false, page: Page::first(10) };
                let staff = town.call(&self.staff.operations);
                let open =
                    house.office(Service::Gateway).queue(&staff, queue).await.map_err(|e| anyhow!("{e}"))?;
                let Some(task) = open.first() else { return Ok(()) };
                let word = DecideTask { task: task.id, approve: true, note: String::new() };
                house.office(Service::Gateway).decide(&call, word).await.is_ok()
            }
            4 => {
                // One member of staff with two words.
                let filled = self.listings(ListingStatus::Filled).await?;
                let Some(listing) = filled.first() else { return Ok(()) };
                let task = derived::listing_disbursement_task(listing.id);
                let office = house.office(Service::Gateway);
                let word = |note: &str| DecideTask { task, approve: true, note: note.into() };
                let first = office.decide(&town.call(&self.staff.operations), word("one")).await;
                // Refused where somebody has had their word before.
                let second =
                    office.decide(&town.call(&self.staff.operations), word("and the same again")).await;
                first.is_ok() && second.is_ok()
            }
            _ => {
                // Asking custody for a payment as if one were a service.
                let line = DisburseLine {
                    line: kernel::id::LineId(self.world.uuid()),
                    freeze: InstructionId(self.world.uuid()),
                    amount: usd(1),
                };
                let disburse = Disburse {
                    id: InstructionId(self.world.uuid()),
                    project: self.world.uuid(),
                    borrower: self.thief.party,
                    lines: vec![line],
                };
                house.custody(Service::Gateway).disburse(&call, disburse).await.is_ok()
            }
        };
        ensure!(!succeeded, "theft of kind {way} succeeded");
        self.count("theft refused");
        Ok(())
    }

    /// The process ends and begins again, or one service is away for a while.
    async fn stumble(&mut self) -> anyhow::Result<()> {
        match self.below(3) {
            0 => {
                self.world.restart().await?;
                self.count("restart");
            }
            1 => {
                let all = [Service::Lending, Service::Investing, Service::Custody, Service::Notification];
                let service = all[self.pick(4)];
                self.world.house.stop_service(service).await;
                self.world.clock.advance(chrono::Duration::seconds(30));
                // The others go on as far as they get.
                self.world.house.settle().await.ok();
                self.world.house.start_service(service);
                self.count("service away");
            }
            _ => {}
        }
        Ok(())
    }

    /// Two people settle every break. Answers whether there was one.
    pub async fn settle_breaks(&mut self) -> anyhow::Result<bool> {
        let mut any = false;
        for _ in 0..10 {
            let town = Town(&self.world);
            let office = self.world.house.office(Service::Gateway);
            let queue =
                QueueOf { ids: Vec::new(), kind: Some(TaskKind::Break), all: false, page: Page::first(100) };
            let open =
                office.queue(&town.call(&self.staff.operations), queue).await.map_err(|e| anyhow!("{e}"))?;
            if open.is_empty() {
                break;
            }
            any = true;
            let settled = open.len();
            for task in open {
                for who in [&self.staff.operations, &self.staff.operations_too] {
                    let word =
                        DecideTask { task: task.id, approve: true, note: "the bank confirms it".into() };
                    refused(office.decide(&town.call(who), word).await)?;
                }
            }
            for _ in 0..settled {
                self.count("break settled");
            }
            self.world.settle().await?;
        }
        Ok(any)
    }
}
