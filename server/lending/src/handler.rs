//! What lending does when others announce something.

use crate::repo;
use crate::service::Inner;
use custody_api::{
    ChargeFee, Custody, CustodyEvent, Disburse, DisburseLine, InstructionStatus, InstructionView, Repay,
    RepayLine, Unblock, Unfreeze,
};
use futures::FutureExt;
use futures::future::BoxFuture;
use investing_api::InvestingEvent;
use kernel::Call;
use kernel::id::{ApplicationId, LineId, ListingId, LoanId, derived};
use lending_api::event::ContractLine;
use lending_api::*;
use office_api::{Office, OfficeEvent, OpenTask, TaskKind};
use platform::outbox::EventRecord;
use platform::reader::{Heard, Listener};
use platform::service::Trouble;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Our own facts ask for work elsewhere.
pub(crate) struct OfLending(pub(crate) Arc<Inner>);

impl Listener for OfLending {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            match event.read()? {
                LendingEvent::RateProposed { application, borrower_person } => {
                    let rate = application.rate.map_or(String::new(), |r| r.to_string());
                    let task = OpenTask {
                        id: derived::application_task(application.id),
                        kind: TaskKind::CreditDecision,
                        subject: application.id.0,
                        about: format!(
                            "Lend {} for {} months at {rate}.",
                            application.amount, application.term_months
                        ),
                        beneficiary: borrower_person,
                    };
                    self.0.office.open_task(call, task).await?;
                }
                LendingEvent::LoanContracted { loan, lines } => {
                    let line =
                        |l: ContractLine| DisburseLine { line: l.line, freeze: l.freeze, amount: l.amount };
                    let disburse = Disburse {
                        id: derived::loan_disbursement(loan.id),
                        project: loan.listing.0,
                        borrower: loan.borrower,
                        lines: lines.into_iter().map(line).collect(),
                    };
                    self.0.custody.disburse(call, disburse).await?;
                }
                LendingEvent::LoanDisbursed { loan } => {
                    let unblock = Unblock {
                        id: derived::loan_unblock(loan.id),
                        project: loan.listing.0,
                        borrower: loan.borrower,
                        amount: loan.terms.principal,
                    };
                    self.0.custody.unblock(call, unblock).await?;
                }
                LendingEvent::DisbursementStuck { loan, borrower_person, attempt, paid } => {
                    let task = OpenTask {
                        id: derived::disbursement_undo_task(attempt),
                        kind: TaskKind::DisbursementUndo,
                        subject: loan.id.0,
                        about: format!(
                            "The custodian has paid out {paid} of {} and refuses the rest. Give all of it back to the \
                             investors and end the loan?",
                            loan.terms.principal
                        ),
                        beneficiary: borrower_person,
                    };
                    self.0.office.open_task(call, task).await?;
                }
                LendingEvent::DisbursementUndoDecided { loan } => self.0.give_back(call, &loan).await?,
                LendingEvent::RepaymentGivenUp { repayment, .. } => {
                    let unfreeze = Unfreeze {
                        id: derived::repayment_unfreeze(repayment.id),
                        freeze: derived::repayment_freeze(repayment.id),
                    };
                    self.0.custody.unfreeze(call, unfreeze).await?;
                }
                LendingEvent::RepaymentDistributed { repayment, loan, lines } => {
                    let mut pay = Vec::with_capacity(lines.len());
                    for l in lines {
                        let amount = l.interest.plus(l.principal).map_err(|e| e.to_string())?;
                        // Somebody whose fraction does not reach a minor unit this time gets it another time.
                        if amount.is_positive() {
                            pay.push(RepayLine {
                                line: l.line,
                                holder: l.note.holder,
                                amount,
                                principal: l.principal,
                            });
                        }
                    }
                    let repay = Repay {
                        id: derived::repayment_batch(repayment.id),
                        project: loan.listing.0,
                        borrower: loan.borrower,
                        freeze: derived::repayment_freeze(repayment.id),
                        lines: pay,
                    };
                    self.0.custody.repay(call, repay).await?;
                }
                _ => {}
            }
            Ok(Heard::Done)
        }
        .boxed()
    }
}

/// Office: two people have decided on an application.
pub(crate) struct OfOffice(pub(crate) Arc<Inner>);

impl Listener for OfOffice {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            let event: OfficeEvent = event.read()?;
            let Some(task) = event.task().cloned() else { return Ok(Heard::Done) };
            let approved = match event {
                OfficeEvent::Approved { .. } => true,
                OfficeEvent::Refused { .. } => false,
                _ => return Ok(Heard::Done),
            };
            Ok(match task.kind {
                TaskKind::CreditDecision => self.0.decided(ApplicationId(task.subject), approved),
                TaskKind::DisbursementUndo => self.0.undo_decided(LoanId(task.subject), approved),
                TaskKind::Disbursement | TaskKind::Break => Heard::Done,
            })
        }
        .boxed()
    }
}

/// Investing: a disbursement was decided; the bids become a loan and its notes.
pub(crate) struct OfInvesting(pub(crate) Arc<Inner>);

impl Listener for OfInvesting {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            Ok(match event.read()? {
                InvestingEvent::DisbursementDecided { listing, bids } => self.0.contract(listing, bids),
                _ => Heard::Done,
            })
        }
        .boxed()
    }
}

/// Custody: what was asked has become a fact, or failed. What failed and must happen custody attempts again by itself, as
/// another instruction of the same order.
pub(crate) struct OfCustody(pub(crate) Arc<Inner>);

impl Listener for OfCustody {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, Trouble>> {
        async move {
            // What happens to a loan happens on the custodian's day, however late it is heard here.
            let (instruction, lines, on): (InstructionView, BTreeSet<LineId>, _) = match event.read()? {
                CustodyEvent::InstructionSettled { instruction, lines_settled, on, .. } => {
                    (instruction, lines_settled.into_iter().collect(), on)
                }
                CustodyEvent::InstructionFailed { instruction } => (instruction, BTreeSet::new(), None),
                CustodyEvent::InstructionStuck { instruction } => return Ok(self.0.stuck(&instruction)),
                _ => return Ok(Heard::Done),
            };
            let settled = instruction.status == InstructionStatus::Settled;
            let db = self.0.db.read();
            if let Some((id, is_freeze)) = repo::repayment_of_instruction(db, instruction.order).await? {
                // An id alone does not say what was done: somebody might have used it for another order.
                if instruction.operation != if is_freeze { "freeze" } else { "repay" } {
                    return Err(format!("{} stands under a repayment's id", instruction.operation).into());
                }
                if !is_freeze {
                    return Ok(self.0.settled(id, lines, instruction.code));
                }
                if settled {
                    return Ok(self.0.distribute(id, on));
                }
                self.0.fail_repayment(id, &instruction.code).await?;
                return Ok(Heard::Done);
            }
            if matches!(instruction.operation.as_str(), "reverse_line" | "unfreeze") {
                let undone = repo::line_of_undo(db, instruction.order).await?;
                if let Some((loan, line)) = undone.filter(|_| settled) {
                    return Ok(self.0.returned(loan, line));
                }
                let loan = match instruction.project.filter(|_| settled && undone.is_none()) {
                    Some(project) => repo::maybe_loan(db, derived::listing_loan(ListingId(project))).await?,
                    None => None,
                };
                // A bid's freeze is another's; the borrower's own was for a payment that came to nothing.
                return Ok(match loan.filter(|l| instruction.party == Some(l.view.borrower)) {
                    Some(l) => self.0.freed(l.view.id),
                    None => Heard::Done,
                });
            }
            let Some(project) = instruction.project else { return Ok(Heard::Done) };
            let id = derived::listing_loan(ListingId(project));
            if instruction.operation == "disburse" && instruction.order == derived::loan_disbursement(id) {
                return Ok(self.0.paid_out(id, lines, on));
            }
            if instruction.operation == "unblock" && settled {
                let l = repo::maybe_loan(db, id).await?.ok_or("the loan is gone")?;
                let fee = l.view.terms.fee;
                if fee.is_positive() {
                    let charge =
                        ChargeFee { id: derived::loan_fee(id), project, payer: l.view.borrower, amount: fee };
                    self.0.custody.charge_fee(call, charge).await?;
                }
            }
            Ok(Heard::Done)
        }
        .boxed()
    }
}
