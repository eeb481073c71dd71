//! How far a listing is funded, and whether what is shown is live.

use crate::api::live::{Line, line};
use crate::messages::{say, t};
use leptos::prelude::*;

/// A bar that fills. `percent` is whole per cent.
#[component]
pub fn Funding(#[prop(into)] percent: Signal<u32>) -> impl IntoView {
    view! {
        <div class="fund">
            <progress max="100" value=move || percent.get().to_string() aria-label=t(|m| m.funded)>{move || percent.get()} "\u{a0}%"</progress>
            <span class="small">{move || percent.get()}"\u{a0}%"</span>
        </div>
    }
}

/// Whole per cent of a ratio like `0.457`, to the nearest; but what is not full is not shown as full.
pub fn percent(ratio: &str) -> u32 {
    let (whole, part) = ratio.split_once('.').unwrap_or((ratio, ""));
    let digits = format!("{part:0<3}");
    let whole: u32 = whole.parse().unwrap_or(0);
    let thousandths = whole * 1_000 + digits.get(..3).and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
    let full = thousandths >= 1_000;
    if full { thousandths / 10 } else { ((thousandths + 5) / 10).min(99) }
}

/// The state of the line to the platform, in words and not by colour alone.
#[component]
pub fn LineState() -> impl IntoView {
    let line = line();
    let class = move || match line.get() {
        Line::Live => "line small live",
        Line::Reconnecting => "line small broken",
        Line::Idle | Line::Connecting => "line small",
    };
    let words = move || match line.get() {
        Line::Live => say().live,
        Line::Reconnecting => say().reconnecting,
        Line::Idle | Line::Connecting => say().connecting,
    };
    view! { <span class=class role="status" data-line=move || format!("{:?}", line.get())>{words}</span> }
}
