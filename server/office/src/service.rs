//! The published methods.

use crate::close::{Closes, Midnight};
use crate::handler::{OfCustody, OfOffice};
use crate::repo;
use chrono::{DateTime, NaiveDate, Utc};
use custody_api::CustodyClient;
use futures::FutureExt;
use identity_api::IdentityClient;
use investing_api::InvestingClient;
use kernel::Call;
use kernel::call::{Role, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use lending_api::LendingClient;
use office_api::*;
use platform::db::{Db, WriteError};
use platform::jobs::Jobs;
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::reader::{DeadLetter, Ears, ParkedOf, Source, Unpark};
use platform::service::{published, unreadable};
use platform::work::SharedLoop;
use platform::{Answer, Fault, calendar};
use std::sync::Arc;

/// What office is made of.
pub struct Parts {
    pub db: Db,
    pub outbox: Outbox,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub identity: IdentityClient,
    pub custody: CustodyClient,
    pub lending: LendingClient,
    pub investing: InvestingClient,
    /// Staff may close a day before it is over: for the demo and for tests, where a year passes in an afternoon.
    pub days_by_hand: bool,
    /// Whose events it reads: custody's and its own.
    pub sources: [Source; 2],
}

pub(crate) struct Inner {
    pub(crate) db: Db,
    pub(crate) outbox: Outbox,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) identity: IdentityClient,
    pub(crate) custody: CustodyClient,
    pub(crate) lending: LendingClient,
    pub(crate) investing: InvestingClient,
    pub(crate) days_by_hand: bool,
}

/// Office, running.
pub struct OfficeService {
    inner: Arc<Inner>,
    sources: [Source; 2],
}

impl OfficeService {
    pub fn new(parts: Parts) -> OfficeService {
        let Parts {
            db,
            outbox,
            clock,
            entropy,
            identity,
            custody,
            lending,
            investing,
            days_by_hand,
            sources,
        } = parts;
        OfficeService {
            inner: Arc::new(Inner {
                db,
                outbox,
                clock,
                entropy,
                identity,
                custody,
                lending,
                investing,
                days_by_hand,
            }),
            sources,
        }
    }

    /// Its background work.
    pub fn loops(&self) -> Vec<SharedLoop> {
        let i = &self.inner;
        let [custody, own] = self.sources.clone();
        let ears = Ears {
            owner: Service::Office,
            db: i.db.clone(),
            clock: i.clock.clone(),
            entropy: i.entropy.clone(),
        };
        vec![
            ears.hear("custody", custody, OfCustody(i.clone())),
            ears.hear("office", own, OfOffice(i.clone())),
            Arc::new(Jobs {
                service: Service::Office,
                worker: Arc::new(Closes(i.clone())),
                db: i.db.clone(),
                clock: i.clock.clone(),
                entropy: i.entropy.clone(),
            }),
            Arc::new(Midnight(i.clone())),
        ]
    }

    fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }
}

/// Which kinds of task somebody sees: their own work, or all for those who watch.
fn visible(call: &Call, wanted: Option<TaskKind>) -> Vec<TaskKind> {
    let watches = call.has_any(&[Role::Auditor, Role::Administrator]) || call.caller != Service::Gateway;
    let sees = |kind: &TaskKind| watches || call.has_any(kind.roles());
    TaskKind::ALL.into_iter().filter(|k| wanted.is_none_or(|w| w == *k)).filter(sees).collect()
}

impl Office for OfficeService {
    fn open_task<'a>(&'a self, call: &'a Call, input: OpenTask) -> Answer<'a, TaskView, OfficeError> {
        async move {
            if !matches!(call.caller, Service::Lending | Service::Investing | Service::Operator) {
                return Err(Fault::Forbidden);
            }
            let (outbox, now) = (self.inner.outbox.clone(), self.now());
            let write = self.inner.db.write(move |tx| {
                let (outbox, input) = (outbox.clone(), input.clone());
                async move {
                    let fresh = repo::insert_task(tx, &input, now).await?;
                    let task = repo::maybe_task(tx, input.id)
                        .await?
                        .ok_or(WriteError::Refused(OfficeError::TaskNotFound))?;
                    let view = task.view();
                    // The words may differ: they are written anew when an event is heard again, perhaps by a later version.
                    let same = (view.kind, view.subject) == (input.kind, input.subject);
                    if !same || task.task.beneficiary != input.beneficiary {
                        return Err(WriteError::Refused(OfficeError::TaskDiffers));
                    }
                    if fresh {
                        outbox.announce(tx, &OfficeEvent::TaskOpened { task: view.clone() }).await?;
                    }
                    Ok(view)
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "open a task", e))
        }
        .boxed()
    }

    fn claim<'a>(&'a self, call: &'a Call, input: ClaimTask) -> Answer<'a, TaskView, OfficeError> {
        async move {
            let Some(party) = call.party() else { return Err(Fault::Forbidden) };
            let (outbox, caller) = (self.inner.outbox.clone(), call.clone());
            let write = self.inner.db.write(move |tx| {
                let (outbox, input, caller) = (outbox.clone(), input.clone(), caller.clone());
                async move {
                    let found = repo::lock_task(tx, input.task).await?;
                    let mut task = found
                        .filter(|t| t.task.role_of(&caller).is_some())
                        .ok_or(WriteError::Refused(OfficeError::TaskNotFound))?;
                    if task.task.status.is_decided() {
                        return Err(WriteError::Refused(OfficeError::TaskDecided));
                    }
                    if task.task.claimed_by.is_some_and(|by| by != party) {
                        return Err(WriteError::Refused(OfficeError::TaskClaimed));
                    }
                    let by = (!input.release).then_some(party);
                    // Whoever cannot decide it, or has, would only keep others from it.
                    if by.is_some() && caller.person() == Some(task.task.beneficiary) {
                        return Err(WriteError::Refused(OfficeError::Beneficiary));
                    }
                    if by.is_some() && task.task.approvals.iter().any(|a| Some(a.person) == caller.person()) {
                        return Err(WriteError::Refused(OfficeError::AlreadyDecided));
                    }
                    if task.task.claimed_by != by {
                        // A claim does not hide that somebody has approved.
                        let status = match (task.task.approvals.is_empty(), by) {
                            (false, _) => TaskStatus::Proposed,
                            (true, Some(_)) => TaskStatus::Claimed,
                            (true, None) => TaskStatus::Open,
                        };
                        repo::claim(tx, input.task, by, status).await?;
                        (task.task.claimed_by, task.task.status) = (by, status);
                        outbox.announce(tx, &OfficeEvent::TaskAssigned { task: task.view() }).await?;
                    }
                    Ok(task.view())
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "claim a task", e))
        }
        .boxed()
    }

    fn decide<'a>(&'a self, call: &'a Call, input: DecideTask) -> Answer<'a, TaskView, OfficeError> {
        async move {
            let (Some(party), Some(person)) = (call.party(), call.person()) else {
                return Err(Fault::Forbidden);
            };
            let (outbox, caller, now) = (self.inner.outbox.clone(), call.clone(), self.now());
            let write = self.inner.db.write(move |tx| {
                let (outbox, input, caller) = (outbox.clone(), input.clone(), caller.clone());
                async move {
                    let not_found = || WriteError::Refused(OfficeError::TaskNotFound);
                    let mut stored = repo::lock_task(tx, input.task).await?.ok_or_else(not_found)?;
                    let role = stored.task.role_of(&caller).ok_or_else(not_found)?;
                    // The same person with the same word hears the same again.
                    let word = stored.task.approvals.iter().find(|a| a.person == person);
                    if word.is_some_and(|a| a.approve == input.approve && a.note == input.note) {
                        return Ok(stored.view());
                    }
                    let status = stored
                        .task
                        .decide(person, role, input.approve, &input.note)
                        .map_err(WriteError::Refused)?;
                    let word = ApprovalView {
                        party,
                        person,
                        role,
                        approve: input.approve,
                        note: input.note,
                        at: now,
                    };
                    repo::insert_approval(tx, &stored, &word).await?;
                    repo::set_status(tx, input.task, status, now).await?;
                    // Whoever has said their word works on it no more.
                    if stored.task.claimed_by == Some(party) {
                        repo::claim(tx, input.task, None, status).await?;
                        stored.task.claimed_by = None;
                    }
                    stored.task.approvals.push(word);
                    stored.task.status = status;
                    let task = stored.view();
                    let event = match status {
                        TaskStatus::Approved => OfficeEvent::Approved { task: task.clone() },
                        TaskStatus::Refused => OfficeEvent::Refused { task: task.clone() },
                        _ => OfficeEvent::Proposed { task: task.clone() },
                    };
                    outbox.announce(tx, &event).await?;
                    Ok(task)
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "decide a task", e))
        }
        .boxed()
    }

    fn task<'a>(&'a self, call: &'a Call, input: TaskOf) -> Answer<'a, TaskView, OfficeError> {
        async move {
            let found = repo::maybe_task(self.inner.db.read(), input.task)
                .await
                .map_err(|e| unreadable(call, "read a task", &e))?;
            let seen = found.filter(|t| visible(call, Some(t.task.kind)).contains(&t.task.kind));
            seen.map(|t| t.view()).ok_or(Fault::Refused(OfficeError::TaskNotFound))
        }
        .boxed()
    }

    fn queue<'a>(&'a self, call: &'a Call, input: QueueOf) -> Answer<'a, Vec<TaskView>, OfficeError> {
        async move {
            let kinds = visible(call, input.kind);
            if kinds.is_empty() {
                return Err(Fault::Forbidden);
            }
            let found = repo::queue(self.inner.db.read(), &kinds, &input).await;
            Ok(found
                .map_err(|e| unreadable(call, "read the queue", &e))?
                .iter()
                .map(repo::Stored::view)
                .collect())
        }
        .boxed()
    }

    fn add_document<'a>(
        &'a self,
        call: &'a Call,
        input: AddDocument,
    ) -> Answer<'a, DocumentView, OfficeError> {
        async move { self.inner.add_document(call, input).await }.boxed()
    }

    fn remove_document<'a>(&'a self, call: &'a Call, input: RemoveDocument) -> Answer<'a, (), OfficeError> {
        async move { self.inner.remove_document(call, input).await }.boxed()
    }

    fn documents<'a>(
        &'a self,
        call: &'a Call,
        input: DocumentsOf,
    ) -> Answer<'a, Vec<DocumentView>, OfficeError> {
        async move { self.inner.documents(call, input).await }.boxed()
    }

    fn document<'a>(&'a self, call: &'a Call, input: DocumentOf) -> Answer<'a, WholeDocument, OfficeError> {
        async move { self.inner.document(call, input).await }.boxed()
    }

    fn record_act<'a>(&'a self, call: &'a Call, input: RecordAct) -> Answer<'a, (), OfficeError> {
        async move { self.inner.record_act(call, input).await }.boxed()
    }

    fn end_act<'a>(&'a self, call: &'a Call, input: EndAct) -> Answer<'a, (), OfficeError> {
        async move { self.inner.end_act(call, input).await }.boxed()
    }

    fn acts<'a>(&'a self, call: &'a Call, input: ActsOf) -> Answer<'a, Acts, OfficeError> {
        async move { self.inner.acts(call, input).await }.boxed()
    }

    fn prove_acts<'a>(&'a self, call: &'a Call, _: ProveActs) -> Answer<'a, ActsProof, OfficeError> {
        async move { self.inner.prove_acts(call).await }.boxed()
    }

    fn today<'a>(&'a self, call: &'a Call, _: Today) -> Answer<'a, NaiveDate, OfficeError> {
        async move {
            calendar::today(self.inner.db.read())
                .await
                .map_err(|e| unreadable(call, "read the business date", &e))
        }
        .boxed()
    }

    fn close_day<'a>(&'a self, call: &'a Call, input: CloseDay) -> Answer<'a, CloseView, OfficeError> {
        async move { self.inner.close_day(call, input).await }.boxed()
    }

    fn day<'a>(&'a self, call: &'a Call, input: DayOf) -> Answer<'a, Option<CloseView>, OfficeError> {
        async move { self.inner.day(call, input).await }.boxed()
    }

    fn parked<'a>(&'a self, call: &'a Call, _: ParkedOf) -> Answer<'a, Vec<DeadLetter>, OfficeError> {
        async move { platform::reader::parked(call, &self.inner.db, Service::Office).await }.boxed()
    }

    fn unpark<'a>(&'a self, call: &'a Call, input: Unpark) -> Answer<'a, bool, OfficeError> {
        async move {
            let now = self.inner.clock.now();
            platform::reader::unpark(call, &self.inner.db, Service::Office, input, now).await
        }
        .boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, OfficeError> {
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
