//! The ledger's tables.

use crate::engine::{Account, Books, Pending, Row};
use chrono::NaiveDate;
use finance::Currency;
use kernel::id::{AccountId, BatchId, TransferId};
use ledger_api::batch::{Code, PendingState};
use ledger_api::{AccountKey, AccountKind, ChainHead, Flags, OpenAccount, TransferKind};
use platform::db::{Sql, Tx};
use platform::setwise::{self, Column};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use std::collections::HashSet;
use uuid::Uuid;

pub(crate) struct Head {
    pub(crate) link: i64,
    pub(crate) position: i64,
    pub(crate) hash: [u8; 32],
}

impl Head {
    pub(crate) fn view(&self) -> ChainHead {
        ChainHead { link: self.link, position: self.position, hash: hex::encode(self.hash) }
    }
}

fn hash_of(bytes: &[u8]) -> Result<[u8; 32], DbErr> {
    bytes.try_into().map_err(|_| DbErr::Type("a hash has 32 bytes".into()))
}

/// The chain's head; `lock` holds it for the transaction. The first writer makes the row.
pub(crate) async fn head(db: &impl ConnectionTrait, lock: bool) -> Result<Option<Head>, DbErr> {
    let suffix = if lock { db.for_update() } else { "" };
    let row =
        db.one(format!("SELECT link, position, hash FROM ledger_head WHERE one = 1{suffix}"), []).await?;
    row.map(|row| {
        Ok(Head {
            link: row.try_get_by_index(0)?,
            position: row.try_get_by_index(1)?,
            hash: hash_of(&row.try_get_by_index::<Vec<u8>>(2)?)?,
        })
    })
    .transpose()
}

pub(crate) async fn begin_chain(tx: &Tx) -> Result<(), DbErr> {
    let sql = "INSERT INTO ledger_head (one, link, position, hash) VALUES (1, 0, 0, $1) ON CONFLICT (one) DO NOTHING";
    tx.run(sql, [vec![0u8; 32].into()]).await.map(drop)
}

const ACCOUNT: &str = "id, owner, currency, custodian, kind, debit_blocked, credit_blocked, closed, credit_limit, \
                       debits_posted, credits_posted, debits_pending, credits_pending";

fn currency_of(code: &str) -> Result<Currency, DbErr> {
    code.parse().map_err(|_| DbErr::Type(format!("{code} is no currency")))
}

fn account(row: &QueryResult) -> Result<Account, DbErr> {
    let kind: String = row.try_get_by_index(4)?;
    Ok(Account {
        id: AccountId(row.try_get_by_index(0)?),
        key: AccountKey {
            owner: row.try_get_by_index(1)?,
            currency: currency_of(&row.try_get_by_index::<String>(2)?)?,
            custodian: row.try_get_by_index(3)?,
            kind: AccountKind::from_code(&kind)
                .ok_or_else(|| DbErr::Type(format!("{kind} is no kind of account")))?,
        },
        flags: Flags {
            debit_blocked: row.try_get_by_index(5)?,
            credit_blocked: row.try_get_by_index(6)?,
            closed: row.try_get_by_index(7)?,
        },
        credit_limit: row.try_get_by_index(8)?,
        debits_posted: row.try_get_by_index(9)?,
        credits_posted: row.try_get_by_index(10)?,
        debits_pending: row.try_get_by_index(11)?,
        credits_pending: row.try_get_by_index(12)?,
    })
}

pub(crate) async fn accounts(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Account>, DbErr> {
    let (list, values) = setwise::ids(db, 1, ids);
    let rows = db.all(format!("SELECT {ACCOUNT} FROM ledger_account WHERE id IN {list}"), values).await?;
    rows.iter().map(account).collect()
}

pub(crate) async fn accounts_of(db: &impl ConnectionTrait, owner: Uuid) -> Result<Vec<Account>, DbErr> {
    let sql =
        format!("SELECT {ACCOUNT} FROM ledger_account WHERE owner = $1 ORDER BY currency, custodian, kind");
    db.all(sql, [owner.into()]).await?.iter().map(account).collect()
}

pub(crate) async fn all_accounts(db: &impl ConnectionTrait) -> Result<Vec<Account>, DbErr> {
    let sql = format!("SELECT {ACCOUNT} FROM ledger_account ORDER BY id");
    db.all(sql, []).await?.iter().map(account).collect()
}

/// Opens what is not open yet.
pub(crate) async fn open(tx: &Tx, wanted: &[OpenAccount]) -> Result<(), DbErr> {
    let columns = vec![
        Column::Id(wanted.iter().map(|w| w.key.id().0).collect()),
        Column::Id(wanted.iter().map(|w| w.key.owner).collect()),
        Column::Text(wanted.iter().map(|w| w.key.currency.code().to_string()).collect()),
        Column::Text(wanted.iter().map(|w| w.key.custodian.clone()).collect()),
        Column::Text(wanted.iter().map(|w| w.key.kind.code().to_string()).collect()),
        Column::Int(wanted.iter().map(|w| i64::from(w.key.kind.may_overdraw())).collect()),
        Column::OptionalInt(wanted.iter().map(|w| w.credit_limit).collect()),
    ];
    let (rows, mut values) = setwise::rows(tx, 2, columns);
    values.insert(0, false.into());
    let sql = format!(
        "INSERT INTO ledger_account (id, owner, currency, custodian, kind, may_overdraw, debit_blocked, credit_blocked,
            closed, credit_limit, debits_posted, credits_posted, debits_pending, credits_pending)
         SELECT c0, c1, c2, c3, c4, c5 = 1, $1, $1, $1, c6, 0, 0, 0, 0 FROM {rows} WHERE true ON CONFLICT DO NOTHING"
    );
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn set_flags(tx: &Tx, id: AccountId, flags: Flags) -> Result<u64, DbErr> {
    let sql = "UPDATE ledger_account SET debit_blocked = $1, credit_blocked = $2, closed = $3 WHERE id = $4";
    let values = [flags.debit_blocked.into(), flags.credit_blocked.into(), flags.closed.into(), id.0.into()];
    Ok(tx.run(sql, values).await?.rows_affected())
}

const PENDING: &str = "id, debit, credit, amount, remaining, currency, state, reference";

fn pending(row: &QueryResult) -> Result<Pending, DbErr> {
    let state: String = row.try_get_by_index(6)?;
    Ok(Pending {
        id: TransferId(row.try_get_by_index(0)?),
        debit: AccountId(row.try_get_by_index(1)?),
        credit: AccountId(row.try_get_by_index(2)?),
        amount: row.try_get_by_index(3)?,
        remaining: row.try_get_by_index(4)?,
        currency: currency_of(&row.try_get_by_index::<String>(5)?)?,
        state: match state.as_str() {
            "OPEN" => PendingState::Open,
            "POSTED" => PendingState::Posted,
            _ => PendingState::Voided,
        },
        reference: row.try_get_by_index(7)?,
    })
}

fn state_code(state: PendingState) -> &'static str {
    match state {
        PendingState::Open => "OPEN",
        PendingState::Posted => "POSTED",
        PendingState::Voided => "VOIDED",
    }
}

pub(crate) async fn pendings(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Pending>, DbErr> {
    let (list, values) = setwise::ids(db, 1, ids);
    db.all(format!("SELECT {PENDING} FROM ledger_pending WHERE id IN {list}"), values)
        .await?
        .iter()
        .map(pending)
        .collect()
}

pub(crate) async fn open_pendings(db: &impl ConnectionTrait) -> Result<Vec<Pending>, DbErr> {
    let sql = format!("SELECT {PENDING} FROM ledger_pending WHERE state = 'OPEN' ORDER BY id");
    db.all(sql, []).await?.iter().map(pending).collect()
}

pub(crate) const ROW: &str = "t.position, t.id, t.kind, t.debit, t.credit, t.amount, t.asked, t.currency, t.code, \
                              t.reference, t.reservation, t.batch, t.business_date, t.value_date, t.recorded_at";

pub(crate) fn row(row: &QueryResult) -> Result<Row, DbErr> {
    let (kind, code): (String, String) = (row.try_get_by_index(2)?, row.try_get_by_index(8)?);
    Ok(Row {
        position: row.try_get_by_index(0)?,
        id: TransferId(row.try_get_by_index(1)?),
        kind: TransferKind::from_code(&kind)
            .ok_or_else(|| DbErr::Type(format!("{kind} is no kind of transfer")))?,
        debit: AccountId(row.try_get_by_index(3)?),
        credit: AccountId(row.try_get_by_index(4)?),
        amount: row.try_get_by_index(5)?,
        asked: row.try_get_by_index(6)?,
        currency: currency_of(&row.try_get_by_index::<String>(7)?)?,
        code: Code::from_code(&code).ok_or_else(|| DbErr::Type(format!("{code} is no code")))?,
        reference: row.try_get_by_index(9)?,
        reservation: row.try_get_by_index::<Option<Uuid>>(10)?.map(TransferId),
        batch: BatchId(row.try_get_by_index(11)?),
        business_date: row.try_get_by_index::<NaiveDate>(12)?,
        value_date: row.try_get_by_index::<NaiveDate>(13)?,
        recorded_at: row.try_get_by_index(14)?,
    })
}

pub(crate) async fn known(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<Row>, DbErr> {
    let (list, values) = setwise::ids(db, 1, ids);
    db.all(format!("SELECT {ROW} FROM ledger_transfer t WHERE t.id IN {list}"), values)
        .await?
        .iter()
        .map(row)
        .collect()
}

/// Rows in order of position, after one.
pub(crate) async fn rows_after(
    db: &impl ConnectionTrait,
    position: i64,
    limit: i64,
) -> Result<Vec<Row>, DbErr> {
    let sql =
        format!("SELECT {ROW} FROM ledger_transfer t WHERE t.position > $1 ORDER BY t.position LIMIT $2");
    db.all(sql, [position.into(), limit.into()]).await?.iter().map(row).collect()
}

/// Links in order: link, first and last position, hash.
pub(crate) async fn links(db: &impl ConnectionTrait) -> Result<Vec<(i64, i64, i64, [u8; 32])>, DbErr> {
    let rows =
        db.all("SELECT link, first_position, last_position, hash FROM ledger_link ORDER BY link", []).await?;
    rows.iter()
        .map(|r| {
            let hash = hash_of(&r.try_get_by_index::<Vec<u8>>(3)?)?;
            Ok((r.try_get_by_index(0)?, r.try_get_by_index(1)?, r.try_get_by_index(2)?, hash))
        })
        .collect()
}

/// Writes what the engine decided: one multi-row insert each of transfers and reservations, one set-wise update each of
/// reservations and accounts, one link.
pub(crate) async fn store(
    tx: &Tx,
    books: &Books,
    link: i64,
    first: i64,
    hash: [u8; 32],
) -> Result<(), DbErr> {
    let rows = &books.rows;
    let Some(sample) = rows.first() else { return Ok(()) };
    let columns = vec![
        Column::Int(rows.iter().map(|r| r.position).collect()),
        Column::Id(rows.iter().map(|r| r.id.0).collect()),
        Column::Text(rows.iter().map(|r| r.kind.code().to_string()).collect()),
        Column::Id(rows.iter().map(|r| r.debit.0).collect()),
        Column::Id(rows.iter().map(|r| r.credit.0).collect()),
        Column::Int(rows.iter().map(|r| r.amount).collect()),
        Column::OptionalInt(rows.iter().map(|r| r.asked).collect()),
        Column::Text(rows.iter().map(|r| r.currency.code().to_string()).collect()),
        Column::Text(rows.iter().map(|r| r.code.code().to_string()).collect()),
        Column::Id(rows.iter().map(|r| r.reference).collect()),
        Column::OptionalId(rows.iter().map(|r| r.reservation.map(|id| id.0)).collect()),
        Column::Id(rows.iter().map(|r| r.batch.0).collect()),
        Column::Text(rows.iter().map(|r| r.value_date.to_string()).collect()),
    ];
    let value_date = if tx.is_postgres() { "c12::date" } else { "c12" };
    let (set, mut values) = setwise::rows(tx, 3, columns);
    values.splice(0..0, [sample.business_date.into(), sample.recorded_at.into()]);
    let sql = format!(
        "INSERT INTO ledger_transfer (position, id, kind, debit, credit, amount, asked, currency, code, reference,
            reservation, batch, business_date, value_date, recorded_at)
         SELECT c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, $1, {value_date}, $2 FROM {set}"
    );
    tx.run(sql, values).await?;

    let touched = |new: bool| -> Vec<&Pending> {
        let of_kind = books.touched_pendings.iter().filter(move |(_, is_new)| **is_new == new);
        of_kind.filter_map(|(id, _)| books.pendings.get(id)).collect()
    };
    let fresh = touched(true);
    if !fresh.is_empty() {
        let columns = vec![
            Column::Id(fresh.iter().map(|p| p.id.0).collect()),
            Column::Id(fresh.iter().map(|p| p.debit.0).collect()),
            Column::Id(fresh.iter().map(|p| p.credit.0).collect()),
            Column::Int(fresh.iter().map(|p| p.amount).collect()),
            Column::Int(fresh.iter().map(|p| p.remaining).collect()),
            Column::Text(fresh.iter().map(|p| p.currency.code().to_string()).collect()),
            Column::Text(fresh.iter().map(|p| state_code(p.state).to_string()).collect()),
            Column::Id(fresh.iter().map(|p| p.reference).collect()),
        ];
        let (set, values) = setwise::rows(tx, 1, columns);
        let sql = format!(
            "INSERT INTO ledger_pending ({PENDING}) SELECT c0, c1, c2, c3, c4, c5, c6, c7 FROM {set}"
        );
        tx.run(sql, values).await?;
    }
    let changed = touched(false);
    if !changed.is_empty() {
        let columns = vec![
            Column::Id(changed.iter().map(|p| p.id.0).collect()),
            Column::Int(changed.iter().map(|p| p.remaining).collect()),
            Column::Text(changed.iter().map(|p| state_code(p.state).to_string()).collect()),
        ];
        let (set, values) = setwise::rows(tx, 1, columns);
        tx.run(
            format!("UPDATE ledger_pending SET remaining = c1, state = c2 FROM {set} WHERE id = c0"),
            values,
        )
        .await?;
    }

    let moved: HashSet<AccountId> = rows.iter().flat_map(|r| [r.debit, r.credit]).collect();
    let mut accounts: Vec<&Account> = moved.iter().filter_map(|id| books.accounts.get(id)).collect();
    accounts.sort_by_key(|a| a.id);
    let columns = vec![
        Column::Id(accounts.iter().map(|a| a.id.0).collect()),
        Column::Int(accounts.iter().map(|a| a.debits_posted).collect()),
        Column::Int(accounts.iter().map(|a| a.credits_posted).collect()),
        Column::Int(accounts.iter().map(|a| a.debits_pending).collect()),
        Column::Int(accounts.iter().map(|a| a.credits_pending).collect()),
    ];
    let (set, values) = setwise::rows(tx, 1, columns);
    let sql = format!(
        "UPDATE ledger_account SET debits_posted = c1, credits_posted = c2, debits_pending = c3, credits_pending = c4
         FROM {set} WHERE id = c0"
    );
    tx.run(sql, values).await?;

    let sql = "INSERT INTO ledger_link (link, first_position, last_position, hash) VALUES ($1, $2, $3, $4)";
    tx.run(sql, [link.into(), first.into(), books.position.into(), hash.to_vec().into()]).await?;
    let sql = "UPDATE ledger_head SET link = $1, position = $2, hash = $3 WHERE one = 1";
    tx.run(sql, [link.into(), books.position.into(), hash.to_vec().into()]).await.map(drop)
}
