//! What lending does when others announce something.

use crate::loan;
use crate::repo;
use crate::service::Inner;
use custody_api::{
    ChargeFee, Custody, CustodyEvent, Disburse, DisburseLine, InstructionOf, InstructionStatus,
    InstructionView, Repay, RepayLine, Unblock, Unfreeze,
};
use finance::Money;
use futures::FutureExt;
use futures::future::BoxFuture;
use investing_api::{BidView, InvestingEvent, ListingView};
use kernel::Call;
use kernel::id::{ApplicationId, LineId, ListingId, LoanId, derived};
use lending_api::event::ContractLine;
use lending_api::*;
use office_api::{Office, OfficeEvent, OpenTask, TaskKind};
use platform::calendar;
use platform::db::WriteError;
use platform::outbox::EventRecord;
use platform::reader::{Heard, Listener};
use std::sync::Arc;

/// Our own facts ask for work elsewhere.
pub(crate) struct OfLending(pub(crate) Arc<Inner>);

impl Listener for OfLending {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, String>> {
        async move {
            match event.read()? {
                LendingEvent::RateProposed { application, borrower_person } => {
                    let rate = application.rate.map_or(String::new(), |r| r.to_string());
                    let task = OpenTask {
                        id: derived::application_task(application.id),
                        kind: TaskKind::CreditDecision,
                        subject: application.id.0,
                        about: format!(
                            "Lend {} for {} months at {rate}: {}.",
                            application.amount, application.term_months, application.purpose
                        ),
                        beneficiary: borrower_person,
                    };
                    self.0.office.open_task(call, task).await.map_err(|e| e.to_string())?;
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
                    self.0.custody.disburse(call, disburse).await.map_err(|e| e.to_string())?;
                }
                LendingEvent::LoanDisbursed { loan } => {
                    let unblock = Unblock {
                        id: derived::loan_unblock(loan.id),
                        project: loan.listing.0,
                        borrower: loan.borrower,
                        amount: loan.terms.principal,
                    };
                    self.0.custody.unblock(call, unblock).await.map_err(|e| e.to_string())?;
                }
                LendingEvent::RepaymentGivenUp { repayment, .. } => {
                    let unfreeze = Unfreeze {
                        id: derived::repayment_unfreeze(repayment.id),
                        freeze: derived::repayment_freeze(repayment.id),
                    };
                    self.0.custody.unfreeze(call, unfreeze).await.map_err(|e| e.to_string())?;
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
                    self.0.custody.repay(call, repay).await.map_err(|e| e.to_string())?;
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
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, String>> {
        async move {
            let event: OfficeEvent = event.read()?;
            let Some(task) = event.task() else { return Ok(Heard::Done) };
            if task.kind != TaskKind::CreditDecision {
                return Ok(Heard::Done);
            }
            Ok(match event {
                OfficeEvent::Approved { task } => self.0.decided(ApplicationId(task.subject), true),
                OfficeEvent::Refused { task } => self.0.decided(ApplicationId(task.subject), false),
                _ => Heard::Done,
            })
        }
        .boxed()
    }
}

/// Investing: a disbursement was decided; the bids become a loan and its notes.
pub(crate) struct OfInvesting(pub(crate) Arc<Inner>);

impl Listener for OfInvesting {
    fn hear<'a>(&'a self, _: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, String>> {
        async move {
            Ok(match event.read()? {
                InvestingEvent::DisbursementDecided { listing, bids } => self.0.contract(listing, bids),
                _ => Heard::Done,
            })
        }
        .boxed()
    }
}

/// Custody: what was asked has become a fact, or failed.
pub(crate) struct OfCustody(pub(crate) Arc<Inner>);

impl Listener for OfCustody {
    fn hear<'a>(&'a self, call: &'a Call, event: &'a EventRecord) -> BoxFuture<'a, Result<Heard, String>> {
        async move {
            let (instruction, failed): (InstructionView, Vec<LineId>) = match event.read()? {
                CustodyEvent::InstructionSettled { instruction, lines_failed, .. } => {
                    (instruction, lines_failed)
                }
                CustodyEvent::InstructionFailed { instruction } => (instruction, Vec::new()),
                _ => return Ok(Heard::Done),
            };
            let settled = instruction.status == InstructionStatus::Settled;
            let text = |e: sea_orm::DbErr| e.to_string();
            if let Some((id, is_freeze)) =
                repo::repayment_of_instruction(self.0.db.read(), instruction.id).await.map_err(text)?
            {
                // An id alone does not say what was done: somebody might have used it for another order.
                if instruction.operation != if is_freeze { "freeze" } else { "repay" } {
                    return Err(format!("{} stands under a repayment's id", instruction.operation));
                }
                return match (is_freeze, instruction.status) {
                    (true, InstructionStatus::Settled) => Ok(self.0.distribute(id)),
                    (true, _) => {
                        self.0.fail_repayment(id, &instruction.code).await?;
                        Ok(Heard::Done)
                    }
                    (false, InstructionStatus::Settled | InstructionStatus::Partial) => {
                        Ok(self.0.settled(id, failed.into_iter().collect()))
                    }
                    (false, _) => Err(format!("a distribution failed as a whole: {}", instruction.code)),
                };
            }
            let Some(project) = instruction.project else { return Ok(Heard::Done) };
            let id = derived::listing_loan(ListingId(project));
            if instruction.id == derived::loan_disbursement(id) && instruction.operation == "disburse" {
                // Paid in part, or not at all: people must look before anything else happens to it.
                return if settled {
                    Ok(self.0.active(id))
                } else {
                    Err(format!(
                        "a disbursement did not settle wholly: {} {}",
                        instruction.status.code(),
                        instruction.code
                    ))
                };
            }
            // Only the first attempt's end asks for another: the further ones answer for themselves, or each failure would
            // bring about the next.
            if instruction.id == derived::loan_fee(id) && !settled {
                return match self.0.fee_attempt(call, id, project).await? {
                    true => Ok(Heard::Done),
                    false => Err(format!("the platform's fee was not taken: {}", instruction.code)),
                };
            }
            if instruction.operation == "unblock" {
                let l =
                    repo::maybe_loan(self.0.db.read(), id).await.map_err(text)?.ok_or("the loan is gone")?;
                let fee = l.view.terms.fee;
                if !settled {
                    return Err(format!("a disbursement was not unblocked: {}", instruction.code));
                }
                if fee.is_positive() {
                    let charge =
                        ChargeFee { id: derived::loan_fee(id), project, payer: l.view.borrower, amount: fee };
                    self.0.custody.charge_fee(call, charge).await.map_err(|e| e.to_string())?;
                }
            }
            Ok(Heard::Done)
        }
        .boxed()
    }
}

impl Inner {
    /// Tries a fee again whose last attempt has finally failed, under the next number. Answers whether it is on its way.
    async fn fee_attempt(&self, call: &Call, id: LoanId, project: uuid::Uuid) -> Result<bool, String> {
        let text = |e: sea_orm::DbErr| e.to_string();
        let l = repo::maybe_loan(self.db.read(), id).await.map_err(text)?.ok_or("the loan is gone")?;
        for number in 1.. {
            let attempt = derived::attempt(derived::loan_fee(id), number);
            let seen = self.custody.instruction(call, InstructionOf { id: attempt }).await;
            let view = match seen {
                Ok(view) => view,
                Err(platform::Fault::Refused(_)) => {
                    let amount = l.view.terms.fee;
                    let charge = ChargeFee { id: attempt, project, payer: l.view.borrower, amount };
                    let view = self.custody.charge_fee(call, charge).await.map_err(|e| e.to_string())?;
                    return Ok(!view.status.is_final() || view.status == InstructionStatus::Settled);
                }
                Err(e) => return Err(e.to_string()),
            };
            if !view.status.is_final() || view.status == InstructionStatus::Settled {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn contract(&self, listing: ListingView, bids: Vec<BidView>) -> Heard {
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        Heard::write(move |tx| {
            let (outbox, listing, bids) = (outbox.clone(), listing.clone(), bids.clone());
            async move {
                let id: LoanId = derived::listing_loan(listing.id);
                if repo::maybe_loan(tx, id).await?.is_some() {
                    return Ok(());
                }
                let sum = Money::sum(listing.amount.currency(), bids.iter().map(|b| b.amount));
                if sum != Ok(listing.amount) {
                    return Err(WriteError::Refused(format!(
                        "the bids add up to {sum:?} and not to {}",
                        listing.amount
                    )));
                }
                let application = repo::maybe_application(tx, listing.application).await?;
                let product = application.map(|a| a.view.product);
                let view = LoanView {
                    id,
                    listing: listing.id,
                    borrower: listing.borrower,
                    terms: Terms {
                        product: product.as_ref().map_or(String::new(), |p| p.code.clone()),
                        version: product.as_ref().map_or(0, |p| p.version),
                        principal: listing.amount,
                        rate: listing.rate,
                        term_months: listing.term_months,
                        fee: listing.fee,
                    },
                    status: LoanStatus::AwaitingDisbursement,
                    started_on: None,
                    closed_on: None,
                    outstanding: listing.amount,
                    days_past_due: 0,
                    at: now,
                };
                repo::insert_loan(tx, &view).await?;
                let note = |b: &BidView| NoteView {
                    id: derived::bid_note(b.id),
                    loan: id,
                    holder: b.investor,
                    principal: b.amount,
                    outstanding: b.amount,
                    interest_received: Money::zero(b.amount.currency()),
                    version: 1,
                };
                let notes: Vec<NoteView> = bids.iter().map(note).collect();
                repo::insert_notes(tx, &notes).await?;
                let line = |b: &BidView| ContractLine {
                    line: derived::bid_line(b.id),
                    freeze: b.freeze,
                    amount: b.amount,
                };
                let lines = bids.iter().map(line).collect();
                outbox.announce(tx, &LendingEvent::LoanContracted { loan: view, lines }).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// The last line has settled: the loan runs from today.
    fn active(&self, id: LoanId) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some(mut l) = repo::lock_loan(tx, id).await? else { return Ok(()) };
                if l.view.status != LoanStatus::AwaitingDisbursement {
                    return Ok(());
                }
                let today = calendar::today(tx).await?;
                let schedule =
                    loan::schedule(&l.view.terms, today).map_err(|e| WriteError::Refused(e.to_string()))?;
                (l.view.status, l.view.started_on) = (LoanStatus::Active, Some(today));
                repo::insert_instalments(tx, id, &schedule).await?;
                repo::update_loan(tx, &l).await?;
                outbox.announce(tx, &LendingEvent::LoanDisbursed { loan: l.view }).await?;
                Ok(())
            }
            .boxed()
        })
    }
}
