//! Pages for those who have signed in.

use crate::api::command;
use crate::components::demo::DemoMailbox;
use crate::components::form::Form;
use crate::components::notice::Trouble;
use crate::messages::{graphql_language, say, t};
use crate::page::Page;
use crate::session;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;
use serde_json::{Value, json};

const LETTER: &str =
    "mutation($input: EmailLetterInput!) { emailLetter(input: $input) { done errors { code message } } }";

/// Shows its children to whoever has signed in, and to others the way in. While the browser's session is being taken up
/// it shows neither.
#[component]
pub fn Members(children: ChildrenFn) -> impl IntoView {
    let (party, settled) = (session::party(), session::settled());
    let place = use_location().pathname;
    let way_in =
        move || Page::at(&place.get()).map_or_else(|| Page::SignIn.path(), |page| page.sign_in_first());
    // Somebody else, signed in by another tab, finds a page of their own.
    let inside = Memo::new(move |_| party.with(|p| p.as_ref().map(|p| p.email.clone())));
    view! {
        {move || if inside.get().is_some() {
            view! { <Unconfirmed/> {children()} }.into_any()
        } else if settled.get() {
            view! {
                <div class="card stack empty">
                    <h1>{t(|m| m.members_only)}</h1>
                    <p><A attr:class="button primary" href=way_in>{t(|m| m.sign_in)}</A></p>
                </div>
            }
            .into_any()
        } else {
            ().into_any()
        }}
    }
}

/// Says that a letter waits for its reader, until it has been opened.
#[component]
fn Unconfirmed() -> impl IntoView {
    let party = session::party();
    let email = Memo::new(move |_| {
        party.with(|p| p.as_ref().filter(|p| !p.email_confirmed).map(|p| p.email.clone()))
    });
    // It may have been opened in another window: whoever comes back to this one sees it.
    let seen = window_event_listener(leptos::ev::focus, move |_| {
        if email.get_untracked().is_some() {
            leptos::task::spawn_local(session::renew());
        }
    });
    on_cleanup(move || seen.remove());
    let form = Form::new("letter");
    let sent = RwSignal::new(false);
    let again = move |_| {
        let input = json!({ "language": graphql_language() });
        form.send(command::send::<Value>(LETTER, input), move |_| sent.set(true));
    };
    // Not above a form that goes step by step: there it only stands in the way.
    let place = use_location().pathname;
    move || {
        email.get().filter(|_| place.get() != Page::Borrow.path()).map(|email| view! {
            <section class="notice unconfirmed" aria-label=t(|m| m.letters.confirm)>
                <p>{move || (say().letters.unconfirmed)(&email)}</p>
                <div class="row">
                    {move || if sent.get() {
                        view! { <span class="small" role="status">{t(|m| m.letters.sent)}</span> }.into_any()
                    } else {
                        view! { <button class="button small" disabled=form.busy on:click=again>{t(|m| m.letters.send_again)}</button> }.into_any()
                    }}
                    <DemoMailbox/>
                </div>
                {move || form.error.get().map(|failure| view! { <Trouble failure/> })}
            </section>
        })
    }
}

/// As [`Members`], for the staff; whoever is not is told so.
#[component]
pub fn Staff(children: ChildrenFn) -> impl IntoView {
    let party = session::party();
    let staff =
        Memo::new(move |_| party.with(|p| p.as_ref().is_some_and(|p| p.roles.iter().any(|r| r.is_staff()))));
    let children = StoredValue::new(children);
    view! {
        <Members>
            {move || if staff.get() {
                children.with_value(|c| c()).into_any()
            } else {
                view! { <div class="card stack empty"><h1>{t(|m| m.staff_only)}</h1><p class="muted">{t(|m| m.staff_only_why)}</p><p><a class="button" href=Page::Home.path()>{t(|m| m.not_found.begin)}</a></p></div> }.into_any()
            }}
        </Members>
    }
}
