//! One's own password: showing that one knows it, and changing it.

use crate::repo;
use crate::secret;
use crate::service::Inner;
use entity_identity::party;
use futures::FutureExt;
use identity_api::*;
use kernel::call::Actor;
use kernel::id::{PartyId, SessionId};
use kernel::{Call, hash};
use platform::db::WriteError;
use platform::service::{published, unreadable};
use platform::{Fault, commands};

/// Wrong guesses before it pauses.
const FREE: i64 = 5;

fn guesses(party: PartyId) -> Vec<u8> {
    hash::content(&("password", party)).to_vec()
}

impl Inner {
    /// Whoever is at a signed-in device must still know the password. Wrong guesses are counted.
    pub(crate) async fn own_password(
        &self,
        call: &Call,
        party: PartyId,
        password: Secret,
    ) -> Result<party::Model, Fault<IdentityError>> {
        let now = self.clock.now();
        let read = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "verify a password", e);
        if let Some(seconds) =
            repo::throttled(self.db.read(), guesses(party), now).await.map_err(|e| read(&e))?
        {
            return Err(Fault::Refused(IdentityError::Throttled { seconds }));
        }
        let row = repo::maybe_party(self.db.read(), party).await.map_err(|e| read(&e))?;
        let row = row.ok_or(Fault::Refused(IdentityError::SessionEnded))?;
        if secret::verify(password, Some(row.password.clone())).await {
            return Ok(row);
        }
        let write = self.db.write(move |tx| {
            async move {
                repo::count_failure(tx, guesses(party), FREE, now)
                    .await
                    .map_err(WriteError::<IdentityError>::from)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "count a wrong guess", e))?;
        Err(Fault::Refused(IdentityError::PasswordWrong))
    }

    /// All other sessions end.
    pub(crate) async fn change_password(
        &self,
        call: &Call,
        input: ChangePassword,
    ) -> Result<(), Fault<IdentityError>> {
        let Actor::Person { party, session: present, .. } = call.actor else { return Err(Fault::Forbidden) };
        commands::client_made(input.id.0)?;
        crate::registration::check_password(&input.new).map_err(Fault::Refused)?;
        let now = self.clock.now();
        let read = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "change a password", e);
        // A repeat is answered as before, though the password is another by then.
        let repeat =
            commands::is_known(self.db.read(), "identity", input.id.0).await.map_err(|e| read(&e))?;
        let row = if repeat {
            let row = repo::maybe_party(self.db.read(), party).await.map_err(|e| read(&e))?;
            row.ok_or(Fault::Refused(IdentityError::SessionEnded))?
        } else {
            self.own_password(call, party, input.current).await?
        };
        let hashed = secret::hash(input.new, &self.entropy).await.ok_or(Fault::Internal)?;
        let (outbox, id) = (self.outbox.clone(), input.id);
        let write = self.db.write(move |tx| {
            let (outbox, hashed) = (outbox.clone(), hashed.clone());
            let verified = row.password.clone();
            async move {
                let work = async {
                    // Another change or a reset may have come while the password was being verified.
                    let now_stands = repo::lock_party(tx, party).await?.map(|p| p.password);
                    if now_stands != Some(verified) {
                        return Err(WriteError::Refused(IdentityError::PasswordWrong));
                    }
                    repo::set_password(tx, party, &hashed).await?;
                    repo::clear_failures(tx, guesses(party)).await?;
                    outbox.announce(tx, &IdentityEvent::PasswordChanged { party }).await?;
                    let why = "the password was changed";
                    for other in repo::open_sessions(tx, party, now).await? {
                        let session = SessionId(other.id);
                        if session != present && repo::revoke(tx, session, why, now).await? {
                            let event = IdentityEvent::SessionRevoked { party, session, why: why.into() };
                            outbox.announce(tx, &event).await?;
                        }
                    }
                    Ok(())
                };
                // The passwords are no part of what is remembered of the command.
                commands::once(
                    tx,
                    "identity",
                    id.0,
                    "change_password",
                    &party,
                    now,
                    IdentityError::CommandIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "change a password", e))
    }
}
