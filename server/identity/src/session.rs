//! Sessions: sign-in, tokens, refresh, sign-out.
//!
//! A refresh token is spent by its use. Its successor derives from it, so that an answer lost on the way can be asked for
//! again within a few seconds; a spent token that turns up later is taken for stolen and ends the whole session.

use crate::repo;
use crate::secret::{self, Speaks, fingerprint};
use crate::service::Inner;
use chrono::Duration;
use entity_identity::session;
use futures::FutureExt;
use identity_api::*;
use kernel::Call;
use kernel::call::Actor;
use kernel::id::{PartyId, PersonId, SessionId};
use platform::Fault;
use platform::db::WriteError;
use platform::service::{published, unreadable};
use std::sync::Arc;

/// How long one can stay signed in without a password.
const SESSION_DAYS: i64 = 30;
/// Within this a spent token is an answer that got lost, not a theft.
const GRACE_SECONDS: i64 = 10;
/// Wrong guesses from one place before it must wait: for one account, and for all.
const FREE_FOR_ACCOUNT: i64 = 5;
const FREE_FOR_PLACE: i64 = 50;

impl Inner {
    pub(crate) async fn sign_in(
        self: &Arc<Self>,
        call: &Call,
        input: SignIn,
    ) -> Result<Tokens, Fault<IdentityError>> {
        let email = input.email.trim().to_lowercase();
        // Counted by account *and* place: a stranger who guesses cannot lock the owner out.
        let account_key =
            fingerprint(&self.keys.derive("account", format!("{email} {}", input.address).as_bytes()));
        let place_key = fingerprint(&self.keys.derive("place", input.address.as_bytes()));
        let now = self.clock.now();
        let read = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "sign in", e);
        for key in [&account_key, &place_key] {
            if let Some(seconds) =
                repo::throttled(self.db.read(), key.clone(), now).await.map_err(|e| read(&e))?
            {
                return Err(Fault::Refused(IdentityError::Throttled { seconds }));
            }
        }
        let found = repo::party_by_email(self.db.read(), &email).await.map_err(|e| read(&e))?;
        let right = secret::verify(input.password, found.as_ref().map(|p| p.password.clone())).await;
        let Some(party) = found.filter(|_| right) else {
            let write = self.db.write(move |tx| {
                let (account_key, place_key) = (account_key.clone(), place_key.clone());
                async move {
                    repo::count_failure(tx, account_key, FREE_FOR_ACCOUNT, now).await?;
                    repo::count_failure(tx, place_key, FREE_FOR_PLACE, now).await?;
                    Ok::<(), WriteError<IdentityError>>(())
                }
                .boxed()
            });
            write.await.map_err(|e| published(call, "count a wrong guess", e))?;
            metrics::counter!("sign_in_failures_total").increment(1);
            return Err(Fault::Refused(IdentityError::CredentialsWrong));
        };
        // Only whoever knows the password is asked for more.
        let factor = repo::maybe_factor(self.db.read(), PartyId(party.id)).await.map_err(|e| read(&e))?;
        if factor.is_some_and(|f| f.confirmed_at.is_some()) && input.code.is_none() {
            return Err(Fault::Refused(IdentityError::CodeNeeded));
        }
        let row = session::Model {
            id: self.entropy.uuid(now),
            party: party.id,
            agent: input.agent.chars().take(200).collect(),
            created_at: now,
            expires_at: now + Duration::days(SESSION_DAYS),
            revoked_at: None,
            why: String::new(),
        };
        let refresh = Secret(self.entropy.secret());
        let (session, spent) = (row.clone(), fingerprint(&refresh));
        let (inner, code, request) = (self.clone(), input.code, call.request);
        let write = self.db.write(move |tx| {
            let (row, spent, account_key) = (row.clone(), spent.clone(), account_key.clone());
            let (inner, code) = (inner.clone(), code.clone());
            let verified = party.password.clone();
            async move {
                // A reset that came while the password was being verified has ended every session; this one too.
                let now_stands = repo::lock_party(tx, PartyId(row.party)).await?.map(|p| p.password);
                if now_stands != Some(verified) {
                    return Err(WriteError::Refused(IdentityError::CredentialsWrong));
                }
                if let Some(factor) = repo::maybe_factor(tx, PartyId(row.party)).await?
                    && factor.confirmed_at.is_some()
                {
                    let Some(code) = code else {
                        return Err(WriteError::Refused(IdentityError::CodeNeeded));
                    };
                    // A wrong code is counted, and what is counted must be committed.
                    if let Some(refusal) = inner.spend_code(tx, request, &factor, &code, now).await?.refusal()
                    {
                        return Ok(Some(refusal));
                    }
                }
                repo::insert_session(tx, row, spent).await?;
                repo::clear_failures(tx, account_key).await?;
                Ok::<_, WriteError<IdentityError>>(None)
            }
            .boxed()
        });
        if let Some(refusal) = write.await.map_err(|e| published(call, "open a session", e))? {
            metrics::counter!("sign_in_failures_total").increment(1);
            return Err(Fault::Refused(refusal));
        }
        self.tokens(call, &session, refresh).await
    }

    async fn tokens(
        &self,
        call: &Call,
        session: &session::Model,
        refresh: Secret,
    ) -> Result<Tokens, Fault<IdentityError>> {
        let party = PartyId(session.party);
        let (access, access_expires_at) =
            self.keys.access(party, SessionId(session.id), self.clock.now()).ok_or(Fault::Internal)?;
        let read = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "read a party", e);
        let row = repo::maybe_party(self.db.read(), party).await.map_err(|e| read(&e))?;
        let row = row.ok_or(Fault::Refused(IdentityError::SessionEnded))?;
        let party = repo::view(self.db.read(), row).await.map_err(|e| read(&e))?;
        Ok(Tokens { access, access_expires_at, refresh, refresh_expires_at: session.expires_at, party })
    }

    pub(crate) async fn refresh(&self, call: &Call, input: Refresh) -> Result<Tokens, Fault<IdentityError>> {
        let now = self.clock.now();
        let old = fingerprint(&input.refresh);
        let next = self.keys.derive("refresh", input.refresh.0.as_bytes());
        let (successor, outbox) = (fingerprint(&next), self.outbox.clone());
        let write = self.db.write(move |tx| {
            let (old, successor, outbox) = (old.clone(), successor.clone(), outbox.clone());
            async move {
                let Some((id, used_at)) = repo::lock_refresh(tx, old.clone()).await? else { return Ok(None) };
                let Some(session) = repo::maybe_session(tx, id).await? else { return Ok(None) };
                if session.revoked_at.is_some() || session.expires_at <= now {
                    return Ok(None);
                }
                match used_at {
                    None => {
                        repo::spend_refresh(tx, old, now).await?;
                        repo::insert_refresh(tx, id, successor).await?;
                    }
                    Some(at) if now - at <= Duration::seconds(GRACE_SECONDS) => {}
                    Some(_) => {
                        // Somebody has a copy: nobody keeps anything of this session.
                        let why = "a spent refresh token was used again";
                        if repo::revoke(tx, id, why, now).await? {
                            let event = IdentityEvent::SessionRevoked {
                                party: PartyId(session.party),
                                session: id,
                                why: why.into(),
                            };
                            outbox.announce(tx, &event).await?;
                        }
                        return Ok(None);
                    }
                }
                Ok::<_, WriteError<IdentityError>>(Some(session))
            }
            .boxed()
        });
        let session = write.await.map_err(|e| published(call, "refresh a session", e))?;
        let session = session.ok_or(Fault::Refused(IdentityError::SessionEnded))?;
        self.tokens(call, &session, next).await
    }

    pub(crate) async fn authenticate(
        &self,
        call: &Call,
        input: Authenticate,
    ) -> Result<Actor, Fault<IdentityError>> {
        let now = self.clock.now();
        let ended = || Fault::Refused(IdentityError::SessionEnded);
        let (party, session) = match self.keys.read(&input.access, now).ok_or_else(ended)? {
            Speaks::Session { party, session } => (party, session),
            Speaks::Client { party, client, scopes } => {
                return self.authenticate_client(call, party, client, &scopes).await;
            }
        };
        let read = |e: &sea_orm::DbErr| unreadable::<IdentityError>(call, "authenticate", e);
        let found = repo::maybe_session(self.db.read(), session).await.map_err(|e| read(&e))?;
        let stands =
            found.is_some_and(|s| s.party == party.0 && s.revoked_at.is_none() && s.expires_at > now);
        if !stands {
            return Err(ended());
        }
        let row = repo::maybe_party(self.db.read(), party).await.map_err(|e| read(&e))?.ok_or_else(ended)?;
        // From the table and not from the token: what was taken away works no minute longer.
        let roles = repo::roles(self.db.read(), party).await.map_err(|e| read(&e))?;
        Ok(Actor::Person { party, person: PersonId(row.person), session, roles })
    }

    pub(crate) async fn sign_out(&self, call: &Call, input: SignOut) -> Result<(), Fault<IdentityError>> {
        let Actor::Person { party, session, .. } = call.actor else { return Err(Fault::Forbidden) };
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        let write = self.db.write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let wanted = |s: &SessionId| input.everywhere || *s == input.session.unwrap_or(session);
                // One's own only: another's session is not there.
                let open = repo::open_sessions(tx, party, now).await?;
                let ids: Vec<SessionId> = open.into_iter().map(|s| SessionId(s.id)).filter(wanted).collect();
                for id in ids {
                    if repo::revoke(tx, id, "signed out", now).await? {
                        let event =
                            IdentityEvent::SessionRevoked { party, session: id, why: "signed out".into() };
                        outbox.announce(tx, &event).await?;
                    }
                }
                Ok::<(), WriteError<IdentityError>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "sign out", e))
    }

    pub(crate) async fn sessions(&self, call: &Call) -> Result<Vec<SessionView>, Fault<IdentityError>> {
        let Actor::Person { party, session, .. } = call.actor else { return Err(Fault::Forbidden) };
        let found = repo::open_sessions(self.db.read(), party, self.clock.now()).await;
        let used = repo::sessions_used(self.db.read(), party).await;
        let used = used.map_err(|e| unreadable(call, "read sessions", &e))?;
        let view = |s: session::Model| SessionView {
            used_at: used.get(&s.id).copied(),
            id: SessionId(s.id),
            agent: s.agent,
            created_at: s.created_at,
            expires_at: s.expires_at,
            present: s.id == session.0,
        };
        Ok(found.map_err(|e| unreadable(call, "read sessions", &e))?.into_iter().map(view).collect())
    }
}
