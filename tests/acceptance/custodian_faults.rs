//! The custodian's whole menu of misbehaviour, one story each; then all of it at once, by chance, over many orders.
//!
//! What is promised: no cent is lost, doubled or invented; money in doubt stays set aside; each doubt ends in a fact or on
//! the list of what waits for a person.

use crate::custody::{Actors, CONFIRM, loans_money, usd};
use anyhow::{Context, anyhow};
use custodian::fault::{Fault, Planned};
use custody_api::*;
use kernel::call::Service;
use kernel::id::LineId;
use tests::story;
use tests::world::World;

story!(a_request_that_is_turned_away_is_sent_again, |world| {
    loans_money(&world, Some(|| Fault::RateLimited)).await
});

story!(a_door_that_is_closed_for_a_while_is_waited_for, |world| {
    loans_money(&world, Some(|| Fault::Maintenance { seconds: 2 })).await
});

story!(a_door_that_is_closed_for_hours_keeps_everything_set_aside, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(100_00).await?, actors.person().await?);
    actors.allow(ann, ConsentScope::Bid, 50_00, 50_00).await?;
    let project = actors.project(cem, 40_00).await?;
    world.bank.faults.plan(Planned::times("freeze", Fault::Maintenance { seconds: 6 * 3_600 }, 1));
    let frozen = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    world.wait(3_600).await?;
    assert_eq!(actors.status(frozen.id).await?.0, InstructionStatus::Unknown);
    assert_eq!(actors.money(ann.0).await?, (100_00, 40_00, 0), "what is in doubt stays set aside");
    for _ in 0..5 {
        world.wait(3_600).await?;
    }
    world.wait(1_900).await?;
    // Its time was over by then: it is known that nothing was frozen.
    assert_eq!(actors.status(frozen.id).await?.0, InstructionStatus::Failed);
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    world.assert_matched().await
});

story!(a_crash_after_the_commit_doubles_nothing, |world| {
    loans_money(&world, Some(|| Fault::CrashAfterCommit)).await
});

story!(a_notification_before_its_answer_is_only_a_hint, |world| {
    loans_money(&world, Some(|| Fault::EarlyNotification)).await
});

story!(a_forged_notification_moves_nothing, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    world.bank.faults.plan(Planned::times("withdraw", Fault::ForgedNotification, 3));
    let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
    let view =
        actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
    world.at_custodian(&view.redirect_url.clone().context("a page")?, "decision=refuse").await?;
    world.wait(5).await?;
    assert_eq!(actors.status(view.id).await?.0, InstructionStatus::Cancelled, "whatever a stranger says");
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    assert_eq!(world.bank.faults.struck().get("forged_notification"), Some(&1));
    loans_money(&world, Some(|| Fault::ForgedNotification)).await
});

story!(a_late_notification_is_not_needed, |world| {
    loans_money(&world, Some(|| Fault::LateNotification { seconds: 3_600 })).await
});

story!(notifications_out_of_order_change_nothing, |world| {
    loans_money(&world, Some(|| Fault::ReorderedNotification)).await
});

story!(a_new_key_is_believed_because_the_old_one_vouches_for_it, |world| {
    let mut world = world;
    loans_money(&world, Some(|| Fault::KeyRotation)).await?;
    let rotated = world.bank.keys().await?.len();
    assert!(rotated >= 5, "{rotated} rotations");
    // What was learnt is kept: without the custodian, and after a restart, the last statement can still be read.
    world.restart().await?;
    let prove = async |offline| {
        let custody = world.house.custody(Service::Operator);
        custody.proof(&world.call(), ProveBooks { offline }).await.map_err(|e| anyhow!("{e}"))
    };
    assert_eq!(prove(true).await?.verdict, Verdict::Matched);
    // A chain that does not lead back to the pinned key is not believed.
    let db = world.house.db.read();
    use platform::db::Sql;
    db.run("UPDATE custody_key SET since = since - 1 WHERE number = 1", []).await?;
    world.restart().await?;
    let custody = world.house.custody(Service::Operator);
    let report =
        custody.proof(&world.call(), ProveBooks { offline: true }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(report.verdict, Verdict::Broken, "{:#?}", report.findings);
    assert!(report.findings.iter().any(|f| f.what.contains("signature")), "{:#?}", report.findings);
    Ok(())
});

story!(a_freeze_that_comes_after_it_had_failed_goes_back, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(100_00).await?, actors.person().await?);
    actors.allow(ann, ConsentScope::Bid, 50_00, 50_00).await?;
    let project = actors.project(cem, 40_00).await?;
    world.bank.faults.plan(Planned::times("freeze", Fault::LateSuccess { seconds: 600 }, 1));
    let frozen = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    world.settle().await?;
    assert_eq!(actors.status(frozen.id).await?, (InstructionStatus::Failed, "TIMED_OUT".into()));
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0), "free again, as far as anybody knows");
    world.assert_matched().await?;
    world.wait(600).await?;
    world.wait(40).await?;
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    let signed = world.bank.statement().await?;
    assert!(signed.text.contains("\"freezes\":[]"), "{}", signed.text);
    world.assert_matched().await
});

story!(a_top_up_that_comes_after_it_had_failed_is_there, |world| {
    let actors = Actors(&world);
    let ann = actors.person().await?;
    world.bank.faults.plan(Planned::times("top_up", Fault::LateSuccess { seconds: 600 }, 1));
    let top_up = TopUp { id: actors.instruction(), party: ann, amount: usd(25_01) };
    let view = actors.gateway().top_up(&actors.as_person(ann), top_up).await.map_err(|e| anyhow!("{e}"))?;
    world.at_custodian(&view.redirect_url.clone().context("a page")?, CONFIRM).await?;
    world.wait(5).await?;
    assert_eq!(actors.status(view.id).await?.0, InstructionStatus::Failed);
    assert_eq!(actors.money(ann.0).await?, (0, 0, 0));
    world.wait(600).await?;
    assert_eq!(actors.money(ann.0).await?, (25_01, 0, 0), "a fact is never refused");
    world.assert_matched().await
});

/// Two freezes, ready to be paid out, and what pays them out.
async fn filled(
    actors: &Actors<'_>,
) -> anyhow::Result<(Vec<kernel::id::PartyId>, kernel::id::PartyId, Disburse)> {
    let (ann, bob, cem) = (actors.rich(500_00).await?, actors.rich(500_00).await?, actors.person().await?);
    for investor in [ann, bob] {
        actors.allow(investor, ConsentScope::Bid, 500_00, 900_00).await?;
    }
    let project = actors.project(cem, 1_000_00).await?;
    let mut lines = Vec::new();
    for investor in [ann, bob] {
        let freeze = actors.freeze(investor, project, project, FreezePurpose::Bid, 500_00).await?.id;
        lines.push(DisburseLine { line: LineId(actors.0.uuid()), freeze, amount: usd(500_00) });
    }
    actors.0.settle().await?;
    Ok((vec![ann, bob], cem, Disburse { id: actors.instruction(), project, borrower: cem, lines }))
}

/// A batch says that it failed and happens all the same: before the next attempt, or after it.
async fn a_late_batch(world: &World, seconds: i64) -> anyhow::Result<()> {
    let actors = Actors(world);
    let (investors, cem, disburse) = filled(&actors).await?;
    world.bank.faults.plan(Planned::times("disburse", Fault::LateSuccess { seconds }, 1));
    actors.inside().disburse(&world.call(), disburse.clone()).await.map_err(|e| anyhow!("{e}"))?;
    for _ in 0..6 {
        world.wait(9).await?;
    }
    world.wait(700).await?;
    assert_eq!(actors.money(cem.0).await?, (0, 0, 1_000_00), "once, and whole");
    for investor in investors {
        assert_eq!(actors.money(investor.0).await?, (0, 0, 0));
    }
    let watch = actors.staff(world.uuid());
    let parked =
        actors.gateway().parked(&watch, platform::reader::ParkedOf {}).await.map_err(|e| anyhow!("{e}"))?;
    assert!(parked.iter().all(|p| !p.dead), "{parked:?}");
    world.assert_matched().await
}

story!(a_batch_that_comes_late_is_not_attempted_again, |world| { a_late_batch(&world, 5).await });

story!(a_batch_that_comes_after_its_second_attempt_pays_nobody_twice, |world| {
    a_late_batch(&world, 30).await
});

story!(consents_taken_back_in_the_middle_of_a_batch_stop_no_decided_line_for_long, |world| {
    let actors = Actors(&world);
    let (investors, cem, disburse) = filled(&actors).await?;
    world.bank.faults.plan(Planned::times("disburse", Fault::ConsentRevoked { after: 1 }, 1));
    actors.inside().disburse(&world.call(), disburse.clone()).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(actors.status(disburse.id).await?.0, InstructionStatus::Partial);
    assert_eq!(actors.money(cem.0).await?, (0, 0, 500_00));
    assert_eq!(actors.money(investors[1].0).await?, (500_00, 500_00, 0), "what is in doubt stays set aside");
    world.assert_matched().await?;
    world.wait(20).await?;
    assert_eq!(actors.money(cem.0).await?, (0, 0, 1_000_00));
    // From now on the investor who took it back is asked.
    let project = actors.project(cem, 10_00).await?;
    let rich = TopUp { id: actors.instruction(), party: investors[1], amount: usd(10_00) };
    let view =
        actors.gateway().top_up(&actors.as_person(investors[1]), rich).await.map_err(|e| anyhow!("{e}"))?;
    actors.confirm(&view).await?;
    let asked = actors.freeze(investors[1], project, project, FreezePurpose::Bid, 10_00).await?;
    assert_eq!(asked.status, InstructionStatus::AwaitingUser);
    Ok(())
});

story!(a_payout_that_the_users_bank_refuses_or_returns_is_the_users_again, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    let withdraw = async |fault| {
        world.bank.faults.plan(Planned::times("withdraw", fault, 1));
        let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_01) };
        let view =
            actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
        actors.confirm(&view).await?;
        world.wait(10).await?;
        anyhow::Ok(view.id)
    };
    let refused = withdraw(Fault::PayoutRefused).await?;
    assert_eq!(actors.status(refused).await?, (InstructionStatus::Failed, "BANK_REFUSED".into()));
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    world.assert_matched().await?;
    let returned = withdraw(Fault::PayoutReturned { seconds: 3 * 86_400 }).await?;
    assert_eq!(actors.status(returned).await?.0, InstructionStatus::Settled);
    assert_eq!(actors.money(ann.0).await?, (69_99, 0, 0));
    world.assert_matched().await?;
    for _ in 0..3 {
        world.wait(86_400).await?;
    }
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0), "it came back, days after it had been paid");
    world.assert_matched().await
});

story!(whoever_leaves_or_refuses_loses_nothing, |world| {
    let actors = Actors(&world);
    let ann = actors.rich(100_00).await?;
    for (fault, expected) in [
        (Fault::UserLeaves, (InstructionStatus::Expired, "USER_LEFT".to_string())),
        (Fault::UserRefuses, (InstructionStatus::Cancelled, "USER_REFUSED".to_string())),
    ] {
        world.bank.faults.plan(Planned::times("withdraw", fault, 1));
        let withdraw = Withdraw { id: actors.instruction(), party: ann, amount: usd(30_00) };
        let view =
            actors.gateway().withdraw(&actors.as_person(ann), withdraw).await.map_err(|e| anyhow!("{e}"))?;
        world.wait(60).await?;
        assert_eq!(actors.status(view.id).await?, expected);
        assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    }
    world.assert_matched().await
});

story!(too_little_money_where_there_is_enough_is_a_refusal_like_any_other, |world| {
    let actors = Actors(&world);
    let (ann, cem) = (actors.rich(100_00).await?, actors.person().await?);
    actors.allow(ann, ConsentScope::Bid, 50_00, 50_00).await?;
    let project = actors.project(cem, 40_00).await?;
    let other = actors.rich(5_00).await?;
    // Of one user alone: the other's order goes through.
    world.bank.faults.plan(Planned::times("*", Fault::InsufficientFunds, 9).of(&ann.to_string()));
    let frozen = actors.freeze(ann, project, project, FreezePurpose::Bid, 40_00).await?;
    world.settle().await?;
    assert_eq!(actors.status(frozen.id).await?, (InstructionStatus::Failed, "INSUFFICIENT_FUNDS".into()));
    assert_eq!(actors.money(ann.0).await?, (100_00, 0, 0));
    actors.allow(other, ConsentScope::Bid, 5_00, 5_00).await?;
    assert_eq!(actors.money(other.0).await?, (5_00, 0, 0));
    world.assert_matched().await
});

/// How many orders a storm has: a slice for every change, more before a claim, or as many as are asked for.
fn orders() -> usize {
    let asked = std::env::var("COUNTERFOIL_STORM_ORDERS").ok().and_then(|n| n.parse().ok());
    let full = std::env::var("COUNTERFOIL_TEST_LENGTH").is_ok_and(|l| l == "full");
    asked.unwrap_or(if full { 500 } else { 120 })
}

/// Every fault there is, by chance: about one order in five meets one.
fn weather(bank: &custodian::Bank, seed: u64) {
    bank.faults.seed(seed);
    for (operation, fault, per_mille) in [
        ("*", Fault::LostReply, 30),
        ("*", Fault::LostRequest, 30),
        ("*", Fault::RateLimited, 10),
        ("*", Fault::EarlyNotification, 10),
        ("*", Fault::CrashAfterCommit, 10),
        ("*", Fault::KeyRotation, 3),
        ("*", Fault::Maintenance { seconds: 40 }, 3),
        ("*", Fault::Refused, 20),
        ("*", Fault::InsufficientFunds, 10),
        ("*", Fault::PartialBatch { failing: 1 }, 60),
        ("*", Fault::ConsentRevoked { after: 1 }, 20),
        ("*", Fault::LateSuccess { seconds: 90 }, 15),
        ("*", Fault::LateSuccess { seconds: 4_000 }, 15),
        ("*", Fault::UserLeaves, 20),
        ("*", Fault::UserRefuses, 20),
        ("*", Fault::PayoutRefused, 40),
        ("*", Fault::PayoutReturned { seconds: 86_400 }, 40),
        ("*", Fault::LostNotification, 40),
        ("*", Fault::RepeatedNotification { times: 3 }, 20),
        ("*", Fault::LateNotification { seconds: 300 }, 20),
        ("*", Fault::ReorderedNotification, 20),
        ("*", Fault::ForgedNotification, 20),
        ("query", Fault::LostReply, 50),
        ("movements", Fault::LostRequest, 30),
        ("statement", Fault::LostReply, 30),
    ] {
        bank.faults.plan(Planned::chance(operation, fault, per_mille));
    }
}

/// A project as the storm knows it.
struct Project {
    id: uuid::Uuid,
    borrower: kernel::id::PartyId,
    bids: Vec<InstructionView>,
    /// Who was paid out for how much, once it was.
    lent: Vec<(kernel::id::PartyId, i64)>,
    disbursed: bool,
}

/// So many orders of every kind by people who behave, at a custodian that does not.
async fn storm(world: &World, orders: usize, seed: u64) -> anyhow::Result<()> {
    let actors = Actors(world);
    let chance = |n: u64| world.entropy.below(n);
    let (mut investors, mut borrowers) = (Vec::new(), Vec::new());
    for _ in 0..6 {
        let who = actors.rich(1_000_000_00).await?;
        actors.allow(who, ConsentScope::Bid, 500_00, 900_000_00).await?;
        investors.push(who);
    }
    for _ in 0..3 {
        let who = actors.rich(500_000_00).await?;
        actors.allow(who, ConsentScope::Repay, 5_000_00, 900_000_00).await?;
        actors.allow(who, ConsentScope::Fee, 100_00, 900_000_00).await?;
        borrowers.push(who);
    }
    weather(&world.bank, seed);
    let mut projects: Vec<Project> = Vec::new();
    let mut sent = 0;
    while sent < orders {
        let investor = investors[usize::try_from(chance(6))?];
        let fitting = projects.iter().position(|p| !p.disbursed && p.bids.len() < 4);
        let ripe = projects.iter().position(|p| !p.disbursed && p.bids.len() >= 4);
        let paid = projects.iter().position(|p| p.disbursed && !p.lent.is_empty());
        let confirm = async |view: &InstructionView| {
            if let Some(url) = &view.redirect_url {
                world.at_custodian(url, CONFIRM).await.ok();
            }
        };
        match (chance(10), fitting, ripe, paid) {
            (0, ..) => {
                let top_up = TopUp { id: actors.instruction(), party: investor, amount: usd(100_01) };
                if let Ok(view) = actors.gateway().top_up(&actors.as_person(investor), top_up).await {
                    confirm(&view).await;
                }
            }
            (1 | 2, ..) => {
                let withdraw = Withdraw { id: actors.instruction(), party: investor, amount: usd(50_03) };
                if let Ok(view) = actors.gateway().withdraw(&actors.as_person(investor), withdraw).await {
                    confirm(&view).await;
                }
            }
            (3, Some(n), ..) => {
                // Taken back, if it is there.
                let Some(bid) = projects[n].bids.pop() else { continue };
                let unfreeze = Unfreeze { id: actors.instruction(), freeze: bid.id };
                actors.inside().unfreeze(&world.call(), unfreeze).await.ok();
            }
            (4, _, Some(n), _) => {
                world.wait(60).await?;
                let mut lines = Vec::new();
                for bid in projects[n].bids.clone() {
                    if actors.status(bid.id).await?.0 == InstructionStatus::Settled {
                        let amount = bid.amount.context("an amount")?;
                        lines.push(DisburseLine { line: LineId(world.uuid()), freeze: bid.id, amount });
                        projects[n].lent.push((bid.party.context("whose")?, amount.minor()));
                    }
                }
                projects[n].disbursed = true;
                if lines.is_empty() {
                    continue;
                }
                let (project, borrower) = (projects[n].id, projects[n].borrower);
                let sum: i64 = lines.iter().map(|l| l.amount.minor()).sum();
                let disburse = Disburse { id: actors.instruction(), project, borrower, lines };
                actors.inside().disburse(&world.call(), disburse).await.map_err(|e| anyhow!("{e}"))?;
                let unblock = Unblock { id: actors.instruction(), project, borrower, amount: usd(sum) };
                actors.inside().unblock(&world.call(), unblock).await.map_err(|e| anyhow!("{e}"))?;
                let fee =
                    ChargeFee { id: actors.instruction(), project, payer: borrower, amount: usd(sum / 200) };
                actors.inside().charge_fee(&world.call(), fee).await.map_err(|e| anyhow!("{e}"))?;
                sent += 2;
            }
            (5, _, _, Some(n)) => {
                // A first payment to everybody who may have lent: whose line never came is refused theirs.
                let p = &mut projects[n];
                let lent = std::mem::take(&mut p.lent);
                let (project, borrower, loan) = (p.id, p.borrower, world.uuid());
                actors.control(loan, None).await?;
                let total: i64 = lent.iter().map(|(_, m)| m / 10).sum();
                let freeze = actors.freeze(borrower, project, loan, FreezePurpose::Repay, total).await;
                let Ok(freeze) = freeze else { continue };
                confirm(&freeze).await;
                world.wait(60).await?;
                if actors.status(freeze.id).await?.0 != InstructionStatus::Settled {
                    continue;
                }
                let line = |(holder, m): &(kernel::id::PartyId, i64)| RepayLine {
                    line: LineId(world.uuid()),
                    holder: *holder,
                    amount: usd(m / 10),
                    principal: usd(m / 20),
                };
                let lines = lent.iter().map(line).collect();
                let repay = Repay { id: actors.instruction(), project, borrower, freeze: freeze.id, lines };
                actors.inside().repay(&world.call(), repay).await.map_err(|e| anyhow!("{e}"))?;
                sent += 1;
            }
            (_, None, ..) => {
                let borrower = borrowers[usize::try_from(chance(3))?];
                let id = world.uuid();
                actors.control(id, Some(2_000_00)).await?;
                let create = CreateProject {
                    name: "A heat pump".into(),
                    id: actors.instruction(),
                    project: id,
                    borrower,
                    amount: usd(2_000_00),
                    fee_max: usd(40_00),
                };
                actors.inside().create_project(&world.call(), create).await.map_err(|e| anyhow!("{e}"))?;
                world.wait(90).await?;
                projects.push(Project { id, borrower, bids: Vec::new(), lent: Vec::new(), disbursed: false });
            }
            (_, Some(n), ..) => {
                let project = projects[n].id;
                let amount = 400_00 + i64::try_from(chance(100_00))?;
                if let Ok(bid) = actors.freeze(investor, project, project, FreezePurpose::Bid, amount).await {
                    confirm(&bid).await;
                    projects[n].bids.push(bid);
                }
            }
        }
        sent += 1;
        if sent % 5 == 0 {
            world.wait(i64::try_from(5 + chance(60))?).await.ok();
        }
    }
    let struck = world.bank.faults.struck();
    world.bank.faults.clear();
    // Fair weather again: what is in doubt is asked for, what came late comes.
    for _ in 0..60 {
        world.wait(3_700).await?;
    }
    let ledger = world.proof().await?;
    let breaks = close_breaks(world, &actors).await?;
    world.wait(60).await?;
    let watch = actors.staff(world.uuid());
    let parked =
        actors.gateway().parked(&watch, platform::reader::ParkedOf {}).await.map_err(|e| anyhow!("{e}"))?;
    let custody = world.house.custody(Service::Operator);
    let open = custody.in_flight(&world.call(), InFlightOf {}).await.map_err(|e| anyhow!("{e}"))?;
    let dead = parked.iter().filter(|p| p.dead).count();
    eprintln!(
        "storm of {sent} orders, seed {seed}: struck {struck:?}; before the breaks were settled {}; {breaks} breaks \
         settled by two people, {dead} dead letters, {} orders without a last word",
        ledger.last_line(),
        open.count,
    );
    anyhow::ensure!(parked.iter().all(|p| p.dead), "something still goes round: {parked:#?}");
    anyhow::ensure!(open.count == 0, "{} orders have no last word after days of fair weather", open.count);
    world.assert_matched().await
}

/// Two people look at each break and settle it. Answers how many there were.
async fn close_breaks(world: &World, actors: &Actors<'_>) -> anyhow::Result<usize> {
    use office_api::{DecideTask, Office, QueueOf, TaskKind};
    let office = world.house.office(Service::Gateway);
    let mut settled = 0;
    loop {
        let queue = QueueOf {
            ids: Vec::new(),
            kind: Some(TaskKind::Break),
            all: false,
            page: platform::page::Page::first(100),
        };
        let (one, other) = (actors.staff(world.uuid()), actors.staff(world.uuid()));
        let open = office.queue(&one, queue).await.map_err(|e| anyhow!("{e}"))?;
        if open.is_empty() {
            return Ok(settled);
        }
        for task in open {
            for who in [&one, &other] {
                let word = DecideTask { task: task.id, approve: true, note: "the bank confirms it".into() };
                office.decide(who, word).await.map_err(|e| anyhow!("{e}"))?;
            }
            settled += 1;
        }
        world.settle().await?;
    }
}

story!(a_storm_of_faults_loses_doubles_and_invents_no_cent, |world| { storm(&world, orders(), 1).await });
