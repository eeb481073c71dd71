//! HTTP Message Signatures (RFC 9421) with Ed25519 under one strict profile.
//!
//! Our half of the agreement with the custodian, written apart from its half: two parties to a protocol share a text,
//! not code. Exactly these components and parameters in this order; a `signature-input` that is not byte for byte our
//! own form is refused, so that there is nothing to interpret. The authority comes from configuration.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use http::HeaderMap;
use sha2::{Digest, Sha256};

pub const TAG: &str = "trusteeship";
/// How long a message is valid, and how far two clocks may be apart.
pub const WINDOW_SECONDS: i64 = 300;

/// What is signed besides the components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    pub created: i64,
    pub expires: i64,
    pub nonce: String,
    pub key_id: String,
}

impl Parameters {
    fn text(&self) -> String {
        format!(
            "(\"@method\" \"@authority\" \"@path\" \"content-digest\");created={};expires={};nonce=\"{}\";keyid=\"{}\";alg=\"ed25519\";tag=\"{TAG}\"",
            self.created, self.expires, self.nonce, self.key_id
        )
    }

    /// Reads our own form and nothing else.
    fn read(text: &str) -> Option<Parameters> {
        let rest = text.strip_prefix("(\"@method\" \"@authority\" \"@path\" \"content-digest\");created=")?;
        let (created, rest) = rest.split_once(";expires=")?;
        let (expires, rest) = rest.split_once(";nonce=\"")?;
        let (nonce, rest) = rest.split_once("\";keyid=\"")?;
        let (key_id, _) = rest.split_once("\";alg=")?;
        let plain = |s: &str| {
            !s.is_empty() && s.len() <= 64 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !plain(nonce) || !plain(key_id) {
            return None;
        }
        let read = Parameters {
            created: created.parse().ok()?,
            expires: expires.parse().ok()?,
            nonce: nonce.into(),
            key_id: key_id.into(),
        };
        (read.text() == text).then_some(read)
    }
}

pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

fn base(method: &str, authority: &str, path: &str, digest: &str, parameters: &Parameters) -> String {
    format!(
        "\"@method\": {method}\n\"@authority\": {authority}\n\"@path\": {path}\n\"content-digest\": {digest}\n\"@signature-params\": {}",
        parameters.text()
    )
}

/// The three headers of a signed message: `content-digest`, `signature-input`, `signature`.
pub fn sign(
    key: &SigningKey,
    method: &str,
    authority: &str,
    path: &str,
    body: &[u8],
    parameters: &Parameters,
) -> [(&'static str, String); 3] {
    let digest = content_digest(body);
    let signature = key.sign(base(method, authority, path, &digest, parameters).as_bytes());
    [
        ("content-digest", digest),
        ("signature-input", format!("sig={}", parameters.text())),
        ("signature", format!("sig=:{}:", STANDARD.encode(signature.to_bytes()))),
    ]
}

/// Under which key, and when (Unix seconds), a message says it was signed; nothing of it is proved.
pub fn claimed(headers: &HeaderMap) -> Option<(String, i64)> {
    let input = headers.get("signature-input")?.to_str().ok()?.strip_prefix("sig=")?;
    Parameters::read(input).map(|p| (p.key_id, p.created))
}

/// Checks a message and answers its parameters; the nonce is for the caller to remember.
///
/// # Errors
/// A word for the log; the sender learns only that it was refused.
pub fn verify(
    key: &VerifyingKey,
    key_id: &str,
    method: &str,
    authority: &str,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> Result<Parameters, &'static str> {
    let header = |name: &str| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().and_then(|v| v.to_str().ok());
        if all.next().is_some() { None } else { first }
    };
    let input = header("signature-input").and_then(|v| v.strip_prefix("sig=")).ok_or("no signature-input")?;
    let parameters = Parameters::read(input).ok_or("a signature-input of another form")?;
    if parameters.key_id != key_id {
        return Err("an unknown key");
    }
    if parameters.created > now + WINDOW_SECONDS
        || parameters.expires < now
        || parameters.expires - parameters.created > 2 * WINDOW_SECONDS
    {
        return Err("outside the time window");
    }
    let digest = header("content-digest").ok_or("no content-digest")?;
    if digest != content_digest(body) {
        return Err("another body");
    }
    let signature = header("signature")
        .and_then(|v| v.strip_prefix("sig=:")?.strip_suffix(':'))
        .and_then(|v| STANDARD.decode(v).ok())
        .and_then(|v| Signature::from_slice(&v).ok())
        .ok_or("no signature")?;
    key.verify_strict(base(method, authority, path, digest, &parameters).as_bytes(), &signature)
        .map_err(|_| "a wrong signature")?;
    Ok(parameters)
}
