//! Light or dark: the system's wish until the person says otherwise.

use crate::messages::{say, t};
use leptos::prelude::*;

const KEY: &str = "counterfoil.mode";

fn dark_now() -> bool {
    let root = document().document_element();
    match root.as_ref().and_then(|r| r.get_attribute("data-mode")).as_deref() {
        Some("dark") => true,
        Some("light") => false,
        _ => window()
            .match_media("(prefers-color-scheme: dark)")
            .ok()
            .flatten()
            .is_some_and(|query| query.matches()),
    }
}

fn choose(dark: bool) {
    let mode = if dark { "dark" } else { "light" };
    if let Some(root) = document().document_element() {
        root.set_attribute("data-mode", mode).ok();
    }
    if let Ok(Some(storage)) = window().local_storage() {
        storage.set_item(KEY, mode).ok();
    }
}

#[component]
pub fn ColourMode() -> impl IntoView {
    let (dark, set_dark) = signal(dark_now());
    let switch = move |_| {
        choose(!dark.get());
        set_dark.set(!dark.get());
    };
    view! {
        <button class="button quiet" on:click=switch aria-pressed=move || dark.get().to_string() title=t(|m| m.switch_colours)
            aria-label=move || format!("{}: {}", say().switch_colours, if dark.get() { say().dark } else { say().light })>
            <svg class="mode" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16Z"/></svg>
        </button>
    }
}
