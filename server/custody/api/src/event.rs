//! What custody announces.

use crate::instruction::InstructionView;
use chrono::NaiveDate;
use finance::Money;
use kernel::id::{BreakId, InstructionId, LineId, MovementId, PartyId};
use platform::outbox::Announces;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CustodyEvent {
    /// The custodian did it, wholly or in part, and the ledger shows it.
    InstructionSettled {
        instruction: InstructionView,
        lines_settled: Vec<LineId>,
        lines_failed: Vec<LineId>,
        /// The business date on which the custodian did it, the last line's; none for what moves no money.
        on: Option<NaiveDate>,
    },
    /// It finally did not happen; what was reserved for it is free again. What has been decided and needs no user is
    /// attempted again, as another instruction of the same order.
    InstructionFailed {
        instruction: InstructionView,
    },
    /// It has failed as often as it is attempted by itself; people decide.
    InstructionStuck {
        instruction: InstructionView,
    },
    /// A cash movement stands in the ledger.
    MovementMirrored {
        movement: MovementId,
        number: i64,
        kind: String,
        instruction: Option<InstructionId>,
        parties: Vec<PartyId>,
        amount: Money,
    },
    /// A fact did not fit the books. No money leaves the party's account until the break is closed.
    BreakFound {
        id: BreakId,
        movement: MovementId,
        party: Option<PartyId>,
        amount: Money,
        what: String,
    },
    BreakClosed {
        id: BreakId,
        party: Option<PartyId>,
    },
    /// A party's cash account is open.
    CashAccountOpened {
        party: PartyId,
        custodian: String,
    },
}

impl Announces for CustodyEvent {
    fn key(&self) -> String {
        match self {
            CustodyEvent::InstructionSettled { instruction, .. }
            | CustodyEvent::InstructionFailed { instruction }
            | CustodyEvent::InstructionStuck { instruction } => instruction.order.to_string(),
            CustodyEvent::MovementMirrored { movement, .. } => movement.to_string(),
            CustodyEvent::BreakFound { id, .. } | CustodyEvent::BreakClosed { id, .. } => id.to_string(),
            CustodyEvent::CashAccountOpened { party, .. } => party.to_string(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            CustodyEvent::InstructionSettled { .. } => "InstructionSettled",
            CustodyEvent::InstructionFailed { .. } => "InstructionFailed",
            CustodyEvent::MovementMirrored { .. } => "MovementMirrored",
            CustodyEvent::InstructionStuck { .. } => "InstructionStuck",
            CustodyEvent::BreakFound { .. } => "BreakFound",
            CustodyEvent::BreakClosed { .. } => "BreakClosed",
            CustodyEvent::CashAccountOpened { .. } => "CashAccountOpened",
        }
    }
}
