//! Programs that read for a party, and their tokens: OAuth 2.0 client credentials (RFC 6749, 4.4).
//!
//! A program has none of its party's roles and acts in nothing. Its secret derives from its id under the installation's own
//! secret, so that an answer that got lost can be asked for again; of it a fingerprint is kept, which is what is compared.
//! It has 256 bits: nobody guesses it, and its hash need not be slow.

use crate::repo;
use crate::secret::fingerprint;
use crate::service::Inner;
use entity_identity::client;
use futures::FutureExt;
use identity_api::*;
use kernel::Call;
use kernel::call::{Actor, Scope};
use kernel::id::{ClientId, PartyId};
use platform::db::WriteError;
use platform::service::{published, unreadable};
use platform::{Fault, commands};
use std::collections::BTreeSet;

const NAME_MAX: usize = 60;
/// As many as one may have at a time.
const CLIENTS_MAX: usize = 20;
/// Wrong secrets for one program from one place, and from one place for all, before it must wait.
const FREE_FOR_CLIENT: i64 = 5;
const FREE_FOR_PLACE: i64 = 50;
/// Secrets are found by whoever searches code for what does not belong there.
const SECRET_PREFIX: &str = "cfs_";

fn written(scopes: &BTreeSet<Scope>) -> String {
    scopes.iter().map(|s| s.code()).collect::<Vec<_>>().join(" ")
}

fn read(scopes: &str) -> BTreeSet<Scope> {
    scopes.split(' ').filter_map(Scope::from_code).collect()
}

fn view(row: client::Model) -> ClientView {
    ClientView {
        id: ClientId(row.id),
        name: row.name,
        scopes: read(&row.scopes),
        created_at: row.created_at,
        used_at: row.used_at,
    }
}

/// Only somebody who is signed in decides what programs may read.
fn owner(call: &Call) -> Result<PartyId, Fault<IdentityError>> {
    match call.actor {
        Actor::Person { party, .. } => Ok(party),
        _ => Err(Fault::Forbidden),
    }
}

impl Inner {
    fn client_secret(&self, id: ClientId) -> Secret {
        Secret(format!("{SECRET_PREFIX}{}", self.keys.derive("client", id.0.as_bytes()).0))
    }

    pub(crate) async fn create_client(
        &self,
        call: &Call,
        input: CreateClient,
    ) -> Result<CreatedClient, Fault<IdentityError>> {
        let party = owner(call)?;
        commands::client_made(input.id.0)?;
        let name: String = input.name.trim().chars().take(NAME_MAX).collect();
        if name.is_empty() {
            return Err(Fault::Refused(IdentityError::ClientNameMissing));
        }
        if input.scopes.is_empty() {
            return Err(Fault::Refused(IdentityError::ScopesMissing));
        }
        self.own_password(call, party, input.password).await?;
        let (id, scopes, now) = (input.id, input.scopes, self.clock.now());
        let (secret, outbox) = (self.client_secret(id), self.outbox.clone());
        let kept = fingerprint(&secret);
        let write = self.db.write(move |tx| {
            let (name, scopes, kept, outbox) = (name.clone(), scopes.clone(), kept.clone(), outbox.clone());
            async move {
                let content = (party, name.clone(), scopes.clone());
                let work = async {
                    // Counted under the party's lock, so that many at once are still one after the other.
                    repo::lock_party(tx, party).await?;
                    if repo::clients(tx, party).await?.len() >= CLIENTS_MAX {
                        let refusal = IdentityError::TooManyClients { count_max: CLIENTS_MAX };
                        return Err(WriteError::Refused(refusal));
                    }
                    let row = client::Model {
                        id: id.0,
                        party: party.0,
                        name,
                        scopes: written(&scopes),
                        secret: kept,
                        created_at: now,
                        used_at: None,
                        revoked_at: None,
                    };
                    repo::insert_client(tx, row.clone()).await?;
                    outbox.announce(tx, &IdentityEvent::ClientCreated { party, client: id }).await?;
                    Ok(view(row))
                };
                let taken = IdentityError::CommandIdTaken;
                commands::once(tx, "identity", id.0, "create_client", &content, now, taken, work).await
            }
            .boxed()
        });
        let client = write.await.map_err(|e| published(call, "create a client", e))?;
        Ok(CreatedClient { client, secret })
    }

    pub(crate) async fn revoke_client(
        &self,
        call: &Call,
        input: RevokeClient,
    ) -> Result<(), Fault<IdentityError>> {
        let party = owner(call)?;
        let (client, outbox, now) = (input.client, self.outbox.clone(), self.clock.now());
        let write = self.db.write(move |tx| {
            let outbox = outbox.clone();
            async move {
                if repo::revoke_client(tx, party, client, now).await? {
                    outbox.announce(tx, &IdentityEvent::ClientRevoked { party, client }).await?;
                    return Ok(());
                }
                // Asked twice, it is revoked as it is after once; another's is not there.
                match repo::maybe_client(tx, client).await? {
                    Some(row) if row.party == party.0 => Ok(()),
                    _ => Err(WriteError::Refused(IdentityError::ClientNotFound)),
                }
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "revoke a client", e))
    }

    pub(crate) async fn clients(&self, call: &Call) -> Result<Vec<ClientView>, Fault<IdentityError>> {
        let party = owner(call)?;
        let found = repo::clients(self.db.read(), party).await;
        Ok(found.map_err(|e| unreadable(call, "read clients", &e))?.into_iter().map(view).collect())
    }

    pub(crate) async fn issue_token(
        &self,
        call: &Call,
        input: IssueToken,
    ) -> Result<ClientToken, Fault<IdentityError>> {
        let (id, now) = (input.client, self.clock.now());
        let client_key =
            fingerprint(&self.keys.derive("client-guess", format!("{id} {}", input.address).as_bytes()));
        let place_key = fingerprint(&self.keys.derive("client-place", input.address.as_bytes()));
        let unread = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "issue a token", e);
        for key in [&client_key, &place_key] {
            if let Some(seconds) =
                repo::throttled(self.db.read(), key.clone(), now).await.map_err(|e| unread(&e))?
            {
                return Err(Fault::Refused(IdentityError::Throttled { seconds }));
            }
        }
        let found = repo::maybe_client(self.db.read(), id).await.map_err(|e| unread(&e))?;
        let given = fingerprint(&input.secret);
        // Of fingerprints: how far two of them agree tells nothing of the secret.
        let found = found.filter(|c| c.revoked_at.is_none() && c.secret == given);
        let Some(row) = found else {
            let write = self.db.write(move |tx| {
                let (client_key, place_key) = (client_key.clone(), place_key.clone());
                async move {
                    repo::count_failure(tx, client_key, FREE_FOR_CLIENT, now).await?;
                    repo::count_failure(tx, place_key, FREE_FOR_PLACE, now).await?;
                    Ok::<(), WriteError<IdentityError>>(())
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "count a wrong secret", e))?;
            metrics::counter!("client_token_failures_total").increment(1);
            return Err(Fault::Refused(IdentityError::ClientWrong));
        };
        let granted = read(&row.scopes);
        if !input.scopes.is_subset(&granted) {
            return Err(Fault::Refused(IdentityError::ScopeNotGranted));
        }
        let scopes = if input.scopes.is_empty() { granted } else { input.scopes };
        let party = PartyId(row.party);
        let token = self.keys.client_access(party, id, &written(&scopes), now).ok_or(Fault::Internal)?;
        let write = self.db.write(move |tx| {
            let client_key = client_key.clone();
            async move {
                repo::client_used(tx, id, now).await?;
                repo::clear_failures(tx, client_key).await?;
                Ok::<(), WriteError<IdentityError>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "issue a token", e))?;
        Ok(ClientToken { access: token.0, expires_at: token.1, scopes })
    }

    /// For whom a program's token speaks, if the program still may.
    pub(crate) async fn authenticate_client(
        &self,
        call: &Call,
        party: PartyId,
        client: ClientId,
        scopes: &str,
    ) -> Result<Actor, Fault<IdentityError>> {
        let unread = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "authenticate a client", e);
        let found = repo::maybe_client(self.db.read(), client).await.map_err(|e| unread(&e))?;
        let stands = found
            .filter(|c| c.party == party.0 && c.revoked_at.is_none())
            .ok_or(Fault::Refused(IdentityError::SessionEnded))?;
        // Of what the token says no more than the program may.
        let granted = read(&stands.scopes);
        let scopes = read(scopes).intersection(&granted).copied().collect();
        Ok(Actor::Client { party, client, scopes })
    }
}
