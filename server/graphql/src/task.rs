//! The staff's queue, and the close of business.

use crate::application::Application;
use crate::context::{asker, loader, services};
use crate::error::OfficeUserError;
use crate::id::Gid;
use crate::listing::Listing;
use crate::loan::{Loan, loaded};
use crate::party::{Party, Role};
use crate::payload;
use crate::scalars::{Date, DateTime};
use async_graphql::{Context, Enum, InputObject, Object, Result, SimpleObject, Union};
use kernel::id::{ApplicationId, ListingId, LoanId, PartyId, TaskId};
use office_api::*;

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "office_api::TaskKind")]
pub enum TaskKind {
    CreditDecision,
    Disbursement,
    /// Giving everything back of a disbursement that cannot be completed; a refusal lets it go on being tried.
    DisbursementUndo,
    /// A cash movement that does not fit the books; approved when it has been explained.
    Break,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "office_api::TaskStatus")]
pub enum TaskStatus {
    Open,
    Claimed,
    /// One person approved; another must.
    Proposed,
    Approved,
    Refused,
}

/// One person's word.
pub struct Approval(ApprovalView);

#[Object]
impl Approval {
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        loaded(loader(ctx).load_one(self.0.party).await).map(|p| p.map(Party::from))
    }

    /// In which role.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    async fn approve(&self) -> bool {
        self.0.approve
    }

    async fn note(&self) -> &str {
        &self.0.note
    }

    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }
}

/// What a task is about.
#[derive(Union)]
pub enum Subject {
    Application(Application),
    Listing(Listing),
    Loan(Loan),
}

/// Something two people decide.
pub struct Task(pub TaskView);

impl From<TaskView> for Task {
    fn from(t: TaskView) -> Task {
        Task(t)
    }
}

#[Object]
impl Task {
    pub async fn id(&self) -> Gid<TaskId> {
        Gid(self.0.id)
    }

    async fn kind(&self) -> TaskKind {
        self.0.kind.into()
    }

    /// In a line.
    async fn about(&self) -> &str {
        &self.0.about
    }

    async fn status(&self) -> TaskStatus {
        self.0.status.into()
    }

    async fn claimed_by(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        let Some(party) = self.0.claimed_by else { return Ok(None) };
        loaded(loader(ctx).load_one(party).await).map(|p| p.map(Party::from))
    }

    /// Who may say a word on it.
    async fn roles(&self) -> Vec<Role> {
        self.0.kind.roles().iter().copied().map(Role::from).collect()
    }

    /// Whether whoever asks may still say a word on it: not decided, in one of their roles, not to their
    /// gain, and no word of theirs on it.
    async fn waits_for_me(&self, ctx: &Context<'_>) -> bool {
        self.0.waits_for(&asker(ctx).call())
    }

    /// Who said what, in order.
    async fn approvals(&self) -> Vec<Approval> {
        self.0.approvals.iter().cloned().map(Approval).collect()
    }

    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    async fn subject(&self, ctx: &Context<'_>) -> Result<Option<Subject>> {
        match self.0.kind {
            office_api::TaskKind::CreditDecision => {
                let found = loader(ctx).load_one(ApplicationId(self.0.subject)).await;
                loaded(found).map(|a| a.map(|a| Subject::Application(Application(a))))
            }
            office_api::TaskKind::Disbursement => {
                let found = loader(ctx).load_one(ListingId(self.0.subject)).await;
                loaded(found).map(|l| l.map(|l| Subject::Listing(Listing(l))))
            }
            office_api::TaskKind::DisbursementUndo => {
                let found = loader(ctx).load_one(LoanId(self.0.subject)).await;
                loaded(found).map(|l| l.map(|l| Subject::Loan(Loan(l))))
            }
            // What does not fit is told in `about`; the proof shows it beside the account.
            office_api::TaskKind::Break => Ok(None),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "office_api::CloseStatus")]
pub enum CloseStatus {
    Running,
    /// It waits for people.
    Halted,
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "office_api::CloseStep")]
pub enum CloseStep {
    Drain,
    Proof,
    Anchor,
    CustodianDate,
    BusinessDate,
    Listings,
    Repayments,
}

/// What a step of the close has to say.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum CloseFindingCode {
    /// The close did not wait any longer for `count` orders at the custodian.
    StillOnTheWay,
    BooksMatched,
    /// Both books are equal but for `count` movements between two steps, the oldest since `since`.
    BooksInFlight,
    /// `what` says where.
    BooksBroken,
    /// `what` says where.
    AuditBroken,
    /// `date` has begun.
    Begun,
    /// `count` repayments were begun, and `overdue` loans became overdue.
    DayRun,
}

/// What a step found: a code, and the figures that belong to it.
#[derive(SimpleObject)]
pub struct CloseFinding {
    pub code: CloseFindingCode,
    pub count: Option<u32>,
    pub overdue: Option<u32>,
    pub date: Option<Date>,
    pub since: Option<DateTime>,
    pub what: Option<String>,
    /// All of it as a sentence in English.
    pub message: String,
}

impl From<office_api::CloseFinding> for CloseFinding {
    fn from(f: office_api::CloseFinding) -> CloseFinding {
        use office_api::CloseFinding as F;
        let message = f.to_string();
        let bare = |code| CloseFinding {
            code,
            count: None,
            overdue: None,
            date: None,
            since: None,
            what: None,
            message,
        };
        match f {
            F::StillOnTheWay { count } => {
                CloseFinding { count: Some(count), ..bare(CloseFindingCode::StillOnTheWay) }
            }
            F::BooksMatched => bare(CloseFindingCode::BooksMatched),
            F::BooksInFlight { count, since } => CloseFinding {
                count: Some(count),
                since: Some(DateTime(since)),
                ..bare(CloseFindingCode::BooksInFlight)
            },
            F::BooksBroken { what } => {
                CloseFinding { what: Some(what), ..bare(CloseFindingCode::BooksBroken) }
            }
            F::AuditBroken { what } => {
                CloseFinding { what: Some(what), ..bare(CloseFindingCode::AuditBroken) }
            }
            F::Begun { date } => CloseFinding { date: Some(Date(date)), ..bare(CloseFindingCode::Begun) },
            F::DayRun { repayments_begun, became_overdue } => CloseFinding {
                count: Some(repayments_begun),
                overdue: Some(became_overdue),
                ..bare(CloseFindingCode::DayRun)
            },
        }
    }
}

/// A step that is done.
#[derive(SimpleObject)]
pub struct CloseStepDone {
    pub step: CloseStep,
    pub finding: Option<CloseFinding>,
    pub at: DateTime,
}

/// The close of a business day.
#[derive(SimpleObject)]
pub struct BusinessDay {
    pub date: Date,
    /// The day that begins.
    pub next: Date,
    pub status: CloseStatus,
    /// Why it waits, when it does.
    pub finding: Option<CloseFinding>,
    pub steps: Vec<CloseStepDone>,
    pub begun_by: Option<Gid<PartyId>>,
    pub begun_at: DateTime,
}

impl From<CloseView> for BusinessDay {
    fn from(c: CloseView) -> BusinessDay {
        let step = |s: CloseStepView| CloseStepDone {
            step: s.step.into(),
            finding: s.finding.map(CloseFinding::from),
            at: DateTime(s.at),
        };
        BusinessDay {
            date: Date(c.date),
            next: Date(c.next),
            status: c.status.into(),
            finding: c.finding.map(CloseFinding::from),
            steps: c.steps.into_iter().map(step).collect(),
            begun_by: c.begun_by.map(Gid),
            begun_at: DateTime(c.at),
        }
    }
}

#[derive(InputObject)]
pub struct TaskClaimInput {
    pub task: Gid<TaskId>,
    /// Gives it back.
    #[graphql(default)]
    pub release: bool,
}

#[derive(InputObject)]
pub struct TaskDecideInput {
    pub task: Gid<TaskId>,
    pub approve: bool,
    /// A refusal needs one.
    #[graphql(default)]
    pub note: String,
}

#[derive(InputObject)]
pub struct BusinessDayCloseInput {
    /// The present business date; it makes the command repeatable.
    pub date: Date,
}

payload! {
    TaskClaimPayload { task: Task } or OfficeUserError;
    TaskDecidePayload { task: Task } or OfficeUserError;
    BusinessDayClosePayload { business_day: BusinessDay } or OfficeUserError;
}

#[derive(Default)]
pub struct TaskMutation;

#[Object]
impl TaskMutation {
    /// Says that one is at work on a task.
    async fn task_claim(&self, ctx: &Context<'_>, input: TaskClaimInput) -> Result<TaskClaimPayload> {
        let asker = asker(ctx);
        let claim = ClaimTask { task: input.task.0, release: input.release };
        TaskClaimPayload::of(asker, services(ctx).office.claim(&asker.call(), claim).await)
    }

    /// Says one's word on a task; it takes two people.
    async fn task_decide(&self, ctx: &Context<'_>, input: TaskDecideInput) -> Result<TaskDecidePayload> {
        let asker = asker(ctx);
        let decide = DecideTask { task: input.task.0, approve: input.approve, note: input.note };
        TaskDecidePayload::of(asker, services(ctx).office.decide(&asker.call(), decide).await)
    }

    /// Ends the business date: in the demo at any time, elsewhere when the day is over.
    async fn business_day_close(
        &self,
        ctx: &Context<'_>,
        input: BusinessDayCloseInput,
    ) -> Result<BusinessDayClosePayload> {
        let asker = asker(ctx);
        BusinessDayClosePayload::of(
            asker,
            services(ctx).office.close_day(&asker.call(), CloseDay { date: input.date.0 }).await,
        )
    }
}
