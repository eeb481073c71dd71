//! Misbehaviour on demand: by operation, by account, a number of times or by chance, switchable while the custodian runs.
//!
//! Chance is a function of a seed, the fault's place in the plan, the request and how often it has been asked about: the
//! same seed does the same to the same orders, as long as the plan stays as it is. What has no number (queries,
//! movements) counts as one request.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
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
    /// Turns the request away (429): it has not been taken.
    RateLimited,
    /// Closes the whole door (503) for so long, from this request on.
    Maintenance { seconds: i64 },
    /// Ends the process after the work is done for good and before anybody hears of it. Where the custodian shares its
    /// process, the answer and everything else of that moment is lost and the process goes on.
    CrashAfterCommit,
    /// From this answer on it signs with a new key, which the one before vouches for.
    KeyRotation,
    /// Finally refuses what it would have done.
    Refused,
    /// Finds too little money where there is enough.
    InsufficientFunds,
    /// Of a batch, the first so many lines finally fail.
    PartialBatch { failing: usize },
    /// Of a batch, the lines after so many find that their payer has just taken every consent back.
    ConsentRevoked { after: usize },
    /// Says that it finally failed, and does it all the same so much later.
    LateSuccess { seconds: i64 },
    /// Whoever should confirm on the page never comes.
    UserLeaves,
    /// Whoever should confirm on the page refuses.
    UserRefuses,
    /// The user's bank does not take a payout.
    PayoutRefused,
    /// The user's bank takes a payout and sends it back so much later.
    PayoutReturned { seconds: i64 },
    /// Never sends the notification.
    LostNotification,
    /// Sends the notification again and again.
    RepeatedNotification { times: u32 },
    /// Sends the notification so much later.
    LateNotification { seconds: i64 },
    /// Sends the notification after the others that are due.
    ReorderedNotification,
    /// Sends a notification before it has begun, and another before it has answered.
    EarlyNotification,
    /// Somebody else sends a notification in its name, which says that all is done; its own comes after.
    ForgedNotification,
}

/// At which of its moments something goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Moment {
    Passage,
    Work,
    Page,
    Payout,
    Notification,
}

impl Fault {
    fn moment(self) -> Moment {
        match self {
            Fault::Delay { .. }
            | Fault::LostReply
            | Fault::LostRequest
            | Fault::RateLimited
            | Fault::Maintenance { .. }
            | Fault::CrashAfterCommit
            | Fault::KeyRotation
            | Fault::EarlyNotification => Moment::Passage,
            Fault::Refused
            | Fault::InsufficientFunds
            | Fault::PartialBatch { .. }
            | Fault::ConsentRevoked { .. }
            | Fault::LateSuccess { .. } => Moment::Work,
            Fault::UserLeaves | Fault::UserRefuses => Moment::Page,
            Fault::PayoutRefused | Fault::PayoutReturned { .. } => Moment::Payout,
            Fault::LostNotification
            | Fault::RepeatedNotification { .. }
            | Fault::LateNotification { .. }
            | Fault::ReorderedNotification
            | Fault::ForgedNotification => Moment::Notification,
        }
    }

    /// Its name, as the plan spells it.
    pub fn name(self) -> String {
        let spelled = serde_json::to_value(self).ok();
        spelled.and_then(|v| v["fault"].as_str().map(str::to_string)).unwrap_or_default()
    }
}

fn always() -> u32 {
    1_000
}

fn without_end() -> u32 {
    u32::MAX
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// An operation's name, or `*`. `query`, `movements` and `statement` are named where they are meant.
    pub operation: String,
    /// The platform's number of the user whose requests are meant; of all where there is none.
    #[serde(default)]
    pub account: Option<String>,
    #[serde(flatten)]
    pub fault: Fault,
    /// How many more times.
    #[serde(default = "without_end")]
    pub times: u32,
    /// In how many of a thousand cases.
    #[serde(default = "always")]
    pub per_mille: u32,
}

impl Planned {
    /// So many times, whatever happens.
    pub fn times(operation: &str, fault: Fault, times: u32) -> Planned {
        Planned { operation: operation.into(), account: None, fault, times, per_mille: always() }
    }

    /// By chance, without end.
    pub fn chance(operation: &str, fault: Fault, per_mille: u32) -> Planned {
        Planned { operation: operation.into(), account: None, fault, times: without_end(), per_mille }
    }

    /// Of one user alone.
    #[must_use]
    pub fn of(self, user_no: &str) -> Planned {
        Planned { account: Some(user_no.into()), ..self }
    }
}

/// What is asked about: an operation, whose, under which number.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) operation: &'a str,
    pub(crate) user_no: Option<&'a str>,
    pub(crate) request_no: &'a str,
}

/// What can be asked besides operations; `*` does not mean it.
const LOOKS: [&str; 3] = ["query", "movements", "statement"];

#[derive(Default)]
struct State {
    seed: u64,
    plan: Vec<Planned>,
    /// How often a case was asked about, so that a second try has a chance of its own.
    asked: HashMap<(Moment, String), u64>,
    struck: BTreeMap<String, u64>,
    closed_until: i64,
}

/// The plan of misbehaviour, and what became of it.
#[derive(Default)]
pub struct Faults(Mutex<State>);

impl Faults {
    pub fn plan(&self, planned: Planned) {
        self.lock().plan.push(planned);
    }

    /// From where chance comes.
    pub fn seed(&self, seed: u64) {
        self.lock().seed = seed;
    }

    /// Ends all misbehaviour that is planned; what it has begun goes on.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.plan.clear();
        state.closed_until = 0;
    }

    /// How often each fault has struck.
    pub fn struck(&self) -> BTreeMap<String, u64> {
        self.lock().struck.clone()
    }

    /// Whether the door is closed at an instant.
    pub(crate) fn closed(&self, now: i64) -> bool {
        now < self.lock().closed_until
    }

    pub(crate) fn close(&self, until: i64) {
        self.lock().closed_until = until;
    }

    /// The next fault planned for a case at one of its moments.
    pub(crate) fn strikes(&self, moment: Moment, case: Case<'_>) -> Option<Fault> {
        let mut state = self.lock();
        if state.plan.is_empty() {
            return None;
        }
        let asked = state.asked.entry((moment, case.request_no.to_string())).or_default();
        *asked += 1;
        let (asked, seed) = (*asked, state.seed);
        let meant = |p: &Planned| {
            p.operation == case.operation || (p.operation == "*" && !LOOKS.contains(&case.operation))
        };
        let found = state.plan.iter_mut().enumerate().find(|(place, p)| {
            meant(p)
                && p.account.as_deref().is_none_or(|a| case.user_no == Some(a))
                && p.fault.moment() == moment
                && p.times > 0
                && draw(seed, *place, moment, case.request_no, asked) < p.per_mille
        });
        let fault = found.map(|(_, p)| {
            // Without end it never ends.
            if p.times != without_end() {
                p.times -= 1;
            }
            p.fault
        })?;
        state.plan.retain(|p| p.times > 0);
        *state.struck.entry(fault.name()).or_default() += 1;
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A number below a thousand.
fn draw(seed: u64, place: usize, moment: Moment, request_no: &str, asked: u64) -> u32 {
    let text = format!("{seed}/{place}/{moment:?}/{request_no}/{asked}");
    let digest = Sha256::digest(text.as_bytes());
    let mut first = [0; 4];
    first.copy_from_slice(&digest[..4]);
    u32::from_be_bytes(first) % 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case<'a>(operation: &'a str, request_no: &'a str) -> Case<'a> {
        Case { operation, user_no: Some("ann"), request_no }
    }

    #[test]
    fn a_plan_strikes_as_often_as_it_says_and_whom_it_says() {
        let faults = Faults::default();
        faults.plan(Planned::times("freeze", Fault::LostReply, 2));
        faults.plan(Planned::times("*", Fault::Refused, 1).of("bob"));
        assert_eq!(faults.strikes(Moment::Passage, case("fee", "1")), None);
        assert_eq!(faults.strikes(Moment::Work, case("freeze", "1")), None, "that one is of the passage");
        assert_eq!(faults.strikes(Moment::Passage, case("freeze", "1")), Some(Fault::LostReply));
        assert_eq!(faults.strikes(Moment::Passage, case("freeze", "1")), Some(Fault::LostReply));
        assert_eq!(faults.strikes(Moment::Passage, case("freeze", "1")), None);
        let of_bob = Case { user_no: Some("bob"), ..case("fee", "2") };
        assert_eq!(faults.strikes(Moment::Work, case("query", "2")), None, "looking is no operation");
        assert_eq!(faults.strikes(Moment::Work, of_bob), Some(Fault::Refused));
        assert_eq!(faults.struck(), BTreeMap::from([("lost_reply".into(), 2), ("refused".into(), 1)]));
    }

    #[test]
    fn the_same_seed_does_the_same_and_chance_keeps_its_rate() {
        let strikes = |seed: u64, order: &mut dyn Iterator<Item = u32>| {
            let faults = Faults::default();
            faults.seed(seed);
            faults.plan(Planned::chance("*", Fault::LostReply, 200));
            let mut struck: Vec<u32> = order
                .filter(|n| faults.strikes(Moment::Passage, case("fee", &n.to_string())).is_some())
                .collect();
            struck.sort_unstable();
            struck
        };
        let there = strikes(7, &mut (0..5_000));
        assert_eq!(there, strikes(7, &mut (0..5_000).rev()), "whatever the order");
        assert_ne!(there, strikes(8, &mut (0..5_000)));
        assert!((900..1_100).contains(&there.len()), "{} of 5,000 at 20 %", there.len());
    }

    #[test]
    fn every_fault_is_spelled_as_the_plan_spells_it() {
        let text = r#"{"operation":"withdraw","fault":"payout_returned","seconds":86400,"per_mille":50}"#;
        let planned: Planned = serde_json::from_str(text).unwrap();
        assert_eq!(planned, Planned::chance("withdraw", Fault::PayoutReturned { seconds: 86_400 }, 50));
        assert_eq!(planned.fault.name(), "payout_returned");
    }
}
