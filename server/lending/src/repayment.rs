//! Repaying what is due: frozen in the exact total, split once, paid in lines, settled line by line.

use crate::loan::{self, Owed};
use crate::repo::{self, Loan, Part, Repayment};
use crate::service::Inner;
use chrono::NaiveDate;
use custody_api::{Custody, Freeze, FreezePurpose, InstructionOf, InstructionStatus};
use finance::{Money, MoneyError};
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::Call;
use kernel::call::Service;
use kernel::id::{LineId, LoanId, PartyId, RepaymentId, derived};
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{
    AccountKey, AccountKind, BalancesOf, Ledger, Means, OpenAccount, OpenAccounts, OutcomeCode,
};
use lending_api::event::PaymentLine;
use lending_api::*;
use platform::db::{Tx, WriteError};
use platform::jobs::{self, Done, Job, Worker};
use platform::outbox::Outbox;
use platform::reader::Heard;
use platform::service::{Trouble, published, unreadable};
use platform::{Fault, calendar, commands};
use sea_orm::DbErr;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) fn arithmetic(e: MoneyError) -> DbErr {
    DbErr::Custom(format!("arithmetic: {e}"))
}

/// Writes a repayment down and takes the loan for it.
pub(crate) async fn begin(
    tx: &Tx,
    outbox: &Outbox,
    id: RepaymentId,
    l: &mut Loan,
    owed: &Owed,
    early: bool,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), DbErr> {
    let view = RepaymentView {
        id,
        loan: l.view.id,
        early,
        interest: owed.interest,
        principal: owed.principal,
        total: owed.total().map_err(arithmetic)?,
        status: RepaymentStatus::Freezing,
        why: String::new(),
        value_date: None,
        redirect_url: None,
        at: now,
    };
    let repayment = Repayment { view: view.clone(), up_to: owed.up_to };
    repo::insert_repayment(tx, &repayment, derived::repayment_freeze(id), derived::repayment_batch(id))
        .await?;
    l.operation = Some(id);
    repo::update_loan(tx, l).await?;
    let due = now + chrono::Duration::seconds(1);
    jobs::enqueue(tx, Service::Lending, derived::repayment_job(id), "repayment", &id, due, now).await?;
    outbox.announce(tx, &LendingEvent::RepaymentBegun { repayment: view, loan: l.view.clone() }).await
}

impl Inner {
    pub(crate) async fn repay(
        &self,
        call: &Call,
        input: RepayDue,
    ) -> Result<RepaymentView, Fault<LendingError>> {
        let Some(borrower) = call.party() else { return Err(Fault::Forbidden) };
        commands::client_made(input.id.0)?;
        let (outbox, id, now) = (self.outbox.clone(), input.id, self.clock.now());
        let read = |e: DbErr| unreadable::<LendingError>(call, "look at a loan", &e);
        let db = self.db.read();
        if repo::maybe_repayment(db, id).await.map_err(read)?.is_none()
            && let Some(l) = repo::maybe_loan(db, input.loan).await.map_err(read)?
            && l.view.borrower == borrower
            && loan::may_repay(l.view.status, l.operation.is_some()).is_ok()
        {
            let instalments = repo::instalments(db, &l.view).await.map_err(read)?;
            let today = calendar::today(db).await.map_err(read)?;
            let owed = loan::due(&instalments, today, true).map_err(|e| read(arithmetic(e)))?;
            if let Some(owed) = owed {
                self.can_pay(call, id, borrower, owed.total().map_err(|e| read(arithmetic(e)))?).await?;
            }
        }
        let write = self.db.write(move |tx| {
            let (outbox, input) = (outbox.clone(), input.clone());
            async move {
                let work = async {
                    let found =
                        repo::lock_loan(tx, input.loan).await?.filter(|l| l.view.borrower == borrower);
                    let mut l = found.ok_or(WriteError::Refused(LendingError::LoanNotFound))?;
                    loan::may_repay(l.view.status, l.operation.is_some()).map_err(WriteError::Refused)?;
                    let instalments = repo::instalments(tx, &l.view).await?;
                    let today = calendar::today(tx).await?;
                    let owed = loan::due(&instalments, today, true).map_err(arithmetic)?;
                    let owed = owed.ok_or(WriteError::Refused(LendingError::LoanNotActive))?;
                    begin(tx, &outbox, input.id, &mut l, &owed, false, now).await?;
                    Ok(())
                };
                commands::once(
                    tx,
                    "lending",
                    input.id.0,
                    "repay",
                    &(&input, borrower),
                    now,
                    LendingError::RepaymentIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "begin a repayment", e))?;
        self.begun(call, id).await
    }

    /// Refuses for want of money before anything is written down, so that the same id may be used again after a top-up.
    pub(crate) async fn can_pay(
        &self,
        call: &Call,
        id: RepaymentId,
        borrower: PartyId,
        total: Money,
    ) -> Result<(), Fault<LendingError>> {
        let ask = BalancesOf { owner: borrower.0, as_of: None };
        let balances = self.ledger.balances(call, ask).await.map_err(|e| match e {
            Fault::Refused(_) => Fault::Internal,
            other => other.map(|_| LendingError::InsufficientFunds),
        })?;
        let means = ledger_api::means(&balances, &self.custodian, total);
        // The same command, arriving twice at once, may have been taken meanwhile, and its money with it.
        let taken = repo::maybe_repayment(self.db.read(), id).await;
        if taken.map_err(|e| unreadable(call, "read a repayment", &e))?.is_some() {
            return Ok(());
        }
        match means {
            Means::Enough => Ok(()),
            Means::TooLittle => Err(Fault::Refused(LendingError::InsufficientFunds)),
            Means::Blocked => Err(Fault::Refused(LendingError::AccountBlocked)),
        }
    }

    /// The first attempt at a repayment that is written down, and what is known of it then.
    pub(crate) async fn begun(
        &self,
        call: &Call,
        id: RepaymentId,
    ) -> Result<RepaymentView, Fault<LendingError>> {
        if let Err(e) = self.advance_repayment(call, id).await {
            tracing::warn!(repayment = %id, error = %e, "the first attempt at a repayment failed; it is tried again");
        }
        let view = self.repayment_with_page(call, id).await?;
        match (view.status, view.why.as_str()) {
            (RepaymentStatus::Failed, "INSUFFICIENT_FUNDS") => {
                Err(Fault::Refused(LendingError::InsufficientFunds))
            }
            (RepaymentStatus::Failed, "ACCOUNT_BLOCKED") => Err(Fault::Refused(LendingError::AccountBlocked)),
            _ => Ok(view),
        }
    }

    pub(crate) async fn repayment_with_page(
        &self,
        call: &Call,
        id: RepaymentId,
    ) -> Result<RepaymentView, Fault<LendingError>> {
        let found = repo::maybe_repayment(self.db.read(), id)
            .await
            .map_err(|e| unreadable(call, "read a repayment", &e))?;
        let mut view = found.ok_or(Fault::Refused(LendingError::LoanNotFound))?.view;
        if view.status == RepaymentStatus::Freezing {
            let seen = self
                .custody
                .instruction(call, InstructionOf { id: derived::repayment_freeze(id), newest: false })
                .await;
            view.redirect_url = seen.ok().and_then(|i| i.redirect_url);
        }
        Ok(view)
    }

    /// Reserves and freezes the exact total.
    pub(crate) async fn advance_repayment(&self, call: &Call, id: RepaymentId) -> Result<(), Trouble> {
        let text = |e: DbErr| e.to_string();
        let Some(r) = repo::maybe_repayment(self.db.read(), id).await.map_err(text)? else { return Ok(()) };
        if r.view.status != RepaymentStatus::Freezing {
            return Ok(());
        }
        let l =
            repo::maybe_loan(self.db.read(), r.view.loan).await.map_err(text)?.ok_or("the loan is gone")?;
        let key = |owner, kind| AccountKey {
            owner,
            currency: r.view.total.currency(),
            custodian: self.custodian.clone(),
            kind,
        };
        let control = key(l.view.id.0, AccountKind::Control);
        let accounts = vec![OpenAccount { key: control.clone(), credit_limit: None }];
        self.ledger.open_accounts(call, OpenAccounts { accounts }).await?;
        let reservation = derived::repayment_reservation(id);
        let debit = key(l.view.borrower.0, AccountKind::Available).id();
        let reserve = Operation::Reserve {
            id: reservation,
            debit,
            credit: control.id(),
            amount: r.view.total,
            code: Code::Repayment,
            reference: id.0,
        };
        let batch = PostBatch {
            id: derived::repayment_batch_of_reservation(id),
            linked: true,
            value_date: None,
            operations: vec![reserve],
        };
        let posted = self.ledger.post_batch(call, batch).await?;
        if let Some(refusal) = posted.first_refusal() {
            let blocked = matches!(refusal, OutcomeCode::DebitBlocked | OutcomeCode::AccountClosed);
            return self
                .fail_repayment(id, if blocked { "ACCOUNT_BLOCKED" } else { "INSUFFICIENT_FUNDS" })
                .await;
        }
        let freeze = Freeze {
            id: derived::repayment_freeze(id),
            party: l.view.borrower,
            project: l.view.listing.0,
            purpose: FreezePurpose::Repay,
            amount: r.view.total,
            // What is allowed in advance is what falls due; ending a loan early is one's own decision each time.
            by_hand: r.view.early,
            reservation,
        };
        let view = self.custody.freeze(call, freeze).await?;
        if matches!(
            view.status,
            InstructionStatus::Failed | InstructionStatus::Cancelled | InstructionStatus::Expired
        ) {
            self.fail_repayment(id, &view.code).await?;
        }
        Ok(())
    }

    pub(crate) async fn fail_repayment(&self, id: RepaymentId, why: &str) -> Result<(), Trouble> {
        let (outbox, why, now) = (self.outbox.clone(), why.to_string(), self.clock.now());
        let write = self.db.write(move |tx| {
            let (outbox, why) = (outbox.clone(), why.clone());
            async move {
                let Some((l, r)) = locked(tx, id).await? else { return Ok(()) };
                if r.view.status == RepaymentStatus::Freezing {
                    let loan = l.view.id;
                    fail(tx, &outbox, l, r, &why).await?;
                    // What the loan's day had to leave while it was busy.
                    day_of_loan(tx, &outbox, loan, calendar::today(tx).await?, now).await?;
                }
                Ok::<(), WriteError<()>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }

    /// The freeze is a fact: the split is computed, once, and stored; its day is the value date.
    pub(crate) fn distribute(&self, id: RepaymentId, on: Option<NaiveDate>) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some((l, mut r)) = locked(tx, id).await? else { return Ok(()) };
                let on = match on {
                    Some(on) => on,
                    None => calendar::today(tx).await?,
                };
                if r.view.early
                    && r.view.status == RepaymentStatus::Freezing
                    && !quoted_for(tx, &l, &r, on).await?
                {
                    // Confirmed on another day than the figure was for: the lenders are owed another one.
                    let (repayment, loan) = (r.view.clone(), l.view.clone());
                    fail(tx, &outbox, l, r, "QUOTE_EXPIRED").await?;
                    outbox.announce(tx, &LendingEvent::RepaymentGivenUp { repayment, loan }).await?;
                    return Ok(());
                }
                if r.view.status == RepaymentStatus::Failed {
                    // It was given up, and the custodian froze the money after all: it goes back.
                    outbox
                        .announce(tx, &LendingEvent::RepaymentGivenUp { repayment: r.view, loan: l.view })
                        .await?;
                    return Ok(());
                }
                if r.view.status != RepaymentStatus::Freezing {
                    return Ok(());
                }
                let notes = repo::notes(tx, &NotesOf { holder: None, loan: Some(l.view.id) }).await?;
                let owed = Owed { interest: r.view.interest, principal: r.view.principal, up_to: r.up_to };
                let split = loan::split(&owed, &notes).map_err(arithmetic)?;
                let parts: Vec<Part> = split
                    .iter()
                    .filter_map(|p| {
                        let note = notes.iter().find(|n| n.view.id == p.note)?;
                        Some(Part {
                            line: derived::repayment_line(id, p.note),
                            note: p.note,
                            holder: note.view.holder,
                            note_version: i64::from(note.view.version),
                            interest: p.interest,
                            principal: p.principal,
                            interest_carry: p.interest_carry,
                            principal_carry: p.principal_carry,
                            // A line of nothing needs no custodian.
                            settled: false,
                        })
                    })
                    .collect();
                repo::insert_parts(tx, id, &parts).await?;
                r.view.status = RepaymentStatus::Distributing;
                r.view.value_date = Some(on);
                repo::update_repayment(tx, &r.view).await?;
                let lines = lines(&parts, &notes, l.view.outstanding.currency());
                outbox
                    .announce(
                        tx,
                        &LendingEvent::RepaymentDistributed { repayment: r.view, loan: l.view, lines },
                    )
                    .await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// The custodian has paid lines: their notes follow, and with the last one the instalments and the loan.
    pub(crate) fn settled(&self, id: RepaymentId, paid: BTreeSet<LineId>, code: String) -> Heard {
        let outbox = self.outbox.clone();
        Heard::write(move |tx| {
            let (outbox, paid, code) = (outbox.clone(), paid.clone(), code.clone());
            async move {
                let Some((mut l, mut r)) = locked(tx, id).await? else { return Ok(()) };
                if !matches!(r.view.status, RepaymentStatus::Distributing | RepaymentStatus::Partial) {
                    return Ok(());
                }
                let mut parts = repo::parts(tx, id).await?;
                let mut principal = 0;
                for part in parts.iter_mut().filter(|p| !p.settled) {
                    // Somebody whose fraction does not reach a minor unit this time has no line at the custodian.
                    if paid.contains(&part.line) || part.interest + part.principal == 0 {
                        repo::pay_note(tx, part).await?;
                        repo::settle_part(tx, part.line).await?;
                        part.settled = true;
                        principal += part.principal;
                    }
                }
                l.view.outstanding = l
                    .view
                    .outstanding
                    .minus(Money::new(principal, l.view.outstanding.currency()))
                    .map_err(arithmetic)?;
                l.version += 1;
                let missing = parts.iter().filter(|p| !p.settled).count();
                if missing > 0 {
                    // What is paid stays paid; custody tries the rest again, and the loan waits for it.
                    r.view.status = RepaymentStatus::Partial;
                    r.view.why = format!("{missing} of {} lines are missing: {code}", parts.len());
                    repo::update_repayment(tx, &r.view).await?;
                    repo::update_loan(tx, &l).await?;
                    let partial = LendingEvent::RepaymentPartial { repayment: r.view, loan: l.view };
                    outbox.announce(tx, &partial).await?;
                    return Ok(());
                }
                r.view.why = String::new();
                let on: NaiveDate = r.view.value_date.map_or(calendar::today(tx).await?, |d| d);
                repo::pay_instalments(tx, l.view.id, r.up_to, r.view.early, on).await?;
                r.view.status = RepaymentStatus::Settled;
                l.operation = None;
                let instalments = repo::instalments(tx, &l.view).await?;
                loan::after_repayment(&mut l.view, &instalments, on, calendar::today(tx).await?);
                repo::update_repayment(tx, &r.view).await?;
                repo::update_loan(tx, &l).await?;
                let notes = repo::notes(tx, &NotesOf { holder: None, loan: Some(l.view.id) }).await?;
                let lines = lines(&parts, &notes, l.view.outstanding.currency());
                let mut events =
                    vec![LendingEvent::RepaymentSettled { repayment: r.view, loan: l.view.clone(), lines }];
                if l.view.status == LoanStatus::Closed {
                    events.push(LendingEvent::LoanClosed { loan: l.view });
                }
                outbox.announce_all(tx, &events).await?;
                Ok(())
            }
            .boxed()
        })
    }

    /// Money that was frozen for nothing is free again: what fell due meanwhile is collected.
    pub(crate) fn freed(&self, loan: LoanId) -> Heard {
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let today = calendar::today(tx).await?;
                Ok(day_of_loan(tx, &outbox, loan, today, now).await?)
            }
            .boxed()
        })
    }

    /// The work of a business date: standing consents pay what is due, and what is late becomes overdue.
    pub(crate) async fn run_day(&self, call: &Call, input: RunDay) -> Result<DayRun, Fault<LendingError>> {
        const CHUNK: i64 = 500;
        let mut after: Option<LoanId> = None;
        loop {
            let ids = repo::loans_with_due(self.db.read(), input.date, after, CHUNK).await;
            let ids = ids.map_err(|e| unreadable(call, "find what is due", &e))?;
            let Some(last) = ids.last() else { break };
            after = Some(*last);
            for id in ids {
                let (outbox, now, date) = (self.outbox.clone(), self.clock.now(), input.date);
                let write = self.db.write(move |tx| {
                    let outbox = outbox.clone();
                    async move { day_of_loan(tx, &outbox, id, date, now).await.map_err(WriteError::from) }
                        .boxed()
                });
                write.await.map_err(|e| published(call, "run a loan's day", e))?;
            }
        }
        // From the books and not from this call: a repeat is answered as before.
        repo::day(self.db.read(), input.date).await.map_err(|e| unreadable(call, "read a day's work", &e))
    }
}

/// Ends a repayment that is not distributed; the loan is free for another.
async fn fail(tx: &Tx, outbox: &Outbox, mut l: Loan, mut r: Repayment, why: &str) -> Result<(), DbErr> {
    (r.view.status, r.view.why) = (RepaymentStatus::Failed, why.into());
    l.operation = None;
    repo::update_repayment(tx, &r.view).await?;
    repo::update_loan(tx, &l).await?;
    outbox.announce(tx, &LendingEvent::RepaymentFailed { repayment: r.view, loan: l.view }).await
}

/// Whether the figure of an early repayment is the figure of a day.
async fn quoted_for(tx: &Tx, l: &Loan, r: &Repayment, on: NaiveDate) -> Result<bool, DbErr> {
    let Some(started_on) = l.view.started_on else { return Ok(false) };
    let instalments = repo::instalments(tx, &l.view).await?;
    let owed = loan::payoff_on(&instalments, started_on, on).map_err(arithmetic)?;
    Ok((owed.interest, owed.principal) == (r.view.interest, r.view.principal))
}

/// One loan's day; the same date again changes nothing.
async fn day_of_loan(
    tx: &Tx,
    outbox: &Outbox,
    id: LoanId,
    date: NaiveDate,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), DbErr> {
    let Some(mut l) = repo::lock_loan(tx, id).await? else { return Ok(()) };
    let instalments = repo::instalments(tx, &l.view).await?;
    // What is frozen has been paid, on the day it was frozen, though its lines may still be on their way.
    let under_way = match l.operation {
        Some(id) => repo::maybe_repayment(tx, id).await?.filter(|r| r.view.value_date.is_some()),
        None => None,
    };
    // Nor does the loan age meanwhile: until its lines have arrived the borrower can pay nothing further.
    let days = match under_way {
        Some(_) => l.view.days_past_due,
        None => loan::days_past_due(&instalments, date),
    };
    let overdue = days > 0 && l.view.status == LoanStatus::Active;
    if days != l.view.days_past_due {
        l.view.days_past_due = days;
        if overdue {
            l.view.status = LoanStatus::Overdue;
            outbox.announce(tx, &LendingEvent::LoanOverdue { loan: l.view.clone() }).await?;
        }
        repo::update_loan(tx, &l).await?;
    }
    let repayment = derived::due_repayment(id, date);
    let free = loan::may_repay(l.view.status, l.operation.is_some()).is_ok();
    let fresh = free && repo::maybe_repayment(tx, repayment).await?.is_none();
    let owed = if fresh { loan::due(&instalments, date, false).map_err(arithmetic)? } else { None };
    if let Some(owed) = &owed {
        begin(tx, outbox, repayment, &mut l, owed, false, now).await?;
    }
    if owed.is_some() || overdue {
        repo::count_day(tx, date, owed.is_some(), overdue).await?;
    }
    Ok(())
}

/// The loan, locked, and its repayment as it stands under that lock.
async fn locked(tx: &Tx, id: RepaymentId) -> Result<Option<(Loan, Repayment)>, DbErr> {
    let Some(r) = repo::maybe_repayment(tx, id).await? else { return Ok(None) };
    let Some(l) = repo::lock_loan(tx, r.view.loan).await? else { return Ok(None) };
    Ok(repo::maybe_repayment(tx, id).await?.map(|r| (l, r)))
}

fn lines(parts: &[Part], notes: &[crate::loan::Note], currency: finance::Currency) -> Vec<PaymentLine> {
    let line = |p: &Part| {
        let note = notes.iter().find(|n| n.view.id == p.note)?.view.clone();
        let money = |minor| Money::new(minor, currency);
        Some(PaymentLine { line: p.line, note, interest: money(p.interest), principal: money(p.principal) })
    };
    parts.iter().filter_map(line).collect()
}

/// Takes repayments further whose first attempt did not get through.
pub(crate) struct Repayments(pub(crate) Arc<Inner>);

impl Worker for Repayments {
    fn work<'a>(&'a self, call: &'a Call, job: &'a Job) -> BoxFuture<'a, Result<Done, Trouble>> {
        async move {
            let id: RepaymentId = serde_json::from_str(&job.body)?;
            self.0.advance_repayment(call, id).await?;
            Ok(Done::Finished)
        }
        .boxed()
    }
}
