//! The published methods.

use crate::handler::{OfCustody, OfIdentity, OfInvesting, OfLending, OfOffice};
use crate::jobs::Sending;
use crate::post::Post;
use crate::repo;
use futures::FutureExt;
use identity_api::IdentityClient;
use investing_api::InvestingClient;
use kernel::Call;
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::PartyId;
use lending_api::LendingClient;
use notification_api::*;
use platform::db::{Db, Tx, WriteError};
use platform::jobs::Jobs;
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::reader::{DeadLetter, Ears, ParkedOf, Source, Unpark};
use platform::service::{published, unreadable};
use platform::work::SharedLoop;
use platform::{Answer, Fault};
use sea_orm::DbErr;
use std::sync::Arc;

/// What notification is made of.
pub struct Parts {
    pub db: Db,
    pub outbox: Outbox,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    /// To whom a message goes.
    pub identity: IdentityClient,
    /// Who holds a part of a loan.
    pub lending: LendingClient,
    /// What a loan is for.
    pub investing: InvestingClient,
    pub post: Post,
    /// What links begin with, as in `https://lend.example.org`.
    pub origin: String,
    /// Whose events it reads: identity's, lending's, investing's, custody's, office's.
    pub sources: [Source; 5],
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) outbox: Outbox,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) identity: IdentityClient,
    pub(crate) lending: LendingClient,
    pub(crate) investing: InvestingClient,
    pub(crate) post: Post,
    pub(crate) origin: String,
}

/// Notification, running.
pub struct NotificationService {
    inner: Arc<Inner>,
    sources: [Source; 5],
}

impl NotificationService {
    pub fn new(parts: Parts) -> NotificationService {
        let Parts { db, outbox, clock, entropy, identity, lending, investing, post, origin, sources } = parts;
        let inner = Inner { db, outbox, clock, entropy, identity, lending, investing, post, origin };
        NotificationService { inner: Arc::new(inner), sources }
    }

    /// Its background work.
    pub fn loops(&self) -> Vec<SharedLoop> {
        let i = &self.inner;
        let [identity, lending, investing, custody, office] = self.sources.clone();
        let ears = Ears {
            owner: Service::Notification,
            db: i.db.clone(),
            clock: i.clock.clone(),
            entropy: i.entropy.clone(),
        };
        vec![
            ears.hear("identity", identity, OfIdentity(i.clone())),
            ears.hear("lending", lending, OfLending(i.clone())),
            ears.hear("investing", investing, OfInvesting(i.clone())),
            ears.hear("custody", custody, OfCustody(i.clone())),
            ears.hear("office", office, OfOffice(i.clone())),
            Arc::new(Jobs {
                service: Service::Notification,
                worker: Arc::new(Sending(i.clone())),
                db: i.db.clone(),
                clock: i.clock.clone(),
                entropy: i.entropy.clone(),
            }),
        ]
    }
}

fn me(call: &Call) -> Result<PartyId, Fault<NotificationError>> {
    call.party().ok_or(Fault::Forbidden)
}

impl Inner {
    /// Changes one's own box and tells whoever follows it.
    async fn change<F>(&self, call: &Call, change: F) -> Result<BoxView, Fault<NotificationError>>
    where
        F: for<'a> Fn(&'a Tx, PartyId) -> futures::future::BoxFuture<'a, Result<bool, DbErr>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let party = me(call)?;
        let outbox = self.outbox.clone();
        let write = self.db.write(move |tx| {
            let (outbox, change) = (outbox.clone(), change.clone());
            async move {
                if change(tx, party).await? {
                    outbox.announce(tx, &NotificationEvent::BoxChanged { party }).await?;
                }
                Ok::<_, WriteError<NotificationError>>(repo::standing(tx, party).await?)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "change a box of notices", e))
    }
}

impl Notification for NotificationService {
    fn notices<'a>(
        &'a self,
        call: &'a Call,
        input: NoticesOf,
    ) -> Answer<'a, Vec<NoticeView>, NotificationError> {
        async move {
            let found = repo::notices(self.inner.db.read(), me(call)?, &input.page).await;
            found.map_err(|e| unreadable(call, "read notices", &e))
        }
        .boxed()
    }

    fn standing<'a>(&'a self, call: &'a Call, _: BoxOf) -> Answer<'a, BoxView, NotificationError> {
        async move {
            let found = repo::standing(self.inner.db.read(), me(call)?).await;
            found.map_err(|e| unreadable(call, "count notices", &e))
        }
        .boxed()
    }

    fn mark_read<'a>(&'a self, call: &'a Call, input: MarkRead) -> Answer<'a, BoxView, NotificationError> {
        async move {
            // What has not come yet has not been read.
            let up_to = input.up_to.min(self.inner.clock.now());
            self.inner
                .change(call, move |tx, party| async move { repo::mark_read(tx, party, up_to).await }.boxed())
                .await
        }
        .boxed()
    }

    fn choose_mail<'a>(
        &'a self,
        call: &'a Call,
        input: ChooseMail,
    ) -> Answer<'a, BoxView, NotificationError> {
        async move {
            self.inner
                .change(call, move |tx, party| {
                    async move { repo::choose_mail(tx, party, input.mail).await.map(|()| true) }.boxed()
                })
                .await
        }
        .boxed()
    }

    fn mailbox<'a>(&'a self, call: &'a Call, _: MailboxOf) -> Answer<'a, Vec<MailView>, NotificationError> {
        async move {
            if !matches!(self.inner.post, Post::Kept) {
                return Err(Fault::Refused(NotificationError::MailboxAbsent));
            }
            repo::mails(self.inner.db.read()).await.map_err(|e| unreadable(call, "read the mailbox", &e))
        }
        .boxed()
    }

    fn parked<'a>(&'a self, call: &'a Call, _: ParkedOf) -> Answer<'a, Vec<DeadLetter>, NotificationError> {
        async move { platform::reader::parked(call, &self.inner.db, Service::Notification).await }.boxed()
    }

    fn unpark<'a>(&'a self, call: &'a Call, input: Unpark) -> Answer<'a, bool, NotificationError> {
        async move {
            let now = self.inner.clock.now();
            platform::reader::unpark(call, &self.inner.db, Service::Notification, input, now).await
        }
        .boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, NotificationError> {
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
