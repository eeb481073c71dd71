//! The two halves: what our ledger says and what the custodian says, on one card whose notched edge closes when they agree.

use leptos::prelude::*;

/// `matched` is whether they agree; `words` say so, for it is not told by colour alone.
#[component]
pub fn Halves(
    #[prop(into)] label: Signal<String>,
    left: AnyView,
    right: AnyView,
    matched: bool,
    #[prop(into)] words: Signal<String>,
) -> impl IntoView {
    view! {
        <section class="halves" class:apart=!matched aria-label=label data-matched=matched.to_string()>
            <div>{left}</div>
            <div>{right}</div>
            <svg class="seam" viewBox="0 0 14 120" preserveAspectRatio="none" aria-hidden="true">
                <path d="M7 0V22L12 28 7 34V52L2 58 7 64V82L12 88 7 94V120"/>
            </svg>
            <span class="match">{words}</span>
        </section>
    }
}
