//! Becoming known: a party with its person and its way in, as a user or, by invitation, as staff.

use crate::repo;
use crate::secret::{self, fingerprint};
use crate::service::Inner;
use chrono::Duration;
use entity_identity::{invitation, party};
use futures::FutureExt;
use identity_api::*;
use kernel::Call;
use kernel::call::Role;
use kernel::id::{InvitationId, PartyId, PersonId};
use platform::db::{Tx, WriteError};
use platform::service::published;
use platform::{Fault, commands};
use sea_orm::DbErr;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

pub const PASSWORD_LENGTH_MIN: usize = 10;
pub const PASSWORD_LENGTH_MAX: usize = 128;
/// How long the first two links may be used.
const FIRST_LINK_DAYS: i64 = 30;

/// Checks a password that somebody chooses; pure.
pub fn check_password(password: &Secret) -> Result<(), IdentityError> {
    match password.0.chars().count() {
        length if length < PASSWORD_LENGTH_MIN => {
            Err(IdentityError::PasswordTooShort { length_min: PASSWORD_LENGTH_MIN })
        }
        length if length > PASSWORD_LENGTH_MAX => {
            Err(IdentityError::PasswordTooLong { length_max: PASSWORD_LENGTH_MAX })
        }
        _ => Ok(()),
    }
}

/// Checks what was typed; pure.
pub fn check(input: &Register) -> Result<(), IdentityError> {
    if !is_email(&input.email) {
        return Err(IdentityError::EmailMalformed);
    }
    check_password(&input.password)?;
    if input.name.trim().is_empty() || input.name.chars().count() > 200 {
        return Err(IdentityError::NameMissing);
    }
    let country = input.document.country.as_bytes();
    let number = input.document.number.0.chars().filter(|c| c.is_alphanumeric()).count();
    if country.len() != 2 || !country.iter().all(u8::is_ascii_alphabetic) || !(4..=40).contains(&number) {
        return Err(IdentityError::DocumentMalformed);
    }
    // A staff role is not chosen, and whoever is invited need not borrow or invest.
    if input.roles.iter().any(|r| r.is_staff()) || (input.roles.is_empty() && input.invitation.is_none()) {
        return Err(IdentityError::RolesMissing);
    }
    Ok(())
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_graphic());
    text.len() <= 254
        && plain(local)
        && plain(domain)
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
}

impl Inner {
    pub(crate) async fn register(
        self: &Arc<Self>,
        call: &Call,
        input: Register,
    ) -> Result<Registered, Fault<IdentityError>> {
        commands::client_made(input.id.0)?;
        // Nobody becomes a party that the platform itself is, or derives.
        commands::client_made(input.party.0)?;
        check(&input).map_err(Fault::Refused)?;
        let person = self.keys.person(&input.document);
        // Done for every attempt, so that a known address takes as long as an unknown one.
        let password = secret::hash(input.password.clone(), &self.entropy).await.ok_or(Fault::Internal)?;
        let now = self.clock.now();
        let row = party::Model {
            id: input.party.0,
            person: person.0,
            email: input.email.trim().to_lowercase(),
            name: input.name.trim().to_string(),
            password,
            created_at: now,
            language: input.language.tag().into(),
            email_confirmed_at: None,
        };
        let inner = self.clone();
        let outbox = self.outbox.clone();
        let input = Arc::new(input);
        // Keyed, for it outlives the address: a plain hash of one can be guessed.
        let address = fingerprint(&self.keys.derive("address", row.email.as_bytes()));
        let write = self.db.write(move |tx| {
            let (inner, row, outbox) = (inner.clone(), row.clone(), outbox.clone());
            let (input, address) = (input.clone(), address.clone());
            async move {
                // The password is no part of what is remembered of the command.
                let content =
                    (input.party, address, input.roles.clone(), input.invitation.as_ref().map(fingerprint));
                let work = async {
                    let mut roles: BTreeSet<(Role, Uuid)> =
                        input.roles.iter().map(|r| (*r, Uuid::nil())).collect();
                    let invited = match &input.invitation {
                        Some(secret) => Some(redeemable(tx, fingerprint(secret), person, now).await?),
                        None => None,
                    };
                    // A known address is answered as an unknown one, and nothing changes.
                    if !repo::insert_party(tx, &row).await? {
                        if let Some(known) = repo::party_by_email(tx, &row.email).await? {
                            let known = Some(PartyId(known.id));
                            inner.write_letter(tx, LetterKind::Known, known, input.language, now).await?;
                        }
                        return Ok(Registered {});
                    }
                    let party = PartyId(row.id);
                    if let Some((id, role)) = invited {
                        repo::use_invitation(tx, id, party, person).await?;
                        roles.insert((role, id));
                    }
                    let mut events = vec![IdentityEvent::PartyRegistered { party }];
                    for (role, by) in roles {
                        repo::add_role(tx, party, role, by, now).await?;
                        events.push(IdentityEvent::RoleGranted { party, role });
                    }
                    outbox.announce_all(tx, &events).await?;
                    inner.write_letter(tx, LetterKind::Confirm, Some(party), input.language, now).await?;
                    Ok(Registered {})
                };
                commands::once(
                    tx,
                    "identity",
                    input.id.0,
                    "register",
                    &content,
                    now,
                    IdentityError::CommandIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "register", e))
    }

    /// The links by which the first two administrators come in, while they are unused.
    pub(crate) async fn begin(&self, call: &Call) -> Result<FirstLinks, Fault<IdentityError>> {
        let now = self.clock.now();
        let links: Vec<(InvitationId, Secret)> = [1u128, 2]
            .into_iter()
            .map(|n| (InvitationId(Uuid::from_u128(n)), self.keys.derive("first", &n.to_be_bytes())))
            .collect();
        let rows: Vec<invitation::Model> = links
            .iter()
            .map(|(id, secret)| invitation::Model {
                id: id.0,
                secret: fingerprint(secret),
                role: Role::Administrator.code().into(),
                first: true,
                expires_at: now + Duration::days(FIRST_LINK_DAYS),
                used_by: None,
                person: None,
            })
            .collect();
        let write = self.db.write(move |tx| {
            let rows = rows.clone();
            async move {
                for row in &rows {
                    repo::insert_invitation(tx, row).await?;
                }
                repo::renew_first(tx, now + Duration::days(FIRST_LINK_DAYS)).await?;
                let found = repo::first_invitations(tx).await?;
                Ok::<_, WriteError<IdentityError>>(
                    found.into_iter().filter(|i| i.used_by.is_none()).map(|i| i.id).collect::<BTreeSet<_>>(),
                )
            }
            .boxed()
        });
        let unused = write.await.map_err(|e| published(call, "begin an installation", e))?;
        Ok(FirstLinks { invitations: links.into_iter().filter(|(id, _)| unused.contains(&id.0)).collect() })
    }
}

/// An invitation that this person may use now, and its role.
async fn redeemable(
    tx: &Tx,
    secret: Vec<u8>,
    person: PersonId,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(Uuid, Role), WriteError<IdentityError>> {
    let invalid = || WriteError::Refused(IdentityError::InvitationInvalid);
    let found = repo::lock_invitation(tx, secret).await?.ok_or_else(invalid)?;
    if found.used_by.is_some() || found.expires_at <= now {
        return Err(invalid());
    }
    if found.first && repo::first_invitations(tx).await?.iter().any(|other| other.person == Some(person.0)) {
        return Err(WriteError::Refused(IdentityError::SamePerson));
    }
    let role = Role::from_code(&found.role).ok_or_else(|| DbErr::Type(found.role.clone()))?;
    Ok((found.id, role))
}

#[cfg(test)]
mod tests {
    use super::is_email;

    #[test]
    fn what_looks_like_an_address() {
        for good in ["ann@example.org", "a.b+c@x.co"] {
            assert!(is_email(good), "{good}");
        }
        for bad in
            ["", "ann", "@example.org", "ann@", "ann@org", "ann@.org", "a b@x.org", "ann@x.org.", "änn@x.org"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
