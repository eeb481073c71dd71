//! The custodian as custody reaches it: signed messages over any wire.

use crate::keys::{KeyChain, KeyLine};
use crate::signature::{self, Parameters, WINDOW_SECONDS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use custody_api::ConsentScope;
use ed25519_dalek::{Signature, SigningKey};
use futures::future::BoxFuture;
use http::HeaderMap;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Carries a POST to the custodian; nothing when no answer came.
pub type Wire = Arc<
    dyn Fn(String, Vec<(&'static str, String)>, Vec<u8>) -> BoxFuture<'static, Option<(u16, Vec<u8>)>>
        + Send
        + Sync,
>;

/// A wire over HTTP.
pub fn over_http(base_url: String) -> Wire {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap_or_default();
    Arc::new(move |path, headers, body| {
        let (client, url) = (client.clone(), format!("{base_url}{path}"));
        Box::pin(async move {
            let mut post = client.post(url).header("content-type", "application/json").body(body);
            for (name, value) in headers {
                post = post.header(name, value);
            }
            let answer = post.send().await.ok()?;
            let status = answer.status().as_u16();
            Some((status, answer.bytes().await.ok()?.to_vec()))
        })
    })
}

/// Why a message under a key that is not known, or no longer signs, is refused.
pub const UNKNOWN_KEY: &str = "an unknown key";

/// One custodian, as configured.
#[derive(Clone)]
pub struct Port {
    pub custodian: String,
    /// What messages to it are signed for.
    pub authority: String,
    pub wire: Wire,
    pub key: SigningKey,
    pub key_id: String,
    pub custodian_keys: KeyChain,
    /// What its messages to us are signed for.
    pub own_authority: String,
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
}

/// The custodian's reply to a request.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    Accepted { status: String },
    Redirect { url: String },
    Rejected { code: String },
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Found {
    pub status: String,
    pub code: String,
    #[serde(default)]
    pub lines: Vec<FoundLine>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct FoundLine {
    pub line_no: String,
    pub status: String,
}

/// What asking again brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    Found(Found),
    NotFound,
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Movement {
    pub number: i64,
    pub kind: String,
    pub source: String,
    pub source_bucket: String,
    pub target: String,
    pub target_bucket: String,
    pub amount: i64,
    pub currency: String,
    pub request_no: String,
    pub line_no: String,
    pub freeze_no: String,
    pub project_no: String,
    pub business_date: chrono::NaiveDate,
    pub at: i64,
}

/// What a user allows, and where they manage it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Allowed {
    pub url: String,
    #[serde(default)]
    pub account_no: String,
    pub consents: Vec<AllowedLine>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct AllowedLine {
    pub scope: ConsentScope,
    pub currency: String,
    pub per_order: i64,
    pub total: i64,
    pub used: i64,
    pub expires_at: i64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Signed {
    pub text: String,
    pub key_id: String,
    pub signature: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Statement {
    pub position: i64,
    pub at: i64,
    pub balances: Vec<StatementLine>,
    pub freezes: Vec<FreezeLine>,
    pub fees: Vec<(String, i64)>,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct StatementLine {
    pub user_no: String,
    pub kind: String,
    pub currency: String,
    pub available: i64,
    pub frozen: i64,
    pub blocked: i64,
    pub payout: i64,
}

#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct FreezeLine {
    pub freeze_no: String,
    pub user_no: String,
    pub currency: String,
    pub remaining: i64,
}

impl Port {
    async fn post(&self, path: &str, body: Vec<u8>) -> Option<(u16, Vec<u8>)> {
        let now = self.clock.now().timestamp();
        let nonce = self.entropy.secret()[..32].to_string();
        let parameters =
            Parameters { created: now, expires: now + WINDOW_SECONDS, nonce, key_id: self.key_id.clone() };
        let headers = signature::sign(&self.key, "POST", &self.authority, path, &body, &parameters);
        (self.wire)(path.to_string(), headers.into_iter().collect(), body).await
    }

    /// Sends a request's exact bytes. Nothing when the outcome is unknown.
    pub async fn request(&self, body: &str) -> Option<Reply> {
        match self.post("/api/request", body.as_bytes().to_vec()).await? {
            (200, answer) => serde_json::from_slice(&answer).ok(),
            // It could not be read: it will never be taken.
            (400, _) => Some(Reply::Rejected { code: "PARAMETER".into() }),
            _ => None,
        }
    }

    pub async fn query(&self, request_no: &str) -> Asked {
        match self.post("/api/query", json!({ "request_no": request_no }).to_string().into_bytes()).await {
            Some((200, answer)) => serde_json::from_slice(&answer).map_or(Asked::Unknown, Asked::Found),
            Some((404, answer)) if answer.windows(9).any(|w| w == b"NOT_FOUND") => Asked::NotFound,
            _ => Asked::Unknown,
        }
    }

    pub async fn movements(&self, after: i64, limit: i64) -> Option<Vec<Movement>> {
        match self
            .post("/api/movements", json!({ "after": after, "limit": limit }).to_string().into_bytes())
            .await?
        {
            (200, answer) => serde_json::from_slice(&answer).ok(),
            _ => None,
        }
    }

    /// What a user allows there at present.
    pub async fn consents(&self, user_no: &str) -> Option<Allowed> {
        match self.post("/api/consents", json!({ "user_no": user_no }).to_string().into_bytes()).await? {
            (200, answer) => serde_json::from_slice(&answer).ok(),
            _ => None,
        }
    }

    pub async fn statement(&self) -> Option<Signed> {
        match self.post("/api/statement", b"{}".to_vec()).await? {
            (200, answer) => serde_json::from_slice(&answer).ok(),
            _ => None,
        }
    }

    /// Asks for a business date to begin; answers the custodian's.
    pub async fn open_day(&self, date: chrono::NaiveDate) -> Option<chrono::NaiveDate> {
        #[derive(Deserialize)]
        struct Day {
            business_date: chrono::NaiveDate,
        }
        match self.post("/api/open_day", json!({ "to": date }).to_string().into_bytes()).await? {
            (200, answer) => serde_json::from_slice::<Day>(&answer).ok().map(|d| d.business_date),
            _ => None,
        }
    }

    /// Has the custodian keep a text for us; answers its signature over it.
    pub async fn keep_anchor(&self, text: &str) -> Option<Signed> {
        match self.post("/api/anchor", text.as_bytes().to_vec()).await? {
            (200, answer) => serde_json::from_slice(&answer).ok(),
            _ => None,
        }
    }

    /// The last text it keeps for us.
    pub async fn anchor(&self) -> Option<Option<String>> {
        #[derive(Deserialize)]
        struct Kept {
            anchor: Option<String>,
        }
        match self.post("/api/last_anchor", b"{}".to_vec()).await? {
            (200, answer) => serde_json::from_slice::<Kept>(&answer).ok().map(|k| k.anchor),
            _ => None,
        }
    }

    /// The keys that came after the pinned one.
    pub async fn keys(&self) -> Option<Vec<KeyLine>> {
        match self.post("/api/keys", b"{}".to_vec()).await? {
            (200, answer) => serde_json::from_slice(&answer).ok(),
            _ => None,
        }
    }

    /// Whether a text carries the custodian's signature, by a key it has or had.
    pub fn is_signed(&self, signed: &Signed) -> bool {
        let signature = STANDARD.decode(&signed.signature).ok().and_then(|s| Signature::from_slice(&s).ok());
        self.custodian_keys
            .of(&signed.key_id)
            .zip(signature)
            .is_some_and(|(key, s)| key.verify_strict(signed.text.as_bytes(), &s).is_ok())
    }

    /// Checks a notification's signature; answers its nonce and when that may be forgotten.
    ///
    /// # Errors
    /// A word for the log.
    pub fn notification(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(String, i64), &'static str> {
        let now = self.clock.now().timestamp();
        let (key_id, created) = signature::claimed(headers).ok_or("a signature-input of another form")?;
        let key = self.custodian_keys.signing(&key_id, created).ok_or(UNKNOWN_KEY)?;
        let read = signature::verify(&key, &key_id, "POST", &self.own_authority, path, headers, body, now);
        read.map(|p| (p.nonce, p.expires))
    }
}
