//! The platform's door: every message signed, fresh and addressed to us, each nonce once.

use crate::bank::Bank;
use crate::fault::{Fault, Planned};
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
        router.route("/sandbox/faults", post(faults)).route("/sandbox/payout", post(payout))
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
    match method.as_str() {
        "request" => {
            let Ok(request) = serde_json::from_slice::<Request>(&body) else { return Ok(parameter()) };
            let fault = bank.faults.of_request(request.ask.name());
            match fault {
                Some(Fault::Delay { milliseconds }) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await
                }
                Some(Fault::LostRequest) => return Ok(lost()),
                _ => {}
            }
            let reply = bank.take(&request).await?;
            Ok(if fault == Some(Fault::LostReply) { lost() } else { Json(reply).into_response() })
        }
        "query" => {
            let Ok(query) = serde_json::from_slice::<Query>(&body) else { return Ok(parameter()) };
            Ok(match bank.query(&query.request_no).await? {
                Some(found) => Json(found).into_response(),
                None => (StatusCode::NOT_FOUND, Json(json!({ "code": "NOT_FOUND" }))).into_response(),
            })
        }
        "movements" => {
            let Ok(after) = serde_json::from_slice::<After>(&body) else { return Ok(parameter()) };
            Ok(Json(bank.movements(after.after, after.limit).await?).into_response())
        }
        "open_day" => {
            let Ok(to) = serde_json::from_slice::<Advance>(&body) else { return Ok(parameter()) };
            // A sandbox follows its platform's calendar; a bank has its own.
            if bank.settings.sandbox {
                bank.advance(to.to).await?;
            }
            Ok(Json(json!({ "business_date": bank.business_date(bank.db()).await? })).into_response())
        }
        "consents" => {
            let Ok(user) = serde_json::from_slice::<User>(&body) else { return Ok(parameter()) };
            Ok(Json(bank.consents(&user.user_no).await?).into_response())
        }
        "statement" => Ok(Json(bank.statement().await?).into_response()),
        "anchor" => {
            let Ok(text) = std::str::from_utf8(&body) else { return Ok(parameter()) };
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

async fn faults(State(bank): State<Arc<Bank>>, Json(plan): Json<Vec<Planned>>) -> StatusCode {
    bank.faults.clear();
    for planned in plan {
        bank.faults.plan(planned);
    }
    StatusCode::NO_CONTENT
}

async fn payout(State(bank): State<Arc<Bank>>) -> Result<StatusCode, Failed> {
    match bank.pay_out().await {
        Ok(_) | Err(crate::operation::Refusal::Code(_)) => Ok(StatusCode::NO_CONTENT),
        Err(crate::operation::Refusal::Broken(e)) => Err(Failed(e)),
    }
}
