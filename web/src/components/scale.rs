//! How high a chart goes: its top and its middle, as lines with their amounts.

use crate::components::amount::money;
use finance::Money;
use leptos::prelude::*;

/// Lies over the chart; whoever listens has the table.
#[component]
pub fn Scale(most: Money) -> impl IntoView {
    let half = Money::new(most.minor() / 2, most.currency());
    view! {
        <div class="scale small muted" aria-hidden="true">
            <span>{move || money(&most)}</span>
            <span>{move || money(&half)}</span>
            <span></span>
        </div>
    }
}

/// A part of a whole on a length; in integers, for it is money that is drawn.
pub fn on_length(part: i64, whole: i64, length: i64) -> i64 {
    i64::try_from(i128::from(part.max(0)) * i128::from(length) / i128::from(whole.max(1))).unwrap_or(0)
}
