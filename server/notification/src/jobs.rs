//! Sends messages. A job's body is an id alone: whom it goes to and what it says is looked up when it is sent.

use crate::handler::{LETTER, NOTICE};
use crate::post::{Message, Post};
use crate::service::Inner;
use crate::{repo, words};
use chrono::Duration;
use futures::FutureExt;
use futures::future::BoxFuture;
use identity_api::{Identity, LetterOf, PartiesOf};
use investing_api::{Investing, ListingOf};
use kernel::Call;
use kernel::id::{ApplicationId, LetterId, ListingId, LoanId, NoticeId, PartyId};
use lending_api::{ApplicationOf, Lending, LoanOf};
use notification_api::{About, NoticeKind};
use platform::Fault;
use platform::db::WriteError;
use platform::jobs::{Done, Job, Worker};
use platform::service::Trouble;
use std::sync::Arc;
use uuid::Uuid;

/// News this old is no news: a mail server that was away for days does not pour it all out.
const FRESH_DAYS: i64 = 2;

pub(crate) struct Sending(pub(crate) Arc<Inner>);

impl Worker for Sending {
    fn work<'a>(&'a self, call: &'a Call, job: &'a Job) -> BoxFuture<'a, Result<Done, Trouble>> {
        async move {
            match job.kind.as_str() {
                LETTER => self.letter(call, read(&job.body)?).await,
                NOTICE => self.notice(call, read(&job.body)?).await,
                other => Ok(Done::Dead(format!("nothing is known of work of the kind {other}"))),
            }
        }
        .boxed()
    }
}

fn read<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, Trouble> {
    serde_json::from_str(body).map_err(|e| Trouble::from(format!("the job's body: {e}")))
}

impl Sending {
    async fn letter(&self, call: &Call, letter: LetterId) -> Result<Done, Trouble> {
        let Some(found) = self.0.identity.letter(call, LetterOf { letter }).await? else {
            return Ok(Done::Finished);
        };
        if matches!(self.0.post, Post::Nowhere) {
            // Said at the start; whoever waits for it asks again once there is one.
            tracing::warn!(%letter, "a letter was not sent: no mail server is configured (smtp_url)");
            return Ok(Done::Finished);
        }
        let (subject, text) = words::letter(&found, &self.0.origin, self.0.clock.now());
        self.send(Message { id: letter.0, to: found.email, name: found.name, subject, text }).await
    }

    async fn notice(&self, call: &Call, notice: NoticeId) -> Result<Done, Trouble> {
        let Some(row) = repo::maybe_notice(self.0.db.read(), notice).await? else {
            return Ok(Done::Finished);
        };
        let party = PartyId(row.party);
        let old = self.0.clock.now() - row.at > Duration::days(FRESH_DAYS);
        let wanted = repo::standing(self.0.db.read(), party).await?.mail;
        let Some(kind) = NoticeKind::from_code(&row.kind).filter(|_| wanted && !old) else {
            return Ok(Done::Finished);
        };
        let found = self.0.identity.parties(call, PartiesOf { ids: vec![party] }).await?;
        // Nobody's money is spoken of to an address that may be a stranger's.
        let Some(to) = found.into_iter().find(|p| p.id == party && p.email_confirmed) else {
            return Ok(Done::Finished);
        };
        if matches!(self.0.post, Post::Nowhere) {
            return Ok(Done::Finished);
        }
        let about = self.about(call, kind, row.subject).await?;
        // In one line: it is somebody's own text.
        let about = about.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = words::Said { kind, amount: repo::amount(&row)?, about };
        let (subject, text) = words::notice(&said, &to.name, to.language, &self.0.origin);
        self.send(Message { id: notice.0, to: to.email, name: to.name, subject, text }).await
    }

    /// What the loan, the listing or the application is for; nothing where it is about none, or it is gone.
    async fn about(&self, call: &Call, kind: NoticeKind, subject: Uuid) -> Result<String, Trouble> {
        let listing = match kind.about() {
            About::Account | About::Task => return Ok(String::new()),
            About::Application => {
                let ask = ApplicationOf { application: ApplicationId(subject) };
                return match self.0.lending.application(call, ask).await {
                    Ok(application) => Ok(application.purpose),
                    Err(Fault::Refused(_)) => Ok(String::new()),
                    Err(e) => Err(e.into()),
                };
            }
            About::Listing => ListingId(subject),
            About::Loan => match self.0.lending.loan(call, LoanOf { loan: LoanId(subject) }).await {
                Ok(loan) => loan.listing,
                Err(Fault::Refused(_)) => return Ok(String::new()),
                Err(e) => return Err(e.into()),
            },
        };
        match self.0.investing.listing(call, ListingOf { listing }).await {
            Ok(listing) => Ok(listing.purpose),
            Err(Fault::Refused(_)) => Ok(String::new()),
            Err(e) => Err(e.into()),
        }
    }

    async fn send(&self, message: Message) -> Result<Done, Trouble> {
        match &self.0.post {
            Post::Smtp(smtp) => smtp.send(&message).await?,
            Post::Kept => {
                let now = self.0.clock.now();
                let write = self.0.db.write(move |tx| {
                    let message = message.clone();
                    async move {
                        repo::keep_mail(tx, &message, now).await?;
                        Ok::<_, WriteError<String>>(())
                    }
                    .boxed()
                });
                write.await.map_err(|e| Trouble::from(format!("{e:?}")))?;
            }
            Post::Nowhere => {}
        }
        Ok(Done::Finished)
    }
}

/// Who sends: the id of a message at the receiving server, so that a second copy can be told from a second message.
pub(crate) fn message_id(id: Uuid, host: &str) -> String {
    format!("<{id}@{host}>")
}
