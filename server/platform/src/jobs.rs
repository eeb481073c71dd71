//! Timers and background work of one service: durable, leased, tried again, and at last visible to a person.
//!
//! A job is enqueued in the transaction that makes it necessary. One worker at a time holds its lease (database time
//! where there are several processes, and a fencing number that the finish checks); a crashed holder's lease runs out.
//! A job may run more than once and says in its body what it derives its commands' ids from.

use crate::db::{Db, Sql, Tx, WriteError};
use crate::service::Trouble;
use crate::work::{Loop, Progress, StepError};
use chrono::{DateTime, Duration, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::Call;
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::{JobId, RequestId};
use sea_orm::DbErr;
use serde::Serialize;
use std::sync::Arc;

/// Pauses while somebody whom the job needs is away: the longer it lasts, the longer.
const PASSING_SECONDS: std::ops::RangeInclusive<i64> = 2..=60;
/// Pauses after a failed attempt; after the last the job waits for a person.
const PAUSES_SECONDS: [i64; 9] = [1, 2, 5, 15, 60, 300, 1_800, 3_600, 14_400];
const LEASE_SECONDS: i64 = 60;

/// One piece of work that is due.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub kind: String,
    pub body: String,
    pub attempts: i64,
    /// When it was first enqueued.
    pub since: DateTime<Utc>,
}

/// How an attempt ends.
pub enum Done {
    /// Nothing is left to do.
    Finished,
    /// Not a failure: look again at this instant.
    Again(DateTime<Utc>),
    /// A person must look at it, now.
    Dead(String),
}

/// Does a service's jobs.
pub trait Worker: Send + Sync + 'static {
    /// # Errors
    /// A sentence for the log and the dead-letter list; the job is tried again later.
    fn work<'a>(&'a self, call: &'a Call, job: &'a Job) -> BoxFuture<'a, Result<Done, Trouble>>;
}

/// Enqueues work; the same id again moves nothing.
///
/// # Errors
/// When the database fails.
pub async fn enqueue<B: Serialize>(
    tx: &Tx,
    service: Service,
    id: JobId,
    kind: &str,
    body: &B,
    due: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    insert(tx, service, id, kind, body, Some(due), now, "").await
}

/// Writes down what is to be done because something failed, and why; without an instant, a person must ask for it. The
/// same id again moves nothing.
///
/// # Errors
/// When the database fails.
#[allow(clippy::too_many_arguments)]
pub async fn mend<B: Serialize>(
    tx: &Tx,
    service: Service,
    id: JobId,
    kind: &str,
    body: &B,
    why: &str,
    due: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if due.is_none() {
        tracing::error!(job = %id, kind, why, "a job waits for a person");
        metrics::counter!("dead_letters_total", "service" => service.name()).increment(1);
    }
    insert(tx, service, id, kind, body, due, now, why).await
}

#[allow(clippy::too_many_arguments)]
async fn insert<B: Serialize>(
    tx: &Tx,
    service: Service,
    id: JobId,
    kind: &str,
    body: &B,
    due: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    error: &str,
) -> Result<(), DbErr> {
    let body = serde_json::to_string(body).map_err(|e| DbErr::Json(e.to_string()))?;
    let sql = format!(
        "INSERT INTO {service}_job (id, kind, body, due_at, attempts, fence, leased_until, dead, error, at)
         VALUES ($1, $2, $3, $4, 0, 0, NULL, $5, $6, $7) ON CONFLICT (id) DO NOTHING"
    );
    let (due, dead) = (due.unwrap_or(now), due.is_none());
    let values = [id.0.into(), kind.into(), body.into(), due.into(), dead.into(), error.into(), now.into()];
    tx.run(sql, values).await?;
    tx.wake(format!("jobs:{service}"));
    Ok(())
}

/// Makes work due again that a person had to be asked about.
///
/// # Errors
/// When the database fails.
pub async fn revive(tx: &Tx, service: Service, id: JobId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let sql = format!("UPDATE {service}_job SET dead = $1, attempts = 0, due_at = $2 WHERE id = $3 AND dead");
    tx.run(sql, [false.into(), now.into(), id.0.into()]).await.map(drop)
}

/// Takes back work that is no longer wanted.
///
/// # Errors
/// When the database fails.
pub async fn cancel(tx: &Tx, service: Service, id: JobId) -> Result<(), DbErr> {
    tx.run(format!("DELETE FROM {service}_job WHERE id = $1"), [id.0.into()]).await.map(drop)
}

/// Makes a waiting job due now (a notification came in: look earlier).
///
/// # Errors
/// When the database fails.
pub async fn hasten(tx: &Tx, service: Service, id: JobId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let sql = format!("UPDATE {service}_job SET due_at = $1 WHERE id = $2 AND due_at > $1 AND NOT dead");
    tx.run(sql, [now.into(), id.0.into()]).await?;
    tx.wake(format!("jobs:{service}"));
    Ok(())
}

/// Takes back every lease: for a process that knows it is the only one, when it starts after a crash.
///
/// # Errors
/// When the database fails.
pub async fn release_all(tx: &Tx, service: Service) -> Result<(), DbErr> {
    tx.run(format!("UPDATE {service}_job SET leased_until = NULL WHERE leased_until IS NOT NULL"), [])
        .await?;
    Ok(())
}

/// The loop that works a service's jobs.
pub struct Jobs {
    pub service: Service,
    pub worker: Arc<dyn Worker>,
    pub db: Db,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
}

impl Jobs {
    /// Takes the lease of the job that is due longest.
    async fn lease(&self) -> Result<Option<(Job, i64)>, StepError> {
        let (service, now) = (self.service, self.clock.now());
        // A look without a lock spares the idle worker its transaction.
        let sql = format!("SELECT 1 FROM {service}_job WHERE NOT dead AND due_at <= $1 LIMIT 1");
        if self.db.read().one(sql, [now.into()]).await?.is_none() {
            return Ok(None);
        }
        let leased = self
            .db
            .write(move |tx| {
                async move {
                    let lease_now = if tx.is_postgres() {
                        let row = tx.one("SELECT clock_timestamp()", []).await?;
                        row.ok_or_else(|| DbErr::Custom("no time".into()))?
                            .try_get_by_index::<DateTime<Utc>>(0)?
                    } else {
                        now
                    };
                    let skip = if tx.is_postgres() { " FOR UPDATE SKIP LOCKED" } else { "" };
                    let sql = format!(
                        "SELECT id, kind, body, attempts, at, fence FROM {service}_job
                         WHERE NOT dead AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= $2)
                         ORDER BY due_at LIMIT 1{skip}"
                    );
                    let Some(row) = tx.one(sql, [now.into(), lease_now.into()]).await? else {
                        return Ok(None);
                    };
                    let job = Job {
                        id: JobId(row.try_get_by_index(0)?),
                        kind: row.try_get_by_index(1)?,
                        body: row.try_get_by_index(2)?,
                        attempts: row.try_get_by_index(3)?,
                        since: row.try_get_by_index(4)?,
                    };
                    let fence: i64 = row.try_get_by_index::<i64>(5)? + 1;
                    let sql = format!("UPDATE {service}_job SET fence = $1, leased_until = $2 WHERE id = $3");
                    let until = lease_now + Duration::seconds(LEASE_SECONDS);
                    tx.run(sql, [fence.into(), until.into(), job.id.0.into()]).await?;
                    Ok::<_, WriteError<()>>(Some((job, fence)))
                }
                .boxed()
            })
            .await?;
        Ok(leased)
    }

    async fn settle(&self, job: Job, fence: i64, outcome: Result<Done, Trouble>) -> Result<(), StepError> {
        let (service, now) = (self.service, self.clock.now());
        let outcome = Arc::new(outcome);
        self.db
            .write(move |tx| {
                let (job, outcome) = (job.clone(), outcome.clone());
                async move {
                    let mine = "id = $1 AND fence = $2";
                    let key = [job.id.0.into(), fence.into()];
                    match &*outcome {
                        Ok(Done::Finished) => {
                            tx.run(format!("DELETE FROM {service}_job WHERE {mine}"), key).await?;
                        }
                        Ok(Done::Again(at)) => {
                            let sql = format!(
                                "UPDATE {service}_job SET due_at = $3, leased_until = NULL, attempts = 0, error = '' WHERE {mine}"
                            );
                            tx.run(sql, key.into_iter().chain([(*at).into()])).await?;
                        }
                        Err(Trouble { why, passing: true }) => {
                            let sql = format!(
                                "UPDATE {service}_job SET due_at = $3, leased_until = NULL, error = $4 WHERE {mine}"
                            );
                            let away = (now - job.since).num_seconds() / 10;
                            let away = away.clamp(*PASSING_SECONDS.start(), *PASSING_SECONDS.end());
                            let next = now + Duration::seconds(away);
                            tx.run(sql, key.into_iter().chain([next.into(), why.clone().into()])).await?;
                        }
                        Ok(Done::Dead(error)) | Err(Trouble { why: error, .. }) => {
                            let pause = PAUSES_SECONDS.get(usize::try_from(job.attempts).unwrap_or(usize::MAX));
                            let dead = matches!(&*outcome, Ok(Done::Dead(_))) || pause.is_none();
                            if dead {
                                tracing::error!(job = %job.id, kind = job.kind, error, "a job waits for a person");
                                metrics::counter!("dead_letters_total", "service" => service.name()).increment(1);
                            }
                            let next = now + Duration::seconds(pause.copied().unwrap_or(0));
                            let sql = format!(
                                "UPDATE {service}_job SET due_at = $3, leased_until = NULL, attempts = attempts + 1,
                                 dead = $4, error = $5 WHERE {mine}"
                            );
                            let rest = [next.into(), dead.into(), error.clone().into()];
                            tx.run(sql, key.into_iter().chain(rest)).await?;
                        }
                    }
                    Ok::<(), WriteError<()>>(())
                }
                .boxed()
            })
            .await?;
        Ok(())
    }
}

impl Loop for Jobs {
    fn name(&self) -> String {
        format!("jobs:{}", self.service)
    }

    fn channel(&self) -> String {
        format!("jobs:{}", self.service)
    }

    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>> {
        async move {
            let Some((job, fence)) = self.lease().await? else { return Ok(Progress::Idle) };
            let now = self.clock.now();
            let request = RequestId(self.entropy.uuid(now));
            let deadline = now + Duration::seconds(LEASE_SECONDS / 2);
            let call = Call::system(&format!("{} {}", job.kind, job.id), self.service, request, deadline);
            let outcome = self.worker.work(&call, &job).await;
            if let Err(Trouble { why: error, .. }) = &outcome {
                tracing::warn!(kind = job.kind, job = %job.id, attempts = job.attempts, error, "a job failed and is tried again");
            }
            self.settle(job, fence, outcome).await?;
            Ok(Progress::Did)
        }
        .boxed()
    }
}
