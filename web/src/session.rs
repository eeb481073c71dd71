//! Who is signed in. The access token lives in memory only; the refresh token is a cookie that no script can read.

use crate::api::{self, DateTime, Failure, live, schema};
use crate::page::Page;
use cynic::{MutationBuilder, QueryFragment};
use leptos::prelude::*;
use std::cell::RefCell;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    Borrower,
    Investor,
    CreditOfficer,
    CreditSupervisor,
    Operations,
    Auditor,
    Administrator,
}

#[derive(QueryFragment, Clone, PartialEq, Eq, Debug)]
pub struct Party {
    pub name: String,
    pub email: String,
    pub roles: Vec<Role>,
}

#[derive(QueryFragment, Clone, Debug)]
pub struct SignedIn {
    pub access_token: String,
    pub access_expires_at: DateTime,
    pub party: Party,
}

/// Any code; what each says stands in the messages.
#[derive(cynic::Enum, Clone, PartialEq, Eq, Debug)]
#[cynic(non_exhaustive)]
pub enum IdentityErrorCode {
    IdentitySessionEnded,
    #[cynic(fallback)]
    Code(String),
}

#[derive(QueryFragment, Clone, Debug)]
pub struct IdentityUserError {
    pub code: IdentityErrorCode,
    pub message: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
pub struct SessionOpenInput {
    pub email: String,
    pub password: String,
}

#[derive(cynic::QueryVariables)]
pub struct OpenVariables {
    input: SessionOpenInput,
}

#[derive(QueryFragment)]
pub struct SessionOpenPayload {
    session: Option<SignedIn>,
    errors: Vec<IdentityUserError>,
}

#[derive(QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "OpenVariables")]
struct Open {
    #[arguments(input: $input)]
    session_open: SessionOpenPayload,
}

#[derive(QueryFragment)]
pub struct SessionRefreshPayload {
    session: Option<SignedIn>,
}

#[derive(QueryFragment)]
#[cynic(graphql_type = "Mutation")]
struct Refresh {
    session_refresh: SessionRefreshPayload,
}

#[derive(cynic::InputObject)]
pub struct SessionCloseInput {
    everywhere: Option<bool>,
}

#[derive(cynic::QueryVariables)]
pub struct CloseVariables {
    input: SessionCloseInput,
}

#[derive(QueryFragment)]
pub struct SessionClosePayload {
    #[allow(dead_code, reason = "asked for, because a payload needs a field")]
    done: bool,
}

#[derive(QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "CloseVariables")]
struct Close {
    #[arguments(input: $input)]
    #[allow(dead_code, reason = "only whether it was answered counts")]
    session_close: SessionClosePayload,
}

thread_local! {
    /// Outside the reactive graph, for what runs without an owner.
    static NOW: RefCell<Option<SignedIn>> = const { RefCell::new(None) };
    static SHOWN: RefCell<Option<RwSignal<Option<Party>>>> = const { RefCell::new(None) };
    static SETTLED: RefCell<Option<RwSignal<bool>>> = const { RefCell::new(None) };
}

/// Remembers that this browser has signed in, so that a first visit asks for no session. No secret.
const HINT: &str = "counterfoil.signed-in";

fn hint(set: Option<bool>) -> bool {
    let Ok(Some(storage)) = window().local_storage() else { return false };
    match set {
        Some(true) => storage.set_item(HINT, "1").is_ok(),
        Some(false) => storage.remove_item(HINT).is_ok(),
        None => storage.get_item(HINT).ok().flatten().is_some(),
    }
}

/// Makes the session known to the app, and takes up the one the browser still has.
pub fn provide() {
    let shown = RwSignal::new(None::<Party>);
    SHOWN.set(Some(shown));
    let settled = RwSignal::new(false);
    SETTLED.set(Some(settled));
    let known = hint(None);
    leptos::task::spawn_local(async move {
        if known {
            renew().await;
        }
        settled.set(true);
    });
}

/// Whether it is known by now who is signed in.
pub fn settled() -> RwSignal<bool> {
    SETTLED.with_borrow(|s| s.unwrap_or_else(|| RwSignal::new(true)))
}

/// Where somebody with these roles begins.
pub fn front_page(roles: &[Role]) -> Page {
    if roles.contains(&Role::Investor) { Page::Overview } else { Page::Marketplace }
}

/// Who is signed in.
pub fn party() -> RwSignal<Option<Party>> {
    SHOWN.with_borrow(|s| s.unwrap_or_else(|| RwSignal::new(None)))
}

pub fn token() -> Option<String> {
    NOW.with_borrow(|n| n.as_ref().map(|s| s.access_token.clone()))
}

fn set(session: Option<SignedIn>) {
    let party = session.as_ref().map(|s| s.party.clone());
    let changed = NOW.with_borrow(|n| {
        n.as_ref().map(|s| s.party.email.clone()) != party.as_ref().map(|p| p.email.clone())
    });
    hint(Some(session.is_some()));
    NOW.set(session);
    if let Some(shown) = SHOWN.with_borrow(|s| *s) {
        shown.set(party);
    }
    if changed {
        live::session_changed();
    }
}

/// A new access token by the cookie; without one, nobody is signed in.
pub async fn renew() {
    // Not by `api::ask`, which would come back here.
    match api::ask_once(Refresh::build(())).await {
        Ok(data) => set(data.session_refresh.session),
        Err(failure) if failure.code == "OFFLINE" => {}
        Err(_) => set(None),
    }
}

/// Renews a token that has less than a minute left.
pub async fn renew_if_due() {
    let due = NOW.with_borrow(|n| {
        n.as_ref().is_some_and(|s| {
            let left = js_sys::Date::parse(&s.access_expires_at.0) as i64 - js_sys::Date::now() as i64;
            left < 60_000
        })
    });
    if due {
        renew().await;
    }
}

/// Signs in. What the person can mend comes back as a sentence.
pub async fn sign_in(email: String, password: String) -> Result<(), Failure> {
    let variables = OpenVariables { input: SessionOpenInput { email, password } };
    let payload = api::ask(Open::build(variables)).await?.session_open;
    match payload.session {
        Some(session) => {
            set(Some(session));
            Ok(())
        }
        None => {
            let error = payload.errors.into_iter().next();
            Err(error.map_or_else(Failure::unknown, |e| {
                let code = match e.code {
                    IdentityErrorCode::IdentitySessionEnded => "IDENTITY_SESSION_ENDED".into(),
                    IdentityErrorCode::Code(code) => code,
                };
                Failure { code, message: e.message }
            }))
        }
    }
}

pub async fn sign_out() {
    let variables = CloseVariables { input: SessionCloseInput { everywhere: Some(false) } };
    api::ask(Close::build(variables)).await.ok();
    set(None);
}
