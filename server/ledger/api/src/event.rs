//! What the ledger announces.

use crate::statement::Entry;
use kernel::id::BatchId;
use platform::outbox::Announces;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LedgerEvent {
    /// A batch took effect, wholly or, if it was not linked, in part.
    BatchPosted {
        batch: BatchId,
        /// The ledger's position after it.
        position: i64,
        /// Whose accounts it touched.
        owners: Vec<Uuid>,
        entries: Vec<Entry>,
    },
}

impl Announces for LedgerEvent {
    fn key(&self) -> String {
        match self {
            LedgerEvent::BatchPosted { batch, .. } => batch.to_string(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            LedgerEvent::BatchPosted { .. } => "BatchPosted",
        }
    }
}
