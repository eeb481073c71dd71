//! What the custodian was asked to do, and how far it is.

use crate::api::{self, DateTime, Money, schema};
use crate::components::amount::text;
use crate::components::member::Staff;
use crate::components::orders::OrderStatus;
use crate::components::pages::{self, Pages, paged};
use crate::components::sort::Pick;
use crate::components::tabs::Tabs;
use crate::locale::instant;
use crate::messages::{Messages, code_words, say, t, title};
use crate::page::Page;
use crate::pages::investor::overview::query::Target;
use crate::pages::public::marketplace::query::PageInfo;
use crate::session::{self, Role};
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;

const PAGE: usize = 50;
/// What the custodian can be asked for, by its own words.
const OPERATIONS: [&str; 12] = [
    "open_account",
    "grant_authorization",
    "top_up",
    "withdraw",
    "freeze",
    "unfreeze",
    "create_project",
    "disburse",
    "unblock",
    "repay",
    "fee",
    "reverse_line",
];
const CHOICES: &[(&str, fn(&Messages) -> &'static str)] =
    &[("all", |m| m.market.all), ("open", |m| m.orders.under_way)];

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Party")]
pub struct Whose {
    pub id: cynic::Id,
    pub name: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Order")]
pub struct Sent {
    pub id: cynic::Id,
    pub operation: String,
    pub amount: Option<Money>,
    pub status: OrderStatus,
    pub code: Option<String>,
    pub placed_at: DateTime,
    pub party: Option<Whose>,
    pub listing: Option<Target>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "OrderConnection")]
pub struct Rows {
    pub nodes: Vec<Sent>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct OrderVariables {
    pub open: bool,
    pub party: Option<cynic::Id>,
    pub operation: Option<String>,
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "OrderVariables")]
pub struct All {
    #[arguments(open: $open, party: $party, operation: $operation, first: 50, after: $after)]
    pub orders: Rows,
}

impl pages::Row for Sent {
    fn id(&self) -> String {
        self.id.inner().to_string()
    }

    fn key(&self) -> String {
        format!("{}{:?}", self.id.inner(), self.status)
    }
}

#[component]
pub fn Orders() -> impl IntoView {
    view! {
        <Title text=title(|m| m.orders.title)/>
        <Staff>{|| if session::has_any(&[Role::Operations, Role::Auditor]) {
            view! { <Inside/> }.into_any()
        } else {
            view! { <div class="card stack empty"><h1>{t(|m| m.orders.title)}</h1><p class="muted">{t(|m| m.orders.operations_only)}</p></div> }.into_any()
        }}</Staff>
    }
}

#[component]
fn Inside() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    // Whose, when one comes from a person, and what for.
    let (party, set_party) = query_signal::<String>("party");
    let (kind, _) = query_signal::<String>("kind");
    let pages = Pages::new(move |after| {
        let variables = OrderVariables {
            open: filter.get_untracked().as_deref() == Some("open"),
            party: party.get_untracked().map(cynic::Id::new),
            operation: kind.get_untracked(),
            after,
        };
        async move {
            let found = api::ask(All::build(variables)).await?;
            Ok(paged(found.orders.nodes, found.orders.page_info))
        }
    })
    .following(move || (filter.get(), party.get(), kind.get()));
    let kinds = Signal::derive(|| {
        let words = &say().orders;
        let name = |kind: &&str| (kind.to_string(), (words.operation)(kind).to_string());
        std::iter::once((String::new(), say().market.any.to_string()))
            .chain(OPERATIONS.iter().map(name))
            .collect()
    });
    // Their name, from the rows themselves.
    let whose = move || {
        let id = party.get()?;
        let name = pages.shown.with(|s| {
            let rows = s.as_ref()?.as_ref().ok()?;
            rows.iter().find_map(|o| o.party.as_ref().filter(|p| p.id.inner() == id)).map(|p| p.name.clone())
        });
        Some(name.unwrap_or_default())
    };
    // Nothing announces an order's life to staff; it is looked at every now and then.
    if let Ok(timer) = set_interval_with_handle(move || pages.again(PAGE), std::time::Duration::from_secs(5))
    {
        on_cleanup(move || timer.clear());
    }
    view! {
        <h1>{t(|m| m.orders.title)}</h1>
        <p class="muted story">{t(|m| m.orders.lead)}</p>
        <div class="spread">
            <Tabs label=|m| m.orders.which choices=CHOICES/>
            <Pick key="kind" label=|m| m.orders.what options=kinds/>
            {move || whose().map(|name| view! {
                <button class="button small" data-whose="" on:click=move |_| set_party.set(None)>{name} " ×" <span class="visually-hidden">{t(|m| m.orders.of_all)}</span></button>
            })}
        </div>
        {pages.view(
            || view! { <div class="card stack empty"><h2>{t(|m| m.orders.none)}</h2></div> }.into_any(),
            |rows| view! {
                <div class="card flush">
                    <table class="listings" data-orders="">
                        <thead><tr>
                            <th>{t(|m| m.orders.what)}</th><th>{t(|m| m.orders.whose)}</th><th class="numeric">{t(|m| m.amount)}</th>
                            <th>{t(|m| m.state)}</th><th>{t(|m| m.orders.placed)}</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any(),
            |r| row(r).into_any(),
        )}
    }
}

/// As staff see it: whoever it is that it waits for, it is not them.
fn seen(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::AwaitingUser => say().orders.waits_for_user,
        OrderStatus::Cancelled => say().orders.refused_by_user,
        _ => (say().order_status)(status),
    }
}

fn row(o: Sent) -> impl IntoView {
    let (status, operation, placed) = (o.status, o.operation, o.placed_at.0);
    let mark = operation.clone();
    view! {
        <tr data-order=mark>
            <td class="lead-cell"><b>{move || (say().orders.operation)(&operation)}</b> {o.listing.map(|l| view! { <a class="plain small detail" href=Page::Listing(l.id.inner().into()).path()>{l.purpose}</a> })}</td>
            <td data-label=t(|m| m.orders.whose)>{o.party.map(|p| view! { <A href=format!("{}?party={}", Page::Orders.path(), p.id.inner())>{p.name}</A> })}</td>
            <td class="numeric" data-label=t(|m| m.amount)>{move || o.amount.as_ref().map(text)}</td>
            <td data-label=t(|m| m.state)><span class=status.mark()>{move || seen(status)}</span> {o.code.filter(|_| !matches!(status, OrderStatus::Cancelled | OrderStatus::Expired)).map(|c| { let code = c.clone(); view! { " " <span class="small" title=code>{move || code_words(&c)}</span> } })}</td>
            <td class="nowrap" data-label=t(|m| m.orders.placed)>{move || instant(&placed)}</td>
        </tr>
    }
}
