//! Bidding: written down, reserved, frozen; and taken back.

use crate::listing;
use crate::repo;
use crate::service::Inner;
use custody_api::{Custody, Freeze, FreezePurpose, InstructionOf, InstructionStatus};
use futures::FutureExt;
use futures::future::BoxFuture;
use investing_api::*;
use kernel::Call;
use kernel::call::{Role, Service};
use kernel::id::{BidId, PartyId, PersonId, derived};
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{AccountKey, AccountKind, BalancesOf, Ledger, Means, OutcomeCode};
use platform::db::WriteError;
use platform::jobs::{self, Done, Job, Worker};
use platform::service::{Trouble, published, unreadable};
use platform::{Fault, commands};
use std::sync::Arc;

impl Inner {
    pub(crate) async fn bid(&self, call: &Call, input: PlaceBid) -> Result<BidView, Fault<InvestingError>> {
        let (Some(investor), Some(person)) = (call.party(), call.person()) else {
            return Err(Fault::Forbidden);
        };
        if !call.has(Role::Investor) {
            return Err(Fault::Forbidden);
        }
        commands::client_made(input.id.0)?;
        let (id, now) = (input.id, self.clock.now());
        let known =
            repo::maybe_bid(self.db.read(), id).await.map_err(|e| unreadable(call, "read a bid", &e))?;
        if known.is_none()
            && let Err(refusal) = self.may_bid(call, investor, person, &input).await
            // The same bid, arriving twice at once, may have been taken meanwhile, and its money with it.
            && repo::maybe_bid(self.db.read(), id).await.map_err(|e| unreadable(call, "read a bid", &e))?.is_none()
        {
            return Err(refusal);
        }
        let write = self.db.write(move |tx| {
            let input = input.clone();
            async move {
                let work = async {
                    let found = repo::maybe_listing(tx, input.listing).await?;
                    let l = found.ok_or(WriteError::Refused(InvestingError::ListingNotFound))?;
                    listing::may_bid(&l.view, l.borrower_person, person, input.amount)
                        .map_err(WriteError::Refused)?;
                    let bid = BidView {
                        id: input.id,
                        listing: input.listing,
                        investor,
                        amount: input.amount,
                        status: BidStatus::Reserved,
                        why: String::new(),
                        freeze: derived::bid_freeze(input.id),
                        redirect_url: None,
                        at: now,
                    };
                    repo::insert_bid(tx, &bid, derived::bid_unfreeze(input.id)).await?;
                    let due = now + chrono::Duration::seconds(1);
                    jobs::enqueue(
                        tx,
                        Service::Investing,
                        derived::bid_job(input.id),
                        "bid",
                        &input.id,
                        due,
                        now,
                    )
                    .await?;
                    Ok(())
                };
                commands::once(
                    tx,
                    "investing",
                    input.id.0,
                    "bid",
                    &(&input, investor),
                    now,
                    InvestingError::BidIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "write a bid down", e))?;
        if let Err(e) = self.advance_bid(call, id).await {
            tracing::warn!(bid = %id, error = %e, "the first attempt at a bid failed; it is tried again");
        }
        let bid = self.bid_with_page(call, id).await?;
        match (bid.status, bid.why.as_str()) {
            (BidStatus::Refused, "INSUFFICIENT_FUNDS") => {
                Err(Fault::Refused(InvestingError::InsufficientFunds))
            }
            (BidStatus::Refused, "ACCOUNT_BLOCKED") => Err(Fault::Refused(InvestingError::AccountBlocked)),
            (BidStatus::Refused, "FULL") => {
                Err(Fault::Refused(InvestingError::ExceedsRest { rest: self.rest(call, bid.listing).await? }))
            }
            _ => Ok(bid),
        }
    }

    /// What refuses a bid before it is written down, so that the same id may be used again once it is mended.
    async fn may_bid(
        &self,
        call: &Call,
        investor: PartyId,
        person: PersonId,
        input: &PlaceBid,
    ) -> Result<(), Fault<InvestingError>> {
        let found = repo::maybe_listing(self.db.read(), input.listing).await;
        let found = found.map_err(|e| unreadable(call, "read a listing", &e))?;
        let l = found.ok_or(Fault::Refused(InvestingError::ListingNotFound))?;
        listing::may_bid(&l.view, l.borrower_person, person, input.amount).map_err(Fault::Refused)?;
        let ask = BalancesOf { owner: investor.0, as_of: None };
        let balances = self.ledger.balances(call, ask).await.map_err(|e| match e {
            Fault::Refused(_) => Fault::Internal,
            other => other.map(|_| InvestingError::InsufficientFunds),
        })?;
        match ledger_api::means(&balances, &self.custodian, input.amount) {
            Means::Enough => Ok(()),
            Means::TooLittle => Err(Fault::Refused(InvestingError::InsufficientFunds)),
            Means::Blocked => Err(Fault::Refused(InvestingError::AccountBlocked)),
        }
    }

    async fn rest(
        &self,
        call: &Call,
        id: kernel::id::ListingId,
    ) -> Result<finance::Money, Fault<InvestingError>> {
        let found = repo::maybe_listing(self.db.read(), id)
            .await
            .map_err(|e| unreadable(call, "read a listing", &e))?;
        let l = found.ok_or(Fault::Refused(InvestingError::ListingNotFound))?;
        l.view.amount.minus(l.view.funded).map_err(|e| Fault::Malformed(e.to_string()))
    }

    /// The bid, with the custodian's page where the investor is awaited there.
    async fn bid_with_page(&self, call: &Call, id: BidId) -> Result<BidView, Fault<InvestingError>> {
        let found =
            repo::maybe_bid(self.db.read(), id).await.map_err(|e| unreadable(call, "read a bid", &e))?;
        let mut bid = found.ok_or(Fault::Refused(InvestingError::BidNotFound))?;
        if bid.status == BidStatus::Reserved {
            let seen = self.custody.instruction(call, InstructionOf { id: bid.freeze, newest: false }).await;
            bid.redirect_url = seen.ok().and_then(|i| i.redirect_url);
        }
        Ok(bid)
    }

    /// Does the next thing for a bid that is merely written down. Answers whether custody has it.
    async fn advance_bid(&self, call: &Call, id: BidId) -> Result<bool, Trouble> {
        let Some(bid) = repo::maybe_bid(self.db.read(), id).await? else {
            return Ok(true);
        };
        if bid.status != BidStatus::Reserved {
            return Ok(true);
        }
        let key = |owner, kind| AccountKey {
            owner,
            currency: bid.amount.currency(),
            custodian: self.custodian.clone(),
            kind,
        };
        let debit = key(bid.investor.0, AccountKind::Available).id();
        let credit = repo::control_key(bid.listing, bid.amount.currency(), &self.custodian).id();
        let reservation = derived::bid_reservation(id);
        let reserve = Operation::Reserve {
            id: reservation,
            debit,
            credit,
            amount: bid.amount,
            code: Code::Bid,
            reference: bid.listing.0,
        };
        let batch = PostBatch {
            id: derived::bid_batch(id),
            linked: true,
            value_date: None,
            operations: vec![reserve],
        };
        let posted = self.ledger.post_batch(call, batch).await?;
        if let Some(refusal) = posted.first_refusal() {
            let why = match refusal {
                OutcomeCode::ExceedsCreditLimit => "FULL",
                OutcomeCode::DebitBlocked | OutcomeCode::AccountClosed => "ACCOUNT_BLOCKED",
                _ => "INSUFFICIENT_FUNDS",
            };
            self.refuse_bid(id, why).await?;
            return Ok(true);
        }
        let freeze = Freeze {
            id: bid.freeze,
            party: bid.investor,
            project: bid.listing.0,
            purpose: FreezePurpose::Bid,
            amount: bid.amount,
            by_hand: false,
            reservation,
        };
        let view = self.custody.freeze(call, freeze).await?;
        if matches!(
            view.status,
            InstructionStatus::Failed | InstructionStatus::Cancelled | InstructionStatus::Expired
        ) {
            self.refuse_bid(id, &view.code).await?;
        }
        Ok(true)
    }

    pub(crate) async fn refuse_bid(&self, id: BidId, why: &str) -> Result<(), Trouble> {
        let (outbox, why) = (self.outbox.clone(), why.to_string());
        let write = self.db.write(move |tx| {
            let (outbox, why) = (outbox.clone(), why.clone());
            async move {
                let Some(bid) = repo::maybe_bid(tx, id).await? else { return Ok(()) };
                let Some(l) = repo::lock_listing(tx, bid.listing).await? else { return Ok(()) };
                let Some(mut bid) = repo::maybe_bid(tx, id).await? else { return Ok(()) };
                if bid.status == BidStatus::Reserved || bid.status == BidStatus::Withdrawing {
                    (bid.status, bid.why) = (BidStatus::Refused, why);
                    repo::update_bid(tx, &bid).await?;
                    outbox.announce(tx, &InvestingEvent::BidRefused { listing: l.view, bid }).await?;
                }
                Ok::<(), WriteError<()>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }

    pub(crate) async fn withdraw_bid(
        &self,
        call: &Call,
        input: WithdrawBid,
    ) -> Result<BidView, Fault<InvestingError>> {
        let Some(investor) = call.party() else { return Err(Fault::Forbidden) };
        let outbox = self.outbox.clone();
        let write = self.db.write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let not_found = || WriteError::Refused(InvestingError::BidNotFound);
                let bid = repo::maybe_bid(tx, input.bid)
                    .await?
                    .filter(|b| b.investor == investor)
                    .ok_or_else(not_found)?;
                let mut l = repo::lock_listing(tx, bid.listing).await?.ok_or_else(not_found)?;
                let mut bid = repo::maybe_bid(tx, input.bid).await?.ok_or_else(not_found)?;
                match bid.status {
                    // Said before: the same answer.
                    BidStatus::Withdrawing | BidStatus::Withdrawn => return Ok(bid),
                    BidStatus::Frozen if l.view.status == ListingStatus::Open => {}
                    _ => return Err(WriteError::Refused(InvestingError::BidNotWithdrawable)),
                }
                bid.status = BidStatus::Withdrawing;
                repo::update_bid(tx, &bid).await?;
                l.view.funded =
                    finance::Money::new(l.view.funded.minor() - bid.amount.minor(), l.view.funded.currency());
                repo::update_listing(tx, &l.view).await?;
                outbox
                    .announce(tx, &InvestingEvent::BidReleased { listing: l.view, bid: bid.clone() })
                    .await?;
                Ok(bid)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "withdraw a bid", e))
    }
}

/// Takes bids further whose first attempt did not get through.
pub(crate) struct Bids(pub(crate) Arc<Inner>);

impl Worker for Bids {
    fn work<'a>(&'a self, call: &'a Call, job: &'a Job) -> BoxFuture<'a, Result<Done, Trouble>> {
        async move {
            let id: BidId = serde_json::from_str(&job.body)?;
            self.0.advance_bid(call, id).await?;
            Ok(Done::Finished)
        }
        .boxed()
    }
}
