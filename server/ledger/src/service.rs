//! The published methods: each checks who asks, calls the writer or reads.

use crate::engine::{Account, Pending, Request};
use crate::repo;
use crate::writer::Writer;
use chrono::NaiveDate;
use finance::Money;
use futures::FutureExt;
use kernel::Call;
use kernel::call::{Role, Service};
use kernel::clock::SharedClock;
use ledger_api::batch::{OPERATIONS_MAX, PendingView};
use ledger_api::{
    AccountView, Balance, BalancesOf, Entry, Ledger, LedgerError, OpenAccounts, PendingsOf, PostBatch,
    Posted, Proof, ProofOf, SetFlags, Statement, StatementOf,
};
use platform::db::{Db, Sql, WriteError};
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::service::{published, unreadable};
use platform::{Answer, Fault};
use sea_orm::{DbErr, Value};
use std::collections::{BTreeMap, HashMap};

/// The ledger, running.
pub struct LedgerService {
    db: Db,
    outbox: Outbox,
    writer: Writer,
}

impl LedgerService {
    /// Starts the writer's task, which ends with the service.
    pub fn start(db: Db, outbox: Outbox, clock: SharedClock) -> LedgerService {
        let writer = Writer::start(db.clone(), outbox.clone(), clock);
        LedgerService { db, outbox, writer }
    }
}

impl Account {
    pub(crate) fn view(&self) -> AccountView {
        AccountView {
            id: self.id,
            key: self.key.clone(),
            flags: self.flags,
            credit_limit: self.credit_limit,
            debits_posted: self.debits_posted,
            credits_posted: self.credits_posted,
            debits_pending: self.debits_pending,
            credits_pending: self.credits_pending,
        }
    }

    pub(crate) fn balance_view(&self) -> Balance {
        let money = |minor| Money::new(minor, self.key.currency);
        Balance {
            account: self.id,
            key: self.key.clone(),
            flags: self.flags,
            balance: money(self.credits_posted - self.debits_posted),
            reserved: money(self.debits_pending),
            incoming: money(self.credits_pending),
        }
    }
}

impl Pending {
    pub(crate) fn view(&self) -> PendingView {
        PendingView {
            id: self.id,
            debit: self.debit,
            credit: self.credit,
            amount: Money::new(self.amount, self.currency),
            remaining: Money::new(self.remaining, self.currency),
            state: self.state,
            reference: self.reference,
        }
    }
}

/// Services ask the ledger; the gateway and strangers do not.
fn inside<E>(call: &Call) -> Result<(), Fault<E>> {
    match call.caller {
        Service::Gateway | Service::Identity | Service::Ledger => Err(Fault::Forbidden),
        _ => Ok(()),
    }
}

/// Balances and statements are their owner's and the staff's.
fn whose(call: &Call, owner: uuid::Uuid) -> Result<(), Fault<LedgerError>> {
    let own = call.party().is_some_and(|me| me.0 == owner);
    let staff = call.has_any(&[Role::Operations, Role::Auditor, Role::Administrator]);
    if call.caller != Service::Gateway || own || staff { Ok(()) } else { Err(Fault::Forbidden) }
}

impl Ledger for LedgerService {
    fn open_accounts<'a>(
        &'a self,
        call: &'a Call,
        input: OpenAccounts,
    ) -> Answer<'a, Vec<AccountView>, LedgerError> {
        async move {
            inside(call)?;
            if input.accounts.is_empty() {
                return Err(Fault::Refused(LedgerError::BatchEmpty));
            }
            if input.accounts.len() > OPERATIONS_MAX {
                return Err(Fault::Refused(LedgerError::BatchTooLarge { operations_max: OPERATIONS_MAX }));
            }
            let write = self.db.write(move |tx| {
                let wanted = input.accounts.clone();
                async move {
                    repo::open(tx, &wanted).await?;
                    let found = repo::accounts(tx, wanted.iter().map(|w| w.key.id().0).collect()).await?;
                    let by_id: HashMap<_, _> = found.into_iter().map(|a| (a.id, a)).collect();
                    wanted
                        .iter()
                        .map(|w| match by_id.get(&w.key.id()) {
                            Some(account)
                                if account.key == w.key && account.credit_limit == w.credit_limit =>
                            {
                                Ok(account.view())
                            }
                            _ => Err(WriteError::Refused(LedgerError::AccountDiffers {
                                key: w.key.to_string(),
                            })),
                        })
                        .collect()
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "open accounts", e))
        }
        .boxed()
    }

    fn set_flags<'a>(&'a self, call: &'a Call, input: SetFlags) -> Answer<'a, AccountView, LedgerError> {
        async move {
            if !matches!(call.caller, Service::Custody | Service::Operator) {
                return Err(Fault::Forbidden);
            }
            let write = self.db.write(move |tx| {
                let input = input.clone();
                async move {
                    // Under the head's lock, so that no group decides on the flags that stood before.
                    repo::head(tx, true).await?;
                    if repo::set_flags(tx, input.account, input.flags).await? == 0 {
                        return Err(WriteError::Refused(LedgerError::AccountNotFound));
                    }
                    let found = repo::accounts(tx, vec![input.account.0]).await?;
                    found.first().map(Account::view).ok_or(WriteError::Refused(LedgerError::AccountNotFound))
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "set flags", e))
        }
        .boxed()
    }

    fn post_batch<'a>(&'a self, call: &'a Call, input: PostBatch) -> Answer<'a, Posted, LedgerError> {
        async move {
            inside(call)?;
            if input.operations.is_empty() {
                return Err(Fault::Refused(LedgerError::BatchEmpty));
            }
            if input.operations.len() > OPERATIONS_MAX {
                return Err(Fault::Refused(LedgerError::BatchTooLarge { operations_max: OPERATIONS_MAX }));
            }
            self.writer.post(Request { caller: call.caller, batch: input }).await
        }
        .boxed()
    }

    fn balances<'a>(&'a self, call: &'a Call, input: BalancesOf) -> Answer<'a, Vec<Balance>, LedgerError> {
        async move {
            whose(call, input.owner)?;
            let read = async {
                let accounts = repo::accounts_of(self.db.read(), input.owner).await?;
                match input.as_of {
                    None => Ok(accounts.iter().map(Account::balance_view).collect()),
                    Some(date) => self.as_of(accounts, date).await,
                }
            };
            read.await.map_err(|e| unreadable(call, "read balances", &e))
        }
        .boxed()
    }

    fn statement<'a>(&'a self, call: &'a Call, input: StatementOf) -> Answer<'a, Statement, LedgerError> {
        async move {
            whose(call, input.owner)?;
            self.entries(input).await.map_err(|e| unreadable(call, "read a statement", &e))
        }
        .boxed()
    }

    fn pendings<'a>(
        &'a self,
        call: &'a Call,
        input: PendingsOf,
    ) -> Answer<'a, Vec<PendingView>, LedgerError> {
        async move {
            inside(call)?;
            let ids = input.ids.iter().map(|id| id.0).collect();
            let found = repo::pendings(self.db.read(), ids)
                .await
                .map_err(|e| unreadable(call, "read reservations", &e))?;
            Ok(found.iter().map(Pending::view).collect())
        }
        .boxed()
    }

    fn proof<'a>(&'a self, call: &'a Call, input: ProofOf) -> Answer<'a, Proof, LedgerError> {
        async move {
            inside(call)?;
            crate::proof::proof(&self.db, &input).await.map_err(|e| unreadable(call, "prove the books", &e))
        }
        .boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, LedgerError> {
        async move {
            platform::outbox::for_services(call)?;
            self.outbox.events(self.db.read(), &input).await.map_err(|e| unreadable(call, "read events", &e))
        }
        .boxed()
    }
}

impl LedgerService {
    /// Posted balances at the end of a date, from the transfers.
    async fn as_of(&self, accounts: Vec<Account>, date: NaiveDate) -> Result<Vec<Balance>, DbErr> {
        let mut balances = Vec::with_capacity(accounts.len());
        for account in accounts {
            let sql = "SELECT CAST(COALESCE(SUM(CASE WHEN credit = $1 THEN amount ELSE -amount END), 0) AS BIGINT)
                       FROM ledger_transfer WHERE (credit = $1 OR debit = $1) AND kind IN ('TRANSFER', 'POST') AND business_date <= $2";
            let row = self.db.read().one(sql, [account.id.0.into(), date.into()]).await?;
            let minor: i64 = row.map_or(Ok(0), |r| r.try_get_by_index(0))?;
            let zero = Money::zero(account.key.currency);
            let balance = Money::new(minor, account.key.currency);
            balances.push(Balance { balance, reserved: zero, incoming: zero, ..account.balance_view() });
        }
        Ok(balances)
    }

    async fn entries(&self, input: StatementOf) -> Result<Statement, DbErr> {
        let limit = i64::from(input.limit.clamp(1, 100));
        let kinds = if input.with_reservations { "" } else { " AND t.kind IN ('TRANSFER', 'POST')" };
        let mut values: Vec<Value> =
            vec![input.owner.into(), input.before.unwrap_or(i64::MAX).into(), (limit + 1).into()];
        let mut narrowed = String::new();
        let mut narrow = |part: &str, value: Value| {
            values.push(value);
            narrowed.push_str(&format!(" AND t.{part} ${}", values.len()));
        };
        if let Some(wanted) = input.currency {
            narrow("currency =", wanted.code().to_string().into());
        }
        if let Some(from) = input.from {
            narrow("value_date >=", from.into());
        }
        if let Some(to) = input.to {
            narrow("value_date <=", to.into());
        }
        if !input.codes.is_empty() {
            let codes: Vec<String> = input.codes.iter().map(|c| format!("'{}'", c.code())).collect();
            narrowed.push_str(&format!(" AND t.code IN ({})", codes.join(", ")));
        }
        // Either side by its own index, then the newest of both.
        let side = |column: &str| {
            format!(
                "SELECT t.* FROM ledger_transfer t JOIN ledger_account a ON a.id = t.{column}
                 WHERE a.owner = $1 AND t.position < $2{kinds}{narrowed}"
            )
        };
        let sql = format!(
            "SELECT {} FROM ({} UNION {}) AS t ORDER BY t.position DESC LIMIT $3",
            repo::ROW,
            side("debit"),
            side("credit")
        );
        // One moment: a balance and the entries that make it.
        let moment = self.db.snapshot().await?;
        let db = &*moment;
        let rows = db.all(sql, values).await?;
        let mut rows = rows.iter().map(repo::row).collect::<Result<Vec<_>, _>>()?;
        let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let ids: std::collections::BTreeSet<uuid::Uuid> =
            rows.iter().flat_map(|r| [r.debit.0, r.credit.0]).collect();
        let keys: BTreeMap<_, _> =
            repo::accounts(db, ids.into_iter().collect()).await?.into_iter().map(|a| (a.id, a.key)).collect();
        let entries: Vec<Entry> =
            rows.iter().filter_map(|r| Some(r.entry(keys.get(&r.debit)?, keys.get(&r.credit)?))).collect();
        let after = after(db, input.owner, &entries).await?;
        Ok(Statement { entries, has_more, after })
    }
}

/// What an owner has now, less what came after each entry: balances are kept, so only what is newer is added up.
async fn after(
    db: &impl sea_orm::ConnectionTrait,
    owner: uuid::Uuid,
    entries: &[Entry],
) -> Result<Vec<Money>, DbErr> {
    let Some(oldest) = entries.last().map(|e| e.position) else { return Ok(Vec::new()) };
    let mut now: BTreeMap<String, i64> = BTreeMap::new();
    let sql = "SELECT currency, CAST(SUM(credits_posted - debits_posted) AS BIGINT) FROM ledger_account
               WHERE owner = $1 AND kind IN ('AVAILABLE', 'HELD') GROUP BY currency";
    for row in db.all(sql, [owner.into()]).await? {
        now.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    }
    let side = |column: &str, sign: &str| {
        format!(
            "SELECT t.position, t.currency, CASE WHEN a.kind IN ('AVAILABLE', 'HELD') AND t.kind IN ('TRANSFER', 'POST')
                                                 THEN {sign}t.amount ELSE 0 END AS change
             FROM ledger_transfer t JOIN ledger_account a ON a.id = t.{column}
             WHERE a.owner = $1 AND t.position >= $2"
        )
    };
    let (credit, debit) = (side("credit", ""), side("debit", "-"));
    // Positions are numbers of ours, a hundred at most.
    let wanted: Vec<String> = entries.iter().map(|e| e.position.to_string()).collect();
    let sql = format!(
        "SELECT position, CAST(newer AS BIGINT) FROM (
            SELECT position, SUM(change) OVER (PARTITION BY currency ORDER BY position DESC) - change AS newer FROM (
                SELECT position, currency, SUM(change) AS change FROM ({credit} UNION ALL {debit}) AS sides
                GROUP BY position, currency) AS changes) AS sums
         WHERE position IN ({})",
        wanted.join(", ")
    );
    let mut newer: BTreeMap<i64, i64> = BTreeMap::new();
    for row in db.all(sql, [owner.into(), oldest.into()]).await? {
        newer.insert(row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    }
    let had = |e: &Entry| {
        let currency = e.amount.currency();
        let now = now.get(currency.code()).copied().unwrap_or_default();
        Money::new(now - newer.get(&e.position).copied().unwrap_or_default(), currency)
    };
    Ok(entries.iter().map(had).collect())
}
