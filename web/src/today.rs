//! Which business day the platform has; it goes on while one looks.

use crate::api::{self, Date, live, schema};
use crate::session;
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::Map;
use std::cell::Cell;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
struct Today {
    business_date: Date,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    business_date: Date,
}

const CHANGES: &str =
    "subscription($after: String) { businessDateChanged(after: $after) { cursor businessDate } }";

thread_local! {
    static TODAY: Cell<Option<RwSignal<Option<String>>>> = const { Cell::new(None) };
}

/// The business date, once it is known.
pub fn today() -> RwSignal<Option<String>> {
    TODAY.get().unwrap_or_else(|| RwSignal::new(None))
}

/// Makes it known; once, around everything.
pub fn provide() {
    let today = RwSignal::new(None);
    TODAY.set(Some(today));
    leptos::task::spawn_local(async move {
        if let Ok(found) = api::ask(Today::build(())).await {
            today.try_set(Some(found.business_date.0));
        }
    });
}

/// Follows it for whoever has signed in; a visitor's page needs no socket for it.
#[component]
pub fn Following() -> impl IntoView {
    let party = session::party();
    let inside = Memo::new(move |_| party.with(Option::is_some));
    move || inside.get().then(|| view! { <Inside/> })
}

#[component]
fn Inside() -> impl IntoView {
    let today = today();
    live::follow(CHANGES, "businessDateChanged", Map::new(), move |change| {
        let Some(change) = live::read::<Change>(change) else { return };
        if today.with_untracked(|t| t.as_ref() != Some(&change.business_date.0)) {
            today.set(Some(change.business_date.0));
        }
    });
}
