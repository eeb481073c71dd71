//! Listening to another service's events, in order, each once.
//!
//! The cursor moves in the transaction of the event's effect. Where the effect is a command to another service, it is
//! sent before, with an id that derives from the event's, so that a crash between the two repeats it harmlessly. An
//! event that fails parks its key (it and what follows under the same key is tried again with growing pauses and at
//! last waits for a person), and nothing else.

use crate::db::{Db, Sql, Tx, WriteError};
use crate::outbox::{EventPage, EventRecord, EventsAfter};
use crate::service::{Fault, Trouble, published, unreadable};
use crate::work::{Loop, Progress, SharedLoop, StepError};
use chrono::{DateTime, Duration, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::call::{Role, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::{EventId, RequestId};
use kernel::{Call, call};
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an event changes here, in the cursor's transaction.
pub type Effect = Box<dyn for<'a> Fn(&'a Tx) -> BoxFuture<'a, Result<(), WriteError<String>>> + Send + Sync>;

/// How a listener ends with one event.
pub enum Heard {
    /// It does not concern this service, or what was to do has been done by commands.
    Done,
    /// This is to be written.
    Write(Effect),
}

impl Heard {
    /// Something to be written in the cursor's transaction.
    pub fn write<F>(f: F) -> Heard
    where
        F: for<'a> Fn(&'a Tx) -> BoxFuture<'a, Result<(), WriteError<String>>> + Send + Sync + 'static,
    {
        Heard::Write(Box::new(f))
    }
}

/// Reacts to events. May send commands whose ids derive from the event's.
pub trait Listener: Send + Sync + 'static {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>>;
}

/// Gives events after a position; `None` while the source does not answer.
pub type Source = Arc<dyn Fn(Call, EventsAfter) -> BoxFuture<'static, Option<EventPage>> + Send + Sync>;

/// One service's ear at another's outbox.
pub struct Reader {
    pub owner: Service,
    pub source_name: &'static str,
    pub source: Source,
    pub listener: Arc<dyn Listener>,
    pub db: Db,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
}

/// One service's ears: its readers differ in whom they hear and what they do about it.
pub struct Ears {
    pub owner: Service,
    pub db: Db,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
}

impl Ears {
    /// The loop that hears one source.
    pub fn hear(&self, source_name: &'static str, source: Source, listener: impl Listener) -> SharedLoop {
        Arc::new(Reader {
            owner: self.owner,
            source_name,
            source,
            listener: Arc::new(listener),
            db: self.db.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        })
    }
}

/// Pauses while somebody whom the listener needs is away: the longer it lasts, the longer.
const PASSING_SECONDS: std::ops::RangeInclusive<i64> = 2..=60;
/// Pauses between attempts at a parked event; after the last it waits for a person.
const PAUSES_SECONDS: [i64; 8] = [1, 2, 5, 15, 60, 300, 1_800, 7_200];
const PAGE: u32 = 100;
/// How long work nobody waits for may take in other services.
pub const WORK_LIMIT_SECONDS: i64 = 30;

impl Reader {
    fn reader_name(&self) -> String {
        self.source_name.to_string()
    }

    fn call(&self, now: DateTime<Utc>) -> Call {
        let work = format!("{} listens to {}", self.owner, self.source_name);
        let request = RequestId(self.entropy.uuid(now));
        call::Call::system(&work, self.owner, request, now + Duration::seconds(WORK_LIMIT_SECONDS))
    }

    async fn position(&self, db: &impl ConnectionTrait) -> Result<i64, DbErr> {
        let sql = format!("SELECT position FROM {}_cursor WHERE reader = $1", self.owner);
        match db.one(sql, [self.reader_name().into()]).await? {
            Some(row) => row.try_get_by_index(0),
            None => Ok(0),
        }
    }

    /// Moves the cursor from the position before `position`; of two who try, one does it.
    async fn advance(
        &self,
        event: EventRecord,
        effect: Option<Arc<Effect>>,
        parked: Option<String>,
    ) -> Result<(), StepError> {
        let (owner, reader, now) = (self.owner, self.reader_name(), self.clock.now());
        self.db
            .write(move |tx| {
                let (reader, event, effect, parked) = (reader.clone(), event.clone(), effect.clone(), parked.clone());
                async move {
                    let sql = format!("INSERT INTO {owner}_cursor (reader, position) VALUES ($1, 0) ON CONFLICT (reader) DO NOTHING");
                    tx.run(sql, [reader.clone().into()]).await?;
                    let sql = format!("UPDATE {owner}_cursor SET position = $1 WHERE reader = $2 AND position = $3");
                    let moved = tx
                        .run(sql, [event.position.into(), reader.clone().into(), (event.position - 1).into()])
                        .await?;
                    if moved.rows_affected() == 0 {
                        // Another process was first; its effect stands.
                        return Ok(());
                    }
                    if let Some(error) = parked {
                        let sql = format!(
                            "INSERT INTO {owner}_parked (reader, position, event_id, key, kind, body, at, attempts, next_at, dead, error)
                             VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $10)"
                        );
                        let next = now + Duration::seconds(PAUSES_SECONDS[0]);
                        tx.run(sql, [
                            reader.into(), event.position.into(), event.id.0.into(), event.key.into(), event.kind.into(),
                            event.body.into(), event.at.into(), next.into(), false.into(), error.into(),
                        ]).await?;
                    } else if let Some(effect) = effect {
                        effect(tx).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
            .map_err(StepError::from)
    }

    /// Takes the oldest parked event of a key whose time has come.
    async fn retry_parked(&self) -> Result<Progress, StepError> {
        let (owner, reader, now) = (self.owner, self.reader_name(), self.clock.now());
        let sql = format!(
            "SELECT position, event_id, key, kind, body, at, attempts FROM {owner}_parked p
             WHERE reader = $1 AND NOT dead AND next_at <= $2
               AND NOT EXISTS (SELECT 1 FROM {owner}_parked b WHERE b.reader = p.reader AND b.key = p.key AND b.position < p.position)
             ORDER BY next_at, position LIMIT 1"
        );
        let Some(row) = self.db.read().one(sql, [reader.clone().into(), now.into()]).await? else {
            return Ok(Progress::Idle);
        };
        let event = EventRecord {
            position: row.try_get_by_index(0)?,
            id: EventId(row.try_get_by_index(1)?),
            key: row.try_get_by_index(2)?,
            kind: row.try_get_by_index(3)?,
            body: row.try_get_by_index(4)?,
            at: row.try_get_by_index(5)?,
        };
        let attempts: i64 = row.try_get_by_index(6)?;
        let (position, since) = (event.position, event.at);
        let heard = self.listener.hear(&self.call(now), &event).await;
        let outcome: Result<(), Trouble> = match heard {
            Err(trouble) => Err(trouble),
            Ok(heard) => {
                let effect = match heard {
                    Heard::Done => None,
                    Heard::Write(effect) => Some(Arc::new(effect)),
                };
                let reader = reader.clone();
                self.db
                    .write(move |tx| {
                        let (reader, effect) = (reader.clone(), effect.clone());
                        async move {
                            let sql =
                                format!("DELETE FROM {owner}_parked WHERE reader = $1 AND position = $2");
                            if tx.run(sql, [reader.into(), position.into()]).await?.rows_affected() == 1
                                && let Some(effect) = effect
                            {
                                effect(tx).await?;
                            }
                            Ok(())
                        }
                        .boxed()
                    })
                    .await
                    .map_err(|e| Trouble::from(format!("{e:?}")))
            }
        };
        if let Err(Trouble { why: error, passing }) = outcome {
            let place = usize::try_from(attempts).unwrap_or(usize::MAX);
            // Hearing may have taken a while; who waits longest is next.
            let now = self.clock.now();
            let away =
                ((now - since).num_seconds() / 10).clamp(*PASSING_SECONDS.start(), *PASSING_SECONDS.end());
            let pause = if passing { Some(&away) } else { PAUSES_SECONDS.get(place) };
            let dead = pause.is_none();
            if dead {
                tracing::error!(reader, position, error, "an event waits for a person");
                metrics::counter!("dead_letters_total", "service" => owner.name()).increment(1);
            }
            let next = now + Duration::seconds(pause.copied().unwrap_or(0));
            self.db
                .write(move |tx| {
                    let (reader, error) = (reader.clone(), error.clone());
                    async move {
                        let sql = format!(
                            "UPDATE {owner}_parked SET attempts = attempts + $6, next_at = $1, dead = $2, error = $3
                             WHERE reader = $4 AND position = $5"
                        );
                        let counted = i64::from(!passing);
                        let values = [
                            next.into(),
                            dead.into(),
                            error.into(),
                            reader.into(),
                            position.into(),
                            counted.into(),
                        ];
                        tx.run(sql, values).await?;
                        Ok::<(), WriteError<()>>(())
                    }
                    .boxed()
                })
                .await?;
        }
        Ok(Progress::Did)
    }
}

impl Loop for Reader {
    fn name(&self) -> String {
        format!("reader:{}<{}", self.owner, self.source_name)
    }

    fn channel(&self) -> String {
        format!("events:{}", self.source_name)
    }

    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>> {
        async move {
            let retried = self.retry_parked().await?;
            let now = self.clock.now();
            let position = self.position(self.db.read()).await?;
            let Some(page) = (self.source)(self.call(now), EventsAfter { position, limit: PAGE }).await else {
                return Err(StepError(format!("{} does not answer", self.source_name)));
            };
            if page.events.is_empty() {
                return Ok(retried);
            }
            for event in page.events {
                let sql = format!("SELECT 1 FROM {}_parked WHERE reader = $1 AND key = $2 LIMIT 1", self.owner);
                let behind = self.db.read().one(sql, [self.reader_name().into(), event.key.clone().into()]).await?;
                if behind.is_some() {
                    self.advance(event, None, Some("waits behind an earlier event of its key".into())).await?;
                    continue;
                }
                match self.listener.hear(&self.call(self.clock.now()), &event).await {
                    Ok(Heard::Done) => self.advance(event, None, None).await?,
                    Ok(Heard::Write(effect)) => {
                        let outcome = self.advance(event.clone(), Some(Arc::new(effect)), None).await;
                        if let Err(e) = outcome {
                            tracing::warn!(reader = self.name(), event = %event.id, error = %e, "an event is parked");
                            self.advance(event, None, Some(e.0)).await?;
                        }
                    }
                    Err(Trouble { why, .. }) => {
                        tracing::warn!(reader = self.name(), event = %event.id, error = why, "an event is parked");
                        self.advance(event, None, Some(why)).await?;
                    }
                }
            }
            Ok(Progress::Did)
        }
        .boxed()
    }
}

/// Something that has failed: it is still tried again by itself, or at last waits for a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    pub service: String,
    /// `event:<reader>:<position>` or `job:<id>`; names it for a retry.
    pub name: String,
    pub kind: String,
    pub body: String,
    pub error: String,
    pub attempts: i64,
    /// Nobody tries it any more but a person.
    pub dead: bool,
    pub since: DateTime<Utc>,
}

/// Events and jobs of a service that have failed and are not done, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn dead_letters(db: &impl ConnectionTrait, service: Service) -> Result<Vec<DeadLetter>, DbErr> {
    let mut letters = Vec::new();
    let sql = format!(
        "SELECT reader, position, kind, body, error, attempts, at, dead FROM {service}_parked WHERE error <> '' ORDER BY at LIMIT 500"
    );
    for row in db.all(sql, []).await? {
        letters.push(DeadLetter {
            service: service.to_string(),
            name: format!("event:{}:{}", row.try_get_by_index::<String>(0)?, row.try_get_by_index::<i64>(1)?),
            kind: row.try_get_by_index(2)?,
            body: row.try_get_by_index(3)?,
            error: row.try_get_by_index(4)?,
            attempts: row.try_get_by_index(5)?,
            since: row.try_get_by_index(6)?,
            dead: row.try_get_by_index(7)?,
        });
    }
    let sql = format!(
        "SELECT id, kind, body, error, attempts, at, dead FROM {service}_job WHERE error <> '' ORDER BY at LIMIT 500"
    );
    for row in db.all(sql, []).await? {
        letters.push(DeadLetter {
            service: service.to_string(),
            name: format!("job:{}", row.try_get_by_index::<uuid::Uuid>(0)?),
            kind: row.try_get_by_index(1)?,
            body: row.try_get_by_index(2)?,
            error: row.try_get_by_index(3)?,
            attempts: row.try_get_by_index(4)?,
            since: row.try_get_by_index(5)?,
            dead: row.try_get_by_index(6)?,
        });
    }
    Ok(letters)
}

/// Tries a dead letter again from the beginning of its pauses. Answers whether there was one of that name.
///
/// # Errors
/// When the database fails.
pub async fn retry_dead_letter(
    tx: &Tx,
    service: Service,
    name: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    if let Some(rest) = name.strip_prefix("event:")
        && let Some((reader, position)) = rest.rsplit_once(':')
        && let Ok(position) = position.parse::<i64>()
    {
        let sql = format!(
            "UPDATE {service}_parked SET dead = $1, attempts = 0, next_at = $2 WHERE reader = $3 AND position = $4"
        );
        let done = tx.run(sql, [false.into(), now.into(), reader.into(), position.into()]).await?;
        return Ok(done.rows_affected() == 1);
    }
    if let Some(id) = name.strip_prefix("job:").and_then(|id| uuid::Uuid::parse_str(id).ok()) {
        let sql = format!(
            "UPDATE {service}_job SET dead = $1, attempts = 0, due_at = $2 WHERE id = $3 AND error <> ''"
        );
        let done = tx.run(sql, [false.into(), now.into(), id.into()]).await?;
        tx.wake(format!("jobs:{service}"));
        return Ok(done.rows_affected() == 1);
    }
    Ok(false)
}

/// Asks for what waits for a person.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ParkedOf {}

/// Asks for one such thing to be tried again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unpark {
    /// As in [`DeadLetter::name`].
    pub name: String,
}

fn may(call: &Call, roles: &[Role]) -> bool {
    call.caller != Service::Gateway || call.has_any(roles)
}

/// The published form of [`dead_letters`]: for operations, and for those who watch.
///
/// # Errors
/// When the asker may not, or the database fails.
pub async fn parked<E>(call: &Call, db: &Db, service: Service) -> Result<Vec<DeadLetter>, Fault<E>> {
    if !may(call, &[Role::Operations, Role::Auditor, Role::Administrator]) {
        return Err(Fault::Forbidden);
    }
    dead_letters(db.read(), service).await.map_err(|e| unreadable(call, "read what is parked", &e))
}

/// The published form of [`retry_dead_letter`]: for operations. It moves nothing by itself; what is tried again keeps
/// its ids, and so what was done is not done twice.
///
/// # Errors
/// When the asker may not, or the database fails.
pub async fn unpark<E: Send + std::fmt::Debug + 'static>(
    call: &Call,
    db: &Db,
    service: Service,
    input: Unpark,
    now: DateTime<Utc>,
) -> Result<bool, Fault<E>> {
    if !may(call, &[Role::Operations]) {
        return Err(Fault::Forbidden);
    }
    tracing::info!(request = %call.request, %service, name = input.name, "a person asks for a parked thing to be tried again");
    let write = db.write(move |tx| {
        let input = input.clone();
        async move { retry_dead_letter(tx, service, &input.name, now).await.map_err(WriteError::<E>::from) }
            .boxed()
    });
    write.await.map_err(|e| published(call, "try a parked thing again", e))
}
