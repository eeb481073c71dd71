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
                // Neither sum can pass 64 bits: posted and pending together did not when it was set aside.
                let debit = self.account(pending.debit)?;
                debit.debits_pending -= minor;
                debit.debits_posted += minor;
                let credit = self.account(pending.credit)?;
                credit.credits_pending -= minor;
                credit.credits_posted += minor;
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

#[cfg(test)]
mod tests {
    use super::*;
    use ledger_api::AccountKind;
    use proptest::prelude::*;

    fn uuid(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn key(owner: u128, kind: AccountKind) -> AccountKey {
        AccountKey { owner: uuid(owner), currency: Currency::USD, custodian: "harbour".into(), kind }
    }

    fn available(owner: u128) -> AccountId {
        key(owner, AccountKind::Available).id()
    }

    fn outside() -> AccountId {
        key(1, AccountKind::Outside).id()
    }

    fn control() -> AccountId {
        key(9, AccountKind::Control).id()
    }

    fn stamp() -> Stamp {
        Stamp {
            business_date: NaiveDate::from_ymd_opt(2026, 3, 1).unwrap(),
            recorded_at: DateTime::from_timestamp(1_772_000_000, 0).unwrap(),
        }
    }

    /// The world, Ann (1) with 100.00, Bob (2) with nothing, and a listing (9) that seeks 60.00.
    fn books() -> Books {
        let mut books = Books::default();
        let accounts = [
            (key(1, AccountKind::Outside), None),
            (key(1, AccountKind::Available), None),
            (key(2, AccountKind::Available), None),
            (key(9, AccountKind::Control), Some(60_00)),
        ];
        for (key, credit_limit) in accounts {
            let account = Account {
                id: key.id(),
                key,
                flags: Flags::default(),
                credit_limit,
                debits_posted: 0,
                credits_posted: 0,
                debits_pending: 0,
                credits_pending: 0,
            };
            books.accounts.insert(account.id, account);
        }
        assert_eq!(one(&mut books, transfer(100, outside(), available(1), 100_00)), OutcomeCode::Posted);
        books
    }

    fn transfer(id: u128, debit: AccountId, credit: AccountId, minor: i64) -> Operation {
        let (id, amount, code, reference) = (TransferId(uuid(id)), usd(minor), Code::TopUp, uuid(7));
        Operation::Transfer { id, debit, credit, amount, code, reference }
    }

    fn reserve(id: u128, debit: AccountId, credit: AccountId, minor: i64) -> Operation {
        let (id, amount, code, reference) = (TransferId(uuid(id)), usd(minor), Code::Bid, uuid(7));
        Operation::Reserve { id, debit, credit, amount, code, reference }
    }

    fn post(id: u128, reservation: u128, minor: Option<i64>) -> Operation {
        Operation::Post {
            id: TransferId(uuid(id)),
            reservation: TransferId(uuid(reservation)),
            amount: minor.map(usd),
            code: Code::Disbursement,
            reference: uuid(7),
        }
    }

    fn void(id: u128, reservation: u128) -> Operation {
        let (id, reservation) = (TransferId(uuid(id)), TransferId(uuid(reservation)));
        Operation::Void { id, reservation, code: Code::Bid, reference: uuid(7) }
    }

    fn by(caller: Service, linked: bool, operations: Vec<Operation>) -> Request {
        Request { caller, batch: PostBatch { id: BatchId(uuid(1)), linked, value_date: None, operations } }
    }

    fn codes(books: &mut Books, request: Request) -> Vec<OutcomeCode> {
        books.decide(&[request], stamp())[0].iter().map(|o| o.code).collect()
    }

    fn one(books: &mut Books, op: Operation) -> OutcomeCode {
        codes(books, by(Service::Custody, false, vec![op]))[0]
    }

    /// Debits and credits, posted and pending.
    fn sums(books: &Books, id: AccountId) -> (i64, i64, i64, i64) {
        let a = &books.accounts[&id];
        (a.debits_posted, a.credits_posted, a.debits_pending, a.credits_pending)
    }

    /// All that a refused operation must not change.
    fn state(books: &Books) -> (Vec<Account>, Vec<Pending>, Vec<Row>, i64) {
        let mut accounts: Vec<Account> = books.accounts.values().cloned().collect();
        accounts.sort_by_key(|a| a.id);
        let mut pendings: Vec<Pending> = books.pendings.values().cloned().collect();
        pendings.sort_by_key(|p| p.id);
        (accounts, pendings, books.rows.clone(), books.position)
    }

    #[test]
    fn a_transfer_moves_the_amount_and_is_written_down() {
        let mut books = books();
        assert_eq!(one(&mut books, transfer(101, available(1), available(2), 30_01)), OutcomeCode::Posted);
        assert_eq!(sums(&books, available(1)), (30_01, 100_00, 0, 0));
        assert_eq!(sums(&books, available(2)), (0, 30_01, 0, 0));
        let row = &books.rows[1];
        assert_eq!((row.position, row.id, row.kind), (2, TransferId(uuid(101)), TransferKind::Transfer));
        assert_eq!((row.debit, row.credit, row.amount), (available(1), available(2), 30_01));
        assert_eq!((row.asked, row.reservation, row.currency), (Some(30_01), None, Currency::USD));
        assert_eq!((row.code, row.reference, row.batch), (Code::TopUp, uuid(7), BatchId(uuid(1))));
        assert_eq!((row.business_date, row.value_date), (stamp().business_date, stamp().business_date));
        assert_eq!(row.recorded_at, stamp().recorded_at);
        assert!(books.touched_accounts.contains(&available(2)));
    }

    #[test]
    fn a_batch_may_say_from_when_its_money_counts() {
        let mut books = books();
        let value_date = NaiveDate::from_ymd_opt(2026, 2, 27);
        let mut request = by(Service::Custody, true, vec![transfer(101, available(1), available(2), 1)]);
        request.batch.value_date = value_date;
        assert_eq!(codes(&mut books, request), [OutcomeCode::Posted]);
        assert_eq!(Some(books.rows[1].value_date), value_date);
        assert_eq!(books.rows[1].business_date, stamp().business_date);
    }

    #[test]
    fn what_is_set_aside_is_posted_in_parts_and_the_rest_is_freed() {
        let mut books = books();
        assert_eq!(one(&mut books, reserve(1, available(1), control(), 50_00)), OutcomeCode::Posted);
        assert_eq!(sums(&books, available(1)), (0, 100_00, 50_00, 0));
        assert_eq!(sums(&books, control()), (0, 0, 0, 50_00));
        assert_eq!(books.touched_pendings.get(&TransferId(uuid(1))), Some(&true), "it is new");
        assert_eq!(one(&mut books, post(2, 1, Some(20_00))), OutcomeCode::Posted);
        assert_eq!(sums(&books, available(1)), (20_00, 100_00, 30_00, 0));
        assert_eq!(sums(&books, control()), (0, 20_00, 0, 30_00));
        let pending = &books.pendings[&TransferId(uuid(1))];
        assert_eq!((pending.amount, pending.remaining, pending.state), (50_00, 30_00, PendingState::Open));
        assert_eq!(one(&mut books, post(3, 1, Some(30_01))), OutcomeCode::ExceedsReservation);
        assert_eq!(one(&mut books, void(4, 1)), OutcomeCode::Posted);
        assert_eq!(sums(&books, available(1)), (20_00, 100_00, 0, 0));
        assert_eq!(sums(&books, control()), (0, 20_00, 0, 0));
        let pending = &books.pendings[&TransferId(uuid(1))];
        assert_eq!((pending.remaining, pending.state), (30_00, PendingState::Voided));
        for op in [post(5, 1, Some(1)), post(6, 1, None), void(7, 1)] {
            assert_eq!(one(&mut books, op), OutcomeCode::ReservationEnded);
        }
        let kinds: Vec<_> = books.rows.iter().map(|r| (r.kind, r.amount, r.asked)).collect();
        assert_eq!(
            kinds[1..],
            [
                (TransferKind::Reserve, 50_00, Some(50_00)),
                (TransferKind::Post, 20_00, Some(20_00)),
                (TransferKind::Void, 30_00, None),
            ]
        );
        assert!(books.rows[2..].iter().all(|r| r.reservation == Some(TransferId(uuid(1)))));
    }

    #[test]
    fn all_that_is_left_is_posted_without_saying_how_much() {
        let mut books = books();
        one(&mut books, reserve(1, available(1), control(), 50_00));
        one(&mut books, post(2, 1, Some(20_00)));
        assert_eq!(one(&mut books, post(3, 1, None)), OutcomeCode::Posted);
        assert_eq!(sums(&books, control()), (0, 50_00, 0, 0));
        let pending = &books.pendings[&TransferId(uuid(1))];
        assert_eq!((pending.remaining, pending.state), (0, PendingState::Posted));
        assert_eq!((books.rows[3].amount, books.rows[3].asked), (30_00, None));
        assert_eq!(one(&mut books, void(4, 1)), OutcomeCode::ReservationEnded);
    }

    #[test]
    fn a_floor_and_a_limit_hold_to_the_last_minor_unit() {
        let mut books = books();
        assert_eq!(
            one(&mut books, transfer(1, available(1), available(2), 100_01)),
            OutcomeCode::InsufficientFunds
        );
        assert_eq!(one(&mut books, transfer(2, available(1), available(2), 100_00)), OutcomeCode::Posted);
        assert_eq!(
            one(&mut books, transfer(3, available(1), available(2), 1)),
            OutcomeCode::InsufficientFunds
        );
        assert_eq!(one(&mut books, transfer(4, available(2), available(1), 100_00)), OutcomeCode::Posted);
        // What is set aside is not there a second time.
        assert_eq!(
            one(&mut books, reserve(5, available(1), control(), 60_01)),
            OutcomeCode::ExceedsCreditLimit
        );
        assert_eq!(one(&mut books, reserve(6, available(1), control(), 60_00)), OutcomeCode::Posted);
        assert_eq!(one(&mut books, reserve(7, available(1), control(), 1)), OutcomeCode::ExceedsCreditLimit);
        assert_eq!(
            one(&mut books, transfer(8, available(1), available(2), 40_01)),
            OutcomeCode::InsufficientFunds
        );
        assert_eq!(one(&mut books, transfer(9, available(1), available(2), 40_00)), OutcomeCode::Posted);
        // Posted or pending, the limit is on what comes in.
        assert_eq!(one(&mut books, post(10, 6, None)), OutcomeCode::Posted);
        assert_eq!(one(&mut books, reserve(11, available(2), control(), 1)), OutcomeCode::ExceedsCreditLimit);
        // The world has no floor.
        assert_eq!(one(&mut books, transfer(12, outside(), available(2), 1_000_000_00)), OutcomeCode::Posted);
    }

    #[test]
    fn of_several_reasons_the_first_in_order_is_told() {
        let mut books = books();
        one(&mut books, reserve(50, available(1), control(), 10_00));
        let nobody = key(5, AccountKind::Available).id();
        let yen = Account {
            key: AccountKey { currency: Currency::JPY, ..key(3, AccountKind::Available) },
            ..books.accounts[&available(2)].clone()
        };
        let elsewhere = Account {
            key: AccountKey { custodian: "another".into(), ..key(4, AccountKind::Available) },
            ..books.accounts[&available(2)].clone()
        };
        let (yen, elsewhere) =
            (Account { id: yen.key.id(), ..yen }, Account { id: elsewhere.key.id(), ..elsewhere });
        let (in_yen, at_another) = (yen.id, elsewhere.id);
        books.accounts.extend([(yen.id, yen), (elsewhere.id, elsewhere)]);
        use OutcomeCode as C;
        for (op, code) in [
            (transfer(100, outside(), available(1), 100_01), C::IdTaken),
            (transfer(1, available(1), available(1), 0), C::AmountNotPositive),
            (transfer(1, available(1), available(2), -1), C::AmountNotPositive),
            (transfer(1, available(1), available(1), 1), C::SameAccount),
            (transfer(1, nobody, available(2), 1), C::AccountNotFound),
            (transfer(1, available(1), nobody, 1), C::AccountNotFound),
            (transfer(1, available(1), in_yen, 1), C::CurrencyMismatch),
            (transfer(1, in_yen, available(1), 1), C::CurrencyMismatch),
            (transfer(1, available(1), at_another, 1), C::CurrencyMismatch),
            (transfer(1, at_another, available(1), 1), C::CurrencyMismatch),
            (post(1, 51, Some(1)), C::ReservationNotFound),
            (post(1, 50, Some(0)), C::AmountNotPositive),
            (post(1, 50, Some(-1)), C::AmountNotPositive),
            (void(1, 51), C::ReservationNotFound),
            (reserve(1, available(2), control(), 60_00), C::ExceedsCreditLimit),
            (reserve(1, available(2), control(), 50_00), C::InsufficientFunds),
        ] {
            let before = state(&books);
            assert_eq!(one(&mut books, op.clone()), code, "{op:?}");
            assert_eq!(state(&books), before, "{op:?} was refused and changed something");
        }
        let yen = Operation::Post {
            id: TransferId(uuid(1)),
            reservation: TransferId(uuid(50)),
            amount: Some(Money::new(1, Currency::JPY)),
            code: Code::Bid,
            reference: uuid(7),
        };
        assert_eq!(one(&mut books, yen), C::CurrencyMismatch);
    }

    #[test]
    fn a_block_keeps_money_from_leaving_and_facts_pass() {
        use OutcomeCode as C;
        let flags = |books: &mut Books, id: AccountId, flags: Flags| {
            books.accounts.get_mut(&id).unwrap().flags = flags;
        };
        let none = Flags::default();
        let mut books = books();
        one(&mut books, reserve(50, available(1), control(), 10_00));
        flags(&mut books, available(1), Flags { debit_blocked: true, ..none });
        assert_eq!(one(&mut books, reserve(1, available(1), control(), 1)), C::DebitBlocked);
        // What the custodian has done has happened, and what was set aside goes where it was meant to.
        assert_eq!(one(&mut books, transfer(2, available(1), available(2), 1)), C::Posted);
        let operator = by(Service::Operator, false, vec![transfer(3, available(1), available(2), 1)]);
        assert_eq!(codes(&mut books, operator), [C::DebitBlocked]);
        assert_eq!(one(&mut books, post(4, 50, Some(1_00))), C::Posted);
        assert_eq!(one(&mut books, transfer(5, outside(), available(1), 1)), C::Posted);
        flags(&mut books, available(1), none);
        flags(&mut books, available(2), Flags { credit_blocked: true, ..none });
        assert_eq!(one(&mut books, transfer(6, available(1), available(2), 1)), C::CreditBlocked);
        assert_eq!(one(&mut books, transfer(7, available(2), available(1), 1)), C::Posted);
        flags(&mut books, available(2), Flags { closed: true, ..none });
        assert_eq!(one(&mut books, transfer(8, available(1), available(2), 1)), C::AccountClosed);
        assert_eq!(one(&mut books, transfer(9, available(2), available(1), 1)), C::AccountClosed);
        flags(&mut books, control(), Flags { closed: true, ..none });
        assert_eq!(one(&mut books, post(10, 50, None)), C::AccountClosed);
        assert_eq!(one(&mut books, void(11, 50)), C::Posted, "what is freed moves nothing");
    }

    #[test]
    fn client_money_is_custodys_and_others_may_only_set_it_aside() {
        use OutcomeCode as C;
        for (caller, sets_aside, moves) in [
            (Service::Custody, C::Posted, C::Posted),
            (Service::Operator, C::Posted, C::Posted),
            (Service::Investing, C::Posted, C::NotPermitted),
            (Service::Lending, C::Posted, C::NotPermitted),
            (Service::Office, C::NotPermitted, C::NotPermitted),
            (Service::Identity, C::NotPermitted, C::NotPermitted),
            (Service::Notification, C::NotPermitted, C::NotPermitted),
            (Service::Ledger, C::NotPermitted, C::NotPermitted),
            (Service::Gateway, C::NotPermitted, C::NotPermitted),
        ] {
            let mut books = books();
            one(&mut books, reserve(50, available(1), control(), 1));
            one(&mut books, reserve(51, available(1), control(), 1));
            let ops = vec![
                reserve(1, available(1), control(), 1),
                transfer(2, available(1), available(2), 1),
                post(3, 50, None),
                void(4, 51),
            ];
            assert_eq!(
                codes(&mut books, by(caller, false, ops)),
                [sets_aside, moves, moves, moves],
                "{caller}"
            );
        }
    }

    #[test]
    fn the_same_id_answers_as_before_and_other_content_is_refused() {
        use OutcomeCode as C;
        let mut books = books();
        let ops = [
            transfer(1, available(1), available(2), 5),
            reserve(2, available(1), control(), 60_00),
            post(3, 2, Some(1_00)),
            post(4, 2, None),
        ];
        for op in &ops {
            assert_eq!(one(&mut books, op.clone()), C::Posted);
        }
        one(&mut books, reserve(5, available(1), available(2), 7));
        assert_eq!(one(&mut books, void(6, 5)), C::Posted);
        let before = state(&books);
        // Though the listing is full by now.
        for op in ops.iter().chain([&void(6, 5)]) {
            assert_eq!(one(&mut books, op.clone()), C::Posted, "{op:?}");
        }
        let yen = |op: Operation| match op {
            Operation::Transfer { id, debit, credit, code, reference, .. } => {
                let amount = Money::new(5, Currency::JPY);
                Operation::Transfer { id, debit, credit, amount, code, reference }
            }
            other => other,
        };
        let coded = |op: Operation, c: Code, r: Uuid| match op {
            Operation::Transfer { id, debit, credit, amount, .. } => {
                Operation::Transfer { id, debit, credit, amount, code: c, reference: r }
            }
            Operation::Void { id, reservation, .. } => {
                Operation::Void { id, reservation, code: c, reference: r }
            }
            other => other,
        };
        let first = transfer(1, available(1), available(2), 5);
        for op in [
            transfer(1, available(1), available(2), 6),
            transfer(1, available(2), available(1), 5),
            transfer(1, available(1), control(), 5),
            reserve(1, available(1), available(2), 5),
            yen(first.clone()),
            coded(first.clone(), Code::Fee, uuid(7)),
            coded(first, Code::TopUp, uuid(8)),
            reserve(2, available(1), control(), 59_99),
            transfer(2, available(1), control(), 60_00),
            post(3, 2, Some(1_01)),
            post(3, 2, None),
            post(3, 5, Some(1_00)),
            post(4, 2, Some(59_00)),
            void(4, 2),
            void(6, 2),
            coded(void(6, 5), Code::Fee, uuid(7)),
            coded(void(6, 5), Code::Bid, uuid(8)),
        ] {
            assert_eq!(one(&mut books, op.clone()), C::IdTaken, "{op:?}");
        }
        assert_eq!(state(&books), before);
    }

    #[test]
    fn linked_is_all_or_none_and_unlinked_each_for_itself() {
        use OutcomeCode as C;
        let mut books = books();
        one(&mut books, reserve(50, available(1), control(), 10_00));
        let ops = || {
            vec![
                transfer(1, available(1), available(2), 5),
                reserve(2, available(1), control(), 5),
                post(3, 50, Some(1_00)),
                void(4, 50),
                transfer(5, available(1), available(2), 1_000_00),
                transfer(6, available(2), available(1), 5),
            ]
        };
        let before = state(&books);
        let linked = codes(&mut books, by(Service::Custody, true, ops()));
        let follows = C::LinkedFailed;
        assert_eq!(linked, [follows, follows, follows, follows, C::InsufficientFunds, follows]);
        assert_eq!(state(&books), before);
        assert!(books.known.len() == books.rows.len(), "nothing of it is known");
        let each = codes(&mut books, by(Service::Custody, false, ops()));
        assert_eq!(each, [C::Posted, C::Posted, C::Posted, C::Posted, C::InsufficientFunds, C::Posted]);
        assert_eq!(books.rows.len(), before.2.len() + 5);
        let positions: Vec<i64> = books.rows.iter().map(|r| r.position).collect();
        assert_eq!(positions, (1..=7).collect::<Vec<i64>>(), "without a gap");
    }

    #[test]
    fn beyond_sixty_four_bits_nothing_changes() {
        let mut books = books();
        let most = i64::MAX - 100_00;
        assert_eq!(one(&mut books, transfer(1, outside(), available(1), most)), OutcomeCode::Posted);
        let before = state(&books);
        assert_eq!(one(&mut books, transfer(2, outside(), available(1), 1)), OutcomeCode::Overflow);
        assert_eq!(one(&mut books, transfer(3, outside(), available(2), 1)), OutcomeCode::Overflow);
        assert_eq!(one(&mut books, reserve(4, outside(), available(2), 1)), OutcomeCode::Overflow);
        assert_eq!(state(&books), before);
    }

    #[test]
    fn every_column_is_under_the_chain() {
        let mut books = books();
        one(&mut books, reserve(1, available(1), control(), 5));
        one(&mut books, post(2, 1, None));
        let row = books.rows[2].clone();
        assert_eq!(
            row.canonical(),
            format!(
                "3|{}|POST|{}|{}|5||USD|DISBURSEMENT|{}|{}|{}|2026-03-01|2026-03-01|1772000000000000\n",
                TransferId(uuid(2)),
                available(1),
                control(),
                uuid(7),
                TransferId(uuid(1)),
                BatchId(uuid(1)),
            )
        );
        assert!(
            books.rows[1].canonical().contains("|5|5|USD|"),
            "what was asked stands beside what was done"
        );
        let (debit, credit) = (key(1, AccountKind::Available), key(9, AccountKind::Control));
        let seen = row.entry(&debit, &credit);
        assert_eq!((seen.debit_owner, seen.debit_kind), (uuid(1), AccountKind::Available));
        assert_eq!((seen.credit_owner, seen.credit_kind), (uuid(9), AccountKind::Control));
        assert_eq!((seen.amount, seen.position, seen.reservation), (usd(5), 3, row.reservation));
    }

    fn operations() -> impl Strategy<Value = Vec<(bool, Vec<Operation>)>> {
        let account = prop::sample::select(vec![outside(), available(1), available(2), control()]);
        let op = (0..5u8, 1..60u128, account.clone(), account, 1..40u128, -1..70_00i64).prop_map(
            |(kind, id, debit, credit, reservation, minor)| match kind {
                0 => transfer(id, debit, credit, minor),
                1 | 2 => reserve(id, debit, credit, minor),
                3 => post(id, reservation, (minor % 3 != 0).then_some(minor)),
                _ => void(id, reservation),
            },
        );
        prop::collection::vec((any::<bool>(), prop::collection::vec(op, 1..6)), 1..30)
    }

    proptest! {
        /// Whatever is asked in whatever order: both sides agree, no floor and no limit is passed, and what was refused has
        /// left no trace.
        #[test]
        fn the_books_hold_whatever_is_asked(batches in operations()) {
            let mut books = books();
            for (linked, ops) in batches {
                let before = state(&books);
                let done = codes(&mut books, by(Service::Custody, linked, ops));
                if !done.contains(&OutcomeCode::Posted) {
                    prop_assert_eq!(state(&books), before, "nothing was posted and something changed");
                }
                if linked {
                    let posted = done.iter().filter(|c| **c == OutcomeCode::Posted).count();
                    prop_assert!(posted == 0 || posted == done.len(), "{:?}", done);
                }
                let all: Vec<&Account> = books.accounts.values().collect();
                let sum = |of: fn(&Account) -> i64| all.iter().map(|a| of(a)).sum::<i64>();
                prop_assert_eq!(sum(|a| a.debits_posted), sum(|a| a.credits_posted));
                prop_assert_eq!(sum(|a| a.debits_pending), sum(|a| a.credits_pending));
                let open = books.pendings.values().filter(|p| p.state == PendingState::Open);
                prop_assert_eq!(open.map(|p| p.remaining).sum::<i64>(), sum(|a| a.debits_pending));
                for a in all {
                    prop_assert!(a.debits_pending >= 0 && a.credits_pending >= 0);
                    let left = a.credits_posted - a.debits_posted - a.debits_pending;
                    prop_assert!(a.key.kind.may_overdraw() || left >= 0, "{:?}", a);
                    prop_assert!(a.credit_limit.is_none_or(|l| a.credits_posted + a.credits_pending <= l));
                }
                prop_assert!(books.rows.iter().zip(1..).all(|(r, n)| r.position == n));
                prop_assert_eq!(books.known.len(), books.rows.len());
            }
        }
    }
}
