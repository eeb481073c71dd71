//! The platform's door: every message signed, fresh and addressed to us, each nonce once.

use crate::bank::Bank;
use crate::fault::{Case, Fault, Moment, Planned};
use crate::operation::Request;
use crate::{pages, signature, store};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::NaiveDate;
use sea_orm::DbErr;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Everything the custodian answers.
pub fn router(bank: Arc<Bank>) -> Router {
    let sandbox = bank.settings.sandbox;
    let router = Router::new()
        .route("/api/{method}", post(platform))
        .route("/health/live", get(|| async { "live" }))
        .merge(pages::router());
    let router = if sandbox {
        router.route("/sandbox/faults", post(faults).get(struck)).route("/sandbox/payout", post(payout))
    } else {
        router
    };
    router.layer(axum::extract::DefaultBodyLimit::max(4 << 20)).with_state(bank)
}

struct Failed(DbErr);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "a request failed inside");
        (StatusCode::INTERNAL_SERVER_ERROR, "").into_response()
    }
}

impl From<DbErr> for Failed {
    fn from(e: DbErr) -> Self {
        Failed(e)
    }
}

#[derive(Deserialize)]
struct Query {
    request_no: String,
}

#[derive(Deserialize)]
struct User {
    user_no: String,
}

#[derive(Deserialize)]
struct After {
    after: i64,
    limit: i64,
}

async fn platform(
    State(bank): State<Arc<Bank>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failed> {
    if let Err(why) = trusted(&bank, &format!("/api/{method}"), &headers, &body).await? {
        tracing::warn!(why, method, "a message was refused");
        return Ok((StatusCode::UNAUTHORIZED, Json(json!({ "code": "SIGNATURE" }))).into_response());
    }
    if bank.faults.closed(bank.now()) {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let request = match method.as_str() {
        "request" => match serde_json::from_slice::<Request>(&body) {
            Ok(request) => Some(request),
            Err(_) => return Ok(parameter()),
        },
        _ => None,
    };
    let looking = Case { operation: &method, user_no: None, request_no: "" };
    let fault = bank.faults.strikes(Moment::Passage, request.as_ref().map_or(looking, Request::case));
    match fault {
        Some(Fault::Delay { milliseconds }) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        Some(Fault::LostRequest) => return Ok(lost()),
        Some(Fault::RateLimited) => {
            return Ok((StatusCode::TOO_MANY_REQUESTS, [("retry-after", "5")]).into_response());
        }
        Some(Fault::Maintenance { seconds }) => {
            bank.faults.close(bank.now() + seconds);
            return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
        }
        Some(Fault::EarlyNotification) => bank.hurry(request.as_ref()).await?,
        Some(Fault::KeyRotation) => bank.rotate_key().await?,
        _ => {}
    }
    let answer = answer(&bank, &method, request.as_ref(), &body).await?;
    match fault {
        Some(Fault::LostReply) => return Ok(lost()),
        Some(Fault::EarlyNotification) => bank.hurry(request.as_ref()).await?,
        Some(Fault::CrashAfterCommit) => {
            if let Some(end) = &bank.settings.crash {
                end();
            }
            return Ok(lost());
        }
        _ => {}
    }
    Ok(answer)
}

/// What a message that is trusted asks for.
async fn answer(
    bank: &Bank,
    method: &str,
    request: Option<&Request>,
    body: &Bytes,
) -> Result<Response, Failed> {
    if let Some(request) = request {
        return Ok(Json(bank.take(request).await?).into_response());
    }
    match method {
        "query" => {
            let Ok(query) = serde_json::from_slice::<Query>(body) else { return Ok(parameter()) };
            Ok(match bank.query(&query.request_no).await? {
                Some(found) => Json(found).into_response(),
                None => (StatusCode::NOT_FOUND, Json(json!({ "code": "NOT_FOUND" }))).into_response(),
            })
        }
        "movements" => {
            let Ok(after) = serde_json::from_slice::<After>(body) else { return Ok(parameter()) };
            Ok(Json(bank.movements(after.after, after.limit).await?).into_response())
        }
        "open_day" => {
            let Ok(to) = serde_json::from_slice::<Advance>(body) else { return Ok(parameter()) };
            // A sandbox follows its platform's calendar; a bank has its own.
            if bank.settings.sandbox {
                bank.advance(to.to).await?;
            }
            Ok(Json(json!({ "business_date": bank.business_date(bank.db()).await? })).into_response())
        }
        "consents" => {
            let Ok(user) = serde_json::from_slice::<User>(body) else { return Ok(parameter()) };
            Ok(Json(bank.consents(&user.user_no).await?).into_response())
        }
        "keys" => Ok(Json(bank.keys().await?).into_response()),
        "statement" => Ok(Json(bank.statement().await?).into_response()),
        "anchor" => {
            let Ok(text) = std::str::from_utf8(body) else { return Ok(parameter()) };
            bank.keep_anchor(text).await?;
            Ok(Json(bank.sign(text.to_string())).into_response())
        }
        "last_anchor" => Ok(Json(json!({ "anchor": bank.anchor().await? })).into_response()),
        _ => Ok((StatusCode::NOT_FOUND, Json(json!({ "code": "METHOD" }))).into_response()),
    }
}

/// What a platform sees when an answer never arrives: a gateway that gave up.
fn lost() -> Response {
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

fn parameter() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "code": "PARAMETER" }))).into_response()
}

async fn trusted(
    bank: &Bank,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Result<(), &'static str>, DbErr> {
    let s = &bank.settings;
    let now = bank.now();
    let parameters = match signature::verify(
        &s.platform_key,
        &s.platform_key_id,
        "POST",
        &s.authority,
        path,
        headers,
        body,
        now,
    ) {
        Ok(parameters) => parameters,
        Err(why) => return Ok(Err(why)),
    };
    store::run(bank.db(), "DELETE FROM nonce WHERE expires_at < $1", [now.into()]).await?;
    let sql = "INSERT INTO nonce (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    let fresh = store::run(bank.db(), sql, [parameters.nonce.into(), parameters.expires.into()]).await? == 1;
    Ok(if fresh { Ok(()) } else { Err("a repeated nonce") })
}

#[derive(Deserialize)]
struct Advance {
    to: NaiveDate,
}

/// A plan for all that follows: chance comes from the seed.
#[derive(Deserialize)]
#[serde(untagged)]
enum Plan {
    Seeded { seed: u64, faults: Vec<Planned> },
    Plain(Vec<Planned>),
}

async fn faults(State(bank): State<Arc<Bank>>, Json(plan): Json<Plan>) -> StatusCode {
    bank.faults.clear();
    let (seed, faults) = match plan {
        Plan::Seeded { seed, faults } => (seed, faults),
        Plan::Plain(faults) => (0, faults),
    };
    bank.faults.seed(seed);
    for planned in faults {
        bank.faults.plan(planned);
    }
    StatusCode::NO_CONTENT
}

/// How often each fault has struck.
async fn struck(State(bank): State<Arc<Bank>>) -> Json<std::collections::BTreeMap<String, u64>> {
    Json(bank.faults.struck())
}

async fn payout(State(bank): State<Arc<Bank>>) -> Result<StatusCode, Failed> {
    match bank.catch_up().await {
        Ok(_) | Err(crate::operation::Refusal::Code(_)) => Ok(StatusCode::NO_CONTENT),
        Err(crate::operation::Refusal::Broken(e)) => Err(Failed(e)),
    }
}
