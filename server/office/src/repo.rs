//! Office's tables.

use crate::task::Task;
use chrono::{DateTime, NaiveDate, Utc};
use entity_office::{act, approval, document, task};
use kernel::call::Role;
use kernel::id::{ApplicationId, DocumentId, PartyId, PersonId, TaskId};
use office_api::{
    ActsOf, ApprovalView, CloseFinding, CloseStatus, CloseStep, CloseStepView, CloseView, OpenTask, QueueOf,
    TaskKind, TaskStatus, TaskView,
};
use platform::db::{Sql, Tx};
use platform::page::{self, Order};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect,
};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

pub(crate) struct Stored {
    pub(crate) row: task::Model,
    pub(crate) task: Task,
}

impl Stored {
    pub(crate) fn view(&self) -> TaskView {
        TaskView {
            id: TaskId(self.row.id),
            kind: self.task.kind,
            subject: self.row.subject,
            about: self.row.about.clone(),
            beneficiary: Some(self.task.beneficiary),
            status: self.task.status,
            claimed_by: self.task.claimed_by,
            approvals: self.task.approvals.clone(),
            at: self.row.at,
        }
    }
}

/// Tasks with what was said on them: two statements, however many tasks.
async fn stored_all(db: &impl ConnectionTrait, rows: Vec<task::Model>) -> Result<Vec<Stored>, DbErr> {
    let mut words: BTreeMap<Uuid, Vec<ApprovalView>> = BTreeMap::new();
    let find = approval::Entity::find().filter(approval::Column::Task.is_in(rows.iter().map(|r| r.id)));
    for a in find.order_by_asc(approval::Column::At).all(db).await? {
        let role =
            Role::from_code(&a.role).ok_or_else(|| DbErr::Type(format!("a role on task {}", a.task)))?;
        words.entry(a.task).or_default().push(ApprovalView {
            party: PartyId(a.party),
            person: PersonId(a.person),
            role,
            approve: a.approve,
            note: a.note,
            at: a.at,
        });
    }
    rows.into_iter().map(|row| stored(row, &mut words)).collect()
}

fn stored(row: task::Model, words: &mut BTreeMap<Uuid, Vec<ApprovalView>>) -> Result<Stored, DbErr> {
    let odd = |what: &str| DbErr::Type(format!("{what} of task {}", row.id));
    let approvals = words.remove(&row.id).unwrap_or_default();
    let task = Task {
        kind: TaskKind::from_code(&row.kind).ok_or_else(|| odd("the kind"))?,
        status: TaskStatus::from_code(&row.status).ok_or_else(|| odd("the status"))?,
        beneficiary: PersonId(row.beneficiary),
        claimed_by: row.claimed_by.map(PartyId),
        approvals,
    };
    Ok(Stored { row, task })
}

pub(crate) async fn maybe_task(db: &impl ConnectionTrait, id: TaskId) -> Result<Option<Stored>, DbErr> {
    match task::Entity::find_by_id(id.0).one(db).await? {
        Some(row) => Ok(stored_all(db, vec![row]).await?.pop()),
        None => Ok(None),
    }
}

pub(crate) async fn lock_task(tx: &Tx, id: TaskId) -> Result<Option<Stored>, DbErr> {
    tx.one(format!("SELECT id FROM office_task WHERE id = $1{}", tx.for_update()), [id.0.into()]).await?;
    maybe_task(tx, id).await
}

/// False when it was open already.
pub(crate) async fn insert_task(tx: &Tx, open: &OpenTask, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let sql =
        "INSERT INTO office_task (id, kind, subject, about, beneficiary, status, claimed_by, at, decided_at)
               VALUES ($1, $2, $3, $4, $5, 'OPEN', NULL, $6, NULL) ON CONFLICT DO NOTHING";
    let values = [
        open.id.0.into(),
        open.kind.code().into(),
        open.subject.into(),
        open.about.clone().into(),
        open.beneficiary.0.into(),
        now.into(),
    ];
    Ok(tx.run(sql, values).await?.rows_affected() == 1)
}

pub(crate) async fn claim(
    tx: &Tx,
    id: TaskId,
    party: Option<PartyId>,
    status: TaskStatus,
) -> Result<(), DbErr> {
    let sql = "UPDATE office_task SET claimed_by = $1, status = $2 WHERE id = $3";
    tx.run(sql, [party.map(|p| p.0).into(), status.code().into(), id.0.into()]).await.map(drop)
}

pub(crate) async fn insert_approval(tx: &Tx, task: &Stored, word: &ApprovalView) -> Result<(), DbErr> {
    let sql = "INSERT INTO office_approval (task, beneficiary, person, party, role, approve, note, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = [
        task.row.id.into(),
        task.row.beneficiary.into(),
        word.person.0.into(),
        word.party.0.into(),
        word.role.code().into(),
        word.approve.into(),
        word.note.clone().into(),
        word.at.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn set_status(
    tx: &Tx,
    id: TaskId,
    status: TaskStatus,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let decided_at = status.is_decided().then_some(now);
    let sql = "UPDATE office_task SET status = $1, decided_at = $2 WHERE id = $3";
    tx.run(sql, [status.code().into(), decided_at.into(), id.0.into()]).await.map(drop)
}

pub(crate) async fn queue(
    db: &impl ConnectionTrait,
    kinds: &[TaskKind],
    ask: &QueueOf,
) -> Result<Vec<Stored>, DbErr> {
    let mut find = task::Entity::find().filter(task::Column::Kind.is_in(kinds.iter().map(|k| k.code())));
    if !ask.ids.is_empty() {
        find = find.filter(task::Column::Id.is_in(ask.ids.iter().map(|id| id.0)));
    }
    if !ask.all {
        find = find.filter(task::Column::Status.is_in(["OPEN", "CLAIMED", "PROPOSED"]));
    }
    let rows =
        page::rows(db, find, (task::Column::At, task::Column::Id), Order::Ascending, &ask.page).await?;
    stored_all(db, rows).await
}

/// The close of a date, or the newest there is.
pub(crate) async fn maybe_close(
    db: &impl ConnectionTrait,
    date: Option<NaiveDate>,
) -> Result<Option<CloseView>, DbErr> {
    let (filter, value): (&str, Vec<sea_orm::Value>) = match date {
        Some(date) => ("WHERE date = $1", vec![date.into()]),
        None => ("ORDER BY date DESC LIMIT 1", Vec::new()),
    };
    let sql = format!("SELECT date, next, status, note, begun_by, at FROM office_close {filter}");
    let Some(row) = db.one(sql, value).await? else { return Ok(None) };
    let date: NaiveDate = row.try_get_by_index(0)?;
    let status: String = row.try_get_by_index(2)?;
    let status = CloseStatus::from_code(&status).ok_or(DbErr::Type(status))?;
    let sql = "SELECT step, note, at FROM office_close_step WHERE date = $1";
    let mut steps = Vec::new();
    for row in db.all(sql, [date.into()]).await? {
        let step: String = row.try_get_by_index(0)?;
        steps.push(CloseStepView {
            step: CloseStep::from_code(&step).ok_or(DbErr::Type(step))?,
            finding: finding(row.try_get_by_index(1)?),
            at: row.try_get_by_index(2)?,
        });
    }
    steps.sort_by_key(|s| s.step);
    Ok(Some(CloseView {
        date,
        next: row.try_get_by_index(1)?,
        status,
        finding: match finding(row.try_get_by_index(3)?) {
            // Halted before findings had a form: the reason is still one.
            None if status == CloseStatus::Halted => {
                Some(CloseFinding::BooksBroken { what: row.try_get_by_index(3)? })
            }
            found => found,
        },
        steps,
        begun_by: row.try_get_by_index::<Option<Uuid>>(4)?.map(PartyId),
        at: row.try_get_by_index(5)?,
    }))
}

/// A finding as it is kept; nothing found is an empty text.
fn kept(finding: Option<&CloseFinding>) -> Result<String, DbErr> {
    let text = finding.map(serde_json::to_string).transpose().map_err(|e| DbErr::Json(e.to_string()))?;
    Ok(text.unwrap_or_default())
}

/// What was kept before findings had a form is not shown.
fn finding(text: String) -> Option<CloseFinding> {
    serde_json::from_str(&text).ok()
}

pub(crate) async fn insert_close(tx: &Tx, close: &CloseView) -> Result<(), DbErr> {
    let sql = "INSERT INTO office_close (date, next, status, note, begun_by, at, done_at)
               VALUES ($1, $2, $3, '', $4, $5, NULL)";
    let values = [
        close.date.into(),
        close.next.into(),
        close.status.code().into(),
        close.begun_by.map(|p| p.0).into(),
        close.at.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn set_close(
    tx: &Tx,
    date: NaiveDate,
    status: CloseStatus,
    finding: Option<&CloseFinding>,
    done_at: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let sql = "UPDATE office_close SET status = $1, note = $2, done_at = $3 WHERE date = $4";
    tx.run(sql, [status.code().into(), kept(finding)?.into(), done_at.into(), date.into()]).await.map(drop)
}

/// Writes a step down; one that is written down stays.
pub(crate) async fn insert_close_step(
    tx: &Tx,
    date: NaiveDate,
    step: CloseStep,
    finding: Option<&CloseFinding>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let sql =
        "INSERT INTO office_close_step (date, step, note, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.run(sql, [date.into(), step.code().into(), kept(finding)?.into(), now.into()]).await.map(drop)
}

/// The last entry's number and hash, its row locked: entries are written one after the other.
pub(crate) async fn lock_act_head(tx: &Tx) -> Result<(i64, Vec<u8>), DbErr> {
    let sql = "INSERT INTO office_act_head (id, number, hash) VALUES (1, 0, $1) ON CONFLICT DO NOTHING";
    tx.run(sql, [vec![0u8; 32].into()]).await?;
    tx.one(format!("SELECT id FROM office_act_head{}", tx.for_update()), []).await?;
    act_head(tx).await
}

pub(crate) async fn act_head(db: &impl ConnectionTrait) -> Result<(i64, Vec<u8>), DbErr> {
    let row = db.one("SELECT number, hash FROM office_act_head", []).await?;
    let Some(row) = row else { return Ok((0, vec![0; 32])) };
    Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))
}

pub(crate) async fn insert_act(tx: &Tx, row: &act::Model) -> Result<(), DbErr> {
    act::Entity::insert(row.clone().into_active_model()).exec_without_returning(tx).await?;
    let sql = "UPDATE office_act_head SET number = $1, hash = $2";
    tx.run(sql, [row.number.into(), row.hash.clone().into()]).await.map(drop)
}

pub(crate) async fn maybe_act(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<act::Model>, DbErr> {
    act::Entity::find().filter(act::Column::Id.eq(id)).one(db).await
}

/// What came of some acts, by the act.
pub(crate) async fn outcomes(
    db: &impl ConnectionTrait,
    acts: &[Uuid],
) -> Result<HashMap<Uuid, String>, DbErr> {
    let rows = act::Entity::find().filter(act::Column::Of.is_in(acts.iter().copied())).all(db).await?;
    Ok(rows.into_iter().filter_map(|r| Some((r.of?, r.what))).collect())
}

/// Acts without their outcomes, newest first.
pub(crate) async fn acts(
    db: &impl ConnectionTrait,
    ask: &ActsOf,
    limit: u64,
) -> Result<Vec<act::Model>, DbErr> {
    let mut find = act::Entity::find().filter(act::Column::Of.is_null());
    if let Some(party) = ask.party {
        find = find.filter(act::Column::Party.eq(party.0));
    }
    if let Some(text) = ask.text.as_deref().filter(|t| !t.trim().is_empty()) {
        let either = Condition::any()
            .add(page::contains(act::Column::What, text))
            .add(page::contains(act::Column::Details, text));
        find = find.filter(either);
    }
    if let Some(after) = ask.after {
        find = find.filter(act::Column::Number.lt(after));
    }
    find.order_by_desc(act::Column::Number).limit(limit).all(db).await
}

/// Entries of the log after one number, up to another, in their order.
pub(crate) async fn act_run(
    db: &impl ConnectionTrait,
    after: i64,
    up_to: i64,
) -> Result<Vec<act::Model>, DbErr> {
    act::Entity::find()
        .filter(act::Column::Number.gt(after))
        .filter(act::Column::Number.lte(up_to))
        .order_by_asc(act::Column::Number)
        .all(db)
        .await
}

pub(crate) async fn insert_document(tx: &Tx, row: &document::Model, content: &[u8]) -> Result<(), DbErr> {
    let sql = "INSERT INTO office_document (id, application, party, name, kind, size, hash, content, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = [
        row.id.into(),
        row.application.into(),
        row.party.into(),
        row.name.clone().into(),
        row.kind.clone().into(),
        row.size.into(),
        row.hash.clone().into(),
        content.to_vec().into(),
        row.at.into(),
    ];
    tx.run(sql, values).await.map(drop)
}

pub(crate) async fn maybe_document(
    db: &impl ConnectionTrait,
    id: DocumentId,
) -> Result<Option<document::Model>, DbErr> {
    document::Entity::find_by_id(id.0).one(db).await
}

pub(crate) async fn documents(
    db: &impl ConnectionTrait,
    application: ApplicationId,
) -> Result<Vec<document::Model>, DbErr> {
    document::Entity::find()
        .filter(document::Column::Application.eq(application.0))
        .order_by_asc(document::Column::At)
        .order_by_asc(document::Column::Id)
        .all(db)
        .await
}

pub(crate) async fn content(db: &impl ConnectionTrait, id: DocumentId) -> Result<Option<Vec<u8>>, DbErr> {
    let row = db.one("SELECT content FROM office_document WHERE id = $1", [id.0.into()]).await?;
    row.map(|r| r.try_get_by_index(0)).transpose()
}

pub(crate) async fn delete_document(tx: &Tx, id: DocumentId) -> Result<(), DbErr> {
    tx.run("DELETE FROM office_document WHERE id = $1", [id.0.into()]).await.map(drop)
}
