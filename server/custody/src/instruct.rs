//! Intents go out: written down first, sent under the instruction's own number, asked for while in doubt.

use crate::attempt::{self, Attempt};
use crate::mirror;
use crate::port::{Asked, Found, Reply};
use crate::post::{Parse, complete};
use crate::repo::{self, Context, Instruction};
use crate::service::Inner;
use chrono::Duration;
use custody_api::{CustodyError, CustodyEvent, InstructionStatus};
use entity_custody::{cash_account, instruction};
use finance::Money;
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::Call;
use kernel::call::Service;
use kernel::id::{InstructionId, LineId, PartyId, derived};
use ledger_api::batch::{Code, Operation, PostBatch};
use ledger_api::{Ledger, OutcomeCode};
use platform::db::WriteError;
use platform::jobs::{self, Done, Job, Worker};
use platform::service::Trouble;
use platform::{Fault, commands};
use sea_orm::DbErr;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// An order without a page is refused by the custodian after this, and "not found" then means failed. It outlasts any
/// outage, for the same number must be sent again after it; long before, the doubt is a dead letter that people see.
pub(crate) const ORDER_MINUTES: i64 = 7 * 24 * 60;
/// A page waits for its user so long.
const PAGE_MINUTES: i64 = 15;
/// Pauses while the outcome is in doubt (custody.md, rule D6.4).
const DOUBT_SECONDS: [i64; 6] = [1, 5, 30, 120, 600, 1_800];
/// In doubt for longer than this, a person must look.
const DOUBT_HOURS_MAX: i64 = 24;

/// A new instruction.
pub(crate) struct Draft {
    pub(crate) id: InstructionId,
    pub(crate) operation: &'static str,
    pub(crate) party: Option<PartyId>,
    pub(crate) project: Option<Uuid>,
    pub(crate) amount: Option<Money>,
    /// The operation's own fields, as the custodian reads them.
    pub(crate) ask: Value,
    pub(crate) context: Context,
    /// Movements after which it is settled; none for what moves no money.
    pub(crate) lines_total: i64,
    pub(crate) waits_for_user: bool,
}

impl Inner {
    /// Writes the intent down, once, and makes the first attempt. Answers the newest attempt.
    pub(crate) async fn instruct<C: Serialize + Send + Sync + 'static>(
        &self,
        call: &Call,
        draft: Draft,
        content: C,
    ) -> Result<Instruction, Fault<CustodyError>> {
        let id = draft.id;
        let now = self.clock.now();
        let minutes = if draft.waits_for_user { PAGE_MINUTES } else { ORDER_MINUTES };
        let expires_at = now + Duration::minutes(minutes);
        let mut body = draft.ask.clone();
        body["operation"] = json!(draft.operation);
        body["request_no"] = json!(id.to_string());
        body["expires_at"] = json!(expires_at.timestamp());
        body["business"] =
            json!(format!("{}:{}", draft.operation, draft.project.map_or(String::new(), |p| p.to_string())));
        let context = serde_json::to_string(&draft.context).map_err(|e| Fault::Malformed(e.to_string()))?;
        let row = instruction::Model {
            id: id.0,
            operation: draft.operation.into(),
            party: draft.party.map(|p| p.0),
            project: draft.project,
            amount: draft.amount.map_or(0, Money::minor),
            currency: draft.amount.map_or(String::new(), |a| a.currency().code().to_string()),
            body: body.to_string(),
            context,
            status: InstructionStatus::Drafted.code().into(),
            code: String::new(),
            redirect_url: String::new(),
            attempts: 0,
            lines_total: draft.lines_total,
            lines_settled: 0,
            lines_failed: 0,
            expires_at,
            at: now,
            updated_at: now,
        };
        let content = Arc::new(content);
        let write = self.db.write(move |tx| {
            let (row, content) = (row.clone(), content.clone());
            async move {
                let kind = row.operation.clone();
                let work = async {
                    repo::insert_instruction(tx, row.clone()).await?;
                    let job = derived::instruction_job(id);
                    // A moment later than the attempt that follows at once; it is the net below it.
                    jobs::enqueue(
                        tx,
                        Service::Custody,
                        job,
                        "instruction",
                        &id,
                        now + Duration::seconds(1),
                        now,
                    )
                    .await?;
                    Ok(())
                };
                commands::once(
                    tx,
                    "custody",
                    id.0,
                    &kind,
                    &*content,
                    now,
                    CustodyError::InstructionIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| platform::service::published(call, "write an instruction down", e))?;
        if let Err(e) = self.look(id).await {
            tracing::warn!(instruction = %id, error = %e, "the first attempt failed; it is tried again");
        }
        let newest = repo::newest_attempt(self.db.read(), id).await;
        let found = newest.map_err(|e| platform::service::unreadable(call, "read an instruction", &e))?;
        found.ok_or(Fault::Refused(CustodyError::InstructionNotFound))
    }

    /// Does the next thing for an instruction: send, ask, or nothing.
    pub(crate) async fn look(&self, id: InstructionId) -> Result<InstructionStatus, Trouble> {
        let read = |e: DbErr| e.to_string();
        let Some(i) = repo::maybe_instruction(self.db.read(), id).await.map_err(read)? else {
            return Err("the instruction is not there".into());
        };
        if i.status.is_final() {
            return Ok(i.status);
        }
        if i.status == InstructionStatus::Drafted {
            return self.send(&i).await;
        }
        match self.port.query(&id.to_string()).await {
            Asked::Found(found) => self.found(&i, found).await,
            // It never got there. Under the same number with the same content it may be sent again, until it expires.
            Asked::NotFound if self.clock.now() < i.row.expires_at => self.send(&i).await,
            Asked::NotFound => self.fail(&i, InstructionStatus::Failed, "NOT_FOUND_AFTER_EXPIRY").await,
            Asked::Unknown => self.status(&i, InstructionStatus::Unknown, "").await,
        }
    }

    async fn send(&self, i: &Instruction) -> Result<InstructionStatus, Trouble> {
        if let Some(refusal) = self.reserve(i).await? {
            let code =
                if refusal == OutcomeCode::DebitBlocked { "ACCOUNT_BLOCKED" } else { "INSUFFICIENT_FUNDS" };
            return self.fail(i, InstructionStatus::Failed, code).await;
        }
        match self.port.request(&i.row.body).await {
            None => self.status(i, InstructionStatus::Unknown, "").await,
            Some(Reply::Redirect { url }) => self.status(i, InstructionStatus::AwaitingUser, &url).await,
            // It proves that the first one is there: what became of that is asked for.
            Some(Reply::Rejected { code }) if code == "IDEMPOTENCY_CONFLICT" => {
                self.status(i, InstructionStatus::Unknown, "").await
            }
            Some(Reply::Rejected { code }) => self.fail(i, InstructionStatus::Failed, &code).await,
            Some(Reply::Accepted { status }) => {
                // Which lines of a batch failed only the query tells.
                match self.port.query(&i.id().to_string()).await {
                    Asked::Found(found) => self.found(i, found).await,
                    _ => self.found(i, Found { status, code: String::new(), lines: Vec::new() }).await,
                }
            }
        }
    }

    /// Sets aside in the ledger what a withdrawal will take.
    async fn reserve(&self, i: &Instruction) -> Result<Option<OutcomeCode>, Trouble> {
        let (Some((debit, credit)), Some(id)) = (i.context.reserve, i.context.reservation) else {
            return Ok(None);
        };
        let amount = i.amount()?;
        let operation =
            Operation::Reserve { id, debit, credit, amount, code: Code::Withdrawal, reference: i.row.id };
        let batch = PostBatch {
            id: derived::reservation_batch(id),
            linked: true,
            value_date: None,
            operations: vec![operation],
        };
        let posted = self.ledger.post_batch(&self.call("reserve a withdrawal"), batch).await?;
        Ok(posted.first_refusal())
    }

    pub(crate) fn call(&self, work: &str) -> Call {
        let now = self.clock.now();
        Call::system(
            work,
            Service::Custody,
            kernel::id::RequestId(self.entropy.uuid(now)),
            now + Duration::seconds(30),
        )
    }

    async fn found(&self, i: &Instruction, found: Found) -> Result<InstructionStatus, Trouble> {
        let failed: Vec<LineId> = found
            .lines
            .iter()
            .filter(|l| l.status == "FAILED")
            .filter_map(|l| l.line_no.parse().ok().map(LineId))
            .collect();
        match found.status.as_str() {
            // The reply with the page got lost: the same bytes again bring the same page.
            "AWAITING_USER" if i.row.redirect_url.is_empty() => Box::pin(self.send(i)).await,
            "AWAITING_USER" => self.status(i, InstructionStatus::AwaitingUser, "").await,
            "CANCELLED" => self.fail(i, InstructionStatus::Cancelled, &found.code).await,
            "EXPIRED" => self.fail(i, InstructionStatus::Expired, &found.code).await,
            "FAILED" if i.row.lines_total <= 1 || failed.is_empty() => {
                self.fail(i, InstructionStatus::Failed, &found.code).await
            }
            _ => self.taken(i.id(), failed).await,
        }
    }

    /// The custodian has taken it: what it did comes as movements.
    async fn taken(&self, id: InstructionId, failed: Vec<LineId>) -> Result<InstructionStatus, Trouble> {
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        let custodian = self.port.custodian.clone();
        let write = self.db.write(move |tx| {
            let (outbox, failed, custodian) = (outbox.clone(), failed.clone(), custodian.clone());
            async move {
                let Some(mut i) = repo::lock_instruction(tx, id).await? else {
                    return Ok(InstructionStatus::Failed);
                };
                if i.status.is_final() {
                    return Ok(i.status);
                }
                i.status = InstructionStatus::Accepted;
                i.row.redirect_url = String::new();
                i.row.lines_failed = i64::try_from(failed.len()).unwrap_or(0);
                i.context.failed = failed;
                let mut events = complete(tx, &mut i, now).await?;
                if i.row.operation == "open_account"
                    && i.status == InstructionStatus::Settled
                    && let Some(party) = i.row.party
                {
                    let row = cash_account::Model {
                        party,
                        custodian: custodian.clone(),
                        opened_by: i.row.id,
                        opened_at: now,
                    };
                    if repo::insert_cash_account(tx, row).await? {
                        events.push(CustodyEvent::CashAccountOpened { party: PartyId(party), custodian });
                    }
                }
                repo::update_instruction(tx, &i, now).await?;
                if !events.is_empty() {
                    outbox.announce_all(tx, &events).await?;
                }
                tx.wake("custody:pull");
                Ok::<_, WriteError<()>>(i.status)
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }

    async fn status(
        &self,
        i: &Instruction,
        status: InstructionStatus,
        url: &str,
    ) -> Result<InstructionStatus, Trouble> {
        let (id, url, now) = (i.id(), url.to_string(), self.clock.now());
        let write = self.db.write(move |tx| {
            let url = url.clone();
            async move {
                let Some(mut i) = repo::lock_instruction(tx, id).await? else { return Ok(status) };
                // Only forwards: what is known to be taken does not become doubtful again.
                if i.status.is_final()
                    || (i.status == InstructionStatus::Accepted && status == InstructionStatus::Unknown)
                {
                    return Ok(i.status);
                }
                i.row.attempts += i64::from(status == InstructionStatus::Unknown);
                i.status = status;
                // A doubt in between does not take the page away.
                if !url.is_empty() {
                    i.row.redirect_url = url;
                }
                repo::update_instruction(tx, &i, now).await?;
                Ok::<_, WriteError<()>>(status)
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }

    /// It finally did not happen: what was set aside is free again, then the failure is told.
    async fn fail(
        &self,
        i: &Instruction,
        status: InstructionStatus,
        code: &str,
    ) -> Result<InstructionStatus, Trouble> {
        if let Some(reservation) = i.context.reservation {
            let id = derived::reservation_void_batch(reservation);
            let batch =
                PostBatch { id, linked: true, value_date: None, operations: vec![mirror::void(reservation)] };
            let posted = self.ledger.post_batch(&self.call("free a reservation"), batch).await?;
            // There is none where it was refused, and none left where a mirror came first.
            if let Some(code) = posted.first_refusal()
                && !matches!(code, OutcomeCode::ReservationNotFound | OutcomeCode::ReservationEnded)
            {
                return Err(format!("a reservation cannot be freed: {code:?}").into());
            }
        }
        let (outbox, id, code, now) = (self.outbox.clone(), i.id(), code.to_string(), self.clock.now());
        let write = self.db.write(move |tx| {
            let (outbox, code) = (outbox.clone(), code.clone());
            async move {
                let Some(mut i) = repo::lock_instruction(tx, id).await? else { return Ok(status) };
                if i.status.is_final() {
                    return Ok(i.status);
                }
                i.status = status;
                i.row.code = code;
                i.row.redirect_url = String::new();
                repo::update_instruction(tx, &i, now).await?;
                let stuck = attempt::plan(tx, &i, now).await?;
                let failed = CustodyEvent::InstructionFailed { instruction: i.view() };
                outbox.announce_all(tx, &[failed].into_iter().chain(stuck).collect::<Vec<_>>()).await?;
                Ok::<_, WriteError<()>>(status)
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }

    /// Learns the custodian's key of this name, if it is a new one: from what we keep, or by asking. What does not lead back
    /// to the pinned key is not believed, and whoever needs the key finds it missing.
    pub(crate) async fn learn_key(&self, key_id: &str, ask: bool) {
        let keys = &self.port.custodian_keys;
        if keys.of(key_id).is_some() {
            return;
        }
        let kept = repo::keys(self.db.read(), &self.port.custodian).await;
        match kept {
            Ok(kept) if !kept.is_empty() => {
                if let Err(why) = keys.accept(&kept) {
                    tracing::error!(why, "the custodian's keys as kept do not lead back to the pinned one");
                }
            }
            Ok(_) => {}
            Err(e) => tracing::warn!(error = %e, "the custodian's keys cannot be read"),
        }
        if !ask || keys.of(key_id).is_some() {
            return;
        }
        let Some(lines) = self.port.keys().await else { return };
        if let Err(why) = keys.accept(&lines) {
            tracing::error!(why, "the custodian speaks of keys that do not lead back to the pinned one");
            return;
        }
        let custodian = self.port.custodian.clone();
        let write = self.db.write(move |tx| {
            let (lines, custodian) = (lines.clone(), custodian.clone());
            async move { repo::keep_keys(tx, &custodian, &lines).await.map_err(WriteError::<()>::from) }
                .boxed()
        });
        if let Err(e) = write.await {
            tracing::warn!(error = ?e, "the custodian's keys were not kept; they are asked for again");
        }
    }

    /// Gives back a freeze that came after it had been given up.
    pub(crate) async fn unfreeze_late(&self, freeze: InstructionId) -> Result<(), Fault<CustodyError>> {
        let id = derived::late_freeze_unfreeze(freeze);
        let draft = Draft {
            id,
            operation: "unfreeze",
            party: None,
            project: None,
            amount: None,
            ask: json!({ "freeze_no": freeze.to_string() }),
            context: Context { freeze: Some(freeze), ..Context::default() },
            lines_total: 1,
            waits_for_user: false,
        };
        self.instruct(&self.call("give back a late freeze"), draft, freeze).await.map(drop)
    }
}

/// Looks after instructions until their last word.
pub struct Watch(pub Arc<Inner>);

impl Worker for Watch {
    fn work<'a>(&'a self, _: &'a Call, job: &'a Job) -> BoxFuture<'a, Result<Done, Trouble>> {
        async move {
            if job.kind == "attempt" {
                let next: Attempt = serde_json::from_str(&job.body)?;
                return self.0.attempt(next).await.map(|()| Done::Finished);
            }
            let text: String = serde_json::from_str(&job.body)?;
            let id = InstructionId::parse(&text).ok_or("a job names no instruction")?;
            let status = self.0.look(id).await?;
            let now = self.0.clock.now();
            Ok(match status {
                s if s.is_final() => Done::Finished,
                InstructionStatus::Unknown => {
                    let i = repo::maybe_instruction(self.0.db.read(), id).await?;
                    let (attempts, since) = i.map_or((0, now), |i| (i.row.attempts, i.row.at));
                    if now - since > Duration::hours(DOUBT_HOURS_MAX) {
                        return Ok(Done::Dead(
                            "the custodian has not said for a day what became of it".into(),
                        ));
                    }
                    let pause = usize::try_from(attempts).ok().and_then(|n| DOUBT_SECONDS.get(n));
                    Done::Again(now + Duration::seconds(*pause.unwrap_or(&1_800)))
                }
                // A page may be used at any moment; notifications hasten this.
                InstructionStatus::AwaitingUser => Done::Again(now + Duration::seconds(30)),
                _ => Done::Again(now + Duration::seconds(5)),
            })
        }
        .boxed()
    }
}
