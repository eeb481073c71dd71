//! What has been decided and needs no user is attempted again when it has finally failed: as a new instruction with a
//! number of its own, of the lines that are missing. After the last attempt it waits for a person.

use crate::repo::{self, Instruction};
use crate::service::Inner;
use chrono::{DateTime, Duration, Utc};
use custody_api::{CustodyError, CustodyEvent, InstructionStatus, SettledLine};
use kernel::Call;
use kernel::call::Service;
use kernel::id::{InstructionId, LineId, derived};
use platform::Fault;
use platform::db::{Tx, WriteError};
use platform::jobs;
use platform::service::{Trouble, published};
use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Orders that two people, or a rule, have decided; nobody waits at a page.
const REPEATED: [&str; 7] =
    ["create_project", "unfreeze", "disburse", "unblock", "reverse_line", "repay", "fee"];
/// Pauses before each further attempt.
const PAUSES_SECONDS: [i64; 5] = [10, 60, 600, 3_600, 14_400];

/// Which attempt at which order.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Attempt {
    order: InstructionId,
    number: u32,
    /// Whose order it is, for whoever looks at what waits.
    #[serde(default)]
    party: Option<Uuid>,
}

pub(crate) fn is_repeated(i: &Instruction) -> bool {
    REPEATED.contains(&i.row.operation.as_str())
}

/// Takes the next attempt back: what had failed has happened after all.
pub(crate) async fn call_off(tx: &Tx, i: &Instruction) -> Result<(), DbErr> {
    jobs::cancel(tx, Service::Custody, derived::attempt_job(i.order(), i.context.number + 1)).await
}

/// Plans the next attempt at what has just failed, wholly or in part.
pub(crate) async fn plan(
    tx: &Tx,
    i: &Instruction,
    now: DateTime<Utc>,
) -> Result<Option<CustodyEvent>, DbErr> {
    if i.status == InstructionStatus::Settled || !is_repeated(i) {
        return Ok(None);
    }
    let next = Attempt { order: i.order(), number: i.context.number + 1, party: i.row.party };
    let job = derived::attempt_job(next.order, next.number);
    let pause = usize::try_from(i.context.number).ok().and_then(|n| PAUSES_SECONDS.get(n));
    let due = pause.map(|p| now + Duration::seconds(*p));
    let (what, code, number) = (&i.row.operation, &i.row.code, next.number);
    let why = format!(
        "CUSTODIAN_REFUSED: the custodian has refused {what}, wholly or in part ({number} times): {code}"
    );
    jobs::mend(tx, Service::Custody, job, "attempt", &next, &why, due, now).await?;
    Ok(due.is_none().then(|| CustodyEvent::InstructionStuck { instruction: i.view() }))
}

/// The next attempt's instruction: what failed, under a new number.
fn again(
    last: &Instruction,
    next: Attempt,
    settled: &[SettledLine],
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Option<Instruction>, DbErr> {
    let id = derived::attempt(next.order, next.number);
    let mut body: Value = serde_json::from_str(&last.row.body).map_err(|e| DbErr::Json(e.to_string()))?;
    body["request_no"] = json!(id.to_string());
    body["expires_at"] = json!(expires_at.timestamp());
    let (mut amount, mut lines_total) = (last.row.amount, last.row.lines_total);
    let failed = &last.context.failed;
    if let Some(lines) = body["lines"].as_array_mut() {
        let is = |line: LineId, l: &Value| l["line_no"] == line.to_string();
        // What came late is not asked for again, whatever was said of it.
        lines.retain(|l| {
            (failed.is_empty() || failed.iter().any(|f| is(*f, l))) && !settled.iter().any(|s| is(s.line, l))
        });
        if lines.is_empty() {
            return Ok(None);
        }
        amount = lines.iter().filter_map(|l| l["amount"].as_i64()).sum();
        lines_total = i64::try_from(lines.len()).unwrap_or(i64::MAX);
    }
    let context = repo::Context {
        failed: Vec::new(),
        order: Some(next.order),
        number: next.number,
        attempts: 0,
        given_up: false,
        ..last.context.clone()
    };
    let row = entity_custody::instruction::Model {
        id: id.0,
        amount,
        body: body.to_string(),
        context: serde_json::to_string(&context).map_err(|e| DbErr::Json(e.to_string()))?,
        status: InstructionStatus::Drafted.code().into(),
        code: String::new(),
        redirect_url: String::new(),
        attempts: 0,
        lines_total,
        lines_settled: 0,
        lines_failed: 0,
        expires_at,
        at: now,
        updated_at: now,
        ..last.row.clone()
    };
    Ok(Some(Instruction { row, context, status: InstructionStatus::Drafted }))
}

/// The lines of an order that have settled, in whichever attempt.
async fn settled_lines(tx: &Tx, first: &Instruction) -> Result<Vec<SettledLine>, DbErr> {
    let mut settled = Vec::new();
    for number in 0..=first.context.attempts {
        let batch = match number {
            0 => first.id(),
            n => derived::attempt(first.id(), n),
        };
        let movements = repo::movements_of_request(tx, &batch.to_string()).await?;
        let lines = movements.iter().filter_map(|m| m.line_no.parse().ok());
        settled.extend(lines.map(|l| SettledLine { line: LineId(l), batch }));
    }
    Ok(settled)
}

impl Inner {
    /// Makes an attempt; the same one again makes nothing.
    pub(crate) async fn attempt(&self, next: Attempt) -> Result<(), Trouble> {
        let now = self.clock.now();
        let write = self.db.write(move |tx| {
            Box::pin(async move {
                let Some(mut first) = repo::lock_instruction(tx, next.order).await? else { return Ok(None) };
                if first.context.given_up || first.context.attempts >= next.number {
                    return Ok(None);
                }
                let last = match next.number {
                    1 => None,
                    n => repo::maybe_instruction(tx, derived::attempt(next.order, n - 1)).await?,
                };
                let expires_at = now + Duration::minutes(crate::instruct::ORDER_MINUTES);
                let settled = settled_lines(tx, &first).await?;
                let last = last.as_ref().unwrap_or(&first);
                let fresh = again(last, next, &settled, expires_at, now)?;
                let Some(fresh) = fresh.filter(|_| last.status != InstructionStatus::Settled) else {
                    return Ok(None);
                };
                let id = fresh.id();
                repo::insert_instruction(tx, fresh.row).await?;
                first.context.attempts = next.number;
                repo::update_instruction(tx, &first, now).await?;
                // A moment later than the look that follows at once; it is the net below it.
                let due = now + Duration::seconds(1);
                let job = derived::instruction_job(id);
                jobs::enqueue(tx, Service::Custody, job, "instruction", &id, due, now).await?;
                Ok::<_, WriteError<()>>(Some(id))
            })
        });
        let Some(id) = write.await.map_err(|e| Trouble::from(format!("{e:?}")))? else { return Ok(()) };
        if let Err(e) = self.look(id).await {
            tracing::warn!(instruction = %id, error = %e, "the first try of an attempt failed; it is tried again");
        }
        Ok(())
    }

    /// Ends the attempts at an order, for whoever undoes what was done of it.
    pub(crate) async fn give_up(
        &self,
        call: &Call,
        order: InstructionId,
    ) -> Result<Vec<SettledLine>, Fault<CustodyError>> {
        let now = self.clock.now();
        let write = self.db.write(move |tx| {
            Box::pin(async move {
                let found = repo::lock_instruction(tx, order).await?;
                let mut first = found.ok_or(WriteError::Refused(CustodyError::InstructionNotFound))?;
                let newest = match first.context.attempts {
                    0 => None,
                    n => repo::maybe_instruction(tx, derived::attempt(order, n)).await?,
                };
                if !newest.as_ref().unwrap_or(&first).status.is_final() {
                    return Err(WriteError::Refused(CustodyError::StillUnderWay));
                }
                let settled = settled_lines(tx, &first).await?;
                jobs::cancel(tx, Service::Custody, derived::attempt_job(order, first.context.attempts + 1))
                    .await?;
                first.context.given_up = true;
                repo::update_instruction(tx, &first, now).await?;
                Ok(settled)
            })
        });
        write.await.map_err(|e| published(call, "give an order up", e))
    }
}
