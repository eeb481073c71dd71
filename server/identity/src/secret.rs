//! Passwords, secrets that are handed out, access tokens.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use ed25519_dalek::SigningKey;
use identity_api::{IdentityDocument, Secret};
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey, Header, Validation};
use kernel::entropy::SharedEntropy;
use kernel::id::{ClientId, PartyId, PersonId, SessionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

pub const ACCESS_MINUTES: i64 = 10;
/// A program has no cookie to refresh by; what is taken away from it works no longer all the same.
pub const CLIENT_ACCESS_MINUTES: i64 = 60;
const ISSUER: &str = "counterfoil";
const AUDIENCE: &str = "counterfoil-api";

/// The installation's own secrets.
#[derive(Clone)]
pub struct Keys {
    /// Signs new access tokens.
    pub signing: SigningKey,
    pub key_id: String,
    /// Older public keys that are still accepted, by their ids; for rotation.
    pub accepted: HashMap<String, [u8; 32]>,
    /// From which handed-out secrets and person ids are derived.
    pub pepper: [u8; 32],
}

/// For whom a token speaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Speaks {
    Session {
        party: PartyId,
        session: SessionId,
    },
    Client {
        party: PartyId,
        client: ClientId,
        /// As OAuth writes them.
        scopes: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: PartyId,
    /// Of somebody's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    /// Of a program, with what it may read (RFC 9068, 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    typ: String,
    iat: i64,
    exp: i64,
}

/// What a token is for: one of a session is none of a program.
const OF_SESSION: &str = "access";
const OF_CLIENT: &str = "client";

fn public(key: &[u8; 32]) -> Option<DecodingKey> {
    DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(key)).ok()
}

impl Keys {
    /// A token that speaks for a party's session for ten minutes.
    pub fn access(
        &self,
        party: PartyId,
        session: SessionId,
        now: DateTime<Utc>,
    ) -> Option<(Secret, DateTime<Utc>)> {
        let expires = now + Duration::minutes(ACCESS_MINUTES);
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: party,
            sid: Some(session),
            client_id: None,
            scope: None,
            typ: OF_SESSION.into(),
            iat: now.timestamp(),
            exp: expires.timestamp(),
        };
        Some((self.sign(&claims)?, expires))
    }

    /// A token that speaks for a party's program for an hour.
    pub fn client_access(
        &self,
        party: PartyId,
        client: ClientId,
        scopes: &str,
        now: DateTime<Utc>,
    ) -> Option<(Secret, DateTime<Utc>)> {
        let expires = now + Duration::minutes(CLIENT_ACCESS_MINUTES);
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: party,
            sid: None,
            client_id: Some(client),
            scope: Some(scopes.into()),
            typ: OF_CLIENT.into(),
            iat: now.timestamp(),
            exp: expires.timestamp(),
        };
        Some((self.sign(&claims)?, expires))
    }

    fn sign(&self, claims: &Claims) -> Option<Secret> {
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Jwa::EdDSA) };
        // PKCS #8 of an Ed25519 seed has this fixed head (RFC 8410).
        let mut der = hex::decode("302e020100300506032b657004220420").ok()?;
        der.extend(self.signing.to_bytes());
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&der)).ok().map(Secret)
    }

    /// Whom a token speaks for, if it is ours and its time has not passed.
    pub fn read(&self, token: &Secret, now: DateTime<Utc>) -> Option<Speaks> {
        let header = jsonwebtoken::decode_header(&token.0).ok()?;
        let kid = header.kid?;
        let own = self.signing.verifying_key().to_bytes();
        let key = if kid == self.key_id { &own } else { self.accepted.get(&kid)? };
        let mut rules = Validation::new(Jwa::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Time is the Clock's, not the machine's.
        rules.validate_exp = false;
        let claims = jsonwebtoken::decode::<Claims>(&token.0, &public(key)?, &rules).ok()?.claims;
        let in_time = claims.exp > now.timestamp() && claims.iat <= now.timestamp() + 60;
        let party = claims.sub;
        match (claims.typ.as_str(), claims.sid, claims.client_id) {
            (OF_SESSION, Some(session), None) if in_time => Some(Speaks::Session { party, session }),
            (OF_CLIENT, None, Some(client)) if in_time => {
                Some(Speaks::Client { party, client, scopes: claims.scope.unwrap_or_default() })
            }
            _ => None,
        }
    }

    /// A secret that can be made again from what it is for, so that a repeated answer is the same.
    pub fn derive(&self, purpose: &str, of: &[u8]) -> Secret {
        Secret(hex::encode(self.mac(purpose, of)))
    }

    /// The human being behind a document, without the document.
    pub fn person(&self, document: &IdentityDocument) -> PersonId {
        let number: String = document.number.0.chars().filter(|c| c.is_alphanumeric()).collect();
        let text = format!("{}:{}", document.country.to_uppercase(), number.to_uppercase());
        let mac = self.mac("person", text.as_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&mac[..16]);
        PersonId(uuid::Builder::from_custom_bytes(id).into_uuid())
    }

    fn mac(&self, purpose: &str, of: &[u8]) -> [u8; 32] {
        // HMAC-SHA256 (RFC 2104); the key is exactly 32 bytes.
        let pad = |byte: u8| {
            let mut block = [byte; 64];
            for (b, k) in block.iter_mut().zip(self.pepper) {
                *b ^= k;
            }
            block
        };
        let inner = Sha256::new()
            .chain_update(pad(0x36))
            .chain_update(purpose)
            .chain_update([0])
            .chain_update(of)
            .finalize();
        Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
    }
}

/// What is kept of a secret that was handed out.
pub fn fingerprint(secret: &Secret) -> Vec<u8> {
    Sha256::digest(secret.0.as_bytes()).to_vec()
}

fn argon() -> Argon2<'static> {
    // 19 MiB, two passes: the first recommendation of OWASP's password storage page.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Hashes a password, off the runtime's threads.
pub async fn hash(password: Secret, entropy: &SharedEntropy) -> Option<String> {
    let salt = entropy.bytes::<16>();
    let hashed = tokio::task::spawn_blocking(move || {
        let salt = SaltString::encode_b64(&salt).ok()?;
        argon().hash_password(password.0.as_bytes(), &salt).ok().map(|h| h.to_string())
    });
    hashed.await.ok().flatten()
}

/// Checks a password. Without a stored one it takes as long and answers no.
pub async fn verify(password: Secret, stored: Option<String>) -> bool {
    // A hash of nothing anybody types, made with the same parameters.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let known = stored.is_some();
    let stored = stored.unwrap_or_else(|| NOBODY.into());
    let right = tokio::task::spawn_blocking(move || {
        PasswordHash::new(&stored).is_ok_and(|h| argon().verify_password(password.0.as_bytes(), &h).is_ok())
    });
    right.await.unwrap_or(false) && known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> Keys {
        Keys {
            signing: SigningKey::from_bytes(&[seed; 32]),
            key_id: format!("k{seed}"),
            accepted: HashMap::new(),
            pepper: [9; 32],
        }
    }

    #[test]
    fn a_token_speaks_until_its_time_and_under_its_key_only() {
        let now = DateTime::from_timestamp(1_767_254_400, 0).unwrap();
        let (party, session) = (PartyId(uuid::Uuid::from_u128(1)), SessionId(uuid::Uuid::from_u128(2)));
        let mut ours = keys(1);
        let (token, expires) = ours.access(party, session, now).unwrap();
        assert_eq!(ours.read(&token, now), Some(Speaks::Session { party, session }));
        assert_eq!(ours.read(&token, expires), None);
        assert_eq!(ours.read(&token, now - Duration::minutes(2)), None, "from the future");
        assert_eq!(keys(2).read(&token, now), None);
        // A key that has been rotated out is accepted while it is listed.
        let old = ours.signing.verifying_key().to_bytes();
        ours = keys(2);
        ours.accepted.insert("k1".into(), old);
        assert_eq!(ours.read(&token, now), Some(Speaks::Session { party, session }));
    }

    #[test]
    fn other_algorithms_and_claims_are_refused() {
        let now = DateTime::from_timestamp(1_767_254_400, 0).unwrap();
        let ours = keys(1);
        let claims = |aud: &str, typ: &str| Claims {
            iss: ISSUER.into(),
            aud: aud.into(),
            sub: PartyId(uuid::Uuid::from_u128(1)),
            sid: Some(SessionId(uuid::Uuid::from_u128(2))),
            client_id: None,
            scope: None,
            typ: typ.into(),
            iat: now.timestamp(),
            exp: now.timestamp() + 60,
        };
        let public_key = ours.signing.verifying_key().to_bytes();
        let header = Header { kid: Some("k1".into()), ..Header::new(Jwa::HS256) };
        let forged = jsonwebtoken::encode(
            &header,
            &claims(AUDIENCE, "access"),
            &EncodingKey::from_secret(&public_key),
        )
        .unwrap();
        assert_eq!(ours.read(&Secret(forged), now), None, "the public key as a shared secret");
        let none = format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#),
            URL_SAFE_NO_PAD.encode("{}")
        );
        assert_eq!(ours.read(&Secret(none), now), None);
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend(ours.signing.to_bytes());
        let signed = |kid: Option<&str>, c: Claims| {
            let header = Header { kid: kid.map(str::to_string), ..Header::new(Jwa::EdDSA) };
            Secret(jsonwebtoken::encode(&header, &c, &EncodingKey::from_ed_der(&der)).unwrap())
        };
        assert!(ours.read(&signed(Some("k1"), claims(AUDIENCE, "access")), now).is_some());
        assert_eq!(ours.read(&signed(Some("k1"), claims("other", "access")), now), None);
        assert_eq!(ours.read(&signed(Some("k1"), claims(AUDIENCE, "refresh")), now), None);
        assert_eq!(ours.read(&signed(None, claims(AUDIENCE, "access")), now), None);
        assert_eq!(ours.read(&signed(Some("../k1"), claims(AUDIENCE, "access")), now), None);
        // A session's token that says it is a program's, and one that says both.
        assert_eq!(ours.read(&signed(Some("k1"), claims(AUDIENCE, "client")), now), None);
        let client_id = Some(ClientId(uuid::Uuid::from_u128(3)));
        let both = |typ| Claims { client_id, ..claims(AUDIENCE, typ) };
        assert_eq!(ours.read(&signed(Some("k1"), both("access")), now), None);
        assert_eq!(ours.read(&signed(Some("k1"), both("client")), now), None);
    }

    #[test]
    fn a_programs_token_says_what_it_may_read_and_for_how_long() {
        let now = DateTime::from_timestamp(1_767_254_400, 0).unwrap();
        let (party, client) = (PartyId(uuid::Uuid::from_u128(1)), ClientId(uuid::Uuid::from_u128(3)));
        let ours = keys(1);
        let (token, expires) = ours.client_access(party, client, "accounts:read", now).unwrap();
        assert_eq!(expires, now + Duration::minutes(60));
        let scopes = "accounts:read".to_string();
        assert_eq!(ours.read(&token, now), Some(Speaks::Client { party, client, scopes }));
        assert_eq!(ours.read(&token, expires), None);
    }

    #[test]
    fn a_person_is_the_same_however_the_document_is_typed() {
        let document = |country: &str, number: &str| IdentityDocument {
            country: country.into(),
            number: Secret(number.into()),
        };
        let keys = keys(1);
        assert_eq!(keys.person(&document("de", "L01X 00T47")), keys.person(&document("DE", "l01x00t47")));
        assert_ne!(keys.person(&document("DE", "L01X00T47")), keys.person(&document("AT", "L01X00T47")));
    }

    /// RFC 4231 has no case with a 32-byte key and our framing; case 1's algorithm is checked through a known pair.
    #[test]
    fn derived_secrets_are_stable() {
        let keys = keys(1);
        assert_eq!(keys.derive("invite", b"x").0, keys.derive("invite", b"x").0);
        assert_ne!(keys.derive("invite", b"x").0, keys.derive("refresh", b"x").0);
        assert_eq!(keys.derive("invite", b"x").0.len(), 64);
    }
}
