//! How many tasks wait for whoever looks, beside the way to the queue; on every page of the staff, as it changes.

use crate::api::{self, live};
use crate::messages::{QueuePage, Words};
use crate::pages::staff::people::Changes;
use crate::pages::staff::queue::query::Unrated;
use crate::session::{self, Role};
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use serde::Deserialize;
use serde_json::Map;
use std::collections::BTreeSet;

/// Begins with all that are open.
const CHANGES: &str =
    "subscription($after: String) { taskChanged(after: $after) { cursor task { id waitsForMe } } }";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    id: String,
    waits_for_me: bool,
}

#[derive(Deserialize)]
struct Change {
    task: Task,
}

/// For whoever has signed in: what waits for one does not wait for another.
#[component]
pub fn Waiting() -> impl IntoView {
    let party = session::party();
    let who = Memo::new(move |_| party.with(|p| p.as_ref().map(|p| p.email.clone())));
    move || who.get().map(|_| view! { <Inside/> })
}

#[component]
fn Inside() -> impl IntoView {
    let waiting = RwSignal::new(BTreeSet::<String>::new());
    live::follow(CHANGES, "taskChanged", Map::new(), move |change| {
        let Some(Change { task }) = live::read(change) else { return };
        waiting.update(|all| {
            if task.waits_for_me {
                all.insert(task.id);
            } else {
                all.remove(&task.id);
            }
        });
    });
    // An application that nobody has looked at is announced to nobody yet.
    let unrated = RwSignal::new(0usize);
    if session::has_any(&[Role::CreditOfficer]) {
        let look = move || {
            leptos::task::spawn_local(async move {
                if let Ok(found) = api::ask(Unrated::build(())).await {
                    unrated.try_set(found.applications.nodes.len());
                }
            });
        };
        look();
        Effect::new(move |before: Option<()>| {
            waiting.track();
            if before.is_some() {
                look();
            }
        });
        if let Ok(timer) = set_interval_with_handle(look, std::time::Duration::from_secs(15)) {
            on_cleanup(move || timer.clear());
        }
    }
    count(Signal::derive(move || waiting.with(BTreeSet::len) + unrated.get()))
}

/// Nothing where nothing waits.
fn count(of: Signal<usize>) -> impl IntoView {
    move || {
        Some(of.get()).filter(|n| *n > 0).map(|n| {
            view! {
                <span class="count" aria-hidden="true" data-waiting=n.to_string()>{n}</span>
                <span class="visually-hidden">" (" {move || (QueuePage::say().for_you)(n)} ")"</span>
            }
        })
    }
}

/// How many changes of rights wait for whoever looks. Nothing announces them; they are looked at every now and then.
#[component]
pub fn Proposed() -> impl IntoView {
    let proposed = RwSignal::new(0usize);
    let look = move || {
        leptos::task::spawn_local(async move {
            if let Ok(found) = api::ask(Changes::build(())).await {
                proposed.try_set(found.changes.iter().filter(|c| !c.proposed_by_me).count());
            }
        });
    };
    look();
    let place = use_location().pathname;
    Effect::new(move |before: Option<()>| {
        place.track();
        if before.is_some() {
            look();
        }
    });
    if let Ok(timer) = set_interval_with_handle(look, std::time::Duration::from_secs(5)) {
        on_cleanup(move || timer.clear());
    }
    count(proposed.into())
}
