//! A whole in its parts as a ring, with the figures in a table beside it.

use crate::components::amount::{Figure, money};
use crate::components::scale::on_length;
use crate::locale::number;
use crate::messages::{Messages, t};
use finance::Money;
use leptos::prelude::*;

/// The ring's length in the drawing.
const ROUND: i64 = 1_000;
/// Between two parts.
const GAP: i64 = 6;

/// `parts` in their order, which the colours follow; what is nothing is left out.
#[component]
pub fn Ring(
    title: fn(&Messages) -> &'static str,
    parts: Vec<(Signal<String>, Money)>,
    /// The last is the darkest: where what comes later weighs more.
    #[prop(optional)]
    rising: bool,
) -> impl IntoView {
    let parts: Vec<_> = parts.into_iter().filter(|(_, m)| m.is_positive()).collect();
    let sum =
        parts.first().and_then(|(_, m)| Money::sum(m.currency(), parts.iter().map(|(_, m)| *m)).ok())?;
    let gap = if parts.len() > 1 { GAP } else { 0 };
    let mut before = 0;
    let mut rows = Vec::new();
    let mut drawn = Vec::new();
    let count = parts.len();
    for (n, (name, amount)) in parts.into_iter().enumerate() {
        let n = if rising { count - 1 - n } else { n };
        let start = on_length(before, sum.minor(), ROUND);
        before += amount.minor();
        let length = on_length(before, sum.minor(), ROUND) - start;
        let class = format!("part part-{}", n.min(5));
        // To the nearest tenth of a per cent, each by itself: whoever checks one finds it right.
        let tenths = (on_length(amount.minor(), sum.minor(), 10_000) + 5) / 10;
        let share = format!("{}.{}", tenths / 10, tenths % 10);
        drawn.push(view! {
            <circle class=class.clone() cx="60" cy="60" r="48" pathLength=ROUND
                stroke-dasharray=format!("{} {ROUND}", (length - gap).max(2)) stroke-dashoffset=-start/>
        });
        rows.push(view! {
            <tr>
                <th scope="row"><svg class="key-dot" viewBox="0 0 10 10" aria-hidden="true"><rect class=class width="10" height="10" rx="2"/></svg> {name}</th>
                <td class="numeric"><Figure amount=amount.to_decimal_string()/></td>
                <td class="numeric muted">{move || number(&share)} "\u{a0}%"</td>
            </tr>
        });
    }
    Some(view! {
        <figure class="ring">
            <svg viewBox="0 0 120 120" role="img" aria-label=t(title)>
                <g transform="rotate(-90 60 60)">{drawn}</g>
            </svg>
            <div>
                <table>
                    <caption class="small muted">{t(title)} " · " {move || money(&sum)}</caption>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </figure>
    })
}
