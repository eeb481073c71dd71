//! What others may ask of office: open a task, claim it, decide it.
//!
//! A task needs two different people, counted as human beings and not as accounts, neither of them the one who gains.
//! One refusal ends it.

use chrono::{DateTime, Utc};
use kernel::call::Role;
use kernel::id::{PartyId, PersonId, TaskId};
use platform::outbox::{Announces, EventPage, EventsAfter};
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
}

impl TaskKind {
    pub const ALL: [TaskKind; 2] = [TaskKind::CreditDecision, TaskKind::Disbursement];

    pub fn code(self) -> &'static str {
        match self {
            TaskKind::CreditDecision => "CREDIT_DECISION",
            TaskKind::Disbursement => "DISBURSEMENT",
        }
    }

    pub fn from_code(code: &str) -> Option<TaskKind> {
        TaskKind::ALL.into_iter().find(|k| k.code() == code)
    }

    /// Who may say a word on it.
    pub fn roles(self) -> &'static [Role] {
        match self {
            TaskKind::CreditDecision => &[Role::CreditOfficer, Role::CreditSupervisor],
            TaskKind::Disbursement => &[Role::Operations],
        }
    }

    /// Of whom one at least must be among those who approve.
    pub fn senior(self) -> Option<Role> {
        match self {
            TaskKind::CreditDecision => Some(Role::CreditSupervisor),
            TaskKind::Disbursement => None,
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
    pub kind: Option<TaskKind>,
    /// Those that are decided too.
    pub all: bool,
    pub after: Option<DateTime<Utc>>,
    /// 1 to 100.
    pub limit: u32,
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
    pub status: TaskStatus,
    pub claimed_by: Option<PartyId>,
    /// Who said what, first to last.
    pub approvals: Vec<ApprovalView>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum OfficeEvent {
    TaskOpened {
        task: TaskView,
    },
    TaskAssigned {
        task: TaskView,
    },
    /// One person approved; another must.
    Proposed {
        task: TaskView,
    },
    Approved {
        task: TaskView,
    },
    Refused {
        task: TaskView,
    },
}

impl OfficeEvent {
    pub fn task(&self) -> &TaskView {
        match self {
            OfficeEvent::TaskOpened { task }
            | OfficeEvent::TaskAssigned { task }
            | OfficeEvent::Proposed { task }
            | OfficeEvent::Approved { task }
            | OfficeEvent::Refused { task } => task,
        }
    }
}

impl Announces for OfficeEvent {
    fn key(&self) -> String {
        self.task().id.to_string()
    }

    fn kind(&self) -> &'static str {
        match self {
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
        events(EventsAfter) -> EventPage;
    }
}
