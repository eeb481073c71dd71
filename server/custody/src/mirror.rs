//! What a movement is in the ledger. Pure: a movement and what its instruction knows give one batch.

use custody_api::PLATFORM;
use entity_custody::movement::Model as Movement;
use finance::Money;
use kernel::id::{AccountId, MovementId, TransferId, derived};
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{AccountKey, AccountKind};
use sea_orm::DbErr;
use uuid::Uuid;

/// The ledger's side of a movement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mirror {
    /// Money changed its bucket at the custodian; both books' sums stay as they are.
    Nothing,
    /// All or none of this.
    Post(PostBatch),
}

/// Who owns a user number of the custodian in our books.
pub fn owner_of(user_no: &str) -> Result<Uuid, DbErr> {
    if user_no.starts_with("platform-") {
        return Ok(PLATFORM);
    }
    Uuid::parse_str(user_no).map_err(|_| DbErr::Type(format!("{user_no} is no user of ours")))
}

pub(crate) fn account(m: &Movement, owner: Uuid, kind: AccountKind) -> Result<AccountKey, DbErr> {
    let currency = m.currency.parse().map_err(|_| DbErr::Type(format!("{} is no currency", m.currency)))?;
    Ok(AccountKey { owner, currency, custodian: m.custodian.clone(), kind })
}

/// The reservation behind a movement, and the account through which its money passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Behind {
    pub reservation: TransferId,
    pub control: AccountId,
}

/// The accounts whose money the movement is, from and to, and why it moves. Nothing for a change of bucket.
pub(crate) fn path(m: &Movement) -> Result<Option<(AccountKey, AccountKey, Code)>, DbErr> {
    let (source, target) = (owner_of(&m.source)?, owner_of(&m.target)?);
    let of = |owner, kind| account(m, owner, kind);
    use AccountKind as K;
    Ok(match m.kind.as_str() {
        "TOP_UP" if source == PLATFORM => {
            Some((of(source, K::Outside)?, of(target, K::OwnFunds)?, Code::OwnFunds))
        }
        "TOP_UP" => Some((of(source, K::Outside)?, of(target, K::Available)?, Code::TopUp)),
        "PAYOUT_PAID" => Some((of(source, K::Available)?, of(target, K::Outside)?, Code::Withdrawal)),
        "PAYOUT_RETURNED" => {
            Some((of(source, K::Outside)?, of(target, K::Available)?, Code::WithdrawalReturned))
        }
        "DISBURSE" => Some((of(source, K::Available)?, of(target, K::Held)?, Code::Disbursement)),
        "UNBLOCK" => Some((of(source, K::Held)?, of(target, K::Available)?, Code::DisbursementUnblocked)),
        "REVERSE" => Some((of(source, K::Held)?, of(target, K::Available)?, Code::DisbursementReversed)),
        "REPAY" => Some((of(source, K::Available)?, of(target, K::Available)?, Code::Repayment)),
        "FEE" => Some((of(source, K::Available)?, of(target, K::Income)?, Code::Fee)),
        "FREEZE" | "UNFREEZE" | "PAYOUT_ACCEPTED" | "PAYOUT_FAILED" => None,
        other => return Err(DbErr::Type(format!("{other} is no kind of movement"))),
    })
}

/// The batch of a movement whose reservation is `behind` it, if it needs one.
///
/// # Errors
/// A movement of a form we do not know; it is seen by people, not skipped.
pub fn mirror(m: &Movement, behind: Option<Behind>) -> Result<Mirror, DbErr> {
    let id = MovementId(m.id);
    let amount: Money = crate::repo::money(m.amount, &m.currency)?;
    let reference = m.id;
    let place = |n| derived::mirror_transfer(id, n);
    let operations = match (path(m)?, m.kind.as_str(), behind) {
        // What was set aside is free again.
        (None, "UNFREEZE" | "PAYOUT_FAILED", Some(behind)) => vec![void(behind.reservation)],
        (None, _, _) => return Ok(Mirror::Nothing),
        (Some((_, to, code)), "DISBURSE" | "REPAY", Some(behind)) => vec![
            Operation::Post {
                id: place(0),
                reservation: behind.reservation,
                amount: Some(amount),
                code,
                reference,
            },
            Operation::Transfer {
                id: place(1),
                debit: behind.control,
                credit: to.id(),
                amount,
                code,
                reference,
            },
        ],
        (Some((_, _, code)), "PAYOUT_PAID", Some(behind)) => {
            vec![Operation::Post {
                id: place(0),
                reservation: behind.reservation,
                amount: Some(amount),
                code,
                reference,
            }]
        }
        (Some((_, to, code)), "DISBURSE" | "REPAY" | "PAYOUT_PAID", None) => {
            return Ok(Mirror::Post(through_shortfall_to(m, &to, code)?));
        }
        (Some((from, to, code)), _, _) => {
            vec![Operation::Transfer {
                id: place(0),
                debit: from.id(),
                credit: to.id(),
                amount,
                code,
                reference,
            }]
        }
    };
    Ok(Mirror::Post(batch(m, operations)))
}

fn batch(m: &Movement, operations: Vec<Operation>) -> PostBatch {
    PostBatch {
        id: derived::movement_mirror(MovementId(m.id)),
        linked: true,
        value_date: Some(m.business_date),
        operations,
    }
}

/// The end of a reservation, with an id that does not depend on who learned of it.
pub(crate) fn void(reservation: TransferId) -> Operation {
    Operation::Void {
        id: derived::reservation_void(reservation),
        reservation,
        code: Code::Bid,
        reference: reservation.0,
    }
}

/// The same fact where a floor or a missing reservation forbids its proper form.
///
/// # Errors
/// A movement of a form we do not know.
pub fn through_shortfall(m: &Movement) -> Result<Option<PostBatch>, DbErr> {
    path(m)?.map(|(_, to, code)| through_shortfall_to(m, &to, code)).transpose()
}

fn through_shortfall_to(m: &Movement, to: &AccountKey, code: Code) -> Result<PostBatch, DbErr> {
    let shortfall = account(m, owner_of(&m.source)?, AccountKind::Shortfall)?;
    let id = derived::mirror_transfer(MovementId(m.id), 0);
    let amount = crate::repo::money(m.amount, &m.currency)?;
    let operation =
        Operation::Transfer { id, debit: shortfall.id(), credit: to.id(), amount, code, reference: m.id };
    Ok(batch(m, vec![operation]))
}
