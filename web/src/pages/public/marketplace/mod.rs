//! The marketplace: what is offered, filling as one looks.

pub mod query;

use crate::api::live;
use crate::api::{self, Currency, Decimal};
use crate::components::amount::text;
use crate::components::funding::{Funding, LineState, percent};
use crate::components::pages::{self, Pages, paged};
use crate::components::search::sought;
use crate::components::sort::{Pick, sorting};
use crate::components::tabs::Tabs;
use crate::locale::{date, number};
use crate::messages::{Messages, say, t, title};
use crate::page::Page;
use cynic::QueryBuilder;
use finance::Rate;
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

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        self.id == other.id && self.row.get_untracked() == other.row.get_untracked()
    }
}

fn shown(row: Row) -> Shown {
    Shown { id: row.id.inner().to_string(), row: RwSignal::new(row) }
}

/// What is wanted, as it stands in the address.
#[derive(Clone, PartialEq)]
struct Wanted {
    status: Option<ListingStatus>,
    currency: Option<String>,
    text: String,
    rate_at_least: Option<Rate>,
    months_at_most: Option<i32>,
    order: Option<ListingOrder>,
}

fn status(filter: Option<&str>) -> Option<ListingStatus> {
    match filter {
        Some("all") => None,
        Some("filled") => Some(ListingStatus::Filled),
        Some("paid-out") => Some(ListingStatus::Disbursed),
        _ => Some(ListingStatus::Open),
    }
}

fn order(text: &str) -> Option<ListingOrder> {
    let (field, direction) = match text.strip_prefix('-') {
        Some(field) => (field, OrderDirection::Desc),
        None => (text, OrderDirection::Asc),
    };
    let field = match field {
        "rate" => ListingOrderField::Rate,
        "term" => ListingOrderField::Term,
        "amount" => ListingOrderField::Amount,
        "until" => ListingOrderField::ExpiresOn,
        _ => return None,
    };
    Some(ListingOrder { field, direction })
}

impl Wanted {
    fn variables(&self, after: Option<String>) -> MarketVariables {
        MarketVariables {
            status: self.status,
            currency: self.currency.clone().map(Currency),
            text: Some(self.text.clone()),
            rate: self.rate_at_least.map(Decimal::from),
            months: self.months_at_most,
            order: self.order,
            after,
        }
    }

    /// Whether something was looked for that the tabs do not show.
    fn is_narrowed(&self) -> bool {
        !self.text.trim().is_empty()
            || self.currency.is_some()
            || self.rate_at_least.is_some()
            || self.months_at_most.is_some()
    }

    /// Whether a listing that has just appeared belongs here.
    fn fits(&self, row: &Row) -> bool {
        self.status.is_none_or(|s| s == row.status)
            && self.currency.as_ref().is_none_or(|c| *c == row.amount.currency.0)
            && row.purpose.to_lowercase().contains(&self.text.trim().to_lowercase())
            && self.rate_at_least.is_none_or(|least| row.rate.rate().is_some_and(|rate| rate >= least))
            && self.months_at_most.is_none_or(|most| row.term_months <= most)
    }

    /// Before how many of those that are shown it comes; none when it may lie on a page that is not loaded.
    fn place(&self, row: &Row, all: &[Shown], whole: bool) -> Option<usize> {
        let Some(order) = self.order else { return Some(0) };
        let own = key(row, order.field);
        let before = |other: &Shown| {
            let other = other.row.with_untracked(|r| key(r, order.field));
            if order.direction == OrderDirection::Asc { own < other } else { own > other }
        };
        all.iter().position(before).or(whole.then_some(all.len()))
    }
}

/// What listings are sorted by, of one of them.
fn key(row: &Row, field: ListingOrderField) -> (i64, String) {
    match field {
        ListingOrderField::Rate => (row.rate.rate().map_or(0, |r| r.ppm().into()), String::new()),
        ListingOrderField::Term => (row.term_months.into(), String::new()),
        ListingOrderField::Amount => (row.amount.exact().map_or(0, finance::Money::minor), String::new()),
        ListingOrderField::ExpiresOn => (0, row.expires_on.0.clone()),
        ListingOrderField::OpenedAt => (0, String::new()),
    }
}

const RATES: [u32; 4] = [5, 8, 10, 12];
const MONTHS: [u32; 4] = [6, 12, 24, 36];
const ORDERS: [(&str, fn(&Messages) -> &'static str); 8] = [
    ("-rate", |m| m.market.rate_highest),
    ("rate", |m| m.market.rate_lowest),
    ("term", |m| m.market.term_shortest),
    ("-term", |m| m.market.term_longest),
    ("amount", |m| m.market.amount_smallest),
    ("-amount", |m| m.market.amount_greatest),
    ("until", |m| m.market.ends_soonest),
    ("-until", |m| m.market.ends_latest),
];

/// "Any", and the choices.
fn choices(values: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    std::iter::once((String::new(), say().market.any.to_string())).chain(values).collect()
}

impl pages::Row for Shown {
    fn id(&self) -> String {
        self.id.clone()
    }
}

#[component]
pub fn Marketplace() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    let (currency, _) = query_signal::<String>("currency");
    let (rate, _) = query_signal::<String>("rate");
    let (months, _) = query_signal::<String>("months");
    let (words, field) = sought();
    let sorting = sorting();
    let wanted = Memo::new(move |_| Wanted {
        status: status(filter.get().as_deref()),
        currency: currency.get(),
        text: words.get(),
        rate_at_least: rate.get().and_then(|r| Rate::parse_percent(&r).ok()),
        months_at_most: months.get().and_then(|m| m.parse().ok()),
        order: sorting.get().as_deref().and_then(order),
    });
    let currencies = RwSignal::new(Vec::<String>::new());
    let pages = Pages::new(move |after| {
        let variables = wanted.get_untracked().variables(after);
        async move {
            let found = api::ask(Market::build(variables)).await?;
            let lent: Vec<String> = found.listed_currencies.into_iter().map(|c| c.0).collect();
            if currencies.try_with_untracked(|c| *c != lent) == Some(true) {
                currencies.set(lent);
            }
            Ok(paged(found.listings.nodes.into_iter().map(shown).collect(), found.listings.page_info))
        }
    })
    .following(move || wanted.get());
    live::follow(CHANGES, "listingChanged", Map::new(), move |change| {
        let Some(Change { listing }) = live::read(change) else { return };
        let wanted = wanted.get_untracked();
        let whole = pages.more.with_untracked(Option::is_none);
        let known = pages.shown.with_untracked(|s| match s {
            Some(Ok(rows)) => rows.iter().find(|r| r.id == listing.id.inner()).cloned(),
            _ => None,
        });
        match known {
            // It stays in its place, with its new mark, until the page is loaded anew: rows do not run away.
            Some(row) => row.row.set(listing),
            None if wanted.fits(&listing) => pages.shown.update(|s| {
                let Some(Ok(rows)) = s else { return };
                if let Some(place) = wanted.place(&listing, rows, whole) {
                    rows.insert(place, shown(listing));
                }
            }),
            None => {}
        }
    });
    let picks = view! {
        <Pick key="rate" label=|m| m.market.rate_from options=Signal::derive(|| choices(RATES.map(|r| (r.to_string(), (say().market.percent_or_more)(r)))))/>
        <Pick key="months" label=|m| m.market.term_up_to options=Signal::derive(|| choices(MONTHS.map(|m| (m.to_string(), (say().market.up_to_months)(m)))))/>
        {move || (currencies.with(Vec::len) > 1).then(|| view! {
            <Pick key="currency" label=|m| m.reckon.currency options=Signal::derive(move || choices(currencies.get().into_iter().map(|c| (c.clone(), c))))/>
        })}
        <div class="narrow-only">
            <Pick key="sort" label=|m| m.market.order options=Signal::derive(|| {
                let first = (String::new(), say().market.newest.to_string());
                std::iter::once(first).chain(ORDERS.map(|(value, name)| (value.to_string(), name(say()).to_string()))).collect()
            })/>
        </div>
    };
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
        <div class="picks">{picks}</div>
        {pages.view(
            move || {
                let narrowed = untrack(|| wanted.with(Wanted::is_narrowed));
                view! {
                    <div class="card stack empty">
                        <h2>{t(if narrowed { |m| m.market.nothing_fits } else { |m| m.market.nothing })}</h2>
                        <p class="muted">{t(|m| m.market.by_themselves)}</p>
                        {narrowed.then(|| view! { <p><A attr:class="button" href=Page::Marketplace.path()>{t(|m| m.market.clear)}</A></p> })}
                    </div>
                }
                .into_any()
            },
            move |rows| view! {
                <div class="card flush">
                    <table class="listings">
                        <thead>
                            <tr>
                                <th>{t(|m| m.market.purpose)}</th>
                                {sorting.head(|m| m.rate_a_year, "rate", true)}
                                {sorting.head(|m| m.months, "term", false)}
                                {sorting.head(|m| m.amount, "amount", true)}
                                <th class="numeric">{t(|m| m.market.pays_monthly)}</th>
                                <th>{t(|m| m.funded)}</th>
                                {sorting.head(|m| m.market.until, "until", false)}
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any(),
            |r| view! { <Line r/> }.into_any(),
        )}
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
            <td class="numeric" data-label=t(|m| m.rate_a_year)>{move || number(&row.with(|r| r.rate.percent_in_line()))}"\u{a0}%"</td>
            <td class="numeric" data-label=t(|m| m.months)>{move || row.with(|r| r.term_months)}</td>
            <td class="numeric" data-label=t(|m| m.amount)>{move || row.with(|r| text(&r.amount))}</td>
            <td class="numeric" data-label=t(|m| m.market.pays_monthly)>{move || row.with(|r| text(&r.instalment))}</td>
            <td data-label=t(|m| m.funded)><Funding percent=Signal::derive(move || row.with(|r| percent(&r.progress.0)))/></td>
            <td class="numeric" data-label=t(|m| m.market.until)>{move || date(&row.with(|r| r.expires_on.0.clone()))}</td>
        </tr>
    }
}
