//! Events: written in the transaction that makes them true, given a gapless position by a relay, read by position.
//!
//! The writer first locks the row of the event's key, so that events of one key enter the outbox in order. On PostgreSQL
//! sequence numbers become visible out of order, so nobody reads the outbox by id: the relay, serialised by its counter
//! row, moves what is committed into the log and numbers it there.

use crate::db::{Db, Sql, Tx, WriteError};
use crate::service::Fault;
use crate::work::{Loop, Progress, StepError};
use chrono::{DateTime, Duration, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::Call;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::EventId;
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How many events the relay moves at once.
const RELAY_MAX: i64 = 500;
/// How long a transaction could still be open below an id that was already moved. Far above the closure limit.
const LOW_WATER_AGE_MINUTES: i64 = 10;

/// What an event says of itself beside its JSON.
pub trait Announces: Serialize {
    /// Events of one key are read in order; of different keys in any.
    fn key(&self) -> String;
    /// The event's name in the past tense.
    fn kind(&self) -> &'static str;
}

/// Where and when an event was written down.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventRecord {
    pub position: i64,
    pub id: EventId,
    pub key: String,
    pub kind: String,
    pub body: String,
    pub at: DateTime<Utc>,
}

impl EventRecord {
    /// The event itself.
    ///
    /// # Errors
    /// A sentence for the parked list, when the body is of another form.
    pub fn read<E: DeserializeOwned>(&self) -> Result<E, String> {
        serde_json::from_str(&self.body).map_err(|e| format!("the event {} cannot be read: {e}", self.kind))
    }
}

/// Asks for the events after a position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventsAfter {
    pub position: i64,
    /// At most 500.
    pub limit: u32,
}

/// Events in order of position, without a gap.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventPage {
    pub events: Vec<EventRecord>,
    /// The newest position there is.
    pub head: i64,
}

/// One service's outbox.
#[derive(Clone)]
pub struct Outbox {
    pub service: &'static str,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
}

impl Outbox {
    /// Writes an event into the running transaction.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce<E: Announces>(&self, tx: &Tx, event: &E) -> Result<(), DbErr> {
        self.announce_all(tx, std::slice::from_ref(event)).await
    }

    /// Writes several events, in order, in one statement.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce_all<E: Announces>(&self, tx: &Tx, events: &[E]) -> Result<(), DbErr> {
        let now = self.clock.now();
        for part in events.chunks(500) {
            let mut rows = Vec::with_capacity(part.len());
            let mut values: Vec<Value> = Vec::with_capacity(part.len() * 5);
            for event in part {
                let n = values.len();
                rows.push(format!("(${}, ${}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4, n + 5));
                let body = serde_json::to_string(event).map_err(|e| DbErr::Json(e.to_string()))?;
                values.extend([
                    self.entropy.uuid(now).into(),
                    event.key().into(),
                    event.kind().into(),
                    body.into(),
                    now.into(),
                ]);
            }
            let sql = format!(
                "INSERT INTO {}_outbox (event_id, key, kind, body, at) VALUES {}",
                self.service,
                rows.join(", ")
            );
            tx.run(sql, values).await?;
        }
        tx.wake(format!("outbox:{}", self.service));
        Ok(())
    }

    /// Events after a position, for `events(after, limit)` of a service.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, db: &impl ConnectionTrait, after: &EventsAfter) -> Result<EventPage, DbErr> {
        let limit = i64::from(after.limit.clamp(1, 500));
        let sql = format!(
            "SELECT position, event_id, key, kind, body, at FROM {}_event WHERE position > $1 ORDER BY position LIMIT $2",
            self.service
        );
        let rows = db.all(sql, [after.position.into(), limit.into()]).await?;
        let events = rows.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        let head =
            match db.one(format!("SELECT position FROM {}_relay WHERE one = 1", self.service), []).await? {
                Some(row) => row.try_get_by_index(0)?,
                None => 0,
            };
        Ok(EventPage { events, head })
    }

    /// Moves what is committed from the outbox into the log, numbered.
    ///
    /// # Errors
    /// When the database fails.
    async fn relay(&self, tx: &Tx, now: DateTime<Utc>) -> Result<u64, DbErr> {
        let s = self.service;
        let sql = format!(
            "SELECT position, low_water, mark, marked_at FROM {s}_relay WHERE one = 1{}",
            tx.for_update()
        );
        let head = tx.one(sql, []).await?.ok_or_else(|| DbErr::Custom(format!("{s} has no relay row")))?;
        let (position, low_water): (i64, i64) = (head.try_get_by_index(0)?, head.try_get_by_index(1)?);
        let (mark, marked_at): (i64, DateTime<Utc>) = (head.try_get_by_index(2)?, head.try_get_by_index(3)?);

        // The low-water mark spares the idle query the dead entries of everything moved before.
        let sql = format!(
            "DELETE FROM {s}_outbox WHERE id IN (SELECT id FROM {s}_outbox WHERE id > $1 ORDER BY id LIMIT $2)
             RETURNING id, event_id, key, kind, body, at"
        );
        let rows = tx.all(sql, [low_water.into(), RELAY_MAX.into()]).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut moved = Vec::with_capacity(rows.len());
        for row in &rows {
            moved.push((row.try_get_by_index::<i64>(0)?, row));
        }
        moved.sort_by_key(|(id, _)| *id);

        let mut lines = Vec::with_capacity(moved.len());
        let mut values: Vec<Value> = Vec::with_capacity(moved.len() * 6);
        for (place, (_, row)) in (1i64..).zip(&moved) {
            let n = values.len();
            lines.push(format!("(${}, ${}, ${}, ${}, ${}, ${})", n + 1, n + 2, n + 3, n + 4, n + 5, n + 6));
            values.extend([
                (position + place).into(),
                row.try_get_by_index::<uuid::Uuid>(1)?.into(),
                row.try_get_by_index::<String>(2)?.into(),
                row.try_get_by_index::<String>(3)?.into(),
                row.try_get_by_index::<String>(4)?.into(),
                row.try_get_by_index::<DateTime<Utc>>(5)?.into(),
            ]);
        }
        let sql = format!(
            "INSERT INTO {s}_event (position, event_id, key, kind, body, at) VALUES {}",
            lines.join(", ")
        );
        tx.run(sql, values).await?;

        let count = i64::try_from(moved.len()).unwrap_or(i64::MAX);
        let newest = moved.last().map_or(low_water, |(id, _)| *id);
        let aged = now - marked_at > Duration::minutes(LOW_WATER_AGE_MINUTES);
        let (low_water, mark, marked_at) =
            if aged { (low_water.max(mark), newest, now) } else { (low_water, mark, marked_at) };
        let sql = format!(
            "UPDATE {s}_relay SET position = $1, low_water = $2, mark = $3, marked_at = $4 WHERE one = 1"
        );
        tx.run(sql, [(position + count).into(), low_water.into(), mark.into(), marked_at.into()]).await?;
        tx.wake(format!("events:{s}"));
        Ok(moved.len() as u64)
    }
}

/// A service's log is for services: people and partners see what the gateway has filtered for them.
///
/// # Errors
/// When a person asks.
pub fn for_services<E>(call: &Call) -> Result<(), Fault<E>> {
    if call.is_system() { Ok(()) } else { Err(Fault::Forbidden) }
}

fn record(row: &QueryResult) -> Result<EventRecord, DbErr> {
    Ok(EventRecord {
        position: row.try_get_by_index(0)?,
        id: EventId(row.try_get_by_index(1)?),
        key: row.try_get_by_index(2)?,
        kind: row.try_get_by_index(3)?,
        body: row.try_get_by_index(4)?,
        at: row.try_get_by_index(5)?,
    })
}

/// The loop that moves a service's outbox into its log.
pub struct Relay {
    pub outbox: Outbox,
    pub db: Db,
}

impl Loop for Relay {
    fn name(&self) -> String {
        format!("relay:{}", self.outbox.service)
    }

    fn channel(&self) -> String {
        format!("outbox:{}", self.outbox.service)
    }

    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>> {
        async move {
            // A look without a lock spares the idle relay its transaction.
            let sql = format!("SELECT 1 FROM {}_outbox LIMIT 1", self.outbox.service);
            if self.db.read().one(sql, []).await?.is_none() {
                return Ok(Progress::Idle);
            }
            let (outbox, now) = (self.outbox.clone(), self.outbox.clock.now());
            let moved = self
                .db
                .write(move |tx| {
                    let outbox = outbox.clone();
                    async move { outbox.relay(tx, now).await.map_err(WriteError::<()>::from) }.boxed()
                })
                .await
                .map_err(StepError::from)?;
            Ok(if moved == 0 { Progress::Idle } else { Progress::Did })
        }
        .boxed()
    }
}
