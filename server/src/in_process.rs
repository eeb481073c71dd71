//! The custodian in the same process, reached without a network: every message still signed, and in bytes.
//!
//! For the demo's history and for stories; a platform in service reaches its custodian over HTTP.

use crate::notices;
use axum::body::Body;
use axum::http::Request;
use custodian::Bank;
use custodian::notify::Post;
use custody::CustodyService;
use custody::port::Wire;
use platform::service::Slot;
use std::sync::Arc;
use tower::ServiceExt;

/// Our way to the custodian's door.
pub fn wire(bank: Arc<Bank>) -> Wire {
    Arc::new(move |path, headers, body| {
        let router = custodian::api::router(bank.clone());
        Box::pin(async move {
            let mut request = Request::post(path).header("content-type", "application/json");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let answer = router.oneshot(request.body(Body::from(body)).ok()?).await.ok()?;
            let status = answer.status().as_u16();
            Some((status, axum::body::to_bytes(answer.into_body(), 1 << 24).await.ok()?.to_vec()))
        })
    })
}

/// The custodian's way to ours.
pub fn post(custody: Slot<CustodyService>) -> Post {
    Arc::new(move |url, headers, body| {
        let router = notices::router(custody.clone());
        Box::pin(async move {
            let path = url.find(notices::PATH).map_or("", |at| &url[at..]).to_string();
            let mut request = Request::post(path);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let Ok(request) = request.body(Body::from(body)) else { return false };
            router.oneshot(request).await.is_ok_and(|answer| answer.status().is_success())
        })
    })
}

/// Answers one of the custodian's pages as its user would. Gives the status and the page's text.
///
/// # Errors
/// When there is no such page.
pub async fn answer_page(bank: &Arc<Bank>, url: &str, form: &str) -> anyhow::Result<(u16, String)> {
    let path = url.splitn(4, '/').nth(3).ok_or_else(|| anyhow::anyhow!("{url} is no page"))?;
    let request = Request::post(format!("/{path}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.to_string()))?;
    let answer = custodian::api::router(bank.clone()).oneshot(request).await?;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
