//! Where a program gets its token: OAuth 2.0 client credentials (RFC 6749, 4.4), found by its metadata (RFC 8414).

use crate::Gateway;
use crate::http::origin_of;
use crate::id::Gid;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use identity_api::{Identity, IdentityError, IssueToken, Secret};
use kernel::Actor;
use kernel::call::{Call, Scope, Service};
use kernel::id::{ClientId, RequestId};
use platform::Fault;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::SocketAddr;

const TOKEN: &str = "/oauth/token";
const BODY_MAX: usize = 8 * 1024;
const DEADLINE_SECONDS: i64 = 10;

pub(crate) fn router() -> Router<Gateway> {
    Router::new()
        .route(TOKEN, post(token))
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .layer(DefaultBodyLimit::max(BODY_MAX))
}

/// Each at most once, as the specification has it; what is not known is passed over.
#[derive(Deserialize)]
struct Asked {
    grant_type: Option<String>,
    scope: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// An error as a program reads it (RFC 6749, 5.2).
struct Refused {
    status: StatusCode,
    error: &'static str,
    why: String,
    head: Vec<(header::HeaderName, String)>,
}

impl Refused {
    fn new(status: StatusCode, error: &'static str, why: impl Into<String>) -> Refused {
        Refused { status, error, why: why.into(), head: Vec::new() }
    }

    fn bad(error: &'static str, why: &str) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, error, why)
    }

    fn with(mut self, name: header::HeaderName, value: String) -> Refused {
        self.head.push((name, value));
        self
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.error, "error_description": self.why }));
        let mut out = (self.status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        for (name, value) in self.head {
            if let Ok(value) = HeaderValue::from_str(&value) {
                out.headers_mut().insert(name, value);
            }
        }
        out
    }
}

/// Which program, and its secret: by the header or by the body and not by both (RFC 6749, 2.3.1).
fn credentials(headers: &HeaderMap, asked: &Asked) -> Result<(String, Secret), Refused> {
    let by_body = asked.client_id.clone().zip(asked.client_secret.clone());
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        let missing = || Refused::bad("invalid_request", "client_id and client_secret are missing");
        let (id, secret) = by_body.ok_or_else(missing)?;
        return Ok((id, Secret(secret)));
    };
    if asked.client_secret.is_some() {
        return Err(Refused::bad("invalid_request", "send the secret in the header or in the body"));
    }
    let read = || {
        let (scheme, packed) = header.to_str().ok()?.split_once(' ')?;
        let packed = scheme.eq_ignore_ascii_case("basic").then_some(packed.trim())?;
        let text = String::from_utf8(STANDARD.decode(packed).ok()?).ok()?;
        // Neither ids nor secrets of ours have a character that would be written as a percent sign and two digits.
        let (id, secret) = text.split_once(':')?;
        Some((id.to_string(), Secret(secret.to_string())))
    };
    read().ok_or_else(|| Refused::bad("invalid_request", "the Authorization header cannot be read"))
}

fn unknown() -> Refused {
    Refused::new(StatusCode::UNAUTHORIZED, "invalid_client", "the program or its secret is not known")
        .with(header::WWW_AUTHENTICATE, "Basic realm=\"counterfoil\"".into())
}

async fn token(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
    request: Option<axum::Extension<RequestId>>,
    from: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    asked: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Refused> {
    if let Err(why) = gateway.check_origin(&headers) {
        return Err(Refused::new(StatusCode::FORBIDDEN, "invalid_request", why));
    }
    let Form(asked) = asked.map_err(|e| {
        let why = "send each parameter once, as application/x-www-form-urlencoded";
        Refused::new(e.into_response().status(), "invalid_request", why)
    })?;
    match asked.grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(Refused::bad("unsupported_grant_type", "the grant is client_credentials"));
        }
        None => return Err(Refused::bad("invalid_request", "grant_type is missing")),
    }
    let (client, secret) = credentials(&headers, &asked)?;
    let Gid(client) = Gid::<ClientId>::read(&client).ok_or_else(unknown)?;
    let wanted = asked.scope.unwrap_or_default();
    let scopes: Option<BTreeSet<Scope>> =
        wanted.split(' ').filter(|s| !s.is_empty()).map(Scope::from_code).collect();
    let not_granted = || Refused::bad("invalid_scope", "the program may not ask for this scope");
    let scopes = scopes.ok_or_else(not_granted)?;
    let now = gateway.clock.now();
    let call = Call {
        actor: Actor::Anonymous,
        caller: Service::Gateway,
        on_behalf_of: None,
        request: request.map_or_else(|| RequestId(gateway.entropy.uuid(now)), |r| r.0),
        deadline: now + chrono::Duration::seconds(DEADLINE_SECONDS),
    };
    let issue = IssueToken { client, secret, scopes, address: origin_of(from.map(|f| f.0)) };
    match gateway.services.identity.issue_token(&call, issue).await {
        Ok(token) => {
            let scope: Vec<&str> = token.scopes.iter().map(|s| s.code()).collect();
            let body = json!({
                "access_token": token.access.0,
                "token_type": "Bearer",
                "expires_in": (token.expires_at - now).num_seconds().max(0),
                "scope": scope.join(" "),
            });
            Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
        }
        Err(Fault::Refused(IdentityError::ScopeNotGranted)) => Err(not_granted()),
        Err(Fault::Refused(IdentityError::Throttled { seconds })) => {
            let why = format!("too many attempts; try again in {seconds} seconds");
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", why);
            Err(refused.with(header::RETRY_AFTER, seconds.to_string()))
        }
        Err(Fault::Refused(_)) => Err(unknown()),
        Err(_) => {
            let why = "tokens cannot be given at the moment; try again soon";
            Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why))
        }
    }
}

async fn metadata(State(gateway): State<Gateway>) -> Json<serde_json::Value> {
    let issuer = gateway.origin.trim_end_matches('/');
    let scopes: Vec<&str> = Scope::ALL.iter().map(|s| s.code()).collect();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}{TOKEN}"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": scopes,
    }))
}
