//! An application that somebody has begun and not sent.

use chrono::{DateTime, Utc};
use kernel::id::ApplicationId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const DRAFT_FIELDS_MAX: usize = 30;
pub const DRAFT_FIELD_CHARS_MAX: usize = 5_000;

/// Keeps what was typed, in the place of what was kept before; each borrower has one draft.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SaveDraft {
    /// Under which it will be sent: whoever goes on elsewhere and sends it twice has sent it once.
    pub application: ApplicationId,
    /// What was typed, as it was typed, by the form's own names.
    pub fields: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DiscardDraft {
    pub application: ApplicationId,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DraftOf {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DraftView {
    pub application: ApplicationId,
    pub fields: BTreeMap<String, String>,
    pub saved_at: DateTime<Utc>,
}
