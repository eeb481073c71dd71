//! Paying a loan out: every line once, the loan begins when the last has settled; or everything goes back.

use crate::loan;
use crate::repo::{self, Disbursement, DisbursementStatus as Status, LineStatus};
use crate::service::Inner;
use chrono::NaiveDate;
use custody_api::{Custody, CustodyError, GiveUp, InstructionView, ReverseLine, Unfreeze};
use finance::Money;
use futures::FutureExt;
use investing_api::{BidView, ListingView};
use kernel::Call;
use kernel::id::{InstructionId, LineId, ListingId, LoanId, derived};
use lending_api::event::ContractLine;
use lending_api::*;
use platform::db::{Tx, WriteError};
use platform::reader::Heard;
use platform::service::Trouble;
use platform::{Fault, calendar};
use sea_orm::DbErr;
use std::collections::{BTreeMap, BTreeSet};

impl Inner {
    /// The bids become a loan and its notes, and are paid out.
    pub(crate) fn contract(&self, listing: ListingView, bids: Vec<BidView>) -> Heard {
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        Heard::write(move |tx| {
            let (outbox, listing, bids) = (outbox.clone(), listing.clone(), bids.clone());
            async move {
                let id: LoanId = derived::listing_loan(listing.id);
                if repo::maybe_loan(tx, id).await?.is_some() {
                    return Ok(());
                }
                let sum = Money::sum(listing.amount.currency(), bids.iter().map(|b| b.amount));
                if sum != Ok(listing.amount) {
                    return Err(WriteError::Refused(format!(
                        "the bids add up to {sum:?} and not to {}",
                        listing.amount
                    )));
                }
                let application = repo::maybe_application(tx, listing.application).await?;
                // Without it nobody could be kept from deciding about their own loan.
                let application =
                    application.ok_or_else(|| WriteError::Refused("the application is gone".to_string()))?;
                let (borrower_person, product) = (application.person, application.view.product);
                let view = LoanView {
                    id,
                    listing: listing.id,
                    borrower: listing.borrower,
                    terms: Terms {
                        product: product.code,
                        version: product.version,
                        principal: listing.amount,
                        rate: listing.rate,
                        term_months: listing.term_months,
                        fee: listing.fee,
                    },
                    status: LoanStatus::AwaitingDisbursement,
                    started_on: None,
                    closed_on: None,
                    outstanding: listing.amount,
                    days_past_due: 0,
                    at: now,
                };
                repo::insert_loan(tx, &view).await?;
                let note = |b: &BidView| NoteView {
                    id: derived::bid_note(b.id),
                    loan: id,
                    holder: b.investor,
                    principal: b.amount,
                    outstanding: b.amount,
                    interest_received: Money::zero(b.amount.currency()),
                    version: 1,
                };
                let notes: Vec<NoteView> = bids.iter().map(note).collect();
                repo::insert_notes(tx, &notes).await?;
                let line = |b: &BidView| ContractLine {
                    line: derived::bid_line(b.id),
                    freeze: b.freeze,
                    amount: b.amount,
                };
                let lines: Vec<ContractLine> = bids.iter().map(line).collect();
                repo::insert_disbursement(tx, id, borrower_person, &lines).await?;
                outbox.announce(tx, &LendingEvent::LoanContracted { loan: view, lines }).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// Some lines have settled; with the last one the loan runs, from the day on which it did.
    pub(crate) fn paid_out(&self, id: LoanId, paid: BTreeSet<LineId>, on: Option<NaiveDate>) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let (outbox, paid) = (outbox.clone(), paid.clone());
            async move {
                let Some((mut l, mut d)) = locked(tx, id).await? else { return Ok(()) };
                for line in d.lines.iter_mut().filter(|l| paid.contains(&l.line)) {
                    if line.status == LineStatus::Open {
                        line.status = LineStatus::Paid;
                        repo::update_line(tx, line).await?;
                    }
                }
                // Once it is to be undone, it is not begun any more.
                if !matches!(d.status, Status::Running | Status::Stuck) || d.has(LineStatus::Open) {
                    return Ok(());
                }
                d.status = Status::Done;
                repo::update_disbursement(tx, &d).await?;
                let on = match on {
                    Some(on) => on,
                    None => calendar::today(tx).await?,
                };
                let schedule =
                    loan::schedule(&l.view.terms, on).map_err(|e| WriteError::Refused(e.to_string()))?;
                (l.view.status, l.view.started_on) = (LoanStatus::Active, Some(on));
                repo::insert_instalments(tx, id, &schedule).await?;
                repo::update_loan(tx, &l).await?;
                outbox.announce(tx, &LendingEvent::LoanDisbursed { loan: l.view }).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// The custodian keeps refusing: people decide whether it is undone.
    pub(crate) fn stuck(&self, instruction: &InstructionView) -> Heard {
        let Some(project) = instruction.project else { return Heard::Done };
        let id: LoanId = derived::listing_loan(ListingId(project));
        if instruction.operation != "disburse" || instruction.order != derived::loan_disbursement(id) {
            return Heard::Done;
        }
        let (outbox, attempt): (_, InstructionId) = (self.outbox.clone(), instruction.id);
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some((l, mut d)) = locked(tx, id).await? else { return Ok(()) };
                if d.status != Status::Running {
                    return Ok(());
                }
                d.status = Status::Stuck;
                repo::update_disbursement(tx, &d).await?;
                let paid = d.lines.iter().filter(|l| l.status == LineStatus::Paid).map(|l| l.amount).sum();
                let stuck = LendingEvent::DisbursementStuck {
                    attempt,
                    borrower_person: d.borrower_person,
                    paid: Money::new(paid, l.view.outstanding.currency()),
                    loan: l.view,
                };
                outbox.announce(tx, &stuck).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// Two people have decided to undo it, or one that it should go on being tried.
    pub(crate) fn undo_decided(&self, id: LoanId, undo: bool) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some((l, mut d)) = locked(tx, id).await? else { return Ok(()) };
                // Meanwhile the rest may have been paid after all.
                if d.status != Status::Stuck {
                    return Ok(());
                }
                d.status = if undo { Status::Undoing } else { Status::Running };
                repo::update_disbursement(tx, &d).await?;
                if undo {
                    outbox.announce(tx, &LendingEvent::DisbursementUndoDecided { loan: l.view }).await?;
                }
                Ok(())
            }
            .boxed()
        })
    }

    /// Every line goes back to where it came from: what was paid is reversed, what is still frozen is unfrozen.
    pub(crate) async fn give_back(&self, call: &Call, loan: &LoanView) -> Result<(), Trouble> {
        let order = derived::loan_disbursement(loan.id);
        let given_up = self.custody.give_up(call, GiveUp { order }).await;
        let settled = given_up.map_err(|e| Trouble {
            // An attempt that somebody asked for in between ends by itself; then this goes on.
            passing: e == Fault::Refused(CustodyError::StillUnderWay),
            ..Trouble::from(e)
        })?;
        let batches: BTreeMap<LineId, InstructionId> = settled.iter().map(|l| (l.line, l.batch)).collect();
        let found = repo::maybe_disbursement(self.db.read(), loan.id).await?;
        for line in found.map_or(Vec::new(), |d| d.lines) {
            let id = derived::line_undo(line.line);
            let sent = match batches.get(&line.line) {
                Some(batch) => {
                    let amount = Money::new(line.amount, loan.outstanding.currency());
                    let reverse = ReverseLine { id, batch: *batch, line: line.line, amount };
                    self.custody.reverse_line(call, reverse).await
                }
                None => self.custody.unfreeze(call, Unfreeze { id, freeze: line.freeze }).await,
            };
            sent?;
        }
        Ok(())
    }

    /// A line is back with its investor; after the last one there is no loan.
    pub(crate) fn returned(&self, id: LoanId, line: LineId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some((mut l, mut d)) = locked(tx, id).await? else { return Ok(()) };
                let found = d.lines.iter_mut().find(|l| l.line == line);
                let Some(line) = found.filter(|l| l.status != LineStatus::Returned) else { return Ok(()) };
                line.status = LineStatus::Returned;
                repo::update_line(tx, line).await?;
                if d.has(LineStatus::Open) || d.has(LineStatus::Paid) {
                    return Ok(());
                }
                d.status = Status::Undone;
                repo::update_disbursement(tx, &d).await?;
                (l.view.status, l.view.closed_on) = (LoanStatus::Cancelled, Some(calendar::today(tx).await?));
                l.view.outstanding = Money::zero(l.view.outstanding.currency());
                repo::update_loan(tx, &l).await?;
                repo::cancel_notes(tx, id).await?;
                outbox.announce(tx, &LendingEvent::LoanUndone { loan: l.view }).await?;
                Ok(())
            }
            .boxed()
        })
    }
}

/// The loan, locked, and how it is being paid out under that lock.
async fn locked(tx: &Tx, id: LoanId) -> Result<Option<(repo::Loan, Disbursement)>, DbErr> {
    let Some(l) = repo::lock_loan(tx, id).await? else { return Ok(None) };
    Ok(repo::maybe_disbursement(tx, id).await?.map(|d| (l, d)))
}
