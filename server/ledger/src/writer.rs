//! The serial group-commit writer.
//!
//! One task per process gathers the requests that wait (no artificial delay when idle), locks the single head row, reads
//! what the group touches in the next statements, decides in memory, writes set-wise, appends one link to the chain,
//! commits once and answers everyone. Across processes the head row makes the ledger serial.

use crate::engine::{Books, Request, Stamp};
use crate::repo;
use futures::FutureExt;
use kernel::clock::SharedClock;
use kernel::hash;
use ledger_api::batch::{Operation, Posted};
use ledger_api::{Entry, LedgerEvent};
use platform::db::{Db, Tx, WriteError};
use platform::outbox::Outbox;
use platform::{Fault, calendar};
use sea_orm::DbErr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Requests in one commit: at 64 the rate is 24 times that of single commits, at 256 it is 29 times.
const GROUP_MAX: usize = 256;
/// Operations in one commit, so that large batches do not make small ones wait for long.
const GROUP_OPERATIONS_MAX: usize = 4_000;
/// Requests waiting before the answer is "busy".
const QUEUE_MAX: usize = 4_096;

type Answered = Result<Posted, Fault<ledger_api::LedgerError>>;

struct Waiting {
    request: Request,
    answer: oneshot::Sender<Answered>,
}

#[derive(Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Waiting>,
}

impl Writer {
    pub(crate) fn start(db: Db, outbox: Outbox, clock: SharedClock) -> Writer {
        let (queue, receiver) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(run(db, outbox, clock, receiver));
        Writer { queue }
    }

    pub(crate) async fn post(&self, request: Request) -> Answered {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { request, answer }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => Fault::Busy,
            mpsc::error::TrySendError::Closed(_) => Fault::Unavailable,
        })?;
        // A writer that ended without an answer may have committed.
        answered.await.unwrap_or(Err(Fault::OutcomeUnknown))
    }
}

async fn run(db: Db, outbox: Outbox, clock: SharedClock, mut queue: mpsc::Receiver<Waiting>) {
    let mut gathered = Vec::with_capacity(GROUP_MAX);
    while queue.recv_many(&mut gathered, GROUP_MAX).await > 0 {
        while !gathered.is_empty() {
            let mut operations = 0;
            let fits = |w: &&Waiting| {
                operations += w.request.batch.operations.len();
                operations <= GROUP_OPERATIONS_MAX
            };
            let count = gathered.iter().take_while(fits).count().max(1);
            let group: Vec<Waiting> = gathered.drain(..count).collect();
            metrics::histogram!("ledger_group_size").record(u32::try_from(count).unwrap_or(u32::MAX));
            commit(&db, &outbox, &clock, group).await;
        }
    }
}

async fn commit(db: &Db, outbox: &Outbox, clock: &SharedClock, group: Vec<Waiting>) {
    let (requests, answers): (Vec<Request>, Vec<_>) =
        group.into_iter().map(|w| (w.request, w.answer)).unzip();
    let requests = Arc::new(requests);
    let outcome = {
        let (requests, outbox, clock) = (requests.clone(), outbox.clone(), clock.clone());
        db.write(move |tx| {
            let (requests, outbox, clock) = (requests.clone(), outbox.clone(), clock.clone());
            async move { post(tx, &requests, &outbox, &clock).await.map_err(WriteError::<()>::from) }.boxed()
        })
        .await
    };
    match outcome {
        Ok(posted) => {
            for (answer, posted) in answers.into_iter().zip(posted) {
                answer.send(Ok(posted)).ok();
            }
        }
        // One bad batch must not sink its neighbours: what the database refuses in a group is tried one by one.
        Err(WriteError::Db(e)) if requests.len() > 1 => {
            tracing::warn!(error = %e, batches = requests.len(), "the database refused a group; each batch is tried alone");
            for (request, answer) in requests.iter().cloned().zip(answers) {
                Box::pin(commit(db, outbox, clock, vec![Waiting { request, answer }])).await;
            }
        }
        Err(e) => {
            tracing::error!(cause = ?e, "a group of batches was not posted");
            for answer in answers {
                let fault = if matches!(e, WriteError::Busy) { Fault::Busy } else { Fault::Internal };
                answer.send(Err(fault)).ok();
            }
        }
    }
}

async fn post(
    tx: &Tx,
    requests: &[Request],
    outbox: &Outbox,
    clock: &SharedClock,
) -> Result<Vec<Posted>, DbErr> {
    let head = match repo::head(tx, true).await? {
        Some(head) => head,
        None => {
            repo::begin_chain(tx).await?;
            repo::head(tx, true).await?.ok_or_else(|| DbErr::Custom("the chain has no head".into()))?
        }
    };
    let mut books = load(tx, requests, head.position).await?;
    let stamp = Stamp { business_date: calendar::today(tx).await?, recorded_at: clock.now() };
    let outcomes = books.decide(requests, stamp);
    if !books.rows.is_empty() {
        let content: String = books.rows.iter().map(crate::engine::Row::canonical).collect();
        let hash = hash::link(&head.hash, content.as_bytes());
        repo::store(tx, &books, head.link + 1, head.position + 1, hash).await?;
        outbox.announce_all(tx, &events(&books)).await?;
    }
    Ok(outcomes.into_iter().map(|outcomes| Posted { outcomes, position: books.position }).collect())
}

/// Loads everything the group touches, in three statements.
async fn load(tx: &Tx, requests: &[Request], position: i64) -> Result<Books, DbErr> {
    let operations = || requests.iter().flat_map(|r| &r.batch.operations);
    let ids: BTreeSet<Uuid> = operations().map(|op| op.id().0).collect();
    let reservations: BTreeSet<Uuid> = operations()
        .filter_map(|op| match op {
            Operation::Post { reservation, .. } | Operation::Void { reservation, .. } => Some(reservation.0),
            _ => None,
        })
        .collect();
    let mut books = Books { position, ..Books::default() };
    books.known = repo::known(tx, ids.into_iter().collect()).await?.into_iter().map(|r| (r.id, r)).collect();
    if !reservations.is_empty() {
        let found = repo::pendings(tx, reservations.into_iter().collect()).await?;
        books.pendings = found.into_iter().map(|p| (p.id, p)).collect();
    }
    let mut accounts: BTreeSet<Uuid> = operations()
        .flat_map(|op| match op {
            Operation::Transfer { debit, credit, .. } | Operation::Reserve { debit, credit, .. } => {
                vec![debit.0, credit.0]
            }
            _ => Vec::new(),
        })
        .collect();
    accounts.extend(books.pendings.values().flat_map(|p| [p.debit.0, p.credit.0]));
    books.accounts =
        repo::accounts(tx, accounts.into_iter().collect()).await?.into_iter().map(|a| (a.id, a)).collect();
    Ok(books)
}

/// One event a batch, of what it wrote.
fn events(books: &Books) -> Vec<LedgerEvent> {
    let mut by_batch: BTreeMap<i64, (Uuid, Vec<&crate::engine::Row>)> = BTreeMap::new();
    let mut first_of = BTreeMap::new();
    for row in &books.rows {
        let first = *first_of.entry(row.batch.0).or_insert(row.position);
        by_batch.entry(first).or_insert_with(|| (row.batch.0, Vec::new())).1.push(row);
    }
    by_batch
        .into_values()
        .map(|(batch, rows)| {
            let entries: Vec<Entry> = rows.iter().filter_map(|r| entry(books, r)).collect();
            let mut owners: Vec<Uuid> =
                entries.iter().flat_map(|e| [e.debit_owner, e.credit_owner]).collect();
            owners.sort();
            owners.dedup();
            let position = rows.last().map_or(books.position, |r| r.position);
            LedgerEvent::BatchPosted { batch: kernel::id::BatchId(batch), position, owners, entries }
        })
        .collect()
}

fn entry(books: &Books, row: &crate::engine::Row) -> Option<Entry> {
    let (debit, credit) = (books.accounts.get(&row.debit)?, books.accounts.get(&row.credit)?);
    Some(row.entry(&debit.key, &credit.key))
}
