//! The audit log: what staff did, written before it is done.

use chrono::{DateTime, Utc};
use kernel::id::{ActId, PartyId, PersonId, RequestId, SessionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Somebody is about to do something. Without this entry it is not done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordAct {
    pub id: ActId,
    /// A name of the public schema, as in `taskDecide`.
    pub what: String,
    /// Ids, dates, figures and codes it was given; nothing personal and nothing secret.
    pub details: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EndAct {
    pub id: ActId,
    /// `DONE`, or the code of what stood against it.
    pub outcome: String,
}

/// Newest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActsOf {
    pub party: Option<PartyId>,
    /// Something that its name or its details contain.
    pub text: Option<String>,
    /// Only those before this number.
    pub after: Option<i64>,
    /// 1 to 100.
    pub limit: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActView {
    pub id: ActId,
    /// Its place in the log.
    pub number: i64,
    pub party: PartyId,
    pub person: PersonId,
    pub session: SessionId,
    pub request: RequestId,
    pub what: String,
    pub details: BTreeMap<String, String>,
    /// Nothing while it is under way, and where the process ended in its middle.
    pub outcome: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Acts {
    pub acts: Vec<ActView>,
    pub more: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProveActs {}

/// Whether the log is whole: its chain of hashes from the first entry to the last, and through the head that the custodian
/// keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActsProof {
    pub entries: i64,
    /// The hash of the last entry, hexadecimal.
    pub head: String,
    /// The entry up to which the custodian can bear witness; nothing before the first close of business, or while the
    /// custodian does not answer.
    pub anchored: Option<i64>,
    /// What is wrong.
    pub fault: Option<String>,
}
