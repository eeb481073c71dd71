//! What failed: visible from the first failure on, and tried again at once on a person's word.

use crate::context::{asker, loader, services};
use crate::error::fault;
use crate::party::Party;
use crate::scalars::DateTime;
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject};
use custody_api::Custody;
use identity_api::PartyView;
use investing_api::Investing;
use kernel::id::PartyId;
use lending_api::Lending;
use notification_api::Notification;
use office_api::Office;
use platform::reader::{DeadLetter, ParkedOf, Unpark};
use serde_json::Value;
use std::collections::HashMap;

/// A service that can have parked work.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum Worker {
    Custody,
    Lending,
    Investing,
    Office,
    Notification,
}

/// An event or a job that failed. Nothing else waits for it but what is about the same thing.
#[derive(SimpleObject)]
pub struct Parked {
    pub service: Worker,
    /// By which it is asked for again.
    pub name: String,
    pub kind: String,
    /// Why it failed the last time, in English.
    pub error: String,
    /// The error's code, where a service refused it by one.
    pub code: Option<String>,
    /// Whose matter it is, where it is somebody's.
    pub party: Option<Party>,
    pub attempts: u32,
    /// It is not tried again by itself any more.
    pub waits: bool,
    pub since: DateTime,
}

fn view(service: Worker, letter: DeadLetter, parties: &HashMap<PartyId, PartyView>) -> Parked {
    Parked {
        service,
        party: concerns(&letter).and_then(|id| parties.get(&id)).cloned().map(Party::from),
        code: code(&letter.error).map(str::to_owned),
        name: letter.name,
        kind: letter.kind,
        error: letter.error,
        attempts: u32::try_from(letter.attempts).unwrap_or(u32::MAX),
        waits: letter.dead,
        since: DateTime(letter.since),
    }
}

/// The code that a refusal is written down with: `CODE: sentence`.
fn code(error: &str) -> Option<&str> {
    let (code, _) = error.split_once(':')?;
    let spelled = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (!code.is_empty() && code.chars().all(spelled)).then_some(code)
}

/// Whose matter an event or a job is: what it says of a borrower, else of a party, at any depth.
fn concerns(letter: &DeadLetter) -> Option<PartyId> {
    fn named(value: &Value, key: &str) -> Option<PartyId> {
        match value {
            Value::Object(fields) => {
                let here = fields.get(key).and_then(Value::as_str).and_then(|id| id.parse().ok());
                here.map(PartyId).or_else(|| fields.values().find_map(|v| named(v, key)))
            }
            Value::Array(all) => all.iter().find_map(|v| named(v, key)),
            _ => None,
        }
    }
    let body: Value = serde_json::from_str(&letter.body).ok()?;
    named(&body, "borrower").or_else(|| named(&body, "party"))
}

/// All that is parked, oldest first.
///
/// # Errors
/// When the asker may not see it, or a service does not answer.
pub async fn all(ctx: &Context<'_>) -> Result<Vec<Parked>> {
    let (asker, s) = (asker(ctx), services(ctx));
    let call = asker.call();
    let mut found = Vec::new();
    macro_rules! of {
        ($($client:ident as $worker:ident),*) => {$(
            let letters = s.$client.parked(&call, ParkedOf {}).await.map_err(|e| fault(asker, e))?;
            found.extend(letters.into_iter().map(|l| (Worker::$worker, l)));
        )*};
    }
    of!(
        custody as Custody,
        lending as Lending,
        investing as Investing,
        office as Office,
        notification as Notification
    );
    found.sort_by_key(|(_, letter)| letter.since);
    // What failed is shown, also while nobody can say whose it is.
    let named = loader(ctx).load_many(found.iter().filter_map(|(_, l)| concerns(l))).await;
    let parties = named.unwrap_or_default();
    Ok(found.into_iter().map(|(service, letter)| view(service, letter, &parties)).collect())
}

#[derive(InputObject)]
pub struct ParkedRetryInput {
    pub service: Worker,
    pub name: String,
}

/// Whether it was there to be tried again.
#[derive(SimpleObject)]
pub struct ParkedRetryPayload {
    pub done: bool,
    pub errors: Vec<crate::error::OfficeUserError>,
}

#[derive(Default)]
pub struct ParkedMutation;

#[Object]
impl ParkedMutation {
    /// Tries parked work again, once what hindered it has been mended. It keeps its ids: nothing is done twice.
    async fn parked_retry(&self, ctx: &Context<'_>, input: ParkedRetryInput) -> Result<ParkedRetryPayload> {
        let (asker, s) = (asker(ctx), services(ctx));
        let (call, unpark) = (asker.call(), Unpark { name: input.name });
        let done = match input.service {
            Worker::Custody => s.custody.unpark(&call, unpark).await.map_err(|e| fault(asker, e)),
            Worker::Lending => s.lending.unpark(&call, unpark).await.map_err(|e| fault(asker, e)),
            Worker::Investing => s.investing.unpark(&call, unpark).await.map_err(|e| fault(asker, e)),
            Worker::Notification => s.notification.unpark(&call, unpark).await.map_err(|e| fault(asker, e)),
            Worker::Office => s.office.unpark(&call, unpark).await.map_err(|e| fault(asker, e)),
        }?;
        Ok(ParkedRetryPayload { done, errors: Vec::new() })
    }
}
