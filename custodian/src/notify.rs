//! Telling the platform that something has changed: signed, repeated until it is taken, and never more than a hint.

use crate::bank::{Bank, Seal};
use crate::fault::{Fault, Moment};
use crate::operation::Request;
use crate::signature::{self, Parameters, WINDOW_SECONDS};
use crate::store;
use ed25519_dalek::SigningKey;
use futures::future::BoxFuture;
use sea_orm::DbErr;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pauses after a notification that was not taken.
const PAUSES_SECONDS: [i64; 6] = [1, 5, 30, 120, 600, 1_800];

/// Carries one signed message to the platform; answers whether it was taken.
pub type Post =
    Arc<dyn Fn(String, Vec<(&'static str, String)>, Vec<u8>) -> BoxFuture<'static, bool> + Send + Sync>;

/// A notification whose time has come, and what is wrong with it.
struct Due {
    id: i64,
    request_no: String,
    status: String,
    attempts: i64,
    fault: Option<Fault>,
}

/// Posts over HTTP.
pub fn over_http() -> Post {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build().unwrap_or_default();
    Arc::new(move |url, headers, body| {
        let client = client.clone();
        Box::pin(async move {
            let mut post = client.post(url).header("content-type", "application/json").body(body);
            for (name, value) in headers {
                post = post.header(name, value);
            }
            post.send().await.is_ok_and(|r| r.status().is_success())
        })
    })
}

impl Bank {
    /// Sends what is due. Answers how many notifications were handled.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn notify(&self, post: &Post) -> Result<usize, DbErr> {
        let Some(url) = self.settings.notify_url.clone() else { return Ok(0) };
        let sql = "SELECT n.id, n.request_no, n.status, n.attempts, r.body FROM notice n JOIN request r ON r.request_no = n.request_no
                   WHERE n.done = 0 AND n.due_at <= $1 ORDER BY n.id LIMIT 100";
        let mut due = Vec::new();
        let mut overtaken = Vec::new();
        for row in store::all(self.db(), sql, [self.now().into()]).await? {
            let (id, request_no, status): (i64, String, String) =
                (row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            let (attempts, body): (i64, String) = (row.try_get_by_index(3)?, row.try_get_by_index(4)?);
            let request: Request = serde_json::from_str(&body).map_err(|e| DbErr::Json(e.to_string()))?;
            let fault = self.faults.strikes(Moment::Notification, request.case());
            let notice = Due { id, request_no, status, attempts, fault };
            let behind = fault == Some(Fault::ReorderedNotification);
            if behind { &mut overtaken } else { &mut due }.push(notice);
        }
        due.extend(overtaken.into_iter().rev());
        for Due { id, request_no, status, attempts, fault } in &due {
            if let Some(Fault::LateNotification { seconds }) = fault {
                let sql = "UPDATE notice SET due_at = $1 WHERE id = $2";
                store::run(self.db(), sql, [(self.now() + seconds).into(), (*id).into()]).await?;
                continue;
            }
            if *fault == Some(Fault::ForgedNotification) {
                let mut seed = [0; 32];
                (self.settings.chance)(&mut seed);
                let stranger = Seal { key: SigningKey::from_bytes(&seed), key_id: self.seal().key_id };
                self.tell(post, &url, &stranger, &format!("{id}.forged"), request_no, "SUCCESS").await;
            }
            let times = match fault {
                Some(Fault::LostNotification) => 0,
                Some(Fault::RepeatedNotification { times }) => *times,
                _ => 1,
            };
            let mut taken = true;
            for _ in 0..times {
                taken = self.tell(post, &url, &self.seal(), &id.to_string(), request_no, status).await;
            }
            let pause = usize::try_from(*attempts).ok().and_then(|n| PAUSES_SECONDS.get(n));
            let done = taken || pause.is_none();
            let sql = "UPDATE notice SET done = $1, attempts = attempts + 1, due_at = $2 WHERE id = $3";
            store::run(
                self.db(),
                sql,
                [i64::from(done).into(), (self.now() + pause.copied().unwrap_or(0)).into(), (*id).into()],
            )
            .await?;
        }
        Ok(due.len())
    }

    /// Sends one message; answers whether it was taken.
    async fn tell(
        &self,
        post: &Post,
        url: &str,
        seal: &Seal,
        notify_id: &str,
        request_no: &str,
        status: &str,
    ) -> bool {
        let now = self.now();
        let body =
            json!({ "notify_id": notify_id, "request_no": request_no, "status": status, "occurred_at": now });
        let body = body.to_string().into_bytes();
        let (authority, path) = split(url);
        let parameters = Parameters {
            created: now,
            expires: now + WINDOW_SECONDS,
            nonce: self.secret(),
            key_id: seal.key_id.clone(),
        };
        let headers = signature::sign(&seal.key, "POST", authority, path, &body, &parameters);
        post(url.to_string(), headers.into_iter().collect(), body).await
    }

    /// Tells of a request before its answer is there: a platform must not wait for one before the other.
    pub(crate) async fn hurry(&self, request: Option<&Request>) -> Result<(), DbErr> {
        let (Some(post), Some(url), Some(request)) = (self.post(), &self.settings.notify_url, request) else {
            return Ok(());
        };
        let found = store::one(
            self.db(),
            "SELECT status FROM request WHERE request_no = $1",
            [request.request_no.clone().into()],
        )
        .await?;
        let status: String = found.map_or(Ok("SUCCESS".into()), |r| r.try_get_by_index(0))?;
        self.tell(&post, url, &self.seal(), "early", &request.request_no, &status).await;
        Ok(())
    }

    /// Sends notifications and pays out, until told to stop.
    pub async fn work(self: Arc<Self>, post: Post, stop: CancellationToken) {
        self.carry_by(post.clone());
        while !stop.is_cancelled() {
            let sent = self.notify(&post).await.unwrap_or_else(|e| {
                tracing::warn!(error = %e, "notifications wait");
                0
            });
            let paid = match self.catch_up().await {
                Ok(paid) => paid,
                Err(e) => {
                    tracing::warn!(error = ?e, "payouts wait");
                    0
                }
            };
            if sent + paid == 0 {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(Duration::from_millis(100)) => {}
                }
            }
        }
    }
}

/// Authority and path of a URL without a query.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/') {
        Some(at) => (&rest[..at], &rest[at..]),
        None => (rest, "/"),
    }
}
