//! What a document costs, and how much of it a program may ask for in a minute.
//!
//! A minute begins with a program's first request and has so many points. A request costs a point, and a document that is
//! run what its fields cost; one that is refused for lack of points costs nothing. The count is this process's own: of
//! several gateways each grants as much.

use chrono::{DateTime, Duration, Utc};
use kernel::Actor;
use kernel::id::ClientId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// The cost of one document, at most.
pub const COST_MAX: u64 = 3_000;
/// A program's points in a minute.
pub const POINTS_A_MINUTE: u64 = 10_000;
/// Said to a program whose minute is used up.
pub(crate) const OVER: &str = "the program has asked for as much as it may in a minute";
const SECONDS: i64 = 60;
/// From so many on those whose minute is over are forgotten.
const REMEMBERED: usize = 1_000;

struct Minute {
    ends_at: DateTime<Utc>,
    used: u64,
}

/// The minutes of all programs.
#[derive(Clone, Default)]
pub struct Limits(Arc<Mutex<HashMap<ClientId, Minute>>>);

/// How a program stands in its minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    pub limit: u64,
    pub remaining: u64,
    /// When all points are there again.
    pub reset_at: DateTime<Utc>,
    /// Whether there were enough.
    pub granted: bool,
}

impl Limits {
    /// Takes points of a program's minute, all or none.
    pub fn charge(&self, client: ClientId, points: u64, now: DateTime<Utc>) -> Standing {
        let mut all = held(&self.0);
        if all.len() > REMEMBERED {
            all.retain(|_, m| m.ends_at > now);
        }
        let fresh = || Minute { ends_at: now + Duration::seconds(SECONDS), used: 0 };
        let minute = all.entry(client).or_insert_with(fresh);
        if minute.ends_at <= now {
            *minute = fresh();
        }
        let left = POINTS_A_MINUTE.saturating_sub(minute.used);
        let granted = points <= left;
        if granted {
            minute.used += points;
        }
        let remaining = POINTS_A_MINUTE.saturating_sub(minute.used);
        Standing { limit: POINTS_A_MINUTE, remaining, reset_at: minute.ends_at, granted }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|p| p.into_inner())
}

/// What one request comes to.
#[derive(Clone)]
pub struct Bill(Arc<Inner>);

struct Inner {
    limits: Limits,
    client: Option<ClientId>,
    now: DateTime<Utc>,
    cost: AtomicU64,
    standing: Mutex<Option<Standing>>,
}

impl Bill {
    /// Of a program its request is paid for by a point.
    pub fn open(limits: &Limits, actor: &Actor, now: DateTime<Utc>) -> Bill {
        let client = match actor {
            Actor::Client { client, .. } => Some(*client),
            _ => None,
        };
        let standing = client.map(|c| limits.charge(c, 1, now));
        let limits = limits.clone();
        let inner = Inner { limits, client, now, cost: AtomicU64::new(0), standing: Mutex::new(standing) };
        Bill(Arc::new(inner))
    }

    /// Notes what a document costs. Answers whether it may be run.
    pub fn charge(&self, cost: u64) -> bool {
        self.0.cost.store(cost, Ordering::Relaxed);
        let Some(client) = self.0.client else { return true };
        // The first point is paid.
        let standing = self.0.limits.charge(client, cost.saturating_sub(1), self.0.now);
        *held(&self.0.standing) = Some(standing);
        standing.granted
    }

    /// Of a document that was understood.
    pub fn cost(&self) -> Option<u64> {
        Some(self.0.cost.load(Ordering::Relaxed)).filter(|c| *c > 0)
    }

    /// Of a program.
    pub fn standing(&self) -> Option<Standing> {
        *held(&self.0.standing)
    }

    /// Whether a program has asked for more than its minute has.
    pub fn is_over(&self) -> bool {
        self.standing().is_some_and(|s| !s.granted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_many_points_and_then_the_next_begins() {
        let limits = Limits::default();
        let now = DateTime::from_timestamp(1_767_254_400, 0).unwrap();
        let (one, other) = (ClientId(uuid::Uuid::from_u128(1)), ClientId(uuid::Uuid::from_u128(2)));
        let first = limits.charge(one, POINTS_A_MINUTE - 5, now);
        assert_eq!((first.granted, first.remaining), (true, 5));
        let over = limits.charge(one, 6, now + Duration::seconds(59));
        assert_eq!((over.granted, over.remaining), (false, 5), "what is refused costs nothing");
        assert_eq!(over.reset_at, now + Duration::seconds(60));
        assert!(limits.charge(one, 5, now + Duration::seconds(59)).granted);
        assert!(limits.charge(other, 6, now).granted, "each has its own");
        let next = limits.charge(one, 6, now + Duration::seconds(60));
        assert_eq!((next.granted, next.remaining), (true, POINTS_A_MINUTE - 6));
        assert_eq!(next.reset_at, now + Duration::seconds(120));
    }

    #[test]
    fn only_programs_have_a_limit() {
        let now = DateTime::from_timestamp(1_767_254_400, 0).unwrap();
        let bill = Bill::open(&Limits::default(), &Actor::Anonymous, now);
        assert_eq!(bill.cost(), None);
        assert!(bill.charge(u64::MAX));
        assert_eq!((bill.cost(), bill.standing()), (Some(u64::MAX), None));
    }
}
