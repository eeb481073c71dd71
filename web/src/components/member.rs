//! Pages for those who have signed in.

use crate::messages::t;
use crate::page::Page;
use crate::session;
use leptos::prelude::*;
use leptos_router::components::A;

/// Shows its children to whoever has signed in, and to others the way in. While the browser's session is being taken up
/// it shows neither.
#[component]
pub fn Members(children: ChildrenFn) -> impl IntoView {
    let (party, settled) = (session::party(), session::settled());
    // Somebody else, signed in by another tab, finds a page of their own.
    let inside = Memo::new(move |_| party.with(|p| p.as_ref().map(|p| p.email.clone())));
    view! {
        {move || if inside.get().is_some() {
            children().into_any()
        } else if settled.get() {
            view! {
                <div class="card stack empty">
                    <h1>{t(|m| m.members_only)}</h1>
                    <p><A attr:class="button primary" href=Page::SignIn.path()>{t(|m| m.sign_in)}</A></p>
                </div>
            }
            .into_any()
        } else {
            ().into_any()
        }}
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
                view! { <div class="card stack empty"><h1>{t(|m| m.staff_only)}</h1><p class="muted">{t(|m| m.staff_only_why)}</p></div> }.into_any()
            }}
        </Members>
    }
}
