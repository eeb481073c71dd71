//! Files go in and out by plain HTTP, with the access token.

use crate::api::{Failure, failure_in};
use crate::session;
use gloo_net::http::{Request, Response};
use serde_json::Value;
use wasm_bindgen::JsValue;

/// As part of an address.
fn part(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// Adds a file to an application; the same `id` again adds nothing.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn add(application: &str, id: &str, file: &web_sys::File) -> Result<(), Failure> {
    session::renew_if_due().await;
    let address = format!("/documents/{}?id={}&name={}", part(application), part(id), part(&file.name()));
    let request = Request::post(&address).header("authorization", &bearer());
    let request =
        request.body(JsValue::from(file.clone())).map_err(|e| Failure::of("BAD_REQUEST", &e.to_string()))?;
    answered(request.send().await).await.map(drop)
}

/// A document's bytes.
///
/// # Errors
/// When one may not see it, or nobody answers.
pub async fn read(document: &str) -> Result<JsValue, Failure> {
    session::renew_if_due().await;
    let request = Request::get(&format!("/documents/{}", part(document))).header("authorization", &bearer());
    let answer = answered(request.send().await).await?;
    let bytes = answer.binary().await.map_err(|_| Failure::of("OFFLINE", ""))?;
    Ok(js_sys::Uint8Array::from(bytes.as_slice()).into())
}

fn bearer() -> String {
    format!("Bearer {}", session::token().unwrap_or_default())
}

async fn answered(answer: Result<Response, gloo_net::Error>) -> Result<Response, Failure> {
    let Ok(answer) = answer else { return Err(Failure::of("OFFLINE", "")) };
    if answer.ok() {
        return Ok(answer);
    }
    let body = answer.json::<Value>().await.unwrap_or_default();
    Err(failure_in(&body).unwrap_or_else(Failure::unknown))
}
