//! The table of services: what each is made of, whom it asks, how it is reached.
//!
//! **Invariant:** outside this file and `platform` nothing can tell whether services share a process.

use custody::CustodyService;
use custody::port::Port;
use custody_api::{Custody, CustodyClient, CustodyDispatcher};
use futures::FutureExt;
use graphql::Gateway;
use graphql::context::Services;
use identity::IdentityService;
use identity::secret::Keys;
use identity_api::{Identity, IdentityClient, IdentityDispatcher};
use investing::InvestingService;
use investing_api::{Investing, InvestingClient, InvestingDispatcher};
use kernel::call::Service;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use ledger_api::{Ledger, LedgerClient, LedgerDispatcher};
use lending::LendingService;
use lending_api::{Lending, LendingClient, LendingDispatcher};
use notification::NotificationService;
use notification::post::Post;
use notification_api::{Notification, NotificationClient, NotificationDispatcher};
use office::OfficeService;
use office_api::{Office, OfficeClient, OfficeDispatcher};
use platform::db::{Db, Place, Sql, WriteError};
use platform::outbox::{Outbox, Relay};
use platform::reader::Source;
use platform::service::{Loopback, Slot, Stub, Way};
use platform::work::{self, Runner, SharedLoop, StepError};
use platform::{calendar, jobs};
use sea_orm::DbErr;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// How services of one process reach each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Function calls.
    Direct,
    /// Through bytes, with calls that arrive twice and answers that get lost.
    Loopback,
}

/// Whether background loops run by themselves or are stepped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    Background,
    /// In their own order.
    Stepped,
    /// In an order that chance decides each time, as in service.
    Shuffled,
}

/// What a process is started with.
#[derive(Clone)]
pub struct Parts {
    pub place: Place,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub reach: Reach,
    pub pace: Pace,
    /// The custodian.
    pub port: Port,
    /// Staff may close a business day before it is over by the clock: in the demo and in tests.
    pub days_by_hand: bool,
    /// Identity's secrets.
    pub keys: Keys,
    /// Where messages go.
    pub post: Post,
    /// What links in messages begin with, as in `https://lend.example.org`.
    pub origin: String,
}

/// The services of this process, in the order in which they start.
const SERVICES: [Service; 7] = [
    Service::Identity,
    Service::Ledger,
    Service::Custody,
    Service::Office,
    Service::Investing,
    Service::Lending,
    Service::Notification,
];

/// Where a consumer hears another service's events: through its published method, wherever it runs.
macro_rules! source {
    ($client:expr) => {{
        let client = $client;
        let source: Source = Arc::new(move |call, after| {
            let client = client.clone();
            async move { client.events(&call, after).await.ok() }.boxed()
        });
        source
    }};
}

#[derive(Default)]
struct Slots {
    identity: Slot<dyn Identity>,
    ledger: Slot<dyn Ledger>,
    custody: Slot<dyn Custody>,
    office: Slot<dyn Office>,
    investing: Slot<dyn Investing>,
    lending: Slot<dyn Lending>,
    notification: Slot<dyn Notification>,
    /// The same custody, for the custodian's own door.
    notified: Slot<CustodyService>,
}

struct Running {
    loops: Vec<SharedLoop>,
    runner: Option<Runner>,
}

/// One process's services.
pub struct House {
    pub db: Db,
    parts: Parts,
    slots: Slots,
    loopback: Arc<Loopback>,
    running: Mutex<BTreeMap<Service, Running>>,
}

impl House {
    /// Brings the database up to date and starts every service.
    ///
    /// # Errors
    /// When the database cannot be opened or migrated.
    pub async fn start(parts: Parts) -> Result<Arc<House>, DbErr> {
        migration::migrate(&parts.place).await?;
        let db = Db::open(&parts.place).await?;
        let first_day = parts.clock.now().date_naive();
        let serves = parts.pace == Pace::Background;
        db.write(move |tx| {
            async move {
                calendar::begin(tx, first_day).await?;
                // SQLite has one process: whoever held a lease before is gone, and nobody need wait for it to run out.
                if serves && !tx.is_postgres() {
                    for service in SERVICES {
                        jobs::release_all(tx, service).await?;
                    }
                }
                Ok::<(), WriteError<()>>(())
            }
            .boxed()
        })
        .await
        .map_err(|e| DbErr::Custom(format!("the business date: {e:?}")))?;
        let house = Arc::new(House {
            db,
            parts,
            slots: Slots::default(),
            loopback: Arc::new(Loopback::rough()),
            running: Mutex::default(),
        });
        for service in SERVICES {
            house.start_service(service);
        }
        Ok(house)
    }

    /// Identity as `consumer` sees it.
    pub fn identity(&self, consumer: Service) -> IdentityClient {
        IdentityClient::new(self.stub(consumer), self.way(&self.slots.identity))
    }

    /// The ledger as `consumer` sees it.
    pub fn ledger(&self, consumer: Service) -> LedgerClient {
        LedgerClient::new(self.stub(consumer), self.way(&self.slots.ledger))
    }

    /// Custody as `consumer` sees it.
    pub fn custody(&self, consumer: Service) -> CustodyClient {
        CustodyClient::new(self.stub(consumer), self.way(&self.slots.custody))
    }

    /// Office as `consumer` sees it.
    pub fn office(&self, consumer: Service) -> OfficeClient {
        OfficeClient::new(self.stub(consumer), self.way(&self.slots.office))
    }

    /// Investing as `consumer` sees it.
    pub fn investing(&self, consumer: Service) -> InvestingClient {
        InvestingClient::new(self.stub(consumer), self.way(&self.slots.investing))
    }

    /// Lending as `consumer` sees it.
    pub fn lending(&self, consumer: Service) -> LendingClient {
        LendingClient::new(self.stub(consumer), self.way(&self.slots.lending))
    }

    /// Notification as `consumer` sees it.
    pub fn notification(&self, consumer: Service) -> NotificationClient {
        NotificationClient::new(self.stub(consumer), self.way(&self.slots.notification))
    }

    /// The public door to these services, wherever they run.
    pub fn gateway(&self, demo: Option<graphql::Demo>) -> Gateway {
        let gateway = Service::Gateway;
        let db = self.db.clone();
        Gateway::start(graphql::Parts {
            services: Services {
                identity: self.identity(gateway),
                ledger: self.ledger(gateway),
                custody: self.custody(gateway),
                office: self.office(gateway),
                investing: self.investing(gateway),
                lending: self.lending(gateway),
                notification: self.notification(gateway),
            },
            clock: self.parts.clock.clone(),
            entropy: self.parts.entropy.clone(),
            wake: Arc::new(move |service| db.channel(&format!("events:{service}"))),
            origin: self.parts.origin.clone(),
            demo,
        })
    }

    /// Where the custodian's notifications go while custody runs in this process.
    pub fn custody_door(&self) -> Slot<CustodyService> {
        self.slots.notified.clone()
    }

    fn stub(&self, consumer: Service) -> Stub {
        Stub { consumer, clock: self.parts.clock.clone() }
    }

    fn way<T: ?Sized>(&self, slot: &Slot<T>) -> Way<T> {
        match self.parts.reach {
            Reach::Direct => Way::Direct(slot.clone()),
            Reach::Loopback => Way::Bytes(self.loopback.clone()),
        }
    }

    fn outbox(&self, service: Service) -> Outbox {
        Outbox {
            service: service.name(),
            clock: self.parts.clock.clone(),
            entropy: self.parts.entropy.clone(),
        }
    }

    /// Starts one service from what the database says; the others need not notice.
    pub fn start_service(&self, service: Service) {
        let mut loops: Vec<SharedLoop> =
            vec![Arc::new(Relay { outbox: self.outbox(service), db: self.db.clone() })];
        match service {
            Service::Identity => {
                let identity = Arc::new(IdentityService::new(identity::Parts {
                    db: self.db.clone(),
                    outbox: self.outbox(service),
                    clock: self.parts.clock.clone(),
                    entropy: self.parts.entropy.clone(),
                    keys: self.parts.keys.clone(),
                }));
                self.loopback.attach(IdentityClient::SERVICE, Arc::new(IdentityDispatcher(identity.clone())));
                self.slots.identity.fill(identity);
            }
            Service::Ledger => {
                let ledger = Arc::new(ledger::LedgerService::start(
                    self.db.clone(),
                    self.outbox(service),
                    self.parts.clock.clone(),
                ));
                self.loopback.attach(LedgerClient::SERVICE, Arc::new(LedgerDispatcher(ledger.clone())));
                self.slots.ledger.fill(ledger);
            }
            Service::Custody => {
                let custody = Arc::new(CustodyService::new(custody::Parts {
                    db: self.db.clone(),
                    outbox: self.outbox(service),
                    clock: self.parts.clock.clone(),
                    entropy: self.parts.entropy.clone(),
                    ledger: self.ledger(service),
                    port: self.parts.port.clone(),
                }));
                loops.extend(custody.loops());
                self.loopback.attach(CustodyClient::SERVICE, Arc::new(CustodyDispatcher(custody.clone())));
                self.slots.notified.fill(custody.clone());
                self.slots.custody.fill(custody);
            }
            Service::Office => {
                let office = Arc::new(OfficeService::new(office::Parts {
                    db: self.db.clone(),
                    outbox: self.outbox(service),
                    clock: self.parts.clock.clone(),
                    entropy: self.parts.entropy.clone(),
                    identity: self.identity(service),
                    custody: self.custody(service),
                    lending: self.lending(service),
                    investing: self.investing(service),
                    days_by_hand: self.parts.days_by_hand,
                    sources: [source!(self.custody(service)), source!(self.office(service))],
                }));
                loops.extend(office.loops());
                self.loopback.attach(OfficeClient::SERVICE, Arc::new(OfficeDispatcher(office.clone())));
                self.slots.office.fill(office);
            }
            Service::Investing => {
                let investing = Arc::new(InvestingService::new(investing::Parts {
                    db: self.db.clone(),
                    outbox: self.outbox(service),
                    clock: self.parts.clock.clone(),
                    entropy: self.parts.entropy.clone(),
                    ledger: self.ledger(service),
                    custody: self.custody(service),
                    office: self.office(service),
                    lending: self.lending(service),
                    custodian: self.parts.port.custodian.clone(),
                    sources: [
                        source!(self.lending(service)),
                        source!(self.office(service)),
                        source!(self.custody(service)),
                        source!(self.investing(service)),
                    ],
                }));
                loops.extend(investing.loops());
                self.loopback
                    .attach(InvestingClient::SERVICE, Arc::new(InvestingDispatcher(investing.clone())));
                self.slots.investing.fill(investing);
            }
            Service::Lending => {
                let lending = Arc::new(LendingService::new(lending::Parts {
                    db: self.db.clone(),
                    outbox: self.outbox(service),
                    clock: self.parts.clock.clone(),
                    entropy: self.parts.entropy.clone(),
                    ledger: self.ledger(service),
                    custody: self.custody(service),
                    office: self.office(service),
                    custodian: self.parts.port.custodian.clone(),
                    sources: [
                        source!(self.lending(service)),
                        source!(self.office(service)),
                        source!(self.investing(service)),
                        source!(self.custody(service)),
                    ],
                }));
                loops.extend(lending.loops());
                self.loopback.attach(LendingClient::SERVICE, Arc::new(LendingDispatcher(lending.clone())));
                self.slots.lending.fill(lending);
            }
            Service::Notification => {
                let notification = Arc::new(NotificationService::new(notification::Parts {
                    db: self.db.clone(),
                    outbox: self.outbox(service),
                    clock: self.parts.clock.clone(),
                    entropy: self.parts.entropy.clone(),
                    identity: self.identity(service),
                    lending: self.lending(service),
                    investing: self.investing(service),
                    post: self.parts.post.clone(),
                    origin: self.parts.origin.clone(),
                    sources: [
                        source!(self.identity(service)),
                        source!(self.lending(service)),
                        source!(self.investing(service)),
                        source!(self.custody(service)),
                        source!(self.office(service)),
                    ],
                }));
                loops.extend(notification.loops());
                self.loopback.attach(
                    NotificationClient::SERVICE,
                    Arc::new(NotificationDispatcher(notification.clone())),
                );
                self.slots.notification.fill(notification);
            }
            Service::Gateway | Service::Operator => loops.clear(),
        }
        let runner = (self.parts.pace == Pace::Background).then(|| Runner::start(&self.db, loops.clone()));
        self.lock().insert(service, Running { loops, runner });
    }

    /// Stops one service: nobody reaches it any more, and what it has begun is finished.
    pub async fn stop_service(&self, service: Service) {
        match service {
            Service::Identity => {
                self.slots.identity.clear();
                self.loopback.detach(IdentityClient::SERVICE);
            }
            Service::Ledger => {
                self.slots.ledger.clear();
                self.loopback.detach(LedgerClient::SERVICE);
            }
            Service::Custody => {
                self.slots.custody.clear();
                self.slots.notified.clear();
                self.loopback.detach(CustodyClient::SERVICE);
            }
            Service::Office => {
                self.slots.office.clear();
                self.loopback.detach(OfficeClient::SERVICE);
            }
            Service::Investing => {
                self.slots.investing.clear();
                self.loopback.detach(InvestingClient::SERVICE);
            }
            Service::Lending => {
                self.slots.lending.clear();
                self.loopback.detach(LendingClient::SERVICE);
            }
            Service::Notification => {
                self.slots.notification.clear();
                self.loopback.detach(NotificationClient::SERVICE);
            }
            Service::Gateway | Service::Operator => {}
        }
        let running = self.lock().remove(&service);
        if let Some(Running { runner: Some(runner), .. }) = running {
            runner.stop().await;
        }
    }

    /// Steps every loop until nothing is left to do; for tests and simulations.
    ///
    /// # Errors
    /// The first failing step.
    pub async fn settle(&self) -> Result<(), StepError> {
        let mut loops: Vec<SharedLoop> = self.lock().values().flat_map(|r| r.loops.clone()).collect();
        if self.parts.pace == Pace::Shuffled {
            // Fisher and Yates, from the same chance as everything else: a seed has one order.
            for last in (1..loops.len()).rev() {
                let drawn = self.parts.entropy.below(u64::try_from(last + 1).unwrap_or(1));
                loops.swap(last, usize::try_from(drawn).unwrap_or(last));
            }
        }
        work::settle(&self.db, &loops, 10_000).await
    }

    /// Whether the process can serve.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), String> {
        self.db.read().one("SELECT 1", []).await.map_err(|_| "the database does not answer".to_string())?;
        Ok(())
    }

    /// Ends in good order: first the services, last first, then the database.
    pub async fn stop(&self) {
        for service in SERVICES.into_iter().rev() {
            self.stop_service(service).await;
        }
        self.db.close().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Service, Running>> {
        self.running.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
