//! The books after a day, and whether the lists of the API say the same.

use crate::people::Sim;
use anyhow::{anyhow, ensure};
use custody_api::{OwnerLine, Verdict};
use investing_api::*;
use kernel::call::Service;
use kernel::id::derived;
use lending_api::*;
use platform::db::Sql;
use platform::page::{Mark, Page};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tests::town::Town;
use tests::world::World;

/// Nothing is broken, and every list and filter agrees with what it is a list of.
pub async fn books(sim: &mut Sim) -> anyhow::Result<()> {
    proved(&sim.world).await?;
    lists(sim).await
}

/// Both books agree, whatever is on its way; a break may wait for the two people who settle it.
pub async fn proved_so_far(world: &World) -> anyhow::Result<()> {
    let report = world.proof().await?;
    let waits = report.findings.iter().all(|f| f.what.starts_with("an open break"));
    let broken = report.verdict == Verdict::Broken && !waits;
    ensure!(!broken, "{}\n{:#?}", report.last_line(), report.findings);
    ensure!(report.lines.iter().all(OwnerLine::matches), "{:#?}", report.lines);
    Ok(())
}

/// Both books agree.
async fn proved(world: &World) -> anyhow::Result<()> {
    let report = world.proof().await?;
    ensure!(report.verdict != Verdict::Broken, "{}\n{:#?}", report.last_line(), report.findings);
    ensure!(report.lines.iter().all(OwnerLine::matches), "{:#?}", report.lines);
    Ok(())
}

/// Every page of a list.
macro_rules! every {
    ($service:expr, $list:ident, $call:expr, $ask:expr, $at:ident) => {{
        let mut all = Vec::new();
        let mut ask = $ask;
        loop {
            let some = $service.$list(&$call, ask.clone()).await.map_err(|e| anyhow!("{e}"))?;
            let whole = some.len() < 100;
            all.extend(some);
            match all.last() {
                Some(last) if !whole => ask.page.after = Some(Mark::at(last.$at, last.id.0)),
                _ => break all,
            }
        }
    }};
}

/// After days of fair weather nobody waits for anything any more.
pub async fn nothing_under_way(sim: &Sim) -> anyhow::Result<()> {
    let (world, house) = (&sim.world, &sim.world.house);
    let (investing, lending) = (house.investing(Service::Operator), house.lending(Service::Operator));
    let bids = BidsOf { investor: None, listing: None, page: Page::first(100) };
    for bid in every!(investing, bids, world.call(), bids, at) {
        let waits = matches!(bid.status, BidStatus::Reserved | BidStatus::Withdrawing);
        ensure!(!waits, "it is not known what became of {bid:?}");
    }
    let listings = every!(investing, listings, world.call(), ListingsOf::all(Page::first(100)), opened_at);
    let asked = ApplicationsOf {
        ids: Vec::new(),
        borrower: None,
        status: Some(ApplicationStatus::Approved),
        page: Page::first(100),
    };
    for application in every!(lending, applications, world.call(), asked, at) {
        let offered = derived::application_listing(application.id);
        ensure!(listings.iter().any(|l| l.id == offered), "{application:?} is approved and nobody can lend");
    }
    for listing in listings {
        ensure!(listing.status != ListingStatus::Disbursing, "the payout of {listing:?} does not end");
    }
    let ask = LoansOf { ids: Vec::new(), borrower: None, status: None, page: Page::first(100) };
    for loan in every!(lending, loans, world.call(), ask, at) {
        ensure!(loan.status != LoanStatus::AwaitingDisbursement, "{loan:?} is paid out for ever");
        let all = lending.repayments(&world.call(), LoanOf { loan: loan.id }).await;
        for repayment in all.map_err(|e| anyhow!("{e}"))? {
            let over = matches!(repayment.status, RepaymentStatus::Settled | RepaymentStatus::Failed);
            ensure!(over, "it is not known what became of {repayment:?}");
        }
    }
    Ok(())
}

/// Interest of a month by the terms, in minor units, to the nearest and halves up: reckoned here in whole numbers, and not
/// by what the product reckons with.
fn a_months_interest(balance: i64, rate: finance::Rate) -> i128 {
    let exact = i128::from(balance) * i128::from(rate.ppm());
    let unit = 12 * 1_000_000;
    (exact + unit / 2) / unit
}

async fn lists(sim: &Sim) -> anyhow::Result<()> {
    let (world, house) = (&sim.world, &sim.world.house);
    let (investing, lending) = (house.investing(Service::Operator), house.lending(Service::Operator));
    let all = ListingsOf::all(Page::first(100));
    let listings = every!(investing, listings, world.call(), all.clone(), opened_at);
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
        let some = every!(investing, listings, world.call(), ask, opened_at);
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
    let loans = every!(lending, loans, world.call(), ask.clone(), at);
    let mut owed: BTreeMap<_, i64> = BTreeMap::new();
    // Whether no payment is under way anywhere.
    let mut quiet = true;
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
        let mut balance = loan.terms.principal.minor();
        for i in &schedule {
            let interest = a_months_interest(balance, loan.terms.rate);
            ensure!(i128::from(i.interest.minor()) == interest, "{i:?} of {loan:?} bears {interest}");
            balance -= i.principal.minor();
        }
        ensure!(balance == 0, "the schedule of {loan:?} leaves {balance}");
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
            quiet &= !busy;
            ensure!(
                busy || left == loan.outstanding.minor(),
                "{loan:?}\nstill has {left} to come: {schedule:#?}"
            );
        }
        quiet &= loan.status != LoanStatus::AwaitingDisbursement;
        if loan.status == LoanStatus::Closed {
            ensure!(loan.outstanding.minor() == 0, "{loan:?} is closed and owes");
        }
    }
    for status in [LoanStatus::Active, LoanStatus::Overdue, LoanStatus::Closed] {
        let some = every!(lending, loans, world.call(), LoansOf { status: Some(status), ..ask.clone() }, at);
        let expected: Vec<LoanView> = loans.iter().filter(|l| l.status == status).cloned().collect();
        ensure!(some == expected, "loans that are {status:?}: {} against {}", some.len(), expected.len());
    }
    // What each investor's own portfolio says is what the notes say.
    for who in &sim.investors {
        let call = Town(world).call(who);
        let seen = house.lending(Service::Gateway).portfolio(&call, PortfolioOf { holder: who.party }).await;
        let seen = seen.map_err(|e| anyhow!("{e}"))?;
        let ahead: i64 = seen.iter().flat_map(|p| &p.expected).map(|e| e.principal.minor()).sum();
        let seen: i64 = seen.iter().map(|p| p.invested.minor()).sum();
        ensure!(!quiet || ahead == seen, "{} has {seen} out, and {ahead} is foreseen", who.party);
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
