//! How many notices are new, and the newest as it comes.

use crate::api::live;
use crate::components::toast;
use crate::messages::say;
use crate::page::Page;
use crate::pages::member::notices::query::{CHANGES, Change};
use crate::pages::member::notices::whole;
use crate::session;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::use_location;
use serde_json::Map;

/// For whoever has signed in.
#[component]
pub fn Bell() -> impl IntoView {
    let party = session::party();
    let who = Memo::new(move |_| party.with(|p| p.as_ref().map(|p| p.email.clone())));
    move || who.get().map(|_| view! { <Inside/> })
}

#[component]
fn Inside() -> impl IntoView {
    let unread = RwSignal::new(0u32);
    let path = use_location().pathname;
    // Two notices at once are told of twice with the same newest one.
    let last = StoredValue::new(None::<cynic::Id>);
    live::follow(CHANGES, "noticeChanged", Map::new(), move |change| {
        let Some(change) = live::read::<Change>(change) else { return };
        unread.set(change.notice_box.unread);
        // Whoever looks at all of them sees it there.
        if let Some(newest) = change.newest
            && path.get_untracked() != Page::Notices.path()
            // Nor is whoever looks at a task told what they see.
            && !(matches!(newest.page(), Page::Task(_)) && path.get_untracked() == newest.page().path())
            // Nor whoever changes their account's safety at this moment: the page says what it did.
            && !(newest.page() == Page::Account && path.get_untracked() == Page::Account.path())
            && last.with_value(|l| l.as_ref() != Some(&newest.id))
        {
            last.set_value(Some(newest.id.clone()));
            let page = newest.page();
            toast::show(move || whole(&newest), Some(page));
        }
    });
    let label = move || (say().notices.bell)(unread.get());
    view! {
        <A attr:class="bell" href=Page::Notices.path() attr:aria-label=label attr:data-unread=move || unread.get().to_string()>
            <svg viewBox="0 0 20 20" aria-hidden="true"><path d="M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5-1.5 5h12s-1.5-1-1.5-5A4.5 4.5 0 0 0 10 3zM8.4 15.5a1.7 1.7 0 0 0 3.2 0"/></svg>
            {move || Some(unread.get()).filter(|n| *n > 0).map(|n| view! { <span class="count" aria-hidden="true">{if n > 99 { "99+".to_string() } else { n.to_string() }}</span> })}
        </A>
    }
}
