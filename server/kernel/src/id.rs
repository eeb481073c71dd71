//! Every id of the platform, and every way to make one id out of another.
//!
//! Ids are kinds: a `LoanId` does not fit where a `PartyId` is asked. An id that follows from another stands in
//! [`derived`] and nowhere else, so that a retry cannot invent a second one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }
        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid {
                id.0
            }
        }
    )*};
}

ids! {
    /// A person or a company known to the platform.
    PartyId,
    /// One human being, identified by a document; several parties can be the same person. Four eyes count these.
    PersonId,
    /// A change of rights or credentials that waits for a second person.
    ChangeId,
    SessionId,
    InvitationId,
    /// A program that a party lets read for it.
    ClientId,
    /// A virtual account in the ledger.
    AccountId,
    /// A transfer or a reservation in the ledger; made by whoever asks for it.
    TransferId,
    /// A request of several transfers to the ledger.
    BatchId,
    /// What we ask the custodian to do; its request number there.
    InstructionId,
    /// What a user allowed at the custodian.
    ConsentId,
    /// One line of a batch instruction.
    LineId,
    /// One verified change in the custodian's books.
    MovementId,
    BreakId,
    ApplicationId,
    ListingId,
    BidId,
    LoanId,
    NoteId,
    RepaymentId,
    QuoteId,
    TaskId,
    /// A file that belongs to an application.
    DocumentId,
    /// Something that somebody of the staff did, in the audit log.
    ActId,
    /// A letter to one's e-mail address with a link that only its reader has.
    LetterId,
    /// Something that somebody is told.
    NoticeId,
    /// An event in an outbox.
    EventId,
    /// A command that is no noun of its own.
    CommandId,
    /// A timer or a piece of background work.
    JobId,
    /// One request at the front door, for the log and for support.
    RequestId,
}

/// Every listed conversion of one id into another. The label is part of the id: changing it changes what has been done.
pub mod derived {
    use super::*;

    macro_rules! derived {
        ($($(#[$doc:meta])* $name:ident: $from:ident => $to:ident, $label:literal;)*) => {$(
            $(#[$doc])*
            pub fn $name(from: $from) -> $to {
                $to(Uuid::new_v5(&from.0, $label.as_bytes()))
            }
        )*};
    }

    derived! {
        /// The reservation in the ledger that a bid makes.
        bid_reservation: BidId => TransferId, "bid.reservation";
        /// The freeze at the custodian that stands behind a bid.
        bid_freeze: BidId => InstructionId, "bid.freeze";
        /// The unfreeze of a bid that was withdrawn or whose listing failed.
        bid_unfreeze: BidId => InstructionId, "bid.unfreeze";
        /// The line of the disbursement that pays a bid out.
        bid_line: BidId => LineId, "bid.line";
        /// The note a bid becomes.
        bid_note: BidId => NoteId, "bid.note";
        listing_loan: ListingId => LoanId, "listing.loan";
        /// The listing's registration at the custodian, which watches its limit.
        listing_project: ListingId => InstructionId, "listing.project";
        listing_disbursement_task: ListingId => TaskId, "listing.disbursement.task";
        bid_batch: BidId => BatchId, "bid.batch";
        bid_job: BidId => JobId, "bid.job";
        repayment_job: RepaymentId => JobId, "repayment.job";
        repayment_batch_of_reservation: RepaymentId => BatchId, "repayment.reservation.batch";
        application_listing: ApplicationId => ListingId, "application.listing";
        /// The application's task on the credit desk.
        application_task: ApplicationId => TaskId, "application.task";
        /// The batch that pays the frozen bids to the borrower.
        loan_disbursement: LoanId => InstructionId, "loan.disbursement";
        loan_unblock: LoanId => InstructionId, "loan.unblock";
        loan_fee: LoanId => InstructionId, "loan.fee";
        /// Freeze of the exact total of one repayment.
        repayment_freeze: RepaymentId => InstructionId, "repayment.freeze";
        repayment_reservation: RepaymentId => TransferId, "repayment.reservation";
        /// The batch out of that freeze.
        repayment_unfreeze: RepaymentId => InstructionId, "repayment.unfreeze";
        repayment_batch: RepaymentId => InstructionId, "repayment.batch";
        /// A movement has exactly one mirror batch.
        movement_mirror: MovementId => BatchId, "movement.mirror";
        movement_break: MovementId => BreakId, "movement.break";
        instruction_job: InstructionId => JobId, "instruction.job";
        /// The reservation a withdrawal makes.
        withdrawal_reservation: InstructionId => TransferId, "withdrawal.reservation";
        /// The end of a reservation of which nothing came, whoever learns of it first.
        reservation_void: TransferId => TransferId, "reservation.void";
        reservation_void_batch: TransferId => BatchId, "reservation.void.batch";
        reservation_batch: TransferId => BatchId, "reservation.batch";
        /// A freeze that came after it had been given up goes back at once.
        late_freeze_unfreeze: InstructionId => InstructionId, "freeze.late.unfreeze";
        /// What gives a line of a disbursement back to its investor when the whole is undone.
        line_undo: LineId => InstructionId, "line.undo";
        /// The question whether to undo a disbursement, after the attempt that failed.
        disbursement_undo_task: InstructionId => TaskId, "disbursement.undo.task";
        break_task: BreakId => TaskId, "break.task";
        /// What a break took beyond the owner's money is taken from it when the break is closed.
        break_settlement: BreakId => BatchId, "break.settlement";
        break_settlement_transfer: BreakId => TransferId, "break.settlement.transfer";
        /// A task that was refused and must be decided all the same.
        task_again: TaskId => TaskId, "task.again";
        letter_job: LetterId => JobId, "letter.job";
        notice_job: NoticeId => JobId, "notice.job";
    }

    /// What an event has to say to one of the parties it concerns.
    pub fn notice(event: EventId, party: PartyId) -> NoticeId {
        NoticeId(Uuid::new_v5(&event.0, party.0.as_bytes()))
    }

    /// One transfer of a mirror batch, by its place in it.
    pub fn mirror_transfer(movement: MovementId, place: usize) -> TransferId {
        TransferId(Uuid::new_v5(&movement.0, format!("mirror.{place}").as_bytes()))
    }

    /// A custodian's movement, by the custodian and its number there.
    pub fn movement(custodian: &str, number: i64) -> MovementId {
        MovementId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("movement:{custodian}:{number}").as_bytes()))
    }

    /// The account is its key: a row whose owner was altered no longer has the id of its content.
    pub fn account(owner: uuid::Uuid, currency: &str, custodian: &str, kind: &str) -> AccountId {
        AccountId(Uuid::new_v5(&owner, format!("account:{currency}:{custodian}:{kind}").as_bytes()))
    }

    /// The line of a repayment that pays one note.
    pub fn repayment_line(repayment: RepaymentId, note: NoteId) -> LineId {
        LineId(Uuid::new_v5(&repayment.0, note.0.as_bytes()))
    }

    /// A further attempt at an order whose earlier attempts have finally failed.
    pub fn attempt(first: InstructionId, number: u32) -> InstructionId {
        InstructionId(Uuid::new_v5(&first.0, format!("attempt.{number}").as_bytes()))
    }

    /// The work of making that attempt.
    pub fn attempt_job(first: InstructionId, number: u32) -> JobId {
        JobId(Uuid::new_v5(&first.0, format!("attempt.{number}.job").as_bytes()))
    }

    pub fn close_job(date: chrono::NaiveDate) -> JobId {
        JobId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("close:{date}").as_bytes()))
    }

    /// The repayment that the run of one business date makes for a loan with something due.
    pub fn due_repayment(loan: LoanId, date: chrono::NaiveDate) -> RepaymentId {
        RepaymentId(Uuid::new_v5(&loan.0, format!("due:{date}").as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_derived_id_is_the_same_every_time_and_differs_by_label() {
        let bid = BidId(Uuid::from_u128(7));
        assert_eq!(derived::bid_freeze(bid), derived::bid_freeze(bid));
        assert_ne!(derived::bid_freeze(bid).0, derived::bid_unfreeze(bid).0);
        // Changing a label would make old work look undone: this is the id that is stored out there.
        assert_eq!(derived::bid_freeze(bid).to_string(), Uuid::new_v5(&bid.0, b"bid.freeze").to_string());
    }
}
