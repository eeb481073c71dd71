//! When a task is decided. Pure.

use kernel::Call;
use kernel::call::Role;
use kernel::id::{PartyId, PersonId};
use office_api::{APPROVALS, ApprovalView, OfficeError, TaskKind, TaskStatus};

/// A task as its decision needs it.
pub struct Task {
    pub kind: TaskKind,
    pub status: TaskStatus,
    pub beneficiary: PersonId,
    pub claimed_by: Option<PartyId>,
    pub approvals: Vec<ApprovalView>,
}

impl Task {
    /// In which role this caller may say a word, the most senior first; `None` for none.
    pub fn role_of(&self, call: &Call) -> Option<Role> {
        let senior = self.kind.senior().filter(|r| call.has(*r));
        senior.or_else(|| self.kind.roles().iter().copied().find(|r| call.has(*r)))
    }

    /// What becomes of the task by one more word.
    ///
    /// # Errors
    /// When this person cannot say one.
    pub fn decide(
        &self,
        person: PersonId,
        role: Role,
        approve: bool,
        note: &str,
    ) -> Result<TaskStatus, OfficeError> {
        if self.status.is_decided() {
            return Err(OfficeError::TaskDecided);
        }
        if person == self.beneficiary {
            return Err(OfficeError::Beneficiary);
        }
        if self.approvals.iter().any(|a| a.person == person) {
            return Err(OfficeError::AlreadyDecided);
        }
        if !approve {
            return if note.trim().is_empty() {
                Err(OfficeError::NoteMissing)
            } else {
                Ok(TaskStatus::Refused)
            };
        }
        let roles = || self.approvals.iter().map(|a| a.role).chain([role]);
        let enough = roles().count() >= APPROVALS
            && self.kind.senior().is_none_or(|senior| roles().any(|r| r == senior));
        Ok(if enough { TaskStatus::Approved } else { TaskStatus::Proposed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use uuid::Uuid;

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    fn task(words: &[(u128, Role)]) -> Task {
        let approval = |(n, role): &(u128, Role)| ApprovalView {
            party: PartyId(Uuid::from_u128(*n)),
            person: person(*n),
            role: *role,
            approve: true,
            note: String::new(),
            at: DateTime::UNIX_EPOCH,
        };
        Task {
            kind: TaskKind::CreditDecision,
            status: TaskStatus::Open,
            beneficiary: person(9),
            claimed_by: None,
            approvals: words.iter().map(approval).collect(),
        }
    }

    #[test]
    fn two_people_one_of_them_senior() {
        use Role::{CreditOfficer as Officer, CreditSupervisor as Supervisor};
        assert_eq!(task(&[]).decide(person(1), Officer, true, ""), Ok(TaskStatus::Proposed));
        assert_eq!(task(&[(1, Officer)]).decide(person(2), Supervisor, true, ""), Ok(TaskStatus::Approved));
        assert_eq!(task(&[(1, Officer)]).decide(person(2), Officer, true, ""), Ok(TaskStatus::Proposed));
        assert_eq!(
            task(&[(1, Officer)]).decide(person(1), Supervisor, true, ""),
            Err(OfficeError::AlreadyDecided)
        );
        assert_eq!(
            task(&[(1, Officer)]).decide(person(9), Supervisor, true, ""),
            Err(OfficeError::Beneficiary)
        );
        assert_eq!(task(&[]).decide(person(1), Officer, false, " "), Err(OfficeError::NoteMissing));
        assert_eq!(task(&[]).decide(person(1), Officer, false, "debts"), Ok(TaskStatus::Refused));
    }
}
