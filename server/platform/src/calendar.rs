//! The business date: a row in the database, read inside the transaction that depends on it.

use crate::db::{Sql, Tx};
use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, DbErr};

/// The platform's date.
///
/// # Errors
/// When the row is missing (the installation was not begun) or the database fails.
pub async fn today(db: &impl ConnectionTrait) -> Result<NaiveDate, DbErr> {
    let row = db.one("SELECT business_date FROM platform_calendar WHERE one = 1", []).await?;
    row.ok_or_else(|| DbErr::Custom("the business date was never set".into()))?.try_get_by_index(0)
}

/// Sets the first business date of an installation; later starts leave it as it is.
///
/// # Errors
/// When the database fails.
pub async fn begin(tx: &Tx, date: NaiveDate) -> Result<(), DbErr> {
    let sql =
        "INSERT INTO platform_calendar (one, business_date) VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
    tx.run(sql, [date.into()]).await.map(drop)
}

/// Moves the date from `from` to `to`. Answers whether it was `from`; of two who try, one does it.
///
/// # Errors
/// When the database fails.
pub async fn advance(tx: &Tx, from: NaiveDate, to: NaiveDate) -> Result<bool, DbErr> {
    let sql = "UPDATE platform_calendar SET business_date = $1 WHERE one = 1 AND business_date = $2";
    Ok(tx.run(sql, [to.into(), from.into()]).await?.rows_affected() == 1)
}
