//! The custodian's own database and how it speaks to it.

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement,
    Value,
};
use std::path::Path;
use std::time::Duration;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS account (
    no TEXT PRIMARY KEY, user_no TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, bank_account TEXT NOT NULL,
    password TEXT NOT NULL, wrong INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS balance (
    account TEXT NOT NULL REFERENCES account (no), currency TEXT NOT NULL,
    available INTEGER NOT NULL DEFAULT 0 CHECK (available >= 0), frozen INTEGER NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    blocked INTEGER NOT NULL DEFAULT 0 CHECK (blocked >= 0), payout INTEGER NOT NULL DEFAULT 0 CHECK (payout >= 0),
    PRIMARY KEY (account, currency)) STRICT;
CREATE TABLE IF NOT EXISTS movement (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL, source_bucket TEXT NOT NULL,
    target TEXT NOT NULL, target_bucket TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0), currency TEXT NOT NULL,
    request_no TEXT NOT NULL, line_no TEXT NOT NULL, freeze_no TEXT NOT NULL, project_no TEXT NOT NULL,
    business_date TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS request (
    request_no TEXT PRIMARY KEY, operation TEXT NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL, status TEXT NOT NULL,
    code TEXT NOT NULL, custodian_no TEXT NOT NULL, token TEXT NOT NULL, expires_at INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS request_token ON request (token);
CREATE TABLE IF NOT EXISTS line (
    request_no TEXT NOT NULL REFERENCES request (request_no), line_no TEXT NOT NULL, freeze_no TEXT NOT NULL,
    source TEXT NOT NULL, target TEXT NOT NULL, amount INTEGER NOT NULL, reversed INTEGER NOT NULL DEFAULT 0,
    principal INTEGER NOT NULL, status TEXT NOT NULL, code TEXT NOT NULL, PRIMARY KEY (request_no, line_no)) STRICT;
CREATE TABLE IF NOT EXISTS consent (
    no TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account (no), scope TEXT NOT NULL, currency TEXT NOT NULL,
    per_order INTEGER NOT NULL, total INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, expires_at INTEGER NOT NULL,
    state TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS project (
    no TEXT PRIMARY KEY, borrower TEXT NOT NULL REFERENCES account (no), currency TEXT NOT NULL, amount INTEGER NOT NULL,
    fee_max INTEGER NOT NULL, fee_taken INTEGER NOT NULL DEFAULT 0, frozen INTEGER NOT NULL DEFAULT 0,
    disbursed INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
    CHECK (frozen + disbursed <= amount), CHECK (fee_taken <= fee_max)) STRICT;
CREATE TABLE IF NOT EXISTS project_name (
    project TEXT PRIMARY KEY REFERENCES project (no), name TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS holding (
    project TEXT NOT NULL REFERENCES project (no), account TEXT NOT NULL REFERENCES account (no),
    principal INTEGER NOT NULL CHECK (principal >= 0), PRIMARY KEY (project, account)) STRICT;
CREATE TABLE IF NOT EXISTS freeze (
    no TEXT PRIMARY KEY, account TEXT NOT NULL REFERENCES account (no), project TEXT NOT NULL REFERENCES project (no),
    purpose TEXT NOT NULL, currency TEXT NOT NULL, amount INTEGER NOT NULL, remaining INTEGER NOT NULL CHECK (remaining >= 0)) STRICT;
CREATE TABLE IF NOT EXISTS nonce (nonce TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT, request_no TEXT NOT NULL, status TEXT NOT NULL, due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS notice_due ON notice (done, due_at);
CREATE TABLE IF NOT EXISTS later (
    id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, request_no TEXT NOT NULL REFERENCES request (request_no),
    confirmed INTEGER NOT NULL, due_at INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS later_due ON later (done, due_at);
CREATE TABLE IF NOT EXISTS signing_key (
    number INTEGER PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, seed TEXT NOT NULL, since INTEGER NOT NULL,
    voucher TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS anchor (at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
";

/// Opens the file with settings under which nothing acknowledged is lost.
#[allow(clippy::disallowed_methods, reason = "the custodian stands alone; its ages are set here")]
pub(crate) async fn open(file: &Path) -> Result<DatabaseConnection, DbErr> {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", file.display()));
    options.max_connections(4).sqlx_logging(false);
    // sqlx's task that ends connections by their age can turn without end (launchbadge/sqlx#3645), and one that makes them
    // ahead finds a new file locked by the first; without ages and a least number there is no such task.
    options.idle_timeout(None).max_lifetime(None);
    options.map_sqlx_sqlite_opts(|o| {
        o.journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
    });
    let db = Database::connect(options).await?;
    for statement in TABLES.split(';').filter(|s| !s.trim().is_empty()) {
        db.execute_unprepared(statement).await?;
    }
    Ok(db)
}

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
}

pub(crate) async fn run(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    Ok(db.execute_raw(statement(sql, values)).await?.rows_affected())
}

pub(crate) async fn one(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<QueryResult>, DbErr> {
    db.query_one_raw(statement(sql, values)).await
}

pub(crate) async fn all(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>, DbErr> {
    db.query_all_raw(statement(sql, values)).await
}
