//! Many rows as one statement's parameters: arrays with `unnest` on PostgreSQL, one JSON text on SQLite.
//!
//! The statement's text does not depend on how many rows there are, so that one prepared plan serves them all.

use sea_orm::{ConnectionTrait, DbBackend, Value};
use uuid::Uuid;

/// One column of a set of rows. All columns of a set have the same length.
pub enum Column {
    Id(Vec<Uuid>),
    OptionalId(Vec<Option<Uuid>>),
    Int(Vec<i64>),
    OptionalInt(Vec<Option<i64>>),
    Text(Vec<String>),
}

impl Column {
    fn len(&self) -> usize {
        match self {
            Column::Id(v) => v.len(),
            Column::OptionalId(v) => v.len(),
            Column::Int(v) => v.len(),
            Column::OptionalInt(v) => v.len(),
            Column::Text(v) => v.len(),
        }
    }

    fn json(&self, place: usize, out: &mut String) {
        use std::fmt::Write;
        match self {
            Column::Id(v) => write!(out, "\"{}\"", v[place].simple()),
            Column::OptionalId(v) => match v[place] {
                Some(id) => write!(out, "\"{}\"", id.simple()),
                None => write!(out, "null"),
            },
            Column::Int(v) => write!(out, "{}", v[place]),
            Column::OptionalInt(v) => match v[place] {
                Some(n) => write!(out, "{n}"),
                None => write!(out, "null"),
            },
            Column::Text(v) => write!(out, "{}", serde_json::Value::from(v[place].as_str())),
        }
        .ok();
    }
}

/// A table expression `(…) AS r` with the columns `c0`, `c1` …, and its parameters from `$first` on.
pub fn rows(db: &impl ConnectionTrait, first: usize, columns: Vec<Column>) -> (String, Vec<Value>) {
    if db.get_database_backend() == DbBackend::Postgres {
        postgres(first, columns)
    } else {
        sqlite(first, &columns)
    }
}

/// How many parameters [`rows`] takes.
pub fn parameters(db: &impl ConnectionTrait, columns: usize) -> usize {
    if db.get_database_backend() == DbBackend::Postgres { columns } else { 1 }
}

/// An expression for use behind `IN`, of ids in `$first`.
pub fn ids(db: &impl ConnectionTrait, first: usize, ids: Vec<Uuid>) -> (String, Vec<Value>) {
    if db.get_database_backend() == DbBackend::Postgres {
        (format!("(SELECT unnest(${first}::uuid[]))"), vec![ids.into()])
    } else {
        let (_, values) = sqlite(first, &[Column::Id(ids)]);
        (format!("(SELECT unhex(value ->> 0) FROM json_each(${first}))"), values)
    }
}

fn postgres(first: usize, columns: Vec<Column>) -> (String, Vec<Value>) {
    let mut selected = Vec::new();
    let mut arrays = Vec::new();
    let mut names = Vec::new();
    let mut values = Vec::new();
    for (place, column) in columns.into_iter().enumerate() {
        let n = first + place;
        names.push(format!("a{place}"));
        // An array parameter holds no nulls, so that absence travels as a value that is none.
        let (ty, expression, value): (_, _, Value) = match column {
            Column::Id(v) => ("uuid", format!("a{place}"), v.into()),
            Column::OptionalId(v) => {
                let v: Vec<Uuid> = v.into_iter().map(Option::unwrap_or_default).collect();
                ("uuid", format!("NULLIF(a{place}, '00000000-0000-0000-0000-000000000000'::uuid)"), v.into())
            }
            Column::Int(v) => ("bigint", format!("a{place}"), v.into()),
            Column::OptionalInt(v) => {
                let v: Vec<i64> = v.into_iter().map(|n| n.unwrap_or(i64::MIN)).collect();
                ("bigint", format!("NULLIF(a{place}, (-9223372036854775808)::bigint)"), v.into())
            }
            Column::Text(v) => ("text", format!("a{place}"), v.into()),
        };
        selected.push(format!("{expression} AS c{place}"));
        arrays.push(format!("${n}::{ty}[]"));
        values.push(value);
    }
    let sql = format!(
        "(SELECT {} FROM unnest({}) AS u({})) AS r",
        selected.join(", "),
        arrays.join(", "),
        names.join(", ")
    );
    (sql, values)
}

fn sqlite(first: usize, columns: &[Column]) -> (String, Vec<Value>) {
    let mut json = String::from("[");
    for place in 0..columns.first().map_or(0, Column::len) {
        json.push_str(if place == 0 { "[" } else { ",[" });
        for (n, column) in columns.iter().enumerate() {
            if n > 0 {
                json.push(',');
            }
            column.json(place, &mut json);
        }
        json.push(']');
    }
    json.push(']');
    let selected: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(n, column)| match column {
            Column::Id(_) | Column::OptionalId(_) => format!("unhex(value ->> {n}) AS c{n}"),
            _ => format!("value ->> {n} AS c{n}"),
        })
        .collect();
    (format!("(SELECT {} FROM json_each(${first})) AS r", selected.join(", ")), vec![json.into()])
}
