//! The marketplace: what is offered, filling as one looks.

pub mod query;

use crate::api::live;
use crate::api::{self, Failure};
use crate::components::amount::{Figure, text};
use crate::components::funding::{Funding, LineState, percent};
use crate::components::notice::{Skeleton, Trouble};
use crate::components::search::sought;
use crate::components::tabs::Tabs;
use crate::locale::{date, number};
use crate::messages::{Messages, say, t, title};
use crate::page::Page;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;
use query::*;
use serde_json::Map;

/// What of it can be shown.
const CHOICES: &[(&str, fn(&Messages) -> &'static str)] = &[
    ("open", |m| m.market.open),
    ("filled", |m| m.market.filled),
    ("paid-out", |m| m.market.paid_out),
    ("all", |m| m.market.all),
];

/// A row whose figures change in place.
#[derive(Clone)]
struct Shown {
    id: String,
    row: RwSignal<Row>,
}

fn shown(row: Row) -> Shown {
    Shown { id: row.id.inner().to_string(), row: RwSignal::new(row) }
}

/// The filter as it stands in the address.
fn wanted(filter: Option<&str>) -> Option<ListingStatus> {
    match filter {
        Some("all") => None,
        Some("filled") => Some(ListingStatus::Filled),
        Some("paid-out") => Some(ListingStatus::Disbursed),
        _ => Some(ListingStatus::Open),
    }
}

#[component]
pub fn Marketplace() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    let (words, field) = sought();
    let rows = RwSignal::new(None::<Result<Vec<Shown>, Failure>>);
    let more = RwSignal::new(None::<String>);
    let load = move |after: Option<String>| {
        let status = wanted(filter.get_untracked().as_deref());
        let text = words.get_untracked();
        if after.is_none() {
            rows.set(None);
        }
        leptos::task::spawn_local(async move {
            let variables =
                MarketVariables { status, currency: None, text: Some(text.clone()), after: after.clone() };
            let found = api::ask(Market::build(variables)).await;
            // Meanwhile the person may have chosen another filter.
            if status != wanted(filter.get_untracked().as_deref()) || text != words.get_untracked() {
                return;
            }
            match found {
                Err(failure) => rows.set(Some(Err(failure))),
                Ok(market) => {
                    let info = market.listings.page_info;
                    more.set(info.end_cursor.filter(|_| info.has_next_page));
                    let next = market.listings.nodes.into_iter().map(shown);
                    rows.update(|rows| match rows {
                        Some(Ok(old)) if after.is_some() => old.extend(next),
                        _ => *rows = Some(Ok(next.collect())),
                    });
                }
            }
        });
    };
    Effect::new(move |_| {
        filter.track();
        words.track();
        load(None);
    });
    live::follow(CHANGES, "listingChanged", Map::new(), move |change| {
        let Ok(Change { listing }) = serde_json::from_value(change) else { return };
        let status = wanted(filter.get_untracked().as_deref());
        let text = words.get_untracked().trim().to_lowercase();
        let fits =
            status.is_none_or(|s| s == listing.status) && listing.purpose.to_lowercase().contains(&text);
        rows.update(|rows| {
            let Some(Ok(rows)) = rows else { return };
            match rows.iter().find(|r| r.id == listing.id.inner()) {
                // It stays in its place, with its new mark, until the page is loaded anew: rows do not run away.
                Some(row) => row.row.set(listing),
                None if fits => rows.insert(0, shown(listing)),
                None => {}
            }
        });
    });
    view! {
        <Title text=title(|m| m.marketplace)/>
        <div class="spread">
            <h1>{t(|m| m.marketplace)}</h1>
            <LineState/>
        </div>
        <div class="spread">
            <Tabs label=|m| m.market.which choices=CHOICES/>
            {field(|m| m.market.search)}
        </div>
        {move || match rows.get() {
            None => view! { <div class="card"><Skeleton lines=8/></div> }.into_any(),
            Some(Err(failure)) => view! { <Trouble failure again=Callback::new(move |()| load(None))/> }.into_any(),
            Some(Ok(found)) if found.is_empty() => view! {
                <div class="card stack empty">
                    <h2>{t(|m| m.market.nothing)}</h2>
                    <p class="muted">{t(|m| m.market.by_themselves)}</p>
                </div>
            }
            .into_any(),
            Some(Ok(found)) => view! {
                <div class="card flush">
                    <table class="listings">
                        <thead>
                            <tr>
                                <th>{t(|m| m.market.purpose)}</th>
                                <th class="numeric">{t(|m| m.rate_a_year)}</th>
                                <th class="numeric">{t(|m| m.months)}</th>
                                <th class="numeric">{t(|m| m.amount)}</th>
                                <th class="numeric">{t(|m| m.market.pays_monthly)}</th>
                                <th>{t(|m| m.funded)}</th>
                                <th>{t(|m| m.market.until)}</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || found.clone() key=|r| r.id.clone() let(r)>
                                <Line r/>
                            </For>
                        </tbody>
                    </table>
                </div>
                {move || more.get().map(|after| view! {
                    <button class="button" on:click=move |_| load(Some(after.clone()))>{t(|m| m.market.more)}</button>
                })}
            }
            .into_any(),
        }}
    }
}

#[component]
fn Line(r: Shown) -> impl IntoView {
    let row = r.row;
    let href = Page::Listing(r.id.clone()).path();
    view! {
        <tr data-listing=r.id.clone()>
            <td class="lead-cell">
                <A href=href>{move || row.with(|r| r.purpose.clone())}</A>
                {move || {
                    let status = row.with(|r| r.status);
                    (status != ListingStatus::Open).then(|| view! { <span class=status.mark()>{move || (say().listing_status)(status)}</span> })
                }}
            </td>
            <td class="numeric" data-label=t(|m| m.rate_a_year)>{move || number(&row.with(|r| r.rate.percent()))}" %"</td>
            <td class="numeric" data-label=t(|m| m.months)>{move || row.with(|r| r.term_months)}</td>
            <td class="numeric" data-label=t(|m| m.amount)>{move || row.with(|r| text(&r.amount))}</td>
            <td class="numeric" data-label=t(|m| m.market.pays_monthly)>{move || view! { <Figure amount=row.with(|r| r.instalment.amount.0.clone())/> }}</td>
            <td class="wide" data-label=t(|m| m.funded)><Funding percent=Signal::derive(move || row.with(|r| percent(&r.progress.0)))/></td>
            <td data-label=t(|m| m.market.until)>{move || date(&row.with(|r| r.expires_on.0.clone()))}</td>
        </tr>
    }
}
