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
    let inside = Memo::new(move |_| party.with(Option::is_some));
    view! {
        {move || if inside.get() {
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
