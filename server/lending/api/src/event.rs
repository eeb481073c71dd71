//! What lending announces.

use crate::application::{ApplicationView, Facts};
use crate::loan::{LoanView, NoteView, RepaymentView};
use chrono::NaiveDate;
use finance::{Money, Rate};
use kernel::id::{InstructionId, LineId, PersonId};
use platform::outbox::Announces;
use serde::{Deserialize, Serialize};

/// A line of a disbursement as it was decided.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ContractLine {
    pub line: LineId,
    pub freeze: InstructionId,
    pub amount: Money,
}

/// One holder's part of a repayment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PaymentLine {
    pub line: LineId,
    pub note: NoteView,
    pub interest: Money,
    pub principal: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LendingEvent {
    ApplicationSubmitted {
        #[serde(serialize_with = "without_texts")]
        application: ApplicationView,
    },
    RateProposed {
        #[serde(serialize_with = "without_texts")]
        application: ApplicationView,
        borrower_person: PersonId,
    },
    LoanApproved {
        #[serde(serialize_with = "without_texts")]
        application: ApplicationView,
        borrower_person: PersonId,
        rate: Rate,
        fee: Money,
        expires_on: NaiveDate,
    },
    ApplicationDeclined {
        #[serde(serialize_with = "without_texts")]
        application: ApplicationView,
    },
    ApplicationWithdrawn {
        #[serde(serialize_with = "without_texts")]
        application: ApplicationView,
    },
    /// The contract and its notes are written; the money is still the investors'.
    LoanContracted {
        loan: LoanView,
        lines: Vec<ContractLine>,
    },
    /// The last line has settled: interest runs.
    LoanDisbursed {
        loan: LoanView,
    },
    /// The custodian keeps refusing what is missing of a disbursement; people decide whether it is undone.
    DisbursementStuck {
        loan: LoanView,
        borrower_person: PersonId,
        /// The attempt that failed last.
        attempt: InstructionId,
        paid: Money,
    },
    /// Two people have decided that everything goes back.
    DisbursementUndoDecided {
        loan: LoanView,
    },
    /// Every investor has their money again; there is no loan.
    LoanUndone {
        loan: LoanView,
    },
    RepaymentBegun {
        repayment: RepaymentView,
        loan: LoanView,
    },
    /// Frozen, split and stored; never computed again.
    RepaymentDistributed {
        repayment: RepaymentView,
        loan: LoanView,
        lines: Vec<PaymentLine>,
    },
    /// Some holders have been paid; the rest is being tried again.
    RepaymentPartial {
        repayment: RepaymentView,
        loan: LoanView,
    },
    RepaymentSettled {
        repayment: RepaymentView,
        loan: LoanView,
        lines: Vec<PaymentLine>,
    },
    RepaymentFailed {
        repayment: RepaymentView,
        loan: LoanView,
    },
    /// The money of a failed repayment was frozen after all, too late; it goes back to the borrower.
    RepaymentGivenUp {
        repayment: RepaymentView,
        loan: LoanView,
    },
    LoanOverdue {
        loan: LoanView,
    },
    LoanClosed {
        loan: LoanView,
    },
}

/// Events are kept for ever and hold nothing personal: what the borrower wrote and earns stays in the application, where it
/// can be erased, and is empty in every event that is read.
fn without_texts<S: serde::Serializer>(application: &ApplicationView, to: S) -> Result<S::Ok, S::Error> {
    let (purpose, story, facts) = (String::new(), String::new(), Facts::default());
    ApplicationView { purpose, story, facts, ..application.clone() }.serialize(to)
}

impl LendingEvent {
    /// The loan it is about, if it is about one.
    pub fn loan(&self) -> Option<&LoanView> {
        use LendingEvent as E;
        match self {
            E::LoanContracted { loan, .. }
            | E::LoanDisbursed { loan }
            | E::DisbursementStuck { loan, .. }
            | E::DisbursementUndoDecided { loan }
            | E::LoanUndone { loan }
            | E::RepaymentPartial { loan, .. }
            | E::RepaymentBegun { loan, .. }
            | E::RepaymentDistributed { loan, .. }
            | E::RepaymentSettled { loan, .. }
            | E::RepaymentFailed { loan, .. }
            | E::RepaymentGivenUp { loan, .. }
            | E::LoanOverdue { loan }
            | E::LoanClosed { loan } => Some(loan),
            E::ApplicationSubmitted { .. }
            | E::RateProposed { .. }
            | E::LoanApproved { .. }
            | E::ApplicationDeclined { .. }
            | E::ApplicationWithdrawn { .. } => None,
        }
    }
}

impl Announces for LendingEvent {
    fn key(&self) -> String {
        use LendingEvent as E;
        match self {
            E::ApplicationSubmitted { application }
            | E::RateProposed { application, .. }
            | E::LoanApproved { application, .. }
            | E::ApplicationDeclined { application }
            | E::ApplicationWithdrawn { application } => application.id.to_string(),
            E::LoanContracted { loan, .. }
            | E::LoanDisbursed { loan }
            | E::DisbursementStuck { loan, .. }
            | E::DisbursementUndoDecided { loan }
            | E::LoanUndone { loan }
            | E::RepaymentPartial { loan, .. }
            | E::RepaymentBegun { loan, .. }
            | E::RepaymentDistributed { loan, .. }
            | E::RepaymentSettled { loan, .. }
            | E::RepaymentFailed { loan, .. }
            | E::RepaymentGivenUp { loan, .. }
            | E::LoanOverdue { loan }
            | E::LoanClosed { loan } => loan.id.to_string(),
        }
    }

    fn kind(&self) -> &'static str {
        use LendingEvent as E;
        match self {
            E::ApplicationSubmitted { .. } => "ApplicationSubmitted",
            E::RateProposed { .. } => "RateProposed",
            E::LoanApproved { .. } => "LoanApproved",
            E::ApplicationDeclined { .. } => "ApplicationDeclined",
            E::ApplicationWithdrawn { .. } => "ApplicationWithdrawn",
            E::LoanContracted { .. } => "LoanContracted",
            E::LoanDisbursed { .. } => "LoanDisbursed",
            E::DisbursementStuck { .. } => "DisbursementStuck",
            E::DisbursementUndoDecided { .. } => "DisbursementUndoDecided",
            E::LoanUndone { .. } => "LoanUndone",
            E::RepaymentPartial { .. } => "RepaymentPartial",
            E::RepaymentBegun { .. } => "RepaymentBegun",
            E::RepaymentDistributed { .. } => "RepaymentDistributed",
            E::RepaymentSettled { .. } => "RepaymentSettled",
            E::RepaymentFailed { .. } => "RepaymentFailed",
            E::RepaymentGivenUp { .. } => "RepaymentGivenUp",
            E::LoanOverdue { .. } => "LoanOverdue",
            E::LoanClosed { .. } => "LoanClosed",
        }
    }
}
