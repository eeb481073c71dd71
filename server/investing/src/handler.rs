//! What investing does when others announce something.

use crate::listing;
use crate::repo::{self, Listing};
use crate::service::Inner;
use custody_api::{CreateProject, Custody, CustodyEvent, InstructionStatus, InstructionView, Unfreeze};
use futures::FutureExt;
use futures::future::BoxFuture;
use investing_api::*;
use kernel::Call;
use kernel::id::{BidId, ListingId, PersonId, derived};
use ledger_api::{Ledger, OpenAccount, OpenAccounts};
use lending_api::{ApplicationOf, Lending, LendingEvent};
use office_api::{Office, OfficeEvent, OpenTask, TaskKind};
use platform::db::{Tx, WriteError};
use platform::outbox::EventRecord;
use platform::reader::{Heard, Listener};
use platform::service::Trouble;
use sea_orm::DbErr;
use std::sync::Arc;

/// Lending: what is approved becomes a listing; what is disbursed is done.
pub(crate) struct OfLending(pub(crate) Arc<Inner>);

impl Listener for OfLending {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            match event.read()? {
                LendingEvent::LoanApproved { application, borrower_person, rate, fee, expires_on } => {
                    // The event has none of what the borrower wrote.
                    let ask = ApplicationOf { application: application.id };
                    let application = self.0.lending.application(call, ask).await?;
                    let id = derived::application_listing(application.id);
                    let view = ListingView {
                        id,
                        application: application.id,
                        borrower: application.borrower,
                        amount: application.amount,
                        funded: finance::Money::zero(application.amount.currency()),
                        rate,
                        term_months: application.term_months,
                        fee,
                        purpose: application.purpose,
                        story: application.story,
                        status: ListingStatus::Open,
                        expires_on,
                        opened_at: self.0.clock.now(),
                    };
                    self.0.open_doors(call, &view).await?;
                    Ok(self.0.open_listing(view, borrower_person))
                }
                LendingEvent::LoanDisbursed { loan } => Ok(self.0.disbursed(loan.listing)),
                LendingEvent::LoanUndone { loan } => Ok(self.0.undone(loan.listing)),
                _ => Ok(Heard::Done),
            }
        }
        .boxed()
    }
}

/// Office: two people have decided on a disbursement.
pub(crate) struct OfOffice(pub(crate) Arc<Inner>);

impl Listener for OfOffice {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            Ok(match event.read()? {
                OfficeEvent::Approved { task } if task.kind == TaskKind::Disbursement => {
                    self.0.disbursing(ListingId(task.subject))
                }
                OfficeEvent::Refused { task } if task.kind == TaskKind::Disbursement => {
                    self.0.ended(ListingId(task.subject), ListingStatus::Cancelled)
                }
                _ => Heard::Done,
            })
        }
        .boxed()
    }
}

/// Custody: freezes and unfreezes have become facts, or failed.
pub(crate) struct OfCustody(pub(crate) Arc<Inner>);

impl Listener for OfCustody {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let instruction: InstructionView = match event.read()? {
                CustodyEvent::InstructionSettled { instruction, .. }
                | CustodyEvent::InstructionFailed { instruction } => instruction,
                _ => return Ok(Heard::Done),
            };
            let found = repo::bid_of_instruction(self.0.db.read(), instruction.order).await?;
            let Some(bid) = found else { return Ok(Heard::Done) };
            // An id alone does not say what was done: somebody might have used it for another order.
            let expected = if instruction.order == bid.freeze { "freeze" } else { "unfreeze" };
            if instruction.operation != expected {
                return Err(format!("{} stands under a bid's id", instruction.operation).into());
            }
            let settled = instruction.status == InstructionStatus::Settled;
            Ok(match (instruction.order == bid.freeze, settled) {
                (true, true) => self.0.frozen(bid.id),
                (true, false) => {
                    self.0.refuse_bid(bid.id, &instruction.code).await?;
                    Heard::Done
                }
                (false, true) => self.0.given_back(bid.id),
                // Custody tries it again.
                (false, false) => Heard::Done,
            })
        }
        .boxed()
    }
}

/// Our own facts ask for work elsewhere.
pub(crate) struct OfInvesting(pub(crate) Arc<Inner>);

impl Listener for OfInvesting {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            match event.read()? {
                InvestingEvent::BidReleased { bid, .. } => {
                    let unfreeze = Unfreeze { id: derived::bid_unfreeze(bid.id), freeze: bid.freeze };
                    self.0.custody.unfreeze(call, unfreeze).await?;
                }
                InvestingEvent::ListingFilled { listing, borrower_person } => {
                    let task = OpenTask {
                        id: derived::listing_disbursement_task(listing.id),
                        kind: TaskKind::Disbursement,
                        subject: listing.id.0,
                        about: format!(
                            "Pay out {} to the borrower: {} months at {}, fee {}.",
                            listing.amount, listing.term_months, listing.rate, listing.fee
                        ),
                        beneficiary: borrower_person,
                    };
                    self.0.office.open_task(call, task).await?;
                }
                _ => {}
            }
            Ok(Heard::Done)
        }
        .boxed()
    }
}

impl Inner {
    /// The listing's control account in the ledger and its project at the custodian; both before anybody can bid.
    async fn open_doors(&self, call: &Call, view: &ListingView) -> Result<(), Trouble> {
        let key = repo::control_key(view.id, view.amount.currency(), &self.custodian);
        let accounts = vec![OpenAccount { key, credit_limit: Some(view.amount.minor()) }];
        self.ledger.open_accounts(call, OpenAccounts { accounts }).await?;
        let project = CreateProject {
            id: derived::listing_project(view.id),
            project: view.id.0,
            name: view.purpose.clone(),
            borrower: view.borrower,
            amount: view.amount,
            fee_max: view.fee,
        };
        let created = self.custody.create_project(call, project).await?;
        if created.status == InstructionStatus::Settled {
            Ok(())
        } else {
            Err(format!(
                "the custodian has not registered the listing: {} {}",
                created.status.code(),
                created.code
            )
            .into())
        }
    }

    fn open_listing(&self, view: ListingView, borrower_person: PersonId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let (outbox, view) = (outbox.clone(), view.clone());
            async move {
                let listing = Listing { view, borrower_person };
                if repo::insert_listing(tx, &listing).await? {
                    outbox.announce(tx, &InvestingEvent::ListingOpened { listing: listing.view }).await?;
                }
                Ok(())
            }
            .boxed()
        })
    }

    /// A bid's freeze is a fact: it counts, or goes back.
    fn frozen(&self, id: BidId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some((mut l, mut bid)) = locked(tx, id).await? else { return Ok(()) };
                let before = bid.status;
                bid.status = listing::frozen(l.view.status, bid.status);
                if bid.status == before {
                    return Ok(());
                }
                if bid.status == BidStatus::Withdrawing {
                    bid.why = "TOO_LATE".into();
                    repo::update_bid(tx, &bid).await?;
                    outbox.announce(tx, &InvestingEvent::BidReleased { listing: l.view, bid }).await?;
                    return Ok(());
                }
                repo::update_bid(tx, &bid).await?;
                l.view.funded = l.view.funded.plus(bid.amount).map_err(|e| DbErr::Custom(e.to_string()))?;
                if l.view.funded == l.view.amount {
                    l.view.status = ListingStatus::Filled;
                }
                repo::update_listing(tx, &l.view).await?;
                let filled = l.view.status == ListingStatus::Filled;
                let mut events = vec![InvestingEvent::BidFrozen { listing: l.view.clone(), bid }];
                if filled {
                    events.push(InvestingEvent::ListingFilled {
                        listing: l.view,
                        borrower_person: l.borrower_person,
                    });
                }
                outbox.announce_all(tx, &events).await?;
                Ok(())
            }
            .boxed()
        })
    }

    fn given_back(&self, id: BidId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some((l, mut bid)) = locked(tx, id).await? else { return Ok(()) };
                if bid.status == BidStatus::Withdrawing {
                    let failed = matches!(l.view.status, ListingStatus::Cancelled | ListingStatus::Expired);
                    bid.status = if failed { BidStatus::Returned } else { BidStatus::Withdrawn };
                    repo::update_bid(tx, &bid).await?;
                    outbox.announce(tx, &InvestingEvent::BidEnded { listing: l.view, bid }).await?;
                }
                Ok(())
            }
            .boxed()
        })
    }

    /// The row decides: from here on nothing is cancelled.
    fn disbursing(&self, id: ListingId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some(mut l) = repo::lock_listing(tx, id).await? else { return Ok(()) };
                if l.view.status != ListingStatus::Filled {
                    return Ok(());
                }
                l.view.status = ListingStatus::Disbursing;
                repo::update_listing(tx, &l.view).await?;
                let bids = repo::bids_in(tx, id, BidStatus::Frozen).await?;
                outbox.announce(tx, &InvestingEvent::DisbursementDecided { listing: l.view, bids }).await?;
                Ok(())
            }
            .boxed()
        })
    }

    fn disbursed(&self, id: ListingId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some(mut l) = repo::lock_listing(tx, id).await? else { return Ok(()) };
                if l.view.status != ListingStatus::Disbursing {
                    return Ok(());
                }
                l.view.status = ListingStatus::Disbursed;
                repo::update_listing(tx, &l.view).await?;
                for mut bid in repo::bids_in(tx, id, BidStatus::Frozen).await? {
                    bid.status = BidStatus::Settled;
                    repo::update_bid(tx, &bid).await?;
                }
                outbox.announce(tx, &InvestingEvent::ListingDisbursed { listing: l.view }).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// The disbursement was undone: every investor has their money again.
    fn undone(&self, id: ListingId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some(mut l) = repo::lock_listing(tx, id).await? else { return Ok(()) };
                if l.view.status != ListingStatus::Disbursing {
                    return Ok(());
                }
                l.view.status = ListingStatus::Cancelled;
                l.view.funded = finance::Money::zero(l.view.amount.currency());
                repo::update_listing(tx, &l.view).await?;
                let mut events = vec![InvestingEvent::ListingCancelled { listing: l.view.clone() }];
                for mut bid in repo::bids_in(tx, id, BidStatus::Frozen).await? {
                    bid.status = BidStatus::Returned;
                    repo::update_bid(tx, &bid).await?;
                    events.push(InvestingEvent::BidEnded { listing: l.view.clone(), bid });
                }
                outbox.announce_all(tx, &events).await?;
                Ok(())
            }
            .boxed()
        })
    }

    fn ended(&self, id: ListingId, status: ListingStatus) -> Heard {
        let inner = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = inner.clone();
            async move {
                // Only what still looks for money can run out.
                let only_open = status == ListingStatus::Expired;
                end_listing(tx, &outbox, id, status, only_open)
                    .await
                    .map(drop)
                    .map_err(|e| e.map(|e| e.to_string()))
            }
            .boxed()
        })
    }
}

async fn locked(tx: &Tx, id: BidId) -> Result<Option<(Listing, BidView)>, DbErr> {
    let Some(bid) = repo::maybe_bid(tx, id).await? else { return Ok(None) };
    let Some(l) = repo::lock_listing(tx, bid.listing).await? else { return Ok(None) };
    // Read again under the listing's lock, which is every bid's.
    Ok(repo::maybe_bid(tx, id).await?.map(|bid| (l, bid)))
}

/// Ends a listing that was not disbursed, or only if it still looks for money; every frozen bid goes back, and what freezes
/// later goes back then.
pub(crate) async fn end_listing(
    tx: &Tx,
    outbox: &platform::outbox::Outbox,
    id: ListingId,
    status: ListingStatus,
    only_open: bool,
) -> Result<ListingView, WriteError<InvestingError>> {
    let found = repo::lock_listing(tx, id).await?;
    let mut l = found.ok_or(WriteError::Refused(InvestingError::ListingNotFound))?;
    if l.view.status == status {
        return Ok(l.view);
    }
    listing::may_cancel(l.view.status).map_err(WriteError::Refused)?;
    if only_open && l.view.status != ListingStatus::Open {
        return Err(WriteError::Refused(InvestingError::ListingNotCancellable));
    }
    l.view.status = status;
    l.view.funded = finance::Money::zero(l.view.amount.currency());
    repo::update_listing(tx, &l.view).await?;
    let ended = if status == ListingStatus::Expired {
        InvestingEvent::ListingExpired { listing: l.view.clone() }
    } else {
        InvestingEvent::ListingCancelled { listing: l.view.clone() }
    };
    let mut events = vec![ended];
    for mut bid in repo::bids_in(tx, id, BidStatus::Frozen).await? {
        bid.status = BidStatus::Withdrawing;
        repo::update_bid(tx, &bid).await?;
        events.push(InvestingEvent::BidReleased { listing: l.view.clone(), bid });
    }
    outbox.announce_all(tx, &events).await?;
    Ok(l.view)
}
