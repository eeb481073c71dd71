//! Mutations: a document and its input. A refusal is a failure with its code, whichever service it comes from.
//!
//! The documents are plain text; a test reads them out of the source and checks them against the schema.

use crate::api::{self, Failure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Sends a mutation with the one variable `$input` and gives what its payload holds beside its errors.
///
/// # Errors
/// When it is refused, or nobody answers.
pub async fn send<T: DeserializeOwned>(document: &'static str, input: Value) -> Result<T, Failure> {
    api::read(payload(document, input).await?)
}

async fn payload(document: &'static str, input: Value) -> Result<Value, Failure> {
    let body = json!({ "query": document, "variables": { "input": input } }).to_string();
    let data = api::post(body).await?;
    // One mutation has one payload, and a payload has its errors and one thing beside.
    let Value::Object(mut fields) = data else { return Err(Failure::unknown()) };
    let payload = fields.iter_mut().next().map(|(_, payload)| payload.take());
    let Some(Value::Object(mut payload)) = payload else { return Err(Failure::unknown()) };
    let errors = payload.remove("errors").unwrap_or_default();
    if let Some(error) = errors.get(0) {
        let word = |name: &str| error[name].as_str().unwrap_or_default().to_string();
        return Err(Failure { code: word("code"), message: word("message") });
    }
    Ok(payload.into_iter().next().map_or(Value::Null, |(_, value)| value))
}

/// An amount as an input.
pub fn money(money: finance::Money) -> Value {
    json!({ "amount": money.to_decimal_string(), "currency": money.currency().code() })
}
