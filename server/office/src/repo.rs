//! Office's tables.

use crate::task::Task;
use chrono::{DateTime, Utc};
use entity_office::{approval, task};
use kernel::call::Role;
use kernel::id::{PartyId, PersonId, TaskId};
use office_api::{ApprovalView, OpenTask, TaskKind, TaskStatus, TaskView};
use platform::db::{Sql, Tx};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

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
            status: self.task.status,
            claimed_by: self.task.claimed_by,
            approvals: self.task.approvals.clone(),
            at: self.row.at,
        }
    }
}

async fn stored(db: &impl ConnectionTrait, row: task::Model) -> Result<Stored, DbErr> {
    let odd = |what: &str| DbErr::Type(format!("{what} of task {}", row.id));
    let words = approval::Entity::find()
        .filter(approval::Column::Task.eq(row.id))
        .order_by_asc(approval::Column::At)
        .all(db)
        .await?;
    let approvals = words
        .into_iter()
        .map(|a| {
            Ok(ApprovalView {
                party: PartyId(a.party),
                person: PersonId(a.person),
                role: Role::from_code(&a.role).ok_or_else(|| odd("a role"))?,
                approve: a.approve,
                note: a.note,
                at: a.at,
            })
        })
        .collect::<Result<_, DbErr>>()?;
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
        Some(row) => stored(db, row).await.map(Some),
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
    all: bool,
    after: Option<DateTime<Utc>>,
    limit: u64,
) -> Result<Vec<Stored>, DbErr> {
    let mut find = task::Entity::find().filter(task::Column::Kind.is_in(kinds.iter().map(|k| k.code())));
    if !all {
        find = find.filter(task::Column::Status.is_in(["OPEN", "CLAIMED", "PROPOSED"]));
    }
    if let Some(after) = after {
        find = find.filter(task::Column::At.gt(after));
    }
    let rows = find.order_by_asc(task::Column::At).limit(limit).all(db).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.push(stored(db, row).await?);
    }
    Ok(found)
}
