//! `kill -9` at random moments while people write: nothing that was acknowledged is lost, nothing happens twice, and it is
//! up again by itself.
//!
//! The platform and its custodian die together, as on one machine without power. What a person was not told they send
//! again, the same command under the same id, as every client does.

use anyhow::{Context, anyhow, ensure};
use finance::{Currency, Money};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::{OsEntropy, SystemClock};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tests::door::Door;
use tests::life::{self, Stage};
use tests::server::{Server, told};
use uuid::Uuid;

/// A few for every change, more before a claim.
fn kills() -> u32 {
    let full = told("COUNTERFOIL_TEST_LENGTH").is_ok_and(|l| l == "full");
    let asked = std::env::var("COUNTERFOIL_TEST_KILLS").ok().and_then(|n| n.parse().ok());
    asked.unwrap_or(if full { 40 } else { 4 })
}

/// What somebody wants written: sent until it is answered.
#[derive(Clone)]
struct Wish {
    id: Uuid,
    /// A bid, or an application.
    bid: bool,
}

const SUBMIT: &str = "mutation($input: ApplicationSubmitInput!) { it: applicationSubmit(input: $input) { \
    done: application { id } errors { code } } }";
const BID: &str =
    "mutation($input: BidPlaceInput!) { it: bidPlace(input: $input) { done: bid { id } errors { code } } }";

struct Desk<'a> {
    clock: SharedClock,
    entropy: SharedEntropy,
    door: &'a Door,
    borrower: String,
    investor: String,
    listing: String,
}

impl Desk<'_> {
    fn wish(&self, bid: bool) -> Wish {
        Wish { id: self.entropy.uuid(self.clock.now()), bid }
    }

    /// Whether it was acknowledged. Who is not answered does not know.
    async fn send(&self, wish: &Wish) -> anyhow::Result<bool> {
        let (document, token, input) = if wish.bid {
            let input = json!({
                "id": wish.id, "listing": self.listing, "amount": { "amount": "25.00", "currency": "USD" }
            });
            (BID, &self.investor, input)
        } else {
            let input = json!({
                "id": wish.id, "amount": { "amount": "1000.00", "currency": "USD" }, "termMonths": 12,
                "purpose": wish.id.to_string()
            });
            (SUBMIT, &self.borrower, input)
        };
        let Ok(answer) = self.door.ask(Some(token), document, json!({ "input": input })).await else {
            return Ok(false);
        };
        // Cut off in the middle of the answer, or told that the outcome is not known.
        if answer.body.is_null() || matches!(answer.code(), "OUTCOME_UNKNOWN" | "SERVICE_UNAVAILABLE") {
            return Ok(false);
        }
        let done = answer.body["data"]["it"]["done"]["id"].as_str();
        ensure!(done.is_some_and(|d| d.ends_with(&wish.id.simple().to_string())), "{}", answer.body);
        Ok(true)
    }
}

/// Writes until the process is gone. Gives what was acknowledged, and what is in doubt.
async fn writer(
    desk: &Desk<'_>,
    ended: Arc<AtomicBool>,
    bids: Option<u32>,
) -> anyhow::Result<(Vec<Wish>, Vec<Wish>)> {
    let (mut told, mut doubt) = (Vec::new(), Vec::new());
    let mut sent = 0;
    while !ended.load(Ordering::Relaxed) && bids.is_none_or(|most| sent < most) {
        let wish = desk.wish(bids.is_some());
        sent += 1;
        if desk.send(&wish).await? { &mut told } else { &mut doubt }.push(wish);
    }
    Ok((told, doubt))
}

/// Every page of one's own applications or bids.
async fn all(door: &Door, token: &str, what: &str) -> anyhow::Result<Vec<Value>> {
    let fields = if what == "bids" { "id status amount { amount }" } else { "id status" };
    let query = format!(
        "query($after: String) {{ viewer {{ {what}(first: 100, after: $after) {{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"
    );
    let (mut found, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = door.ask(Some(token), &query, json!({ "after": after })).await?;
        let page = answer.at(&format!("/viewer/{what}"))?;
        found.extend(page["nodes"].as_array().context("nodes")?.iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(found);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_happens_twice() -> anyhow::Result<()> {
    let mut server = Server::start(&[]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let bids = text.find("# As investor1.usd@example.test: bids").context("the bids")?;
    let seen = life::play(Stage::Served, &door, &text[..bids]).await?;
    let listing = seen["Marketplace"].text("/listings/nodes/0/id")?;
    let kills = kills();
    let entropy: SharedEntropy = Arc::new(OsEntropy);
    let (mut acknowledged, mut in_doubt, mut slowest) = (Vec::new(), 0, Duration::ZERO);
    let mut waited = Duration::ZERO;
    for kill in 0..kills {
        let desk = Desk {
            clock: Arc::new(SystemClock),
            entropy: entropy.clone(),
            door: &door,
            borrower: door.sign_in("borrower.usd@example.test").await?.token,
            investor: door.sign_in("investor1.usd@example.test").await?.token,
            listing: listing.clone(),
        };
        let ended = Arc::new(AtomicBool::new(false));
        let moment = Duration::from_millis(300 + entropy.below(1_500));
        let process = &mut server;
        let end = async {
            tokio::time::sleep(moment).await;
            let killed = process.kill();
            ended.store(true, Ordering::Relaxed);
            killed
        };
        // One lends, ten ask for loans.
        let lending = writer(&desk, ended.clone(), Some(3));
        let asking = (0..10).map(|_| writer(&desk, ended.clone(), None));
        let (killed, lent, asked) = tokio::join!(end, lending, futures::future::join_all(asking));
        killed?;
        let begin = Instant::now();
        server.start_again().await?;
        let took = begin.elapsed();
        (slowest, waited) = (slowest.max(took), waited + took);
        for outcome in asked.into_iter().chain([lent]) {
            let (told, doubt) = outcome.with_context(|| format!("before kill {kill}"))?;
            acknowledged.extend(told);
            in_doubt += doubt.len();
            for wish in doubt {
                // Sent again as it was: it is done now, or was before.
                ensure!(desk.send(&wish).await?, "sent again after kill {kill} it is not answered");
                acknowledged.push(wish);
            }
        }
    }

    let id = |v: &Value| {
        let text = v["id"].as_str().and_then(|t| t.split_once('_')).map(|(_, id)| id.to_string());
        text.ok_or_else(|| anyhow!("{v} has no id"))
    };
    let borrower = door.sign_in("borrower.usd@example.test").await?.token;
    let investor = door.sign_in("investor1.usd@example.test").await?.token;
    let expected = |bid: bool| -> BTreeSet<String> {
        acknowledged.iter().filter(|w| w.bid == bid).map(|w| w.id.simple().to_string()).collect()
    };
    // The application of the listing itself was there before.
    let found = all(&door, &borrower, "applications").await?;
    let open: Vec<String> =
        found.iter().filter(|a| a["status"] == "SUBMITTED").map(id).collect::<Result<_, _>>()?;
    ensure!(open.len() == expected(false).len(), "{} applications of {}", open.len(), expected(false).len());
    ensure!(
        open.into_iter().collect::<BTreeSet<_>>() == expected(false),
        "other applications than were sent"
    );

    // All bids become facts, each once, and the listing has what they come to.
    let wanted = expected(true);
    for attempt in 0.. {
        let found = all(&door, &investor, "bids").await?;
        ensure!(found.len() == wanted.len(), "{} bids of {}", found.len(), wanted.len());
        ensure!(
            found.iter().map(id).collect::<Result<BTreeSet<_>, _>>()? == wanted,
            "other bids than were sent"
        );
        if found.iter().all(|b| b["status"] == "FROZEN") {
            break;
        }
        ensure!(attempt < 120, "not all bids are frozen: {found:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let query = "query($id: ID!) { listing(id: $id) { funded { amount } } }";
    let funded = door.ask(None, query, json!({ "id": listing })).await?.text("/listing/funded/amount")?;
    let each = Money::new(25_00, Currency::USD).minor();
    let sum = each * i64::try_from(wanted.len())?;
    ensure!(Money::parse(&funded, Currency::USD)?.minor() == sum, "{funded} for {} bids", wanted.len());
    assert_eq!(crate::crash::verdict(&server).await?, "MATCHED");
    eprintln!(
        "{kills} kills, {} acknowledged writes ({} of them bids, {in_doubt} in doubt at a kill and sent again): 0 lost, 0 \
         doubled; up again in {} ms on average, {} at most",
        acknowledged.len(),
        wanted.len(),
        waited.as_millis() / u128::from(kills),
        slowest.as_millis()
    );
    Ok(())
}
