//! Custody's tables.

use crate::keys::KeyLine;
use chrono::{DateTime, Utc};
use custody_api::{InstructionStatus, InstructionView, InstructionsOf, MovementsOf, ProofSummary};
use entity_custody::{cash_account, instruction, movement, statement};
use finance::{Currency, Money};
use kernel::id::{AccountId, BreakId, InstructionId, LineId, PartyId, TransferId, derived};
use platform::db::{Sql, Tx};
use platform::page::{self, Order};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What an instruction's mirror and failure need to know; never sent.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Context {
    /// The ledger's reservation that stands behind it.
    pub(crate) reservation: Option<TransferId>,
    /// To be made before sending, by custody itself.
    pub(crate) reserve: Option<(AccountId, AccountId)>,
    /// The freeze it refers to.
    pub(crate) freeze: Option<InstructionId>,
    /// Lines that finally failed.
    #[serde(default)]
    pub(crate) failed: Vec<LineId>,
    /// The first attempt, on every further one.
    #[serde(default)]
    pub(crate) order: Option<InstructionId>,
    /// How many attempts came before this one.
    #[serde(default)]
    pub(crate) number: u32,
    /// On the first attempt: how many further ones were made.
    #[serde(default)]
    pub(crate) attempts: u32,
    /// On the first attempt: no more are to be made.
    #[serde(default)]
    pub(crate) given_up: bool,
}

pub(crate) struct Instruction {
    pub(crate) row: instruction::Model,
    pub(crate) context: Context,
    pub(crate) status: InstructionStatus,
}

impl Instruction {
    fn of(row: instruction::Model) -> Result<Instruction, DbErr> {
        let context = serde_json::from_str(&row.context).map_err(|e| DbErr::Json(e.to_string()))?;
        let status =
            InstructionStatus::from_code(&row.status).ok_or_else(|| DbErr::Type(row.status.clone()))?;
        Ok(Instruction { row, context, status })
    }

    pub(crate) fn id(&self) -> InstructionId {
        InstructionId(self.row.id)
    }

    /// What was ordered: the first attempt's id.
    pub(crate) fn order(&self) -> InstructionId {
        self.context.order.unwrap_or(self.id())
    }

    pub(crate) fn amount(&self) -> Result<Money, DbErr> {
        money(self.row.amount, &self.row.currency)
    }

    pub(crate) fn view(&self) -> InstructionView {
        let awaiting = self.status == InstructionStatus::AwaitingUser;
        InstructionView {
            id: self.id(),
            order: self.order(),
            attempt: self.context.number,
            operation: self.row.operation.clone(),
            party: self.row.party.map(PartyId),
            project: self.row.project,
            amount: self.amount().ok(),
            status: self.status,
            code: self.row.code.clone(),
            redirect_url: awaiting.then(|| self.row.redirect_url.clone()).filter(|url| !url.is_empty()),
            at: self.row.at,
        }
    }
}

pub(crate) fn money(minor: i64, currency: &str) -> Result<Money, DbErr> {
    let currency: Currency =
        currency.parse().map_err(|_| DbErr::Type(format!("{currency} is no currency")))?;
    Ok(Money::new(minor, currency))
}

pub(crate) async fn maybe_instruction(
    db: &impl ConnectionTrait,
    id: InstructionId,
) -> Result<Option<Instruction>, DbErr> {
    instruction::Entity::find_by_id(id.0).one(db).await?.map(Instruction::of).transpose()
}

/// The newest attempt at what an instruction ordered; itself where there was no other.
pub(crate) async fn newest_attempt(
    db: &impl ConnectionTrait,
    id: InstructionId,
) -> Result<Option<Instruction>, DbErr> {
    let first = maybe_instruction(db, id).await?;
    match first.as_ref().map_or(0, |i| i.context.attempts) {
        0 => Ok(first),
        n => maybe_instruction(db, derived::attempt(id, n)).await,
    }
}

/// Those of some numbers that there are.
pub(crate) async fn instructions_by_id(
    db: &impl ConnectionTrait,
    ids: &BTreeSet<InstructionId>,
) -> Result<BTreeMap<InstructionId, Instruction>, DbErr> {
    let mut found = BTreeMap::new();
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    for part in ids.chunks(500) {
        let rows = instruction::Entity::find().filter(instruction::Column::Id.is_in(part.iter().copied()));
        for row in rows.all(db).await? {
            let instruction = Instruction::of(row)?;
            found.insert(instruction.id(), instruction);
        }
    }
    Ok(found)
}

/// The instruction with its row locked.
pub(crate) async fn lock_instruction(tx: &Tx, id: InstructionId) -> Result<Option<Instruction>, DbErr> {
    tx.one(format!("SELECT id FROM custody_instruction WHERE id = $1{}", tx.for_update()), [id.0.into()])
        .await?;
    maybe_instruction(tx, id).await
}

pub(crate) async fn insert_instruction(tx: &Tx, row: instruction::Model) -> Result<(), DbErr> {
    instruction::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn update_instruction(tx: &Tx, i: &Instruction, now: DateTime<Utc>) -> Result<(), DbErr> {
    let context = serde_json::to_string(&i.context).map_err(|e| DbErr::Json(e.to_string()))?;
    // The name on the way to the custodian is kept no longer than the way takes.
    let personal = i.row.operation == "open_account" && i.status.is_final();
    let body = if personal { "{}".to_string() } else { i.row.body.clone() };
    let change = instruction::ActiveModel {
        id: Set(i.row.id),
        body: Set(body),
        status: Set(i.status.code().into()),
        code: Set(i.row.code.clone()),
        redirect_url: Set(i.row.redirect_url.clone()),
        attempts: Set(i.row.attempts),
        lines_settled: Set(i.row.lines_settled),
        lines_failed: Set(i.row.lines_failed),
        context: Set(context),
        updated_at: Set(now),
        ..Default::default()
    };
    instruction::Entity::update_many()
        .set(change)
        .filter(instruction::Column::Id.eq(i.row.id))
        .exec(tx)
        .await
        .map(drop)
}

pub(crate) async fn instructions_of(
    db: &impl ConnectionTrait,
    ask: &InstructionsOf,
) -> Result<Vec<Instruction>, DbErr> {
    let mut find = instruction::Entity::find();
    if let Some(party) = ask.party {
        find = find.filter(instruction::Column::Party.eq(party.0));
    }
    if ask.open {
        find = find.filter(instruction::Column::Status.is_in(open_codes()));
    }
    if let Some(operation) = &ask.operation {
        find = find.filter(instruction::Column::Operation.eq(operation.as_str()));
    }
    let order = (instruction::Column::At, instruction::Column::Id);
    let rows = page::rows(db, find, order, Order::Descending, &ask.page).await?;
    rows.into_iter().map(Instruction::of).collect()
}

fn open_codes() -> Vec<&'static str> {
    InstructionStatus::ALL.iter().filter(|s| !s.is_final()).map(|s| s.code()).collect()
}

/// Instructions about which the last word is not spoken, oldest first.
pub(crate) async fn unfinished(db: &impl ConnectionTrait) -> Result<Vec<Instruction>, DbErr> {
    let find = instruction::Entity::find().filter(instruction::Column::Status.is_in(open_codes()));
    find.order_by_asc(instruction::Column::At).all(db).await?.into_iter().map(Instruction::of).collect()
}

/// What is mirrored, as far as our own marks say, at one moment; read in a snapshot.
pub(crate) struct Marks {
    /// The newest movement there is.
    pub(crate) position: i64,
    unmirrored: std::collections::BTreeSet<i64>,
}

impl Marks {
    pub(crate) fn is_mirrored(&self, number: i64) -> bool {
        number <= self.position && !self.unmirrored.contains(&number)
    }
}

pub(crate) async fn marks(db: &impl ConnectionTrait, custodian: &str) -> Result<Marks, DbErr> {
    let sql = "SELECT number FROM custody_movement WHERE custodian = $1 AND mirrored = $2";
    let rows = db.all(sql, [custodian.into(), false.into()]).await?;
    let unmirrored = rows.iter().map(|r| r.try_get_by_index(0)).collect::<Result<_, _>>()?;
    Ok(Marks { position: position(db, custodian).await?, unmirrored })
}

pub(crate) async fn position(db: &impl ConnectionTrait, custodian: &str) -> Result<i64, DbErr> {
    let sql = "SELECT COALESCE(MAX(number), 0) FROM custody_movement WHERE custodian = $1";
    db.one(sql, [custodian.into()]).await?.map_or(Ok(0), |r| r.try_get_by_index(0))
}

pub(crate) async fn insert_movements(tx: &Tx, rows: Vec<movement::Model>) -> Result<(), DbErr> {
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    movement::Entity::insert_many(rows).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn unmirrored(
    db: &impl ConnectionTrait,
    custodian: &str,
    limit: u64,
) -> Result<Vec<movement::Model>, DbErr> {
    movement::Entity::find()
        .filter(movement::Column::Mirrored.eq(false))
        .filter(movement::Column::Custodian.eq(custodian))
        .order_by_asc(movement::Column::Number)
        .limit(limit)
        .all(db)
        .await
}

pub(crate) async fn mark_mirrored(tx: &Tx, custodian: &str, number: i64) -> Result<bool, DbErr> {
    let sql =
        "UPDATE custody_movement SET mirrored = $1 WHERE custodian = $2 AND number = $3 AND NOT mirrored";
    Ok(tx.run(sql, [true.into(), custodian.into(), number.into()]).await?.rows_affected() == 1)
}

pub(crate) async fn movements_of_request(
    db: &impl ConnectionTrait,
    request_no: &str,
) -> Result<Vec<movement::Model>, DbErr> {
    movement::Entity::find()
        .filter(movement::Column::RequestNo.eq(request_no))
        .order_by_asc(movement::Column::Number)
        .all(db)
        .await
}

pub(crate) async fn movements_of(
    db: &impl ConnectionTrait,
    ask: &MovementsOf,
) -> Result<Vec<movement::Model>, DbErr> {
    let party = ask.party.to_string();
    let mut find = movement::Entity::find();
    if !ask.ids.is_empty() {
        find = find.filter(movement::Column::Id.is_in(ask.ids.iter().map(|id| id.0)));
    }
    find.filter(movement::Column::Source.eq(party.clone()).or(movement::Column::Target.eq(party)))
        .filter(movement::Column::Number.lt(ask.before.unwrap_or(i64::MAX)))
        .order_by_desc(movement::Column::Number)
        .limit(u64::from(ask.limit.clamp(1, 101)))
        .all(db)
        .await
}

/// What came in less what went out, by currency; what is outside the custodian is nobody's balance.
pub(crate) async fn cash_balances(
    db: &impl ConnectionTrait,
    party: PartyId,
) -> Result<Vec<finance::Money>, DbErr> {
    // PostgreSQL adds integers up to a numeric.
    let sql = "SELECT currency, CAST(SUM(
                   CASE WHEN target = $1 AND target_bucket <> 'WORLD' THEN amount ELSE 0 END
                 - CASE WHEN source = $1 AND source_bucket <> 'WORLD' THEN amount ELSE 0 END) AS BIGINT)
               FROM custody_movement WHERE source = $1 OR target = $1 GROUP BY currency ORDER BY currency";
    let rows = db.all(sql, [party.to_string().into()]).await?;
    rows.iter().map(|r| money(r.try_get_by_index(1)?, &r.try_get_by_index::<String>(0)?)).collect()
}

pub(crate) async fn all_movements(
    db: &impl ConnectionTrait,
    custodian: &str,
    up_to: i64,
) -> Result<Vec<movement::Model>, DbErr> {
    movement::Entity::find()
        .filter(movement::Column::Custodian.eq(custodian))
        .filter(movement::Column::Number.lte(up_to))
        .order_by_asc(movement::Column::Number)
        .all(db)
        .await
}

pub(crate) async fn open_break(
    tx: &Tx,
    id: uuid::Uuid,
    party: Option<PartyId>,
    movement: uuid::Uuid,
    what: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let sql = "INSERT INTO custody_break (id, party, movement, what, open, at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values =
        [id.into(), party.map(|p| p.0).into(), movement.into(), what.into(), true.into(), now.into()];
    Ok(tx.run(sql, values).await?.rows_affected() == 1)
}

/// The party and the currency of a break that is closed herewith, and of which there may be others.
pub(crate) async fn close_break(
    tx: &Tx,
    id: BreakId,
) -> Result<Option<(Option<PartyId>, String, bool)>, DbErr> {
    let sql = "SELECT b.party, m.currency FROM custody_break b JOIN custody_movement m ON m.id = b.movement WHERE b.id = $1";
    let Some(row) = tx.one(sql, [id.0.into()]).await? else { return Ok(None) };
    let party: Option<uuid::Uuid> = row.try_get_by_index(0)?;
    let closed = tx
        .run("UPDATE custody_break SET open = $1 WHERE id = $2 AND open", [false.into(), id.0.into()])
        .await?;
    Ok(Some((party.map(PartyId), row.try_get_by_index(1)?, closed.rows_affected() == 1)))
}

pub(crate) async fn has_open_break(
    db: &impl ConnectionTrait,
    party: PartyId,
    currency: &str,
) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM custody_break b JOIN custody_movement m ON m.id = b.movement
               WHERE b.open AND b.party = $1 AND m.currency = $2 LIMIT 1";
    Ok(db.one(sql, [party.0.into(), currency.into()]).await?.is_some())
}

pub(crate) async fn open_breaks(
    db: &impl ConnectionTrait,
) -> Result<Vec<entity_custody::account_break::Model>, DbErr> {
    use entity_custody::account_break;
    account_break::Entity::find()
        .filter(account_break::Column::Open.eq(true))
        .order_by_asc(account_break::Column::At)
        .all(db)
        .await
}

pub(crate) async fn cash_account(
    db: &impl ConnectionTrait,
    party: PartyId,
) -> Result<Option<cash_account::Model>, DbErr> {
    cash_account::Entity::find().filter(cash_account::Column::Party.eq(party.0)).one(db).await
}

pub(crate) async fn insert_cash_account(tx: &Tx, row: cash_account::Model) -> Result<bool, DbErr> {
    let sql = "INSERT INTO custody_cash_account (party, custodian, opened_by, opened_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let values = [row.party.into(), row.custodian.into(), row.opened_by.into(), row.opened_at.into()];
    Ok(tx.run(sql, values).await?.rows_affected() == 1)
}

pub(crate) async fn keep_statement(tx: &Tx, row: statement::Model) -> Result<(), DbErr> {
    let sql =
        "INSERT INTO custody_statement (custodian, position, text, key_id, signature, anchor, received_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (custodian, position)
               DO UPDATE SET text = $3, key_id = $4, signature = $5, anchor = $6, received_at = $7";
    let values = [
        row.custodian.into(),
        row.position.into(),
        row.text.into(),
        row.key_id.into(),
        row.signature.into(),
        row.anchor.into(),
        row.received_at.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn keep_proof(tx: &Tx, custodian: &str, summary: &ProofSummary) -> Result<(), DbErr> {
    let text = serde_json::to_string(summary).map_err(|e| DbErr::Json(e.to_string()))?;
    let sql = "INSERT INTO custody_proof (custodian, at, summary) VALUES ($1, $2, $3)
               ON CONFLICT (custodian) DO UPDATE SET at = $2, summary = $3";
    tx.run(sql, [custodian.into(), summary.at.into(), text.into()]).await.map(drop)
}

pub(crate) async fn last_proof(
    db: &impl ConnectionTrait,
    custodian: &str,
) -> Result<Option<ProofSummary>, DbErr> {
    let row = db.one("SELECT summary FROM custody_proof WHERE custodian = $1", [custodian.into()]).await?;
    row.map(|r| {
        let text: String = r.try_get_by_index(0)?;
        serde_json::from_str(&text).map_err(|e| DbErr::Json(e.to_string()))
    })
    .transpose()
}

pub(crate) async fn last_statement(
    db: &impl ConnectionTrait,
    custodian: &str,
) -> Result<Option<statement::Model>, DbErr> {
    statement::Entity::find()
        .filter(statement::Column::Custodian.eq(custodian))
        .order_by_desc(statement::Column::Position)
        .one(db)
        .await
}

/// The custodian's later keys, in order, as it published them.
pub(crate) async fn keys(db: &impl ConnectionTrait, custodian: &str) -> Result<Vec<KeyLine>, DbErr> {
    let sql = "SELECT key_id, public, since, voucher FROM custody_key WHERE custodian = $1 ORDER BY number";
    let read = |r: &sea_orm::QueryResult| {
        Ok(KeyLine {
            key_id: r.try_get_by_index(0)?,
            public: r.try_get_by_index(1)?,
            since: r.try_get_by_index(2)?,
            voucher: r.try_get_by_index(3)?,
        })
    };
    db.all(sql, [custodian.into()]).await?.iter().map(read).collect()
}

pub(crate) async fn keep_keys(tx: &Tx, custodian: &str, lines: &[KeyLine]) -> Result<(), DbErr> {
    let sql = "INSERT INTO custody_key (custodian, number, key_id, public, since, voucher)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    for (number, line) in (1i64..).zip(lines) {
        let values = [
            custodian.into(),
            number.into(),
            line.key_id.clone().into(),
            line.public.clone().into(),
            line.since.into(),
            line.voucher.clone().into(),
        ];
        tx.run(sql, values).await?;
    }
    Ok(())
}

/// Remembers a nonce; false when it was there.
pub(crate) async fn fresh_nonce(
    tx: &Tx,
    nonce: &str,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    tx.run("DELETE FROM custody_nonce WHERE expires_at < $1", [now.into()]).await?;
    let sql = "INSERT INTO custody_nonce (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    Ok(tx.run(sql, [nonce.into(), expires_at.into()]).await?.rows_affected() == 1)
}
