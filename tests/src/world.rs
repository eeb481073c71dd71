//! A platform of one's own: own database, clock by hand, seeded chance, loops stepped.

use crate::database::{Kind, TestDatabase};
use anyhow::anyhow;
use chrono::{DateTime, Duration, Utc};
use counterfoil::in_process;
use counterfoil::modules::{House, Pace, Parts, Reach};
use custodian::notify::Post as BankPost;
use custodian::{Bank, Settings};
use custody::keys::KeyChain;
use custody::port::Port;
use custody_api::{Custody, ProofReport, ProveBooks, Verdict};
use ed25519_dalek::SigningKey;
use identity::secret::Keys;
use kernel::call::{Actor, Call, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::RequestId;
use kernel::{ManualClock, SeededEntropy};
use notification::post::Post;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

pub struct World {
    pub house: Arc<House>,
    pub bank: Arc<Bank>,
    bank_post: BankPost,
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
        World::with(kind, reach, Pace::Stepped, 1).await
    }

    /// With chance from a seed, by which background work takes its turns too.
    pub async fn seeded(kind: Kind, seed: u64) -> anyhow::Result<World> {
        World::with(kind, Reach::Direct, Pace::Shuffled, seed).await
    }

    async fn with(kind: Kind, reach: Reach, pace: Pace, seed: u64) -> anyhow::Result<World> {
        platform::telemetry::log(false, "warn");
        let database = TestDatabase::make(kind).await?;
        let clock = Arc::new(ManualClock::at(
            DateTime::from_timestamp(1_767_254_400, 0).expect("1 January 2026, 08:00"),
        ));
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(seed));
        let (bank, port) = found_bank(&database, clock.clone(), entropy.clone()).await?;
        let parts = Parts {
            place: database.place.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            reach,
            pace,
            days_by_hand: true,
            port,
            keys: Keys {
                signing: SigningKey::from_bytes(&[3; 32]),
                key_id: "identity-1".into(),
                accepted: HashMap::new(),
                pepper: [4; 32],
            },
            post: Post::Kept,
            origin: "http://platform.test".into(),
        };
        let house = House::start(parts.clone()).await?;
        let bank_post = in_process::post(house.custody_door());
        bank.carry_by(bank_post.clone());
        Ok(World { house, bank, bank_post, clock, entropy, database, parts })
    }

    /// Ends the process's services and starts them again from the database.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.house.stop().await;
        // What the process had learnt is gone with it.
        self.parts.port.custodian_keys =
            KeyChain::pinned("custodian-1", SigningKey::from_bytes(&BANK_KEY).verifying_key());
        self.house = House::start(self.parts.clone()).await?;
        self.bank_post = in_process::post(self.house.custody_door());
        self.bank.carry_by(self.bank_post.clone());
        Ok(())
    }

    /// A second process beside this one: services of its own over the same database, and the same custodian. Of SQLite
    /// there is one process.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn twin(&self) -> anyhow::Result<Arc<House>> {
        Ok(House::start(self.parts.clone()).await?)
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

    /// Steps all background work of both sides until it rests.
    pub async fn settle(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            self.house.settle().await.map_err(|e| anyhow!("{e}"))?;
            let paid = self.bank.catch_up().await.map_err(|e| anyhow!("{e:?}"))?;
            if self.bank.notify(&self.bank_post).await? + paid == 0 {
                return Ok(());
            }
        }
        Err(anyhow!("the two sides did not come to rest"))
    }

    /// Lets real instants pass, so that retries become due, and settles.
    pub async fn wait(&self, seconds: i64) -> anyhow::Result<()> {
        self.clock.advance(Duration::seconds(seconds));
        self.settle().await
    }

    /// Answers a page of the custodian as its user would. Gives the page's text.
    pub async fn at_custodian(&self, url: &str, form: &str) -> anyhow::Result<(u16, String)> {
        in_process::answer_page(&self.bank, url, form).await
    }

    /// Proves the books and gives the report.
    pub async fn proof(&self) -> anyhow::Result<ProofReport> {
        let custody = self.house.custody(Service::Operator);
        custody.proof(&self.call(), ProveBooks::default()).await.map_err(|e| anyhow!("{e}"))
    }

    /// The story's end: both books are equal and nothing is between two steps.
    pub async fn assert_matched(&self) -> anyhow::Result<()> {
        let report = self.proof().await?;
        anyhow::ensure!(report.verdict == Verdict::Matched, "{}\n{:#?}", report.last_line(), report.findings);
        Ok(())
    }
}

/// With which the custodian was founded.
const BANK_KEY: [u8; 32] = [2; 32];
const PAGES: &str = "http://bank.test";

/// A custodian of its own, reached without a network.
async fn found_bank(
    database: &TestDatabase,
    clock: SharedClock,
    entropy: SharedEntropy,
) -> anyhow::Result<(Arc<Bank>, Port)> {
    let (platform_key, bank_key) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&BANK_KEY));
    let first_day = clock.now().date_naive();
    let (now, chance) = (clock.clone(), entropy.clone());
    let bank = Bank::open(Settings {
        name: "harbour".into(),
        file: database.folder.0.join("custodian.db"),
        authority: "bank.test".into(),
        pages_url: PAGES.into(),
        platform_url: "http://platform.test".into(),
        notify_url: Some(format!("http://platform.test{}", counterfoil::notices::PATH)),
        key: bank_key.clone(),
        key_id: "custodian-1".into(),
        platform_key: platform_key.verifying_key(),
        platform_key_id: "platform-1".into(),
        now: Arc::new(move || now.now().timestamp()),
        chance: Arc::new(move |bytes| chance.fill(bytes)),
        first_day,
        sandbox: true,
        crash: None,
    })
    .await?;
    let port = Port {
        custodian: "harbour".into(),
        authority: "bank.test".into(),
        wire: in_process::wire(bank.clone()),
        key: platform_key,
        key_id: "platform-1".into(),
        custodian_keys: KeyChain::pinned("custodian-1", bank_key.verifying_key()),
        own_authority: "platform.test".into(),
        clock,
        entropy,
    };
    Ok((bank, port))
}
