//! `Db::read` and `Db::write`: the only doors to a database.
//!
//! A write takes a closure that may run again, awaits nothing but its transaction and has no effect outside it.
//!
//! - **PostgreSQL**: READ COMMITTED, one transaction a write; serialisation failures and deadlocks are tried again
//!   until the caller's deadline, and so, a few times, is a write that found nothing and then lost the insert to another:
//!   its closure looks again and finds what the other wrote.
//! - **SQLite**: all writes of the process pass one writer task with a pool of one connection. What waits together
//!   commits together (a savepoint each, none when alone); an error or a panic rolls back its own savepoint; a lost
//!   transaction or a failed commit reopens the pool, answers nobody and runs each closure again alone. Answers and
//!   wake-ups go out after the commit.
//!
//! **Invariant:** [`Tx`] remembers its first fault and refuses everything after it. Without that an aborted
//! PostgreSQL transaction would "commit" with nothing in it, and after SQLite has rolled back by itself later
//! statements would commit one by one.
//!
//! **Invariant:** a write inside a write, and a call to another service inside a write, are refused by a task-local
//! guard.

use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection,
    DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel, QueryResult, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait, Value,
};
use std::collections::HashMap;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// How many writes may share one commit; more only adds latency.
const GROUP_MAX: usize = 64;
/// How many writes may wait before the answer is "busy".
const QUEUE_MAX: usize = 4_096;
/// How long a closure may hold the writer.
const CLOSURE_LIMIT: Duration = Duration::from_secs(20);
/// How long a write may be tried again after deadlocks.
const RETRY_LIMIT: Duration = Duration::from_secs(10);
/// How often a write whose key another was quicker to insert may look again; a clash that stays is a fault of ours.
const CLASH_RETRIES: u32 = 3;
/// How long connections may take to end.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

tokio::task_local! {
    static IN_WRITE: ();
}

/// Whether the running task is between begin and commit.
pub fn in_write() -> bool {
    IN_WRITE.try_with(|()| ()).is_ok()
}

/// What a write may end with.
#[derive(Debug)]
pub enum WriteError<E> {
    /// The closure decided so; nothing was written.
    Refused(E),
    /// The database failed; nothing was written, or (for [`DbErr::Conn`]) it is unknown.
    Db(DbErr),
    /// Too much is waiting.
    Busy,
    /// The closure held the transaction for too long.
    TooSlow,
    /// The closure panicked; its own work was rolled back.
    Panicked,
    /// A write was begun inside a write.
    Nested,
}

impl<E> From<DbErr> for WriteError<E> {
    fn from(e: DbErr) -> Self {
        WriteError::Db(e)
    }
}

impl<E> WriteError<E> {
    /// Gives another name to a refusal and leaves the rest.
    pub fn map<F>(self, f: impl FnOnce(E) -> F) -> WriteError<F> {
        match self {
            WriteError::Refused(e) => WriteError::Refused(f(e)),
            WriteError::Db(e) => WriteError::Db(e),
            WriteError::Busy => WriteError::Busy,
            WriteError::TooSlow => WriteError::TooSlow,
            WriteError::Panicked => WriteError::Panicked,
            WriteError::Nested => WriteError::Nested,
        }
    }

    fn transient(&self) -> bool {
        matches!(self, WriteError::Db(e) if transient(e))
    }

    /// Another write inserted the same key between this one's look and its own insert.
    fn clashed(&self) -> bool {
        matches!(self, WriteError::Db(e) if sql_state(e).is_some_and(|s| s == "23505"))
    }
}

/// Serialisation failure or deadlock.
fn transient(e: &DbErr) -> bool {
    let text = e.to_string();
    ["40001", "40P01", "deadlock detected", "could not serialize", "database is locked"]
        .iter()
        .any(|mark| text.contains(mark))
        || sql_state(e).is_some_and(|s| s == "40001" || s == "40P01")
}

fn sql_state(e: &DbErr) -> Option<String> {
    let (DbErr::Conn(r) | DbErr::Exec(r) | DbErr::Query(r)) = e else { return None };
    match r {
        sea_orm::RuntimeErr::SqlxError(e) => e.as_database_error()?.code().map(|c| c.into_owned()),
        _ => None,
    }
}

/// Statements of our own SQL on any connection. Placeholders are `$1`, `$2` … on both databases.
pub trait Sql: ConnectionTrait {
    fn run(
        &self,
        sql: impl Into<String> + Send,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<ExecResult, DbErr>> + Send {
        async move {
            let statement = Statement::from_sql_and_values(self.get_database_backend(), sql.into(), values);
            self.execute_raw(statement).await
        }
    }

    fn all(
        &self,
        sql: impl Into<String> + Send,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Vec<QueryResult>, DbErr>> + Send {
        async move {
            let statement = Statement::from_sql_and_values(self.get_database_backend(), sql.into(), values);
            self.query_all_raw(statement).await
        }
    }

    fn one(
        &self,
        sql: impl Into<String> + Send,
        values: impl IntoIterator<Item = Value> + Send,
    ) -> impl Future<Output = Result<Option<QueryResult>, DbErr>> + Send {
        async move {
            let statement = Statement::from_sql_and_values(self.get_database_backend(), sql.into(), values);
            self.query_one_raw(statement).await
        }
    }

    fn is_postgres(&self) -> bool {
        self.get_database_backend() == DatabaseBackend::Postgres
    }

    /// `FOR UPDATE` where rows can be locked; on SQLite the one writer holds them all.
    fn for_update(&self) -> &'static str {
        if self.is_postgres() { " FOR UPDATE" } else { "" }
    }
}

impl<C: ConnectionTrait + ?Sized> Sql for C {}

/// One listener's ear at a channel: everybody who listens hears of every commit, and nobody takes it from another.
#[derive(Clone)]
pub struct Wake(pub watch::Receiver<()>);

impl Wake {
    /// Waits for a commit that was not heard of yet.
    pub async fn woken(&mut self) {
        if self.0.changed().await.is_err() {
            // The database is gone; whoever waits is stopped otherwise.
            std::future::pending::<()>().await;
        }
    }

    /// Whether there was one since it was last asked.
    pub fn is_due(&mut self) -> bool {
        let due = self.0.has_changed().unwrap_or(false);
        self.0.mark_unchanged();
        due
    }
}

/// A transaction that can be used and neither begun nor ended.
pub struct Tx {
    t: DatabaseTransaction,
    fault: Mutex<Option<DbErr>>,
    wakes: Mutex<Vec<String>>,
}

impl Tx {
    fn new(t: DatabaseTransaction) -> Tx {
        Tx { t, fault: Mutex::default(), wakes: Mutex::default() }
    }

    /// Wakes whoever waits for `channel`, after the commit.
    pub fn wake(&self, channel: impl Into<String>) {
        lock(&self.wakes).push(channel.into());
    }

    fn refuse(&self) -> Result<(), DbErr> {
        match &*lock(&self.fault) {
            Some(first) => Err(DbErr::Custom(format!("the transaction failed before: {first}"))),
            None => Ok(()),
        }
    }

    fn remember<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(e) = &outcome {
            let mut fault = lock(&self.fault);
            if fault.is_none() {
                *fault = Some(DbErr::Custom(e.to_string()));
            }
        }
        outcome
    }

    fn faulted(&self) -> bool {
        lock(&self.fault).is_some()
    }
}

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.t.get_database_backend()
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.refuse()?;
        self.remember(self.t.execute_raw(stmt).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.refuse()?;
        self.remember(self.t.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.refuse()?;
        self.remember(self.t.query_one_raw(stmt).await)
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.refuse()?;
        self.remember(self.t.query_all_raw(stmt).await)
    }
}

/// A view of one moment; see [`Db::snapshot`].
pub struct Snapshot(DatabaseTransaction);

impl std::ops::Deref for Snapshot {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file of this machine.
    Sqlite(PathBuf),
    /// A PostgreSQL URL.
    Postgres(String),
}

/// One database with its writer and those who wait for its commits.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    read: DatabaseConnection,
    writer: Writer,
    wakes: Mutex<HashMap<String, watch::Sender<()>>>,
}

enum Writer {
    Sqlite(mpsc::Sender<Job>),
    Postgres(DatabaseConnection),
}

type Work = Box<dyn for<'a> Fn(&'a Tx) -> BoxFuture<'a, Ran> + Send + Sync>;

/// What became of a closure inside the writer; its value or its error waits in the closure's own slot.
#[derive(PartialEq)]
enum Ran {
    Done,
    Refused,
}

struct Job {
    work: Work,
    answer: oneshot::Sender<Settled>,
}

/// What the writer tells the caller after the commit or the rollback.
enum Settled {
    Committed,
    RolledBack,
    Failed(DbErr),
    TooSlow,
    Panicked,
}

impl Db {
    /// Opens the database and checks that its settings are what durability needs.
    ///
    /// # Errors
    /// When it cannot be opened, or SQLite did not take a setting.
    pub async fn open(place: &Place) -> Result<Db, DbErr> {
        let wakes = Mutex::default();
        let inner = match place {
            Place::Sqlite(file) => {
                let writer = sqlite(file, 1).await?;
                verify_sqlite(&writer).await?;
                let read = sqlite(file, 8).await?;
                let (sender, receiver) = mpsc::channel(QUEUE_MAX);
                let db = Arc::new(Inner { read, writer: Writer::Sqlite(sender), wakes });
                tokio::spawn(write_sqlite(file.clone(), writer, receiver, Arc::downgrade(&db)));
                db
            }
            Place::Postgres(url) => {
                let pool = postgres(url, 24).await?;
                Arc::new(Inner { read: pool.clone(), writer: Writer::Postgres(pool), wakes })
            }
        };
        Ok(Db { inner })
    }

    /// A connection for reading; each statement sees what was committed before it.
    pub fn read(&self) -> &DatabaseConnection {
        &self.inner.read
    }

    /// A view of one moment, however long the reading takes; writers go on meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    #[allow(clippy::disallowed_methods, reason = "read only; nothing is committed")]
    pub async fn snapshot(&self) -> Result<Snapshot, DbErr> {
        let options = TransactionOptions {
            isolation_level: self.is_postgres().then_some(IsolationLevel::RepeatableRead),
            access_mode: self.is_postgres().then_some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        };
        self.inner.read.begin_with_options(options).await.map(Snapshot)
    }

    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.writer, Writer::Postgres(_))
    }

    /// Hears of each commit from now on that woke `channel`.
    pub fn channel(&self, channel: &str) -> Wake {
        Wake(lock(&self.inner.wakes).entry(channel.into()).or_default().subscribe())
    }

    /// Runs `f` in a transaction of its own and commits it.
    ///
    /// `f` may run more than once; only one run takes effect.
    ///
    /// # Errors
    /// See [`WriteError`]. After any of them nothing `f` wrote is there.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> BoxFuture<'a, Result<T, WriteError<E>>> + Send + Sync + 'static,
    {
        if in_write() {
            debug_assert!(false, "a write inside a write would wait for itself");
            return Err(WriteError::Nested);
        }
        match &self.inner.writer {
            Writer::Sqlite(queue) => self.write_grouped(queue, f).await,
            Writer::Postgres(pool) => self.write_alone(pool, f).await,
        }
    }

    async fn write_grouped<T, E, F>(&self, queue: &mpsc::Sender<Job>, f: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: for<'a> Fn(&'a Tx) -> BoxFuture<'a, Result<T, WriteError<E>>> + Send + Sync + 'static,
    {
        let slot: Arc<Mutex<Option<Result<T, WriteError<E>>>>> = Arc::default();
        let (answer, settled) = oneshot::channel();
        let f = Arc::new(f);
        let work: Work = {
            let slot = slot.clone();
            Box::new(move |tx| {
                let (slot, f) = (slot.clone(), f.clone());
                async move {
                    let outcome = f(tx).await;
                    let ran = if outcome.is_ok() { Ran::Done } else { Ran::Refused };
                    *lock(&slot) = Some(outcome);
                    ran
                }
                .boxed()
            })
        };
        queue.try_send(Job { work, answer }).map_err(|_| WriteError::Busy)?;
        match settled.await {
            Ok(Settled::Committed | Settled::RolledBack) => {
                lock(&slot).take().unwrap_or(Err(WriteError::Panicked))
            }
            Ok(Settled::Failed(e)) => Err(WriteError::Db(e)),
            Ok(Settled::TooSlow) => Err(WriteError::TooSlow),
            Ok(Settled::Panicked) => Err(WriteError::Panicked),
            Err(_) => Err(WriteError::Db(DbErr::Custom("the writer stopped before it answered".into()))),
        }
    }

    async fn write_alone<T, E, F>(&self, pool: &DatabaseConnection, f: F) -> Result<T, WriteError<E>>
    where
        F: for<'a> Fn(&'a Tx) -> BoxFuture<'a, Result<T, WriteError<E>>> + Send + Sync,
    {
        let give_up = Instant::now() + RETRY_LIMIT;
        let mut pause = Duration::from_millis(2);
        let mut clashes = 0;
        loop {
            let options = TransactionOptions {
                isolation_level: Some(IsolationLevel::ReadCommitted),
                ..TransactionOptions::default()
            };
            let tx = Tx::new(pool.begin_with_options(options).await?);
            let run = IN_WRITE.scope((), AssertUnwindSafe(f(&tx)).catch_unwind());
            let outcome = match tokio::time::timeout(CLOSURE_LIMIT, run).await {
                Err(_) => Err(WriteError::TooSlow),
                Ok(Err(_)) => Err(WriteError::Panicked),
                Ok(Ok(outcome)) => outcome,
            };
            // A closure that swallowed a fault must not be believed.
            let outcome = match outcome {
                Ok(_) if tx.faulted() => {
                    Err(WriteError::Db(DbErr::Custom("a statement failed and was ignored".into())))
                }
                other => other,
            };
            let outcome = match outcome {
                Ok(value) => {
                    let wakes = std::mem::take(&mut *lock(&tx.wakes));
                    match tx.t.commit().await {
                        Ok(()) => {
                            self.inner.wake(wakes);
                            return Ok(value);
                        }
                        Err(e) => Err(WriteError::Db(e)),
                    }
                }
                Err(e) => {
                    tx.t.rollback().await.ok();
                    Err(e)
                }
            };
            match outcome {
                Err(e) if e.transient() && Instant::now() + pause < give_up => {
                    metrics::counter!("db_retries_total").increment(1);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(200));
                }
                Err(e) if e.clashed() && clashes < CLASH_RETRIES => {
                    metrics::counter!("db_retries_total").increment(1);
                    clashes += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// Waits for what is queued and closes; for a shutdown that loses nothing acknowledged.
    pub async fn close(&self) {
        if let Writer::Sqlite(queue) = &self.inner.writer {
            // All permits are free again when the writer has taken everything that waited.
            let _ = tokio::time::timeout(CLOSE_LIMIT, queue.reserve_many(QUEUE_MAX)).await;
            let _: Result<(), WriteError<()>> = self.write(|_| async { Ok(()) }.boxed()).await;
        }
        tokio::time::timeout(CLOSE_LIMIT, self.inner.read.clone().close()).await.ok();
    }
}

impl Inner {
    fn wake(&self, channels: Vec<String>) {
        let wakes = lock(&self.wakes);
        for channel in channels {
            if let Some(all) = wakes.get(&channel) {
                all.send_replace(());
            }
        }
    }
}

/// Connections beside a [`Db`], for migrations and tools; with the same settings, so that the file is the same to all.
///
/// # Errors
/// When the database cannot be reached.
pub async fn connect(place: &Place, connections: u32) -> Result<DatabaseConnection, DbErr> {
    match place {
        Place::Sqlite(file) => sqlite(file, connections).await,
        Place::Postgres(url) => postgres(url, connections).await,
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that makes them")]
async fn pool(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    Database::connect(options).await
}

/// What every pool of connections is made with.
///
/// No connection ends by its age, and none is made ahead. sqlx's task that looks for old connections reads a counter that a
/// release at the same moment lets run below zero, and then turns without end on a thread of the runtime, so that the
/// process cannot end (sqlx 0.9.0, <https://github.com/launchbadge/sqlx/issues/3645>, which names one process in ten
/// thousand). A connection that died is noticed when it is next taken. One that is made ahead is made beside the first, and
/// two that open a new SQLite file at once find it locked.
fn options(url: impl Into<String>, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.into());
    options.max_connections(connections).acquire_timeout(Duration::from_secs(10)).sqlx_logging(false);
    options.idle_timeout(None).max_lifetime(None);
    options
}

async fn postgres(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url, connections);
    // A generic plan cached while a table was nearly empty scans it sequentially until statistics come
    // (7,361 against 30,950 postings a second); every statement of ours has an index to use.
    options.map_sqlx_postgres_opts(|o| o.options([("enable_seqscan", "off"), ("jit", "off")]));
    pool(options).await
}

async fn sqlite(file: &Path, connections: u32) -> Result<DatabaseConnection, DbErr> {
    use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let mut options = options(format!("sqlite://{}?mode=rwc", file.display()), connections);
    options.map_sqlx_sqlite_opts(|o| {
        o.journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
    });
    pool(options).await
}

/// Reads SQLite's settings back: a setting that was not taken is a fault at start, not a loss at a power cut.
async fn verify_sqlite(db: &DatabaseConnection) -> Result<(), DbErr> {
    for (pragma, wanted) in [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")] {
        let row = db.one(format!("PRAGMA {pragma}"), []).await?;
        let row = row.ok_or_else(|| DbErr::Custom(format!("SQLite does not answer PRAGMA {pragma}")))?;
        let found = row
            .try_get_by_index::<String>(0)
            .or_else(|_| row.try_get_by_index::<i64>(0).map(|n| n.to_string()))?;
        if found != wanted {
            return Err(DbErr::Custom(format!("SQLite has {pragma} = {found} where {wanted} is needed")));
        }
    }
    Ok(())
}

#[derive(Debug)]
enum GroupFault {
    /// The transaction is gone or the commit failed: who waits must run again, alone.
    Lost(DbErr),
}

async fn write_sqlite(
    file: PathBuf,
    mut pool: DatabaseConnection,
    mut queue: mpsc::Receiver<Job>,
    db: std::sync::Weak<Inner>,
) {
    let mut jobs = Vec::with_capacity(GROUP_MAX);
    while queue.recv_many(&mut jobs, GROUP_MAX).await > 0 {
        let waiting: Vec<Job> = std::mem::take(&mut jobs);
        metrics::histogram!("db_group_size").record(u32::try_from(waiting.len()).unwrap_or(u32::MAX));
        match write_group(&pool, &waiting).await {
            Ok((settled, wakes)) => finish(&db, waiting, settled, wakes),
            Err(GroupFault::Lost(e)) => {
                tracing::warn!(error = %e, waiting = waiting.len(), "a group lost its transaction; each runs again alone");
                for job in waiting {
                    reopen(&file, &mut pool).await;
                    match write_group(&pool, std::slice::from_ref(&job)).await {
                        Ok((settled, wakes)) => finish(&db, vec![job], settled, wakes),
                        Err(GroupFault::Lost(e)) => {
                            job.answer.send(Settled::Failed(e)).ok();
                        }
                    }
                }
                reopen(&file, &mut pool).await;
            }
        }
    }
    pool.close().await.ok();
}

fn finish(db: &std::sync::Weak<Inner>, jobs: Vec<Job>, settled: Vec<Settled>, wakes: Vec<String>) {
    for (job, settled) in jobs.into_iter().zip(settled) {
        job.answer.send(settled).ok();
    }
    if let Some(db) = db.upgrade() {
        db.wake(wakes);
    }
}

async fn reopen(file: &Path, pool: &mut DatabaseConnection) {
    loop {
        // A connection that does not come back must not keep the next one waiting.
        tokio::time::timeout(CLOSE_LIMIT, pool.clone().close()).await.ok();
        match sqlite(file, 1).await {
            Ok(fresh) => {
                *pool = fresh;
                return;
            }
            Err(e) => {
                tracing::error!(error = %e, "the writer cannot reopen its database; trying again");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

async fn write_group(
    pool: &DatabaseConnection,
    jobs: &[Job],
) -> Result<(Vec<Settled>, Vec<String>), GroupFault> {
    let lost = GroupFault::Lost;
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let tx = Tx::new(pool.begin_with_options(options).await.map_err(lost)?);
    let alone = jobs.len() == 1;
    let mut settled = Vec::with_capacity(jobs.len());
    let mut wakes = Vec::new();
    for job in jobs {
        if !alone {
            tx.t.execute_unprepared("SAVEPOINT one").await.map_err(lost)?;
        }
        let run = IN_WRITE.scope((), AssertUnwindSafe(async { (job.work)(&tx).await }).catch_unwind());
        let outcome = match tokio::time::timeout(CLOSURE_LIMIT, run).await {
            Err(_) => Err(Settled::TooSlow),
            Ok(Err(_)) => Err(Settled::Panicked),
            Ok(Ok(Ran::Done)) if !tx.faulted() => Ok(()),
            Ok(Ok(Ran::Done)) => {
                Err(Settled::Failed(DbErr::Custom("a statement failed and was ignored".into())))
            }
            Ok(Ok(Ran::Refused)) => Err(Settled::RolledBack),
        };
        let woken = std::mem::take(&mut *lock(&tx.wakes));
        match outcome {
            Ok(()) => {
                wakes.extend(woken);
                settled.push(Settled::Committed);
            }
            Err(why) if alone => {
                tx.t.rollback().await.map_err(lost)?;
                settled.push(why);
                return Ok((settled, Vec::new()));
            }
            Err(why) => {
                // Fails when SQLite has rolled the whole transaction back by itself.
                tx.t.execute_unprepared("ROLLBACK TO one").await.map_err(lost)?;
                settled.push(why);
            }
        }
        if !alone {
            tx.t.execute_unprepared("RELEASE one").await.map_err(lost)?;
        }
        *lock(&tx.fault) = None;
    }
    tx.t.commit().await.map_err(lost)?;
    Ok((settled, wakes))
}
