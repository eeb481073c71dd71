//! Decides what a group of batches does to loaded accounts. Pure; the writer loads before and stores after.

use chrono::{DateTime, NaiveDate, Utc};
use finance::{Currency, Money};
use kernel::call::Service;
use kernel::id::{AccountId, BatchId, TransferId};
use ledger_api::batch::{Code, Operation, Outcome, OutcomeCode, PendingState, PostBatch};
use ledger_api::{AccountKey, Entry, Flags, TransferKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// An account as the engine needs it. Sums in minor units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    pub id: AccountId,
    pub key: AccountKey,
    pub flags: Flags,
    pub credit_limit: Option<i64>,
    pub debits_posted: i64,
    pub credits_posted: i64,
    pub debits_pending: i64,
    pub credits_pending: i64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    pub id: TransferId,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: i64,
    pub remaining: i64,
    pub currency: Currency,
    pub state: PendingState,
    pub reference: Uuid,
}

/// A line of the books, before and after it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub position: i64,
    pub id: TransferId,
    pub kind: TransferKind,
    pub debit: AccountId,
    pub credit: AccountId,
    pub amount: i64,
    /// The amount as it was asked; a post of all that is left and a void ask for none.
    pub asked: Option<i64>,
    pub currency: Currency,
    pub code: Code,
    pub reference: Uuid,
    pub reservation: Option<TransferId>,
    pub batch: BatchId,
    pub business_date: NaiveDate,
    pub value_date: NaiveDate,
    pub recorded_at: DateTime<Utc>,
}

impl Row {
    /// The row's bytes under the chain: every column, in a fixed order.
    pub fn canonical(&self) -> String {
        format!(
            "{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n",
            self.position,
            self.id,
            self.kind.code(),
            self.debit,
            self.credit,
            self.amount,
            self.asked.map_or(String::new(), |a| a.to_string()),
            self.currency,
            self.code.code(),
            self.reference,
            self.reservation.map_or(String::new(), |r| r.to_string()),
            self.batch,
            self.business_date,
            self.value_date,
            self.recorded_at.timestamp_micros(),
        )
    }

    /// The row with the names of its accounts, as others see it.
    pub fn entry(&self, debit: &AccountKey, credit: &AccountKey) -> Entry {
        Entry {
            position: self.position,
            id: self.id,
            kind: self.kind,
            debit: self.debit,
            debit_owner: debit.owner,
            debit_kind: debit.kind,
            credit: self.credit,
            credit_owner: credit.owner,
            credit_kind: credit.kind,
            amount: Money::new(self.amount, self.currency),
            code: self.code,
            reference: self.reference,
            reservation: self.reservation,
            batch: self.batch,
            business_date: self.business_date,
            value_date: self.value_date,
            recorded_at: self.recorded_at,
        }
    }

    /// Whether the operation is the one that made this row.
    fn is(&self, op: &Operation) -> bool {
        let same = |kind,
                    debit: Option<AccountId>,
                    credit: Option<AccountId>,
                    asked,
                    code,
                    reference,
                    reservation| {
            self.kind == kind
                && debit.is_none_or(|d| d == self.debit)
                && credit.is_none_or(|c| c == self.credit)
                && self.asked == asked
                && self.code == code
                && self.reference == reference
                && self.reservation == reservation
        };
        match op {
            Operation::Transfer { debit, credit, amount, code, reference, .. } => {
                self.currency == amount.currency()
                    && same(
                        TransferKind::Transfer,
                        Some(*debit),
                        Some(*credit),
                        Some(amount.minor()),
                        *code,
                        *reference,
                        None,
                    )
            }
            Operation::Reserve { debit, credit, amount, code, reference, .. } => {
                self.currency == amount.currency()
                    && same(
                        TransferKind::Reserve,
                        Some(*debit),
                        Some(*credit),
                        Some(amount.minor()),
                        *code,
                        *reference,
                        None,
                    )
            }
            Operation::Post { reservation, amount, code, reference, .. } => {
                let asked = amount.map(Money::minor);
                amount.is_none_or(|a| a.currency() == self.currency)
                    && same(TransferKind::Post, None, None, asked, *code, *reference, Some(*reservation))
            }
            Operation::Void { reservation, code, reference, .. } => {
                same(TransferKind::Void, None, None, None, *code, *reference, Some(*reservation))
            }
        }
    }
}

/// A batch with who asks.
#[derive(Clone, Debug)]
pub struct Request {
    pub caller: Service,
    pub batch: PostBatch,
}

/// The dates of everything written in one commit.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub business_date: NaiveDate,
    pub recorded_at: DateTime<Utc>,
}

/// What the engine works on: everything the group touches, loaded after the head was locked.
#[derive(Default, Debug)]
pub struct Books {
    pub accounts: HashMap<AccountId, Account>,
    pub pendings: HashMap<TransferId, Pending>,
    /// Rows whose ids are asked for again.
    pub known: HashMap<TransferId, Row>,
    /// The last position given out.
    pub position: i64,
    /// What was decided.
    pub rows: Vec<Row>,
    pub touched_accounts: BTreeSet<AccountId>,
    pub touched_pendings: BTreeMap<TransferId, bool>,
}

impl Books {
    /// Decides a group of batches in order. Each is answered for itself; a refused one changes nothing.
    pub fn decide(&mut self, requests: &[Request], stamp: Stamp) -> Vec<Vec<Outcome>> {
        requests.iter().map(|request| self.batch(request, stamp)).collect()
    }

    fn batch(&mut self, request: &Request, stamp: Stamp) -> Vec<Outcome> {
        let mut undo = Undo::default();
        let mut outcomes = Vec::with_capacity(request.batch.operations.len());
        for op in &request.batch.operations {
            let code = match self.operation(request, op, stamp, &mut undo) {
                Ok(()) => OutcomeCode::Posted,
                Err(code) => code,
            };
            outcomes.push(Outcome { id: op.id(), code });
        }
        if request.batch.linked && outcomes.iter().any(|o| o.code != OutcomeCode::Posted) {
            undo.apply(self);
            for outcome in outcomes.iter_mut().filter(|o| o.code == OutcomeCode::Posted) {
                outcome.code = OutcomeCode::LinkedFailed;
            }
        }
        outcomes
    }

    /// The checks stand in the order of [`OutcomeCode`], which is the order of precedence.
    fn operation(
        &mut self,
        request: &Request,
        op: &Operation,
        stamp: Stamp,
        undo: &mut Undo,
    ) -> Result<(), OutcomeCode> {
        if let Some(row) = self.known.get(&op.id()) {
            // Before any limit: a repeat is answered as before, and not "full".
            return if row.is(op) { Ok(()) } else { Err(OutcomeCode::IdTaken) };
        }
        match op {
            Operation::Transfer { id, debit, credit, amount, code, reference }
            | Operation::Reserve { id, debit, credit, amount, code, reference } => {
                let reserve = matches!(op, Operation::Reserve { .. });
                if !amount.is_positive() {
                    return Err(OutcomeCode::AmountNotPositive);
                }
                if debit == credit {
                    return Err(OutcomeCode::SameAccount);
                }
                if !permitted(request.caller, reserve) {
                    return Err(OutcomeCode::NotPermitted);
                }
                self.currency_of(*debit, *credit, amount.currency())?;
                // A transfer of custody's mirrors what has happened, and a block only keeps more from happening.
                let leaves = reserve || request.caller != Service::Custody;
                self.open_for(*debit, *credit, leaves)?;
                self.credit(*credit, amount.minor(), reserve, undo)?;
                self.debit(*debit, amount.minor(), reserve, undo)?;
                let kind = if reserve { TransferKind::Reserve } else { TransferKind::Transfer };
                if reserve {
                    let pending = Pending {
                        id: *id,
                        debit: *debit,
                        credit: *credit,
                        amount: amount.minor(),
                        remaining: amount.minor(),
                        currency: amount.currency(),
                        state: PendingState::Open,
                        reference: *reference,
                    };
                    undo.pending(self, *id);
                    self.pendings.insert(*id, pending);
                    self.touched_pendings.insert(*id, true);
                }
                let row = RowOf {
                    id: *id,
                    kind,
                    debit: *debit,
                    credit: *credit,
                    amount: amount.minor(),
                    asked: Some(amount.minor()),
                    currency: amount.currency(),
                    code: *code,
                    reference: *reference,
                    reservation: None,
                };
                self.write(row, request, stamp, undo);
                Ok(())
            }
            Operation::Post { id, reservation, amount, code, reference } => {
                if amount.is_some_and(|a| !a.is_positive()) {
                    return Err(OutcomeCode::AmountNotPositive);
                }
                if !permitted(request.caller, false) {
                    return Err(OutcomeCode::NotPermitted);
                }
                let pending = self.open_pending(*reservation, amount.map(Money::currency))?;
                let minor = amount.map_or(pending.remaining, Money::minor);
                if minor > pending.remaining {
                    return Err(OutcomeCode::ExceedsReservation);
                }
                // What was set aside before a block may still go where it was meant to: the custodian has already done it.
                self.open_for(pending.debit, pending.credit, false)?;
                undo.account(self, pending.debit);
                undo.account(self, pending.credit);
                let debit = self.account(pending.debit)?;
                debit.debits_pending -= minor;
                debit.debits_posted = debit.debits_posted.checked_add(minor).ok_or(OutcomeCode::Overflow)?;
                let credit = self.account(pending.credit)?;
                credit.credits_pending -= minor;
                credit.credits_posted =
                    credit.credits_posted.checked_add(minor).ok_or(OutcomeCode::Overflow)?;
                let left = pending.remaining - minor;
                self.settle(
                    *reservation,
                    left,
                    if left == 0 { PendingState::Posted } else { PendingState::Open },
                    undo,
                );
                let asked = amount.map(Money::minor);
                let row = RowOf {
                    id: *id,
                    kind: TransferKind::Post,
                    debit: pending.debit,
                    credit: pending.credit,
                    amount: minor,
                    asked,
                    currency: pending.currency,
                    code: *code,
                    reference: *reference,
                    reservation: Some(*reservation),
                };
                self.write(row, request, stamp, undo);
                Ok(())
            }
            Operation::Void { id, reservation, code, reference } => {
                if !permitted(request.caller, false) {
                    return Err(OutcomeCode::NotPermitted);
                }
                let pending = self.open_pending(*reservation, None)?;
                undo.account(self, pending.debit);
                undo.account(self, pending.credit);
                self.account(pending.debit)?.debits_pending -= pending.remaining;
                self.account(pending.credit)?.credits_pending -= pending.remaining;
                self.settle(*reservation, pending.remaining, PendingState::Voided, undo);
                let row = RowOf {
                    id: *id,
                    kind: TransferKind::Void,
                    debit: pending.debit,
                    credit: pending.credit,
                    amount: pending.remaining,
                    asked: None,
                    currency: pending.currency,
                    code: *code,
                    reference: *reference,
                    reservation: Some(*reservation),
                };
                self.write(row, request, stamp, undo);
                Ok(())
            }
        }
    }

    fn account(&mut self, id: AccountId) -> Result<&mut Account, OutcomeCode> {
        self.touched_accounts.insert(id);
        self.accounts.get_mut(&id).ok_or(OutcomeCode::AccountNotFound)
    }

    fn currency_of(
        &self,
        debit: AccountId,
        credit: AccountId,
        currency: Currency,
    ) -> Result<(), OutcomeCode> {
        let find = |id| self.accounts.get(id).ok_or(OutcomeCode::AccountNotFound);
        let (debit, credit) = (find(&debit)?, find(&credit)?);
        let fits = debit.key.currency == currency
            && credit.key.currency == currency
            && debit.key.custodian == credit.key.custodian;
        if fits { Ok(()) } else { Err(OutcomeCode::CurrencyMismatch) }
    }

    fn open_pending(&self, id: TransferId, currency: Option<Currency>) -> Result<Pending, OutcomeCode> {
        let pending = self.pendings.get(&id).ok_or(OutcomeCode::ReservationNotFound)?;
        if currency.is_some_and(|c| c != pending.currency) {
            return Err(OutcomeCode::CurrencyMismatch);
        }
        if pending.state != PendingState::Open {
            return Err(OutcomeCode::ReservationEnded);
        }
        Ok(pending.clone())
    }

    /// Whether money may pass; `leaves` when it was not set aside before.
    fn open_for(&self, debit: AccountId, credit: AccountId, leaves: bool) -> Result<(), OutcomeCode> {
        let find = |id| self.accounts.get(id).ok_or(OutcomeCode::AccountNotFound);
        let (debit, credit) = (find(&debit)?.flags, find(&credit)?.flags);
        if debit.closed || credit.closed {
            Err(OutcomeCode::AccountClosed)
        } else if leaves && debit.debit_blocked {
            Err(OutcomeCode::DebitBlocked)
        } else if credit.credit_blocked {
            Err(OutcomeCode::CreditBlocked)
        } else {
            Ok(())
        }
    }

    fn credit(
        &mut self,
        id: AccountId,
        minor: i64,
        pending: bool,
        undo: &mut Undo,
    ) -> Result<(), OutcomeCode> {
        let account = self.accounts.get(&id).ok_or(OutcomeCode::AccountNotFound)?;
        let gross =
            account.credits_posted.checked_add(account.credits_pending).and_then(|g| g.checked_add(minor));
        let gross = gross.ok_or(OutcomeCode::Overflow)?;
        if account.credit_limit.is_some_and(|limit| gross > limit) {
            return Err(OutcomeCode::ExceedsCreditLimit);
        }
        undo.account(self, id);
        let account = self.account(id)?;
        if pending {
            account.credits_pending += minor;
        } else {
            account.credits_posted += minor;
        }
        Ok(())
    }

    /// Takes the credit back where the debit is refused, so that a refused operation changes nothing.
    fn debit(
        &mut self,
        id: AccountId,
        minor: i64,
        pending: bool,
        undo: &mut Undo,
    ) -> Result<(), OutcomeCode> {
        let account = self.accounts.get(&id).ok_or(OutcomeCode::AccountNotFound)?;
        let disposable = account.credits_posted - account.debits_posted - account.debits_pending;
        let refusal = if !account.key.kind.may_overdraw() && disposable < minor {
            Some(OutcomeCode::InsufficientFunds)
        } else if account
            .debits_posted
            .checked_add(account.debits_pending)
            .and_then(|d| d.checked_add(minor))
            .is_none()
        {
            Some(OutcomeCode::Overflow)
        } else {
            None
        };
        if let Some(code) = refusal {
            undo.last_account(self);
            return Err(code);
        }
        undo.account(self, id);
        let account = self.account(id)?;
        if pending {
            account.debits_pending += minor;
        } else {
            account.debits_posted += minor;
        }
        Ok(())
    }

    fn settle(&mut self, id: TransferId, remaining: i64, state: PendingState, undo: &mut Undo) {
        undo.pending(self, id);
        if let Some(pending) = self.pendings.get_mut(&id) {
            pending.remaining = remaining;
            pending.state = state;
        }
        self.touched_pendings.entry(id).or_insert(false);
    }

    fn write(&mut self, row: RowOf, request: &Request, stamp: Stamp, undo: &mut Undo) {
        self.position += 1;
        let row = Row {
            position: self.position,
            id: row.id,
            kind: row.kind,
            debit: row.debit,
            credit: row.credit,
            amount: row.amount,
            asked: row.asked,
            currency: row.currency,
            code: row.code,
            reference: row.reference,
            reservation: row.reservation,
            batch: request.batch.id,
            business_date: stamp.business_date,
            value_date: request.batch.value_date.unwrap_or(stamp.business_date),
            recorded_at: stamp.recorded_at,
        };
        self.known.insert(row.id, row.clone());
        self.rows.push(row);
        undo.rows += 1;
    }
}

/// Client money is custody's alone; lending and investing may set it aside. An operator's hand is for tests and tools.
fn permitted(caller: Service, reserve: bool) -> bool {
    match caller {
        Service::Custody | Service::Operator => true,
        Service::Investing | Service::Lending => reserve,
        _ => false,
    }
}

struct RowOf {
    id: TransferId,
    kind: TransferKind,
    debit: AccountId,
    credit: AccountId,
    amount: i64,
    asked: Option<i64>,
    currency: Currency,
    code: Code,
    reference: Uuid,
    reservation: Option<TransferId>,
}

/// How to take a batch back: what stood before, newest last.
#[derive(Default)]
struct Undo {
    accounts: Vec<Account>,
    pendings: Vec<(TransferId, Option<Pending>)>,
    rows: usize,
}

impl Undo {
    fn account(&mut self, books: &Books, id: AccountId) {
        self.accounts.extend(books.accounts.get(&id).cloned());
    }

    fn last_account(&mut self, books: &mut Books) {
        if let Some(before) = self.accounts.pop() {
            books.accounts.insert(before.id, before);
        }
    }

    fn pending(&mut self, books: &Books, id: TransferId) {
        self.pendings.push((id, books.pendings.get(&id).cloned()));
    }

    fn apply(self, books: &mut Books) {
        for before in self.accounts.into_iter().rev() {
            books.accounts.insert(before.id, before);
        }
        for (id, before) in self.pendings.into_iter().rev() {
            match before {
                Some(before) => books.pendings.insert(id, before),
                None => {
                    books.touched_pendings.remove(&id);
                    books.pendings.remove(&id)
                }
            };
        }
        for _ in 0..self.rows {
            if let Some(row) = books.rows.pop() {
                books.known.remove(&row.id);
                books.position -= 1;
            }
        }
    }
}
