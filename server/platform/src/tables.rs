//! Table definitions for both databases from one text, and the tables every service has.
//!
//! In the text `:id` is a UUID, `:int` a 64-bit integer, `:instant` a time stamp, `:date` a civil date, `:bytes` bytes,
//! `:bool` a truth value, `:serial` a growing key, `:strict` the table option that makes SQLite refuse a value of
//! another type (a float where money belongs).

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// Runs statements separated by `;` with the column types of the connection's database.
///
/// # Errors
/// When the database refuses a statement.
pub async fn define(db: &impl ConnectionTrait, text: &str) -> Result<(), DbErr> {
    let types: [(&str, &str); 8] = match db.get_database_backend() {
        DbBackend::Postgres => [
            (":id", "UUID"),
            (":int", "BIGINT"),
            (":instant", "TIMESTAMPTZ"),
            (":date", "DATE"),
            (":bytes", "BYTEA"),
            (":bool", "BOOLEAN"),
            (":serial", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
            (":strict", ""),
        ],
        _ => [
            (":id", "BLOB"),
            (":int", "INTEGER"),
            (":instant", "TEXT"),
            (":date", "TEXT"),
            (":bytes", "BLOB"),
            (":bool", "INTEGER"),
            (":serial", "INTEGER PRIMARY KEY AUTOINCREMENT"),
            (":strict", "STRICT"),
        ],
    };
    // Longer words first: `:int` would eat the head of `:instant`.
    let mut types = types;
    types.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    for statement in text.split(';').map(str::trim).filter(|s| !s.is_empty()) {
        let sql = types.iter().fold(statement.to_string(), |sql, (word, ty)| sql.replace(word, ty));
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// The outbox, cursors, accepted commands and jobs of one service, named `<service>_…`.
///
/// # Errors
/// When the database refuses a statement.
pub async fn define_for_service(db: &impl ConnectionTrait, service: &str) -> Result<(), DbErr> {
    let text = "
        CREATE TABLE @_outbox (id :serial, event_id :id NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
            body TEXT NOT NULL, at :instant NOT NULL) :strict;
        CREATE TABLE @_event (position :int PRIMARY KEY, event_id :id NOT NULL UNIQUE, key TEXT NOT NULL,
            kind TEXT NOT NULL, body TEXT NOT NULL, at :instant NOT NULL) :strict;
        CREATE TABLE @_relay (one :int PRIMARY KEY CHECK (one = 1), position :int NOT NULL, low_water :int NOT NULL,
            mark :int NOT NULL, marked_at :instant NOT NULL) :strict;
        CREATE TABLE @_cursor (reader TEXT PRIMARY KEY, position :int NOT NULL) :strict;
        CREATE TABLE @_parked (reader TEXT NOT NULL, position :int NOT NULL, event_id :id NOT NULL, key TEXT NOT NULL,
            kind TEXT NOT NULL, body TEXT NOT NULL, at :instant NOT NULL, attempts :int NOT NULL,
            next_at :instant NOT NULL, dead :bool NOT NULL, error TEXT NOT NULL,
            PRIMARY KEY (reader, position)) :strict;
        CREATE INDEX @_parked_key ON @_parked (reader, key, position);
        CREATE TABLE @_command (id :id PRIMARY KEY, kind TEXT NOT NULL, hash :bytes NOT NULL, answer TEXT NOT NULL,
            at :instant NOT NULL) :strict;
        CREATE TABLE @_job (id :id PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, due_at :instant NOT NULL,
            attempts :int NOT NULL, fence :int NOT NULL, leased_until :instant, dead :bool NOT NULL,
            error TEXT NOT NULL, at :instant NOT NULL) :strict;
        CREATE INDEX @_job_due ON @_job (dead, due_at);
        INSERT INTO @_relay (one, position, low_water, mark, marked_at)
            VALUES (1, 0, 0, 0, '2000-01-01T00:00:00+00:00')
    ";
    define(db, &text.replace('@', service)).await
}

/// The platform's own row: the business date.
///
/// # Errors
/// When the database refuses a statement.
pub async fn define_calendar(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    define(
        db,
        "CREATE TABLE platform_calendar (one :int PRIMARY KEY CHECK (one = 1), business_date :date NOT NULL) :strict",
    )
    .await
}
