//! A loan's whole life as documents a person can paste into GraphiQL in order, and how the stories play them.
//!
//! Ids are the client's to make, and what follows from them derives from them, so that the documents can name everything
//! ahead. Sent twice, each gives the first answer again.

use crate::door::{Answer, Door, PASSWORD};
use crate::world::World;
use anyhow::{Context, ensure};
use finance::{Currency, Money, Rate, Rounding, schedule};
use kernel::id::{ApplicationId, derived};
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

/// One operation of the file.
pub struct Step {
    pub name: String,
    pub who: String,
    pub text: String,
}

/// The staff who take part, by the names under which the documents call them.
pub const STAFF: [(&str, &str); 4] = [
    ("officer@demo.test", "CREDIT_OFFICER"),
    ("supervisor@demo.test", "CREDIT_SUPERVISOR"),
    ("operations@demo.test", "OPERATIONS"),
    ("operations2@demo.test", "OPERATIONS"),
];

/// A version 7 UUID for the documents: recognisable, and the same for ever.
fn fixed(currency: Currency, n: u16) -> Uuid {
    let code: u64 = currency.code().bytes().fold(0, |sum, b| (sum << 8) | u64::from(b));
    Uuid::from_u128(0x019b_7000_0000_7000_8000_0000_0000_0000 | (u128::from(code) << 24) | u128::from(n))
}

struct Writer {
    text: String,
    currency: Currency,
    next: u16,
}

impl Writer {
    fn id(&mut self) -> Uuid {
        self.next += 1;
        fixed(self.currency, self.next)
    }

    fn step(&mut self, who: &str, say: &str, name: &str, body: &str) {
        let kind = if body.starts_with("query ") { "" } else { "mutation " };
        let body = body.strip_prefix("query ").map_or_else(|| body.to_string(), str::to_string);
        let head = if kind.is_empty() { format!("query {name}") } else { format!("{kind}{name}") };
        writeln!(self.text, "# As {who}: {say}\n{head} {{\n  {body}\n}}\n").expect("text grows");
    }

    fn money(&self, minor: i64) -> String {
        let money = Money::new(minor, self.currency);
        format!("{{ amount: \"{}\", currency: \"{}\" }}", money.to_decimal_string(), self.currency)
    }
}

/// What each of the three investors bids, of 10,000 units.
const SHARES: [i64; 3] = [5_000, 3_333, 1_667];
const MONTHS: u32 = 3;

/// The documents for one currency.
pub fn documents(currency: Currency, unit: i64) -> String {
    let code = currency.code().to_lowercase();
    let mut w = Writer { text: String::new(), currency, next: 0 };
    w.text = format!(
        "# A loan's whole life in {currency}: paste this file into GraphiQL and run the operations in their order.\n\
         # \"As …\" says whose access token the header {{ \"Authorization\": \"Bearer …\" }} carries; SignIn gives one\n\
         # (change the address in it). Open every redirectUrl and confirm with the payment password you choose there.\n\
         # The staff are a demo's own accounts, with the demo's password.\n\
         # Every id is the client's own, so an operation sent twice changes nothing.\n\
         # Written and played by the stories; do not edit by hand.\n\n"
    );
    let order = "order { id status redirectUrl } errors { code field message }";
    let borrower = format!("borrower.{code}@example.test");
    let investors: Vec<String> = (1..=3).map(|n| format!("investor{n}.{code}@example.test")).collect();

    w.step(
        "whoever signs in",
        "use the access token of the answer",
        "SignIn",
        &format!("sessionOpen(input: {{ email: \"{borrower}\", password: \"{PASSWORD}\" }}) {{ session {{ accessToken accessExpiresAt party {{ id name roles }} }} errors {{ code message }} }}"),
    );
    for (n, (email, role)) in
        std::iter::once((&borrower, "BORROWER")).chain(investors.iter().map(|i| (i, "INVESTOR"))).enumerate()
    {
        let (id, party) = (w.id(), w.id());
        w.step(
            "nobody yet",
            &format!("{email} registers"),
            &format!("Register{n}"),
            &format!("partyRegister(input: {{ id: \"{id}\", party: \"{party}\", email: \"{email}\", password: \"{PASSWORD}\", name: \"{email}\", documentCountry: \"GB\", documentNumber: \"{email}\", roles: [{role}] }}) {{ done errors {{ code field message }} }}"),
        );
    }
    let owed: i64 = {
        let first = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).expect("a date");
        let plan = schedule::monthly_annuity(
            Money::new(10_000 * unit, currency),
            Rate::from_ppm(120_000),
            MONTHS,
            first,
            Rounding::HalfUp,
        );
        plan.expect("a schedule").iter().map(|i| i.interest.minor() + i.principal.minor()).sum()
    };
    let limit = w.money(100_000 * unit);
    let consent = |scope: &str| {
        format!(
            "{{ scope: {scope}, perOrder: {limit}, total: {limit}, expiresAt: \"2036-01-01T00:00:00Z\" }}"
        )
    };
    for (n, email) in std::iter::once(&borrower).chain(&investors).enumerate() {
        let id = w.id();
        w.step(
            email,
            "opens a cash account at the custodian",
            &format!("OpenAccount{n}"),
            &format!("cashAccountOpen(input: {{ id: \"{id}\", name: \"{email}\" }}) {{ {order} }}"),
        );
        let id = w.id();
        let scopes =
            if n == 0 { format!("{}, {}", consent("REPAY"), consent("FEE")) } else { consent("BID") };
        w.step(
            email,
            "allows, at the custodian, what is usual",
            &format!("Consent{n}"),
            &format!("consentGrant(input: {{ id: \"{id}\", consents: [{scopes}] }}) {{ {order} }}"),
        );
        let id = w.id();
        // What the fee took and the interest adds, so that the last instalment leaves nothing.
        let amount = if n == 0 { owed - 9_900 * unit } else { 10_000 * unit };
        let amount = w.money(amount);
        w.step(
            email,
            "brings money in",
            &format!("TopUp{n}"),
            &format!("accountTopUp(input: {{ id: \"{id}\", amount: {amount} }}) {{ {order} }}"),
        );
    }
    let application = w.id();
    let gid = |prefix: &str, id: Uuid| format!("{prefix}_{}", id.simple());
    let application_gid = gid("application", application);
    let amount = w.money(10_000 * unit);
    w.step(
        &borrower,
        "asks for a loan",
        "Apply",
        &format!("applicationSubmit(input: {{ id: \"{application}\", amount: {amount}, termMonths: {MONTHS}, purpose: \"A heat pump\", story: \"The old boiler is from 1987.\" }}) {{ application {{ id status amount {{ amount currency }} }} errors {{ code field message }} }}"),
    );
    w.step(
        STAFF[0].0,
        "sets the rate",
        "ProposeRate",
        &format!("applicationProposeRate(input: {{ application: \"{application_gid}\", rate: \"0.12\" }}) {{ application {{ id status rate }} errors {{ code field message }} }}"),
    );
    let task = gid("task", derived::application_task(ApplicationId(application)).0);
    let listing_id = derived::application_listing(ApplicationId(application));
    let listing = gid("listing", listing_id.0);
    let loan = gid("loan", derived::listing_loan(listing_id).0);
    let payout = gid("task", derived::listing_disbursement_task(listing_id).0);
    let decide = |w: &mut Writer, who: &str, name: &str, task: &str| {
        w.step(
            who,
            "says their word",
            name,
            &format!("taskDecide(input: {{ task: \"{task}\", approve: true, note: \"sound\" }}) {{ task {{ id status }} errors {{ code message }} }}"),
        );
    };
    decide(&mut w, STAFF[0].0, "ApproveFirst", &task);
    decide(&mut w, STAFF[1].0, "ApproveSecond", &task);
    w.step(
        "nobody",
        "looks at the marketplace",
        "Marketplace",
        "query listings(status: OPEN, first: 20) { nodes { id amount { amount currency } funded { amount currency } progress rate termMonths instalment { amount currency } purpose expiresOn } pageInfo { hasNextPage endCursor } }",
    );
    for (n, (email, share)) in investors.iter().zip(SHARES).enumerate() {
        let (id, amount) = (w.id(), w.money(share * unit));
        w.step(
            email,
            "bids",
            &format!("Bid{}", n + 1),
            &format!("bidPlace(input: {{ id: \"{id}\", listing: \"{listing}\", amount: {amount} }}) {{ bid {{ id status redirectUrl }} errors {{ code field message }} }}"),
        );
    }
    decide(&mut w, STAFF[2].0, "DisburseFirst", &payout);
    decide(&mut w, STAFF[3].0, "DisburseSecond", &payout);
    let see = format!(
        "query loan(id: \"{loan}\") {{ id status startedOn closedOn outstanding {{ amount currency }} daysPastDue schedule {{ number dueOn interest {{ amount }} principal {{ amount }} status paidOn }} }}"
    );
    w.step(&borrower, "sees the running loan", "Running", &see);
    for n in 1..=MONTHS {
        let id = w.id();
        w.step(
            &borrower,
            "pays the next instalment by hand; on due dates the standing consent does it",
            &format!("Repay{n}"),
            &format!("loanRepay(input: {{ id: \"{id}\", loan: \"{loan}\" }}) {{ repayment {{ id status interest {{ amount }} principal {{ amount }} total {{ amount currency }} redirectUrl }} errors {{ code message }} }}"),
        );
    }
    w.step(&borrower, "sees the closed loan", "Closed", &see);
    let mine = "query viewer { accounts { currency available { amount } frozen { amount } } portfolio { notes invested { amount } interestReceived { amount currency } principalReceived { amount } } notes { principal { amount } outstanding { amount } interestReceived { amount } history { interest { amount } principal { amount } valueDate settled } } statement(first: 10) { nodes { kind amount { amount currency } businessDate cash { number kind mirrored } } } }";
    for (n, email) in investors.iter().enumerate() {
        w.step(email, "has it back, with interest", &format!("Paid{}", n + 1), mine);
    }
    w.text.truncate(w.text.trim_end().len());
    w.text.push('\n');
    w.text
}

/// Cuts a file into its operations.
pub fn steps(text: &str) -> Vec<Step> {
    let mut found: Vec<Step> = Vec::new();
    for part in text.split("# As ").skip(1) {
        let Some((head, body)) = part.split_once('\n') else { continue };
        let who = head.split(':').next().unwrap_or("").to_string();
        let name = body.split_whitespace().nth(1).unwrap_or("").to_string();
        found.push(Step { name, who, text: body.to_string() });
    }
    found
}

const CONFIRM: &str = "decision=confirm&password=correct-horse&bank_account=GB82WEST12345698765432";

/// Where the documents are played.
#[derive(Clone, Copy)]
pub enum Stage<'a> {
    /// A world whose work is stepped.
    Stepped(&'a World),
    /// A server that runs by itself: what is not ready yet is asked for again.
    Served,
}

impl Stage<'_> {
    async fn settle(self) -> anyhow::Result<()> {
        match self {
            Stage::Stepped(world) => world.settle().await,
            Stage::Served => Ok(()),
        }
    }

    async fn confirm(self, page: &str) -> anyhow::Result<()> {
        let (status, body) = match self {
            Stage::Stepped(world) => world.at_custodian(page, CONFIRM).await?,
            Stage::Served => {
                let post = reqwest::Client::new().post(page).body(CONFIRM);
                let answer = post.header("content-type", "application/x-www-form-urlencoded").send().await?;
                (answer.status().as_u16(), answer.text().await?)
            }
        };
        ensure!(status == 200, "{page}: {status} {body}");
        Ok(())
    }
}

/// How long a server that runs by itself is asked again.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Plays a file in order, as its people. Gives the answers by operation.
///
/// # Errors
/// The first step that is refused.
pub async fn play(stage: Stage<'_>, door: &Door, text: &str) -> anyhow::Result<HashMap<String, Answer>> {
    let mut answers = HashMap::new();
    let mut tokens: HashMap<String, String> = HashMap::new();
    for step in steps(text).into_iter().filter(|s| s.name != "SignIn") {
        let token = match step.who.contains('@') {
            false => None,
            true => Some(match tokens.get(&step.who) {
                Some(token) => token.clone(),
                None => {
                    let token = door.sign_in(&step.who).await?.token;
                    tokens.insert(step.who.clone(), token.clone());
                    token
                }
            }),
        };
        let mut waited = std::time::Duration::ZERO;
        let answer = loop {
            let answer = door.ask(token.as_deref(), &step.text, json!({})).await?;
            ensure!(answer.body["errors"].is_null(), "{}: {}", step.name, answer.body);
            let payload = answer.body["data"].as_object().and_then(|d| d.values().next());
            let payload = payload.with_context(|| format!("{}: no data", step.name))?;
            let refused = payload["errors"].as_array().is_some_and(|e| !e.is_empty());
            // A page that is still to come is worth waiting for; a status that nobody waits for is not.
            let early = refused || step.early(payload);
            if !early || matches!(stage, Stage::Stepped(_)) {
                ensure!(!refused, "{}: {}", step.name, answer.body);
                break answer;
            }
            ensure!(waited < PATIENCE, "{}: {}", step.name, answer.body);
            waited += std::time::Duration::from_millis(100);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        };
        let payload = answer.body["data"].as_object().and_then(|d| d.values().next());
        let page = payload.and_then(|p| p.as_object()?.values().find_map(|v| v["redirectUrl"].as_str()));
        if let Some(page) = page.map(str::to_string) {
            stage.settle().await?;
            stage.confirm(&page).await?;
        }
        stage.settle().await?;
        answers.insert(step.name, answer);
    }
    Ok(answers)
}

impl Step {
    /// Whether an answer shows that the work before this step has not come to rest yet.
    fn early(&self, payload: &serde_json::Value) -> bool {
        match self.name.as_str() {
            "Running" => payload["status"] != "ACTIVE",
            "Closed" => payload["status"] != "CLOSED",
            "Marketplace" => payload["nodes"].as_array().is_none_or(Vec::is_empty),
            _ => false,
        }
    }
}
