//! A second factor: codes by time (RFC 6238), and recovery codes for whoever has lost the authenticator.
//!
//! The secret derives from a seed under the installation's own secret and is stored nowhere: a copy of the database opens
//! nothing. Of a recovery code only a keyed mark is kept. A code works once; guesses are counted under the party's lock, so
//! that many at once are still one after the other.

use crate::repo;
use crate::secret::Keys;
use crate::service::Inner;
use chrono::{DateTime, Duration, Utc};
use entity_identity::factor;
use futures::FutureExt;
use identity_api::*;
use kernel::Call;
use kernel::id::{CommandId, PartyId, RequestId};
use platform::db::{Tx, WriteError};
use platform::service::{published, unreadable};
use platform::{Fault, commands};
use sea_orm::DbErr;
use totp_rs::{Algorithm, Builder, Totp};
use uuid::Uuid;

/// What an authenticator shows beside the account.
const ISSUER: &str = "Counterfoil";
const RECOVERY_CODES: u8 = 10;
/// Wrong codes before one must wait. They count for the account and not by place: whoever guesses them knows the password.
const FREE: i64 = 5;

/// What became of a code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spent {
    Right,
    Wrong,
    Throttled { seconds: i64 },
}

impl Spent {
    /// Why it does not count.
    pub(crate) fn refusal(self) -> Option<IdentityError> {
        match self {
            Spent::Right => None,
            Spent::Wrong => Some(IdentityError::CodeWrong),
            Spent::Throttled { seconds } => Some(IdentityError::Throttled { seconds }),
        }
    }
}

fn totp(keys: &Keys, party: PartyId, seed: Uuid, email: &str) -> Option<Totp> {
    let secret = hex::decode(keys.derive("totp", format!("{party} {seed}").as_bytes()).0).ok()?;
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(30)
        // As long as the algorithm's block asks for (RFC 4226, 4).
        .with_secret(secret.get(..20)?)
        .with_account_name(email.replace(':', " "))
        .with_issuer(Some(ISSUER))
        .build()
        .ok()
}

/// A code as it was meant: with no blanks and hyphens, and in one case.
fn plain(code: &Secret) -> String {
    code.0.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// The step whose code this is, unless it or a later one was used.
fn step(factor: &factor::Model, totp: &Totp, typed: &str, now: DateTime<Utc>) -> Option<i64> {
    let found = totp.check(typed, u64::try_from(now.timestamp()).ok()?)?;
    i64::try_from(found).ok().filter(|step| *step > factor.last_step)
}

/// `0f3a-91bc-55de`: 48 bits, in letters that nobody mistakes for one another.
fn recovery(keys: &Keys, batch: Uuid) -> Vec<Secret> {
    let code = |n: u8| {
        let text = keys.derive("recovery", &[batch.as_bytes().as_slice(), &[n]].concat()).0;
        Secret(format!("{}-{}-{}", &text[..4], &text[4..8], &text[8..12]))
    };
    (0..RECOVERY_CODES).map(code).collect()
}

fn mark(keys: &Keys, party: PartyId, typed: &str) -> Vec<u8> {
    crate::secret::fingerprint(&keys.derive("recovery-mark", format!("{party} {typed}").as_bytes()))
}

impl Inner {
    fn guesses(&self, party: PartyId) -> Vec<u8> {
        crate::secret::fingerprint(&self.keys.derive("code", party.0.as_bytes()))
    }

    /// Uses a code up, or counts it as a guess. The party's row is locked.
    pub(crate) async fn spend_code(
        &self,
        tx: &Tx,
        request: RequestId,
        factor: &factor::Model,
        code: &Secret,
        now: DateTime<Utc>,
    ) -> Result<Spent, DbErr> {
        let party = PartyId(factor.party);
        if let Some(seconds) = repo::throttled(tx, self.guesses(party), now).await? {
            return Ok(Spent::Throttled { seconds });
        }
        let typed = plain(code);
        let totp =
            totp(&self.keys, party, factor.seed, "").ok_or_else(|| DbErr::Custom("no factor".into()))?;
        let kept = mark(&self.keys, party, &typed);
        if factor.last_request == Some(request.0) {
            // A call that came twice: what it has used is right once more.
            let before = factor::Model { last_step: factor.last_step - 1, ..factor.clone() };
            let same = step(&before, &totp, &typed, now) == Some(factor.last_step);
            let since = now - Duration::minutes(1);
            if same || repo::recovery_used(tx, party, kept.clone(), since).await? {
                return Ok(Spent::Right);
            }
        }
        let step = step(factor, &totp, &typed, now);
        let recovered = step.is_none() && repo::use_recovery(tx, party, kept, now).await?;
        if step.is_some() || recovered {
            if recovered {
                self.outbox.announce(tx, &IdentityEvent::RecoveryCodeUsed { party }).await?;
            }
            repo::code_used(tx, party, step, request).await?;
            repo::clear_failures(tx, self.guesses(party)).await?;
            return Ok(Spent::Right);
        }
        repo::count_failure(tx, self.guesses(party), FREE, now).await?;
        Ok(Spent::Wrong)
    }

    async fn write_recovery(&self, tx: &Tx, party: PartyId, batch: Uuid) -> Result<RecoveryCodes, DbErr> {
        let codes = recovery(&self.keys, batch);
        repo::forget_recovery(tx, party).await?;
        for code in &codes {
            repo::insert_recovery(tx, party, mark(&self.keys, party, &plain(code))).await?;
        }
        repo::set_batch(tx, party, batch).await?;
        Ok(RecoveryCodes { codes })
    }

    pub(crate) async fn factor(&self, call: &Call) -> Result<FactorView, Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        let read = |e: DbErr| unreadable::<IdentityError>(call, "read a second factor", &e);
        let found = repo::maybe_factor(self.db.read(), party).await.map_err(read)?;
        let left = repo::recovery_left(self.db.read(), party).await.map_err(read)?;
        Ok(FactorView { since: found.and_then(|f| f.confirmed_at), recovery_codes_left: left })
    }

    pub(crate) async fn begin_factor(
        &self,
        call: &Call,
        input: BeginFactor,
    ) -> Result<FactorSetup, Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        commands::client_made(input.id.0)?;
        let row = self.own_password(call, party, input.password).await?;
        let totp = totp(&self.keys, party, input.id.0, &row.email).ok_or(Fault::Internal)?;
        let uri = totp.to_url().map_err(|_| Fault::Internal)?;
        let (now, CommandId(seed)) = (self.clock.now(), input.id);
        let write = self.db.write(move |tx| {
            async move {
                repo::lock_party(tx, party).await?;
                let found = repo::maybe_factor(tx, party).await?;
                if found.is_some_and(|f| f.confirmed_at.is_some()) {
                    return Err(WriteError::Refused(IdentityError::FactorOn));
                }
                // What was begun before and not confirmed is forgotten.
                repo::replace_factor(tx, party, seed, now).await?;
                Ok(())
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "begin a second factor", e))?;
        Ok(FactorSetup { secret: Secret(totp.secret().to_base32()), uri: Secret(uri) })
    }

    pub(crate) async fn confirm_factor(
        self: &std::sync::Arc<Self>,
        call: &Call,
        input: ConfirmFactor,
    ) -> Result<RecoveryCodes, Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        let (inner, now) = (self.clone(), self.clock.now());
        let write = self.db.write(move |tx| {
            let (inner, typed) = (inner.clone(), plain(&input.code));
            async move {
                repo::lock_party(tx, party).await?;
                let missing = || WriteError::Refused(IdentityError::FactorMissing);
                let found = repo::maybe_factor(tx, party).await?.ok_or_else(missing)?;
                let totp = totp(&inner.keys, party, found.seed, "").ok_or_else(missing)?;
                if found.confirmed_at.is_some() {
                    // An answer that got lost: the code that confirmed it hears the same again.
                    let first = factor::Model { last_step: found.last_step - 1, ..found.clone() };
                    let same = step(&first, &totp, &typed, now) == Some(found.last_step)
                        && found.batch == found.seed;
                    return if same {
                        Ok(RecoveryCodes { codes: recovery(&inner.keys, found.batch) })
                    } else {
                        Err(WriteError::Refused(IdentityError::FactorOn))
                    };
                }
                let Some(step) = step(&found, &totp, &typed, now) else {
                    return Err(WriteError::Refused(IdentityError::CodeWrong));
                };
                repo::confirm_factor(tx, party, step, now).await?;
                inner.outbox.announce(tx, &IdentityEvent::FactorAdded { party }).await?;
                Ok(inner.write_recovery(tx, party, found.seed).await?)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "confirm a second factor", e))
    }

    pub(crate) async fn renew_recovery(
        self: &std::sync::Arc<Self>,
        call: &Call,
        input: RenewRecovery,
    ) -> Result<RecoveryCodes, Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        commands::client_made(input.id.0)?;
        let (inner, now, request) = (self.clone(), self.clock.now(), call.request);
        let write = self.db.write(move |tx| {
            let (inner, input) = (inner.clone(), input.clone());
            async move {
                repo::lock_party(tx, party).await?;
                let found = repo::maybe_factor(tx, party).await?.filter(|f| f.confirmed_at.is_some());
                let found = found.ok_or(WriteError::Refused(IdentityError::FactorMissing))?;
                if found.batch == input.id.0 {
                    return Ok(Ok(RecoveryCodes { codes: recovery(&inner.keys, found.batch) }));
                }
                // A wrong code is counted, and what is counted must be committed.
                match inner.spend_code(tx, request, &found, &input.code, now).await?.refusal() {
                    Some(refusal) => Ok(Err(refusal)),
                    None => Ok(Ok(inner.write_recovery(tx, party, input.id.0).await?)),
                }
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "renew recovery codes", e))?.map_err(Fault::Refused)
    }

    pub(crate) async fn remove_factor(
        self: &std::sync::Arc<Self>,
        call: &Call,
        input: RemoveFactor,
    ) -> Result<(), Fault<IdentityError>> {
        let Some(party) = call.party() else { return Err(Fault::Forbidden) };
        self.own_password(call, party, input.password).await?;
        let (inner, now, code, request) = (self.clone(), self.clock.now(), input.code, call.request);
        let write = self.db.write(move |tx| {
            let (inner, code) = (inner.clone(), code.clone());
            async move {
                repo::lock_party(tx, party).await?;
                // Asked twice, it is gone as it is after once.
                let found = repo::maybe_factor(tx, party).await?.filter(|f| f.confirmed_at.is_some());
                let Some(found) = found else { return Ok(None) };
                let refusal = inner.spend_code(tx, request, &found, &code, now).await?.refusal();
                if refusal.is_none() {
                    inner.forget_factor(tx, party).await?;
                }
                Ok::<_, WriteError<IdentityError>>(refusal)
            }
            .boxed()
        });
        match write.await.map_err(|e| published(call, "remove a second factor", e))? {
            Some(refusal) => Err(Fault::Refused(refusal)),
            None => Ok(()),
        }
    }

    /// Takes it away with its recovery codes, and says so where there was one.
    pub(crate) async fn forget_factor(&self, tx: &Tx, party: PartyId) -> Result<(), DbErr> {
        let was = repo::maybe_factor(tx, party).await?.is_some_and(|f| f.confirmed_at.is_some());
        repo::forget_recovery(tx, party).await?;
        repo::forget_factor(tx, party).await?;
        repo::clear_failures(tx, self.guesses(party)).await?;
        if was {
            self.outbox.announce(tx, &IdentityEvent::FactorRemoved { party }).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::SigningKey;
    use std::collections::HashMap;

    fn keys() -> Keys {
        Keys {
            signing: SigningKey::from_bytes(&[1; 32]),
            key_id: "k1".into(),
            accepted: HashMap::new(),
            pepper: [9; 32],
        }
    }

    /// RFC 6238, appendix B: SHA-1, of eight digits the last six.
    #[test]
    fn codes_are_those_of_the_specification() {
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(6)
            .with_step_duration(30)
            .with_secret(b"12345678901234567890".as_slice())
            .with_account_name("a")
            .build()
            .unwrap();
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp.generate(at).to_string(), code);
        }
    }

    #[test]
    fn a_code_works_for_a_step_before_and_after_and_never_twice() {
        let (keys, party, seed) = (keys(), PartyId(Uuid::from_u128(1)), Uuid::from_u128(2));
        let totp = totp(&keys, party, seed, "ada@example.org").unwrap();
        let mut row = factor::Model {
            party: party.0,
            seed,
            created_at: DateTime::UNIX_EPOCH,
            confirmed_at: None,
            last_step: 0,
            last_request: None,
            batch: seed,
        };
        let at = |seconds: i64| DateTime::from_timestamp(1_767_254_400 + seconds, 0).unwrap();
        let code = totp.generate(1_767_254_400).to_string();
        let first = 1_767_254_400 / 30;
        assert_eq!(step(&row, &totp, &code, at(0)), Some(first));
        assert_eq!(step(&row, &totp, &code, at(59)), Some(first), "a slow typist");
        assert_eq!(step(&row, &totp, &code, at(-1)), Some(first), "a clock ahead");
        assert_eq!(step(&row, &totp, &code, at(60)), None);
        row.last_step = first;
        assert_eq!(step(&row, &totp, &code, at(0)), None, "used");
        assert_eq!(step(&row, &totp, "", at(0)), None);
    }

    #[test]
    fn an_authenticator_is_told_whose_account_it_is() {
        let totp =
            totp(&keys(), PartyId(Uuid::from_u128(1)), Uuid::from_u128(2), "ada:1@example.org").unwrap();
        let uri = totp.to_url().unwrap();
        assert!(uri.starts_with("otpauth://totp/Counterfoil:ada%201%40example.org?"), "{uri}");
        assert!(uri.contains("issuer=Counterfoil"), "{uri}");
        assert!(uri.contains(&totp.secret().to_base32()), "{uri}");
        assert_eq!(totp.secret().to_base32().len(), 32);
    }

    #[test]
    fn recovery_codes_are_all_different_and_typed_in_any_way() {
        let codes = recovery(&keys(), Uuid::from_u128(3));
        let different: std::collections::BTreeSet<_> = codes.iter().map(plain).collect();
        assert_eq!(different.len(), usize::from(RECOVERY_CODES));
        let typed = Secret(format!(" {} ", codes[0].0.to_uppercase().replace('-', " ")));
        assert_eq!(plain(&typed), plain(&codes[0]));
        assert_eq!(plain(&codes[0]).len(), 12);
    }
}
