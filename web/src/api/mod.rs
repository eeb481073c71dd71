//! Asking the platform: typed documents, checked against its schema when the app is built.

pub mod command;
pub mod documents;
pub mod live;

use crate::session;
use cynic::Operation;
use gloo_net::http::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[cynic::schema("counterfoil")]
pub mod schema {}

/// Digits with at most one point; never a floating-point number.
#[derive(cynic::Scalar, Clone, PartialEq, Eq, Debug)]
pub struct Decimal(pub String);

#[derive(cynic::Scalar, Clone, PartialEq, Eq, Debug)]
pub struct Currency(pub String);

#[derive(cynic::Scalar, Clone, PartialEq, Eq, Debug)]
pub struct Date(pub String);

#[derive(cynic::Scalar, Clone, PartialEq, Eq, Debug)]
pub struct DateTime(pub String);

/// A command's id.
#[derive(cynic::Scalar, Clone, PartialEq, Eq, Debug)]
#[cynic(graphql_type = "UUID")]
pub struct Uuid(pub String);

#[derive(cynic::QueryFragment, Clone, PartialEq, Eq, Debug)]
pub struct Money {
    pub amount: Decimal,
    pub currency: Currency,
}

impl Money {
    /// In minor units, for reckoning with the same arithmetic as the server's.
    pub fn exact(&self) -> Option<finance::Money> {
        let currency: finance::Currency = self.currency.0.parse().ok()?;
        finance::Money::parse(&self.amount.0, currency).ok()
    }
}

impl From<finance::Money> for Money {
    fn from(m: finance::Money) -> Money {
        Money { amount: Decimal(m.to_decimal_string()), currency: Currency(m.currency().code().into()) }
    }
}

impl Decimal {
    /// A ratio as a rate.
    pub fn rate(&self) -> Option<finance::Rate> {
        let (whole, part) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let part = format!("{part:0<6}");
        let ppm =
            whole.parse::<u32>().ok()?.checked_mul(1_000_000)?.checked_add(part.get(..6)?.parse().ok()?)?;
        Some(finance::Rate::from_ppm(ppm))
    }

    /// The same with two decimals at most, cut off: a return is an estimate.
    pub fn percent_in_short(&self) -> String {
        let percent = self.percent();
        match percent.split_once('.') {
            Some((whole, part)) => format!("{whole}.{}", part.get(..2).unwrap_or(part)),
            None => percent,
        }
    }

    /// As per cent with two decimals at least, so that a column of them stands in line.
    pub fn percent_in_line(&self) -> String {
        let percent = self.percent();
        match percent.split_once('.') {
            Some((whole, part)) => format!("{whole}.{part:0<2}"),
            None => format!("{percent}.00"),
        }
    }

    /// A ratio as per cent: `0.1399` is `13.99`.
    pub fn percent(&self) -> String {
        self.rate().map_or_else(|| self.0.clone(), |r| r.to_percent_string())
    }
}

impl Date {
    /// For reckoning. The API has one form of a date, for which no parser is needed.
    pub fn day(&self) -> Option<chrono::NaiveDate> {
        let mut parts = self.0.splitn(3, '-');
        let year = parts.next()?.parse().ok()?;
        chrono::NaiveDate::from_ymd_opt(year, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?)
    }
}

impl From<finance::Rate> for Decimal {
    fn from(rate: finance::Rate) -> Decimal {
        Decimal(format!("{}.{:06}", rate.ppm() / 1_000_000, rate.ppm() % 1_000_000))
    }
}

/// Why there is no answer. [`crate::messages::sentence`] says it to a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    pub code: String,
    pub message: String,
}

impl Failure {
    /// A refusal that gives no reason.
    pub fn unknown() -> Failure {
        Failure::of("UNKNOWN", "")
    }

    pub fn of(code: &str, message: &str) -> Failure {
        Failure { code: code.into(), message: message.into() }
    }
}

/// Sends one document and gives its data. An access token that has run out is renewed once.
pub async fn ask<Q: DeserializeOwned, V: Serialize>(operation: Operation<Q, V>) -> Result<Q, Failure> {
    read(post(written(&operation)?).await?)
}

/// Sends one document as nobody, for what the cookie alone decides.
pub async fn ask_once<Q: DeserializeOwned, V: Serialize>(operation: Operation<Q, V>) -> Result<Q, Failure> {
    read(send(&written(&operation)?, None).await?)
}

fn written(operation: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(operation).map_err(|e| Failure::of("BAD_REQUEST", &e.to_string()))
}

pub(crate) fn read<Q: DeserializeOwned>(data: Value) -> Result<Q, Failure> {
    serde_json::from_value(data).map_err(|_| Failure::of("UNREADABLE", ""))
}

// What follows is not generic: it is in the app once, however many documents there are.

pub(crate) async fn post(body: String) -> Result<Value, Failure> {
    // Rather before than after a refusal.
    session::renew_if_due().await;
    let token = session::token();
    let who = session::email();
    match send(&body, token).await {
        Err(failure) if failure.code == "UNAUTHENTICATED" && who.is_some() => {
            session::renew().await;
            // Another tab may have signed in as somebody else meanwhile: what one began is not done in their name.
            if session::email() != who {
                return Err(failure);
            }
            send(&body, session::token()).await
        }
        other => other,
    }
}

/// The first error of an answer.
pub(crate) fn failure_in(answer: &Value) -> Option<Failure> {
    let error = answer["errors"].get(0)?;
    let word = |v: &Value| v.as_str().unwrap_or_default().to_string();
    Some(Failure { code: word(&error["extensions"]["code"]), message: word(&error["message"]) })
}

async fn send(body: &str, token: Option<String>) -> Result<Value, Failure> {
    let mut request = Request::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json");
    if let Some(token) = token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let request = request.body(body).map_err(|e| Failure::of("BAD_REQUEST", &e.to_string()))?;
    let Ok(answer) = request.send().await else {
        return Err(Failure::of("OFFLINE", ""));
    };
    let text = answer.text().await.unwrap_or_default();
    let Ok(mut answer) = serde_json::from_str::<Value>(&text) else {
        return Err(Failure::of("UNREADABLE", ""));
    };
    if let Some(failure) = failure_in(&answer) {
        return Err(failure);
    }
    match answer["data"].take() {
        Value::Null => Err(Failure::of("NO_ANSWER", "")),
        data => Ok(data),
    }
}
