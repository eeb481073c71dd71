//! The audit log: append-only, each entry chained to the one before, its head left with the custodian at each close.
//!
//! What somebody is about to do is written before it is done, and what came of it after: nothing is done unseen, and where a
//! process ends in between, the log says that the outcome is not known.

use crate::repo;
use crate::service::Inner;
use custody_api::{AnchoredOf, Custody};
use entity_office::act;
use futures::FutureExt;
use kernel::call::{Actor, Role, Service};
use kernel::id::{ActId, PartyId, PersonId, RequestId, SessionId};
use kernel::{Call, hash};
use office_api::*;
use platform::Fault;
use platform::db::{Tx, WriteError};
use platform::service::{Trouble, published, unreadable};
use sea_orm::DbErr;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Characters of one detail, at most.
const DETAIL_MAX: usize = 200;
/// How many entries are read at once when the chain is walked.
const STRIDE: i64 = 1_000;

/// The hash of an entry after the one before it; pure.
fn chained(before: &[u8], row: &act::Model) -> [u8; 32] {
    let content = hash::content(&(
        row.number,
        row.id,
        row.of,
        (row.party, row.person, row.session, row.request),
        &row.what,
        &row.details,
        row.at.timestamp_micros(),
    ));
    let mut previous = [0; 32];
    let length = previous.len().min(before.len());
    previous[..length].copy_from_slice(&before[..length]);
    hash::link(&previous, &content)
}

/// What somebody does who is about to do it: by the public door, as a person.
fn doer(call: &Call) -> Option<(PartyId, PersonId, SessionId)> {
    match &call.actor {
        Actor::Person { party, person, session, .. } if call.caller == Service::Gateway => {
            Some((*party, *person, *session))
        }
        _ => None,
    }
}

fn watches(call: &Call) -> bool {
    call.has_any(&[Role::Auditor, Role::Administrator])
}

/// An anchor as the custodian keeps it: the number of an entry and its hash.
fn anchor(number: i64, hash: &str) -> String {
    format!("{number}:{hash}")
}

impl Inner {
    /// Puts an entry at the end of the chain; one that is there already stays as it is.
    async fn append(&self, tx: &Tx, mut row: act::Model) -> Result<(), DbErr> {
        let (number, before) = repo::lock_act_head(tx).await?;
        let known = match row.of {
            None => repo::maybe_act(tx, row.id).await?.is_some(),
            Some(of) => repo::outcomes(tx, &[of]).await?.contains_key(&of),
        };
        if known {
            return Ok(());
        }
        row.number = number + 1;
        row.hash = chained(&before, &row).to_vec();
        repo::insert_act(tx, &row).await
    }

    async fn write_act(self: &Arc<Self>, call: &Call, row: act::Model) -> Result<(), Fault<OfficeError>> {
        let inner = self.clone();
        let write = self.db.write(move |tx| {
            let (inner, row) = (inner.clone(), row.clone());
            async move { inner.append(tx, row).await.map_err(WriteError::<OfficeError>::from) }.boxed()
        });
        write.await.map_err(|e| published(call, "write the audit log", e))
    }

    pub(crate) async fn record_act(
        self: &Arc<Self>,
        call: &Call,
        input: RecordAct,
    ) -> Result<(), Fault<OfficeError>> {
        let (party, person, session) = doer(call).ok_or(Fault::Forbidden)?;
        let details: BTreeMap<String, String> =
            input.details.into_iter().map(|(k, v)| (k, v.chars().take(DETAIL_MAX).collect())).collect();
        let row = act::Model {
            number: 0,
            id: input.id.0,
            of: None,
            party: party.0,
            person: person.0,
            session: session.0,
            request: call.request.0,
            what: input.what,
            details: serde_json::to_string(&details).map_err(|e| Fault::Malformed(e.to_string()))?,
            at: self.clock.now(),
            hash: Vec::new(),
        };
        self.write_act(call, row).await
    }

    pub(crate) async fn end_act(
        self: &Arc<Self>,
        call: &Call,
        input: EndAct,
    ) -> Result<(), Fault<OfficeError>> {
        let (party, person, session) = doer(call).ok_or(Fault::Forbidden)?;
        let now = self.clock.now();
        let row = act::Model {
            number: 0,
            id: self.entropy.uuid(now),
            of: Some(input.id.0),
            party: party.0,
            person: person.0,
            session: session.0,
            request: call.request.0,
            what: input.outcome.chars().take(DETAIL_MAX).collect(),
            details: "{}".into(),
            at: now,
            hash: Vec::new(),
        };
        self.write_act(call, row).await
    }

    pub(crate) async fn acts(&self, call: &Call, input: ActsOf) -> Result<Acts, Fault<OfficeError>> {
        if !watches(call) {
            return Err(Fault::Forbidden);
        }
        let read = |e: DbErr| unreadable::<OfficeError>(call, "read the audit log", &e);
        let limit = input.limit.clamp(1, 100) as usize;
        let mut rows = repo::acts(self.db.read(), &input, limit as u64 + 1).await.map_err(read)?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let ids: Vec<Uuid> = rows.iter().map(|r| r.id).collect();
        let outcomes = repo::outcomes(self.db.read(), &ids).await.map_err(read)?;
        Ok(Acts { acts: rows.into_iter().map(|row| view(row, &outcomes)).collect(), more })
    }

    pub(crate) async fn prove_acts(&self, call: &Call) -> Result<ActsProof, Fault<OfficeError>> {
        if !watches(call) {
            return Err(Fault::Forbidden);
        }
        let inner_call = Call::system("audit", Service::Office, call.request, call.deadline);
        // Read before the chain: what is added meanwhile lies behind it. Whoever looks may look without the custodian.
        let kept = self.custody.anchored(&inner_call, AnchoredOf {}).await.ok().flatten();
        self.walk(kept).await.map_err(|e| unreadable(call, "walk the audit log", &e))
    }

    /// Walks the whole chain, through the anchor if there is one.
    async fn walk(&self, kept: Option<String>) -> Result<ActsProof, DbErr> {
        let (number, head) = repo::act_head(self.db.read()).await?;
        let kept = kept.as_deref().and_then(|k| k.split_once(':'));
        let kept = kept.and_then(|(n, hash)| Some((n.parse::<i64>().ok()?, hash.to_string())));
        let mut fault = None;
        let (mut at, mut hash) = (0, vec![0; 32]);
        while at < number && fault.is_none() {
            let rows = repo::act_run(self.db.read(), at, (at + STRIDE).min(number)).await?;
            if rows.is_empty() {
                fault = Some(format!("entry {} is missing", at + 1));
            }
            for row in rows {
                let expected = chained(&hash, &row).to_vec();
                if row.number != at + 1 {
                    fault = Some(format!("entry {} is missing", at + 1));
                } else if row.hash != expected {
                    fault = Some(format!("entry {} is not what was written", row.number));
                } else if kept.as_ref().is_some_and(|(n, h)| *n == row.number && *h != hex::encode(&row.hash))
                {
                    fault =
                        Some(format!("entry {} is not the one whose hash the custodian keeps", row.number));
                }
                if fault.is_some() {
                    break;
                }
                (at, hash) = (row.number, row.hash);
            }
        }
        if fault.is_none() && hash != head {
            fault = Some("the head is not the last entry's".into());
        }
        if fault.is_none() && kept.as_ref().is_some_and(|(n, _)| *n > number) {
            fault = Some("the log ends before the entry whose hash the custodian keeps".into());
        }
        Ok(ActsProof { entries: number, head: hex::encode(head), anchored: kept.map(|(n, _)| n), fault })
    }

    /// What is left with the custodian at a close, unless the log is at fault: an anchor would hide it.
    pub(crate) async fn act_anchor(&self, call: &Call) -> Result<Result<String, String>, Trouble> {
        // Without the last anchor there is no new one: that would hide what was cut.
        let kept = self.custody.anchored(call, AnchoredOf {}).await?;
        let proof = self.walk(kept).await?;
        Ok(proof.fault.map_or_else(|| Ok(anchor(proof.entries, &proof.head)), Err))
    }
}

fn view(row: act::Model, outcomes: &HashMap<Uuid, String>) -> ActView {
    ActView {
        id: ActId(row.id),
        number: row.number,
        party: PartyId(row.party),
        person: PersonId(row.person),
        session: SessionId(row.session),
        request: RequestId(row.request),
        what: row.what,
        details: serde_json::from_str(&row.details).unwrap_or_default(),
        outcome: outcomes.get(&row.id).cloned(),
        at: row.at,
    }
}
