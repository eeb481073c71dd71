//! Rights and others' credentials: proposed by one administrator, decided by another, neither of whom gains.
//! The database has the same rule as a constraint.

use crate::repo;
use crate::secret::{self, fingerprint};
use crate::service::Inner;
use chrono::Duration;
use entity_identity::{change, invitation};
use futures::FutureExt;
use identity_api::*;
use kernel::Call;
use kernel::call::Role;
use kernel::id::{ChangeId, PartyId, PersonId, SessionId};
use platform::db::WriteError;
use platform::service::{published, unreadable};
use platform::{Fault, commands};
use sea_orm::DbErr;
use std::sync::Arc;

const INVITATION_DAYS: i64 = 7;

fn administrator(call: &Call) -> Result<PersonId, Fault<IdentityError>> {
    match call.person() {
        Some(person) if call.has(Role::Administrator) => Ok(person),
        _ => Err(Fault::Forbidden),
    }
}

fn parts(change: &Change) -> (&'static str, Option<PartyId>, Option<Role>) {
    match change {
        Change::InviteStaff { role } => ("INVITE_STAFF", None, Some(*role)),
        Change::GrantRole { party, role } => ("GRANT_ROLE", Some(*party), Some(*role)),
        Change::RevokeRole { party, role } => ("REVOKE_ROLE", Some(*party), Some(*role)),
        Change::ResetCredentials { party } => ("RESET_CREDENTIALS", Some(*party), None),
    }
}

fn view(row: &change::Model) -> Result<ChangeView, DbErr> {
    let odd = || DbErr::Type(format!("the change {} cannot be read", row.id));
    let party = row.subject.map(PartyId);
    let role = Role::from_code(&row.role);
    let change = match (row.kind.as_str(), party, role) {
        ("INVITE_STAFF", _, Some(role)) => Change::InviteStaff { role },
        ("GRANT_ROLE", Some(party), Some(role)) => Change::GrantRole { party, role },
        ("REVOKE_ROLE", Some(party), Some(role)) => Change::RevokeRole { party, role },
        ("RESET_CREDENTIALS", Some(party), _) => Change::ResetCredentials { party },
        _ => return Err(odd()),
    };
    Ok(ChangeView {
        id: ChangeId(row.id),
        change,
        reason: row.reason.clone(),
        proposed_by: PersonId(row.proposed_by),
        decided_by: row.decided_by.map(PersonId),
        status: match row.status.as_str() {
            "PROPOSED" => ChangeStatus::Proposed,
            "APPROVED" => ChangeStatus::Approved,
            _ => ChangeStatus::Refused,
        },
        at: row.at,
    })
}

impl Inner {
    pub(crate) async fn propose_change(
        &self,
        call: &Call,
        input: ProposeChange,
    ) -> Result<ChangeView, Fault<IdentityError>> {
        let person = administrator(call)?;
        commands::client_made(input.id.0)?;
        let (kind, subject, role) = parts(&input.change);
        if role.is_some_and(|r| !r.is_staff()) {
            return Err(Fault::Refused(IdentityError::RoleNotStaff));
        }
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        let input = Arc::new(input);
        let write = self.db.write(move |tx| {
            let (outbox, input) = (outbox.clone(), input.clone());
            async move {
                let work = async {
                    let subject_person = match subject {
                        Some(party) => {
                            let found = repo::maybe_party(tx, party).await?;
                            Some(found.ok_or(WriteError::Refused(IdentityError::PartyNotFound))?.person)
                        }
                        None => None,
                    };
                    if subject_person == Some(person.0) {
                        return Err(WriteError::Refused(IdentityError::FourEyes));
                    }
                    let row = change::Model {
                        id: input.id.0,
                        kind: kind.into(),
                        subject: subject.map(|p| p.0),
                        subject_person,
                        role: role.map_or(String::new(), |r| r.code().into()),
                        reason: input.reason.chars().take(2_000).collect(),
                        proposed_by: person.0,
                        decided_by: None,
                        status: "PROPOSED".into(),
                        at: now,
                    };
                    let view = view(&row)?;
                    repo::insert_change(tx, row).await?;
                    outbox.announce(tx, &IdentityEvent::ChangeProposed { change: view }).await?;
                    Ok(())
                };
                commands::once(
                    tx,
                    "identity",
                    input.id.0,
                    "propose_change",
                    &(&*input, person),
                    now,
                    IdentityError::CommandIdTaken,
                    work,
                )
                .await?;
                // Not kept with the command, which outlives the reason.
                let row = repo::lock_change(tx, input.id.0).await?;
                Ok(view(&row.ok_or(WriteError::Refused(IdentityError::ChangeNotFound))?)?)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "propose a change", e))
    }

    pub(crate) async fn decide_change(
        self: &std::sync::Arc<Self>,
        call: &Call,
        input: DecideChange,
    ) -> Result<Decided, Fault<IdentityError>> {
        let person = administrator(call)?;
        // What is handed over derives from the change, so that a lost answer can be asked for again.
        let handed = self.keys.derive("change", input.id.0.as_bytes());
        let password = Secret(handed.0[..24].to_string());
        let hashed = secret::hash(password.clone(), &self.entropy).await.ok_or(Fault::Internal)?;
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        let (inner, invitation_secret) = (self.clone(), fingerprint(&handed));
        let write = self.db.write(move |tx| {
            let inner = inner.clone();
            let (outbox, hashed, invitation_secret) =
                (outbox.clone(), hashed.clone(), invitation_secret.clone());
            async move {
                let found = repo::lock_change(tx, input.id.0).await?;
                let mut row = found.ok_or(WriteError::Refused(IdentityError::ChangeNotFound))?;
                let status = if input.approve { "APPROVED" } else { "REFUSED" };
                if row.status != "PROPOSED" {
                    // The same person with the same word hears the same again.
                    let same = row.status == status && row.decided_by == Some(person.0);
                    return if same {
                        Ok(view(&row)?)
                    } else {
                        Err(WriteError::Refused(IdentityError::ChangeDecided))
                    };
                }
                if row.proposed_by == person.0 || row.subject_person == Some(person.0) {
                    return Err(WriteError::Refused(IdentityError::FourEyes));
                }
                repo::decide_change(tx, row.id, person, status).await?;
                (row.status, row.decided_by) = (status.into(), Some(person.0));
                let decided = view(&row)?;
                let mut events = vec![IdentityEvent::ChangeDecided { change: decided.clone() }];
                if input.approve {
                    match &decided.change {
                        Change::InviteStaff { role } => {
                            let invitation = invitation::Model {
                                id: row.id,
                                secret: invitation_secret,
                                role: role.code().into(),
                                first: false,
                                expires_at: now + Duration::days(INVITATION_DAYS),
                                used_by: None,
                                person: None,
                            };
                            repo::insert_invitation(tx, &invitation).await?;
                        }
                        Change::GrantRole { party, role } => {
                            repo::add_role(tx, *party, *role, row.id, now).await?;
                            events.push(IdentityEvent::RoleGranted { party: *party, role: *role });
                        }
                        Change::RevokeRole { party, role } => {
                            repo::remove_role(tx, *party, *role).await?;
                            events.push(IdentityEvent::RoleRevoked { party: *party, role: *role });
                        }
                        Change::ResetCredentials { party } => {
                            repo::set_password(tx, *party, &hashed).await?;
                            // Whoever has lost the one often has lost the other.
                            inner.forget_factor(tx, *party).await?;
                            events.push(IdentityEvent::PasswordChanged { party: *party });
                            for session in repo::open_sessions(tx, *party, now).await? {
                                let (session, why) = (SessionId(session.id), "credentials were reset");
                                repo::revoke(tx, session, why, now).await?;
                                events.push(IdentityEvent::SessionRevoked {
                                    party: *party,
                                    session,
                                    why: why.into(),
                                });
                            }
                        }
                    }
                }
                outbox.announce_all(tx, &events).await?;
                Ok(decided)
            }
            .boxed()
        });
        let change = write.await.map_err(|e| published(call, "decide a change", e))?;
        let secret = match (&change.change, change.status) {
            (Change::InviteStaff { .. }, ChangeStatus::Approved) => Some(handed),
            (Change::ResetCredentials { .. }, ChangeStatus::Approved) => Some(password),
            _ => None,
        };
        Ok(Decided { change, secret })
    }

    pub(crate) async fn pending_changes(&self, call: &Call) -> Result<Vec<ChangeView>, Fault<IdentityError>> {
        if !call.has_any(&[Role::Administrator, Role::Auditor]) {
            return Err(Fault::Forbidden);
        }
        let read = |e: DbErr| unreadable::<IdentityError>(call, "read changes", &e);
        let rows = repo::proposed_changes(self.db.read()).await.map_err(read)?;
        rows.iter().map(view).collect::<Result<_, _>>().map_err(read)
    }
}
