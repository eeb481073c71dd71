//! How an amount goes on from month to month, as an area, with the figures in a table beside it.

use crate::components::amount::{Figure, money};
use crate::components::scale::{Scale, on_length, top};
use crate::locale::month;
use crate::messages::{Messages, say, t};
use finance::Money;
use leptos::prelude::*;

/// A month by a day of it, and how much it is by then.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    pub on: String,
    pub amount: Money,
}

const WIDTH: i64 = 600;
const HEIGHT: i64 = 120;

#[component]
pub fn Area(title: fn(&Messages) -> &'static str, points: Vec<Point>) -> impl IntoView {
    if points.len() < 2 {
        return None;
    }
    let most = top(points.iter().max_by_key(|p| p.amount.minor()).map(|p| p.amount)?);
    let (first, last) = (points.first().cloned()?, points.last().cloned()?);
    let steps = i64::try_from(points.len()).unwrap_or(1).max(2) - 1;
    let place = |(n, p): (usize, &Point)| {
        let x = i64::try_from(n).unwrap_or(0) * WIDTH / steps;
        format!("{x} {}", HEIGHT - on_length(p.amount.minor(), most.minor(), HEIGHT))
    };
    let line: Vec<String> = points.iter().enumerate().map(place).collect();
    let line = line.join(" L");
    let summary = {
        let (first, last) = (first.clone(), last.clone());
        move || (say().bars)(&month(&first.on), &money(&first.amount), &month(&last.on), &money(&last.amount))
    };
    Some(view! {
        <figure class="bars">
            <figcaption><b class="small">{t(title)}</b></figcaption>
            <div class="plot">
                <Scale most/>
                <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") role="img" aria-label=summary preserveAspectRatio="none">
                    <path class="area" d=format!("M{line} L{WIDTH} {HEIGHT} L0 {HEIGHT} Z")/>
                    <path class="edge" d=format!("M{line}")/>
                </svg>
            </div>
            <p class="below ends small muted" aria-hidden="true"><span>{move || month(&first.on)}</span> <span>{move || month(&last.on)}</span></p>
            <details>
                <summary class="small">{t(|m| m.as_table)}</summary>
                <table>
                    <thead><tr><th>{t(|m| m.month)}</th><th class="numeric">{t(|m| m.amount)}</th></tr></thead>
                    <tbody>
                        {points.into_iter().map(|p| view! {
                            <tr><td>{move || month(&p.on)}</td><td class="numeric"><Figure amount=p.amount.to_decimal_string()/></td></tr>
                        }).collect_view()}
                    </tbody>
                </table>
            </details>
        </figure>
    })
}
