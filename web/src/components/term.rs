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
            {t(label)} "\u{a0}"
            <button type="button" class="help" popovertarget=id.clone() aria-label=move || (say().term.ask)(label(say()))>"?"</button>
            <span id=id popover="auto" class="meaning"><b>{t(label)}</b> <span>{move || (say().term.means)(means)}</span></span>
        </span>
    }
}
