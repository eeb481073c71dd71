//! The published methods.

use crate::bid::Bids;
use crate::handler::{self, OfCustody, OfInvesting, OfLending, OfOffice};
use crate::repo;
use custody_api::CustodyClient;
use futures::FutureExt;
use investing_api::*;
use kernel::Call;
use kernel::call::{Role, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use ledger_api::LedgerClient;
use lending_api::LendingClient;
use office_api::OfficeClient;
use platform::db::{Db, WriteError};
use platform::jobs::Jobs;
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::reader::{DeadLetter, Ears, ParkedOf, Source, Unpark};
use platform::service::{published, unreadable};
use platform::work::SharedLoop;
use platform::{Answer, Fault};
use std::sync::Arc;

/// What investing is made of.
pub struct Parts {
    pub db: Db,
    pub outbox: Outbox,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub ledger: LedgerClient,
    pub custody: CustodyClient,
    pub office: OfficeClient,
    pub lending: LendingClient,
    /// The custodian in whose accounts new listings are funded.
    pub custodian: String,
    /// Whose events it reads: lending, office, custody, its own.
    pub sources: [Source; 4],
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) outbox: Outbox,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) ledger: LedgerClient,
    pub(crate) custody: CustodyClient,
    pub(crate) office: OfficeClient,
    pub(crate) lending: LendingClient,
    pub(crate) custodian: String,
}

/// Investing, running.
pub struct InvestingService {
    inner: Arc<Inner>,
    sources: [Source; 4],
}

impl InvestingService {
    pub fn new(parts: Parts) -> InvestingService {
        let Parts { db, outbox, clock, entropy, ledger, custody, office, lending, custodian, sources } =
            parts;
        InvestingService {
            inner: Arc::new(Inner {
                db,
                outbox,
                clock,
                entropy,
                ledger,
                custody,
                office,
                lending,
                custodian,
            }),
            sources,
        }
    }

    pub fn loops(&self) -> Vec<SharedLoop> {
        let i = &self.inner;
        let [lending, office, custody, own] = self.sources.clone();
        let ears = Ears {
            owner: Service::Investing,
            db: i.db.clone(),
            clock: i.clock.clone(),
            entropy: i.entropy.clone(),
        };
        vec![
            ears.hear("lending", lending, OfLending(i.clone())),
            ears.hear("office", office, OfOffice(i.clone())),
            ears.hear("custody", custody, OfCustody(i.clone())),
            ears.hear("investing", own, OfInvesting(i.clone())),
            Arc::new(Jobs {
                service: Service::Investing,
                worker: Arc::new(Bids(i.clone())),
                db: i.db.clone(),
                clock: i.clock.clone(),
                entropy: i.entropy.clone(),
            }),
        ]
    }
}

impl Investing for InvestingService {
    fn bid<'a>(&'a self, call: &'a Call, input: PlaceBid) -> Answer<'a, BidView, InvestingError> {
        async move { self.inner.bid(call, input).await }.boxed()
    }

    fn withdraw_bid<'a>(&'a self, call: &'a Call, input: WithdrawBid) -> Answer<'a, BidView, InvestingError> {
        async move { self.inner.withdraw_bid(call, input).await }.boxed()
    }

    fn cancel_listing<'a>(
        &'a self,
        call: &'a Call,
        input: CancelListing,
    ) -> Answer<'a, ListingView, InvestingError> {
        async move {
            // Everything goes back to whom it belongs: no second person is needed for that.
            let staff = call.has_any(&[Role::CreditSupervisor, Role::Operations]);
            if !staff {
                let found = repo::maybe_listing(self.inner.db.read(), input.listing).await;
                let found = found.map_err(|e| unreadable(call, "read a listing", &e))?;
                let borrower = found.map(|l| l.view.borrower);
                if borrower.is_none() || borrower != call.party() {
                    return Err(Fault::Forbidden);
                }
            }
            let outbox = self.inner.outbox.clone();
            let write = self.inner.db.write(move |tx| {
                let outbox = outbox.clone();
                async move {
                    handler::end_listing(tx, &outbox, input.listing, ListingStatus::Cancelled, !staff).await
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "cancel a listing", e))
        }
        .boxed()
    }

    fn listing<'a>(&'a self, call: &'a Call, input: ListingOf) -> Answer<'a, ListingView, InvestingError> {
        async move {
            let found = repo::maybe_listing(self.inner.db.read(), input.listing).await;
            let found = found.map_err(|e| unreadable(call, "read a listing", &e))?;
            found.map(|l| l.view).ok_or(Fault::Refused(InvestingError::ListingNotFound))
        }
        .boxed()
    }

    fn listings<'a>(
        &'a self,
        call: &'a Call,
        input: ListingsOf,
    ) -> Answer<'a, Vec<ListingView>, InvestingError> {
        async move {
            let found = repo::listings(self.inner.db.read(), &input).await;
            Ok(found
                .map_err(|e| unreadable(call, "read listings", &e))?
                .into_iter()
                .map(|l| l.view)
                .collect())
        }
        .boxed()
    }

    fn currencies<'a>(
        &'a self,
        call: &'a Call,
        _: CurrenciesOf,
    ) -> Answer<'a, Vec<finance::Currency>, InvestingError> {
        async move {
            let found = repo::currencies(self.inner.db.read()).await;
            found.map_err(|e| unreadable(call, "read currencies", &e))
        }
        .boxed()
    }

    fn bids<'a>(&'a self, call: &'a Call, input: BidsOf) -> Answer<'a, Vec<BidView>, InvestingError> {
        async move {
            let staff = call.is_staff();
            let own = input.investor.is_some() && input.investor == call.party();
            if call.caller == Service::Gateway && !staff && !own {
                return Err(Fault::Forbidden);
            }
            repo::bids(self.inner.db.read(), &input).await.map_err(|e| unreadable(call, "read bids", &e))
        }
        .boxed()
    }

    fn run_day<'a>(&'a self, call: &'a Call, input: RunDay) -> Answer<'a, (), InvestingError> {
        async move {
            if call.caller == Service::Gateway {
                return Err(Fault::Forbidden);
            }
            let ids = repo::expiring(self.inner.db.read(), input.date).await;
            for id in ids.map_err(|e| unreadable(call, "find what expires", &e))? {
                let outbox = self.inner.outbox.clone();
                let write = self.inner.db.write(move |tx| {
                    let outbox = outbox.clone();
                    async move { handler::end_listing(tx, &outbox, id, ListingStatus::Expired, true).await }
                        .boxed()
                });
                match write.await {
                    // Filled between the look and the lock: then it does not expire.
                    Ok(_) | Err(WriteError::Refused(_)) => {}
                    Err(e) => return Err(published(call, "expire a listing", e)),
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn parked<'a>(&'a self, call: &'a Call, _: ParkedOf) -> Answer<'a, Vec<DeadLetter>, InvestingError> {
        async move { platform::reader::parked(call, &self.inner.db, Service::Investing).await }.boxed()
    }

    fn unpark<'a>(&'a self, call: &'a Call, input: Unpark) -> Answer<'a, bool, InvestingError> {
        async move {
            let now = self.inner.clock.now();
            platform::reader::unpark(call, &self.inner.db, Service::Investing, input, now).await
        }
        .boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, InvestingError> {
        async move {
            platform::outbox::for_services(call)?;
            self.inner
                .outbox
                .events(self.inner.db.read(), &input)
                .await
                .map_err(|e| unreadable(call, "read events", &e))
        }
        .boxed()
    }
}
