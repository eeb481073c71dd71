//! A portfolio as pictures: at which rates the money is lent, and how it comes back.

use super::query::{Note, Sum};
use crate::api::Money;
use crate::components::amount::Figure;
use crate::components::area::{Area, Point};
use crate::components::ring::Ring;
use crate::locale::{date, number};
use crate::messages::t;
use crate::pages::investor::overview::query::ExpectedCash;
use finance::Rate;
use leptos::prelude::*;

/// Where a band of rates begins, in per cent.
const BANDS: [u32; 5] = [0, 6, 9, 12, 15];

fn band(rate: Rate) -> usize {
    BANDS.iter().rposition(|from| rate.ppm() >= from * 10_000).unwrap_or(0)
}

/// What is still out, by the rate at which it was lent.
fn by_rate(notes: &[Note], currency: &str) -> Vec<(usize, finance::Money)> {
    let mut sums: Vec<(usize, finance::Money)> = Vec::new();
    for note in notes.iter().filter(|n| n.outstanding.currency.0 == currency) {
        let found = note.loan.as_ref().and_then(|l| l.rate.rate()).zip(note.outstanding.exact());
        let Some((rate, amount)) = found else { continue };
        let band = band(rate);
        match sums.iter_mut().find(|(b, _)| *b == band) {
            Some((_, sum)) => *sum = sum.plus(amount).unwrap_or(*sum),
            None => sums.push((band, amount)),
        }
    }
    sums.sort_by_key(|(band, _)| *band);
    sums
}

/// What will have come back by the end of each month.
fn come_back(ahead: &[ExpectedCash]) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for e in ahead {
        let part = e.principal.exact().zip(e.interest.exact());
        let Some(part) = part.and_then(|(p, i)| p.plus(i).ok()) else { continue };
        let month = format!("{}-01", e.due_on.0.get(..7).unwrap_or_default());
        let before = points.last().map(|p| p.amount);
        let sum = before.map_or(Some(part), |b| b.plus(part).ok()).unwrap_or(part);
        match points.last_mut().filter(|p| p.on == month) {
            Some(point) => point.amount = sum,
            None => points.push(Point { on: month, amount: sum }),
        }
    }
    points
}

#[component]
pub fn Pictures(sum: Sum, notes: Vec<Note>, today: String) -> impl IntoView {
    let currency = sum.invested.currency.0.clone();
    let ahead: Vec<ExpectedCash> = sum.expected.into_iter().filter(|e| e.due_on.0 >= today).collect();
    let points = come_back(&ahead);
    let parts = by_rate(&notes, &currency).into_iter().map(|(band, amount)| {
        let name = Signal::derive(move || match BANDS.get(band + 1) {
            Some(to) => format!("{} – {}\u{a0}%", number(&BANDS[band].to_string()), number(&to.to_string())),
            None => format!("≥ {}\u{a0}%", number(&BANDS[band].to_string())),
        });
        (name, amount)
    });
    let parts: Vec<_> = parts.collect();
    (!points.is_empty() || !parts.is_empty()).then(|| view! {
        <section class="card columns two even" data-pictures=currency aria-label=t(|m| m.portfolio.pictures)>
            <Ring title=|m| m.portfolio.by_rate parts rising=true/>
            <div class="stack">
                <Area title=|m| m.portfolio.come_back points/>
                <p class="small muted">{t(|m| m.portfolio.as_planned)}</p>
                <Calendar ahead/>
            </div>
        </section>
    })
}

/// What comes on which day.
#[component]
fn Calendar(ahead: Vec<ExpectedCash>) -> impl IntoView {
    let figure = |m: &Money| view! { <Figure amount=m.amount.0.clone()/> };
    (!ahead.is_empty()).then(|| view! {
        <details data-calendar="">
            <summary class="small">{t(|m| m.portfolio.calendar)}</summary>
            <div class="scroll short" tabindex="0" role="region" aria-label=t(|m| m.portfolio.calendar)>
            <table>
                <thead><tr><th>{t(|m| m.portfolio.on)}</th><th class="numeric">{t(|m| m.principal)}</th><th class="numeric">{t(|m| m.interest)}</th><th class="numeric">{t(|m| m.total)}</th></tr></thead>
                <tbody>
                    {ahead.into_iter().map(|e| {
                        let on = e.due_on.0;
                        let sum = e.principal.exact().zip(e.interest.exact()).and_then(|(a, b)| a.plus(b).ok());
                        view! {
                            <tr>
                                <td>{move || date(&on)}</td>
                                <td class="numeric">{figure(&e.principal)}</td>
                                <td class="numeric">{figure(&e.interest)}</td>
                                <td class="numeric">{sum.map(|s| view! { <Figure amount=s.to_decimal_string()/> })}</td>
                            </tr>
                        }
                    }).collect_view()}
                </tbody>
            </table>
            </div>
        </details>
    })
}
