//! Background work as loops that can be stepped: by a task each in service, by hand in tests and simulations.

use crate::db::{Db, WriteError};
use futures::FutureExt;
use futures::future::BoxFuture;
use sea_orm::DbErr;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Something was done; there may be more.
    Did,
    /// Nothing waits.
    Idle,
}

/// Why a step failed; it is logged, and the step is tried again later.
#[derive(Debug)]
pub struct StepError(pub String);

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<DbErr> for StepError {
    fn from(e: DbErr) -> Self {
        StepError(e.to_string())
    }
}

impl<E: Debug> From<WriteError<E>> for StepError {
    fn from(e: WriteError<E>) -> Self {
        StepError(format!("{e:?}"))
    }
}

/// A piece of background work.
pub trait Loop: Send + Sync + 'static {
    fn name(&self) -> String;
    /// Whose commits make a step worth while.
    fn channel(&self) -> String;
    /// How long to wait without a wake-up; for what time alone makes due.
    fn pause(&self) -> Duration {
        Duration::from_millis(500)
    }
    /// Does what waits, a bounded part of it.
    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>>;
}

pub type SharedLoop = Arc<dyn Loop>;

/// Runs each loop in a task of its own until told to stop; a step that has begun is finished.
pub struct Runner {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Runner {
    pub fn start(db: &Db, loops: Vec<SharedLoop>) -> Runner {
        let runner = Runner { stop: CancellationToken::new(), tasks: TaskTracker::new() };
        for each in loops {
            let mut wake = db.channel(&each.channel());
            let stop = runner.stop.clone();
            runner.tasks.spawn(async move {
                let mut failures = 0u32;
                while !stop.is_cancelled() {
                    let step = AssertUnwindSafe(each.step()).catch_unwind().await;
                    let pause = match step.unwrap_or_else(|_| Err(StepError("the step panicked".into()))) {
                        Ok(Progress::Did) => {
                            failures = 0;
                            tokio::task::yield_now().await;
                            continue;
                        }
                        Ok(Progress::Idle) => {
                            failures = 0;
                            each.pause()
                        }
                        Err(e) => {
                            failures = (failures + 1).min(6);
                            metrics::counter!("loop_failures_total", "loop" => each.name()).increment(1);
                            tracing::warn!(work = each.name(), error = %e, "a step failed and is tried again");
                            each.pause() * 2u32.pow(failures)
                        }
                    };
                    tokio::select! {
                        () = stop.cancelled() => break,
                        () = wake.woken(), if failures == 0 => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                }
            });
        }
        runner.tasks.close();
        runner
    }

    /// Lets every running step finish.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

/// Steps all loops in order until none has anything to do; for tests and simulations. As in service, a loop that fails
/// does not keep the others from their work; and what neither did anything nor was woken is not stepped again before all
/// the rest is still.
///
/// # Errors
/// The first failing step of the last round, and work that does not come to rest within `rounds_max` rounds.
pub async fn settle(db: &Db, loops: &[SharedLoop], rounds_max: usize) -> Result<(), StepError> {
    let mut all: Vec<_> = loops.iter().map(|each| (each, db.channel(&each.channel()), false)).collect();
    // What time alone has made due, and whatever woke nobody, is found by looking everywhere.
    let mut everywhere = true;
    for _ in 0..rounds_max {
        let (mut progress, mut failed) = (Progress::Idle, Ok(()));
        for (each, wake, busy) in &mut all {
            let woken = wake.is_due();
            if !(everywhere || woken || *busy) {
                continue;
            }
            *busy = false;
            match each.step().await {
                Ok(Progress::Did) => (progress, *busy) = (Progress::Did, true),
                Ok(Progress::Idle) => {}
                Err(e) => failed = failed.and(Err(StepError(format!("{}: {e}", each.name())))),
            }
        }
        if everywhere && progress == Progress::Idle {
            return failed;
        }
        everywhere = progress == Progress::Idle;
    }
    Err(StepError(format!("the work did not come to rest within {rounds_max} rounds")))
}
