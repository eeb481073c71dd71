//! The platform below the services: writes, the outbox, stopping and starting.

use anyhow::anyhow;
use futures::FutureExt;
use kernel::call::Service;
use ledger_api::{Ledger, ProofOf};
use platform::Fault;
use platform::db::{Db, Sql, WriteError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tests::database::{Kind, TestDatabase};
use tests::story;

async fn counters(kind: Kind) -> anyhow::Result<(Db, TestDatabase)> {
    let database = TestDatabase::make(kind).await?;
    let db = Db::open(&database.place).await?;
    db.write(|tx| {
        async move {
            platform::tables::define(
                tx,
                "CREATE TABLE t (id :int PRIMARY KEY, n :int NOT NULL CHECK (n < 100)) :strict",
            )
            .await?;
            tx.run("INSERT INTO t (id, n) VALUES (1, 0)", []).await?;
            Ok::<(), WriteError<()>>(())
        }
        .boxed()
    })
    .await
    .map_err(|e| anyhow!("{e:?}"))?;
    Ok((db, database))
}

async fn number(db: &Db) -> anyhow::Result<i64> {
    Ok(db.read().one("SELECT n FROM t WHERE id = 1", []).await?.expect("a row").try_get_by_index(0)?)
}

/// Who waits for the same commits does not take them from one another, and nobody is woken by what was rolled back.
async fn each_listener_hears_of_each_commit(kind: Kind) -> anyhow::Result<()> {
    let (db, _database) = counters(kind).await?;
    let (mut one, mut other) = (db.channel("it"), db.channel("it"));
    let wake = async |fails: bool| {
        let write = db.write(move |tx| {
            async move {
                tx.wake("it");
                if fails { Err(WriteError::Refused(())) } else { Ok(()) }
            }
            .boxed()
        });
        write.await.is_ok()
    };
    assert!(!one.is_due() && !wake(true).await && !one.is_due() && !other.is_due());
    assert!(wake(false).await);
    // The answer may come a moment before the wake-up.
    let soon = std::time::Duration::from_secs(5);
    tokio::time::timeout(soon, async { tokio::join!(one.woken(), other.woken()) }).await?;
    assert!(!one.is_due() && !other.is_due(), "heard of once");
    assert!(wake(false).await);
    tokio::time::timeout(std::time::Duration::from_secs(5), async {
        tokio::join!(one.woken(), other.woken())
    })
    .await?;
    Ok(())
}

/// Many writers at once, every third refusing after it wrote, one panicking, one swallowing a fault.
async fn a_bad_write_harms_nobody_else(kind: Kind) -> anyhow::Result<()> {
    let (db, _database) = counters(kind).await?;
    let writes = (0..30).map(|i| {
        let db = db.clone();
        tokio::spawn(async move {
            db.write(move |tx| {
                async move {
                    tx.run("UPDATE t SET n = n + 1 WHERE id = 1", []).await?;
                    match i {
                        7 => panic!("a closure panics on purpose"),
                        8 => {
                            // Swallowed: the transaction must refuse to commit all the same.
                            tx.run("UPDATE t SET n = 1000 WHERE id = 1", []).await.ok();
                            Ok(())
                        }
                        i if i % 3 == 0 => Err(WriteError::Refused("no")),
                        _ => Ok(()),
                    }
                }
                .boxed()
            })
            .await
        })
    });
    let outcomes: Vec<_> = futures::future::join_all(writes).await.into_iter().collect::<Result<_, _>>()?;
    let done = outcomes.iter().filter(|o| o.is_ok()).count();
    assert_eq!(done, 18, "{outcomes:?}");
    assert!(matches!(outcomes[7], Err(WriteError::Panicked)));
    assert!(matches!(outcomes[8], Err(WriteError::Db(_))), "{:?}", outcomes[8]);
    assert!(matches!(outcomes[9], Err(WriteError::Refused("no"))));
    assert_eq!(number(&db).await?, 18);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_write_harms_nobody_else_on_sqlite() -> anyhow::Result<()> {
    a_bad_write_harms_nobody_else(Kind::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_write_harms_nobody_else_on_postgres() -> anyhow::Result<()> {
    a_bad_write_harms_nobody_else(Kind::Postgres).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_listener_hears_of_each_commit_on_sqlite() -> anyhow::Result<()> {
    each_listener_hears_of_each_commit(Kind::Sqlite).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_listener_hears_of_each_commit_on_postgres() -> anyhow::Result<()> {
    each_listener_hears_of_each_commit(Kind::Postgres).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocks_are_tried_again_on_postgres() -> anyhow::Result<()> {
    let (db, _database) = counters(Kind::Postgres).await?;
    db.read().run("INSERT INTO t (id, n) VALUES (2, 0)", []).await?;
    let runs = Arc::new(AtomicU32::new(0));
    let add = |first: i64, second: i64| {
        let (db, runs) = (db.clone(), runs.clone());
        async move {
            db.write(move |tx| {
                let runs = runs.clone();
                async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    tx.run("UPDATE t SET n = n + 1 WHERE id = $1", [first.into()]).await?;
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    tx.run("UPDATE t SET n = n + 1 WHERE id = $1", [second.into()]).await?;
                    Ok::<(), WriteError<()>>(())
                }
                .boxed()
            })
            .await
        }
    };
    let (a, b) = tokio::join!(add(1, 2), add(2, 1));
    assert!(a.is_ok() && b.is_ok());
    assert!(runs.load(Ordering::Relaxed) > 2, "the two did not meet");
    assert_eq!(number(&db).await?, 2);
    Ok(())
}

/// Two who find nothing and insert the same key: the second looks again and finds it. A clash that stays is told soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_loses_an_insert_looks_again_on_postgres() -> anyhow::Result<()> {
    let (db, _database) = counters(Kind::Postgres).await?;
    let runs = Arc::new(AtomicU32::new(0));
    // Neither inserts before both have looked.
    let both = Arc::new(tokio::sync::Barrier::new(2));
    let find_or_insert = || {
        let (db, runs, both) = (db.clone(), runs.clone(), both.clone());
        async move {
            db.write(move |tx| {
                let (runs, both) = (runs.clone(), both.clone());
                async move {
                    runs.fetch_add(1, Ordering::Relaxed);
                    if tx.one("SELECT n FROM t WHERE id = 2", []).await?.is_some() {
                        return Ok("found");
                    }
                    both.wait().await;
                    tx.run("INSERT INTO t (id, n) VALUES (2, 0)", []).await?;
                    Ok::<_, WriteError<()>>("inserted")
                }
                .boxed()
            })
            .await
        }
    };
    let (a, b) = tokio::join!(find_or_insert(), find_or_insert());
    let mut said = [a, b].map(|outcome| outcome.expect("neither fails"));
    said.sort_unstable();
    assert_eq!(said, ["found", "inserted"]);
    assert_eq!(runs.swap(0, Ordering::Relaxed), 3, "the two did not meet");

    let again = runs.clone();
    let stubborn = db.write(move |tx| {
        let again = again.clone();
        async move {
            again.fetch_add(1, Ordering::Relaxed);
            tx.run("INSERT INTO t (id, n) VALUES (2, 0)", []).await?;
            Ok::<(), WriteError<()>>(())
        }
        .boxed()
    });
    assert!(matches!(stubborn.await, Err(WriteError::Db(_))));
    assert_eq!(runs.load(Ordering::Relaxed), 4);
    Ok(())
}

story!(one_service_stops_and_starts_and_nothing_is_lost, |world| {
    let ledger = world.house.ledger(Service::Operator);
    let ask = || ProofOf { anchor: None };
    assert!(ledger.proof(&world.call(), ask()).await.is_ok());
    world.house.stop_service(Service::Ledger).await;
    assert_eq!(ledger.proof(&world.call(), ask()).await, Err(Fault::Unavailable));
    world.house.start_service(Service::Ledger);
    assert!(ledger.proof(&world.call(), ask()).await.is_ok());
    let mut world = world;
    world.restart().await?;
    assert!(world.house.ledger(Service::Operator).proof(&world.call(), ask()).await.is_ok());
    Ok(())
});
