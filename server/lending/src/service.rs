//! The published methods.

use crate::application::may_read;
use crate::handler::{OfCustody, OfInvesting, OfLending, OfOffice};
use crate::repayment::Repayments;
use crate::repo;
use custody_api::CustodyClient;
use futures::FutureExt;
use kernel::Call;
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::PartyId;
use ledger_api::LedgerClient;
use lending_api::*;
use office_api::OfficeClient;
use platform::db::Db;
use platform::jobs::Jobs;
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::reader::{DeadLetter, Ears, ParkedOf, Source, Unpark};
use platform::service::unreadable;
use platform::work::SharedLoop;
use platform::{Answer, Fault};
use std::sync::Arc;

/// What lending is made of.
pub struct Parts {
    pub db: Db,
    pub outbox: Outbox,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub ledger: LedgerClient,
    pub custody: CustodyClient,
    pub office: OfficeClient,
    pub custodian: String,
    /// Whose events it reads: its own, office, investing, custody.
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
    pub(crate) custodian: String,
}

/// Lending, running.
pub struct LendingService {
    inner: Arc<Inner>,
    sources: [Source; 4],
}

impl LendingService {
    pub fn new(parts: Parts) -> LendingService {
        let Parts { db, outbox, clock, entropy, ledger, custody, office, custodian, sources } = parts;
        LendingService {
            inner: Arc::new(Inner { db, outbox, clock, entropy, ledger, custody, office, custodian }),
            sources,
        }
    }

    pub fn loops(&self) -> Vec<SharedLoop> {
        let i = &self.inner;
        let [own, office, investing, custody] = self.sources.clone();
        let ears = Ears {
            owner: Service::Lending,
            db: i.db.clone(),
            clock: i.clock.clone(),
            entropy: i.entropy.clone(),
        };
        vec![
            ears.hear("lending", own, OfLending(i.clone())),
            ears.hear("office", office, OfOffice(i.clone())),
            ears.hear("investing", investing, OfInvesting(i.clone())),
            ears.hear("custody", custody, OfCustody(i.clone())),
            Arc::new(Jobs {
                service: Service::Lending,
                worker: Arc::new(Repayments(i.clone())),
                db: i.db.clone(),
                clock: i.clock.clone(),
                entropy: i.entropy.clone(),
            }),
        ]
    }
}

/// One's own, or anybody's for staff and services.
fn may_list(call: &Call, whose: Option<PartyId>) -> bool {
    let staff = call.is_staff();
    call.caller != Service::Gateway || staff || (whose.is_some() && whose == call.party())
}

impl Lending for LendingService {
    fn products<'a>(&'a self, _: &'a Call, _: ProductsOf) -> Answer<'a, Vec<Product>, LendingError> {
        let products =
            CURRENCIES.iter().filter_map(|code| code.parse().ok()).map(Product::personal).collect();
        async move { Ok(products) }.boxed()
    }

    fn portfolio<'a>(
        &'a self,
        call: &'a Call,
        input: PortfolioOf,
    ) -> Answer<'a, Vec<PortfolioView>, LendingError> {
        async move {
            if !may_list(call, Some(input.holder)) {
                return Err(Fault::Forbidden);
            }
            self.inner.portfolio(call, input).await
        }
        .boxed()
    }

    fn save_draft<'a>(&'a self, call: &'a Call, input: SaveDraft) -> Answer<'a, DraftView, LendingError> {
        async move { self.inner.save_draft(call, input).await }.boxed()
    }

    fn discard_draft<'a>(&'a self, call: &'a Call, input: DiscardDraft) -> Answer<'a, (), LendingError> {
        async move { self.inner.discard_draft(call, input).await }.boxed()
    }

    fn draft<'a>(&'a self, call: &'a Call, _: DraftOf) -> Answer<'a, Option<DraftView>, LendingError> {
        async move { self.inner.draft(call).await }.boxed()
    }

    fn apply<'a>(&'a self, call: &'a Call, input: Apply) -> Answer<'a, ApplicationView, LendingError> {
        async move { self.inner.apply(call, input).await }.boxed()
    }

    fn withdraw_application<'a>(
        &'a self,
        call: &'a Call,
        input: ApplicationOf,
    ) -> Answer<'a, ApplicationView, LendingError> {
        async move { self.inner.withdraw_application(call, input).await }.boxed()
    }

    fn propose_rate<'a>(
        &'a self,
        call: &'a Call,
        input: ProposeRate,
    ) -> Answer<'a, ApplicationView, LendingError> {
        async move { self.inner.propose_rate(call, input).await }.boxed()
    }

    fn application<'a>(
        &'a self,
        call: &'a Call,
        input: ApplicationOf,
    ) -> Answer<'a, ApplicationView, LendingError> {
        async move {
            let found = repo::maybe_application(self.inner.db.read(), input.application).await;
            let found = found.map_err(|e| unreadable(call, "read an application", &e))?;
            let seen = found.filter(|a| may_read(call, a.view.borrower));
            seen.map(|a| a.view).ok_or(Fault::Refused(LendingError::ApplicationNotFound))
        }
        .boxed()
    }

    fn applications<'a>(
        &'a self,
        call: &'a Call,
        input: ApplicationsOf,
    ) -> Answer<'a, Vec<ApplicationView>, LendingError> {
        async move {
            let read = |e: sea_orm::DbErr| unreadable(call, "read applications", &e);
            if may_list(call, input.borrower) {
                return repo::applications(self.inner.db.read(), &input).await.map_err(read);
            }
            // By their ids one may ask for any, and gets one's own.
            let Some(me) = call.party().filter(|_| !input.ids.is_empty()) else {
                return Err(Fault::Forbidden);
            };
            let own = ApplicationsOf { borrower: Some(me), ..input };
            repo::applications(self.inner.db.read(), &own).await.map_err(read)
        }
        .boxed()
    }

    fn loan<'a>(&'a self, call: &'a Call, input: LoanOf) -> Answer<'a, LoanView, LendingError> {
        async move { self.readable(call, input).await.map(|l| l.view) }.boxed()
    }

    fn loans<'a>(&'a self, call: &'a Call, input: LoansOf) -> Answer<'a, Vec<LoanView>, LendingError> {
        async move {
            let read = |e: sea_orm::DbErr| unreadable(call, "read loans", &e);
            if may_list(call, input.borrower) {
                return repo::loans(self.inner.db.read(), &input).await.map_err(read);
            }
            // By their ids one may ask for any, and gets those one borrows or holds a share of.
            let Some(me) = call.party().filter(|_| !input.ids.is_empty()) else {
                return Err(Fault::Forbidden);
            };
            let held = repo::loans_held(self.inner.db.read(), me, &input.ids).await.map_err(read)?;
            let mut found = repo::loans(self.inner.db.read(), &input).await.map_err(read)?;
            found.retain(|l| l.borrower == me || held.contains(&l.id));
            Ok(found)
        }
        .boxed()
    }

    fn schedule<'a>(
        &'a self,
        call: &'a Call,
        input: LoanOf,
    ) -> Answer<'a, Vec<InstalmentView>, LendingError> {
        async move {
            let l = self.readable(call, input).await?;
            repo::instalments(self.inner.db.read(), &l.view)
                .await
                .map_err(|e| unreadable(call, "read a schedule", &e))
        }
        .boxed()
    }

    fn next_dues<'a>(&'a self, call: &'a Call, input: NextDuesOf) -> Answer<'a, Vec<NextDue>, LendingError> {
        async move {
            if input.loans.is_empty() {
                return Ok(Vec::new());
            }
            let ask = LoansOf {
                ids: input.loans,
                borrower: None,
                status: None,
                page: platform::page::Page::first(100),
            };
            let seen: Vec<_> = self.loans(call, ask).await?.into_iter().map(|l| l.id).collect();
            repo::next_dues(self.inner.db.read(), &seen)
                .await
                .map_err(|e| unreadable(call, "read what is due next", &e))
        }
        .boxed()
    }

    fn notes<'a>(&'a self, call: &'a Call, input: NotesOf) -> Answer<'a, Vec<NoteView>, LendingError> {
        async move {
            if !may_list(call, input.holder) {
                return Err(Fault::Forbidden);
            }
            let found = repo::notes(self.inner.db.read(), &input)
                .await
                .map_err(|e| unreadable(call, "read notes", &e))?;
            Ok(found.into_iter().map(|n| n.view).collect())
        }
        .boxed()
    }

    fn note_history<'a>(
        &'a self,
        call: &'a Call,
        input: NoteOf,
    ) -> Answer<'a, Vec<NotePayment>, LendingError> {
        async move {
            let read = |e: sea_orm::DbErr| unreadable(call, "read a note", &e);
            let found = repo::maybe_note(self.inner.db.read(), input.note).await.map_err(read)?;
            let Some(note) = found.filter(|n| may_list(call, Some(n.view.holder))) else {
                return Err(Fault::Refused(LendingError::LoanNotFound));
            };
            repo::history(self.inner.db.read(), &note.view).await.map_err(read)
        }
        .boxed()
    }

    fn received<'a>(&'a self, call: &'a Call, input: ReceivedOf) -> Answer<'a, Vec<Received>, LendingError> {
        async move {
            let own = if may_list(call, None) { None } else { Some(call.party().ok_or(Fault::Forbidden)?) };
            repo::received(self.inner.db.read(), own, &input.lines)
                .await
                .map_err(|e| unreadable(call, "read the parts of repayments", &e))
        }
        .boxed()
    }

    fn repay<'a>(&'a self, call: &'a Call, input: RepayDue) -> Answer<'a, RepaymentView, LendingError> {
        async move { self.inner.repay(call, input).await }.boxed()
    }

    fn quote_payoff<'a>(&'a self, call: &'a Call, input: QuotePayoff) -> Answer<'a, QuoteView, LendingError> {
        async move { self.inner.quote_payoff(call, input).await }.boxed()
    }

    fn repay_early<'a>(
        &'a self,
        call: &'a Call,
        input: RepayEarly,
    ) -> Answer<'a, RepaymentView, LendingError> {
        async move { self.inner.repay_early(call, input).await }.boxed()
    }

    fn repayment<'a>(
        &'a self,
        call: &'a Call,
        input: RepaymentOf,
    ) -> Answer<'a, RepaymentView, LendingError> {
        async move {
            let mut view = self.inner.repayment_with_page(call, input.repayment).await?;
            let loan = self.readable(call, LoanOf { loan: view.loan }).await?;
            // A holder may see that a payment is under way, and not the page on which the borrower confirms it.
            if call.party() != Some(loan.view.borrower) {
                view.redirect_url = None;
            }
            Ok(view)
        }
        .boxed()
    }

    fn repayments<'a>(
        &'a self,
        call: &'a Call,
        input: LoanOf,
    ) -> Answer<'a, Vec<RepaymentView>, LendingError> {
        async move {
            let l = self.readable(call, input).await?;
            let mut found = repo::repayments(self.inner.db.read(), l.view.id)
                .await
                .map_err(|e| unreadable(call, "read repayments", &e))?;
            // At most one waits for the borrower's word; where they say it is theirs alone to see.
            if call.party() == Some(l.view.borrower) {
                for r in found.iter_mut().filter(|r| r.status == RepaymentStatus::Freezing) {
                    r.redirect_url = self.inner.repayment_with_page(call, r.id).await?.redirect_url;
                }
            }
            Ok(found)
        }
        .boxed()
    }

    fn run_day<'a>(&'a self, call: &'a Call, input: RunDay) -> Answer<'a, DayRun, LendingError> {
        async move {
            if call.caller == Service::Gateway {
                return Err(Fault::Forbidden);
            }
            self.inner.run_day(call, input).await
        }
        .boxed()
    }

    fn parked<'a>(&'a self, call: &'a Call, _: ParkedOf) -> Answer<'a, Vec<DeadLetter>, LendingError> {
        async move { platform::reader::parked(call, &self.inner.db, Service::Lending).await }.boxed()
    }

    fn unpark<'a>(&'a self, call: &'a Call, input: Unpark) -> Answer<'a, bool, LendingError> {
        async move {
            let now = self.inner.clock.now();
            platform::reader::unpark(call, &self.inner.db, Service::Lending, input, now).await
        }
        .boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, LendingError> {
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

impl LendingService {
    /// The loan, for its borrower, its holders, staff and services; to others it is not there.
    async fn readable(&self, call: &Call, input: LoanOf) -> Result<repo::Loan, Fault<LendingError>> {
        let read = |e: sea_orm::DbErr| unreadable::<LendingError>(call, "read a loan", &e);
        let not_found = || Fault::Refused(LendingError::LoanNotFound);
        let l =
            repo::maybe_loan(self.inner.db.read(), input.loan).await.map_err(read)?.ok_or_else(not_found)?;
        if may_list(call, Some(l.view.borrower)) {
            return Ok(l);
        }
        let holder = call.party().ok_or_else(not_found)?;
        let held =
            repo::notes(self.inner.db.read(), &NotesOf { holder: Some(holder), loan: Some(input.loan) })
                .await
                .map_err(read)?;
        if held.is_empty() { Err(not_found()) } else { Ok(l) }
    }
}
