//! The proof: ledger, the custodian's signed statement, and our own record of its movements, side by side.
//!
//! The ledger is read first and the statement afterwards, so that what is in the ledger and not yet in the statement is a
//! fault and never a matter of timing; the other way round it is on its way. Our own marks (what is mirrored, what is
//! unfinished) are read before the ledger and again at the end, and what was under way at either moment is under way:
//! a platform at work is not taken for a broken one.

use crate::mirror::{self, owner_of};
use crate::port::{Signed, Statement};
use crate::pull::Pull;
use crate::repo;
use crate::service::Inner;
use chrono::{DateTime, Duration, Utc};
use custody_api::{Finding, OwnerLine, PLATFORM, ProofReport, ProofSummary, Verdict};
use entity_custody::{movement, statement};
use finance::{Currency, Money};
use futures::FutureExt;
use kernel::Call;
use kernel::id::{InstructionId, MovementId, TransferId, derived};
use ledger_api::{AccountKind, ChainHead, Ledger, OpenReservation, Proof, ProofOf};
use platform::db::WriteError;
use platform::work::{Loop, Progress};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// What is unmatched for longer is a break.
const PATIENCE_MINUTES: i64 = 15;

struct Seen {
    statement: Statement,
    signed: bool,
    at: DateTime<Utc>,
}

/// Proves both books.
///
/// # Errors
/// When there is no statement at all, or a service does not answer.
pub(crate) async fn prove(inner: &Inner, call: &Call, offline: bool) -> Result<ProofReport, String> {
    let kept =
        repo::last_statement(inner.db.read(), &inner.port.custodian).await.map_err(|e| e.to_string())?;
    let anchor_text = match if offline { None } else { inner.port.anchor().await } {
        Some(Some(text)) => Some(text),
        _ => kept.as_ref().map(|k| k.anchor.clone()).filter(|a| !a.is_empty()),
    };
    let anchor: Option<ChainHead> = anchor_text.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let (before, mut under_way) = {
        let moment = inner.db.snapshot().await.map_err(|e| e.to_string())?;
        let before = repo::marks(&*moment, &inner.port.custodian).await.map_err(|e| e.to_string())?;
        (before, repo::unfinished(&*moment).await.map_err(|e| e.to_string())?)
    };
    let ledger = inner.ledger.proof(call, ProofOf { anchor }).await.map_err(|e| e.to_string())?;
    let fresh = if offline { None } else { inner.port.statement().await };
    if let Some(key_id) = fresh.as_ref().or(kept.as_ref().map(signed_of).as_ref()).map(|s| s.key_id.clone()) {
        inner.learn_key(&key_id, !offline).await;
    }
    let offline = fresh.is_none();
    let signed = match (fresh, kept) {
        // What does not carry the custodian's signature is looked at and not kept.
        (Some(fresh), _) if !inner.port.is_signed(&fresh) => fresh,
        (Some(fresh), _) => {
            keep(inner, &fresh, anchor_text.unwrap_or_default()).await?;
            fresh
        }
        (None, Some(kept)) => signed_of(&kept),
        (None, None) => return Err("there is no signed statement yet".into()),
    };
    let statement: Statement =
        serde_json::from_str(&signed.text).map_err(|e| format!("the statement cannot be read: {e}"))?;
    let at = DateTime::from_timestamp(statement.at, 0).unwrap_or_default();
    let seen = Seen { signed: inner.port.is_signed(&signed), statement, at };
    let custodian = &inner.port.custodian;
    let read = |e: sea_orm::DbErr| e.to_string();
    if !offline {
        // What the statement speaks of and we have not heard yet.
        let pull = Pull { db: inner.db.clone(), port: inner.port.clone() };
        while repo::position(inner.db.read(), custodian).await.map_err(read)? < seen.statement.position {
            match pull.step().await {
                Ok(Progress::Did) => {}
                Ok(Progress::Idle) | Err(_) => break,
            }
        }
    }
    // The record is read last and cut at the statement's position.
    let movements = repo::all_movements(inner.db.read(), custodian, i64::MAX).await.map_err(read)?;
    for i in repo::unfinished(inner.db.read()).await.map_err(read)? {
        if under_way.iter().all(|known| known.id() != i.id()) {
            under_way.push(i);
        }
    }
    let unfinished: Vec<Unfinished> = under_way
        .iter()
        .map(|i| Unfinished {
            id: i.id(),
            party: i.row.party,
            reservation: i.context.reservation,
            freeze: i.context.freeze,
            amount: i.amount().ok(),
            at: i.row.at,
        })
        .collect();
    let mut freezes = HashMap::new();
    for line in &seen.statement.freezes {
        if let Some(i) = repo::maybe_instruction(
            inner.db.read(),
            InstructionId(Uuid::parse_str(&line.freeze_no).unwrap_or_default()),
        )
        .await
        .map_err(read)?
        {
            freezes.insert(line.freeze_no.clone(), i.context.reservation);
        }
    }
    let breaks = repo::open_breaks(inner.db.read()).await.map_err(read)?;
    let mut report =
        compare(&ledger, &seen, &before, &movements, &unfinished, &freezes, offline, inner.clock.now());
    for b in breaks {
        let finding = Finding {
            owner: b.party.map(|p| p.to_string()),
            what: format!("an open break: {}", b.what),
            since: Some(b.at),
        };
        report.findings.push(finding);
        report.verdict = Verdict::Broken;
    }
    // An old statement says nothing of today, and one without a signature nothing at all. The verdict stands without it.
    if !offline
        && seen.signed
        && let Err(e) = publish(inner, &report).await
    {
        tracing::warn!(cause = e, "the proof's summary was not kept");
    }
    Ok(report)
}

/// Keeps what everybody may know of it.
async fn publish(inner: &Inner, report: &ProofReport) -> Result<(), String> {
    let (custodian, summary) = (inner.port.custodian.clone(), ProofSummary::from(report));
    let write = inner.db.write(move |tx| {
        let (custodian, summary) = (custodian.clone(), summary.clone());
        async move { repo::keep_proof(tx, &custodian, &summary).await.map_err(WriteError::<()>::from) }
            .boxed()
    });
    write.await.map_err(|e| format!("{e:?}"))
}

async fn keep(inner: &Inner, signed: &Signed, anchor: String) -> Result<(), String> {
    #[derive(serde::Deserialize)]
    struct Position {
        position: i64,
    }
    let position: Position = serde_json::from_str(&signed.text).map_err(|e| e.to_string())?;
    let row = statement::Model {
        custodian: inner.port.custodian.clone(),
        position: position.position,
        text: signed.text.clone(),
        key_id: signed.key_id.clone(),
        signature: signed.signature.clone(),
        anchor,
        received_at: inner.clock.now(),
    };
    let write = inner.db.write(move |tx| {
        let row = row.clone();
        async move { repo::keep_statement(tx, row).await.map_err(WriteError::<()>::from) }.boxed()
    });
    write.await.map_err(|e| format!("{e:?}"))
}

fn signed_of(kept: &statement::Model) -> Signed {
    Signed { text: kept.text.clone(), key_id: kept.key_id.clone(), signature: kept.signature.clone() }
}

/// What the custodian keeps for us: the heads of two chains.
#[derive(Serialize, Deserialize)]
pub(crate) struct Anchor {
    #[serde(flatten)]
    head: ChainHead,
    #[serde(default)]
    pub(crate) audit: Option<String>,
}

/// Gives the chain's head to the custodian for keeping.
pub(crate) async fn anchor(inner: &Inner, call: &Call, audit: String) -> Result<(), String> {
    // A chain that no longer holds the last anchor gets no new one: that would hide what was cut.
    let last = inner.port.anchor().await.ok_or("the custodian does not answer")?;
    let anchor = last.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let proof = inner.ledger.proof(call, ProofOf { anchor }).await.map_err(|e| e.to_string())?;
    if let Some(fault) = proof.faults.first() {
        return Err(format!("the books are not anchored while they are at fault: {}", fault.what));
    }
    let anchor = Anchor { head: proof.head, audit: Some(audit) };
    let text = serde_json::to_string(&anchor).map_err(|e| e.to_string())?;
    let kept = inner.port.keep_anchor(&text).await.ok_or("the custodian does not answer")?;
    inner.learn_key(&kept.key_id, true).await;
    if kept.text != text || !inner.port.is_signed(&kept) {
        return Err("the custodian did not sign what it keeps".into());
    }
    Ok(())
}

struct Unfinished {
    id: InstructionId,
    party: Option<Uuid>,
    reservation: Option<TransferId>,
    freeze: Option<InstructionId>,
    amount: Option<Money>,
    at: DateTime<Utc>,
}

/// By owner and currency: client money in the ledger, by our record, by the statement, and on its way.
#[derive(Default, Clone, Copy)]
struct Sums {
    ledger: i64,
    on_the_way: i64,
    cash: i64,
    record: i64,
}

fn compare(
    ledger: &Proof,
    seen: &Seen,
    before: &repo::Marks,
    movements: &[movement::Model],
    unfinished: &[Unfinished],
    freezes: &HashMap<String, Option<TransferId>>,
    offline: bool,
    now: DateTime<Utc>,
) -> ProofReport {
    let mut findings: Vec<Finding> = Vec::new();
    let find = |owner: Option<String>, what: String| Finding { owner, what, since: None };
    if !seen.signed {
        findings.push(find(None, "the statement does not carry the custodian's signature".into()));
    }
    findings.extend(ledger.faults.iter().map(|f| find(f.owner.map(name), format!("ledger: {}", f.what))));

    let mut sums: BTreeMap<(Uuid, Currency), Sums> = BTreeMap::new();
    for b in &ledger.balances {
        let key = (b.key.owner, b.key.currency);
        match b.key.kind {
            // What is reserved is still part of the balance.
            AccountKind::Available | AccountKind::Held | AccountKind::Income | AccountKind::OwnFunds => {
                sums.entry(key).or_default().ledger += b.balance.minor();
            }
            // A debit balance: what the user's facts went beyond their money.
            AccountKind::Shortfall => sums.entry(key).or_default().ledger += b.balance.minor(),
            AccountKind::Control if !b.balance.is_zero() => {
                findings
                    .push(find(Some(name(b.key.owner)), format!("a point of passage holds {}", b.balance)));
            }
            AccountKind::Control | AccountKind::Outside => {}
        }
    }
    for line in &seen.statement.balances {
        let (Ok(owner), Ok(currency)) = (owner_of(&line.user_no), line.currency.parse::<Currency>()) else {
            findings
                .push(find(Some(line.user_no.clone()), "the statement names a user we do not know".into()));
            continue;
        };
        sums.entry((owner, currency)).or_default().cash +=
            line.available + line.frozen + line.blocked + line.payout;
    }

    let mirrored: HashMap<_, _> = ledger.mirrored.iter().copied().collect();
    let mut explained = BTreeSet::new();
    // Freezes that movements after the statement have touched.
    let mut later: BTreeSet<String> = BTreeSet::new();
    let mut flying: Vec<(Option<Money>, DateTime<Utc>)> = Vec::new();
    for m in movements {
        let batch = derived::movement_mirror(MovementId(m.id));
        let posts = !matches!(mirror::path(m), Ok(None));
        let in_ledger = mirrored.contains_key(&batch);
        explained.insert(batch);
        let (Ok(source), Ok(target), Ok(currency)) =
            (owner_of(&m.source), owner_of(&m.target), m.currency.parse::<Currency>())
        else {
            findings.push(find(None, format!("movement {} names a user we do not know", m.number)));
            continue;
        };
        // Marked before the ledger was read, and not in it: then it was there once. Marked since, it is a matter of time.
        let lost = before.is_mirrored(m.number) && posts && !in_ledger;
        if lost {
            findings.push(Finding {
                owner: Some(name(target)),
                what: format!(
                    "the mirror of movement {} ({}) is lost",
                    m.number,
                    Money::new(m.amount, currency)
                ),
                since: Some(m.received_at),
            });
        }
        if m.number > before.position {
            later.insert(m.freeze_no.clone());
        }
        if m.number <= seen.statement.position {
            let mut add = |owner, bucket: &str, amount| {
                if bucket != "WORLD" {
                    sums.entry((owner, currency)).or_default().record += amount;
                }
            };
            add(source, &m.source_bucket, -m.amount);
            add(target, &m.target_bucket, m.amount);
            if posts && !in_ledger {
                let mut way = |owner, bucket: &str, amount| {
                    if bucket != "WORLD" {
                        sums.entry((owner, currency)).or_default().on_the_way += amount;
                    }
                };
                way(source, &m.source_bucket, -m.amount);
                way(target, &m.target_bucket, m.amount);
            }
        } else if offline {
            // A statement from before cannot speak of what came after it; the ledger is taken back to its moment.
            if in_ledger && posts {
                let mut back = |owner, bucket: &str, amount| {
                    if bucket != "WORLD" {
                        sums.entry((owner, currency)).or_default().on_the_way -= amount;
                    }
                };
                back(source, &m.source_bucket, -m.amount);
                back(target, &m.target_bucket, m.amount);
            }
            later.insert(m.freeze_no.clone());
            flying.push((Some(Money::new(m.amount, currency)), m.received_at));
            continue;
        } else if in_ledger && posts {
            findings.push(find(
                Some(name(target)),
                format!("movement {} is in the ledger and not in the statement", m.number),
            ));
        }
        let amount = Money::new(m.amount, currency);
        if !lost && (!m.mirrored || (posts && !in_ledger)) {
            if now - m.received_at > Duration::minutes(PATIENCE_MINUTES) {
                findings.push(Finding {
                    owner: Some(name(target)),
                    what: format!("movement {} ({amount}) is not mirrored", m.number),
                    since: Some(m.received_at),
                });
            } else {
                flying.push((Some(amount), m.received_at));
            }
        }
    }
    let record_ends = movements.last().map_or(0, |m| m.number);
    if record_ends < seen.statement.position {
        let missing = seen.statement.position - record_ends;
        if now - seen.at > Duration::minutes(PATIENCE_MINUTES) {
            findings.push(find(None, format!("{missing} movement(s) of the statement never came in")));
        } else {
            flying.push((None, seen.at));
        }
    }
    for (batch, owner) in ledger.mirrored.iter().filter(|(batch, _)| !explained.contains(batch)) {
        findings.push(find(
            owner.map(name),
            format!("the ledger moved money in batch {batch} and the custodian did not"),
        ));
    }

    // Every open reservation has one freeze or payout, and every freeze its reservation; or an instruction is under way.
    let named: BTreeMap<TransferId, &Unfinished> =
        unfinished.iter().filter_map(|u| Some((u.reservation?, u))).collect();
    let ending: BTreeSet<InstructionId> = unfinished.iter().filter_map(|u| u.freeze).collect();
    let mut frozen: HashMap<TransferId, i64> = HashMap::new();
    for line in &seen.statement.freezes {
        let reservation = freezes.get(&line.freeze_no).copied().flatten();
        let open = reservation.and_then(|id| ledger.open.iter().map(|o| &o.pending).find(|p| p.id == id));
        let instruction = Uuid::parse_str(&line.freeze_no).ok().map(InstructionId);
        let under_way = later.contains(&line.freeze_no)
            || instruction.is_some_and(|id| unfinished.iter().any(|u| u.id == id) || ending.contains(&id));
        match open {
            Some(p) => {
                frozen.insert(p.id, line.remaining);
            }
            None if under_way => {}
            None => findings.push(find(
                Some(line.user_no.clone()),
                format!(
                    "{} {} minor units are frozen and nothing in the ledger stands behind it",
                    line.currency, line.remaining
                ),
            )),
        }
    }
    let freezes_by: HashMap<TransferId, &String> =
        freezes.iter().filter_map(|(no, r)| Some(((*r)?, no))).collect();
    let owner_of_account: HashMap<_, _> = ledger.balances.iter().map(|b| (b.account, b)).collect();
    for OpenReservation { pending: p, since } in &ledger.open {
        let owner = owner_of_account.get(&p.debit).map(|b| name(b.key.owner));
        let withdrawing = named.get(&p.id);
        match (frozen.get(&p.id), withdrawing) {
            (Some(remaining), _) if *remaining == p.remaining.minor() => {}
            (_, Some(_)) => {}
            _ if later.iter().any(|no| freezes_by.get(&p.id) == Some(&no))
                || (offline && !later.is_empty() && !frozen.contains_key(&p.id)) => {}
            (Some(remaining), None) => {
                let touched = movements.iter().any(|m| {
                    !before.is_mirrored(m.number)
                        && freezes.get(&m.freeze_no).copied().flatten() == Some(p.id)
                });
                if !touched {
                    findings.push(find(
                        owner,
                        format!("{} are reserved and {remaining} minor units frozen", p.remaining),
                    ));
                }
            }
            // A bid is reserved in the ledger a moment before its freeze is written down.
            (None, None) if now - *since <= Duration::minutes(PATIENCE_MINUTES) => {
                flying.push((Some(p.remaining), *since));
            }
            (None, None) => findings.push(Finding {
                owner,
                what: format!("{} are reserved and nothing is frozen for it", p.remaining),
                since: Some(*since),
            }),
        }
    }
    for u in unfinished {
        // A user who has not yet come to the custodian's page has moved nothing, and what waits for them has its own end.
        if now - u.at > Duration::hours(25) {
            findings.push(Finding {
                owner: u.party.map(name),
                what: format!("instruction {} has no last word", u.id),
                since: Some(u.at),
            });
        } else {
            flying.push((u.amount, u.at));
        }
    }

    let mut lines = Vec::new();
    let mut totals: BTreeMap<Currency, (i64, i64)> = BTreeMap::new();
    let mut income = Vec::new();
    for ((owner, currency), s) in &sums {
        let money = |minor| Money::new(minor, *currency);
        let line = OwnerLine {
            owner: name(*owner),
            currency: *currency,
            ledger: money(s.ledger),
            on_the_way: money(s.on_the_way),
            cash: money(s.cash),
            record: money(s.record),
        };
        if !line.matches() {
            findings.insert(
                0,
                find(
                    Some(line.owner.clone()),
                    format!(
                        "ledger {} and on the way {}, custodian {}, our record {}",
                        line.ledger, line.on_the_way, line.cash, line.record
                    ),
                ),
            );
        }
        if *owner == PLATFORM {
            let fees =
                seen.statement.fees.iter().find(|(c, _)| c == currency.code()).map_or(0, |(_, minor)| *minor);
            let held: i64 = seen
                .statement
                .balances
                .iter()
                .filter(|l| l.kind == "PLATFORM_INCOME" && l.currency == currency.code())
                .map(|l| l.available)
                .sum();
            income.push((money(held), money(fees)));
            if held != fees {
                findings.push(find(
                    Some("platform".into()),
                    format!("the income account holds {} and the fees are {}", money(held), money(fees)),
                ));
            }
        } else {
            let total = totals.entry(*currency).or_default();
            total.0 += s.ledger;
            total.1 += s.cash;
        }
        lines.push(line);
    }
    let verdict = if !findings.is_empty() {
        Verdict::Broken
    } else if flying.is_empty() {
        Verdict::Matched
    } else {
        let mut by_currency: BTreeMap<Currency, i64> = BTreeMap::new();
        for amount in flying.iter().filter_map(|(amount, _)| *amount) {
            *by_currency.entry(amount.currency()).or_default() += amount.minor();
        }
        Verdict::InFlight {
            count: flying.len(),
            amounts: by_currency.into_iter().map(|(c, minor)| Money::new(minor, c)).collect(),
            oldest: flying.iter().map(|(_, at)| *at).min().unwrap_or(now),
        }
    };
    ProofReport {
        verdict,
        at: now,
        ledger_position: ledger.head.position,
        chain_head: ledger.head.hash.clone(),
        statement_position: seen.statement.position,
        statement_at: seen.at,
        owners: lines.iter().map(|l| &l.owner).collect::<BTreeSet<_>>().len(),
        totals: totals.into_iter().map(|(c, (l, k))| (Money::new(l, c), Money::new(k, c))).collect(),
        income,
        findings,
        lines,
    }
}

fn name(owner: Uuid) -> String {
    if owner == PLATFORM { "platform".into() } else { owner.to_string() }
}
