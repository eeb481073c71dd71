//! Cuts of a list by a stable cursor: what the list is sorted by and, where two share it, an id.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, IntoColumnRef, LikeExpr, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QuerySelect, Select, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a list is sorted by, of one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Key {
    Instant(DateTime<Utc>),
    Day(NaiveDate),
    Number(i64),
}

impl From<Key> for Value {
    fn from(key: Key) -> Value {
        match key {
            Key::Instant(at) => at.into(),
            Key::Day(day) => day.into(),
            Key::Number(n) => n.into(),
        }
    }
}

/// A place in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mark {
    pub key: Key,
    pub id: Uuid,
}

impl Mark {
    /// A place in a list by time.
    pub fn at(at: DateTime<Utc>, id: Uuid) -> Mark {
        Mark { key: Key::Instant(at), id }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Page {
    pub after: Option<Mark>,
    pub before: Option<Mark>,
    /// 1 to 101; one more than is shown tells whether there is more.
    pub limit: u32,
    /// Counts from the list's end; the rows still come in the list's order.
    pub from_end: bool,
}

impl Page {
    pub fn first(limit: u32) -> Page {
        Page { after: None, before: None, limit, from_end: false }
    }
}

/// The order of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    Ascending,
    Descending,
}

/// Whether a column contains a text, whatever the case; what is typed is taken literally.
pub fn contains(column: impl IntoColumnRef, text: &str) -> SimpleExpr {
    let pattern = LikeExpr::new(containing(text)).escape('!');
    Expr::expr(Func::lower(Expr::col(column))).like(pattern)
}

fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().to_lowercase().chars().take(100) {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}

/// Reads one page; `by` is the column of the list's order and the one that tells two of the same apart.
///
/// # Errors
/// When the database fails.
pub async fn rows<E>(
    db: &impl ConnectionTrait,
    find: Select<E>,
    by: (E::Column, E::Column),
    order: Order,
    page: &Page,
) -> Result<Vec<E::Model>, DbErr>
where
    E: EntityTrait,
    E::Column: ColumnTrait,
    E::Model: FromQueryResult + Send + Sync,
    Select<E>: QuerySelect,
{
    let mut cursor = find.cursor_by(by);
    if order == Order::Descending {
        cursor.desc();
    }
    if let Some(mark) = page.after {
        cursor.after((Value::from(mark.key), mark.id));
    }
    if let Some(mark) = page.before {
        cursor.before((Value::from(mark.key), mark.id));
    }
    let limit = u64::from(page.limit.clamp(1, 101));
    if page.from_end {
        cursor.last(limit);
    } else {
        cursor.first(limit);
    }
    cursor.all(db).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_typed_is_taken_literally() {
        assert_eq!(super::containing(" 50%_! Off "), "%50!%!_!! off%");
    }
}
