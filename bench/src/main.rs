//! Bids on one hot listing: the ledger's group commit against one transaction per bid under a row lock, in the same run,
//! on both databases. Ratios count; the machine is noisy.
#![allow(
    clippy::disallowed_methods,
    reason = "a load generator measures wall time and makes its own transactions"
)]

use anyhow::{Context, anyhow, ensure};
use finance::{Currency, Money};
use kernel::call::{Actor, Call, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::{BatchId, RequestId, TransferId};
use kernel::{OsEntropy, SystemClock};
use ledger::LedgerService;
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{AccountKey, AccountKind, Ledger, OpenAccount, OpenAccounts};
use platform::db::{Db, Place};
use platform::outbox::Outbox;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::database::{Kind, TestDatabase};
use uuid::Uuid;

const INVESTORS: usize = 512;
const SECONDS: u64 = 3;
const RUNS: usize = 3;
const FUNDS: i64 = 1_000_000_000;

/// Runs `one` from so many callers at once; answers how many a second, and the slowest of a hundred in milliseconds.
async fn load<F, W>(callers: usize, one: F) -> anyhow::Result<(u64, u128)>
where
    F: Fn(usize) -> W + Send + Sync + 'static,
    W: Future<Output = anyhow::Result<()>> + Send,
{
    let (one, done) = (Arc::new(one), Arc::new(AtomicU64::new(0)));
    let start = Instant::now();
    let tasks = (0..callers).map(|caller| {
        let (one, done) = (one.clone(), done.clone());
        tokio::spawn(async move {
            let mut took = Vec::new();
            while start.elapsed() < Duration::from_secs(SECONDS) {
                let begun = Instant::now();
                one(caller).await?;
                took.push(begun.elapsed().as_millis());
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(took)
        })
    });
    let mut took: Vec<u128> = Vec::new();
    for task in futures::future::join_all(tasks).await {
        took.extend(task??);
    }
    took.sort_unstable();
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or(0);
    let millis = u64::try_from(start.elapsed().as_millis())?.max(1);
    Ok((done.load(Ordering::Relaxed) * 1_000 / millis, p99))
}

struct Bank {
    ledger: LedgerService,
    entropy: SharedEntropy,
    clock: SharedClock,
    payers: Vec<AccountKey>,
    control: AccountKey,
}

impl Bank {
    fn call(&self) -> Call {
        Call {
            actor: Actor::System { work: "bench".into() },
            caller: Service::Custody,
            on_behalf_of: None,
            request: RequestId(self.uuid()),
            deadline: self.clock.now() + chrono::Duration::seconds(60),
        }
    }

    fn uuid(&self) -> Uuid {
        self.entropy.uuid(self.clock.now())
    }

    async fn open(db: Db) -> anyhow::Result<Bank> {
        let (clock, entropy): (SharedClock, SharedEntropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let outbox = Outbox { service: "ledger", clock: clock.clone(), entropy: entropy.clone() };
        let ledger = LedgerService::start(db, outbox, clock.clone());
        let key =
            |owner, kind| AccountKey { owner, currency: Currency::USD, custodian: "bench".into(), kind };
        let owners: Vec<Uuid> = (0..INVESTORS).map(|_| entropy.uuid(clock.now())).collect();
        let control = key(entropy.uuid(clock.now()), AccountKind::Control);
        let payers = owners.iter().map(|o| key(*o, AccountKind::Available)).collect();
        let bank = Bank { ledger, entropy, clock, payers, control };
        let mut accounts = vec![OpenAccount { key: bank.control.clone(), credit_limit: Some(i64::MAX / 4) }];
        for owner in &owners {
            for kind in [AccountKind::Available, AccountKind::Outside] {
                accounts.push(OpenAccount { key: key(*owner, kind), credit_limit: None });
            }
        }
        for part in accounts.chunks(200) {
            let open = OpenAccounts { accounts: part.to_vec() };
            bank.ledger.open_accounts(&bank.call(), open).await.map_err(|e| anyhow!("{e}"))?;
        }
        for part in owners.chunks(200) {
            let operations = part
                .iter()
                .map(|owner| Operation::Transfer {
                    id: TransferId(bank.uuid()),
                    debit: key(*owner, AccountKind::Outside).id(),
                    credit: key(*owner, AccountKind::Available).id(),
                    amount: Money::new(FUNDS, Currency::USD),
                    code: Code::TopUp,
                    reference: bank.uuid(),
                })
                .collect();
            let batch = PostBatch { id: BatchId(bank.uuid()), linked: true, value_date: None, operations };
            let posted = bank.ledger.post_batch(&bank.call(), batch).await.map_err(|e| anyhow!("{e}"))?;
            ensure!(posted.all_posted(), "{:?}", posted.first_refusal());
        }
        Ok(bank)
    }

    async fn bid(&self, caller: usize) -> anyhow::Result<()> {
        let reserve = Operation::Reserve {
            id: TransferId(self.uuid()),
            debit: self.payers[caller % INVESTORS].id(),
            credit: self.control.id(),
            amount: Money::new(25_00, Currency::USD),
            code: Code::Bid,
            reference: self.uuid(),
        };
        let batch =
            PostBatch { id: BatchId(self.uuid()), linked: true, value_date: None, operations: vec![reserve] };
        let posted = self.ledger.post_batch(&self.call(), batch).await.map_err(|e| anyhow!("{e}"))?;
        ensure!(posted.all_posted(), "{:?}", posted.first_refusal());
        Ok(())
    }
}

/// The peer: what most code does. One transaction per bid; the listing's row is locked, then read, then written.
struct Peer(DatabaseConnection);

impl Peer {
    async fn open(place: &Place) -> anyhow::Result<Peer> {
        let (place, connections) = match place {
            Place::Sqlite(file) => (Place::Sqlite(file.with_extension("peer")), 1),
            Place::Postgres(url) => (Place::Postgres(url.clone()), 64),
        };
        let db = platform::db::connect(&place, connections).await?;
        for sql in [
            "CREATE TABLE peer_listing (id BIGINT PRIMARY KEY, funded BIGINT NOT NULL, target BIGINT NOT NULL, CHECK (funded <= target))",
            "CREATE TABLE peer_account (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL, CHECK (balance >= 0))",
            "CREATE TABLE peer_bid (id TEXT PRIMARY KEY, account BIGINT NOT NULL, amount BIGINT NOT NULL)",
        ] {
            db.execute_unprepared(sql).await?;
        }
        db.execute_unprepared(&format!("INSERT INTO peer_listing VALUES (1, 0, {})", i64::MAX / 4)).await?;
        for n in 0..INVESTORS {
            db.execute_unprepared(&format!("INSERT INTO peer_account VALUES ({n}, {FUNDS})")).await?;
        }
        Ok(Peer(db))
    }

    async fn bid(&self, caller: usize, id: Uuid) -> anyhow::Result<()> {
        let backend = self.0.get_database_backend();
        let say = |sql: &str, values: Vec<Value>| Statement::from_sql_and_values(backend, sql, values);
        let account = Value::from(i64::try_from(caller % INVESTORS)?);
        let lock = if backend == sea_orm::DbBackend::Postgres { " FOR UPDATE" } else { "" };
        let tx = self.0.begin().await?;
        let rest = format!("SELECT target - funded FROM peer_listing WHERE id = 1{lock}");
        let row = tx.query_one_raw(say(&rest, vec![])).await?.context("the listing")?;
        ensure!(row.try_get_by_index::<i64>(0)? >= 25_00, "full");
        tx.execute_raw(say(
            "UPDATE peer_account SET balance = balance - 2500 WHERE id = $1",
            vec![account.clone()],
        ))
        .await?;
        tx.execute_raw(say("UPDATE peer_listing SET funded = funded + 2500 WHERE id = 1", vec![])).await?;
        tx.execute_raw(say(
            "INSERT INTO peer_bid VALUES ($1, $2, 2500)",
            vec![id.to_string().into(), account],
        ))
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("bids a second on one listing; {SECONDS} s a run, {RUNS} runs, the middle one is shown");
    println!(
        "{:<11} {:>8} {:>12} {:>8} {:>12} {:>8} {:>7}",
        "database", "callers", "ledger", "p99 ms", "row lock", "p99 ms", "ratio"
    );
    for kind in [Kind::Sqlite, Kind::Postgres] {
        for callers in [32, 128, 512] {
            let mut runs = Vec::new();
            for _ in 0..RUNS {
                let database = TestDatabase::make(kind).await?;
                let db = migrated(&database.place).await?;
                let bank = Arc::new(Bank::open(db.clone()).await?);
                let ours = {
                    let bank = bank.clone();
                    load(callers, move |caller| {
                        let bank = bank.clone();
                        async move { bank.bid(caller).await }
                    })
                    .await?
                };
                let peer = Arc::new(Peer::open(&database.place).await?);
                let theirs = load(callers, move |caller| {
                    let (peer, id) = (peer.clone(), bank.uuid());
                    async move { peer.bid(caller, id).await }
                })
                .await?;
                db.close().await;
                runs.push((ours, theirs));
            }
            runs.sort_by_key(|(ours, theirs)| ours.0 * 100 / theirs.0.max(1));
            let (ours, theirs) = runs[RUNS / 2];
            let ratio = ours.0 * 10 / theirs.0.max(1);
            println!(
                "{:<11} {callers:>8} {:>12} {:>8} {:>12} {:>8} {:>5}.{}",
                format!("{kind:?}"),
                ours.0,
                ours.1,
                theirs.0,
                theirs.1,
                ratio / 10,
                ratio % 10
            );
        }
    }
    Ok(())
}

async fn migrated(place: &Place) -> anyhow::Result<Db> {
    migration::migrate(place).await?;
    let db = Db::open(place).await?;
    let first_day = kernel::Clock::now(&SystemClock).date_naive();
    let begun = db.write(move |tx| {
        Box::pin(async move {
            platform::calendar::begin(tx, first_day).await.map_err(platform::WriteError::<()>::from)
        })
    });
    begun.await.map_err(|e| anyhow!("{e:?}"))?;
    Ok(db)
}
