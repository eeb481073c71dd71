//! The ledger's side of the proof: every sum re-derived from the transfers, every link from its rows.
//!
//! The writer goes on meanwhile: everything is read in one snapshot at one position.

use crate::engine::Account;
use crate::repo;
use finance::Currency;
use kernel::hash;
use kernel::id::{AccountId, BatchId, TransferId};
use ledger_api::batch::{Code, PendingState};
use ledger_api::{OpenReservation, Proof, ProofFault, ProofOf, TransferKind};
use platform::db::Db;
use sea_orm::{ConnectionTrait, DbErr};
use std::collections::{BTreeMap, HashMap};

const PAGE: i64 = 2_000;

/// Proves the books as they stand.
///
/// # Errors
/// When the database fails.
pub async fn proof(db: &Db, input: &ProofOf) -> Result<Proof, DbErr> {
    let moment = db.snapshot().await?;
    examine(&*moment, input).await
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
struct Sums {
    debits_posted: i64,
    credits_posted: i64,
    debits_pending: i64,
    credits_pending: i64,
}

async fn examine(db: &impl ConnectionTrait, input: &ProofOf) -> Result<Proof, DbErr> {
    let mut faults = Vec::new();
    let accounts = repo::all_accounts(db).await?;
    let by_id: HashMap<AccountId, &Account> = accounts.iter().map(|a| (a.id, a)).collect();
    let mut fault = |owner, what: String| faults.push(ProofFault { owner, what });

    let mut sums: HashMap<AccountId, Sums> = HashMap::new();
    let mut reservations: HashMap<TransferId, (i64, i64, PendingState)> = HashMap::new();
    let mut since: HashMap<TransferId, chrono::DateTime<chrono::Utc>> = HashMap::new();
    let mut mirrored: BTreeMap<BatchId, Option<uuid::Uuid>> = BTreeMap::new();
    let links = repo::links(db).await?;
    let mut links_left = links.iter().peekable();
    let mut previous = [0u8; 32];
    let mut content = String::new();
    let mut position = 0i64;
    let mut link_number = 0i64;
    let mut anchored = input.anchor.as_ref().is_none_or(|a| a.link == 0);
    let mut broken_link = None;

    loop {
        let rows = repo::rows_after(db, position, PAGE).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.position != position + 1 {
                let owner = by_id.get(&row.debit).map(|a| a.key.owner);
                fault(owner, format!("entries {} to {} are missing", position + 1, row.position - 1));
            }
            position = row.position;
            // Between one owner's own accounts nothing moves that the custodian would know of.
            let settles = row.code == Code::ShortfallSettled
                && by_id.get(&row.debit).map(|a| a.key.owner) == by_id.get(&row.credit).map(|a| a.key.owner);
            if matches!(row.kind, TransferKind::Transfer | TransferKind::Post) && !settles {
                mirrored.insert(row.batch, by_id.get(&row.credit).map(|a| a.key.owner));
            }
            content.push_str(&row.canonical());
            let debit = sums.entry(row.debit).or_default();
            match row.kind {
                TransferKind::Transfer => debit.debits_posted += row.amount,
                TransferKind::Reserve => debit.debits_pending += row.amount,
                TransferKind::Post => {
                    debit.debits_pending -= row.amount;
                    debit.debits_posted += row.amount;
                }
                TransferKind::Void => debit.debits_pending -= row.amount,
            }
            let credit = sums.entry(row.credit).or_default();
            match row.kind {
                TransferKind::Transfer => credit.credits_posted += row.amount,
                TransferKind::Reserve => credit.credits_pending += row.amount,
                TransferKind::Post => {
                    credit.credits_pending -= row.amount;
                    credit.credits_posted += row.amount;
                }
                TransferKind::Void => credit.credits_pending -= row.amount,
            }
            match (row.kind, row.reservation) {
                (TransferKind::Reserve, _) => {
                    since.insert(row.id, row.recorded_at);
                    reservations.insert(row.id, (row.amount, row.amount, PendingState::Open));
                }
                (TransferKind::Post, Some(id)) => {
                    if let Some((_, left, state)) = reservations.get_mut(&id) {
                        *left -= row.amount;
                        if *left == 0 {
                            *state = PendingState::Posted;
                        }
                    }
                }
                (TransferKind::Void, Some(id)) => {
                    if let Some((_, _, state)) = reservations.get_mut(&id) {
                        *state = PendingState::Voided;
                    }
                }
                _ => {}
            }
            if let Some((number, _, _, stored)) = links_left.next_if(|(_, _, last, _)| *last == position) {
                let derived = hash::link(&previous, content.as_bytes());
                content.clear();
                if derived != *stored && broken_link.is_none() {
                    broken_link = Some(*number);
                    let owner = by_id.get(&row.debit).map(|a| a.key.owner);
                    fault(
                        owner,
                        format!(
                            "link {number} of the chain does not follow from its entries (up to entry {position})"
                        ),
                    );
                }
                if *number != link_number + 1 {
                    fault(
                        None,
                        format!("links {} to {} of the chain are missing", link_number + 1, number - 1),
                    );
                }
                link_number = *number;
                // Later links are judged against what is stored, so that one fault is named once.
                previous = *stored;
                if let Some(anchor) = input.anchor.as_ref().filter(|a| a.link == *number) {
                    anchored = anchor.position == position && anchor.hash == hex::encode(stored);
                    if !anchored {
                        fault(None, format!("link {number} is not the one that was anchored"));
                        anchored = true;
                    }
                }
            }
        }
    }
    if !content.is_empty() || links_left.next().is_some() {
        fault(None, "entries and links of the chain do not end together".into());
    }
    if !anchored {
        fault(None, "the chain ends before its last anchor: entries were cut off".into());
    }
    let head = repo::head(db, false).await?;
    match &head {
        Some(head) if head.link == link_number && head.position == position && head.hash == previous => {}
        None if position == 0 => {}
        _ => fault(None, "the chain's head is not its last link".into()),
    }

    for account in &accounts {
        let derived = sums.remove(&account.id).unwrap_or_default();
        let stored = Sums {
            debits_posted: account.debits_posted,
            credits_posted: account.credits_posted,
            debits_pending: account.debits_pending,
            credits_pending: account.credits_pending,
        };
        if derived != stored {
            let off = (stored.credits_posted - stored.debits_posted)
                - (derived.credits_posted - derived.debits_posted);
            let amount = finance::Money::new(off, account.key.currency);
            fault(
                Some(account.key.owner),
                format!(
                    "{} does not add up from its entries: it is off by {amount} posted",
                    account.key.kind.code()
                ),
            );
        }
        if account.key.id() != account.id {
            fault(Some(account.key.owner), format!("account {} does not belong to this owner", account.id));
        }
    }
    for (id, _) in sums {
        fault(None, format!("entries name the account {id}, which does not exist"));
    }
    let mut totals: BTreeMap<Currency, i128> = BTreeMap::new();
    for account in &accounts {
        *totals.entry(account.key.currency).or_default() +=
            i128::from(account.credits_posted) - i128::from(account.debits_posted);
    }
    for (currency, total) in totals.into_iter().filter(|(_, total)| *total != 0) {
        fault(None, format!("debits and credits in {currency} differ by {total} minor units"));
    }

    let open = repo::open_pendings(db).await?;
    for pending in &open {
        if reservations.get(&pending.id) != Some(&(pending.amount, pending.remaining, PendingState::Open)) {
            let owner = by_id.get(&pending.debit).map(|a| a.key.owner);
            fault(owner, format!("the reservation {} does not follow from its entries", pending.id));
        }
        reservations.remove(&pending.id);
    }
    for (id, (amount, _, _)) in reservations.iter().filter(|(_, (_, _, state))| *state == PendingState::Open)
    {
        fault(
            None,
            format!(
                "the reservation {id} of {amount} minor units is open in the entries and closed in its row"
            ),
        );
    }

    Ok(Proof {
        head: head
            .map_or(ledger_api::ChainHead { link: 0, position: 0, hash: hex::encode([0u8; 32]) }, |h| {
                h.view()
            }),
        faults,
        balances: accounts.iter().map(Account::balance_view).collect(),
        open: open
            .iter()
            .map(|p| OpenReservation {
                pending: p.view(),
                since: since.get(&p.id).copied().unwrap_or_default(),
            })
            .collect(),
        mirrored: mirrored.into_iter().collect(),
    })
}
