//! A platform of one's own: own database, clock by hand, seeded chance, loops stepped.

use crate::database::{Kind, TestDatabase};
use anyhow::anyhow;
use chrono::{DateTime, Duration, Utc};
use counterfoil::modules::{House, Pace, Parts, Reach};
use kernel::call::{Actor, Call, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::RequestId;
use kernel::{ManualClock, SeededEntropy};
use std::sync::Arc;
use uuid::Uuid;

pub struct World {
    pub house: Arc<House>,
    pub clock: Arc<ManualClock>,
    pub entropy: SharedEntropy,
    pub database: TestDatabase,
    parts: Parts,
}

/// Runs a story in a world of its own and ends it in good order.
///
/// # Errors
/// What the story or the world's end complains about.
pub async fn tell<F, W>(kind: Kind, reach: Reach, story: F) -> anyhow::Result<()>
where
    F: FnOnce(World) -> W,
    W: Future<Output = anyhow::Result<()>>,
{
    story(World::start(kind, reach).await?).await
}

impl World {
    pub async fn start(kind: Kind, reach: Reach) -> anyhow::Result<World> {
        let database = TestDatabase::make(kind).await?;
        let clock = Arc::new(ManualClock::at(
            DateTime::from_timestamp(1_767_254_400, 0).expect("1 January 2026, 08:00"),
        ));
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(1));
        let parts = Parts {
            place: database.place.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            reach,
            pace: Pace::Stepped,
        };
        let house = House::start(parts.clone()).await?;
        Ok(World { house, clock, entropy, database, parts })
    }

    /// Ends the process's services and starts them again from the database.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.house.stop().await;
        self.house = House::start(self.parts.clone()).await?;
        Ok(())
    }

    pub fn clock(&self) -> SharedClock {
        self.clock.clone()
    }

    pub fn uuid(&self) -> Uuid {
        use kernel::Clock;
        self.entropy.uuid(self.clock.now())
    }

    /// A call by nobody in particular, as a service makes it.
    pub fn call(&self) -> Call {
        Call {
            actor: Actor::System { work: "story".into() },
            caller: Service::Operator,
            on_behalf_of: None,
            request: RequestId(self.uuid()),
            deadline: self.later(60),
        }
    }

    fn later(&self, seconds: i64) -> DateTime<Utc> {
        use kernel::Clock;
        self.clock.now() + Duration::seconds(seconds)
    }

    /// Steps all background work until it rests.
    pub async fn settle(&self) -> anyhow::Result<()> {
        self.house.settle().await.map_err(|e| anyhow!("{e}"))
    }
}
