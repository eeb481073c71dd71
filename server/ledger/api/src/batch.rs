//! Posting: a batch of operations, each answered by a code.

use chrono::NaiveDate;
use finance::Money;
use kernel::id::{AccountId, BatchId, TransferId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A message stays below 256 kB; more lines are several batches.
pub const OPERATIONS_MAX: usize = 1_000;

/// Why money moved; part of the books and of every statement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    TopUp,
    Withdrawal,
    WithdrawalReturned,
    Bid,
    Disbursement,
    DisbursementUnblocked,
    DisbursementReversed,
    Repayment,
    Fee,
    OwnFunds,
    Shortfall,
    ShortfallSettled,
}

impl Code {
    pub const ALL: [Code; 12] = [
        Code::TopUp,
        Code::Withdrawal,
        Code::WithdrawalReturned,
        Code::Bid,
        Code::Disbursement,
        Code::DisbursementUnblocked,
        Code::DisbursementReversed,
        Code::Repayment,
        Code::Fee,
        Code::OwnFunds,
        Code::Shortfall,
        Code::ShortfallSettled,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Code::TopUp => "TOP_UP",
            Code::Withdrawal => "WITHDRAWAL",
            Code::WithdrawalReturned => "WITHDRAWAL_RETURNED",
            Code::Bid => "BID",
            Code::Disbursement => "DISBURSEMENT",
            Code::DisbursementUnblocked => "DISBURSEMENT_UNBLOCKED",
            Code::DisbursementReversed => "DISBURSEMENT_REVERSED",
            Code::Repayment => "REPAYMENT",
            Code::Fee => "FEE",
            Code::OwnFunds => "OWN_FUNDS",
            Code::Shortfall => "SHORTFALL",
            Code::ShortfallSettled => "SHORTFALL_SETTLED",
        }
    }

    pub fn from_code(code: &str) -> Option<Code> {
        Code::ALL.into_iter().find(|c| c.code() == code)
    }
}

/// One thing to do. Each has an id of its own, made by whoever asks; the same id and content answers as before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Operation {
    /// Moves an amount from the debit account to the credit account.
    Transfer {
        id: TransferId,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
        code: Code,
        reference: Uuid,
    },
    /// Sets an amount aside; it can be posted in parts, and what is left can be voided.
    Reserve {
        id: TransferId,
        debit: AccountId,
        credit: AccountId,
        amount: Money,
        code: Code,
        reference: Uuid,
    },
    /// Carries out a part of a reservation, or all that is left of it.
    Post { id: TransferId, reservation: TransferId, amount: Option<Money>, code: Code, reference: Uuid },
    /// Frees what is left of a reservation.
    Void { id: TransferId, reservation: TransferId, code: Code, reference: Uuid },
}

impl Operation {
    pub fn id(&self) -> TransferId {
        match self {
            Operation::Transfer { id, .. }
            | Operation::Reserve { id, .. }
            | Operation::Post { id, .. }
            | Operation::Void { id, .. } => *id,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PostBatch {
    pub id: BatchId,
    /// All or none.
    pub linked: bool,
    /// The date from which the money counts; the business date if left out.
    pub value_date: Option<NaiveDate>,
    pub operations: Vec<Operation>,
}

/// What became of one operation. In order of precedence: of several reasons the first is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OutcomeCode {
    /// It took effect, now or when the same id was first sent.
    Posted,
    /// The id stands in the books with other content.
    IdTaken,
    /// Not above zero.
    AmountNotPositive,
    /// Debit and credit are one account.
    SameAccount,
    /// The caller may not do this; client money is custody's alone.
    NotPermitted,
    AccountNotFound,
    /// The reservation to post or void is not there.
    ReservationNotFound,
    CurrencyMismatch,
    /// Nothing is left of the reservation.
    ReservationEnded,
    /// More than is left of the reservation.
    ExceedsReservation,
    AccountClosed,
    DebitBlocked,
    CreditBlocked,
    /// Gross credits, posted and pending, would pass the account's limit.
    ExceedsCreditLimit,
    InsufficientFunds,
    /// Beyond 64 bits.
    Overflow,
    /// Another operation of a linked batch failed.
    LinkedFailed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub id: TransferId,
    pub code: OutcomeCode,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Posted {
    /// In the order of the operations.
    pub outcomes: Vec<Outcome>,
    /// The ledger's position after the batch.
    pub position: i64,
}

impl Posted {
    pub fn all_posted(&self) -> bool {
        self.outcomes.iter().all(|o| o.code == OutcomeCode::Posted)
    }

    /// The first reason why something was not posted, leaving aside what only followed from it.
    pub fn first_refusal(&self) -> Option<OutcomeCode> {
        let refused = |o: &&Outcome| o.code != OutcomeCode::Posted;
        let own = self.outcomes.iter().filter(refused).find(|o| o.code != OutcomeCode::LinkedFailed);
        own.or_else(|| self.outcomes.iter().find(refused)).map(|o| o.code)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PendingState {
    Open,
    /// Posted to the last minor unit.
    Posted,
    /// What was left was freed.
    Voided,
}

/// A reservation and what is left of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PendingView {
    pub id: TransferId,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: Money,
    pub remaining: Money,
    pub state: PendingState,
    pub reference: Uuid,
}
