//! The public door: health, metrics, the app; everything with a request id and security headers.

use crate::assets;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::future::BoxFuture;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::id::RequestId;
use std::path::Path;
use std::sync::Arc;
use tracing::Instrument;

/// Says whether this process can serve, and if not, why.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What the door needs.
#[derive(Clone)]
pub struct Door {
    pub clock: SharedClock,
    pub entropy: SharedEntropy,
    pub ready: Ready,
}

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// All routes. `api` is what the gateway adds.
pub fn router(door: Door, api: Router, app: Option<&Path>) -> Router {
    let ready = door.ready.clone();
    Router::new()
        .route("/health/live", get(|| async { Json(serde_json::json!({ "status": "live" })) }))
        .route(
            "/health/ready",
            get(move || {
                let ready = ready.clone();
                async move {
                    match ready().await {
                        Ok(()) => (StatusCode::OK, Json(serde_json::json!({ "status": "ready" }))),
                        Err(why) => {
                            let body = serde_json::json!({ "status": "not ready", "why": why });
                            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
                        }
                    }
                }
            }),
        )
        .route("/metrics", get(|| async { platform::telemetry::metrics().render() }))
        .merge(api)
        .fallback_service(assets::router(app))
        .layer(middleware::from_fn_with_state(door, around))
}

/// Gives each request its id, its log span, its measure and the headers every answer carries.
async fn around(
    axum::extract::State(door): axum::extract::State<Door>,
    mut request: Request,
    next: Next,
) -> Response {
    // Given to every handler, and sent back in `x-request-id`.
    let id = RequestId(door.entropy.uuid(door.clock.now()));
    request.extensions_mut().insert(id);
    let method = request.method().to_string();
    // The route's pattern, never the path itself: metrics must not grow with what strangers ask for.
    let route = request.extensions().get::<MatchedPath>().map_or("app", MatchedPath::as_str).to_string();
    let span = tracing::info_span!("request", id = %id, method, route);
    let start = tokio::time::Instant::now();
    let mut response = next.run(request).instrument(span).await.into_response();
    metrics_of(&route, response.status(), start.elapsed());
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID.clone(), value);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=()"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn metrics_of(route: &str, status: StatusCode, took: std::time::Duration) {
    let labels = [("route", route.to_string()), ("status", status.as_u16().to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", "route" => route.to_string()).record(took);
}
