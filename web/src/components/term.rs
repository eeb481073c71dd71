//! A term of finance, with what it means a press away.

use crate::messages::{Messages, say, t};
use leptos::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};

/// The terms that are explained.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finance {
    Available,
    SetAside,
    LentOut,
    Xirr,
    Rate,
    Instalment,
    Owed,
    Fee,
    StandingConsent,
    ConsentUsed,
    MovementNumber,
    OwnersCompared,
    HashChain,
    BusinessDay,
}

/// The term as the page calls it, and a mark that opens the meaning; the browser closes it on Escape or a press elsewhere.
#[component]
pub fn Term(label: fn(&Messages) -> &'static str, means: Finance) -> impl IntoView {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = format!("term-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    view! {
        <span class="term">
            {move || halves(label(say())).0}
            <span class="nowrap">
                {move || halves(label(say())).1} "\u{a0}"
                <button type="button" class="help" popovertarget=id.clone() aria-label=move || (say().term.ask)(label(say()))>"?"</button>
            </span>
            <span id=id popover="auto" class="meaning"><b>{t(label)}</b> <span>{move || (say().term.means)(means)}</span></span>
        </span>
    }
}

/// What comes before the last word, and the last word, which the mark stays with; of a word alone its last letter.
fn halves(label: &str) -> (String, String) {
    let cut =
        label.rfind(' ').map(|i| i + 1).or_else(|| label.char_indices().last().map(|(i, _)| i)).unwrap_or(0);
    let (head, tail) = label.split_at(cut);
    (head.into(), tail.into())
}
