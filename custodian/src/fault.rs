//! Misbehaviour on demand: by operation, a number of times, switchable while the custodian runs.

use serde::{Deserialize, Serialize};
use std::sync::Mutex;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Answers later.
    Delay { milliseconds: u64 },
    /// Does the work and loses the answer.
    LostReply,
    /// Loses the request before any work.
    LostRequest,
    /// Never sends the notification.
    LostNotification,
    /// Sends the notification again and again.
    RepeatedNotification { times: u32 },
    /// Finally refuses what it would have done.
    Refused,
    /// Of a batch, the first so many lines finally fail.
    PartialBatch { failing: usize },
}

/// At which of its moments a request goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moment {
    Passage,
    Work,
    Notification,
}

impl Fault {
    fn moment(self) -> Moment {
        match self {
            Fault::Delay { .. } | Fault::LostReply | Fault::LostRequest => Moment::Passage,
            Fault::Refused | Fault::PartialBatch { .. } => Moment::Work,
            Fault::LostNotification | Fault::RepeatedNotification { .. } => Moment::Notification,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// An operation's name, or `*`.
    pub operation: String,
    #[serde(flatten)]
    pub fault: Fault,
    /// How many more times.
    pub times: u32,
}

/// The plan of misbehaviour.
#[derive(Default)]
pub struct Faults(Mutex<Vec<Planned>>);

impl Faults {
    pub fn plan(&self, planned: Planned) {
        self.lock().push(planned);
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    /// The next fault planned for an operation's request or reply.
    pub(crate) fn of_request(&self, operation: &str) -> Option<Fault> {
        self.take(operation, Moment::Passage)
    }

    /// The next fault planned for what an operation does.
    pub(crate) fn of_work(&self, operation: &str) -> Option<Fault> {
        self.take(operation, Moment::Work)
    }

    pub(crate) fn of_notification(&self, operation: &str) -> Option<Fault> {
        self.take(operation, Moment::Notification)
    }

    fn take(&self, operation: &str, moment: Moment) -> Option<Fault> {
        let mut plan = self.lock();
        let fits = |p: &Planned| {
            (p.operation == operation || p.operation == "*") && p.fault.moment() == moment && p.times > 0
        };
        let found = plan.iter_mut().find(|p| fits(p))?;
        found.times -= 1;
        let fault = found.fault;
        plan.retain(|p| p.times > 0);
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Planned>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
