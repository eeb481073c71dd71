//! What office does when others announce something, and what follows from its own decisions.

use crate::repo;
use crate::service::Inner;
use custody_api::{CloseBreak, Custody, CustodyEvent};
use futures::FutureExt;
use futures::future::BoxFuture;
use identity_api::{Identity, PartiesOf};
use kernel::Call;
use kernel::id::{BreakId, PersonId, derived};
use office_api::{OfficeEvent, OpenTask, TaskKind};
use platform::outbox::EventRecord;
use platform::reader::{Heard, Listener};
use platform::service::Trouble;
use std::sync::Arc;

/// Custody: a movement does not fit the books, and people must say why.
pub(crate) struct OfCustody(pub(crate) Arc<Inner>);

impl Listener for OfCustody {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let CustodyEvent::BreakFound { id, party, amount, what, .. } = event.read()? else {
                return Ok(Heard::Done);
            };
            // Nobody decides about their own account; a break of nobody's account has no such person.
            let found = match party {
                Some(party) => {
                    self.0.identity.parties(call, PartiesOf { ids: vec![party] }).await?
                }
                None => Vec::new(),
            };
            let beneficiary = found.first().map_or(PersonId(uuid::Uuid::nil()), |p| p.person);
            Ok(self.0.ask(OpenTask {
                id: derived::break_task(id),
                kind: TaskKind::Break,
                subject: id.0,
                about: format!(
                    "A cash movement of {amount} does not fit the books: {what}. Approve when it has been explained; \
                     until then no money leaves the account."
                ),
                beneficiary,
            }))
        }
        .boxed()
    }
}

/// Our own decisions about breaks.
pub(crate) struct OfOffice(pub(crate) Arc<Inner>);

impl Listener for OfOffice {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            match event.read()? {
                OfficeEvent::Approved { task } if task.kind == TaskKind::Break => {
                    let id = BreakId(task.subject);
                    self.0.custody.close_break(call, CloseBreak { id }).await?;
                    Ok(Heard::Done)
                }
                OfficeEvent::Refused { task } if task.kind == TaskKind::Break => {
                    // It is still there, and so is the question.
                    let stored = repo::maybe_task(self.0.db.read(), task.id).await?;
                    let beneficiary = stored.map_or(PersonId(uuid::Uuid::nil()), |t| t.task.beneficiary);
                    let id = derived::task_again(task.id);
                    Ok(self.0.ask(OpenTask {
                        id,
                        kind: task.kind,
                        subject: task.subject,
                        about: task.about,
                        beneficiary,
                    }))
                }
                _ => Ok(Heard::Done),
            }
        }
        .boxed()
    }
}

impl Inner {
    fn ask(&self, open: OpenTask) -> Heard {
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        Heard::write(move |tx| {
            let (outbox, open) = (outbox.clone(), open.clone());
            async move {
                if repo::insert_task(tx, &open, now).await?
                    && let Some(task) = repo::maybe_task(tx, open.id).await?
                {
                    outbox.announce(tx, &OfficeEvent::TaskOpened { task: task.view() }).await?;
                }
                Ok(())
            }
            .boxed()
        })
    }
}
