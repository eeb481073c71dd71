//! What only a demo has.

use crate::api;
use crate::messages::t;
use crate::page::Page;
use crate::pages::public::sign_in::query::Accounts;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::components::A;

/// The way to the mail that a demo keeps; nothing elsewhere.
#[component]
pub fn DemoMailbox() -> impl IntoView {
    let demo = RwSignal::new(false);
    leptos::task::spawn_local(async move {
        if let Ok(found) = api::ask(Accounts::build(())).await {
            demo.try_set(!found.demo_accounts.is_empty());
        }
    });
    move || {
        demo.get().then(
            || view! { <p class="small"><A attr:class="button small quiet" href=Page::Mailbox.path()>{t(|m| m.letters.to_mailbox)}</A></p> },
        )
    }
}
