//! What to say while something loads and when it could not be loaded.

use crate::api::Failure;
use crate::messages::{sentence, t};
use leptos::prelude::*;

/// Something went wrong: what happened, and a way to try again.
#[component]
pub fn Trouble(failure: Failure, #[prop(optional)] again: Option<Callback<()>>) -> impl IntoView {
    view! {
        <div class="notice bad" role="alert">
            <p>{move || sentence(&failure)}</p>
            {again.map(|again| view! { <button class="button" on:click=move |_| again.run(())>{t(|m| m.again)}</button> })}
        </div>
    }
}

/// Grey lines in the place of what is being loaded.
#[component]
pub fn Skeleton(#[prop(default = 4)] lines: usize) -> impl IntoView {
    view! {
        <div class="skeleton" role="status" aria-label=t(|m| m.loading)>
            {(0..lines).map(|_| view! { <div class="bone"></div> }).collect_view()}
        </div>
    }
}
