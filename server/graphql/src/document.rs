//! Documents of an application: their list in the schema, their bytes by plain HTTP beside it.
//!
//! `POST /documents/{application}?id=…&name=…` with the file as the body adds one, `GET /documents/{document}` gives one.
//! Both want the access token in the header, which no other site's page can send, and answer errors as GraphQL does.

use crate::Gateway;
use crate::audit;
use crate::context::{Asker, asker, services};
use crate::error::{OfficeUserError, fault, top};
use crate::http;
use crate::id::Gid;
use crate::scalars::DateTime;
use async_graphql::{Context, Enum, InputObject, Object, Response as Answer, Result, SimpleObject};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query as Parameters, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kernel::id::{ApplicationId, DocumentId, RequestId};
use kernel::{Actor, Coded};
use office_api::*;
use platform::Fault;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// What a document is, by its content.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "office_api::DocumentKind")]
pub enum DocumentKind {
    Pdf,
    Png,
    Jpeg,
}

/// A file that a borrower added to an application. Its bytes are at `/documents/{id}`, with the access token.
#[derive(SimpleObject)]
pub struct Document {
    pub id: Gid<DocumentId>,
    /// As its owner calls it.
    pub name: String,
    pub kind: DocumentKind,
    /// In bytes.
    pub size: u32,
    pub added_at: DateTime,
}

impl From<DocumentView> for Document {
    fn from(d: DocumentView) -> Document {
        Document { id: Gid(d.id), name: d.name, kind: d.kind.into(), size: d.size, added_at: DateTime(d.at) }
    }
}

/// The documents of an application; none to whoever may see the application and not them.
///
/// # Errors
/// When office does not answer.
pub async fn of(ctx: &Context<'_>, application: ApplicationId) -> Result<Vec<Document>> {
    let asker = asker(ctx);
    match services(ctx).office.documents(&asker.call(), DocumentsOf { application }).await {
        Ok(found) => Ok(found.into_iter().map(Document::from).collect()),
        Err(Fault::Forbidden) => Ok(Vec::new()),
        Err(other) => Err(fault(asker, other)),
    }
}

#[derive(InputObject)]
pub struct DocumentRemoveInput {
    pub document: Gid<DocumentId>,
}

/// Whether the document is gone.
#[derive(SimpleObject)]
pub struct DocumentRemovePayload {
    pub done: bool,
    pub errors: Vec<OfficeUserError>,
}

#[derive(Default)]
pub struct DocumentMutation;

#[Object]
impl DocumentMutation {
    /// Takes one's own document back while the application is being judged.
    async fn document_remove(
        &self,
        ctx: &Context<'_>,
        input: DocumentRemoveInput,
    ) -> Result<DocumentRemovePayload> {
        let asker = asker(ctx);
        let remove = RemoveDocument { document: input.document.0 };
        match services(ctx).office.remove_document(&asker.call(), remove).await {
            Ok(()) => Ok(DocumentRemovePayload { done: true, errors: Vec::new() }),
            Err(Fault::Refused(e)) => {
                asker.note_refusal(e.code());
                Ok(DocumentRemovePayload { done: false, errors: vec![e.into()] })
            }
            Err(other) => Err(fault(asker, other)),
        }
    }
}

/// Where the bytes go in and out.
pub fn router() -> Router<Gateway> {
    // One byte more, so that what is too large is told by its own sentence.
    Router::new()
        .route("/documents/{id}", get(open).post(add))
        .layer(DefaultBodyLimit::max(DOCUMENT_BYTES_MAX + 1))
}

#[derive(Deserialize)]
struct Named {
    /// A UUIDv7 made by the client; the same again adds nothing.
    id: uuid::Uuid,
    #[serde(default)]
    name: String,
}

async fn add(
    State(gateway): State<Gateway>,
    Path(application): Path<String>,
    named: std::result::Result<
        Parameters<Named>,
        <Parameters<Named> as axum::extract::FromRequestParts<Gateway>>::Rejection,
    >,
    headers: HeaderMap,
    request: axum::Extension<RequestId>,
    body: std::result::Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let asker = match gateway.asker_by_header(&headers, *request).await {
        Ok(asker) => asker,
        Err(refused) => return *refused,
    };
    let Some(Gid(application)) = Gid::<ApplicationId>::read(&application) else {
        return refused(&asker, Fault::Refused(OfficeError::DocumentNotFound));
    };
    let Ok(Parameters(named)) = named else {
        return refused(&asker, Fault::<OfficeError>::Malformed("id and name".into()));
    };
    let content = match body {
        Ok(bytes) => bytes.to_vec(),
        Err(e) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let megabytes_max = DOCUMENT_BYTES_MAX / (1024 * 1024);
            return refused(&asker, Fault::Refused(OfficeError::DocumentTooLarge { megabytes_max }));
        }
        Err(_) => return refused(&asker, Fault::<OfficeError>::Malformed("the body".into())),
    };
    let add =
        AddDocument { id: DocumentId(named.id), application, name: named.name, content: Content(content) };
    match gateway.services.office.add_document(&asker.call(), add).await {
        Ok(view) => {
            let added =
                json!({ "data": { "id": Gid(view.id).text(), "name": view.name, "size": view.size } });
            ([(header::CACHE_CONTROL, "no-store")], axum::Json(added)).into_response()
        }
        Err(e) => refused(&asker, e),
    }
}

async fn open(
    State(gateway): State<Gateway>,
    Path(document): Path<String>,
    headers: HeaderMap,
    request: axum::Extension<RequestId>,
) -> Response {
    let asker = match gateway.asker_by_header(&headers, *request).await {
        Ok(asker) => asker,
        Err(refused) => return *refused,
    };
    let Some(Gid(document)) = Gid::<DocumentId>::read(&document) else {
        return refused(&asker, Fault::Refused(OfficeError::DocumentNotFound));
    };
    // Who of the staff has looked at what is as much a matter of record as what they decided.
    let details = BTreeMap::from([("document".to_string(), Gid(document).text())]);
    let doing = audit::Doing { what: "documentOpen".into(), details };
    let act = match gateway.begin_act(&asker, Some(doing)).await {
        Ok(act) => act,
        Err(why) => return refused(&asker, why),
    };
    let found = gateway.services.office.document(&asker.call(), DocumentOf { document }).await;
    if let Some(act) = act {
        let outcome = match &found {
            Ok(_) => "DONE",
            Err(Fault::Refused(e)) => e.code(),
            Err(Fault::Forbidden) => "FORBIDDEN",
            Err(_) => "SERVICE_UNAVAILABLE",
        };
        gateway.end_act(&asker, act, outcome.into()).await;
    }
    match found {
        Ok(whole) => {
            // Given to be kept and not to be shown: whatever is in it runs nowhere near the app.
            let name = percent(&whole.view.name);
            let disposition = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"));
            let disposition = disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
            let mut out = whole.content.0.into_response();
            let head = out.headers_mut();
            head.insert(header::CONTENT_TYPE, HeaderValue::from_static(whole.view.kind.media_type()));
            head.insert(header::CONTENT_DISPOSITION, disposition);
            head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            head.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("default-src 'none'; sandbox"),
            );
            out
        }
        Err(e) => refused(&asker, e),
    }
}

/// As RFC 8187 writes a name that is not ASCII.
fn percent(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let write = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    name.bytes().map(write).collect()
}

fn refused(asker: &Asker, e: Fault<OfficeError>) -> Response {
    let status = match &e {
        Fault::Refused(OfficeError::DocumentNotFound) => StatusCode::NOT_FOUND,
        Fault::Refused(OfficeError::DocumentTooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::Refused(OfficeError::DocumentKindUnknown) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Fault::Refused(_) => StatusCode::CONFLICT,
        Fault::Forbidden if asker.actor == Actor::Anonymous => StatusCode::UNAUTHORIZED,
        Fault::Forbidden => StatusCode::FORBIDDEN,
        Fault::Malformed(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let error = fault(asker, e).into_server_error(Default::default());
    http::answer(status, Answer::from_errors(vec![error]), &HeaderMap::new())
}

impl Gateway {
    /// Who asks, by the token in the header alone.
    async fn asker_by_header(
        &self,
        headers: &HeaderMap,
        request: RequestId,
    ) -> std::result::Result<Asker, Box<Response>> {
        let no = |status, code: &str, why: &str| {
            let error = top(code, why).into_server_error(Default::default());
            Box::new(http::answer(status, Answer::from_errors(vec![error]), &HeaderMap::new()))
        };
        self.check_origin(headers).map_err(|why| no(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", why))?;
        let unauthenticated = || no(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", "sign in first");
        let access = http::bearer(headers).ok_or_else(unauthenticated)?;
        let actor = match self.authenticate(request, access).await {
            Ok(Actor::Client { .. }) => {
                return Err(no(StatusCode::FORBIDDEN, "FORBIDDEN", "no program reads documents"));
            }
            Ok(actor) => actor,
            Err(Fault::Refused(_)) => return Err(unauthenticated()),
            Err(_) => {
                let why = "who you are cannot be looked up at the moment";
                return Err(no(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", why));
            }
        };
        Ok(Asker {
            actor,
            request,
            clock: self.clock.clone(),
            address: String::new(),
            agent: String::new(),
            refresh: None,
            cookie: None,
            refused: std::sync::Arc::default(),
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_in_a_header_is_only_a_name() {
        assert_eq!(super::percent("pay slip ä\r\n\";.pdf"), "pay%20slip%20%C3%A4%0D%0A%22%3B.pdf");
    }
}
