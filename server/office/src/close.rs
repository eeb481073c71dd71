//! The close of business: a fixed order of steps, each done once for a date and written down before the next begins.
//!
//! A crash between doing a step and writing it down repeats the step, which every step bears. The run is a job: it is
//! leased, tried again after a failure, and ends on the list of what waits for a person when it cannot go on.

use crate::repo;
use crate::service::Inner;
use chrono::{Days, Duration, NaiveDate};
use custody_api::{AnchorBooks, Custody, InFlightOf, OpenCustodianDay, ProveBooks, Verdict};
use futures::FutureExt;
use futures::future::BoxFuture;
use investing_api::Investing;
use kernel::Call;
use kernel::call::{Role, Service};
use kernel::id::{RequestId, derived};
use lending_api::Lending;
use office_api::*;
use platform::db::WriteError;
use platform::jobs::{self, Done, Job, Worker};
use platform::service::{Trouble, published, unreadable};
use platform::work::{Loop, Progress, StepError};
use platform::{Fault, calendar};
use std::sync::Arc;

/// How long a close waits for the day's work before it goes on without; what is late then shows in the proof.
const DRAIN_MINUTES: i64 = 15;

/// What a step came to.
enum Step {
    Done(Option<CloseFinding>),
    /// Not yet; look again soon.
    Wait,
    /// People must look at it first.
    Halt(CloseFinding),
}

impl Inner {
    pub(crate) async fn close_day(
        &self,
        call: &Call,
        input: CloseDay,
    ) -> Result<CloseView, Fault<OfficeError>> {
        let by_staff = call.has_any(&[Role::Operations, Role::Administrator]);
        if !by_staff && call.caller == Service::Gateway {
            return Err(Fault::Forbidden);
        }
        let now = self.clock.now();
        let (date, by, free) = (input.date, call.party(), self.days_by_hand);
        let write = self.db.write(move |tx| {
            async move {
                if let Some(found) = repo::maybe_close(tx, Some(date)).await? {
                    if found.status == CloseStatus::Halted {
                        repo::set_close(tx, date, CloseStatus::Running, None, None).await?;
                    }
                    if found.status != CloseStatus::Done {
                        // Also for one that says it runs: the job that halted may have ended only after this word came.
                        jobs::enqueue(
                            tx,
                            Service::Office,
                            derived::close_job(date),
                            "close",
                            &date,
                            now,
                            now,
                        )
                        .await?;
                        jobs::revive(tx, Service::Office, derived::close_job(date), now).await?;
                        return repo::maybe_close(tx, Some(date))
                            .await?
                            .ok_or(WriteError::Refused(OfficeError::TaskNotFound));
                    }
                    return Ok(found);
                }
                let today = calendar::today(tx).await?;
                if date != today {
                    return Err(WriteError::Refused(OfficeError::DayDiffers { today }));
                }
                if !free && date >= now.date_naive() {
                    return Err(WriteError::Refused(OfficeError::DayNotOver));
                }
                let view = CloseView {
                    date,
                    next: date + Days::new(1),
                    status: CloseStatus::Running,
                    finding: None,
                    steps: Vec::new(),
                    begun_by: by,
                    at: now,
                };
                repo::insert_close(tx, &view).await?;
                jobs::enqueue(tx, Service::Office, derived::close_job(date), "close", &date, now, now)
                    .await?;
                Ok(view)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "close a day", e))
    }

    pub(crate) async fn day(
        &self,
        call: &Call,
        input: DayOf,
    ) -> Result<Option<CloseView>, Fault<OfficeError>> {
        let staff = call.is_staff();
        if !staff && call.caller == Service::Gateway {
            return Err(Fault::Forbidden);
        }
        repo::maybe_close(self.db.read(), input.date).await.map_err(|e| unreadable(call, "read a close", &e))
    }

    async fn step(&self, call: &Call, close: &CloseView, step: CloseStep) -> Result<Step, Trouble> {
        match step {
            CloseStep::Drain => {
                let waiting = self.custody.in_flight(call, InFlightOf {}).await?;
                if waiting.count == 0 {
                    return Ok(Step::Done(None));
                }
                let patience = self.clock.now() - close.at > Duration::minutes(DRAIN_MINUTES);
                Ok(if patience {
                    Step::Done(Some(CloseFinding::StillOnTheWay { count: waiting.count }))
                } else {
                    Step::Wait
                })
            }
            CloseStep::Proof => {
                let report = self.custody.proof(call, ProveBooks::default()).await?;
                Ok(match report.verdict {
                    Verdict::Matched => Step::Done(Some(CloseFinding::BooksMatched)),
                    Verdict::InFlight { count, oldest, .. } => {
                        let count = u32::try_from(count).unwrap_or(u32::MAX);
                        Step::Done(Some(CloseFinding::BooksInFlight { count, since: oldest }))
                    }
                    Verdict::Broken => Step::Halt(CloseFinding::BooksBroken { what: report.last_line() }),
                })
            }
            CloseStep::Anchor => {
                let audit = match self.act_anchor(call).await? {
                    Ok(audit) => audit,
                    Err(fault) => return Ok(Step::Halt(CloseFinding::AuditBroken { what: fault })),
                };
                self.custody.anchor(call, AnchorBooks { audit }).await?;
                Ok(Step::Done(None))
            }
            CloseStep::CustodianDate => {
                let there = self.custody.open_day(call, OpenCustodianDay { date: close.next }).await?;
                Ok(if there >= close.next {
                    Step::Done(Some(CloseFinding::Begun { date: there }))
                } else {
                    Step::Wait
                })
            }
            CloseStep::BusinessDate => {
                let (from, to) = (close.date, close.next);
                let write = self.db.write(move |tx| {
                    async move { calendar::advance(tx, from, to).await.map_err(WriteError::<()>::from) }
                        .boxed()
                });
                write.await.map_err(|e| Trouble::from(format!("{e:?}")))?;
                Ok(Step::Done(Some(CloseFinding::Begun { date: to })))
            }
            CloseStep::Listings => {
                let run = investing_api::RunDay { date: close.next };
                self.investing.run_day(call, run).await?;
                Ok(Step::Done(None))
            }
            CloseStep::Repayments => {
                let run = lending_api::RunDay { date: close.next };
                let run = self.lending.run_day(call, run).await?;
                Ok(Step::Done(Some(CloseFinding::DayRun {
                    repayments_begun: run.repayments_begun,
                    became_overdue: run.became_overdue,
                })))
            }
        }
    }

    async fn write_step(
        &self,
        close: &CloseView,
        step: CloseStep,
        finding: Option<CloseFinding>,
    ) -> Result<(), Trouble> {
        let (date, outbox, now) = (close.date, self.outbox.clone(), self.clock.now());
        let write = self.db.write(move |tx| {
            let (outbox, finding) = (outbox.clone(), finding.clone());
            async move {
                repo::insert_close_step(tx, date, step, finding.as_ref(), now).await?;
                if step == CloseStep::ALL[CloseStep::ALL.len() - 1] {
                    repo::set_close(tx, date, CloseStatus::Done, None, Some(now)).await?;
                    if let Some(close) = repo::maybe_close(tx, Some(date)).await? {
                        outbox.announce(tx, &OfficeEvent::DayClosed { close }).await?;
                    }
                }
                Ok::<(), WriteError<()>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }

    async fn halt(&self, date: NaiveDate, why: CloseFinding) -> Result<(), Trouble> {
        let write = self.db.write(move |tx| {
            let why = why.clone();
            async move {
                repo::set_close(tx, date, CloseStatus::Halted, Some(&why), None)
                    .await
                    .map_err(WriteError::<()>::from)
            }
            .boxed()
        });
        write.await.map_err(|e| Trouble::from(format!("{e:?}")))
    }
}

/// Where days are not closed by hand: closes a business date when it is over by the clock (UTC).
pub(crate) struct Midnight(pub(crate) Arc<Inner>);

impl Loop for Midnight {
    fn name(&self) -> String {
        "midnight".into()
    }

    fn channel(&self) -> String {
        "midnight".into()
    }

    fn pause(&self) -> std::time::Duration {
        std::time::Duration::from_secs(30)
    }

    fn step(&self) -> BoxFuture<'_, Result<Progress, StepError>> {
        async move {
            let inner = &self.0;
            if inner.days_by_hand {
                return Ok(Progress::Idle);
            }
            let date = calendar::today(inner.db.read()).await?;
            let now = inner.clock.now();
            if date >= now.date_naive() || repo::maybe_close(inner.db.read(), Some(date)).await?.is_some() {
                return Ok(Progress::Idle);
            }
            let request = RequestId(inner.entropy.uuid(now));
            let call = Call::system("midnight", Service::Office, request, now + Duration::seconds(30));
            inner.close_day(&call, CloseDay { date }).await.map_err(|e| StepError(e.to_string()))?;
            Ok(Progress::Did)
        }
        .boxed()
    }
}

/// Works the close of one date.
pub(crate) struct Closes(pub(crate) Arc<Inner>);

impl Worker for Closes {
    fn work<'a>(&'a self, call: &'a Call, job: &'a Job) -> BoxFuture<'a, Result<Done, Trouble>> {
        async move {
            let inner = &self.0;
            let date: NaiveDate = serde_json::from_str(&job.body)?;
            let found = repo::maybe_close(inner.db.read(), Some(date)).await?;
            let Some(close) = found.filter(|c| c.status == CloseStatus::Running) else {
                return Ok(Done::Finished);
            };
            for step in CloseStep::ALL {
                if close.steps.iter().any(|s| s.step == step) {
                    continue;
                }
                match inner.step(call, &close, step).await? {
                    Step::Done(finding) => inner.write_step(&close, step, finding).await?,
                    Step::Wait => return Ok(Done::Again(inner.clock.now() + Duration::seconds(1))),
                    Step::Halt(why) => {
                        tracing::error!(%date, step = step.code(), %why, "the close of business halts");
                        inner.halt(date, why).await?;
                        return Ok(Done::Finished);
                    }
                }
            }
            Ok(Done::Finished)
        }
        .boxed()
    }
}
