//! Listens, and writes down what is to be told.

use crate::repo;
use crate::service::Inner;
use crate::tidings::{self, Tiding};
use custody_api::CustodyEvent;
use futures::FutureExt;
use futures::future::BoxFuture;
use identity_api::IdentityEvent;
use investing_api::InvestingEvent;
use kernel::Call;
use kernel::call::Service;
use kernel::id::{NoticeId, derived};
use lending_api::{Lending, LendingEvent, LoanView, NotesOf};
use notification_api::{NoticeKind, NotificationEvent};
use office_api::OfficeEvent;
use platform::jobs;
use platform::outbox::EventRecord;
use platform::reader::{Heard, Listener};
use platform::service::Trouble;
use std::sync::Arc;

/// The kinds of work.
pub(crate) const LETTER: &str = "letter";
pub(crate) const NOTICE: &str = "notice";

impl Inner {
    /// Each party once, whatever an event says to them.
    fn tell(&self, event: &EventRecord, tidings: Vec<Tiding>) -> Heard {
        if tidings.is_empty() {
            return Heard::Done;
        }
        let (outbox, now, event) = (self.outbox.clone(), self.clock.now(), event.id);
        Heard::write(move |tx| {
            let (outbox, tidings) = (outbox.clone(), tidings.clone());
            async move {
                let notices: Vec<(NoticeId, &Tiding)> =
                    tidings.iter().map(|t| (derived::notice(event, t.party), t)).collect();
                repo::insert_notices(tx, &notices, now).await?;
                for (id, _) in notices.iter().filter(|(_, t)| t.kind.by_mail()) {
                    let job = derived::notice_job(*id);
                    jobs::enqueue(tx, Service::Notification, job, NOTICE, id, now, now).await?;
                }
                let parties = tidings.iter().map(|t| t.party).collect();
                outbox.announce(tx, &NotificationEvent::Noticed { parties }).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// The same to everybody who holds a part of a loan, with what they have in it.
    async fn holders(&self, call: &Call, loan: &LoanView, kind: NoticeKind) -> Result<Vec<Tiding>, Trouble> {
        let notes = self.lending.notes(call, NotesOf { holder: None, loan: Some(loan.id) }).await?;
        let mut told: Vec<Tiding> = Vec::new();
        for note in notes {
            match told.iter_mut().find(|t| t.party == note.holder) {
                Some(known) => {
                    known.amount = known.amount.and_then(|a| a.plus(note.outstanding).ok());
                }
                None => told.push(Tiding {
                    party: note.holder,
                    kind,
                    subject: loan.id.0,
                    amount: Some(note.outstanding),
                }),
            }
        }
        Ok(told)
    }
}

pub(crate) struct OfLending(pub(crate) Arc<Inner>);

impl Listener for OfLending {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let read: LendingEvent = event.read()?;
            let mut told = tidings::of_lending(&read);
            match &read {
                LendingEvent::LoanDisbursed { loan } => {
                    let lent = self.0.holders(call, loan, NoticeKind::BidLent).await?;
                    let about_bid = |t| Tiding { subject: loan.listing.0, ..t };
                    told.extend(lent.into_iter().map(about_bid));
                }
                LendingEvent::LoanOverdue { loan } => {
                    told.extend(self.0.holders(call, loan, NoticeKind::NoteOverdue).await?);
                }
                _ => {}
            }
            Ok(self.0.tell(event, told))
        }
        .boxed()
    }
}

pub(crate) struct OfInvesting(pub(crate) Arc<Inner>);

impl Listener for OfInvesting {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let read: InvestingEvent = event.read()?;
            Ok(self.0.tell(event, tidings::of_investing(&read)))
        }
        .boxed()
    }
}

pub(crate) struct OfCustody(pub(crate) Arc<Inner>);

impl Listener for OfCustody {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let read: CustodyEvent = event.read()?;
            Ok(self.0.tell(event, tidings::of_custody(&read)))
        }
        .boxed()
    }
}

pub(crate) struct OfOffice(pub(crate) Arc<Inner>);

impl Listener for OfOffice {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let read: OfficeEvent = event.read()?;
            Ok(self.0.tell(event, tidings::of_office(&read)))
        }
        .boxed()
    }
}

/// Identity: what happened to one's account, and letters to be sent.
pub(crate) struct OfIdentity(pub(crate) Arc<Inner>);

impl Listener for OfIdentity {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let read: IdentityEvent = event.read()?;
            let IdentityEvent::LetterAsked { letter, .. } = read else {
                return Ok(self.0.tell(event, tidings::of_identity(&read)));
            };
            let now = self.0.clock.now();
            Ok(Heard::write(move |tx| {
                async move {
                    let job = derived::letter_job(letter);
                    jobs::enqueue(tx, Service::Notification, job, LETTER, &letter, now, now).await?;
                    Ok(())
                }
                .boxed()
            }))
        }
        .boxed()
    }
}
