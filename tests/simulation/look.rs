//! The books after a day, and whether the lists of the API say the same.

use crate::people::Sim;
use anyhow::{anyhow, ensure};
use custody_api::{OwnerLine, Verdict};
use investing_api::*;
use kernel::call::Service;
use lending_api::*;
use platform::db::Sql;
use platform::page::Page;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tests::town::Town;
use tests::world::World;

/// Nothing is broken, and every list and filter agrees with what it is a list of.
pub async fn books(sim: &mut Sim) -> anyhow::Result<()> {
    let report = sim.world.proof().await?;
    ensure!(report.verdict != Verdict::Broken, "{}\n{:#?}", report.last_line(), report.findings);
    ensure!(report.lines.iter().all(OwnerLine::matches), "{:#?}", report.lines);
    lists(sim).await
}

async fn lists(sim: &Sim) -> anyhow::Result<()> {
    let (world, house) = (&sim.world, &sim.world.house);
    let (investing, lending) = (house.investing(Service::Operator), house.lending(Service::Operator));
    let all = ListingsOf::all(Page::first(100));
    let listings = investing.listings(&world.call(), all.clone()).await.map_err(|e| anyhow!("{e}"))?;
    // A filter shows what the whole list shows of its kind, neither more nor less.
    for status in [
        ListingStatus::Open,
        ListingStatus::Filled,
        ListingStatus::Disbursing,
        ListingStatus::Disbursed,
        ListingStatus::Expired,
        ListingStatus::Cancelled,
    ] {
        let ask = ListingsOf { status: Some(status), ..all.clone() };
        let some = investing.listings(&world.call(), ask).await.map_err(|e| anyhow!("{e}"))?;
        let expected: Vec<ListingView> = listings.iter().filter(|l| l.status == status).cloned().collect();
        ensure!(some == expected, "listings that are {status:?}: {} against {}", some.len(), expected.len());
    }
    for listing in &listings {
        ensure!(listing.funded.minor() <= listing.amount.minor(), "{listing:?} is overfunded");
        let ask = BidsOf { investor: None, listing: Some(listing.id), page: Page::first(100) };
        let bids = investing.bids(&world.call(), ask).await.map_err(|e| anyhow!("{e}"))?;
        let counts = |b: &&BidView| matches!(b.status, BidStatus::Frozen | BidStatus::Settled);
        let sum: i64 = bids.iter().filter(counts).map(|b| b.amount.minor()).sum();
        let live =
            matches!(listing.status, ListingStatus::Open | ListingStatus::Filled | ListingStatus::Disbursed);
        ensure!(!live || sum == listing.funded.minor(), "{listing:?}\nhas bids of {sum}: {bids:#?}");
        let unfinished = listing.status == ListingStatus::Filled && sum != listing.amount.minor();
        ensure!(!unfinished, "{listing:?} is filled by {sum}");
    }
    let ask = LoansOf { ids: Vec::new(), borrower: None, status: None, page: Page::first(100) };
    let loans = lending.loans(&world.call(), ask.clone()).await.map_err(|e| anyhow!("{e}"))?;
    let mut owed: BTreeMap<_, i64> = BTreeMap::new();
    for loan in &loans {
        let notes = NotesOf { holder: None, loan: Some(loan.id) };
        let notes = lending.notes(&world.call(), notes).await.map_err(|e| anyhow!("{e}"))?;
        let out: i64 = notes.iter().map(|n| n.outstanding.minor()).sum();
        ensure!(out == loan.outstanding.minor(), "the notes of {loan:?} owe {out}");
        for note in &notes {
            ensure!(note.outstanding.minor() >= 0, "{note:?}");
            *owed.entry(note.holder).or_default() += note.outstanding.minor();
        }
        let schedule = lending.schedule(&world.call(), LoanOf { loan: loan.id }).await;
        let schedule = schedule.map_err(|e| anyhow!("{e}"))?;
        if matches!(loan.status, LoanStatus::Active | LoanStatus::Overdue) {
            let left: i64 = schedule
                .iter()
                .filter(|i| i.status == InstalmentStatus::Scheduled)
                .map(|i| i.principal.minor())
                .sum();
            let busy = lending.repayments(&world.call(), LoanOf { loan: loan.id }).await;
            let busy = busy
                .map_err(|e| anyhow!("{e}"))?
                .iter()
                .any(|r| !matches!(r.status, RepaymentStatus::Settled | RepaymentStatus::Failed));
            ensure!(
                busy || left == loan.outstanding.minor(),
                "{loan:?}\nstill has {left} to come: {schedule:#?}"
            );
        }
        if loan.status == LoanStatus::Closed {
            ensure!(loan.outstanding.minor() == 0, "{loan:?} is closed and owes");
        }
    }
    for status in [LoanStatus::Active, LoanStatus::Overdue, LoanStatus::Closed] {
        let some = lending.loans(&world.call(), LoansOf { status: Some(status), ..ask.clone() }).await;
        let some = some.map_err(|e| anyhow!("{e}"))?;
        let expected: Vec<LoanView> = loans.iter().filter(|l| l.status == status).cloned().collect();
        ensure!(some == expected, "loans that are {status:?}: {} against {}", some.len(), expected.len());
    }
    // What each investor's own portfolio says is what the notes say.
    for who in &sim.investors {
        let call = Town(world).call(who);
        let seen = house.lending(Service::Gateway).portfolio(&call, PortfolioOf { holder: who.party }).await;
        let seen: i64 = seen.map_err(|e| anyhow!("{e}"))?.iter().map(|p| p.invested.minor()).sum();
        let expected = owed.get(&who.party).copied().unwrap_or(0);
        ensure!(seen == expected, "the portfolio of {} says {seen}, its notes {expected}", who.party);
    }
    Ok(())
}

/// Over every entry of the ledger in its order, and how many there are.
pub async fn hash(world: &World) -> anyhow::Result<(String, i64)> {
    let sql = "SELECT position, id, kind, debit, credit, amount, code, reference, batch FROM ledger_transfer ORDER BY position";
    let mut hash = Sha256::new();
    let mut entries = 0;
    for row in world.house.db.read().all(sql, []).await? {
        let (position, amount): (i64, i64) = (row.try_get_by_index(0)?, row.try_get_by_index(5)?);
        hash.update(position.to_be_bytes());
        hash.update(amount.to_be_bytes());
        for column in [1, 3, 4, 7, 8] {
            let id: uuid::Uuid = row.try_get_by_index(column)?;
            hash.update(id.as_bytes());
        }
        for column in [2, 6] {
            let text: String = row.try_get_by_index(column)?;
            hash.update(text.as_bytes());
        }
        entries += 1;
    }
    Ok((hex::encode(hash.finalize()), entries))
}
