//! Who is signed in. The access token lives in memory only; the refresh token is a cookie that no script can read.

use crate::api::{self, DateTime, Failure, command, live, schema};
use crate::components::toast;
use crate::draft;
use crate::locale;
use crate::messages::{Language, say};
use crate::page::Page;
use cynic::{MutationBuilder, QueryFragment};
use leptos::prelude::*;
use serde_json::json;
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

impl Role {
    /// As the API writes it.
    pub fn of_code(code: &str) -> Option<Role> {
        Some(match code {
            "BORROWER" => Role::Borrower,
            "INVESTOR" => Role::Investor,
            "CREDIT_OFFICER" => Role::CreditOfficer,
            "CREDIT_SUPERVISOR" => Role::CreditSupervisor,
            "OPERATIONS" => Role::Operations,
            "AUDITOR" => Role::Auditor,
            "ADMINISTRATOR" => Role::Administrator,
            _ => return None,
        })
    }

    pub fn is_staff(self) -> bool {
        !matches!(self, Role::Borrower | Role::Investor)
    }
}

#[derive(QueryFragment, Clone, PartialEq, Eq, Debug)]
pub struct Party {
    pub name: String,
    pub email: String,
    pub roles: Vec<Role>,
    pub email_confirmed: bool,
}

#[derive(QueryFragment, Clone, Debug)]
pub struct SignedIn {
    pub access_token: String,
    pub access_expires_at: DateTime,
    pub party: Party,
}

const OPEN: &str = "mutation($input: SessionOpenInput!) { sessionOpen(input: $input) { \
    session { accessToken accessExpiresAt party { name email roles emailConfirmed } } errors { code message } } }";
const CLOSE: &str =
    "mutation($input: SessionCloseInput!) { sessionClose(input: $input) { done errors { code message } } }";

const LANGUAGE: &str = "mutation($input: LanguageChooseInput!) { languageChoose(input: $input) { done errors { code message } } }";

#[derive(QueryFragment)]
pub struct SessionRefreshPayload {
    session: Option<SignedIn>,
}

#[derive(QueryFragment)]
#[cynic(graphql_type = "Mutation")]
struct Refresh {
    session_refresh: SessionRefreshPayload,
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
    if roles.iter().any(|r| r.is_staff()) {
        Page::Queue
    } else if roles.contains(&Role::Investor) {
        Page::Overview
    } else {
        Page::Loans
    }
}

/// Whether who is signed in has one of some roles.
pub fn has_any(roles: &[Role]) -> bool {
    party().with_untracked(|p| p.as_ref().is_some_and(|p| p.roles.iter().any(|r| roles.contains(r))))
}

/// Whether who is signed in works here.
pub fn is_staff() -> bool {
    party().with(|p| p.as_ref().is_some_and(|p| p.roles.iter().any(|r| r.is_staff())))
}

/// Who is signed in.
pub fn party() -> RwSignal<Option<Party>> {
    SHOWN.with_borrow(|s| s.unwrap_or_else(|| RwSignal::new(None)))
}

pub fn email() -> Option<String> {
    NOW.with_borrow(|n| n.as_ref().map(|s| s.party.email.clone()))
}

/// What the server has heard from a letter's reader.
pub fn email_was_confirmed() {
    NOW.with_borrow_mut(|n| {
        if let Some(session) = n {
            session.party.email_confirmed = true;
        }
    });
    if let Some(shown) = SHOWN.with_borrow(|s| *s) {
        shown.update(|party| {
            if let Some(party) = party {
                party.email_confirmed = true;
            }
        });
    }
}

pub fn token() -> Option<String> {
    NOW.with_borrow(|n| n.as_ref().map(|s| s.access_token.clone()))
}

fn set(session: Option<SignedIn>) {
    let party = session.as_ref().map(|s| s.party.clone());
    let changed = email() != party.as_ref().map(|p| p.email.clone());
    if changed && email().is_some() {
        // What one person typed is not the next one's.
        draft::forget_all();
    }
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

/// The server says that the session has ended: whoever looks is told at once, and sees nothing of it any more.
pub async fn ended() {
    let had = token().is_some();
    renew().await;
    if had && token().is_none() {
        toast::show(|| say().signed_out_elsewhere.into(), None);
    }
}

/// Renews a token that has less than a minute left.
pub async fn renew_if_due() {
    let due = NOW.with_borrow(|n| {
        n.as_ref().is_some_and(|s| locale::parsed(&s.access_expires_at.0) - locale::now() < 60_000)
    });
    if due {
        renew().await;
    }
}

/// Signs in; whoever has a second factor is asked for a code. What the person can mend comes back as a failure with its sentence.
///
/// # Errors
/// When the address and the password do not belong together, or nobody answers.
pub async fn sign_in(email: String, password: String, code: Option<String>) -> Result<(), Failure> {
    let input = json!({ "email": email, "password": password, "code": code });
    set(Some(command::send(OPEN, input).await?));
    Ok(())
}

/// From now on letters and notices come in this language.
pub fn write_in(language: Language) {
    if token().is_some() {
        leptos::task::spawn_local(async move {
            let input = json!({ "language": language.graphql() });
            command::send::<bool>(LANGUAGE, input).await.ok();
        });
    }
}

/// Ends one other session.
///
/// # Errors
/// When nobody answers: then it still stands.
pub async fn sign_out_there(session: &cynic::Id) -> Result<(), Failure> {
    command::send::<bool>(CLOSE, json!({ "session": session })).await.map(drop)
}

/// Ends every session, this one too.
///
/// # Errors
/// When nobody answers: then they all still stand.
pub async fn sign_out_everywhere() -> Result<(), Failure> {
    command::send::<bool>(CLOSE, json!({ "everywhere": true })).await?;
    set(None);
    Ok(())
}

pub async fn sign_out() {
    command::send::<bool>(CLOSE, json!({ "everywhere": false })).await.ok();
    set(None);
}
