//! Facts go on: each movement into the ledger, once, in order; then what it means is announced.
//!
//! The ledger is asked first, under ids that derive from the movement's; only then is the movement marked. A crash
//! between the two repeats the batch, which the ledger answers as before.

use crate::attempt;
use crate::mirror::{self, Behind, Mirror};
use crate::repo::{self, Instruction};
use crate::service::Inner;
use chrono::{DateTime, Utc};
use custody_api::{CustodyError, CustodyEvent, InstructionStatus};
use entity_custody::movement::Model as Movement;
use finance::Money;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use kernel::Call;
use kernel::call::Service;
use kernel::id::{AccountId, BreakId, InstructionId, LineId, MovementId, PartyId, RequestId, derived};
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{
    AccountKey, AccountKind, BalancesOf, Flags, Ledger, LedgerError, OpenAccount, OpenAccounts, OutcomeCode,
    PendingsOf, SetFlags,
};
use platform::Fault;
use platform::db::{Tx, WriteError};
use platform::service::{published, unreadable};
use platform::work::{Loop, Progress, StepError};
use sea_orm::DbErr;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

const PAGE: u64 = 200;

/// The loop that mirrors movements.
pub struct Post(pub Arc<Inner>);

/// A movement that stands in the ledger, and what did not fit.
struct Done {
    movement: Movement,
    broken: Option<String>,
    /// The freeze came after it had been given up.
    late: bool,
}

impl Loop for Post {
    fn name(&self) -> String {
        "custody:mirror".into()
    }

    fn channel(&self) -> String {
        "custody:mirror".into()
    }

    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>> {
        async move {
            let waiting = repo::unmirrored(self.0.db.read(), &self.0.port.custodian, PAGE).await?;
            let Some(first) = waiting.first() else { return Ok(Progress::Idle) };
            // Lines of one request do not depend on each other and share the ledger's commit; requests keep their order.
            let request_no = first.request_no.clone();
            let group: Vec<Movement> =
                waiting.into_iter().take_while(|m| m.request_no == request_no).collect();
            self.0.mirror_group(group).await?;
            Ok(Progress::Did)
        }
        .boxed()
    }
}

impl Inner {
    fn system(&self, work: &str) -> Call {
        let now = self.clock.now();
        Call::system(
            work,
            Service::Custody,
            RequestId(self.entropy.uuid(now)),
            now + chrono::Duration::seconds(30),
        )
    }

    async fn mirror_group(&self, group: Vec<Movement>) -> Result<(), StepError> {
        let call = self.system("mirror movements");
        self.open_accounts_for(&call, &group).await?;
        let own = match InstructionId::parse(&group[0].request_no) {
            Some(id) => repo::maybe_instruction(self.db.read(), id).await?,
            None => None,
        };
        let behind = self.behind(&call, &group, own.as_ref()).await?;
        let posts = group
            .into_iter()
            .zip(behind)
            .map(|(movement, behind)| self.mirror_one(&call, movement, behind, own.as_ref()));
        let done = join_all(posts).await.into_iter().collect::<Result<Vec<Done>, StepError>>()?;
        let late: Vec<InstructionId> = done
            .iter()
            .filter(|d| d.late)
            .filter_map(|d| InstructionId::parse(&d.movement.freeze_no))
            .collect();
        for freeze in late {
            // What we had given up has happened after all: it goes back at once. Before the movement is marked, so that
            // a crash between the two asks again.
            self.unfreeze_late(freeze).await.map_err(|e| StepError(format!("{e:?}")))?;
        }
        self.settle(done).await
    }

    /// Users' accounts in the ledger come with their first money in a currency.
    async fn open_accounts_for(&self, call: &Call, group: &[Movement]) -> Result<(), StepError> {
        let mut accounts = Vec::new();
        let mut seen = BTreeSet::new();
        for m in group {
            for user_no in [&m.source, &m.target] {
                let owner = mirror::owner_of(user_no)?;
                if !seen.insert((owner, m.currency.clone())) || !self.is_new(owner, &m.currency) {
                    continue;
                }
                let kinds = if owner == custody_api::PLATFORM {
                    vec![AccountKind::Income, AccountKind::OwnFunds, AccountKind::Outside]
                } else {
                    vec![
                        AccountKind::Available,
                        AccountKind::Held,
                        AccountKind::Outside,
                        AccountKind::Shortfall,
                    ]
                };
                for kind in kinds {
                    accounts.push(OpenAccount { key: mirror::account(m, owner, kind)?, credit_limit: None });
                }
            }
        }
        for part in accounts.chunks(500) {
            let input = OpenAccounts { accounts: part.to_vec() };
            self.ledger
                .open_accounts(call, input)
                .await
                .map_err(|e| StepError(format!("open accounts: {e}")))?;
        }
        self.remember_opened(seen);
        Ok(())
    }

    /// Of which reservation each movement takes: two reads, however many there are.
    async fn behind(
        &self,
        call: &Call,
        group: &[Movement],
        own: Option<&Instruction>,
    ) -> Result<Vec<Option<Behind>>, StepError> {
        let freezes: BTreeSet<InstructionId> =
            group.iter().filter_map(|m| InstructionId::parse(&m.freeze_no)).collect();
        let freezes = repo::instructions_by_id(self.db.read(), &freezes).await?;
        let reservation = |m: &Movement| match InstructionId::parse(&m.freeze_no) {
            Some(freeze) => freezes.get(&freeze).and_then(|i| i.context.reservation),
            None => own.and_then(|i| i.context.reservation),
        };
        let wanted: Vec<_> = group.iter().map(reservation).collect();
        let ids: BTreeSet<_> = wanted.iter().flatten().copied().collect();
        if ids.is_empty() {
            return Ok(vec![None; group.len()]);
        }
        let found = self.ledger.pendings(call, PendingsOf { ids: ids.into_iter().collect() }).await;
        let found = found.map_err(|e| StepError(format!("read reservations: {e}")))?;
        let behind = |reservation| {
            let control = found.iter().find(|p| p.id == reservation)?.credit;
            Some(Behind { reservation, control })
        };
        Ok(wanted.into_iter().map(|reservation| behind(reservation?)).collect())
    }

    async fn mirror_one(
        &self,
        call: &Call,
        movement: Movement,
        behind: Option<Behind>,
        own: Option<&Instruction>,
    ) -> Result<Done, StepError> {
        let late = movement.kind == "FREEZE"
            && own.is_some_and(|i| i.status.is_final() && i.status != InstructionStatus::Settled);
        let Mirror::Post(batch) = mirror::mirror(&movement, behind)? else {
            return Ok(Done { movement, broken: None, late });
        };
        let properly =
            mirror::path(&movement)?.is_none() || behind.is_some() || !needs_reservation(&movement);
        let posted = self
            .ledger
            .post_batch(call, batch)
            .await
            .map_err(|e| StepError(format!("post a mirror: {e}")))?;
        let Some(refusal) = posted.first_refusal() else {
            let broken = (!properly).then(|| "no reservation stood behind it".to_string());
            return Ok(Done { movement, broken, late });
        };
        // A fact is never refused: it goes through the shortfall, and people look at it.
        let what = format!("the ledger would not take it: {refusal:?}");
        let Some(batch) = mirror::through_shortfall(&movement)? else {
            return Ok(Done { movement, broken: Some(what), late });
        };
        let posted = self
            .ledger
            .post_batch(call, batch)
            .await
            .map_err(|e| StepError(format!("post a shortfall: {e}")))?;
        if let Some(refusal) = posted.first_refusal() {
            // Not even there (an amount beyond all books, a closed account): the fact stays in our record, the proof names
            // it as missing in the ledger, people are called; what comes after it is mirrored all the same.
            let what = format!("{what}; and not through the shortfall either: {refusal:?}");
            tracing::error!(movement = movement.number, what, "a movement fits nowhere");
            return Ok(Done { movement, broken: Some(what), late });
        }
        Ok(Done { movement, broken: Some(what), late })
    }

    /// Marks movements, counts them towards their instruction, and announces.
    async fn settle(&self, done: Vec<Done>) -> Result<(), StepError> {
        let blocked: Vec<PartyId> =
            done.iter().filter(|d| d.broken.is_some()).filter_map(|d| party(&d.movement.source)).collect();
        for party in &blocked {
            self.block(*party, &done).await?;
        }
        let done = Arc::new(done);
        let facts = done.clone();
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        self.db
            .write(move |tx| {
                let (done, outbox) = (done.clone(), outbox.clone());
                async move {
                    let mut events = Vec::new();
                    // The rows' locks are taken in one order: the instruction first, then its movements.
                    let instruction = match InstructionId::parse(&done[0].movement.request_no) {
                        Some(id) => repo::lock_instruction(tx, id).await?,
                        None => None,
                    };
                    let (mut counted, mut fresh) = (0, Vec::new());
                    for d in done.iter() {
                        if !repo::mark_mirrored(tx, &d.movement.custodian, d.movement.number).await? {
                            continue;
                        }
                        if counts(&d.movement) {
                            counted += 1;
                            fresh.push(&d.movement);
                        }
                        events.push(mirrored(d)?);
                        if let Some(what) = &d.broken {
                            let (id, party) = (
                                derived::movement_break(MovementId(d.movement.id)),
                                party(&d.movement.source),
                            );
                            repo::open_break(tx, id.0, party, d.movement.id, what, now).await?;
                            events.push(CustodyEvent::BreakFound {
                                id,
                                amount: repo::money(d.movement.amount, &d.movement.currency)?,
                                movement: MovementId(d.movement.id),
                                party,
                                what: what.clone(),
                            });
                        }
                    }
                    if let Some(mut instruction) = instruction {
                        if instruction.status.is_final() && counted > 0 {
                            events.extend(come_late(tx, &mut instruction, &fresh).await?);
                        }
                        instruction.row.lines_settled += counted;
                        events.extend(complete(tx, &mut instruction, now).await?);
                        repo::update_instruction(tx, &instruction, now).await?;
                    }
                    outbox.announce_all(tx, &events).await?;
                    Ok::<(), WriteError<()>>(())
                }
                .boxed()
            })
            .await?;
        // Again, now that the break is written down: an older one that was closed meanwhile would have ended the block.
        for party in &blocked {
            self.block(*party, &facts).await?;
        }
        Ok(())
    }

    /// No money leaves the account until people have looked.
    async fn block(&self, party: PartyId, done: &[Done]) -> Result<(), StepError> {
        let Some(d) = done.iter().find(|d| d.movement.source == party.to_string()) else { return Ok(()) };
        let account = mirror::account(&d.movement, party.0, AccountKind::Available)?.id();
        let call = self.system("block an account with an open break");
        self.set_blocked(&call, account, true).await.map_err(|e| StepError(format!("block an account: {e}")))
    }

    /// Closes a break, and lets the owner's money leave again where it was the last in its currency.
    pub(crate) async fn close_break(&self, call: &Call, id: BreakId) -> Result<(), Fault<CustodyError>> {
        let outbox = self.outbox.clone();
        let write = self.db.write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let found = repo::close_break(tx, id).await?;
                let (party, currency, closed) =
                    found.ok_or(WriteError::Refused(CustodyError::BreakNotFound))?;
                if closed {
                    outbox.announce(tx, &CustodyEvent::BreakClosed { id, party }).await?;
                }
                Ok((party, currency))
            }
            .boxed()
        });
        let (party, currency) = write.await.map_err(|e| published(call, "close a break", e))?;
        let Some(party) = party else { return Ok(()) };
        let read = |e: DbErr| unreadable::<CustodyError>(call, "look for other breaks", &e);
        let key = AccountKey {
            owner: party.0,
            currency: currency.parse().map_err(|_| Fault::Internal)?,
            custodian: self.port.custodian.clone(),
            kind: AccountKind::Available,
        };
        self.settle_shortfall(call, id, &key).await?;
        // Looked at again after the block is gone: a break that opens meanwhile sets its block before it is written down.
        for blocked in [false, true] {
            if repo::has_open_break(self.db.read(), party, &currency).await.map_err(read)? == blocked {
                self.set_blocked(call, key.id(), blocked).await.map_err(|e| match e {
                    Fault::Refused(_) => Fault::Internal,
                    other => other.map(|_| CustodyError::BreakNotFound),
                })?;
            }
        }
        Ok(())
    }

    /// What went beyond the owner's money is taken from what is there: the two books agree in each account again, and not
    /// in the sum alone. What is not there yet stays owing.
    async fn settle_shortfall(
        &self,
        call: &Call,
        id: BreakId,
        available: &AccountKey,
    ) -> Result<(), Fault<CustodyError>> {
        let inside = |e: Fault<LedgerError>| match e {
            Fault::Refused(_) => Fault::Internal,
            other => other.map(|_| CustodyError::BreakNotFound),
        };
        let ask = BalancesOf { owner: available.owner, as_of: None };
        let balances = self.ledger.balances(call, ask).await.map_err(inside)?;
        let of = |kind| {
            let key = AccountKey { kind, ..available.clone() };
            balances.iter().find(|b| b.key == key).map_or(0, |b| b.balance.minor() - b.reserved.minor())
        };
        let minor = of(AccountKind::Available).min(-of(AccountKind::Shortfall));
        if minor <= 0 {
            return Ok(());
        }
        let operation = Operation::Transfer {
            id: derived::break_settlement_transfer(id),
            debit: available.id(),
            credit: AccountKey { kind: AccountKind::Shortfall, ..available.clone() }.id(),
            amount: Money::new(minor, available.currency),
            code: Code::ShortfallSettled,
            reference: id.0,
        };
        let batch = PostBatch {
            id: derived::break_settlement(id),
            linked: true,
            value_date: None,
            operations: vec![operation],
        };
        let posted = self.ledger.post_batch(call, batch).await.map_err(inside)?;
        match posted.first_refusal() {
            // A repeat, after more has come in: what was settled the first time stands.
            None | Some(OutcomeCode::IdTaken) => Ok(()),
            Some(refusal) => {
                tracing::error!(break_id = %id, ?refusal, "a shortfall could not be settled");
                Err(Fault::Internal)
            }
        }
    }

    pub(crate) async fn set_blocked(
        &self,
        call: &Call,
        account: AccountId,
        blocked: bool,
    ) -> Result<(), Fault<LedgerError>> {
        let flags = Flags { debit_blocked: blocked, ..Flags::default() };
        self.ledger.set_flags(call, SetFlags { account, flags }).await.map(drop)
    }
}

/// What had finally failed has happened after all: its lines are told as settled, and not attempted again. What a freeze
/// brings too late is given back instead, and a user's own order is told by its movement.
async fn come_late(
    tx: &Tx,
    i: &mut Instruction,
    movements: &[&Movement],
) -> Result<Option<CustodyEvent>, DbErr> {
    if !attempt::is_repeated(i) || i.status == InstructionStatus::Settled {
        return Ok(None);
    }
    let lines: Vec<LineId> = movements.iter().filter_map(|m| m.line_no.parse().ok().map(LineId)).collect();
    let came = i64::try_from(movements.len()).unwrap_or(i64::MAX);
    i.context.failed.retain(|l| !lines.contains(l));
    (i.status, i.row.lines_failed) =
        stands(i.row.lines_total, i.row.lines_settled.saturating_add(came), i.row.lines_failed);
    if i.status == InstructionStatus::Settled {
        attempt::call_off(tx, i).await?;
    }
    Ok(Some(CustodyEvent::InstructionSettled {
        instruction: i.view(),
        lines_settled: lines,
        lines_failed: i.context.failed.clone(),
        on: movements.iter().map(|m| m.business_date).max(),
    }))
}

/// How an instruction stands of which so many lines have settled in all, and how many of them still count as failed.
/// Which ones had failed is not always known: what failed as a whole names none.
fn stands(total: i64, settled: i64, failed: i64) -> (InstructionStatus, i64) {
    if settled >= total {
        return (InstructionStatus::Settled, 0);
    }
    (InstructionStatus::Partial, failed.min(total - settled))
}

/// Ends an instruction whose every line has a last word; answers what to announce.
pub(crate) async fn complete(
    tx: &Tx,
    i: &mut Instruction,
    now: DateTime<Utc>,
) -> Result<Vec<CustodyEvent>, DbErr> {
    let row = &i.row;
    if i.status.is_final() || row.lines_settled + row.lines_failed < row.lines_total {
        return Ok(Vec::new());
    }
    i.status = match (row.lines_settled, row.lines_failed) {
        (0, failed) if failed > 0 => InstructionStatus::Failed,
        (_, 0) => InstructionStatus::Settled,
        _ => InstructionStatus::Partial,
    };
    let stuck = attempt::plan(tx, i, now).await?;
    if i.status == InstructionStatus::Failed {
        let failed = CustodyEvent::InstructionFailed { instruction: i.view() };
        return Ok([failed].into_iter().chain(stuck).collect());
    }
    let movements = repo::movements_of_request(tx, &i.row.id.to_string()).await?;
    let lines_settled = movements.iter().filter_map(|m| m.line_no.parse().ok().map(LineId)).collect();
    let settled = CustodyEvent::InstructionSettled {
        instruction: i.view(),
        lines_settled,
        lines_failed: i.context.failed.clone(),
        on: movements.iter().map(|m| m.business_date).max(),
    };
    Ok([settled].into_iter().chain(stuck).collect())
}

/// A payout counts when it has left, everything else at once.
fn counts(m: &Movement) -> bool {
    !matches!(m.kind.as_str(), "PAYOUT_ACCEPTED" | "PAYOUT_FAILED" | "PAYOUT_RETURNED")
}

fn needs_reservation(m: &Movement) -> bool {
    matches!(m.kind.as_str(), "DISBURSE" | "REPAY" | "PAYOUT_PAID")
}

fn party(user_no: &str) -> Option<PartyId> {
    Uuid::parse_str(user_no).ok().map(PartyId)
}

fn mirrored(d: &Done) -> Result<CustodyEvent, DbErr> {
    let m = &d.movement;
    let mut parties: Vec<PartyId> = [party(&m.source), party(&m.target)].into_iter().flatten().collect();
    parties.dedup();
    Ok(CustodyEvent::MovementMirrored {
        movement: MovementId(m.id),
        number: m.number,
        kind: m.kind.clone(),
        instruction: InstructionId::parse(&m.request_no),
        parties,
        amount: repo::money(m.amount, &m.currency)?,
    })
}

/// Ids travel to the custodian and back as text.
pub(crate) trait Parse: Sized {
    fn parse(text: &str) -> Option<Self>;
}

impl Parse for InstructionId {
    fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(InstructionId)
    }
}

#[cfg(test)]
mod tests {
    use super::{InstructionStatus as S, stands};

    #[test]
    fn what_comes_late_is_whole_when_every_line_has_come() {
        for (total, settled, failed, expected) in [
            (1, 1, 0, (S::Settled, 0)),
            (2, 2, 2, (S::Settled, 0)),
            (2, 1, 2, (S::Partial, 1)),
            (3, 1, 0, (S::Partial, 0)),
            // A batch of more lines than one page of movements, which had failed as a whole.
            (300, 200, 0, (S::Partial, 0)),
            (300, 300, 0, (S::Settled, 0)),
        ] {
            assert_eq!(stands(total, settled, failed), expected, "{settled} of {total}, {failed} failed");
        }
    }
}
