//! The close of a business day.

use anyhow::{anyhow, ensure};
use chrono::Days;
use finance::{Currency, Money};
use kernel::call::{Actor, Call, Role, Service};
use kernel::id::{PartyId, PersonId, SessionId};
use lending_api::{InstalmentStatus, InstalmentView, Lending, LoanOf};
use office_api::{
    CloseDay, CloseFinding, CloseStatus, CloseStep, CloseView, DayOf, Office, OfficeError, Today,
};
use platform::{Fault, WriteError};
use tests::story;
use tests::town::{Town, running};
use tests::world::World;

fn call(world: &World, roles: &[Role]) -> Call {
    let actor = Actor::Person {
        party: PartyId(world.uuid()),
        person: PersonId(world.uuid()),
        session: SessionId(world.uuid()),
        roles: roles.iter().copied().collect(),
    };
    Call { actor, ..world.call() }
}

async fn day(world: &World, date: chrono::NaiveDate) -> anyhow::Result<CloseView> {
    let found = world.house.office(Service::Operator).day(&world.call(), DayOf { date: Some(date) }).await;
    found.map_err(|e| anyhow!("{e}"))?.ok_or_else(|| anyhow!("no close of {date}"))
}

story!(a_day_is_closed_once_by_those_who_may_and_goes_on_after_a_stop, |world| {
    let office = world.house.office(Service::Gateway);
    let today = || async { office.today(&world.call(), Today {}).await.map_err(|e| anyhow!("{e}")) };
    let date = today().await?;
    let operations = call(&world, &[Role::Operations]);

    for roles in [&[Role::Investor][..], &[Role::CreditOfficer], &[Role::Auditor], &[]] {
        let refused = office.close_day(&call(&world, roles), CloseDay { date }).await;
        assert_eq!(refused, Err(Fault::Forbidden), "{roles:?}");
    }
    let wrong = office.close_day(&operations, CloseDay { date: date + Days::new(1) }).await;
    assert_eq!(wrong, Err(Fault::Refused(OfficeError::DayDiffers { today: date })));

    // Lending is down: the close comes as far as its step and waits there.
    world.house.stop_service(Service::Lending).await;
    let begun = office.close_day(&operations, CloseDay { date }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!((begun.status, begun.next), (CloseStatus::Running, date + Days::new(1)));
    world.settle().await.expect_err("those who listen to lending complain");
    let half = day(&world, date).await?;
    let done: Vec<CloseStep> = half.steps.iter().map(|s| s.step).collect();
    assert_eq!((half.status, &done[..]), (CloseStatus::Running, &CloseStep::ALL[..6]));

    world.house.start_service(Service::Lending);
    world.wait(2).await?;
    let whole = day(&world, date).await?;
    assert_eq!((whole.status, whole.steps.len()), (CloseStatus::Done, CloseStep::ALL.len()));
    assert_eq!(whole.steps[..6], half.steps[..], "what was done is not done again");
    assert_eq!(whole.steps[1].finding, Some(CloseFinding::BooksMatched));
    assert_eq!(today().await?, date + Days::new(1));

    // Asked again, it is the same close and no second day goes by.
    let again = office.close_day(&operations, CloseDay { date }).await.map_err(|e| anyhow!("{e}"))?;
    assert_eq!(again, whole);
    world.wait(5).await?;
    assert_eq!(today().await?, date + Days::new(1));
    world.assert_matched().await
});

/// How often a close is cut off: a slice for every change, more before a claim.
fn days() -> u32 {
    let full = std::env::var("COUNTERFOIL_TEST_LENGTH").is_ok_and(|l| l == "full");
    let asked = std::env::var("COUNTERFOIL_TEST_CLOSES").ok().and_then(|n| n.parse().ok());
    asked.unwrap_or(if full { 25 } else { 4 })
}

/// Whoever held the work is gone, and after a minute that is known. On PostgreSQL it is a minute of the database's own time,
/// which no test can wind forward: the lease is taken back instead.
async fn lease_ends(world: &World) -> anyhow::Result<()> {
    world.clock.advance(chrono::Duration::minutes(2));
    let write = world.house.db.write(|tx| {
        Box::pin(async move {
            for service in [Service::Office, Service::Lending, Service::Investing, Service::Custody] {
                platform::jobs::release_all(tx, service).await?;
            }
            Ok::<(), WriteError<()>>(())
        })
    });
    write.await.map_err(|e| anyhow!("{e:?}"))
}

// What is under way is dropped where it stands, the services end, and others begin from what the database says.
story!(a_close_that_is_cut_off_anywhere_is_done_once, |world| {
    let mut world = world;
    let (borrower, _, loan) = running(&Town(&world), Currency::USD, 100).await?;
    let me = Town(&world).call(&borrower);
    let schedule = world.house.lending(Service::Gateway).schedule(&me, LoanOf { loan }).await;
    let due = schedule.map_err(|e| anyhow!("{e}"))?[0].due;
    Town(&world).top_up(&borrower, Money::new(5_000_00, Currency::USD)).await?;
    let before = Town(&world).money(borrower.party).await?;
    // The due date lies among the days that are cut off.
    Town(&world).day(due - Days::new(u64::from(days() / 2))).await?;
    let mut cuts = 0;
    for _ in 0..days() {
        let date = Town(&world).today().await?;
        let operations = call(&world, &[Role::Operations]);
        let office = world.house.office(Service::Gateway);
        office.close_day(&operations, CloseDay { date }).await.map_err(|e| anyhow!("{e}"))?;
        for _ in 0..3 {
            let moment = std::time::Duration::from_micros(world.entropy.below(60_000));
            if tokio::time::timeout(moment, world.settle()).await.is_err() {
                cuts += 1;
                world.restart().await?;
                lease_ends(&world).await?;
            }
        }
        for _ in 0..20 {
            if day(&world, date).await?.status == CloseStatus::Done {
                break;
            }
            world.wait(40).await?;
        }
        let closed = day(&world, date).await?;
        let steps: Vec<CloseStep> = closed.steps.iter().map(|s| s.step).collect();
        assert_eq!((closed.status, &steps[..]), (CloseStatus::Done, &CloseStep::ALL[..]), "{date}");
        assert_eq!(Town(&world).today().await?, date + Days::new(1));
    }
    world.wait(40).await?;
    let me = Town(&world).call(&borrower);
    let schedule = world.house.lending(Service::Gateway).schedule(&me, LoanOf { loan }).await;
    let paid: Vec<InstalmentView> = schedule.map_err(|e| anyhow!("{e}"))?;
    let paid: Vec<&InstalmentView> = paid.iter().filter(|i| i.status == InstalmentStatus::Paid).collect();
    assert_eq!(paid.len(), 1, "{paid:?}");
    let instalment = paid[0].interest.plus(paid[0].principal)?;
    assert_eq!(Town(&world).money(borrower.party).await?, before - instalment.minor(), "taken once");
    eprintln!("{} days closed, cut off {cuts} times", days());
    world.assert_matched().await
});

story!(a_break_halts_the_close_until_it_is_settled, |world| {
    use platform::db::Sql;
    let office = world.house.office(Service::Gateway);
    let date = office.today(&world.call(), Today {}).await.map_err(|e| anyhow!("{e}"))?;
    let operations = call(&world, &[Role::Operations]);
    // A link of the chain that nobody posted.
    let tamper = |text: &'static str, values: Vec<sea_orm::Value>| {
        let db = world.house.db.clone();
        async move {
            let write = db.write(move |tx| {
                let values = values.clone();
                Box::pin(async move { tx.run(text, values).await.map(drop).map_err(WriteError::<()>::from) })
            });
            write.await.map_err(|e| anyhow!("{e:?}"))
        }
    };
    let link = "INSERT INTO ledger_link (link, first_position, last_position, hash) VALUES (1, 1, 1, $1)";
    tamper(link, vec![vec![0u8; 32].into()]).await?;
    office.close_day(&operations, CloseDay { date }).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    let halted = day(&world, date).await?;
    assert_eq!(halted.status, CloseStatus::Halted);
    ensure!(matches!(halted.finding, Some(CloseFinding::BooksBroken { .. })), "{:?}", halted.finding);
    assert_eq!(office.today(&world.call(), Today {}).await, Ok(date), "the day is not over");

    tamper("DELETE FROM ledger_link", vec![]).await?;
    office.close_day(&operations, CloseDay { date }).await.map_err(|e| anyhow!("{e}"))?;
    world.settle().await?;
    assert_eq!(day(&world, date).await?.status, CloseStatus::Done);
    Ok(())
});
