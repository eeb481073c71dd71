//! Bars of two parts each, one above the other, with the figures in a table beside for whoever would rather read.

use crate::components::amount::{Figure, money};
use crate::components::scale::{Scale, on_length, top};
use crate::locale::month;
use crate::messages::{Messages, say, t};
use finance::Money;
use leptos::prelude::*;

/// One bar: a month by its first day, and its lower and upper part.
#[derive(Clone, PartialEq, Debug)]
pub struct Bar {
    pub label: String,
    pub parts: [Money; 2],
}

impl Bar {
    fn sum(&self) -> i64 {
        self.parts.iter().map(|m| m.minor().max(0)).sum()
    }
}

const WIDTH: i64 = 600;
const HEIGHT: i64 = 120;

/// `names` are those of the two parts.
#[component]
pub fn Bars(bars: Vec<Bar>, names: [fn(&Messages) -> &'static str; 2]) -> impl IntoView {
    let sum = bars.iter().map(Bar::sum).max().unwrap_or(0);
    let scale = bars.first().map(|b| top(Money::new(sum, b.parts[0].currency())));
    let most = scale.map_or(1, |s| s.minor());
    let slot = WIDTH / i64::try_from(bars.len()).unwrap_or(1).max(1);
    let high = |minor: i64| on_length(minor, most, HEIGHT);
    let drawn = bars
        .iter()
        .enumerate()
        .map(|(n, bar)| {
            // In the middle of its slot, above its name.
            let x = i64::try_from(n).unwrap_or(0) * slot + (slot - (slot - 6).clamp(2, 44)) / 2;
            let (low, up) = (high(bar.parts[0].minor()), high(bar.parts[1].minor()));
            let width = (slot - 6).clamp(2, 44);
            view! {
                <rect class="growth" x=x y=HEIGHT - low width=width height=low rx="2"/>
                <rect class="waiting" x=x y=HEIGHT - low - up width=width height=up rx="2"/>
            }
        })
        .collect_view();
    let (first, last) = (bars.first().cloned(), bars.last().cloned());
    // A name for each where there is room, else for the first, the last and some between.
    let every = bars.len().div_ceil(4);
    let names_below: Vec<Option<String>> = bars
        .iter()
        .enumerate()
        .map(|(n, b)| (n.is_multiple_of(every.max(1))).then(|| b.label.clone()))
        .collect();
    let summary = move || {
        let ends = (first.as_ref(), last.as_ref());
        let (Some(first), Some(last)) = ends else { return String::new() };
        let sum = |b: &Bar| b.parts[0].plus(b.parts[1]).map_or_else(|_| "—".into(), |m| money(&m));
        (say().bars)(&month(&first.label), &sum(first), &month(&last.label), &sum(last))
    };
    view! {
        <figure class="bars">
            <div class="plot">
                {scale.map(|most| view! { <Scale most/> })}
                <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=summary preserveAspectRatio="none">{drawn}</svg>
            </div>
            <p class="below small muted" aria-hidden="true">
                {names_below.into_iter().enumerate().map(|(n, label)| view! { <span class:between=n % (2 * every.max(1)) != 0>{move || label.as_ref().map(|l| month(l))}</span> }).collect_view()}
            </p>
            <figcaption class="small">
                <span class="key growth"></span> {t(names[0])} " " <span class="key waiting"></span> {t(names[1])}
            </figcaption>
            <details>
                <summary class="small">{t(|m| m.as_table)}</summary>
                <table>
                    <thead><tr><th>{t(|m| m.month)}</th><th class="numeric">{t(names[0])}</th><th class="numeric">{t(names[1])}</th></tr></thead>
                    <tbody>
                        {bars.into_iter().map(|b| view! {
                            <tr>
                                <td>{move || month(&b.label)}</td>
                                <td class="numeric"><Figure amount=b.parts[0].to_decimal_string()/></td>
                                <td class="numeric"><Figure amount=b.parts[1].to_decimal_string()/></td>
                            </tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </details>
        </figure>
    }
}
