//! Asking the platform: typed documents, checked against its schema when the app is built.

pub mod live;

use crate::session;
use cynic::serde::Serialize;
use cynic::serde::de::DeserializeOwned;
use cynic::{GraphQlResponse, Operation};
use gloo_net::http::Request;

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

    /// A ratio as per cent: `0.1399` is `13.99`.
    pub fn percent(&self) -> String {
        self.rate().map_or_else(|| self.0.clone(), |r| r.to_percent_string())
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

    fn of(code: &str, message: &str) -> Failure {
        Failure { code: code.into(), message: message.into() }
    }
}

#[derive(cynic::serde::Deserialize, Clone, Debug, Default)]
#[serde(crate = "cynic::serde")]
struct Extensions {
    #[serde(default)]
    code: String,
}

/// Sends one document and gives its data. An access token that has run out is renewed once.
pub async fn ask<Q, V>(operation: Operation<Q, V>) -> Result<Q, Failure>
where
    Q: DeserializeOwned + 'static,
    V: Serialize,
{
    let body = serde_json::to_string(&operation).map_err(|e| Failure::of("BAD_REQUEST", &e.to_string()))?;
    match send(body.clone(), session::token()).await {
        Err(failure) if failure.code == "UNAUTHENTICATED" && session::token().is_some() => {
            session::renew().await;
            send(body, session::token()).await
        }
        other => other,
    }
}

/// Sends one document as nobody, for what the cookie alone decides.
pub async fn ask_once<Q, V>(operation: Operation<Q, V>) -> Result<Q, Failure>
where
    Q: DeserializeOwned + 'static,
    V: Serialize,
{
    let body = serde_json::to_string(&operation).map_err(|e| Failure::of("BAD_REQUEST", &e.to_string()))?;
    send(body, None).await
}

async fn send<Q: DeserializeOwned + 'static>(body: String, token: Option<String>) -> Result<Q, Failure> {
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
    let answer: GraphQlResponse<Q, Extensions> = match answer.json().await {
        Ok(answer) => answer,
        Err(_) => return Err(Failure::of("UNREADABLE", "")),
    };
    let first = answer.errors.as_ref().and_then(|e| e.first());
    match (answer.data, first) {
        (Some(data), None) => Ok(data),
        (_, Some(error)) => {
            let code = error.extensions.as_ref().map(|e| e.code.clone()).unwrap_or_default();
            Err(Failure { code, message: error.message.clone() })
        }
        (None, None) => Err(Failure::of("NO_ANSWER", "")),
    }
}
