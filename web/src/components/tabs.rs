//! What of a list is shown, kept in the address, so that it can be sent to somebody and survives a reload.

use crate::messages::{Messages, t};
use leptos::prelude::*;
use leptos_router::hooks::query_signal;

/// The first choice is the one that stands without a word in the address.
#[component]
pub fn Tabs(
    label: fn(&Messages) -> &'static str,
    choices: &'static [(&'static str, fn(&Messages) -> &'static str)],
) -> impl IntoView {
    let (shown, set_shown) = query_signal::<String>("show");
    let first = choices.first().map_or("", |(value, _)| *value);
    let tab = move |(value, name): &(&'static str, fn(&Messages) -> &'static str)| {
        let (value, name) = (*value, *name);
        let current = move || shown.get().unwrap_or_else(|| first.into()) == value;
        let choose = move |_| set_shown.set((value != first).then(|| value.to_string()));
        view! { <button class="tab" aria-pressed=move || current().to_string() on:click=choose>{t(name)}</button> }
    };
    view! { <div class="tabs" role="group" aria-label=t(label)>{choices.iter().map(tab).collect_view()}</div> }
}
