//! Accepted commands, kept for ever with a hash of their content.
//!
//! The same id and content gives the first answer again; the same id with other content is refused. A refusal rolls the
//! transaction back and so leaves no trace: the same id may be sent again after mending.

use crate::Fault;
use crate::db::{Sql, Tx, WriteError};
use chrono::{DateTime, Utc};
use kernel::hash;
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// Refuses an id that no client may make. Ids that the platform derives for itself are of another version, so that
/// nobody can stand in the way of one by using it first.
///
/// # Errors
/// `Malformed`, unless the id is a UUID of version 7.
pub fn client_made<E>(id: Uuid) -> Result<(), Fault<E>> {
    if id.get_version_num() == 7 {
        Ok(())
    } else {
        Err(Fault::Malformed("an id made by a client is a UUID of version 7".into()))
    }
}

/// What an id was found to be.
pub enum Seen<T> {
    /// Never accepted; it is now reserved in this transaction, which must end by [`answer`].
    First,
    /// Accepted before with the same content.
    Again(T),
    /// Accepted before with other content.
    Taken,
}

/// Reserves `id` for `content`, or says what became of it before. Waits for a concurrent first use.
///
/// # Errors
/// When the database fails.
pub async fn begin<C: Serialize, T: DeserializeOwned>(
    tx: &Tx,
    service: &str,
    id: Uuid,
    kind: &str,
    content: &C,
    now: DateTime<Utc>,
) -> Result<Seen<T>, DbErr> {
    let hash = hash::content(&(kind, content)).to_vec();
    let sql = format!(
        "INSERT INTO {service}_command (id, kind, hash, answer, at) VALUES ($1, $2, $3, '', $4) ON CONFLICT (id) DO NOTHING"
    );
    let inserted = tx.run(sql, [id.into(), kind.into(), hash.clone().into(), now.into()]).await?;
    if inserted.rows_affected() == 1 {
        return Ok(Seen::First);
    }
    let sql = format!("SELECT hash, answer FROM {service}_command WHERE id = $1");
    let row =
        tx.one(sql, [id.into()]).await?.ok_or_else(|| DbErr::Custom(format!("command {id} vanished")))?;
    if row.try_get_by_index::<Vec<u8>>(0)? != hash {
        return Ok(Seen::Taken);
    }
    let answer: String = row.try_get_by_index(1)?;
    serde_json::from_str(&answer).map(Seen::Again).map_err(|e| DbErr::Json(e.to_string()))
}

/// Keeps the answer of a command reserved by [`begin`].
///
/// # Errors
/// When the database fails.
pub async fn answer<T: Serialize>(tx: &Tx, service: &str, id: Uuid, answer: &T) -> Result<(), DbErr> {
    let json = serde_json::to_string(answer).map_err(|e| DbErr::Json(e.to_string()))?;
    let sql = format!("UPDATE {service}_command SET answer = $1 WHERE id = $2");
    tx.run(sql, [json.into(), id.into()]).await.map(drop)
}

/// Whether an id was accepted before.
///
/// # Errors
/// When the database fails.
pub async fn is_known(db: &impl ConnectionTrait, service: &str, id: Uuid) -> Result<bool, DbErr> {
    let sql = format!("SELECT 1 FROM {service}_command WHERE id = $1");
    Ok(db.one(sql, [id.into()]).await?.is_some())
}

/// Runs `work` once for `id`: the whole of law 3 around a use case.
///
/// # Errors
/// `taken` when the id was used with other content; what `work` refuses; database failures.
pub async fn once<C, T, E, W>(
    tx: &Tx,
    service: &str,
    id: Uuid,
    kind: &str,
    content: &C,
    now: DateTime<Utc>,
    taken: E,
    work: W,
) -> Result<T, WriteError<E>>
where
    C: Serialize,
    T: Serialize + DeserializeOwned,
    W: Future<Output = Result<T, WriteError<E>>>,
{
    match begin(tx, service, id, kind, content, now).await? {
        Seen::Again(first) => Ok(first),
        Seen::Taken => Err(WriteError::Refused(taken)),
        Seen::First => {
            let value = work.await?;
            answer(tx, service, id, &value).await?;
            Ok(value)
        }
    }
}
