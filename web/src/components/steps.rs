//! Where one is in what takes several steps.

use crate::messages::{Messages, say};
use leptos::prelude::*;

/// `now` counts from one.
#[component]
pub fn Steps(names: fn(&Messages) -> &[&'static str; 3], #[prop(into)] now: Signal<usize>) -> impl IntoView {
    let current = move |n: usize| if now.get() == n { Some("step") } else { None };
    view! {
        <ol class="steps">
            {[1, 2, 3].map(|n| view! {
                <li aria-current=move || current(n) class:done=move || { now.get() > n }>
                    {move || names(say()).get(n - 1).copied()}
                </li>
            }).collect_view()}
        </ol>
    }
}
