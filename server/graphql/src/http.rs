//! GraphQL over HTTP: POST with JSON, queries also by GET, nothing else.

use crate::audit;
use crate::context::{Asker, Cookie};
use crate::document;
use crate::error::top;
use crate::guard;
use crate::limit::{Bill, COST_MAX, Standing};
use crate::loaders::Loaders;
use crate::{Executed, Gateway, limit, oauth, scope, socket};
use async_graphql::dataloader::DataLoader;
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response as Answer, Value, Variables};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{
    ConnectInfo, DefaultBodyLimit, FromRequestParts, Query as Parameters, State, WebSocketUpgrade,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request as HttpRequest, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use chrono::{DateTime, Utc};
use identity_api::{Authenticate, Identity, Secret};
use kernel::Actor;
use kernel::call::{Call, Service};
use kernel::id::RequestId;
use platform::Fault;
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// Where the door is.
pub const PATH: &str = "/graphql";
/// A request's body, at most.
const BODY_MAX: usize = 256 * 1024;
const COOKIE: &str = "counterfoil_refresh";
const GRAPHQL_JSON: &str = "application/graphql-response+json";

/// The door's routes.
pub fn router(gateway: Gateway) -> Router {
    let graphql = Router::new().route(PATH, any(door)).layer(DefaultBodyLimit::max(BODY_MAX));
    graphql.merge(document::router()).merge(oauth::router()).with_state(gateway)
}

/// One request as the specification of GraphQL over HTTP has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ask {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) operation_name: Option<String>,
    #[serde(default)]
    pub(crate) variables: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Ask {
    pub(crate) fn variables(&self) -> Variables {
        Variables::from_json(
            self.variables.clone().map_or(serde_json::Value::Null, serde_json::Value::Object),
        )
    }
}

/// What the schema executes.
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) operation: OperationType,
    pub(crate) executed: Executed,
    /// Of a mutation, what it is about to do.
    pub(crate) doing: Option<audit::Doing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AskByGet {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
}

/// Whether the answer goes out as GraphQL's own media type, with a status that tells more.
fn wants_graphql_json(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|v| v.to_str().is_ok_and(|v| v.to_ascii_lowercase().contains(GRAPHQL_JSON)))
}

fn refused(status: StatusCode, code: &'static str, message: &str, headers: &HeaderMap) -> Response {
    let error = top(code, message).into_server_error(Default::default());
    answer(status, Answer::from_errors(vec![error]), headers)
}

pub(crate) fn answer(status: StatusCode, answer: Answer, headers: &HeaderMap) -> Response {
    let kind = if wants_graphql_json(headers) {
        "application/graphql-response+json; charset=utf-8"
    } else {
        "application/json; charset=utf-8"
    };
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    let head = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    (status, head, body).into_response()
}

async fn door(State(gateway): State<Gateway>, request: HttpRequest<axum::body::Body>) -> Response {
    let (mut parts, body) = request.into_parts();
    let method = parts.method.clone();
    let headers = parts.headers.clone();
    if let Err(why) = gateway.check_origin(&headers) {
        return refused(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", why, &headers);
    }
    let upgrade =
        headers.get(header::UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let id = parts.extensions.get::<RequestId>().copied();
    let id = id.unwrap_or_else(|| RequestId(gateway.entropy.uuid(gateway.clock.now())));
    let address = origin_of(parts.extensions.get::<ConnectInfo<SocketAddr>>().copied());
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or("").to_string();

    if upgrade {
        let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &gateway).await;
        return match upgrade {
            Ok(upgrade) => socket::accept(upgrade, gateway, id, address, agent),
            Err(refusal) => refusal.into_response(),
        };
    }
    let ask = match method {
        Method::POST => {
            if !is_json(&headers) {
                let why = "send application/json";
                return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "MEDIA_TYPE", why, &headers);
            }
            // A few packed bytes may be very many.
            if headers.get(header::CONTENT_ENCODING).is_some_and(|e| e.as_bytes() != b"identity") {
                let why = "send the body as it is, not compressed";
                return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "MEDIA_TYPE", why, &headers);
            }
            let body = axum::extract::Request::from_parts(parts, body);
            let body = <Bytes as axum::extract::FromRequest<()>>::from_request(body, &()).await;
            let body = match body {
                Ok(body) => body,
                Err(refusal) => {
                    let status = refusal.into_response().status();
                    return refused(status, "BODY", "the body is too large or could not be read", &headers);
                }
            };
            match serde_json::from_slice::<Ask>(&body) {
                Ok(ask) => ask,
                Err(e) => {
                    let why = format!("the body is not a GraphQL request: {e}");
                    return refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", &why, &headers);
                }
            }
        }
        Method::GET => {
            let asked = Parameters::<AskByGet>::from_request_parts(&mut parts, &()).await;
            let Ok(Parameters(asked)) = asked else {
                return refused(
                    StatusCode::BAD_REQUEST,
                    "BAD_REQUEST",
                    "the query string cannot be read",
                    &headers,
                );
            };
            let Some(query) = asked.query else {
                let html = headers
                    .get(header::ACCEPT)
                    .and_then(|v| v.to_str().ok())
                    .is_some_and(|v| v.contains("text/html"));
                return if html && gateway.demo {
                    axum::response::Redirect::temporary("/graphiql/").into_response()
                } else {
                    refused(
                        StatusCode::BAD_REQUEST,
                        "BAD_REQUEST",
                        "the parameter query is missing",
                        &headers,
                    )
                };
            };
            let variables = match asked.variables.as_deref().map(serde_json::from_str) {
                None => None,
                Some(Ok(variables)) => variables,
                Some(Err(_)) => {
                    return refused(
                        StatusCode::BAD_REQUEST,
                        "BAD_REQUEST",
                        "variables is not a JSON object",
                        &headers,
                    );
                }
            };
            Ask { query, operation_name: asked.operation_name, variables }
        }
        _ => {
            let mut out =
                refused(StatusCode::METHOD_NOT_ALLOWED, "METHOD", "use POST, or GET for a query", &headers);
            out.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
            return out;
        }
    };
    let actor = match bearer(&headers) {
        None => Actor::Anonymous,
        Some(access) => match gateway.authenticate(id, access).await {
            Ok(actor) => actor,
            Err(Fault::Refused(_)) => {
                return refused(
                    StatusCode::UNAUTHORIZED,
                    "UNAUTHENTICATED",
                    "the access token has run out",
                    &headers,
                );
            }
            Err(_) => {
                let why = "who you are cannot be looked up at the moment";
                return refused(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", why, &headers);
            }
        },
    };
    let cookie = Arc::new(Mutex::new(None));
    let asker = Asker {
        actor,
        request: id,
        clock: gateway.clock.clone(),
        address,
        agent,
        refresh: refresh(&headers),
        cookie: Some(cookie.clone()),
        refused: Arc::default(),
    };
    let witness = asker.clone();
    let bill = Bill::open(&gateway.limits, &witness.actor, gateway.clock.now());
    let mut out = match gateway.prepare(&ask, asker, bill.clone()) {
        _ if bill.is_over() => refused(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", limit::OVER, &headers),
        Err(e) => {
            // A document that cannot be understood: by the older media type an answer like any other.
            let status = if wants_graphql_json(&headers) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            refused(status, e.code, &e.message, &headers)
        }
        Ok(Prepared { operation: OperationType::Subscription, .. }) => {
            let why = "subscriptions go over a WebSocket, with the protocol graphql-transport-ws";
            refused(StatusCode::BAD_REQUEST, "SUBSCRIPTION_BY_HTTP", why, &headers)
        }
        Ok(Prepared { operation: OperationType::Mutation, .. }) if method == Method::GET => {
            let mut out =
                refused(StatusCode::METHOD_NOT_ALLOWED, "METHOD", "a mutation is sent by POST", &headers);
            out.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            out
        }
        Ok(Prepared { request, executed, doing, .. }) => {
            let act = match gateway.begin_act(&witness, doing).await {
                Ok(act) => act,
                Err(why) => {
                    let error = audit::unwritten(&witness, why).into_server_error(Default::default());
                    let refusal = explained(Answer::from_errors(vec![error]), id, true);
                    return answer(StatusCode::OK, refusal, &headers);
                }
            };
            let done = gateway.api.execute(request).await;
            if let Some(act) = act {
                gateway.end_act(&witness, act, audit::outcome(&done, &witness)).await;
            }
            let understood = executed.is_set() || !wants_graphql_json(&headers);
            let status = match understood {
                _ if bill.is_over() => StatusCode::TOO_MANY_REQUESTS,
                true => StatusCode::OK,
                false => StatusCode::BAD_REQUEST,
            };
            let mut done = explained(done, id, executed.is_set());
            if let Some(cost) = bill.cost() {
                let cost = async_graphql::value!({ "requested": cost, "limit": COST_MAX });
                done.extensions.insert("cost".into(), cost);
            }
            answer(status, done, &headers)
        }
    };
    if let Some(standing) = bill.standing() {
        tell_standing(&mut out, standing, gateway.clock.now());
    }
    let left = cookie.lock().unwrap_or_else(|p| p.into_inner()).take();
    if let Some(left) = left
        && let Ok(value) = HeaderValue::from_str(&gateway.cookie(left))
    {
        out.headers_mut().append(header::SET_COOKIE, value);
    }
    out
}

/// From where somebody asks, for throttling.
pub(crate) fn origin_of(from: Option<ConnectInfo<SocketAddr>>) -> String {
    from.map_or_else(|| "local".to_string(), |ConnectInfo(a)| a.ip().to_string())
}

/// Tells a program how it stands, in the words of the largest APIs: points left, and when (in seconds since 1970) all of
/// them are there again.
fn tell_standing(out: &mut Response, standing: Standing, now: DateTime<Utc>) {
    let mut tell = |name: &'static str, value: i64| {
        out.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
    };
    tell("x-ratelimit-limit", i64::try_from(standing.limit).unwrap_or(i64::MAX));
    tell("x-ratelimit-remaining", i64::try_from(standing.remaining).unwrap_or(i64::MAX));
    tell("x-ratelimit-reset", standing.reset_at.timestamp());
    if !standing.granted {
        tell("retry-after", (standing.reset_at - now).num_seconds().max(1));
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let mut parts = kind.split(';').map(str::trim);
    let json = parts.next().is_some_and(|k| k.eq_ignore_ascii_case("application/json"));
    json && parts.all(|p| {
        p.to_ascii_lowercase().strip_prefix("charset=").is_none_or(|c| c.trim_matches('"') == "utf-8")
    })
}

pub(crate) fn bearer(headers: &HeaderMap) -> Option<Secret> {
    token(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

/// The token of `Bearer …`.
pub(crate) fn token(text: &str) -> Option<Secret> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret(token.trim().to_string()))
}

fn refresh(headers: &HeaderMap) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| Secret(value.to_string()))
}

/// Gives every error a code and the request's id.
pub(crate) fn explained(mut answer: Answer, id: RequestId, executed: bool) -> Answer {
    for error in &mut answer.errors {
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            // What the library itself objects to: before execution the document, during it a value.
            let code = if executed { "BAD_USER_INPUT" } else { "GRAPHQL_VALIDATION_FAILED" };
            extensions.set("code", Value::from(code));
        }
        extensions.set("requestId", Value::from(id.to_string()));
    }
    answer
}

impl Gateway {
    /// What a browser sends from another site is refused; programs send no `Origin`.
    pub(crate) fn check_origin(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        match headers.get(header::ORIGIN).map(|o| o.to_str()) {
            None => Ok(()),
            Some(Ok(origin)) if origin.trim_end_matches('/') == self.origin.trim_end_matches('/') => Ok(()),
            // In the demo one is the same machine by any of its names.
            Some(Ok(origin)) if self.demo => {
                let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
                let same = origin.split_once("://").is_some_and(|(_, rest)| rest == host);
                if same { Ok(()) } else { Err("this origin is not the platform's") }
            }
            Some(_) => Err("this origin is not the platform's"),
        }
    }

    pub(crate) async fn authenticate(
        &self,
        id: RequestId,
        access: Secret,
    ) -> Result<Actor, Fault<identity_api::IdentityError>> {
        let deadline = self.clock.now() + chrono::Duration::seconds(10);
        let call = Call {
            actor: Actor::Anonymous,
            caller: Service::Gateway,
            on_behalf_of: None,
            request: id,
            deadline,
        };
        self.services.identity.authenticate(&call, Authenticate { access }).await
    }

    /// Checks a document and makes of it what the schema executes.
    pub(crate) fn prepare(&self, ask: &Ask, asker: Asker, bill: Bill) -> Result<Prepared, guard::Refused> {
        let variables = ask.variables();
        let name = ask.operation_name.as_deref();
        let checked = guard::check(&ask.query, name, &variables, self.demo)?;
        let doing = match checked.operation {
            OperationType::Query => None,
            _ => Some(audit::doing(&checked.document, name, &variables)),
        };
        if let Some(doing) = &doing {
            // What a program may follow is said before anything flows; and it changes nothing.
            let root = match checked.operation {
                OperationType::Subscription => "Subscription",
                _ => "Mutation",
            };
            scope::check_root(&asker, root, &doing.what)?;
        }
        let executed = Executed::default();
        let loaders = Loaders { services: self.services.clone(), asker: asker.clone() };
        let mut request = Request::new(&ask.query)
            .variables(variables.clone())
            .data(DataLoader::new(loaders, tokio::spawn))
            .data(asker)
            .data(bill)
            .data(executed.clone());
        if let Some(name) = &ask.operation_name {
            request = request.operation_name(name);
        }
        let doing = doing.filter(|_| checked.operation == OperationType::Mutation);
        request.set_parsed_query(checked.document);
        Ok(Prepared { request, operation: checked.operation, executed, doing })
    }

    fn cookie(&self, cookie: Cookie) -> String {
        let secure = if self.origin.starts_with("https://") { "; Secure" } else { "" };
        let fixed = format!("Path={PATH}; HttpOnly; SameSite=Strict{secure}");
        match cookie {
            Cookie::Set { refresh, expires_at } => {
                let seconds = (expires_at - self.clock.now()).num_seconds().max(0);
                format!("{COOKIE}={}; Max-Age={seconds}; {fixed}", refresh.0)
            }
            Cookie::Clear => format!("{COOKIE}=; Max-Age=0; {fixed}"),
        }
    }
}
