//! The custodian's door to us: signed notifications, each a hint to look.

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use custody::CustodyService;
use platform::service::Slot;

/// Where notifications are taken.
pub const PATH: &str = "/custodian/notices";

pub fn router(custody: Slot<CustodyService>) -> Router {
    let take = move |headers: HeaderMap, body: Bytes| {
        let custody = custody.clone();
        async move {
            // While custody is down the custodian hears so and tells us again.
            let Some(custody) = custody.get() else { return StatusCode::SERVICE_UNAVAILABLE };
            match custody.notified(PATH, &headers, &body).await {
                Ok(_) => StatusCode::NO_CONTENT,
                Err(why) => {
                    tracing::warn!(why, "a notification was refused");
                    StatusCode::UNAUTHORIZED
                }
            }
        }
    };
    Router::new().route(PATH, post(take)).layer(DefaultBodyLimit::max(16 << 10))
}
