//! The demo's year: made-up people who register, borrow, invest and repay, day by day, through the published interfaces
//! and the custodian's own pages. Nothing is written into a table from here.
//!
//! The clock and chance are the simulation's, so the history is the same every time; it ends today.

use crate::config::Config;
use crate::embedded;
use crate::in_process;
use crate::modules::{House, Pace, Parts, Reach};
use anyhow::{Context, anyhow, bail, ensure};
use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, Utc};
use custodian::Bank;
use custodian::notify::Post as BankPost;
use custody_api::*;
use finance::{Currency, Money, Rate};
use graphql::id::Gid;
use identity_api::*;
use investing_api::*;
use kernel::call::{Actor, Call, Role, Service};
use kernel::clock::{Clock, SharedClock};
use kernel::entropy::SharedEntropy;
use kernel::id::*;
use kernel::{ManualClock, SeededEntropy, SystemClock};
use ledger_api::{AccountKind, BalancesOf, Ledger};
use lending_api::*;
use notification::post::Post;
use notification_api::{MailboxOf, Notification};
use office_api::{CloseDay, CloseStatus, DayOf, DecideTask, EndAct, Office, RecordAct, Today};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The password of every demo account. The payment password at the sandbox custodian is the same.
pub const PASSWORD: &str = "counterfoil-demo";

/// The accounts that the demo's sign-in page offers.
pub const ACCOUNTS: [(&str, &str, Role); 9] = [
    ("ines@demo.test", "Ines Moreau", Role::Investor),
    ("bruno@demo.test", "Bruno Keller", Role::Borrower),
    ("officer@demo.test", "Olga Lindqvist", Role::CreditOfficer),
    ("supervisor@demo.test", "Samir Haddad", Role::CreditSupervisor),
    ("operations@demo.test", "Omar Castellano", Role::Operations),
    ("operations2@demo.test", "Petra Novak", Role::Operations),
    ("auditor@demo.test", "Ada Whitfield", Role::Auditor),
    ("admin@demo.test", "Noor Bakker", Role::Administrator),
    ("admin2@demo.test", "Emil Sato", Role::Administrator),
];

const FIRST: [&str; 24] = [
    "Ana", "Ben", "Carla", "Daniel", "Elif", "Farid", "Grace", "Hugo", "Irina", "Jonas", "Kofi", "Lena",
    "Mateo", "Nadia", "Oskar", "Priya", "Quinn", "Rosa", "Stefan", "Tara", "Umar", "Vera", "Wen", "Yara",
];
const LAST: [&str; 20] = [
    "Andersen", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hoffmann", "Ivanova", "Jensen",
    "Kovacs", "Larsen", "Meyer", "Nowak", "Okafor", "Pereira", "Rossi", "Schmidt", "Tanaka", "Weber",
];
const PURPOSES: [(&str, &str); 10] = [
    (
        "A heat pump",
        "Our gas boiler is older than our eldest, and the subsidy covers a third of the new one.",
    ),
    (
        "Three card debts into one",
        "Three cards at over twenty per cent. One loan, one date, and an end in sight.",
    ),
    ("A car for the new job", "The hospital is forty minutes away and the night bus was cut in spring."),
    (
        "A new roof",
        "The roofer found rot under two rows of tiles. Better this summer than after the next storm.",
    ),
    ("A wedding in June", "A small one, with the family from both sides of the sea."),
    ("Moving house", "Deposit, van and the first month twice, because the leases overlap."),
    ("Dental work", "Two implants the insurance does not pay for."),
    ("Tools for the workshop", "A lathe and a dust extractor for the joinery I run with my brother."),
    ("A master's degree", "Part time over two years; my employer pays half."),
    ("The kitchen", "The flat came without one, and camping cookers have lost their charm."),
];

const DAYS: u64 = 395;
const INVESTORS: usize = 58;
const BORROWERS: usize = 36;

/// One made-up person.
struct Person {
    party: PartyId,
    name: String,
    actor: Actor,
}

/// One real loan's figures.
struct Figures {
    amount: i64,
    rate: Rate,
    income: i64,
    years: Option<u32>,
}

/// A loan's way so far.
struct Story {
    borrower: usize,
    application: ApplicationId,
    amount: Money,
    rate: Rate,
    /// When something is next done about it.
    next: NaiveDate,
    stage: Stage,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Applied,
    Proposed,
    FirstWord,
    Listed,
    Filled,
    FirstPayout,
    Running,
    Over,
}

/// How far a story is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Repays,
    /// Pays off after some months.
    PaysOff,
    /// Stops paying after some instalments.
    Stops,
    Declined,
    Withdrawn,
    /// Nobody bids.
    Expires,
    Cancelled,
    StaysAt(Stage),
}

struct Demo {
    house: Arc<House>,
    bank: Arc<Bank>,
    post: BankPost,
    clock: Arc<ManualClock>,
    entropy: SharedEntropy,
    /// What people do: not shifted by what the platform draws for itself.
    chance: SharedEntropy,
    staff: Vec<Person>,
    investors: Vec<Person>,
    borrowers: Vec<Person>,
    stories: Vec<Story>,
    figures: Vec<Figures>,
    usd: Currency,
}

/// What the sign-in page of a demo offers.
pub fn offered() -> graphql::Demo {
    let account = |(email, name, role): (&str, &str, Role)| graphql::DemoAccount {
        email: email.into(),
        name: name.into(),
        role: role.into(),
        password: PASSWORD.into(),
    };
    graphql::Demo { accounts: ACCOUNTS.into_iter().map(account).collect() }
}

/// Whether an installation has its demo's year.
pub fn is_seeded(config: &Config) -> bool {
    config.data.join("demo.ready").is_file()
}

/// Makes the demo's year. On SQLite it is made beside and moved into place at the end, so that a half-made one is never
/// served.
///
/// # Errors
/// When a step is refused, which would be a fault of the product.
pub async fn seed(config: &Config, tell: impl Fn(&str)) -> anyhow::Result<()> {
    let beside = config.data.with_extension("being-made");
    let embedded = config.database_url.is_none();
    let data: PathBuf = if embedded {
        std::fs::remove_dir_all(&beside).ok();
        std::fs::create_dir_all(&beside)?;
        beside.clone()
    } else {
        std::fs::create_dir_all(&config.data)?;
        config.data.clone()
    };
    let place = Config { data: data.clone(), ..config.clone() };
    live(&place, &tell).await?;
    std::fs::write(data.join("demo.ready"), "made-up people, no real money\n")?;
    if embedded {
        if config.data.exists() {
            std::fs::remove_dir(&config.data).with_context(|| {
                format!(
                    "{} is not empty and holds no demo; move it away, or start with --reset",
                    config.data.display()
                )
            })?;
        }
        std::fs::rename(&beside, &config.data)?;
    }
    Ok(())
}

fn figures() -> anyhow::Result<Vec<Figures>> {
    let mut rows = csv::Reader::from_reader(include_bytes!("../demo/loans.csv").as_slice());
    let mut found = Vec::new();
    for row in rows.records() {
        let row = row?;
        let field = |n: usize| row.get(n).context("a column");
        let years = match field(4)? {
            "emp_lt_1" => Some(0),
            "emp_ge_10" => Some(10),
            other => other.strip_prefix("emp_").and_then(|n| n.parse().ok()),
        };
        let whole = |text: &str| text.split('.').next().unwrap_or("").parse::<i64>();
        found.push(Figures {
            amount: whole(field(1)?)?,
            rate: Rate::parse_percent(field(2)?).map_err(|e| anyhow!("{e}"))?,
            income: whole(field(3)?)?,
            years,
        });
    }
    Ok(found)
}

async fn live(config: &Config, tell: &impl Fn(&str)) -> anyhow::Result<()> {
    let today = SystemClock.now().date_naive();
    // The last day is not closed: it is today.
    let first = today - Days::new(DAYS - 1);
    let clock = Arc::new(ManualClock::at(at(first)));
    let entropy: SharedEntropy = Arc::new(SeededEntropy::new(2_016));
    let mut demo = Demo::found(config, clock, entropy).await?;
    demo.found_staff().await?;
    tell("staff have joined by invitation, each decided on by two administrators");
    for n in 0..DAYS {
        let date = first + Days::new(n);
        demo.day(date, n).await.with_context(|| format!("on {date}"))?;
        let next = date + Days::new(1);
        if next.day() == 1 || n + 1 == DAYS {
            let running = demo.stories.iter().filter(|s| s.stage == Stage::Running).count();
            tell(&format!(
                "{} % of the year, {}: {} people, {} applications, {running} loans running",
                (n + 1) * 100 / DAYS,
                date.format("%B %Y"),
                demo.staff.len() + demo.investors.len() + demo.borrowers.len(),
                demo.stories.len(),
            ));
        }
    }
    let proof = demo.house.custody(Service::Operator).proof(&demo.call(), ProveBooks::default()).await;
    let proof = proof.map_err(|e| anyhow!("{e}"))?;
    ensure!(proof.verdict != Verdict::Broken, "the books: {}", proof.last_line());
    tell(&format!("the books: {}", proof.last_line()));
    demo.house.stop().await;
    demo.bank.close().await;
    Ok(())
}

/// Nine in the morning; on the last day never later than now, for nothing of the past happened in the future.
fn at(date: NaiveDate) -> DateTime<Utc> {
    let nine = date.and_time(NaiveTime::from_hms_opt(9, 0, 0).unwrap_or_default()).and_utc();
    nine.min(SystemClock.now() - Duration::minutes(30)).max(date.and_time(NaiveTime::MIN).and_utc())
}

impl Demo {
    async fn found(config: &Config, clock: Arc<ManualClock>, entropy: SharedEntropy) -> anyhow::Result<Demo> {
        let data: &Path = &config.data;
        let shared: SharedClock = clock.clone();
        // Keys are not the simulation's: they must not be the same in every installation.
        let chance: SharedEntropy = Arc::new(kernel::OsEntropy);
        let platform_key = embedded::key(&data.join("platform.key"), &chance)?;
        let custodian_key = embedded::key(&data.join("custodian.key"), &chance)?;
        let address: SocketAddr = config.custodian_listen;
        let settings = embedded::settings(
            data,
            address,
            custodian_key.clone(),
            platform_key.verifying_key(),
            &config.origin(),
            format!("http://{}{}", config.listen, crate::notices::PATH),
            shared.clone(),
            entropy.clone(),
        );
        let bank = Bank::open(settings).await?;
        let port = custody::port::Port {
            wire: in_process::wire(bank.clone()),
            ..embedded::port(
                data,
                address,
                custodian_key.verifying_key(),
                config.listen.to_string(),
                shared.clone(),
                entropy.clone(),
            )?
        };
        let parts = Parts {
            place: config.place(),
            clock: shared,
            entropy: entropy.clone(),
            reach: Reach::Direct,
            pace: Pace::Stepped,
            port,
            days_by_hand: true,
            keys: embedded::identity_keys(data, &chance)?,
            post: Post::Kept,
            origin: config.origin(),
        };
        let house = House::start(parts).await?;
        let post = in_process::post(house.custody_door());
        Ok(Demo {
            house,
            bank,
            post,
            clock,
            entropy,
            chance: Arc::new(SeededEntropy::new(7)),
            staff: Vec::new(),
            investors: Vec::new(),
            borrowers: Vec::new(),
            stories: Vec::new(),
            figures: figures()?,
            usd: Currency::USD,
        })
    }

    fn uuid(&self) -> uuid::Uuid {
        self.entropy.uuid(self.clock.now())
    }

    fn below(&self, bound: u64) -> u64 {
        self.chance.below(bound)
    }

    fn call(&self) -> Call {
        Call {
            actor: Actor::System { work: "demo".into() },
            caller: Service::Operator,
            on_behalf_of: None,
            request: RequestId(self.uuid()),
            deadline: self.clock.now() + Duration::seconds(120),
        }
    }

    fn as_person(&self, who: &Person) -> Call {
        Call { actor: who.actor.clone(), ..self.call() }
    }

    /// Lets both sides work until they rest.
    async fn settle(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            self.house.settle().await.map_err(|e| anyhow!("{e}"))?;
            let paid = self.bank.catch_up().await.map_err(|e| anyhow!("{e:?}"))?;
            if self.bank.notify(&self.post).await? + paid == 0 {
                return Ok(());
            }
        }
        bail!("the two sides did not come to rest")
    }

    async fn register(
        &self,
        email: &str,
        name: &str,
        roles: BTreeSet<Role>,
        invitation: Option<Secret>,
    ) -> anyhow::Result<Person> {
        let identity = self.house.identity(Service::Gateway);
        let call = Call { actor: Actor::Anonymous, ..self.call() };
        let party = PartyId(self.uuid());
        let register = Register {
            id: CommandId(self.uuid()),
            party,
            email: email.into(),
            password: Secret(PASSWORD.into()),
            name: name.into(),
            document: IdentityDocument { country: "XX".into(), number: Secret(format!("DEMO {email}")) },
            roles,
            invitation,
            language: Language::English,
        };
        identity.register(&call, register).await.map_err(|e| anyhow!("{email}: {e}"))?;
        self.open_letter(email).await?;
        self.sign_in(email, name).await
    }

    /// Opens the link of the letter that came.
    async fn open_letter(&self, email: &str) -> anyhow::Result<()> {
        self.house.settle().await.map_err(|e| anyhow!("{e}"))?;
        let (call, notification) = (self.call(), self.house.notification(Service::Operator));
        let mails = notification.mailbox(&call, MailboxOf {}).await.map_err(|e| anyhow!("{email}: {e}"))?;
        let letter = mails.iter().find(|m| m.to == email).with_context(|| format!("no letter to {email}"))?;
        let link = letter.text.split_once("/confirm/").context("a link")?.1;
        let secret = Secret(link.split_whitespace().next().unwrap_or_default().into());
        let identity = self.house.identity(Service::Operator);
        identity.confirm_email(&call, ConfirmEmail { secret }).await.map_err(|e| anyhow!("{email}: {e}"))
    }

    async fn sign_in(&self, email: &str, name: &str) -> anyhow::Result<Person> {
        let identity = self.house.identity(Service::Gateway);
        let call = Call { actor: Actor::Anonymous, ..self.call() };
        let sign_in = SignIn {
            email: email.into(),
            password: Secret(PASSWORD.into()),
            code: None,
            address: "demo".into(),
            agent: "the demo's history".into(),
        };
        let tokens = identity.sign_in(&call, sign_in).await.map_err(|e| anyhow!("{email}: {e}"))?;
        let actor = identity.authenticate(&call, Authenticate { access: tokens.access }).await;
        let actor = actor.map_err(|e| anyhow!("{email}: {e}"))?;
        let who = Person { party: tokens.party.id, name: name.into(), actor };
        // Nobody stays signed in from the history.
        identity
            .sign_out(&self.as_person(&who), SignOut { everywhere: true, session: None })
            .await
            .map_err(|e| anyhow!("{e}"))?;
        Ok(who)
    }

    async fn found_staff(&mut self) -> anyhow::Result<()> {
        let identity = self.house.identity(Service::Operator);
        let links = identity.begin(&self.call(), Begin {}).await.map_err(|e| anyhow!("{e}"))?.invitations;
        ensure!(links.len() == 2, "this installation has administrators already");
        let admins: Vec<_> = ACCOUNTS.iter().filter(|(_, _, role)| *role == Role::Administrator).collect();
        for ((email, name, _), (_, secret)) in admins.iter().zip(links) {
            self.register(email, name, BTreeSet::new(), Some(secret)).await?;
        }
        // Administrators may do nothing until there are two of them: their rights are read now.
        for (email, name, _) in admins {
            let who = self.sign_in(email, name).await?;
            self.staff.push(who);
        }
        let gateway = self.house.identity(Service::Gateway);
        for (email, name, role) in
            ACCOUNTS.iter().filter(|(_, _, r)| r.is_staff() && *r != Role::Administrator)
        {
            let change = identity_api::Change::InviteStaff { role: *role };
            let propose =
                ProposeChange { id: ChangeId(self.uuid()), change, reason: "joins the demo's staff".into() };
            let (first, second) = (self.as_person(&self.staff[0]), self.as_person(&self.staff[1]));
            let details = [("inviteStaff", role.code().to_string())];
            let act = self.begin_act(&first, "changePropose", details).await?;
            let proposed = gateway.propose_change(&first, propose).await;
            let id = proposed.map_err(|e| anyhow!("{email}: {e}"))?.id;
            self.end_act(&first, act).await?;
            let details = [("change", Gid(id).text()), ("approve", true.to_string())];
            let act = self.begin_act(&second, "changeDecide", details).await?;
            let decide = DecideChange { id, approve: true };
            let decided = gateway.decide_change(&second, decide).await;
            let secret = decided.map_err(|e| anyhow!("{email}: {e}"))?.secret;
            self.end_act(&second, act).await?;
            let who = self.register(email, name, BTreeSet::new(), secret).await?;
            self.staff.push(who);
        }
        self.settle().await
    }

    fn staff(&self, name: &str) -> anyhow::Result<&Person> {
        let found = ACCOUNTS.iter().find(|(email, _, _)| email.split('@').next() == Some(name));
        let (_, wanted, _) = found.context("a demo account")?;
        self.staff.iter().find(|p| p.name == *wanted).context("a member of the staff")
    }

    async fn confirm(&self, view: InstructionView) -> anyhow::Result<()> {
        let url = view.redirect_url.with_context(|| format!("{} gave no page", view.operation))?;
        self.page(&url).await
    }

    async fn page(&self, url: &str) -> anyhow::Result<()> {
        let form = format!("decision=confirm&password={PASSWORD}&bank_account=GB82WEST12345698765432");
        let (status, body) = in_process::answer_page(&self.bank, url, &form).await?;
        ensure!(status == 200, "the custodian's page: {status} {body}");
        Ok(())
    }

    fn money(&self, units: i64) -> Money {
        Money::new(units * 100, self.usd)
    }

    /// Somebody joins: registers, opens a cash account, allows what is usual.
    async fn join(&mut self, role: Role) -> anyhow::Result<()> {
        let list = if role == Role::Investor { &self.investors } else { &self.borrowers };
        let n = list.len();
        let offered = ACCOUNTS.iter().find(|(_, _, r)| *r == role).filter(|_| n == 0);
        let (email, name) = match offered {
            Some((email, name, _)) => ((*email).to_string(), (*name).to_string()),
            None => {
                let name = if role == Role::Investor {
                    format!("{} {}", FIRST[n % FIRST.len()], LAST[(n * 7 + n / 20) % LAST.len()])
                } else {
                    format!("{} {}", FIRST[(n * 5 + 3) % FIRST.len()], LAST[(n * 3 + 11) % LAST.len()])
                };
                let place = if role == Role::Investor { "investor" } else { "borrower" };
                (format!("{place}{n}@people.test"), name)
            }
        };
        let who = self.register(&email, &name, [role].into(), None).await?;
        let (custody, call) = (self.house.custody(Service::Gateway), self.as_person(&who));
        let id = || InstructionId(self.uuid());
        let told = |e: platform::Fault<CustodyError>| anyhow!("{email}: {e}");
        let open = OpenCashAccount { id: id(), party: who.party, name: name.clone() };
        self.confirm(custody.open_account(&call, open).await.map_err(told)?).await?;
        self.settle().await?;
        let scopes: &[ConsentScope] = match role {
            Role::Investor => &[ConsentScope::Bid],
            _ => &[ConsentScope::Repay, ConsentScope::Fee],
        };
        let expires_at = self.clock.now() + Duration::days(1_500);
        let (per_order, total) = (self.money(100_000), self.money(1_000_000));
        let grants =
            scopes.iter().map(|scope| ConsentGrant { scope: *scope, per_order, total, expires_at }).collect();
        let grant = GrantConsent { id: id(), party: who.party, grants };
        self.confirm(custody.grant(&call, grant).await.map_err(told)?).await?;
        if role == Role::Investor {
            let units = 4_000 + 1_000 * i64::try_from(self.below(20))?;
            let amount = self.money(if n == 0 { 25_000 } else { units });
            let top_up = TopUp { id: id(), party: who.party, amount };
            self.confirm(custody.top_up(&call, top_up).await.map_err(told)?).await?;
        }
        if role == Role::Investor {
            self.investors.push(who)
        } else {
            self.borrowers.push(who)
        }
        Ok(())
    }

    async fn free(&self, party: PartyId) -> anyhow::Result<i64> {
        let ledger = self.house.ledger(Service::Operator);
        let balances = ledger.balances(&self.call(), BalancesOf { owner: party.0, as_of: None }).await;
        let balances = balances.map_err(|e| anyhow!("{e}"))?;
        let available = balances.iter().find(|b| b.key.kind == AccountKind::Available);
        Ok(available.map_or(0, |b| b.balance.minor() - b.reserved.minor()))
    }

    async fn top_up(&self, who: &Person, amount: Money) -> anyhow::Result<()> {
        let top_up = TopUp { id: InstructionId(self.uuid()), party: who.party, amount };
        let custody = self.house.custody(Service::Gateway);
        let view =
            custody.top_up(&self.as_person(who), top_up).await.map_err(|e| anyhow!("{}: {e}", who.name))?;
        self.confirm(view).await
    }

    /// One day: who joins, what moves on, and the close of business.
    async fn day(&mut self, date: NaiveDate, n: u64) -> anyhow::Result<()> {
        self.clock.advance(at(date) - self.clock.now());
        if self.investors.len() < INVESTORS && n < 120 {
            self.join(Role::Investor).await?;
        }
        if self.borrowers.len() < BORROWERS && (n % 9 == 1 || n + 14 > DAYS) {
            self.join(Role::Borrower).await?;
        }
        self.settle().await?;
        if let Some(end) = planned(n, self.stories.len()) {
            self.apply(date, end).await?;
        }
        for i in 0..self.stories.len() {
            if self.stories[i].next <= date && self.stories[i].stage != Stage::Over {
                self.advance(i, date).await?;
            }
        }
        self.settle().await?;
        if n % 23 == 5 {
            self.save_more().await?;
        }
        if n + 1 < DAYS {
            self.close(date).await?;
        }
        Ok(())
    }

    /// Some investors bring more, as people do who are pleased.
    async fn save_more(&self) -> anyhow::Result<()> {
        for _ in 0..6 {
            let who = self.pick(&self.investors)?;
            let units = 500 + 500 * i64::try_from(self.below(6))?;
            self.top_up(who, self.money(units)).await?;
        }
        self.settle().await
    }

    fn pick<'a>(&self, people: &'a [Person]) -> anyhow::Result<&'a Person> {
        let n = usize::try_from(self.below(people.len() as u64))?;
        people.get(n).context("nobody has joined yet")
    }

    async fn close(&self, date: NaiveDate) -> anyhow::Result<()> {
        let office = self.house.office(Service::Gateway);
        let today = office.today(&self.call(), Today {}).await.map_err(|e| anyhow!("{e}"))?;
        ensure!(today == date, "the business date is {today}");
        let operations = self.as_person(self.staff("operations")?);
        let act = self.begin_act(&operations, "businessDayClose", [("date", date.to_string())]).await?;
        office.close_day(&operations, CloseDay { date }).await.map_err(|e| anyhow!("{e}"))?;
        self.end_act(&operations, act).await?;
        for _ in 0..20 {
            self.settle().await?;
            let seen =
                office.day(&operations, DayOf { date: Some(date) }).await.map_err(|e| anyhow!("{e}"))?;
            let seen = seen.context("the close is gone")?;
            match seen.status {
                CloseStatus::Done => return Ok(()),
                CloseStatus::Halted => {
                    bail!("the close halted: {}", seen.finding.map_or_else(String::new, |f| f.to_string()))
                }
                CloseStatus::Running => self.clock.advance(Duration::seconds(5)),
            }
        }
        bail!("the close did not come to an end")
    }

    async fn apply(&mut self, date: NaiveDate, end: End) -> anyhow::Result<()> {
        let n = self.stories.len();
        // The offered borrower has a running loan and later a second wish.
        let busy: BTreeSet<usize> =
            self.stories.iter().filter(|s| s.stage != Stage::Over).map(|s| s.borrower).collect();
        let Some(borrower) = (0..self.borrowers.len()).find(|b| !busy.contains(b)) else { return Ok(()) };
        let f = &self.figures[n % self.figures.len()];
        let months = if end == End::Repays && n.is_multiple_of(5) { 6 } else { [12, 18, 24, 36][n % 4] };
        // Whole hundreds; the large ones halved, for this town is small.
        let amount = if f.amount > 12_000 { f.amount / 2 } else { f.amount };
        let amount = self.money(amount / 100 * 100);
        let (purpose, story) = PURPOSES[n % PURPOSES.len()];
        let apply = Apply {
            id: ApplicationId(self.uuid()),
            amount,
            term_months: months,
            purpose: purpose.into(),
            story: story.into(),
            facts: Facts {
                annual_income: Some(self.money(f.income)),
                monthly_obligations: Some(self.money(f.income / 60)),
                employed_years: f.years,
            },
        };
        let (application, rate) = (apply.id, f.rate);
        let who = &self.borrowers[borrower];
        let view = self.house.lending(Service::Gateway).apply(&self.as_person(who), apply).await;
        view.map_err(|e| anyhow!("{}: {e}", who.name))?;
        let next = date + Days::new(1);
        self.stories.push(Story { borrower, application, amount, rate, next, stage: Stage::Applied, end });
        Ok(())
    }

    async fn say(&self, who: &str, task: TaskId, approve: bool, note: &str) -> anyhow::Result<()> {
        let word = DecideTask { task, approve, note: note.into() };
        let office = self.house.office(Service::Gateway);
        let who = self.as_person(self.staff(who)?);
        let details = [("task", Gid(task).text()), ("approve", approve.to_string())];
        let act = self.begin_act(&who, "taskDecide", details).await?;
        office.decide(&who, word).await.map_err(|e| anyhow!("{e}"))?;
        self.end_act(&who, act).await
    }

    /// What a member of staff does goes into the audit log, as it does for whoever comes by the public door.
    async fn begin_act<const N: usize>(
        &self,
        who: &Call,
        what: &str,
        details: [(&str, String); N],
    ) -> anyhow::Result<ActId> {
        let id = ActId(self.uuid());
        let details = details.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        let record = RecordAct { id, what: what.into(), details };
        let written = self.house.office(Service::Gateway).record_act(who, record).await;
        written.map_err(|e| anyhow!("{what}: {e}"))?;
        Ok(id)
    }

    async fn end_act(&self, who: &Call, id: ActId) -> anyhow::Result<()> {
        let end = EndAct { id, outcome: "DONE".into() };
        self.house.office(Service::Gateway).end_act(who, end).await.map_err(|e| anyhow!("{e}"))
    }

    /// Does the next thing about one story.
    async fn advance(&mut self, i: usize, date: NaiveDate) -> anyhow::Result<()> {
        let s = &self.stories[i];
        if s.end == End::StaysAt(s.stage) && s.stage != Stage::Listed {
            return Ok(());
        }
        let task = derived::application_task(s.application);
        let listing = derived::application_listing(s.application);
        let payout = derived::listing_disbursement_task(listing);
        let borrower = &self.borrowers[s.borrower];
        let (stage, days) = match s.stage {
            Stage::Applied if s.end == End::Withdrawn => {
                let withdraw = ApplicationOf { application: s.application };
                let lending = self.house.lending(Service::Gateway);
                let done = lending.withdraw_application(&self.as_person(borrower), withdraw).await;
                done.map_err(|e| anyhow!("{e}"))?;
                (Stage::Over, 0)
            }
            Stage::Applied => {
                let propose = ProposeRate { application: s.application, rate: s.rate };
                let officer = self.as_person(self.staff("officer")?);
                let details =
                    [("application", Gid(s.application).text()), ("rate", format!("0.{:06}", s.rate.ppm()))];
                let act = self.begin_act(&officer, "applicationProposeRate", details).await?;
                let done = self.house.lending(Service::Gateway).propose_rate(&officer, propose).await;
                done.map_err(|e| anyhow!("{e}"))?;
                self.end_act(&officer, act).await?;
                (Stage::Proposed, 1)
            }
            Stage::Proposed if s.end == End::Declined => {
                self.say("officer", task, false, "obligations already take more than half of the income")
                    .await?;
                (Stage::Over, 0)
            }
            Stage::Proposed => {
                self.say("officer", task, true, "income and employment documented").await?;
                (Stage::FirstWord, 1)
            }
            Stage::FirstWord => {
                self.say("supervisor", task, true, "agreed").await?;
                (Stage::Listed, 1)
            }
            Stage::Listed => self.fund(i, listing).await?,
            Stage::Filled => {
                self.say("operations", payout, true, "all bids frozen, consents in place").await?;
                (Stage::FirstPayout, 0)
            }
            Stage::FirstPayout => {
                self.say("operations2", payout, true, "checked").await?;
                (Stage::Running, 1)
            }
            Stage::Running => self.run(i, derived::listing_loan(listing), date).await?,
            Stage::Over => (Stage::Over, 0),
        };
        let s = &mut self.stories[i];
        s.stage = stage;
        s.next = date + Days::new(days);
        // Two people on the same day, one after the other.
        if days == 0 && stage == Stage::FirstPayout && s.end != End::StaysAt(Stage::FirstPayout) {
            self.settle().await?;
            self.say("operations2", payout, true, "checked").await?;
            self.stories[i].stage = Stage::Running;
            self.stories[i].next = date + Days::new(1);
        }
        Ok(())
    }

    /// Some investors bid. Answers whether the listing is filled.
    async fn fund(&self, i: usize, listing: ListingId) -> anyhow::Result<(Stage, u64)> {
        let s = &self.stories[i];
        let investing = self.house.investing(Service::Gateway);
        let seen =
            investing.listing(&self.call(), ListingOf { listing }).await.map_err(|e| anyhow!("{e}"))?;
        match seen.status {
            ListingStatus::Open => {}
            ListingStatus::Filled => return Ok((Stage::Filled, 0)),
            _ => return Ok((Stage::Over, 0)),
        }
        match s.end {
            End::Expires => return Ok((Stage::Listed, 1)),
            End::Cancelled => {
                let operations = self.as_person(self.staff("operations")?);
                let done = investing.cancel_listing(&operations, CancelListing { listing }).await;
                done.map_err(|e| anyhow!("{e}"))?;
                return Ok((Stage::Over, 0));
            }
            // To be found half full.
            _ => {}
        }
        let minimum = bid_minimum(self.usd).minor();
        let mut rest = seen.amount.minor() - seen.funded.minor();
        if s.end == End::StaysAt(Stage::Listed) {
            // Each to be found at another height.
            let height = seen.amount.minor() / 100 * (9 + 21 * i64::try_from(i % 5)?);
            rest = (height - seen.funded.minor()) / minimum * minimum;
            if rest < minimum {
                return Ok((Stage::Listed, 1));
            }
        }
        for turn in 0..4 {
            // Who is offered at the sign-in has a little of every loan.
            let offered = turn == 0 && seen.funded.is_zero();
            let who = if offered { &self.investors[0] } else { self.pick(&self.investors)? };
            let wish = (rest / 3).max(5 * minimum) / minimum * minimum;
            let wish = if offered { wish.min(minimum * (10 + 5 * i64::try_from(i % 5)?)) } else { wish };
            let mut bid = wish.min(self.free(who.party).await? / 2 / minimum * minimum).min(rest);
            // What is left must itself be a bid.
            if rest - bid > 0 && rest - bid < minimum {
                bid = rest - minimum;
            }
            if bid < minimum {
                continue;
            }
            let place = PlaceBid { id: BidId(self.uuid()), listing, amount: Money::new(bid, self.usd) };
            match investing.bid(&self.as_person(who), place).await {
                Ok(_) => rest -= bid,
                Err(platform::Fault::Refused(e)) => tracing::debug!(error = %e, "a bid was refused"),
                Err(e) => bail!("{}: {e}", who.name),
            }
            if rest == 0 {
                return Ok((Stage::Listed, 1));
            }
        }
        Ok((Stage::Listed, 1))
    }

    /// The borrower of a running loan takes the money, and later has ready what is due tomorrow.
    async fn run(&self, i: usize, loan: LoanId, date: NaiveDate) -> anyhow::Result<(Stage, u64)> {
        let s = &self.stories[i];
        let who = &self.borrowers[s.borrower];
        let call = self.as_person(who);
        let lending = self.house.lending(Service::Gateway);
        let view = lending.loan(&call, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
        if view.status == LoanStatus::Closed {
            return Ok((Stage::Over, 0));
        }
        let free = self.free(who.party).await?;
        let schedule = lending.schedule(&call, LoanOf { loan }).await.map_err(|e| anyhow!("{e}"))?;
        let paid = schedule.iter().filter(|x| x.status == InstalmentStatus::Paid).count();
        if paid == 0 && free > s.amount.minor() / 2 {
            let amount = Money::new(free / 100 * 95, self.usd);
            let withdraw = Withdraw { id: InstructionId(self.uuid()), party: who.party, amount };
            let order = self.house.custody(Service::Gateway).withdraw(&call, withdraw).await;
            self.confirm(order.map_err(|e| anyhow!("{}: {e}", who.name))?).await?;
            return Ok((Stage::Running, 1));
        }
        if s.end == End::PaysOff && paid >= 3 {
            let quote = QuotePayoff { id: QuoteId(self.uuid()), loan };
            let quote = lending.quote_payoff(&call, quote).await.map_err(|e| anyhow!("{e}"))?;
            let missing = quote.total.minor() - free;
            if missing > 0 {
                self.top_up(who, Money::new(missing, self.usd)).await?;
                self.settle().await?;
            }
            let repay = RepayEarly { id: RepaymentId(self.uuid()), quote: quote.id };
            let id = repay.id;
            lending.repay_early(&call, repay).await.map_err(|e| anyhow!("{}: {e}", who.name))?;
            self.settle().await?;
            let freeze = InstructionOf { id: derived::repayment_freeze(id), newest: false };
            let order = self.house.custody(Service::Gateway).instruction(&call, freeze).await;
            self.confirm(order.map_err(|e| anyhow!("{}: {e}", who.name))?).await?;
            return Ok((Stage::Running, 1));
        }
        let due =
            schedule.iter().find(|x| x.status == InstalmentStatus::Scheduled).context("nothing is due")?;
        let tomorrow = date + Days::new(1);
        if due.due > tomorrow {
            let wait = (due.due - tomorrow).num_days();
            return Ok((Stage::Running, u64::try_from(wait)?));
        }
        if s.end == End::Stops && paid >= 2 {
            return Ok((Stage::Running, 10));
        }
        let missing = due.interest.minor() + due.principal.minor() - free;
        if missing > 0 {
            // Wages come in whole amounts.
            self.top_up(who, Money::new((missing / 10_000 + 1) * 10_000, self.usd)).await?;
        }
        Ok((Stage::Running, 2))
    }
}

/// What is applied for on a day, and how it is to end.
fn planned(n: u64, stories: usize) -> Option<End> {
    // The last fortnight leaves something at every stage.
    let from_end = DAYS - n;
    let last = match from_end {
        13 | 12 | 9 | 7 | 6 => End::StaysAt(Stage::Listed),
        16 | 15 => End::StaysAt(Stage::Filled),
        14 => End::StaysAt(Stage::FirstPayout),
        5 => End::Declined,
        4 => End::StaysAt(Stage::FirstWord),
        3 => End::StaysAt(Stage::Proposed),
        2 | 1 => End::StaysAt(Stage::Applied),
        _ => {
            if n < 20 || from_end < 17 || n % 8 != 4 {
                return None;
            }
            match stories % 16 {
                3 | 11 => End::PaysOff,
                6 => End::Stops,
                8 => End::Declined,
                9 => End::Withdrawn,
                13 => End::Expires,
                14 => End::Cancelled,
                _ => End::Repays,
            }
        }
    };
    Some(last)
}
