//! One loan's whole life, and what can go otherwise.

use anyhow::{Context, anyhow};
use chrono::{Duration, Months};
use custodian::fault::{Fault as Misbehaviour, Planned};
use custody_api::*;
use finance::{Currency, Money, Rate};
use investing_api::*;
use kernel::Clock;
use kernel::call::{Role, Service};
use kernel::id::{ApplicationId, BidId, InstructionId, LoanId, QuoteId, RepaymentId, derived};
use lending_api::*;
use notification_api::{NoticeKind, NoticesOf, Notification};
use office_api::{ClaimTask, DecideTask, Office, OfficeError, QueueOf, TaskKind, TaskStatus};
use platform::Fault;
use platform::db::Sql;
use platform::page::Page;
use platform::reader::{ParkedOf, Unpark};
use std::collections::BTreeMap;
use tests::story;
use tests::town::{Someone, Town, running, staff};
use tests::world::World;

/// What somebody has been told: how often, and the sum of the amounts.
async fn told(town: &Town<'_>, who: &Someone) -> anyhow::Result<BTreeMap<&'static str, (i64, i64)>> {
    let ask = NoticesOf { page: Page::first(101) };
    let found = town.0.house.notification(Service::Gateway).notices(&town.call(who), ask).await;
    let mut told: BTreeMap<&'static str, (i64, i64)> = BTreeMap::new();
    for notice in found.map_err(|e| anyhow!("{e}"))? {
        let sums = told.entry(notice.kind.code()).or_default();
        *sums = (sums.0 + 1, sums.1 + notice.amount.map_or(0, Money::minor));
    }
    Ok(told)
}

/// From application to the last instalment, paid month by month by standing consent.
async fn whole_life(world: &World, currency: Currency, unit: i64) -> anyhow::Result<()> {
    let town = Town(world);
    let (borrower, investors, loan) = running(&town, currency, unit).await?;
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.outstanding.minor()), (LoanStatus::Active, 10_000 * unit));
    assert_eq!(town.money(borrower.party).await?, 9_900 * unit, "less the fee of one per cent");
    world.assert_matched().await?;

    let lending = world.house.lending(Service::Operator);
    let schedule = lending.schedule(&world.call(), LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    let owed: i64 = schedule.iter().map(|i| i.interest.minor() + i.principal.minor()).sum();
    let interest: i64 = schedule.iter().map(|i| i.interest.minor()).sum();
    town.top_up(&borrower, Money::new(owed - 9_900 * unit, currency)).await?;
    for instalment in &schedule {
        let run = town.day(instalment.due).await?;
        assert_eq!(
            run,
            DayRun { repayments_begun: 1, became_overdue: 0 },
            "instalment {}",
            instalment.number
        );
    }
    let view = town.loan(loan).await?;
    assert_eq!(
        (view.status, view.outstanding.minor(), view.closed_on),
        (LoanStatus::Closed, 0, Some(schedule[11].due))
    );
    assert_eq!(town.money(borrower.party).await?, 0, "paid to the last minor unit");
    let mut received = 0;
    for (investor, share) in investors.iter().zip([5_000, 3_333, 1_667]) {
        let gained = town.money(investor.party).await? - 10_000 * unit;
        // To the minor unit by share: none is off by one or more.
        let exact = interest * share;
        assert!((gained * 10_000 - exact).abs() < 10_000, "{share}: {gained} against {exact}/10000");
        received += gained;
        let told = told(&town, investor).await?;
        assert_eq!(told[&NoticeKind::BidLent.code()], (1, share * unit));
        let (payments, sum) = told[&NoticeKind::PaymentReceived.code()];
        assert_eq!((payments, sum), (12, share * unit + gained), "told to the minor unit");
    }
    let told = told(&town, &borrower).await?;
    let counts: Vec<(&str, i64)> = told.iter().map(|(kind, (count, _))| (*kind, *count)).collect();
    assert_eq!(
        counts,
        [
            ("APPLICATION_APPROVED", 1),
            ("LISTING_FILLED", 1),
            ("LOAN_CLOSED", 1),
            ("LOAN_PAID_OUT", 1),
            ("REPAYMENT_TAKEN", 12),
            ("TOP_UP_ARRIVED", 1),
        ]
    );
    assert_eq!(told["REPAYMENT_TAKEN"].1, owed);
    assert_eq!(received, interest, "what the borrower paid the investors received");
    world.assert_matched().await
}

story!(a_loans_whole_life_in_dollars, |world| {
    whole_life(&world, Currency::USD, 100).await?;
    // Events and tasks outlive a person's data: nothing of what the borrower wrote is in them.
    let db = world.house.db.read();
    let count = |sql: String| async move {
        let row = db.one(sql, []).await?.context("a count")?;
        anyhow::Ok(row.try_get_by_index::<i64>(0)?)
    };
    for service in ["identity", "ledger", "custody", "office", "investing", "lending", "notification"] {
        for (table, column) in [("event", "body"), ("outbox", "body"), ("command", "answer")] {
            let wrote = format!("{column} LIKE '%heat pump%' OR {column} LIKE '%It is cold%'");
            assert_eq!(
                count(format!("SELECT COUNT(*) FROM {service}_{table} WHERE {wrote}")).await?,
                0,
                "{service}"
            );
        }
    }
    assert_eq!(count("SELECT COUNT(*) FROM office_task WHERE about LIKE '%heat pump%'".into()).await?, 0);
    let written =
        "SELECT COUNT(*) FROM investing_listing WHERE purpose = 'A heat pump' AND story = 'It is cold.'";
    assert_eq!(count(written.into()).await?, 1, "it is where it can be erased");
    assert!(count("SELECT COUNT(*) FROM lending_event".into()).await? > 0);
    Ok(())
});

story!(a_loans_whole_life_in_yen, |world| { whole_life(&world, Currency::JPY, 100).await });

story!(a_loans_whole_life_in_dinars, |world| { whole_life(&world, Currency::BHD, 1_000).await });

story!(nobody_decides_alone_or_for_themselves, |world| {
    let town = Town(&world);
    let staff = staff(&town);
    let usd = |n: i64| Money::new(n * 100, Currency::USD);
    let (lending, office) = (world.house.lending(Service::Gateway), world.house.office(Service::Gateway));
    // An officer who also borrows, under another account of the same person.
    let borrower = Someone { person: staff.officer.person, ..town.someone(&[Role::Borrower]) };
    let apply = Apply {
        id: ApplicationId(world.uuid()),
        amount: usd(1_000),
        term_months: 12,
        purpose: "A car".into(),
        story: String::new(),
        facts: Facts::default(),
    };
    lending.apply(&town.call(&borrower), apply.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let propose = |rate| ProposeRate { application: apply.id, rate: Rate::from_ppm(rate) };
    let own = lending.propose_rate(&town.call(&staff.officer), propose(120_000)).await;
    assert_eq!(own, Err(Fault::Refused(LendingError::OwnApplication)));
    assert_eq!(lending.propose_rate(&town.call(&borrower), propose(120_000)).await, Err(Fault::Forbidden));
    let wild = lending.propose_rate(&town.call(&staff.supervisor), propose(900_000)).await;
    assert!(matches!(wild, Err(Fault::Refused(LendingError::RateOutOfBand { .. }))));
    lending
        .propose_rate(&town.call(&staff.supervisor), propose(120_000))
        .await
        .map_err(|e| anyhow!("{e}"))?;
    let changed = lending.propose_rate(&town.call(&staff.supervisor), propose(130_000)).await;
    assert_eq!(changed, Err(Fault::Refused(LendingError::RateProposed)));
    world.settle().await?;

    let task = derived::application_task(apply.id);
    let word = |approve| DecideTask { task, approve, note: "seen".into() };
    let gains = office.decide(&town.call(&staff.officer), word(true)).await;
    assert_eq!(gains, Err(Fault::Refused(OfficeError::Beneficiary)));
    let first = office.decide(&town.call(&staff.supervisor), word(true)).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(first.status, TaskStatus::Proposed);
    // A second account of the same person is not a second person.
    let alias = Someone { person: staff.supervisor.person, ..town.someone(&[Role::CreditSupervisor]) };
    let again = office.decide(&town.call(&alias), DecideTask { note: "again".into(), ..word(true) }).await;
    assert_eq!(again, Err(Fault::Refused(OfficeError::AlreadyDecided)));
    assert_eq!(
        office.decide(&town.call(&staff.operations), word(true)).await,
        Err(Fault::Refused(OfficeError::TaskNotFound))
    );
    let claim = ClaimTask { task, release: false };
    // Whoever has said their word, or gains by it, would only keep others from it.
    assert!(!first.waits_for(&town.call(&staff.supervisor)) && !first.waits_for(&town.call(&staff.officer)));
    assert!(first.waits_for(&town.call(&town.someone(&[Role::CreditOfficer]))));
    let gains = office.claim(&town.call(&staff.officer), claim.clone()).await;
    assert_eq!(gains, Err(Fault::Refused(OfficeError::Beneficiary)));
    let spoke = office.claim(&town.call(&staff.supervisor), claim.clone()).await;
    assert_eq!(spoke, Err(Fault::Refused(OfficeError::AlreadyDecided)));
    let other = town.someone(&[Role::CreditOfficer]);
    office.claim(&town.call(&other), claim.clone()).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(office.claim(&town.call(&alias), claim).await, Err(Fault::Refused(OfficeError::TaskClaimed)));
    let queue =
        QueueOf { ids: Vec::new(), kind: Some(TaskKind::CreditDecision), all: false, page: Page::first(10) };
    let seen = office.queue(&town.call(&other), queue.clone()).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!((seen.len(), seen[0].approvals.len()), (1, 1), "the second sees what the first saw and said");
    assert_eq!(office.queue(&town.call(&borrower), queue).await, Err(Fault::Forbidden));
    office.decide(&town.call(&other), word(false)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let ask = ApplicationOf { application: apply.id };
    let declined =
        lending.application(&town.call(&borrower), ask.clone()).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(declined.status, ApplicationStatus::Declined);
    assert!(declined.decided_at.is_some_and(|at| at >= declined.at));
    let stranger = town.someone(&[Role::Borrower]);
    let peek = lending.application(&town.call(&stranger), ask).await;
    assert_eq!(peek, Err(Fault::Refused(LendingError::ApplicationNotFound)));
    Ok(())
});

story!(a_bid_is_withdrawn_and_a_listing_cancelled, |world| {
    let town = Town(&world);
    let staff = staff(&town);
    let usd = |n: i64| Money::new(n * 100, Currency::USD);
    let borrower = town.someone(&[Role::Borrower]);
    town.with_account(&borrower, usd(0), &[]).await?;
    let (ann, bob) = (town.someone(&[Role::Investor]), town.someone(&[Role::Investor]));
    for who in [&ann, &bob] {
        town.with_account(who, usd(1_000), &[ConsentScope::Bid]).await?;
    }
    let listing = town.listing(&borrower, &staff, usd(1_000), 12, Rate::from_ppm(120_000)).await?;
    let investing = world.house.investing(Service::Gateway);

    // What cannot be is told, and nothing is set aside.
    assert!(matches!(
        town.bid(&ann, listing, usd(1)).await,
        Err(Fault::Refused(InvestingError::BelowMinimum { .. }))
    ));
    assert!(matches!(
        town.bid(&ann, listing, usd(1_001)).await,
        Err(Fault::Refused(InvestingError::ExceedsRest { .. }))
    ));
    let alias = Someone { person: borrower.person, ..town.someone(&[Role::Investor]) };
    assert_eq!(town.bid(&alias, listing, usd(100)).await, Err(Fault::Refused(InvestingError::OwnListing)));
    let poor = town.someone(&[Role::Investor]);
    let wish = PlaceBid { id: BidId(world.uuid()), listing, amount: usd(100) };
    let short = world.house.investing(Service::Gateway).bid(&town.call(&poor), wish.clone()).await;
    assert_eq!(short, Err(Fault::Refused(InvestingError::InsufficientFunds)));
    // A refusal leaves no trace: with the money there, the same bid under the same id is taken.
    town.with_account(&poor, usd(100), &[ConsentScope::Bid]).await?;
    let taken = world.house.investing(Service::Gateway).bid(&town.call(&poor), wish.clone()).await;
    let taken = taken.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    // And with the money gone it is answered as before.
    let again = world.house.investing(Service::Gateway).bid(&town.call(&poor), wish).await;
    assert_eq!(again.map_err(|e| anyhow!("{e}"))?.id, taken.id);
    let back = WithdrawBid { bid: taken.id };
    world
        .house
        .investing(Service::Gateway)
        .withdraw_bid(&town.call(&poor), back)
        .await
        .map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;

    let bid = town.bid(&ann, listing, usd(600)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let seen = investing.listing(&world.call(), ListingOf { listing }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(seen.funded, usd(600));
    let theft = investing.withdraw_bid(&town.call(&bob), WithdrawBid { bid: bid.id }).await;
    assert_eq!(theft, Err(Fault::Refused(InvestingError::BidNotFound)));
    investing
        .withdraw_bid(&town.call(&ann), WithdrawBid { bid: bid.id })
        .await
        .map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(town.money(ann.party).await?, 1_000_00);

    town.bid(&ann, listing, usd(600)).await.map_err(|e| anyhow!("{e}"))?;
    town.bid(&bob, listing, usd(400)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let seen = investing.listing(&world.call(), ListingOf { listing }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(seen.status, ListingStatus::Filled);
    let cancel = CancelListing { listing };
    assert_eq!(investing.cancel_listing(&town.call(&ann), cancel.clone()).await, Err(Fault::Forbidden));
    investing.cancel_listing(&town.call(&staff.operations), cancel).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!((town.money(ann.party).await?, town.money(bob.party).await?), (1_000_00, 1_000_00));
    let bids = BidsOf { investor: Some(bob.party), listing: Some(listing), page: Page::first(10) };
    let bids = investing.bids(&town.call(&bob), bids).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(bids[0].status, BidStatus::Returned);
    // Decided too late: the row has decided.
    let loan = town.disburse(listing, &staff).await?;
    assert!(town.loan(loan).await.is_err());
    world.assert_matched().await
});

story!(a_borrower_takes_a_listing_back_while_it_is_not_full, |world| {
    let town = Town(&world);
    let staff = staff(&town);
    let usd = |n: i64| Money::new(n * 100, Currency::USD);
    let (borrower, other) = (town.someone(&[Role::Borrower]), town.someone(&[Role::Borrower]));
    let ann = town.someone(&[Role::Investor]);
    town.with_account(&borrower, usd(0), &[]).await?;
    town.with_account(&ann, usd(1_000), &[ConsentScope::Bid]).await?;
    let investing = world.house.investing(Service::Gateway);
    let cancel = async |listing, who: &Someone| {
        investing.cancel_listing(&town.call(who), CancelListing { listing }).await
    };

    let listing = town.listing(&borrower, &staff, usd(1_000), 12, Rate::from_ppm(120_000)).await?;
    town.bid(&ann, listing, usd(600)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    // Whoever does not owe it has no say, the lender as little as another borrower.
    assert_eq!(cancel(listing, &other).await, Err(Fault::Forbidden));
    assert_eq!(cancel(listing, &ann).await, Err(Fault::Forbidden));
    let ended = cancel(listing, &borrower).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!((ended.status, ended.funded), (ListingStatus::Cancelled, usd(0)));
    world.settle().await?;
    assert_eq!(town.money(ann.party).await?, 1_000_00);
    // Asked again it is answered as before.
    assert_eq!(
        cancel(listing, &borrower).await.map_err(|e| anyhow!("{e}"))?.status,
        ListingStatus::Cancelled
    );

    // From the moment it is full it is no longer theirs alone.
    let full = town.listing(&borrower, &staff, usd(1_000), 12, Rate::from_ppm(120_000)).await?;
    town.bid(&ann, full, usd(1_000)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(cancel(full, &borrower).await, Err(Fault::Refused(InvestingError::ListingNotCancellable)));
    world.assert_matched().await
});

story!(a_listing_that_is_not_filled_expires, |world| {
    let town = Town(&world);
    let staff = staff(&town);
    let usd = |n: i64| Money::new(n * 100, Currency::USD);
    let (borrower, ann) = (town.someone(&[Role::Borrower]), town.someone(&[Role::Investor]));
    town.with_account(&borrower, usd(0), &[]).await?;
    town.with_account(&ann, usd(1_000), &[ConsentScope::Bid]).await?;
    let listing = town.listing(&borrower, &staff, usd(1_000), 12, Rate::from_ppm(120_000)).await?;
    town.bid(&ann, listing, usd(600)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    town.day(town.today().await? + Duration::days(31)).await?;
    let seen = world.house.investing(Service::Gateway).listing(&world.call(), ListingOf { listing }).await;
    assert_eq!(seen.map_err(|e| anyhow!("{e}"))?.status, ListingStatus::Expired);
    assert_eq!(town.money(ann.party).await?, 1_000_00);
    world.assert_matched().await
});

story!(a_loan_is_paid_off_early_at_the_quoted_amount_or_not_at_all, |world| {
    let town = Town(&world);
    let (borrower, investors, loan) = running(&town, Currency::USD, 100).await?;
    town.top_up(&borrower, Money::new(1_000_00, Currency::USD)).await?;
    let lending = world.house.lending(Service::Gateway);
    let me = town.call(&borrower);
    let quote = |id| QuotePayoff { id, loan };
    let first = lending.quote_payoff(&me, quote(QuoteId(world.uuid()))).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(
        (first.principal.minor(), first.interest.minor()),
        (10_000_00, 0),
        "the first day bears nothing"
    );

    // When it is due next is told to whoever is of it, in one answer for all that are asked about.
    let due = NextDuesOf { loans: vec![loan, LoanId(world.uuid())] };
    let schedule = lending.schedule(&me, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    for who in [&borrower, &investors[0]] {
        let found = lending.next_dues(&town.call(who), due.clone()).await.map_err(|e| anyhow!("{e}"))?;
        assert_eq!(found, [NextDue { loan, due: schedule[0].due }]);
    }
    let outsider = town.someone(&[Role::Investor]);
    assert_eq!(lending.next_dues(&town.call(&outsider), due.clone()).await, Ok(vec![]));

    // Ten days later: 100.00 for 31 days, ten of them.
    town.day(town.today().await? + Duration::days(10)).await?;
    let early = |quote: &QuoteView| RepayEarly { id: RepaymentId(world.uuid()), quote: quote.id };
    let stale = lending.repay_early(&me, early(&first)).await;
    assert_eq!(stale, Err(Fault::Refused(LendingError::QuoteExpired)));
    let second = lending.quote_payoff(&me, quote(QuoteId(world.uuid()))).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(second.total.minor(), 10_032_26);
    // A payment in between makes the quote wrong, and it is refused.
    let third = lending.quote_payoff(&me, quote(QuoteId(world.uuid()))).await.map_err(|e| anyhow!("{e}"))?;
    let stranger = lending.repay_early(&town.call(&investors[0]), early(&third)).await;
    assert_eq!(stranger, Err(Fault::Refused(LendingError::QuoteNotFound)));
    let begun = lending.repay_early(&me, early(&second)).await.map_err(|e| anyhow!("{e}"))?;
    let busy = lending.repay_early(&me, early(&third)).await;
    assert!(
        matches!(busy, Err(Fault::Refused(LendingError::LoanBusy | LendingError::LoanNotActive))),
        "{busy:?}"
    );
    // It is confirmed at the custodian, though the consent for what falls due would reach that far.
    world.settle().await?;
    assert_eq!(town.loan(loan).await?.status, LoanStatus::Active);
    let all = lending.repayments(&me, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    let url = all.iter().find(|r| r.id == begun.id).and_then(|r| r.redirect_url.clone()).context("a page")?;
    world.at_custodian(&url, "decision=confirm&password=correct-horse").await?;
    world.settle().await?;
    assert_eq!(begun.total.minor(), 10_032_26);
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.outstanding.minor()), (LoanStatus::Closed, 0));
    assert_eq!(town.money(borrower.party).await?, 900_00 - 32_26);
    let mut gained = 0;
    for investor in &investors {
        gained += town.money(investor.party).await? - 10_000_00;
    }
    assert_eq!(gained, 32_26);
    assert_eq!(lending.next_dues(&me, due).await, Ok(vec![]), "nothing is to come");
    // Of each payment it is known what of it was interest, and by nobody else.
    let custody = world.house.custody(Service::Gateway);
    let mut interest = 0;
    for investor in &investors {
        let ask = MovementsOf { party: investor.party, ids: Vec::new(), before: None, limit: 100 };
        let all = custody.movements(&town.call(investor), ask).await.map_err(|e| anyhow!("{e}"))?;
        let lines = ReceivedOf { lines: all.iter().filter_map(|m| m.line).collect() };
        let found =
            lending.received(&town.call(investor), lines.clone()).await.map_err(|e| anyhow!("{e}"))?;
        for r in &found {
            let moved = all.iter().find(|m| m.line == Some(r.line)).context("its movement")?.amount;
            assert_eq!(r.interest.plus(r.principal)?, moved);
            interest += r.interest.minor();
        }
        assert_eq!(lending.received(&town.call(&outsider), lines).await, Ok(vec![]));
    }
    assert_eq!(interest, 32_26);
    world.assert_matched().await
});

/// A payoff asked for on the eve of the first due date, whose page is still open when that day has begun.
async fn left_open<'a>(town: &Town<'a>) -> anyhow::Result<(Someone, LoanId, String)> {
    let (borrower, _, loan) = running(town, Currency::USD, 100).await?;
    town.top_up(&borrower, Money::new(1_000_00, Currency::USD)).await?;
    let (lending, me) = (town.0.house.lending(Service::Gateway), town.call(&borrower));
    let schedule = lending.schedule(&me, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    let due = schedule[0].due;
    town.day(due - Duration::days(1)).await?;
    let quote = QuotePayoff { id: QuoteId(town.0.uuid()), loan };
    let quote = lending.quote_payoff(&me, quote).await.map_err(|e| anyhow!("{e}"))?;
    let early = RepayEarly { id: RepaymentId(town.0.uuid()), quote: quote.id };
    let begun = lending.repay_early(&me, early).await.map_err(|e| anyhow!("{e}"))?;
    let url = begun.redirect_url.context("a page")?;
    town.day(due).await?;
    let open = lending.schedule(&me, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(open[0].status, InstalmentStatus::Scheduled, "the loan is busy");
    Ok((borrower, loan, url))
}

/// The payoff came to nothing, and what fell due was collected as on any day.
async fn collected_instead<'a>(town: &Town<'a>, borrower: &Someone, loan: LoanId) -> anyhow::Result<()> {
    let (lending, me) = (town.0.house.lending(Service::Gateway), town.call(borrower));
    let schedule = lending.schedule(&me, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(schedule[0].status, InstalmentStatus::Paid);
    assert_eq!(schedule[1].status, InstalmentStatus::Scheduled);
    assert_eq!(town.loan(loan).await?.status, LoanStatus::Active);
    let paid = schedule[0].interest.minor() + schedule[0].principal.minor();
    assert_eq!(town.money(borrower.party).await?, 10_900_00 - paid);
    town.0.assert_matched().await
}

story!(a_payoff_confirmed_on_another_day_than_it_was_quoted_for_goes_back, |world| {
    let town = Town(&world);
    let (borrower, loan, url) = left_open(&town).await?;
    let (status, _) = world.at_custodian(&url, "decision=confirm&password=correct-horse").await?;
    assert_eq!(status, 200);
    world.wait(10).await?;
    let all = world.house.lending(Service::Gateway).repayments(&town.call(&borrower), LoanOf { loan }).await;
    let early = all.map_err(|e| anyhow!("{e}"))?.into_iter().find(|r| r.early).context("the payoff")?;
    assert_eq!((early.status, early.why.as_str()), (RepaymentStatus::Failed, "QUOTE_EXPIRED"));
    // Once the money is back, what fell due is taken of it.
    world.wait(10).await?;
    collected_instead(&town, &borrower, loan).await
});

story!(a_payoff_that_is_left_open_does_not_stand_in_the_way_of_what_falls_due, |world| {
    let town = Town(&world);
    let (borrower, loan, _) = left_open(&town).await?;
    world.wait(900).await?;
    world.wait(60).await?;
    collected_instead(&town, &borrower, loan).await
});

story!(without_consent_the_borrower_is_asked_and_nobody_else, |world| {
    let town = Town(&world);
    let staff = staff(&town);
    let usd = |n: i64| Money::new(n * 100, Currency::USD);
    let (borrower, ann) = (town.someone(&[Role::Borrower]), town.someone(&[Role::Investor]));
    town.with_account(&borrower, usd(0), &[]).await?;
    town.with_account(&ann, usd(1_000), &[ConsentScope::Bid]).await?;
    let listing = town.listing(&borrower, &staff, usd(1_000), 12, Rate::from_ppm(120_000)).await?;
    town.bid(&ann, listing, usd(1_000)).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let loan = town.disburse(listing, &staff).await?;
    // The fee was not consented to and is not taken; that waits where people can see it.
    assert_eq!(town.money(borrower.party).await?, 1_000_00);
    let lending = world.house.lending(Service::Gateway);
    let custody = world.house.custody(Service::Gateway);
    let watch = town.call(&staff.operations);
    let parked = custody.parked(&watch, ParkedOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(parked.len(), 1);
    assert!(!parked[0].dead && parked[0].error.contains("NO_CONSENT"), "{parked:?}");
    assert_eq!(custody.parked(&town.call(&ann), ParkedOf {}).await, Err(Fault::Forbidden));
    let retry = || Unpark { name: parked[0].name.clone() };
    assert_eq!(custody.unpark(&town.call(&borrower), retry()).await, Err(Fault::Forbidden));

    let repay = RepayDue { id: RepaymentId(world.uuid()), loan };
    let view = lending.repay(&town.call(&borrower), repay.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let ask = RepaymentOf { repayment: repay.id };
    let seen = lending.repayment(&town.call(&ann), ask).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!((seen.status, seen.redirect_url), (RepaymentStatus::Freezing, None));
    town.confirm(view.redirect_url).await?;
    world.wait(10).await?;
    assert_eq!(town.money(borrower.party).await?, 1_000_00 - 88_85);

    // Once the borrower has allowed it, it is taken on the word of operations: once, under a new number.
    let limit = usd(1_000);
    let grants = vec![ConsentGrant {
        scope: ConsentScope::Fee,
        per_order: limit,
        total: limit,
        expires_at: world.clock.now() + Duration::days(2_000),
    }];
    let grant = GrantConsent { id: InstructionId(world.uuid()), party: borrower.party, grants };
    let order = custody.grant(&town.call(&borrower), grant).await.map_err(|e| anyhow!("{e}"))?;
    town.confirm(order.redirect_url).await?;
    let parked = custody.parked(&watch, ParkedOf {}).await.map_err(|e| anyhow!("{e}"))?;
    for there in [true, false] {
        let retry = Unpark { name: parked[0].name.clone() };
        assert_eq!(custody.unpark(&watch, retry).await, Ok(there));
        world.wait(10).await?;
        assert_eq!(town.money(borrower.party).await?, 1_000_00 - 88_85 - 10_00);
    }
    assert_eq!(custody.parked(&watch, ParkedOf {}).await, Ok(Vec::new()));
    world.assert_matched().await
});

story!(what_is_not_paid_is_overdue_until_it_is, |world| {
    let town = Town(&world);
    let (borrower, _, loan) = running(&town, Currency::USD, 100).await?;
    // The borrower spends what was lent.
    let all = Withdraw {
        id: InstructionId(world.uuid()),
        party: borrower.party,
        amount: Money::new(9_900_00, Currency::USD),
    };
    let view = world
        .house
        .custody(Service::Gateway)
        .withdraw(&town.call(&borrower), all)
        .await
        .map_err(|e| anyhow!("{e}"))?;
    town.confirm(view.redirect_url).await?;
    world.wait(10).await?;
    let due = town.today().await? + Months::new(1);
    assert_eq!(town.day(due).await?, DayRun { repayments_begun: 1, became_overdue: 0 });
    assert_eq!(town.loan(loan).await?.status, LoanStatus::Active, "due today is not late yet");
    assert_eq!(town.day(due + Duration::days(1)).await?, DayRun { repayments_begun: 1, became_overdue: 1 });
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.days_past_due), (LoanStatus::Overdue, 1));
    // The same day again changes nothing and answers as before.
    let again = world
        .house
        .lending(Service::Operator)
        .run_day(&world.call(), lending_api::RunDay { date: due + Duration::days(1) })
        .await;
    assert_eq!(again.map_err(|e| anyhow!("{e}"))?, DayRun { repayments_begun: 1, became_overdue: 1 });

    town.top_up(&borrower, Money::new(888_49, Currency::USD)).await?;
    let repay = RepayDue { id: RepaymentId(world.uuid()), loan };
    let lending = world.house.lending(Service::Gateway);
    let theft = lending.repay(&town.call(&town.someone(&[Role::Borrower])), repay.clone()).await;
    assert_eq!(theft, Err(Fault::Refused(LendingError::LoanNotFound)));
    lending.repay(&town.call(&borrower), repay).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.days_past_due), (LoanStatus::Active, 0));
    assert_eq!(town.money(borrower.party).await?, 0);
    world.assert_matched().await
});

story!(services_stop_and_start_in_the_middle_and_nothing_is_lost, |world| {
    let town = Town(&world);
    let staff = staff(&town);
    let usd = |n: i64| Money::new(n * 100, Currency::USD);
    let (borrower, ann) = (town.someone(&[Role::Borrower]), town.someone(&[Role::Investor]));
    town.with_account(&borrower, usd(0), &[ConsentScope::Repay, ConsentScope::Fee]).await?;
    town.with_account(&ann, usd(2_000), &[ConsentScope::Bid]).await?;
    let listing = town.listing(&borrower, &staff, usd(1_000), 12, Rate::from_ppm(120_000)).await?;

    // Lending is away while the listing fills; investing does not notice.
    world.house.stop_service(Service::Lending).await;
    town.bid(&ann, listing, usd(1_000)).await.map_err(|e| anyhow!("{e}"))?;
    world.house.settle().await.ok();
    world.house.start_service(Service::Lending);
    world.settle().await?;
    let seen = world.house.investing(Service::Gateway).listing(&world.call(), ListingOf { listing }).await;
    assert_eq!(seen.map_err(|e| anyhow!("{e}"))?.status, ListingStatus::Filled);

    // Custody is away when the disbursement is decided: it goes on when custody is back.
    world.house.stop_service(Service::Custody).await;
    let office = world.house.office(Service::Gateway);
    for who in [&staff.operations, &staff.operations_too] {
        let word = DecideTask {
            task: derived::listing_disbursement_task(listing),
            approve: true,
            note: String::new(),
        };
        office.decide(&town.call(who), word).await.map_err(|e| anyhow!("{e}"))?;
    }
    // For a whole day: an outage is nobody's failed attempt, and nothing ends on the list of what people must see to.
    for _ in 0..12 {
        world.house.settle().await.ok();
        world.clock.advance(Duration::hours(2));
    }
    let lending = world.house.lending(Service::Gateway);
    let parked =
        lending.parked(&town.call(&staff.operations), ParkedOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert!(!parked.is_empty() && parked.iter().all(|p| !p.dead && p.attempts == 1), "{parked:?}");
    world.house.start_service(Service::Custody);
    for _ in 0..4 {
        world.wait(20).await?;
    }
    let loan = derived::listing_loan(listing);
    assert_eq!(town.loan(loan).await?.status, LoanStatus::Active);
    assert_eq!(town.money(borrower.party).await?, 990_00);

    // The whole process ends in the middle of a repayment and begins again.
    let repay = RepayDue { id: RepaymentId(world.uuid()), loan };
    world
        .house
        .lending(Service::Gateway)
        .repay(&town.call(&borrower), repay)
        .await
        .map_err(|e| anyhow!("{e}"))?;
    let party = borrower.party;
    let mut world = world;
    world.restart().await?;
    for _ in 0..4 {
        world.wait(20).await?;
    }
    let town = Town(&world);
    assert_eq!(town.money(party).await?, 990_00 - 88_85);
    assert_eq!(town.money(ann.party).await?, 1_000_00 + 88_85);
    world.assert_matched().await
});

/// Lets the custodian misbehave at the next so many orders of a kind.
fn plan(world: &World, operation: &str, fault: Misbehaviour, times: u32) {
    world.bank.faults.plan(Planned::times(operation, fault, times));
}

story!(a_disbursement_paid_in_part_is_completed, |world| {
    let town = Town(&world);
    plan(&world, "disburse", Misbehaviour::PartialBatch { failing: 1 }, 1);
    let (borrower, investors, loan) = running(&town, Currency::USD, 100).await?;
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.started_on), (LoanStatus::AwaitingDisbursement, None));
    assert_eq!(town.money(borrower.party).await?, 0, "what has arrived is blocked until all has");
    world.assert_matched().await?;
    world.wait(10).await?;
    assert_eq!(town.loan(loan).await?.status, LoanStatus::Active);
    assert_eq!(town.money(borrower.party).await?, 9_900_00);
    for (investor, share) in investors.iter().zip([5_000_00, 3_333_00, 1_667_00]) {
        assert_eq!(town.money(investor.party).await?, 10_000_00 - share);
    }
    world.assert_matched().await
});

story!(a_disbursement_that_cannot_be_completed_is_undone_by_two, |world| {
    let town = Town(&world);
    plan(&world, "disburse", Misbehaviour::PartialBatch { failing: 2 }, 1);
    plan(&world, "disburse", Misbehaviour::Refused, 5);
    let (borrower, investors, loan) = running(&town, Currency::USD, 100).await?;
    for pause in [10, 60, 600, 3_600, 14_400] {
        world.wait(pause).await?;
    }
    let people = staff(&town);
    let office = world.house.office(Service::Gateway);
    let queue = QueueOf {
        ids: Vec::new(),
        kind: Some(TaskKind::DisbursementUndo),
        all: false,
        page: Page::first(10),
    };
    let open =
        office.queue(&town.call(&people.operations), queue.clone()).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(open.len(), 1);
    // Refused by one, it goes on being tried when operations asks; and fails, and is asked about again.
    let word = |task, approve| DecideTask { task, approve, note: "the custodian was called".into() };
    let decided = office.decide(&town.call(&people.operations), word(open[0].id, false)).await;
    assert_eq!(decided.map_err(|e| anyhow!("{e}"))?.status, TaskStatus::Refused);
    world.settle().await?;
    plan(&world, "disburse", Misbehaviour::Refused, 1);
    let custody = world.house.custody(Service::Gateway);
    let watch = || town.call(&people.operations);
    let parked = custody.parked(&watch(), ParkedOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert!(parked.len() == 1 && parked[0].dead, "{parked:?}");
    assert_eq!(custody.unpark(&watch(), Unpark { name: parked[0].name.clone() }).await, Ok(true));
    world.wait(1).await?;
    let open = office.queue(&watch(), queue).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(open.len(), 1, "another question, after another failure");

    // One person moves no money.
    assert_eq!(
        office.decide(&watch(), word(open[0].id, true)).await.map_err(|e| anyhow!("{e}"))?.status,
        TaskStatus::Proposed
    );
    world.wait(60).await?;
    assert_eq!(town.money(investors[2].party).await?, 10_000_00 - 1_667_00);
    assert_eq!(town.loan(loan).await?.status, LoanStatus::AwaitingDisbursement);
    let second = town.call(&people.operations_too);
    assert_eq!(
        office.decide(&second, word(open[0].id, true)).await.map_err(|e| anyhow!("{e}"))?.status,
        TaskStatus::Approved
    );
    world.wait(60).await?;
    for investor in &investors {
        assert_eq!(town.money(investor.party).await?, 10_000_00, "every cent is back");
    }
    assert_eq!(town.money(borrower.party).await?, 0);
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.outstanding.minor()), (LoanStatus::Cancelled, 0));
    let investing = world.house.investing(Service::Gateway);
    let listing = investing.listing(&watch(), ListingOf { listing: view.listing }).await;
    assert_eq!(listing.map_err(|e| anyhow!("{e}"))?.status, ListingStatus::Cancelled);
    let own = BidsOf { investor: Some(investors[0].party), listing: None, page: Page::first(10) };
    let bids = investing.bids(&town.call(&investors[0]), own).await.map_err(|e| anyhow!("{e}"))?;
    assert!(bids.iter().all(|b| b.status == BidStatus::Returned), "{bids:?}");
    assert_eq!(custody.parked(&watch(), ParkedOf {}).await, Ok(Vec::new()));
    let signed = world.bank.statement().await?;
    assert!(signed.text.contains("\"freezes\":[]"), "{}", signed.text);
    world.assert_matched().await
});

story!(a_repayment_paid_in_part_is_completed, |world| {
    let town = Town(&world);
    let (borrower, investors, loan) = running(&town, Currency::USD, 100).await?;
    plan(&world, "repay", Misbehaviour::PartialBatch { failing: 2 }, 1);
    plan(&world, "repay", Misbehaviour::Refused, 1);
    let lending = world.house.lending(Service::Gateway);
    let repay = RepayDue { id: RepaymentId(world.uuid()), loan };
    let call = || town.call(&borrower);
    let due = lending.repay(&call(), repay.clone()).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let ask = RepaymentOf { repayment: repay.id };
    let seen = lending.repayment(&call(), ask.clone()).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(seen.status, RepaymentStatus::Partial);
    assert!(seen.why.contains("2 of 3 lines are missing"), "{}", seen.why);
    let again = RepayDue { id: RepaymentId(world.uuid()), loan };
    assert_eq!(lending.repay(&call(), again).await, Err(Fault::Refused(LendingError::LoanBusy)));
    let part: i64 = {
        let mut sum = 0;
        for investor in &investors {
            sum += town.money(investor.party).await?;
        }
        sum - 20_000_00
    };
    let view = town.loan(loan).await?;
    assert!(0 < part && part < due.total.minor(), "{part}");
    assert!(
        view.outstanding.minor() < 10_000_00 && view.outstanding.minor() > 10_000_00 - due.principal.minor()
    );
    world.assert_matched().await?;

    // The due date passes meanwhile. The borrower's money was frozen before it: nothing is overdue.
    let schedule = lending.schedule(&call(), LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
    town.day(schedule[0].due + Duration::days(1)).await?;
    let view = town.loan(loan).await?;
    assert_eq!((view.status, view.days_past_due), (LoanStatus::Active, 0));
    assert_eq!(
        lending.repayment(&call(), ask.clone()).await.map_err(|e| anyhow!("{e}"))?.status,
        RepaymentStatus::Partial
    );
    world.wait(60).await?;
    let seen = lending.repayment(&call(), ask).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!((seen.status, seen.why.as_str()), (RepaymentStatus::Settled, ""));
    let mut sum = 0;
    for investor in &investors {
        sum += town.money(investor.party).await?;
    }
    assert_eq!(sum - 20_000_00, due.total.minor(), "to the cent, and once");
    let view = town.loan(loan).await?;
    assert_eq!(view.outstanding.minor(), 10_000_00 - due.principal.minor());
    world.assert_matched().await
});
