//! A seeded simulation of the whole platform in one process: both times of the clock, chance, the custodian and its
//! misbehaviour, the order of people's acts and of background work come from one seed.
//!
//! After every simulated day the books are proved and the lists of the API are compared with them, because queries lie
//! before ledgers do. A failing seed is printed with the command that replays it.

mod day;
mod look;
mod people;

use anyhow::Context;
use people::Sim;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tests::database::Kind;
use tests::world::World;

/// What a run came to.
#[derive(PartialEq, Eq, Debug)]
struct Outcome {
    /// Over every entry of the ledger, in order.
    hash: String,
    entries: i64,
    days: u32,
    /// How often each thing was done, and how often each fault struck.
    done: BTreeMap<String, u64>,
}

/// Lives so many days.
async fn live(kind: Kind, seed: u64, days: u32) -> anyhow::Result<Outcome> {
    let world = World::seeded(kind, seed).await?;
    let mut sim = Sim::begin(world, seed).await.context("the first day")?;
    for day in 0..days {
        sim.day().await.with_context(|| format!("day {day}"))?;
        if number("COUNTERFOIL_SIM_TRACE").is_some() {
            let (hash, entries) = look::hash(&sim.world).await?;
            eprintln!("after day {day}: {entries} entries, {}, {:?}", &hash[..16], sim.done);
        }
    }
    sim.end().await.context("the last day")?;
    let (hash, entries) = look::hash(&sim.world).await?;
    let mut done = sim.done.clone();
    done.extend(sim.world.bank.faults.struck().into_iter().map(|(k, n)| (format!("fault {k}"), n)));
    sim.world.house.stop().await;
    Ok(Outcome { hash, entries, days, done })
}

/// Everything in turn, on one thread: what runs when depends on nothing but the seed.
fn run(kind: Kind, seed: u64, days: u32) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(live(kind, seed, days));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    outcome
        .with_context(|| format!("seed {seed}; again by: cargo xtask simulate --seed {seed} --days {days}"))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn full() -> bool {
    std::env::var("COUNTERFOIL_TEST_LENGTH").is_ok_and(|l| l == "full")
}

/// As many seeds as there is time for: a few for every change, more before a claim, or those that are asked for.
#[test]
fn seeds_keep_the_books() -> anyhow::Result<()> {
    let (count, days) = if full() { (4, 30) } else { (2, 12) };
    let first = number("COUNTERFOIL_SIM_SEED").unwrap_or(1);
    let count = number("COUNTERFOIL_SIM_COUNT").unwrap_or(count);
    let days = number("COUNTERFOIL_SIM_DAYS").unwrap_or(days);
    let days = u32::try_from(days)?;
    let start = Instant::now();
    let (next, told) = (AtomicU64::new(first), Mutex::new((BTreeMap::<String, u64>::new(), Vec::new())));
    // A life is on one thread; several of them are on several.
    let side_by_side = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..side_by_side.min(usize::try_from(count).unwrap_or(1)) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        break;
                    }
                    let lived = run(Kind::Sqlite, seed, days);
                    let mut told = told.lock().unwrap_or_else(|p| p.into_inner());
                    match lived {
                        Ok(outcome) => {
                            eprintln!("seed {seed}: {} entries, {}", outcome.entries, &outcome.hash[..16]);
                            for (what, n) in outcome.done {
                                *told.0.entry(what).or_default() += n;
                            }
                        }
                        Err(e) => {
                            eprintln!("{e:#}");
                            told.1.push(seed);
                        }
                    }
                }
            });
        }
    });
    let (sums, failed) = told.into_inner().unwrap_or_else(|p| p.into_inner());
    let seconds = start.elapsed().as_secs_f32();
    eprintln!("{count} seeds of {days} days in {seconds:.0} s; {sums:#?}");
    anyhow::ensure!(failed.is_empty(), "failing seeds: {failed:?}");
    Ok(())
}

#[test]
fn the_same_seed_makes_the_same_ledger() -> anyhow::Result<()> {
    let (one, other) = (run(Kind::Sqlite, 7, 8)?, run(Kind::Sqlite, 7, 8)?);
    assert_eq!(one, other);
    assert_ne!(one.hash, run(Kind::Sqlite, 8, 8)?.hash);
    Ok(())
}

#[test]
fn a_simulation_on_postgresql_keeps_the_books_too() -> anyhow::Result<()> {
    run(Kind::Postgres, 3, if full() { 20 } else { 6 }).map(drop)
}
