//! `counterfoil verify`: the proof that both books are equal, from the command line, with server and custodian running
//! or stopped.

use crate::config::Config;
use crate::embedded;
use crate::modules::{House, Pace, Parts, Reach};
use anyhow::Context;
use chrono::Duration;
use custody_api::{Custody, ProofReport, ProveBooks, Verdict};
use finance::Money;
use kernel::call::{Actor, Call, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::RequestId;
use kernel::{OsEntropy, SystemClock};
use std::fmt::Write;
use std::sync::Arc;

/// How long the proof may take.
const LIMIT_SECONDS: i64 = 300;

/// A call by the person at the machine.
pub fn operator(clock: &SharedClock, entropy: &SharedEntropy, work: &str) -> Call {
    let now = clock.now();
    Call {
        actor: Actor::System { work: work.into() },
        caller: Service::Operator,
        on_behalf_of: None,
        request: RequestId(entropy.uuid(now)),
        deadline: now + Duration::seconds(LIMIT_SECONDS),
    }
}

/// Proves the books of an installation, whether it runs or not.
///
/// # Errors
/// When the installation cannot be opened or no statement was ever signed.
pub async fn prove(config: &Config, offline: bool) -> anyhow::Result<ProofReport> {
    let (clock, entropy): (SharedClock, SharedEntropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
    let data = &config.data;
    anyhow::ensure!(data.join("custodian.key").is_file(), "{} holds no installation", data.display());
    let custodian_key = embedded::key(&data.join("custodian.key"), &entropy)?.verifying_key();
    let address = config.custodian_listen;
    let parts = Parts {
        place: config.place(),
        clock: clock.clone(),
        entropy: entropy.clone(),
        reach: Reach::Direct,
        pace: Pace::Stepped,
        days_by_hand: true,
        port: embedded::port(
            data,
            address,
            custodian_key,
            config.listen.to_string(),
            clock.clone(),
            entropy.clone(),
        )?,
        keys: embedded::identity_keys(data, &entropy)?,
        post: notification::post::Post::Nowhere,
        origin: config.origin(),
    };
    let house = House::start(parts).await.context("cannot open the books")?;
    let call = operator(&clock, &entropy, "verify");
    let report = house.custody(Service::Operator).proof(&call, ProveBooks { offline }).await;
    house.stop().await;
    report.map_err(|e| anyhow::anyhow!("{e}"))
}

/// The report for a person; its last line is the verdict.
pub fn text(report: &ProofReport) -> String {
    let mut out = String::new();
    let age = (report.at - report.statement_at).num_seconds().max(0);
    let age = if age < 120 { format!("{age} s old") } else { format!("{} min old", age / 60) };
    writeln!(
        out,
        "Ledger at entry {}, chain {}",
        report.ledger_position,
        report.chain_head.get(..16).unwrap_or_default()
    )
    .ok();
    writeln!(
        out,
        "Custodian's signed statement at movement {}, {} ({age})",
        report.statement_position, report.statement_at
    )
    .ok();
    writeln!(out, "{} owners compared", report.owners).ok();
    for (ledger, cash) in &report.totals {
        let word = if ledger == cash { "equal" } else { "NOT EQUAL" };
        writeln!(
            out,
            "  clients   ledger {:>20}   custodian {:>20}   {word}",
            number(*ledger),
            number(*cash)
        )
        .ok();
    }
    for (held, fees) in &report.income {
        writeln!(out, "  platform  income {:>20}   fees      {:>20}", number(*held), number(*fees)).ok();
    }
    for line in report.lines.iter().filter(|l| !l.matches()) {
        writeln!(
            out,
            "  {}  {}: ledger {} and on the way {}, custodian {}, our record {}",
            line.owner,
            line.currency,
            line.ledger.to_decimal_string(),
            line.on_the_way.to_decimal_string(),
            line.cash.to_decimal_string(),
            line.record.to_decimal_string()
        )
        .ok();
    }
    for finding in &report.findings {
        let since = finding.since.map_or(String::new(), |s| format!(" (since {s})"));
        writeln!(out, "  ! {}: {}{since}", finding.owner.as_deref().unwrap_or("the books"), finding.what)
            .ok();
    }
    writeln!(out, "{}", report.last_line()).ok();
    out
}

fn number(money: Money) -> String {
    money.to_string()
}

/// What a script learns: 0 when nothing is wrong, 1 when something is.
pub fn exit_code(report: &ProofReport) -> u8 {
    u8::from(report.verdict == Verdict::Broken)
}
