//! Letters: what is sent to an address so that only its reader can act on it.
//!
//! A letter's secret derives from its id, so that it is stored nowhere: the row keeps its fingerprint, the event its id, and
//! whoever sends it asks here for the rest. Asking for a letter writes the same row whether the address is known or not.

use crate::registration::check_password;
use crate::repo;
use crate::secret::{self, fingerprint};
use crate::service::Inner;
use chrono::{DateTime, Duration, Utc};
use entity_identity::letter;
use futures::FutureExt;
use identity_api::*;
use kernel::Call;
use kernel::call::{Actor, Service};
use kernel::id::{LetterId, PartyId, SessionId};
use platform::Fault;
use platform::db::{Tx, WriteError};
use platform::service::{published, unreadable};
use sea_orm::DbErr;

/// How long the link to confirm an address works, and the one to choose a new password.
const CONFIRM_DAYS: i64 = 7;
const RESET_MINUTES: i64 = 60;
/// How many letters one address gets in an hour, whoever asks for them.
const LETTERS_PER_HOUR: i64 = 5;
/// How many letters are asked for from one place before it must wait.
const FREE_FOR_PLACE: i64 = 20;
/// How long rows are kept after they have run out.
const KEPT_DAYS: i64 = 30;

impl Inner {
    /// Writes a letter down and announces it, unless its address got too many. Without a party the row stands for nobody.
    pub(crate) async fn write_letter(
        &self,
        tx: &Tx,
        kind: LetterKind,
        party: Option<PartyId>,
        language: Language,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        let id = self.entropy.uuid(now);
        let lasts = match kind {
            LetterKind::Confirm => Duration::days(CONFIRM_DAYS),
            _ => Duration::minutes(RESET_MINUTES),
        };
        let row = letter::Model {
            id,
            kind: kind.code().into(),
            party: party.map(|p| p.0),
            language: language.tag().into(),
            secret: fingerprint(&self.keys.derive("letter", id.as_bytes())),
            at: now,
            expires_at: now + lasts,
            used_at: None,
        };
        repo::forget_letters(tx, now - Duration::days(KEPT_DAYS)).await?;
        let sent = repo::letters_since(tx, row.party, now - Duration::hours(1)).await?;
        if party.is_some() && sent >= LETTERS_PER_HOUR {
            tracing::warn!(?kind, "an address got too many letters; this one is not sent");
            return Ok(());
        }
        repo::insert_letter(tx, row).await?;
        if let Some(party) = party {
            self.outbox.announce(tx, &IdentityEvent::LetterAsked { letter: LetterId(id), party }).await?;
        }
        Ok(())
    }

    pub(crate) async fn ask_reset(
        self: &std::sync::Arc<Self>,
        call: &Call,
        input: AskReset,
    ) -> Result<Asked, Fault<IdentityError>> {
        let (email, now) = (input.email.trim().to_lowercase(), self.clock.now());
        let place = fingerprint(&self.keys.derive("letters", input.address.as_bytes()));
        let read = |e: &DbErr| unreadable::<IdentityError>(call, "ask for a reset", e);
        let throttled = repo::throttled(self.db.read(), place.clone(), now).await.map_err(|e| read(&e))?;
        if let Some(seconds) = throttled {
            return Err(Fault::Refused(IdentityError::Throttled { seconds }));
        }
        let inner = self.clone();
        let write = self.db.write(move |tx| {
            let (inner, email, place) = (inner.clone(), email.clone(), place.clone());
            async move {
                repo::count_failure(tx, place, FREE_FOR_PLACE, now).await?;
                let found = repo::party_by_email(tx, &email).await?;
                let party = found.map(|p| PartyId(p.id));
                let staff = match party {
                    Some(party) => repo::is_staff(tx, party).await?,
                    None => false,
                };
                let kind = if staff { LetterKind::ResetOfStaff } else { LetterKind::Reset };
                inner.write_letter(tx, kind, party, input.language, now).await?;
                Ok::<_, WriteError<IdentityError>>(Asked {})
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "ask for a reset", e))
    }

    pub(crate) async fn reset_password(
        &self,
        call: &Call,
        input: ResetPassword,
    ) -> Result<(), Fault<IdentityError>> {
        check_password(&input.password).map_err(Fault::Refused)?;
        let (now, outbox) = (self.clock.now(), self.outbox.clone());
        let invalid = || Fault::Refused(IdentityError::LinkInvalid);
        let mark = fingerprint(&input.secret);
        let read = |e: DbErr| unreadable::<IdentityError>(call, "reset a password", &e);
        let found = repo::letter_by_secret(self.db.read(), mark.clone()).await.map_err(read)?;
        let found = found.filter(|l| l.kind == LetterKind::Reset.code()).ok_or_else(invalid)?;
        let party = found.party.map(PartyId).ok_or_else(invalid)?;
        // An answer that got lost, or a call that came twice: the same password hears the same again.
        let again = async |password: Secret| {
            let row = repo::maybe_party(self.db.read(), party).await.map_err(read)?;
            let same = secret::verify(password, row.map(|p| p.password)).await;
            if same { Ok(()) } else { Err(invalid()) }
        };
        if found.used_at.is_some() {
            return again(input.password).await;
        }
        let hashed = secret::hash(input.password.clone(), &self.entropy).await.ok_or(Fault::Internal)?;
        let write = self.db.write(move |tx| {
            let (outbox, hashed, mark) = (outbox.clone(), hashed.clone(), mark.clone());
            async move {
                repo::lock_party(tx, party).await?;
                if !repo::use_letter(tx, mark, now).await? || repo::is_staff(tx, party).await? {
                    return Err(WriteError::Refused(IdentityError::LinkInvalid));
                }
                // Whoever read the letter has the address.
                repo::confirm_email(tx, party, now).await?;
                repo::set_password(tx, party, &hashed).await?;
                let mut events = vec![IdentityEvent::PasswordChanged { party }];
                for session in repo::open_sessions(tx, party, now).await? {
                    let (session, why) = (SessionId(session.id), "the password was reset");
                    repo::revoke(tx, session, why, now).await?;
                    events.push(IdentityEvent::SessionRevoked { party, session, why: why.into() });
                }
                outbox.announce_all(tx, &events).await?;
                Ok(())
            }
            .boxed()
        });
        match write.await.map_err(|e| published(call, "reset a password", e)) {
            Err(Fault::Refused(IdentityError::LinkInvalid)) => again(input.password).await,
            other => other,
        }
    }

    pub(crate) async fn link_stands(&self, call: &Call, input: LinkOf) -> Result<bool, Fault<IdentityError>> {
        let now = self.clock.now();
        let found = repo::letter_by_secret(self.db.read(), fingerprint(&input.secret)).await;
        let read = |e: DbErr| unreadable(call, "look at a link", &e);
        let stands = found
            .map_err(read)?
            .filter(|l| l.kind == LetterKind::Reset.code() && l.used_at.is_none() && l.expires_at > now);
        match stands.and_then(|l| l.party) {
            Some(party) => Ok(!repo::is_staff(self.db.read(), PartyId(party)).await.map_err(read)?),
            None => Ok(false),
        }
    }

    pub(crate) async fn invitation_stands(
        &self,
        call: &Call,
        input: LinkOf,
    ) -> Result<bool, Fault<IdentityError>> {
        let secret = fingerprint(&input.secret);
        let found = repo::invitation_stands(self.db.read(), secret, self.clock.now()).await;
        found.map_err(|e| unreadable(call, "look at an invitation", &e))
    }

    pub(crate) async fn ask_confirmation(
        self: &std::sync::Arc<Self>,
        call: &Call,
        input: AskConfirmation,
    ) -> Result<Asked, Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        let (inner, now) = (self.clone(), self.clock.now());
        let write = self.db.write(move |tx| {
            let inner = inner.clone();
            async move {
                if let Some(row) = repo::maybe_party(tx, party).await?
                    && row.email_confirmed_at.is_none()
                {
                    inner.write_letter(tx, LetterKind::Confirm, Some(party), input.language, now).await?;
                }
                Ok::<_, WriteError<IdentityError>>(Asked {})
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "ask for a letter", e))
    }

    pub(crate) async fn confirm_email(
        &self,
        call: &Call,
        input: ConfirmEmail,
    ) -> Result<(), Fault<IdentityError>> {
        let (now, mark) = (self.clock.now(), fingerprint(&input.secret));
        let write = self.db.write(move |tx| {
            let mark = mark.clone();
            async move {
                let invalid = || WriteError::Refused(IdentityError::LinkInvalid);
                let found = repo::letter_by_secret(tx, mark.clone()).await?;
                let found = found.filter(|l| l.kind == LetterKind::Confirm.code()).ok_or_else(invalid)?;
                let party = found.party.map(PartyId).ok_or_else(invalid)?;
                // Opened twice, it says the same twice.
                if found.used_at.is_none() {
                    if !repo::use_letter(tx, mark, now).await? {
                        return Err(invalid());
                    }
                    repo::confirm_email(tx, party, now).await?;
                }
                Ok(())
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "confirm an address", e))
    }

    pub(crate) async fn choose_language(
        &self,
        call: &Call,
        input: ChooseLanguage,
    ) -> Result<(), Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        let write = self.db.write(move |tx| {
            async move {
                repo::set_language(tx, party, input.language).await?;
                Ok::<_, WriteError<IdentityError>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "choose a language", e))
    }

    /// What is to be sent, to whoever sends letters and to nobody else; nothing where it is no longer wanted.
    pub(crate) async fn letter(
        &self,
        call: &Call,
        input: LetterOf,
    ) -> Result<Option<LetterView>, Fault<IdentityError>> {
        if call.caller != Service::Notification || !matches!(call.actor, Actor::System { .. }) {
            return Err(Fault::Forbidden);
        }
        let read = |e: DbErr| unreadable::<IdentityError>(call, "read a letter", &e);
        let found = repo::maybe_letter(self.db.read(), input.letter).await.map_err(read)?;
        let wanted = found.filter(|l| l.used_at.is_none() && l.expires_at > self.clock.now());
        let Some((row, party)) = wanted.and_then(|l| l.party.map(|p| (l, PartyId(p)))) else {
            return Ok(None);
        };
        let Some(to) = repo::maybe_party(self.db.read(), party).await.map_err(read)? else { return Ok(None) };
        let kind = LetterKind::from_code(&row.kind).ok_or_else(|| read(DbErr::Type(row.kind.clone())))?;
        Ok(Some(LetterView {
            kind,
            email: to.email,
            name: to.name,
            language: Language::from_tag(&row.language),
            secret: self.keys.derive("letter", row.id.as_bytes()),
            expires_at: row.expires_at,
        }))
    }
}
