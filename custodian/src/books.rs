//! Moving money: from one bucket of one account to one bucket of another, numbered without a gap.

use crate::operation::Refusal;
use crate::store;
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};

/// Where money of an account can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Bucket {
    /// Not in our books: the user's own bank.
    World,
    Available,
    Frozen,
    Blocked,
    Payout,
}

impl Bucket {
    fn code(self) -> &'static str {
        match self {
            Bucket::World => "WORLD",
            Bucket::Available => "AVAILABLE",
            Bucket::Frozen => "FROZEN",
            Bucket::Blocked => "BLOCKED",
            Bucket::Payout => "PAYOUT",
        }
    }

    fn column(self) -> Option<&'static str> {
        match self {
            Bucket::World => None,
            Bucket::Available => Some("available"),
            Bucket::Frozen => Some("frozen"),
            Bucket::Blocked => Some("blocked"),
            Bucket::Payout => Some("payout"),
        }
    }
}

/// Why money moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    TopUp,
    Freeze,
    Unfreeze,
    Disburse,
    Unblock,
    Reverse,
    Repay,
    Fee,
    PayoutAccepted,
    PayoutPaid,
    PayoutFailed,
    PayoutReturned,
}

impl Kind {
    fn code(self) -> &'static str {
        match self {
            Kind::TopUp => "TOP_UP",
            Kind::Freeze => "FREEZE",
            Kind::Unfreeze => "UNFREEZE",
            Kind::Disburse => "DISBURSE",
            Kind::Unblock => "UNBLOCK",
            Kind::Reverse => "REVERSE",
            Kind::Repay => "REPAY",
            Kind::Fee => "FEE",
            Kind::PayoutAccepted => "PAYOUT_ACCEPTED",
            Kind::PayoutPaid => "PAYOUT_PAID",
            Kind::PayoutFailed => "PAYOUT_FAILED",
            Kind::PayoutReturned => "PAYOUT_RETURNED",
        }
    }
}

/// What is to move.
pub(crate) struct Move<'a> {
    pub(crate) kind: Kind,
    pub(crate) source: (&'a str, Bucket),
    pub(crate) target: (&'a str, Bucket),
    pub(crate) amount: i64,
    pub(crate) currency: &'a str,
    pub(crate) request_no: &'a str,
    pub(crate) line_no: &'a str,
    pub(crate) freeze_no: &'a str,
    pub(crate) project_no: &'a str,
}

/// Moves money and writes the movement. The only function that changes a balance.
///
/// # Errors
/// `INSUFFICIENT_FUNDS`; `FORBIDDEN_PURPOSE` for client money towards a platform account that is no fee.
pub(crate) async fn shift(
    db: &impl ConnectionTrait,
    m: Move<'_>,
    business_date: &str,
    now: i64,
) -> Result<(), Refusal> {
    if m.amount <= 0 {
        return Err(Refusal::code("PARAMETER"));
    }
    let kind_of = |no: String| async move {
        let row = store::one(db, "SELECT kind FROM account WHERE no = $1", [no.into()]).await?;
        row.ok_or_else(|| DbErr::Custom("an account vanished".into()))?.try_get_by_index::<String>(0)
    };
    let (source_kind, target_kind) = (kind_of(m.source.0.into()).await?, kind_of(m.target.0.into()).await?);
    if target_kind.starts_with("PLATFORM") && !source_kind.starts_with("PLATFORM") && m.kind != Kind::Fee {
        return Err(Refusal::code("FORBIDDEN_PURPOSE"));
    }
    if let Some(column) = m.source.1.column() {
        let sql = format!(
            "UPDATE balance SET {column} = {column} - $1 WHERE account = $2 AND currency = $3 AND {column} >= $1"
        );
        if store::run(db, &sql, [m.amount.into(), m.source.0.into(), m.currency.into()]).await? == 0 {
            return Err(Refusal::code("INSUFFICIENT_FUNDS"));
        }
    }
    if let Some(column) = m.target.1.column() {
        let sql = format!(
            "INSERT INTO balance (account, currency, {column}) VALUES ($1, $2, $3)
             ON CONFLICT (account, currency) DO UPDATE SET {column} = {column} + $3"
        );
        store::run(db, &sql, [m.target.0.into(), m.currency.into(), m.amount.into()]).await?;
    }
    let sql = "INSERT INTO movement (number, kind, source, source_bucket, target, target_bucket, amount, currency, request_no,
                   line_no, freeze_no, project_no, business_date, at)
               VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM movement), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let values = [
        m.kind.code().into(),
        m.source.0.into(),
        m.source.1.code().into(),
        m.target.0.into(),
        m.target.1.code().into(),
        m.amount.into(),
        m.currency.into(),
        m.request_no.into(),
        m.line_no.into(),
        m.freeze_no.into(),
        m.project_no.into(),
        business_date.into(),
        now.into(),
    ];
    store::run(db, sql, values).await?;
    Ok(())
}

/// A movement as the platform reads it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MovementView {
    pub number: i64,
    pub kind: Kind,
    /// The platform's number of the user.
    pub source: String,
    pub source_bucket: Bucket,
    pub target: String,
    pub target_bucket: Bucket,
    pub amount: i64,
    pub currency: String,
    pub request_no: String,
    pub line_no: String,
    pub freeze_no: String,
    pub project_no: String,
    pub business_date: String,
    /// Unix seconds.
    pub at: i64,
}

pub(crate) async fn movements(
    db: &impl ConnectionTrait,
    after: i64,
    limit: i64,
) -> Result<Vec<MovementView>, DbErr> {
    let sql = "SELECT m.number, m.kind, s.user_no, m.source_bucket, t.user_no, m.target_bucket, m.amount, m.currency, m.request_no,
                   m.line_no, m.freeze_no, m.project_no, m.business_date, m.at
               FROM movement m JOIN account s ON s.no = m.source JOIN account t ON t.no = m.target
               WHERE m.number > $1 ORDER BY m.number LIMIT $2";
    let read = |text: String| serde_json::Value::String(text);
    store::all(db, sql, [after.into(), limit.into()])
        .await?
        .iter()
        .map(|r| {
            let json = |e: serde_json::Error| DbErr::Json(e.to_string());
            Ok(MovementView {
                number: r.try_get_by_index(0)?,
                kind: serde_json::from_value(read(r.try_get_by_index(1)?)).map_err(json)?,
                source: r.try_get_by_index(2)?,
                source_bucket: serde_json::from_value(read(r.try_get_by_index(3)?)).map_err(json)?,
                target: r.try_get_by_index(4)?,
                target_bucket: serde_json::from_value(read(r.try_get_by_index(5)?)).map_err(json)?,
                amount: r.try_get_by_index(6)?,
                currency: r.try_get_by_index(7)?,
                request_no: r.try_get_by_index(8)?,
                line_no: r.try_get_by_index(9)?,
                freeze_no: r.try_get_by_index(10)?,
                project_no: r.try_get_by_index(11)?,
                business_date: r.try_get_by_index(12)?,
                at: r.try_get_by_index(13)?,
            })
        })
        .collect()
}
