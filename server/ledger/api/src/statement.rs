//! Reading the books: balances, statements, the proof.

use crate::account::{AccountKey, AccountKind, Flags};
use crate::batch::{Code, PendingView};
use chrono::{DateTime, NaiveDate, Utc};
use finance::{Currency, Money};
use kernel::id::{AccountId, BatchId, TransferId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BalancesOf {
    pub owner: Uuid,
    /// Posted balances at the end of this business date, without reservations; now if left out.
    pub as_of: Option<NaiveDate>,
}

/// One account's sums in the currency's minor units.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Balance {
    pub account: AccountId,
    pub key: AccountKey,
    pub flags: Flags,
    /// Posted.
    pub balance: Money,
    /// Set aside out of it.
    pub reserved: Money,
    /// Expected into it.
    pub incoming: Money,
}

/// Whether an account could pay an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    Enough,
    TooLittle,
    /// It is blocked for debits, or closed.
    Blocked,
}

/// Whether, by these balances, a payer's available money at a custodian covers an amount. A look before a command is
/// written down, so that a refusal leaves no trace; the ledger has the last word all the same.
pub fn means(balances: &[Balance], custodian: &str, amount: Money) -> Means {
    let found = balances.iter().find(|b| {
        b.key.kind == AccountKind::Available
            && b.key.custodian == custodian
            && b.key.currency == amount.currency()
    });
    match found {
        Some(b) if b.flags.debit_blocked || b.flags.closed => Means::Blocked,
        Some(b) if b.balance.minor() - b.reserved.minor() >= amount.minor() => Means::Enough,
        _ => Means::TooLittle,
    }
}

/// How an entry came about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TransferKind {
    Transfer,
    Reserve,
    Post,
    Void,
}

impl TransferKind {
    pub fn code(self) -> &'static str {
        match self {
            TransferKind::Transfer => "TRANSFER",
            TransferKind::Reserve => "RESERVE",
            TransferKind::Post => "POST",
            TransferKind::Void => "VOID",
        }
    }

    pub fn from_code(code: &str) -> Option<TransferKind> {
        [TransferKind::Transfer, TransferKind::Reserve, TransferKind::Post, TransferKind::Void]
            .into_iter()
            .find(|k| k.code() == code)
    }
}

/// One line of the books.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Gapless, from 1, in the order of the chain.
    pub position: i64,
    pub id: TransferId,
    pub kind: TransferKind,
    pub debit: AccountId,
    pub debit_owner: Uuid,
    pub debit_kind: AccountKind,
    pub credit: AccountId,
    pub credit_owner: Uuid,
    pub credit_kind: AccountKind,
    pub amount: Money,
    pub code: Code,
    pub reference: Uuid,
    pub reservation: Option<TransferId>,
    pub batch: BatchId,
    pub business_date: NaiveDate,
    pub value_date: NaiveDate,
    pub recorded_at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatementOf {
    pub owner: Uuid,
    pub currency: Option<Currency>,
    /// Entries before this position; the newest if left out.
    pub before: Option<i64>,
    /// 1 to 100.
    pub limit: u32,
    /// Reservations and their ends too, not only what moved.
    pub with_reservations: bool,
    /// Value dates from this one on.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// Value dates up to this one.
    #[serde(default)]
    pub to: Option<NaiveDate>,
    /// For these reasons alone, where there are any.
    #[serde(default)]
    pub codes: Vec<Code>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// Newest first.
    pub entries: Vec<Entry>,
    pub has_more: bool,
    /// What the owner had in its currency, available and held, after each of these entries.
    #[serde(default)]
    pub after: Vec<Money>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChainHead {
    /// Links so far.
    pub link: i64,
    /// Entries so far.
    pub position: i64,
    /// Hexadecimal.
    pub hash: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProofOf {
    /// An earlier head that must still be part of the chain.
    pub anchor: Option<ChainHead>,
}

/// The ledger's side of the proof, at one position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub head: ChainHead,
    /// What is wrong within the books, as sentences that name the owner; empty when all is well.
    pub faults: Vec<ProofFault>,
    pub balances: Vec<Balance>,
    /// Reservations that are open.
    pub open: Vec<OpenReservation>,
    /// Batches up to the position that moved money, with the owner of their last credit; by them custody sees which
    /// movements are mirrored.
    pub mirrored: Vec<(BatchId, Option<Uuid>)>,
}

/// A reservation, and since when it is open.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenReservation {
    pub pending: PendingView,
    pub since: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProofFault {
    pub owner: Option<Uuid>,
    pub what: String,
}
