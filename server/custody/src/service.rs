//! The published methods: each checks who asks and writes an instruction down, or reads.

use crate::instruct::{Draft, Watch};
use crate::port::{AllowedLine, Port, UNKNOWN_KEY};
use crate::post::Post;
use crate::pull::Pull;
use crate::repo::{self, Context};
use chrono::DateTime;
use custody_api::*;
use finance::Money;
use futures::FutureExt;
use kernel::Call;
use kernel::call::{Role, Service};
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::{InstructionId, LineId, ListingId, MovementId, PartyId, derived};
use ledger_api::{AccountKey, AccountKind, BalancesOf, Ledger, LedgerClient, Means};
use platform::db::{Db, WriteError};
use platform::jobs::{self, Jobs};
use platform::outbox::{EventPage, EventsAfter, Outbox};
use platform::reader::{DeadLetter, ParkedOf, Unpark};
use platform::service::{published, unreadable};
use platform::work::SharedLoop;
use platform::{Answer, Fault, commands};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// What custody is made of.
pub struct Parts {
    pub db: Db,
    pub outbox: Outbox,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub ledger: LedgerClient,
    pub port: Port,
}

/// What its use cases and loops share.
pub struct Inner {
    pub(crate) db: Db,
    pub(crate) outbox: Outbox,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) ledger: LedgerClient,
    pub(crate) port: Port,
    /// Whose ledger accounts are known to be open; only saves asking.
    opened: Mutex<BTreeSet<(Uuid, String)>>,
    /// When the custodian was last asked for its keys because of a message (Unix seconds).
    asked_for_keys: AtomicI64,
}

/// A stranger's messages make us ask for the custodian's keys at most so often.
const KEYS_PAUSE_SECONDS: i64 = 10;

impl Inner {
    pub(crate) fn is_new(&self, owner: Uuid, currency: &str) -> bool {
        let opened = self.opened.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        !opened.contains(&(owner, currency.to_string()))
    }

    pub(crate) fn remember_opened(&self, seen: BTreeSet<(Uuid, String)>) {
        self.opened.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).extend(seen);
    }

    fn may_ask_for_keys(&self) -> bool {
        let now = self.clock.now().timestamp();
        let last = self.asked_for_keys.load(Ordering::Relaxed);
        now - last >= KEYS_PAUSE_SECONDS
            && self.asked_for_keys.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Custody, running.
pub struct CustodyService {
    inner: Arc<Inner>,
}

impl CustodyService {
    pub fn new(parts: Parts) -> CustodyService {
        let Parts { db, outbox, clock, entropy, ledger, port } = parts;
        CustodyService {
            inner: Arc::new(Inner {
                db,
                outbox,
                clock,
                entropy,
                ledger,
                port,
                opened: Mutex::default(),
                asked_for_keys: AtomicI64::default(),
            }),
        }
    }

    /// What works in the background: fetching facts, mirroring them, looking after instructions.
    pub fn loops(&self) -> Vec<SharedLoop> {
        let i = &self.inner;
        vec![
            Arc::new(Pull { db: i.db.clone(), port: i.port.clone() }),
            Arc::new(Post(i.clone())),
            Arc::new(Jobs {
                service: Service::Custody,
                worker: Arc::new(Watch(i.clone())),
                db: i.db.clone(),
                clock: i.clock.clone(),
                entropy: i.entropy.clone(),
            }),
        ]
    }

    fn key(&self, owner: Uuid, amount: Money, kind: AccountKind) -> AccountKey {
        AccountKey { owner, currency: amount.currency(), custodian: self.inner.port.custodian.clone(), kind }
    }

    async fn has_account(&self, call: &Call, party: PartyId) -> Result<(), Fault<CustodyError>> {
        let found = repo::cash_account(self.inner.db.read(), party).await;
        match found.map_err(|e| unreadable(call, "find a cash account", &e))? {
            Some(_) => Ok(()),
            None => Err(Fault::Refused(CustodyError::NoCashAccount)),
        }
    }
}

/// A user acts for themselves, at the gateway; nobody acts for them.
fn own(call: &Call, party: PartyId, id: InstructionId) -> Result<(), Fault<CustodyError>> {
    commands::client_made(id.0)?;
    match call.caller {
        Service::Gateway if call.party() != Some(party) => Err(Fault::Forbidden),
        Service::Gateway | Service::Operator => Ok(()),
        _ => Err(Fault::Forbidden),
    }
}

/// What happens to a loan's money is decided by the services that own the listing and the loan.
fn inside(call: &Call) -> Result<(), Fault<CustodyError>> {
    match call.caller {
        Service::Lending | Service::Investing | Service::Operator => Ok(()),
        _ => Err(Fault::Forbidden),
    }
}

/// The close of business steers the two calendars.
fn steering(call: &Call) -> Result<(), Fault<CustodyError>> {
    match call.caller {
        Service::Office | Service::Operator => Ok(()),
        _ => Err(Fault::Forbidden),
    }
}

fn positive(amount: Money) -> Result<(), Fault<CustodyError>> {
    // Far beyond any order, and far enough below the integers' end that no sum of orders reaches it.
    const MINOR_MAX: i64 = 1_000_000_000_000_000;
    match amount.minor() {
        minor if minor <= 0 => Err(Fault::Refused(CustodyError::AmountNotPositive)),
        minor if minor > MINOR_MAX => Err(Fault::Refused(CustodyError::AmountTooLarge)),
        _ => Ok(()),
    }
}

fn draft(id: InstructionId, operation: &'static str) -> Draft {
    Draft {
        id,
        operation,
        party: None,
        project: None,
        amount: None,
        ask: json!({}),
        context: Context::default(),
        lines_total: 1,
        waits_for_user: false,
    }
}

impl Custody for CustodyService {
    fn open_account<'a>(
        &'a self,
        call: &'a Call,
        input: OpenCashAccount,
    ) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            own(call, input.party, input.id)?;
            let exists = repo::cash_account(self.inner.db.read(), input.party).await;
            let known = repo::maybe_instruction(self.inner.db.read(), input.id).await;
            if let (Ok(Some(_)), Ok(None)) = (&exists, &known) {
                return Err(Fault::Refused(CustodyError::CashAccountExists));
            }
            let d = Draft {
                party: Some(input.party),
                ask: json!({ "user_no": input.party.to_string(), "name": input.name }),
                lines_total: 0,
                waits_for_user: true,
                ..draft(input.id, "open_account")
            };
            // The name is no part of what is remembered of the command: its hash could be guessed.
            Ok(self.inner.instruct(call, d, (input.id, input.party)).await?.view())
        }
        .boxed()
    }

    fn grant<'a>(&'a self, call: &'a Call, input: GrantConsent) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            own(call, input.party, input.id)?;
            self.has_account(call, input.party).await?;
            for grant in &input.grants {
                positive(grant.per_order)?;
            }
            let grants: Vec<_> = input
                .grants
                .iter()
                .map(|g| {
                    json!({ "scope": g.scope, "currency": g.per_order.currency(), "per_order": g.per_order.minor(),
                            "total": g.total.minor(), "expires_at": g.expires_at.timestamp() })
                })
                .collect();
            let d = Draft {
                party: Some(input.party),
                ask: json!({ "user_no": input.party.to_string(), "grants": grants }),
                lines_total: 0,
                waits_for_user: true,
                ..draft(input.id, "grant_authorization")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn top_up<'a>(&'a self, call: &'a Call, input: TopUp) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            own(call, input.party, input.id)?;
            positive(input.amount)?;
            self.has_account(call, input.party).await?;
            let d = Draft {
                party: Some(input.party),
                amount: Some(input.amount),
                ask: json!({ "user_no": input.party.to_string(), "currency": input.amount.currency(), "amount": input.amount.minor() }),
                waits_for_user: true,
                ..draft(input.id, "top_up")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn withdraw<'a>(&'a self, call: &'a Call, input: Withdraw) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            own(call, input.party, input.id)?;
            positive(input.amount)?;
            self.has_account(call, input.party).await?;
            let known = repo::maybe_instruction(self.inner.db.read(), input.id).await;
            if known.map_err(|e| unreadable(call, "read an instruction", &e))?.is_none() {
                // Refused before it is written down, so that the same id may be used again after a top-up.
                let ask = BalancesOf { owner: input.party.0, as_of: None };
                let balances = self.inner.ledger.balances(call, ask).await.map_err(|e| match e {
                    Fault::Refused(_) => Fault::Internal,
                    other => other.map(|_| CustodyError::InsufficientFunds),
                })?;
                let means = ledger_api::means(&balances, &self.inner.port.custodian, input.amount);
                // The same order, arriving twice at once, may have been taken meanwhile, and its money with it.
                let taken = repo::maybe_instruction(self.inner.db.read(), input.id).await;
                let taken = taken.map_err(|e| unreadable(call, "read an instruction", &e))?.is_some();
                match means {
                    Means::Enough => {}
                    _ if taken => {}
                    Means::TooLittle => return Err(Fault::Refused(CustodyError::InsufficientFunds)),
                    Means::Blocked => return Err(Fault::Refused(CustodyError::AccountBlocked)),
                }
            }
            let from = self.key(input.party.0, input.amount, AccountKind::Available).id();
            let to = self.key(input.party.0, input.amount, AccountKind::Outside).id();
            let d = Draft {
                party: Some(input.party),
                amount: Some(input.amount),
                ask: json!({ "user_no": input.party.to_string(), "currency": input.amount.currency(), "amount": input.amount.minor() }),
                context: Context {
                    reservation: Some(derived::withdrawal_reservation(input.id)),
                    reserve: Some((from, to)),
                    ..Context::default()
                },
                waits_for_user: true,
                ..draft(input.id, "withdraw")
            };
            let i = self.inner.instruct(call, d, input).await?;
            match i.row.code.as_str() {
                "INSUFFICIENT_FUNDS" => Err(Fault::Refused(CustodyError::InsufficientFunds)),
                "ACCOUNT_BLOCKED" => Err(Fault::Refused(CustodyError::AccountBlocked)),
                _ => Ok(i.view()),
            }
        }
        .boxed()
    }

    fn create_project<'a>(
        &'a self,
        call: &'a Call,
        input: CreateProject,
    ) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            positive(input.amount)?;
            let d = Draft {
                party: Some(input.borrower),
                project: Some(input.project),
                amount: Some(input.amount),
                ask: json!({ "project_no": input.project.to_string(), "name": input.name, "user_no": input.borrower.to_string(),
                             "currency": input.amount.currency(), "amount": input.amount.minor(), "fee_max": input.fee_max.minor() }),
                lines_total: 0,
                ..draft(input.id, "create_project")
            };
            // What it is called is not part of what was ordered.
            let ordered = CreateProject { name: String::new(), ..input };
            Ok(self.inner.instruct(call, d, ordered).await?.view())
        }
        .boxed()
    }

    fn freeze<'a>(&'a self, call: &'a Call, input: Freeze) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            positive(input.amount)?;
            let d = Draft {
                party: Some(input.party),
                project: Some(input.project),
                amount: Some(input.amount),
                ask: json!({ "user_no": input.party.to_string(), "project_no": input.project.to_string(),
                             "purpose": input.purpose, "amount": input.amount.minor(), "by_hand": input.by_hand }),
                context: Context { reservation: Some(input.reservation), ..Context::default() },
                // With a consent it is done at once, without one the user is asked; either way a page's time suffices.
                waits_for_user: true,
                ..draft(input.id, "freeze")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn unfreeze<'a>(&'a self, call: &'a Call, input: Unfreeze) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            let freeze = repo::maybe_instruction(self.inner.db.read(), input.freeze).await;
            let freeze = freeze.map_err(|e| unreadable(call, "find a freeze", &e))?;
            let freeze = freeze.ok_or(Fault::Refused(CustodyError::ReferenceNotFound))?;
            let d = Draft {
                party: freeze.row.party.map(PartyId),
                project: freeze.row.project,
                amount: freeze.amount().ok(),
                ask: json!({ "freeze_no": input.freeze.to_string() }),
                context: Context { freeze: Some(input.freeze), ..Context::default() },
                ..draft(input.id, "unfreeze")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn disburse<'a>(&'a self, call: &'a Call, input: Disburse) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            let Some(first) = input.lines.first() else { return Err(Fault::Refused(CustodyError::ReferenceNotFound)) };
            let total = Money::sum(first.amount.currency(), input.lines.iter().map(|l| l.amount));
            let lines: Vec<_> = input
                .lines
                .iter()
                .map(|l| json!({ "line_no": l.line.to_string(), "freeze_no": l.freeze.to_string(), "amount": l.amount.minor() }))
                .collect();
            let d = Draft {
                party: Some(input.borrower),
                project: Some(input.project),
                amount: Some(total.map_err(|e| Fault::Malformed(e.to_string()))?),
                ask: json!({ "project_no": input.project.to_string(), "lines": lines }),
                lines_total: i64::try_from(input.lines.len()).unwrap_or(i64::MAX),
                ..draft(input.id, "disburse")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn unblock<'a>(&'a self, call: &'a Call, input: Unblock) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            positive(input.amount)?;
            let d = Draft {
                party: Some(input.borrower),
                project: Some(input.project),
                amount: Some(input.amount),
                ask: json!({ "project_no": input.project.to_string(), "amount": input.amount.minor() }),
                ..draft(input.id, "unblock")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn reverse_line<'a>(
        &'a self,
        call: &'a Call,
        input: ReverseLine,
    ) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            positive(input.amount)?;
            let d = Draft {
                amount: Some(input.amount),
                ask: json!({ "batch_no": input.batch.to_string(), "line_no": input.line.to_string(), "amount": input.amount.minor() }),
                ..draft(input.id, "reverse_line")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn repay<'a>(&'a self, call: &'a Call, input: Repay) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            let Some(first) = input.lines.first() else { return Err(Fault::Refused(CustodyError::ReferenceNotFound)) };
            let total = Money::sum(first.amount.currency(), input.lines.iter().map(|l| l.amount));
            let lines: Vec<_> = input
                .lines
                .iter()
                .map(|l| {
                    json!({ "line_no": l.line.to_string(), "user_no": l.holder.to_string(), "amount": l.amount.minor(),
                            "principal": l.principal.minor() })
                })
                .collect();
            let d = Draft {
                party: Some(input.borrower),
                project: Some(input.project),
                amount: Some(total.map_err(|e| Fault::Malformed(e.to_string()))?),
                ask: json!({ "project_no": input.project.to_string(), "freeze_no": input.freeze.to_string(), "lines": lines }),
                context: Context { freeze: Some(input.freeze), ..Context::default() },
                lines_total: i64::try_from(input.lines.len()).unwrap_or(i64::MAX),
                ..draft(input.id, "repay")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn charge_fee<'a>(
        &'a self,
        call: &'a Call,
        input: ChargeFee,
    ) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            inside(call)?;
            positive(input.amount)?;
            let d = Draft {
                party: Some(input.payer),
                project: Some(input.project),
                amount: Some(input.amount),
                ask: json!({ "user_no": input.payer.to_string(), "project_no": input.project.to_string(), "amount": input.amount.minor() }),
                ..draft(input.id, "fee")
            };
            Ok(self.inner.instruct(call, d, input).await?.view())
        }
        .boxed()
    }

    fn give_up<'a>(&'a self, call: &'a Call, input: GiveUp) -> Answer<'a, Vec<SettledLine>, CustodyError> {
        async move {
            inside(call)?;
            self.inner.give_up(call, input.order).await
        }
        .boxed()
    }

    fn close_break<'a>(&'a self, call: &'a Call, input: CloseBreak) -> Answer<'a, (), CustodyError> {
        async move {
            steering(call)?;
            self.inner.close_break(call, input.id).await
        }
        .boxed()
    }

    fn instruction<'a>(
        &'a self,
        call: &'a Call,
        input: InstructionOf,
    ) -> Answer<'a, InstructionView, CustodyError> {
        async move {
            let db = self.inner.db.read();
            let found = if input.newest {
                repo::newest_attempt(db, input.id).await
            } else {
                repo::maybe_instruction(db, input.id).await
            };
            let found = found.map_err(|e| unreadable(call, "read an instruction", &e))?;
            // To a stranger it is as if it were not there.
            let mine = |party: Option<Uuid>| {
                call.caller != Service::Gateway || (party.is_some() && party == call.party().map(|p| p.0))
            };
            match found {
                Some(i) if mine(i.row.party) => Ok(i.view()),
                _ => Err(Fault::Refused(CustodyError::InstructionNotFound)),
            }
        }
        .boxed()
    }

    fn instructions<'a>(
        &'a self,
        call: &'a Call,
        input: InstructionsOf,
    ) -> Answer<'a, Vec<InstructionView>, CustodyError> {
        async move {
            let watches = call.has_any(&[Role::Operations, Role::Auditor]);
            let own = input.party.is_some() && call.party() == input.party;
            if call.caller == Service::Gateway && !own && !watches {
                return Err(Fault::Forbidden);
            }
            let found = repo::instructions_of(self.inner.db.read(), &input).await;
            Ok(found
                .map_err(|e| unreadable(call, "read instructions", &e))?
                .iter()
                .map(|i| i.view())
                .collect())
        }
        .boxed()
    }

    fn cash_account<'a>(
        &'a self,
        call: &'a Call,
        input: CashAccountOf,
    ) -> Answer<'a, Option<CashAccountView>, CustodyError> {
        async move {
            let staff = call.is_staff();
            if call.caller == Service::Gateway && !staff && call.party() != Some(input.party) {
                return Err(Fault::Forbidden);
            }
            let found = repo::cash_account(self.inner.db.read(), input.party).await;
            let found = found.map_err(|e| unreadable(call, "find a cash account", &e))?;
            Ok(found.map(|a| CashAccountView {
                party: PartyId(a.party),
                custodian: a.custodian,
                opened_at: a.opened_at,
            }))
        }
        .boxed()
    }

    fn cash_balances<'a>(
        &'a self,
        call: &'a Call,
        input: CashAccountOf,
    ) -> Answer<'a, Vec<Money>, CustodyError> {
        async move {
            if call.caller == Service::Gateway && call.party() != Some(input.party) {
                return Err(Fault::Forbidden);
            }
            let found = repo::cash_balances(self.inner.db.read(), input.party).await;
            found.map_err(|e| unreadable(call, "add up cash movements", &e))
        }
        .boxed()
    }

    fn consents<'a>(&'a self, call: &'a Call, input: CashAccountOf) -> Answer<'a, Consents, CustodyError> {
        async move {
            if call.caller == Service::Gateway && !call.is_staff() && call.party() != Some(input.party) {
                return Err(Fault::Forbidden);
            }
            self.has_account(call, input.party).await?;
            let found = self.inner.port.consents(&input.party.to_string()).await.ok_or(Fault::Unavailable)?;
            let read = |line: AllowedLine| {
                let money = |minor| repo::money(minor, &line.currency);
                Ok(Consent {
                    scope: line.scope,
                    per_order: money(line.per_order)?,
                    total: money(line.total)?,
                    used: money(line.used)?,
                    expires_at: DateTime::from_timestamp(line.expires_at, 0).unwrap_or_default(),
                })
            };
            let consents = found.consents.into_iter().map(read).collect::<Result<_, sea_orm::DbErr>>();
            Ok(Consents {
                url: found.url,
                account_number: found.account_no,
                consents: consents.map_err(|e| unreadable(call, "read consents", &e))?,
            })
        }
        .boxed()
    }

    fn movements<'a>(
        &'a self,
        call: &'a Call,
        input: MovementsOf,
    ) -> Answer<'a, Vec<CashMovement>, CustodyError> {
        async move {
            if call.caller == Service::Gateway && call.party() != Some(input.party) {
                return Err(Fault::Forbidden);
            }
            let read = async {
                let found = repo::movements_of(self.inner.db.read(), &input).await?;
                found
                    .into_iter()
                    .map(|m| {
                        Ok(CashMovement {
                            id: MovementId(m.id),
                            amount: repo::money(m.amount, &m.currency)?,
                            number: m.number,
                            kind: m.kind,
                            source: m.source,
                            source_bucket: m.source_bucket,
                            target: m.target,
                            target_bucket: m.target_bucket,
                            instruction: m.request_no,
                            project: m.project_no.parse().ok().map(ListingId),
                            line: m.line_no.parse().ok().map(LineId),
                            business_date: m.business_date,
                            at: m.at,
                            mirrored: m.mirrored,
                        })
                    })
                    .collect::<Result<Vec<_>, sea_orm::DbErr>>()
            };
            read.await.map_err(|e| unreadable(call, "read cash movements", &e))
        }
        .boxed()
    }

    fn hint<'a>(&'a self, call: &'a Call, input: Hint) -> Answer<'a, (), CustodyError> {
        async move {
            if !matches!(call.caller, Service::Gateway | Service::Operator)
                || matches!(call.actor, kernel::Actor::Person { .. })
            {
                return Err(Fault::Forbidden);
            }
            let now = self.inner.clock.now();
            let write = self.inner.db.write(move |tx| {
                async move {
                    jobs::hasten(tx, Service::Custody, derived::instruction_job(input.instruction), now)
                        .await?;
                    tx.wake("custody:pull");
                    Ok::<(), WriteError<CustodyError>>(())
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "take a hint", e))
        }
        .boxed()
    }

    fn proof<'a>(&'a self, call: &'a Call, input: ProveBooks) -> Answer<'a, ProofReport, CustodyError> {
        async move {
            let watches = call.has_any(&[Role::Operations, Role::Auditor, Role::Administrator]);
            if call.caller == Service::Gateway && !watches {
                return Err(Fault::Forbidden);
            }
            crate::proof::prove(&self.inner, call, input.offline).await.map_err(|e| {
                tracing::error!(request = %call.request, cause = e, "the books could not be proved");
                Fault::Internal
            })
        }
        .boxed()
    }

    fn last_proof<'a>(
        &'a self,
        call: &'a Call,
        _: LastProofOf,
    ) -> Answer<'a, Option<ProofSummary>, CustodyError> {
        async move {
            let found = repo::last_proof(self.inner.db.read(), &self.inner.port.custodian).await;
            found.map_err(|e| unreadable(call, "read the last proof", &e))
        }
        .boxed()
    }

    fn anchored<'a>(&'a self, call: &'a Call, _: AnchoredOf) -> Answer<'a, Option<String>, CustodyError> {
        async move {
            steering(call)?;
            let kept = self.inner.port.anchor().await.ok_or(Fault::Unavailable)?;
            Ok(kept.and_then(|text| serde_json::from_str::<crate::proof::Anchor>(&text).ok()?.audit))
        }
        .boxed()
    }

    fn anchor<'a>(&'a self, call: &'a Call, input: AnchorBooks) -> Answer<'a, (), CustodyError> {
        async move {
            steering(call)?;
            crate::proof::anchor(&self.inner, call, input.audit).await.map_err(|e| {
                tracing::warn!(request = %call.request, cause = e, "the chain's head was not anchored");
                Fault::Unavailable
            })
        }
        .boxed()
    }

    fn in_flight<'a>(&'a self, call: &'a Call, _: InFlightOf) -> Answer<'a, InFlight, CustodyError> {
        async move {
            steering(call)?;
            let found = repo::unfinished(self.inner.db.read()).await;
            let found = found.map_err(|e| unreadable(call, "look what is on its way", &e))?;
            let waits = |i: &&repo::Instruction| i.status != InstructionStatus::AwaitingUser;
            let on_the_way = found.iter().filter(waits);
            Ok(InFlight {
                count: u32::try_from(on_the_way.clone().count()).unwrap_or(u32::MAX),
                oldest: on_the_way.map(|i| i.row.at).min(),
            })
        }
        .boxed()
    }

    fn open_day<'a>(
        &'a self,
        call: &'a Call,
        input: OpenCustodianDay,
    ) -> Answer<'a, chrono::NaiveDate, CustodyError> {
        async move {
            steering(call)?;
            self.inner.port.open_day(input.date).await.ok_or(Fault::Unavailable)
        }
        .boxed()
    }

    fn parked<'a>(&'a self, call: &'a Call, _: ParkedOf) -> Answer<'a, Vec<DeadLetter>, CustodyError> {
        async move { platform::reader::parked(call, &self.inner.db, Service::Custody).await }.boxed()
    }

    fn unpark<'a>(&'a self, call: &'a Call, input: Unpark) -> Answer<'a, bool, CustodyError> {
        async move {
            let now = self.inner.clock.now();
            platform::reader::unpark(call, &self.inner.db, Service::Custody, input, now).await
        }
        .boxed()
    }

    fn events<'a>(&'a self, call: &'a Call, input: EventsAfter) -> Answer<'a, EventPage, CustodyError> {
        async move {
            platform::outbox::for_services(call)?;
            self.inner
                .outbox
                .events(self.inner.db.read(), &input)
                .await
                .map_err(|e| unreadable(call, "read events", &e))
        }
        .boxed()
    }
}

impl CustodyService {
    /// The custodian's door to us: checks a notification's signature and freshness, and takes it as a hint.
    ///
    /// # Errors
    /// A word for the log.
    pub async fn notified(
        &self,
        path: &str,
        headers: &http::HeaderMap,
        body: &[u8],
    ) -> Result<InstructionId, String> {
        #[derive(serde::Deserialize)]
        struct Notice {
            request_no: InstructionId,
        }
        let port = &self.inner.port;
        let read = match port.notification(path, headers, body) {
            // Perhaps the custodian has a new key. Whoever may knock here could make us ask: not more often than so.
            Err(why) if why == UNKNOWN_KEY && self.inner.may_ask_for_keys() => {
                let claimed = crate::signature::claimed(headers).map(|(key_id, _)| key_id);
                self.inner.learn_key(&claimed.unwrap_or_default(), true).await;
                port.notification(path, headers, body)
            }
            read => read,
        };
        let (nonce, expires) = read.map_err(str::to_string)?;
        let notice: Notice = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        let now = self.inner.clock.now();
        let expires = chrono::DateTime::from_timestamp(expires, 0).unwrap_or(now);
        let write = self.inner.db.write(move |tx| {
            let nonce = nonce.clone();
            async move {
                if repo::fresh_nonce(tx, &nonce, expires, now).await? {
                    jobs::hasten(tx, Service::Custody, derived::instruction_job(notice.request_no), now)
                        .await?;
                    tx.wake("custody:pull");
                }
                Ok::<(), WriteError<()>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| format!("{e:?}"))?;
        Ok(notice.request_no)
    }
}
