//! What is looked for, kept in the address; searched when the typing pauses.

use crate::messages::Messages;
use crate::messages::t;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::query_signal_with_options;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(250);

/// The words looked for, empty when there are none, and where they are typed.
pub fn sought() -> (Memo<String>, impl Fn(fn(&Messages) -> &'static str) -> AnyView + Clone) {
    let options = NavigateOptions { replace: true, scroll: false, ..Default::default() };
    let (now, set) = query_signal_with_options::<String>("q", options);
    let words = Memo::new(move |_| now.get().unwrap_or_default());
    let timer = StoredValue::new(None::<leptos::leptos_dom::helpers::TimeoutHandle>);
    let typed = move |event: leptos::ev::Event| {
        let text = event_target_value(&event);
        let search = move || set.set(Some(text.clone()).filter(|t| !t.trim().is_empty()));
        timer.update_value(|timer| {
            if let Some(waiting) = timer.take() {
                waiting.clear();
            }
            *timer = set_timeout_with_handle(search, PAUSE).ok();
        });
    };
    let field = move |label: fn(&Messages) -> &'static str| {
        view! {
            <input type="search" name="q" class="search" autocomplete="off" aria-label=t(label) placeholder=t(label)
                prop:value=move || words.get() on:input=typed/>
        }
        .into_any()
    };
    (words, field)
}
