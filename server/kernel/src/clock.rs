//! The instant. It serves tokens, leases, signatures, time-outs and ids.
//!
//! The platform's other time, the *business date*, is a row in the database and is read inside the transaction that
//! depends on it (`platform::calendar`); it serves loans. Neither is ever taken from the machine elsewhere.

use chrono::{DateTime, Duration, SubsecRound, TimeZone, Utc};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

pub trait Clock: Send + Sync + 'static {
    /// The present instant, to the microsecond (what both databases keep).
    fn now(&self) -> DateTime<Utc>;
}

pub type SharedClock = Arc<dyn Clock>;

pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place where the machine's time enters")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }
}

/// Stands still until told otherwise; for tests and simulations.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(instant: DateTime<Utc>) -> ManualClock {
        ManualClock(AtomicI64::new(instant.timestamp_micros()))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        Utc.timestamp_micros(self.0.load(Ordering::SeqCst)).single().unwrap_or(DateTime::UNIX_EPOCH)
    }
}
