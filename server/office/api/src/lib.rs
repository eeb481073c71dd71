//! What others may ask of office: open a task, claim it, decide it.
//!
//! A task needs two different people, counted as human beings and not as accounts, neither of them the one who gains.
//! One refusal ends it.

mod act;
mod document;

pub use act::*;
pub use document::*;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::Call;
use kernel::call::Role;
use kernel::id::{PartyId, PersonId, TaskId};
use platform::outbox::{Announces, EventPage, EventsAfter};
use platform::page::Page;
use platform::reader::{DeadLetter, ParkedOf, Unpark};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

kernel::errors! {
    pub enum OfficeError {
        TaskNotFound = "OFFICE_TASK_NOT_FOUND" @ "task": "there is no such task",
        /// Opened before with other content.
        TaskDiffers = "OFFICE_TASK_DIFFERS" @ "task": "this task was opened with other content",
        TaskDecided = "OFFICE_TASK_DECIDED" @ "task": "this task has been decided",
        /// Somebody else works on it.
        TaskClaimed = "OFFICE_TASK_CLAIMED" @ "task": "somebody else has claimed this task",
        AlreadyDecided = "OFFICE_ALREADY_DECIDED" @ "task": "you have said your word on this task; another person must say theirs",
        Beneficiary = "OFFICE_BENEFICIARY" @ "task": "who gains by it cannot decide it",
        DayDiffers { today: chrono::NaiveDate } = "OFFICE_DAY_DIFFERS" @ "date": "the business date is {today}",
        DayNotOver = "OFFICE_DAY_NOT_OVER" @ "date": "this day is not over yet",
        DocumentNotFound = "OFFICE_DOCUMENT_NOT_FOUND": "there is no such document or application",
        DocumentTooLarge { megabytes_max: usize } = "OFFICE_DOCUMENT_TOO_LARGE": "a document has at most {megabytes_max} megabytes",
        DocumentKindUnknown = "OFFICE_DOCUMENT_KIND_UNKNOWN": "a document is a PDF, a PNG or a JPEG",
        DocumentsTooMany { most: usize } = "OFFICE_DOCUMENTS_TOO_MANY": "an application has at most {most} documents",
        /// Its documents stay as they were judged.
        ApplicationDecided = "OFFICE_APPLICATION_DECIDED": "this application has been decided; its documents stay as they are",
        CommandIdTaken = "OFFICE_COMMAND_ID_TAKEN" @ "id": "this id was used for something else",
        NoteMissing = "OFFICE_NOTE_MISSING" @ "note": "a refusal needs a reason",
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskKind {
    /// An application with its proposed rate.
    CreditDecision,
    /// Paying a filled listing out.
    Disbursement,
    /// Giving everything back of a disbursement that cannot be completed. A refusal lets it go on being tried.
    DisbursementUndo,
    /// A cash movement that does not fit the books: approved when it has been explained, and the account is free again.
    Break,
}

impl TaskKind {
    pub const ALL: [TaskKind; 4] =
        [TaskKind::CreditDecision, TaskKind::Disbursement, TaskKind::DisbursementUndo, TaskKind::Break];

    pub fn code(self) -> &'static str {
        match self {
            TaskKind::CreditDecision => "CREDIT_DECISION",
            TaskKind::Disbursement => "DISBURSEMENT",
            TaskKind::DisbursementUndo => "DISBURSEMENT_UNDO",
            TaskKind::Break => "BREAK",
        }
    }

    pub fn from_code(code: &str) -> Option<TaskKind> {
        TaskKind::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Who may say a word on it.
    pub fn roles(self) -> &'static [Role] {
        match self {
            TaskKind::CreditDecision => &[Role::CreditOfficer, Role::CreditSupervisor],
            TaskKind::Disbursement | TaskKind::DisbursementUndo | TaskKind::Break => &[Role::Operations],
        }
    }

    /// Of whom one at least must be among those who approve.
    pub fn senior(self) -> Option<Role> {
        match self {
            TaskKind::CreditDecision => Some(Role::CreditSupervisor),
            TaskKind::Disbursement | TaskKind::DisbursementUndo | TaskKind::Break => None,
        }
    }
}

/// How many different people must approve.
pub const APPROVALS: usize = 2;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenTask {
    pub id: TaskId,
    pub kind: TaskKind,
    pub subject: Uuid,
    /// What there is to decide, as plain sentences and figures; no personal data.
    pub about: String,
    pub beneficiary: PersonId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ClaimTask {
    pub task: TaskId,
    /// Give it back instead.
    pub release: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DecideTask {
    pub task: TaskId,
    pub approve: bool,
    pub note: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskOf {
    pub task: TaskId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QueueOf {
    /// These alone, where there are any.
    #[serde(default)]
    pub ids: Vec<TaskId>,
    pub kind: Option<TaskKind>,
    /// Those that are decided too.
    pub all: bool,
    pub page: Page,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskStatus {
    Open,
    Claimed,
    /// One person has approved; another must.
    Proposed,
    Approved,
    Refused,
}

impl TaskStatus {
    pub fn code(self) -> &'static str {
        match self {
            TaskStatus::Open => "OPEN",
            TaskStatus::Claimed => "CLAIMED",
            TaskStatus::Proposed => "PROPOSED",
            TaskStatus::Approved => "APPROVED",
            TaskStatus::Refused => "REFUSED",
        }
    }

    pub fn from_code(code: &str) -> Option<TaskStatus> {
        use TaskStatus as S;
        [S::Open, S::Claimed, S::Proposed, S::Approved, S::Refused].into_iter().find(|s| s.code() == code)
    }

    pub fn is_decided(self) -> bool {
        matches!(self, TaskStatus::Approved | TaskStatus::Refused)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApprovalView {
    pub party: PartyId,
    pub person: PersonId,
    pub role: Role,
    pub approve: bool,
    pub note: String,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskView {
    pub id: TaskId,
    pub kind: TaskKind,
    pub subject: Uuid,
    pub about: String,
    /// Who gains by it, and so cannot decide it; unknown in events of old.
    #[serde(default)]
    pub beneficiary: Option<PersonId>,
    pub status: TaskStatus,
    pub claimed_by: Option<PartyId>,
    /// Who said what, first to last.
    pub approvals: Vec<ApprovalView>,
    pub at: DateTime<Utc>,
}

impl TaskView {
    /// Whether this caller may still say a word on it.
    pub fn waits_for(&self, call: &Call) -> bool {
        let out = |p| self.beneficiary == Some(p) || self.approvals.iter().any(|a| a.person == p);
        !self.status.is_decided()
            && !call.person().is_some_and(out)
            && self.kind.roles().iter().any(|r| call.has(*r))
    }
}

/// Closes a business date; the day after it begins. The date itself makes the command repeatable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CloseDay {
    /// The present business date.
    pub date: NaiveDate,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DayOf {
    /// Without one, the newest close there is.
    pub date: Option<NaiveDate>,
}

/// The steps of a close of business, in their order. Each is done once for a date, whatever crashes in between.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloseStep {
    /// What was sent to the custodian that day has been answered and mirrored.
    Drain,
    /// Both books are proved equal; a break stops the close until people have settled it.
    Proof,
    /// The chain's head is left with the custodian.
    Anchor,
    /// The custodian's date, before ours.
    CustodianDate,
    /// Ours.
    BusinessDate,
    /// On the new date: listings that have run out expire.
    Listings,
    /// On the new date: standing consents pay what is due, and what is late becomes overdue.
    Repayments,
}

impl CloseStep {
    pub const ALL: [CloseStep; 7] = [
        CloseStep::Drain,
        CloseStep::Proof,
        CloseStep::Anchor,
        CloseStep::CustodianDate,
        CloseStep::BusinessDate,
        CloseStep::Listings,
        CloseStep::Repayments,
    ];

    pub fn code(self) -> &'static str {
        match self {
            CloseStep::Drain => "DRAIN",
            CloseStep::Proof => "PROOF",
            CloseStep::Anchor => "ANCHOR",
            CloseStep::CustodianDate => "CUSTODIAN_DATE",
            CloseStep::BusinessDate => "BUSINESS_DATE",
            CloseStep::Listings => "LISTINGS",
            CloseStep::Repayments => "REPAYMENTS",
        }
    }

    pub fn from_code(code: &str) -> Option<CloseStep> {
        CloseStep::ALL.into_iter().find(|s| s.code() == code)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloseStatus {
    Running,
    /// It waits for people; asking again goes on from the step that stopped it.
    Halted,
    Done,
}

impl CloseStatus {
    pub fn code(self) -> &'static str {
        match self {
            CloseStatus::Running => "RUNNING",
            CloseStatus::Halted => "HALTED",
            CloseStatus::Done => "DONE",
        }
    }

    pub fn from_code(code: &str) -> Option<CloseStatus> {
        [CloseStatus::Running, CloseStatus::Halted, CloseStatus::Done].into_iter().find(|s| s.code() == code)
    }
}

/// What a step found, as figures and not as a sentence: each reader hears it in their own language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CloseFinding {
    /// The close did not wait any longer for so many orders at the custodian.
    StillOnTheWay {
        count: u32,
    },
    BooksMatched,
    /// Equal but for what is between two steps.
    BooksInFlight {
        count: u32,
        since: DateTime<Utc>,
    },
    /// `what` is the report's last line.
    BooksBroken {
        what: String,
    },
    AuditBroken {
        what: String,
    },
    /// The date that has begun.
    Begun {
        date: NaiveDate,
    },
    DayRun {
        repayments_begun: u32,
        became_overdue: u32,
    },
}

impl std::fmt::Display for CloseFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CloseFinding::StillOnTheWay { count } => write!(f, "{count} still on their way"),
            CloseFinding::BooksMatched => f.write_str("MATCHED"),
            CloseFinding::BooksInFlight { count, since } => {
                write!(f, "IN FLIGHT: {count}, oldest since {since}")
            }
            CloseFinding::BooksBroken { what } => f.write_str(what),
            CloseFinding::AuditBroken { what } => write!(f, "the audit log is broken: {what}"),
            CloseFinding::Begun { date } => write!(f, "{date}"),
            CloseFinding::DayRun { repayments_begun, became_overdue } => {
                write!(f, "{repayments_begun} repayments begun, {became_overdue} loans became overdue")
            }
        }
    }
}

/// One step that is done, and what it found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CloseStepView {
    pub step: CloseStep,
    #[serde(default)]
    pub finding: Option<CloseFinding>,
    pub at: DateTime<Utc>,
}

/// How far the close of a business date has come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CloseView {
    pub date: NaiveDate,
    pub next: NaiveDate,
    pub status: CloseStatus,
    /// Why it waits, when it does.
    #[serde(default)]
    pub finding: Option<CloseFinding>,
    pub steps: Vec<CloseStepView>,
    pub begun_by: Option<PartyId>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Today {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum OfficeEvent {
    /// A business date is over and the next has begun.
    DayClosed { close: CloseView },
    TaskOpened {
        #[serde(serialize_with = "without_notes")]
        task: TaskView,
    },
    TaskAssigned {
        #[serde(serialize_with = "without_notes")]
        task: TaskView,
    },
    /// One person approved; another must.
    Proposed {
        #[serde(serialize_with = "without_notes")]
        task: TaskView,
    },
    Approved {
        #[serde(serialize_with = "without_notes")]
        task: TaskView,
    },
    Refused {
        #[serde(serialize_with = "without_notes")]
        task: TaskView,
    },
}

/// Events are kept for ever and hold nothing personal: what somebody wrote about a task stays with the task, where it can
/// be erased, and is empty in every event that is read.
fn without_notes<S: serde::Serializer>(task: &TaskView, to: S) -> Result<S::Ok, S::Error> {
    let bare = |a: &ApprovalView| ApprovalView { note: String::new(), ..a.clone() };
    TaskView { approvals: task.approvals.iter().map(bare).collect(), ..task.clone() }.serialize(to)
}

impl OfficeEvent {
    /// The task it is about, if it is about one.
    pub fn task(&self) -> Option<&TaskView> {
        match self {
            OfficeEvent::DayClosed { .. } => None,
            OfficeEvent::TaskOpened { task }
            | OfficeEvent::TaskAssigned { task }
            | OfficeEvent::Proposed { task }
            | OfficeEvent::Approved { task }
            | OfficeEvent::Refused { task } => Some(task),
        }
    }
}

impl Announces for OfficeEvent {
    fn key(&self) -> String {
        match self {
            OfficeEvent::DayClosed { .. } => "day".into(),
            _ => self.task().map(|t| t.id.to_string()).unwrap_or_default(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            OfficeEvent::DayClosed { .. } => "DayClosed",
            OfficeEvent::TaskOpened { .. } => "TaskOpened",
            OfficeEvent::TaskAssigned { .. } => "TaskAssigned",
            OfficeEvent::Proposed { .. } => "Proposed",
            OfficeEvent::Approved { .. } => "Approved",
            OfficeEvent::Refused { .. } => "Refused",
        }
    }
}

platform::service! {
    /// Tasks and approvals.
    pub Office as "office", client OfficeClient, dispatcher OfficeDispatcher, errors OfficeError {
        /// Opens a task. Services ask; the same id and content again changes nothing.
        open_task(OpenTask) -> TaskView;
        /// Says that one works on it, or gives it back.
        claim(ClaimTask) -> TaskView;
        /// Says one's word. The second different person's approval, or the first refusal, decides.
        decide(DecideTask) -> TaskView;
        task(TaskOf) -> TaskView;
        /// What waits, oldest first.
        queue(QueueOf) -> Vec<TaskView>;
        add_document(AddDocument) -> DocumentView;
        remove_document(RemoveDocument) -> ();
        /// The documents of an application, for its owner and for who judges it.
        documents(DocumentsOf) -> Vec<DocumentView>;
        document(DocumentOf) -> WholeDocument;
        /// Writes down what somebody of the staff is about to do.
        record_act(RecordAct) -> ();
        /// Writes down what came of it.
        end_act(EndAct) -> ();
        /// What staff did; for auditors and administrators.
        acts(ActsOf) -> Acts;
        /// Whether the log of it is whole; for auditors and administrators.
        prove_acts(ProveActs) -> ActsProof;
        /// The business date.
        today(Today) -> NaiveDate;
        /// Ends the business date and begins the next.
        close_day(CloseDay) -> CloseView;
        /// How far a close has come.
        day(DayOf) -> Option<CloseView>;
        /// What failed too often and waits for a person.
        parked(ParkedOf) -> Vec<DeadLetter>;
        /// Tries it again; answers whether it was there.
        unpark(Unpark) -> bool;
        events(EventsAfter) -> EventPage;
    }
}
