//! Instructions: what is asked of the custodian and what is known of it.

use chrono::{DateTime, NaiveDate, Utc};
use finance::Money;
use kernel::id::{BreakId, InstructionId, LineId, ListingId, MovementId, PartyId, TransferId};
use platform::page::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The platform in the books: owner of its income and its own funds.
pub const PLATFORM: Uuid = Uuid::from_u128(0x00c0_0000_0000_8000_8000_0000_0000_0001);

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenCashAccount {
    pub id: InstructionId,
    pub party: PartyId,
    /// As on the identity document; passed on to the custodian and not kept here.
    pub name: String,
}

/// What a user may allow at the custodian.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentScope {
    Bid,
    Repay,
    Fee,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ConsentGrant {
    pub scope: ConsentScope,
    pub per_order: Money,
    pub total: Money,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GrantConsent {
    pub id: InstructionId,
    pub party: PartyId,
    pub grants: Vec<ConsentGrant>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TopUp {
    pub id: InstructionId,
    pub party: PartyId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Withdraw {
    pub id: InstructionId,
    pub party: PartyId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CreateProject {
    pub id: InstructionId,
    /// The listing.
    pub project: Uuid,
    /// What users see it called on the custodian's own pages. Empty, it is as if it were not there: what was accepted
    /// before there were names is still the same command.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub borrower: PartyId,
    pub amount: Money,
    /// The most the platform may take as a fee from the borrower for this project.
    pub fee_max: Money,
}

/// What is false is left out, so that a command keeps the fingerprint it had before there was such a wish.
fn is_false(wish: &bool) -> bool {
    !wish
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FreezePurpose {
    Bid,
    Repay,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Freeze {
    pub id: InstructionId,
    pub party: PartyId,
    pub project: Uuid,
    pub purpose: FreezePurpose,
    pub amount: Money,
    /// The user confirms it on the custodian's page, also where a standing consent would reach that far.
    #[serde(default, skip_serializing_if = "is_false")]
    pub by_hand: bool,
    /// The ledger's reservation behind it; voided by custody when the freeze finally fails or is given back.
    pub reservation: TransferId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unfreeze {
    pub id: InstructionId,
    pub freeze: InstructionId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DisburseLine {
    pub line: LineId,
    pub freeze: InstructionId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disburse {
    pub id: InstructionId,
    pub project: Uuid,
    pub borrower: PartyId,
    pub lines: Vec<DisburseLine>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unblock {
    pub id: InstructionId,
    pub project: Uuid,
    pub borrower: PartyId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReverseLine {
    pub id: InstructionId,
    pub batch: InstructionId,
    pub line: LineId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RepayLine {
    pub line: LineId,
    pub holder: PartyId,
    pub amount: Money,
    /// The part that gives back what was lent.
    pub principal: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Repay {
    pub id: InstructionId,
    pub project: Uuid,
    pub borrower: PartyId,
    pub freeze: InstructionId,
    pub lines: Vec<RepayLine>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChargeFee {
    pub id: InstructionId,
    pub project: Uuid,
    pub payer: PartyId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstructionOf {
    pub id: InstructionId,
    /// The newest attempt at it, where it was attempted again.
    #[serde(default)]
    pub newest: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstructionsOf {
    /// One's own; without it all, for those who watch over the custodian.
    pub party: Option<PartyId>,
    /// Only those about which the last word is not spoken.
    #[serde(default)]
    pub open: bool,
    /// Of one operation alone, by the custodian's word for it.
    #[serde(default)]
    pub operation: Option<String>,
    pub page: Page,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CashAccountOf {
    pub party: PartyId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CashAccountView {
    pub party: PartyId,
    pub custodian: String,
    pub opened_at: DateTime<Utc>,
}

/// What a party allows at the custodian.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Consents {
    /// The custodian's own page, on which it is seen and revoked.
    pub url: String,
    /// Of their account there, as the custodian's pages ask for it.
    #[serde(default)]
    pub account_number: String,
    pub consents: Vec<Consent>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Consent {
    pub scope: ConsentScope,
    pub per_order: Money,
    pub total: Money,
    /// How much of the total has been used.
    pub used: Money,
    pub expires_at: DateTime<Utc>,
}

impl Consent {
    /// Whether an order of this kind and amount would go through by it now.
    pub fn covers(&self, scope: ConsentScope, amount: Money, now: DateTime<Utc>) -> bool {
        self.scope == scope
            && self.expires_at > now
            && self.per_order.currency() == amount.currency()
            && self.per_order.minor() >= amount.minor()
            && self.total.minus(self.used).is_ok_and(|left| left.minor() >= amount.minor())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MovementsOf {
    pub party: PartyId,
    /// Only these, when there are any: what ledger entries refer to.
    pub ids: Vec<MovementId>,
    pub before: Option<i64>,
    /// 1 to 101.
    pub limit: u32,
}

/// One verified change in the custodian's books.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CashMovement {
    pub id: MovementId,
    pub number: i64,
    pub kind: String,
    pub source: String,
    pub source_bucket: String,
    pub target: String,
    pub target_bucket: String,
    pub amount: Money,
    pub instruction: String,
    /// The listing it was for, if for one.
    #[serde(default)]
    pub project: Option<ListingId>,
    /// The line of the order that it carried out, where the order has lines.
    #[serde(default)]
    pub line: Option<LineId>,
    pub business_date: NaiveDate,
    pub at: DateTime<Utc>,
    pub mirrored: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hint {
    pub instruction: InstructionId,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProveBooks {
    /// Do not ask the custodian; take its last signed statement.
    pub offline: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LastProofOf {}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnchorBooks {
    /// The head of office's audit log, to be kept beside the ledger's. Not read here.
    pub audit: String,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnchoredOf {}

/// What was sent to the custodian and not yet answered to the end; what waits for a user's own word does not count.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InFlightOf {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InFlight {
    pub count: u32,
    pub oldest: Option<DateTime<Utc>>,
}

/// Has the custodian begin a date. A real custodian's calendar is its own: then the answer only says where it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenCustodianDay {
    pub date: NaiveDate,
}

/// What is known of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstructionStatus {
    /// Written down, not sent yet.
    Drafted,
    /// The user must confirm on the custodian's page.
    AwaitingUser,
    /// The custodian has taken it; what it did is on its way to us.
    Accepted,
    /// Sent, and no answer came: being asked again.
    Unknown,
    Settled,
    /// Some lines settled, the others failed; another attempt is made at those.
    Partial,
    Failed,
    /// The user refused.
    Cancelled,
    Expired,
}

impl InstructionStatus {
    pub const ALL: [InstructionStatus; 9] = [
        InstructionStatus::Drafted,
        InstructionStatus::AwaitingUser,
        InstructionStatus::Accepted,
        InstructionStatus::Unknown,
        InstructionStatus::Settled,
        InstructionStatus::Partial,
        InstructionStatus::Failed,
        InstructionStatus::Cancelled,
        InstructionStatus::Expired,
    ];

    pub fn code(self) -> &'static str {
        match self {
            InstructionStatus::Drafted => "DRAFTED",
            InstructionStatus::AwaitingUser => "AWAITING_USER",
            InstructionStatus::Accepted => "ACCEPTED",
            InstructionStatus::Unknown => "UNKNOWN",
            InstructionStatus::Settled => "SETTLED",
            InstructionStatus::Partial => "PARTIAL",
            InstructionStatus::Failed => "FAILED",
            InstructionStatus::Cancelled => "CANCELLED",
            InstructionStatus::Expired => "EXPIRED",
        }
    }

    pub fn from_code(code: &str) -> Option<InstructionStatus> {
        InstructionStatus::ALL.into_iter().find(|s| s.code() == code)
    }

    /// Nothing more will come, save a new fact.
    pub fn is_final(self) -> bool {
        use InstructionStatus as S;
        matches!(self, S::Settled | S::Partial | S::Failed | S::Cancelled | S::Expired)
    }
}

fn nil() -> InstructionId {
    InstructionId(Uuid::nil())
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstructionView {
    pub id: InstructionId,
    /// What was ordered: the id of the first attempt, and this one's own where it is the first. Nil in events from before
    /// there were further attempts.
    #[serde(default = "nil")]
    pub order: InstructionId,
    /// How many attempts came before this one.
    #[serde(default)]
    pub attempt: u32,
    pub operation: String,
    pub party: Option<PartyId>,
    pub project: Option<Uuid>,
    pub amount: Option<Money>,
    pub status: InstructionStatus,
    /// The custodian's reason where it did not settle.
    pub code: String,
    /// Where the user confirms, while that is awaited.
    pub redirect_url: Option<String>,
    pub at: DateTime<Utc>,
}

/// No further attempt is to be made at an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GiveUp {
    pub order: InstructionId,
}

/// A line of a batch that settled, and the attempt in which it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SettledLine {
    pub line: LineId,
    pub batch: InstructionId,
}

/// Two people have looked at a break and know where it came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CloseBreak {
    pub id: BreakId,
}
