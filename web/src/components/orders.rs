//! Orders to the custodian: what was asked for, how far it is, and the way to its page.

use crate::api::{DateTime, Failure, Money, command, schema};
use crate::back;
use crate::components::amount::text;
use crate::locale;
use crate::messages::{say, t};
use crate::session::{self, Role};
use cynic::QueryFragment;
use leptos::prelude::*;
use serde_json::{Value, json};

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderStatus {
    Drafted,
    AwaitingUser,
    Accepted,
    Unknown,
    Settled,
    Partial,
    Failed,
    Cancelled,
    Expired,
}

impl OrderStatus {
    /// Whether its last word is spoken.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            OrderStatus::Settled | OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Expired
        )
    }

    pub fn mark(self) -> &'static str {
        match self {
            OrderStatus::Settled => "tag ok",
            OrderStatus::Failed | OrderStatus::Expired => "tag bad",
            OrderStatus::Cancelled => "tag",
            _ => "tag wait",
        }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Order {
    pub id: cynic::Id,
    pub operation: String,
    pub amount: Option<Money>,
    pub status: OrderStatus,
    pub redirect_url: Option<String>,
    pub placed_at: DateTime,
    pub listing: Option<crate::pages::investor::overview::query::Target>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "OrderConnection")]
pub struct Orders {
    pub nodes: Vec<Order>,
}

const TOP_UP: &str = "mutation($input: AccountTopUpInput!) { accountTopUp(input: $input) { \
    order { id operation amount { amount currency } status redirectUrl placedAt listing { id purpose } } errors { code message } } }";
const WITHDRAW: &str = "mutation($input: AccountWithdrawInput!) { accountWithdraw(input: $input) { \
    order { id operation amount { amount currency } status redirectUrl placedAt listing { id purpose } } errors { code message } } }";
const OPEN: &str = "mutation($input: CashAccountOpenInput!) { cashAccountOpen(input: $input) { \
    order { id operation amount { amount currency } status redirectUrl placedAt listing { id purpose } } errors { code message } } }";
const GRANT: &str = "mutation($input: ConsentGrantInput!) { consentGrant(input: $input) { \
    order { id operation amount { amount currency } status redirectUrl placedAt listing { id purpose } } errors { code message } } }";

/// Brings money in.
///
/// # Errors
/// When it is refused, or nobody answers; as the others.
pub async fn top_up(id: String, amount: finance::Money) -> Result<Order, Failure> {
    command::send(TOP_UP, json!({ "id": id, "amount": command::money(amount) })).await
}

/// Takes money out.
///
/// # Errors
/// As [`top_up`].
pub async fn withdraw(id: String, amount: finance::Money) -> Result<Order, Failure> {
    command::send(WITHDRAW, json!({ "id": id, "amount": command::money(amount) })).await
}

/// Opens the cash account.
///
/// # Errors
/// As [`top_up`].
pub async fn open(id: String, name: String) -> Result<Order, Failure> {
    command::send(OPEN, json!({ "id": id, "name": name })).await
}

/// The day this many years from now, as the API writes a date.
pub fn day_in_years(years: u32) -> String {
    let day = js_sys::Date::new_0();
    day.set_full_year(day.get_full_year() + years);
    String::from(day.to_iso_string()).get(..10).unwrap_or_default().to_string()
}

/// The day this many months from now; where that month has no such day, one of the first of the next.
pub fn day_in_months(months: u32) -> String {
    let day = js_sys::Date::new_0();
    day.set_month(day.get_month() + months);
    String::from(day.to_iso_string()).get(..10).unwrap_or_default().to_string()
}

/// Asks for standing consents, each for one order and in all, until the beginning of a day; to the day, for sent again it
/// is the same consent.
///
/// # Errors
/// As [`top_up`].
pub async fn allow(
    id: String,
    scopes: Vec<(ConsentScope, finance::Money, finance::Money)>,
    until: String,
) -> Result<Order, Failure> {
    let consent = |(scope, per_order, total): &(ConsentScope, finance::Money, finance::Money)| {
        json!({
            "scope": scope.code(), "perOrder": command::money(*per_order), "total": command::money(*total),
            "expiresAt": format!("{until}T00:00:00Z"),
        })
    };
    let consents: Vec<Value> = scopes.iter().map(consent).collect();
    command::send(GRANT, json!({ "id": id, "consents": consents })).await
}

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConsentScope {
    Bid,
    Repay,
    Fee,
}

impl ConsentScope {
    /// As the API writes it.
    pub fn code(self) -> &'static str {
        match self {
            ConsentScope::Bid => "BID",
            ConsentScope::Repay => "REPAY",
            ConsentScope::Fee => "FEE",
        }
    }
}

/// An order of one's own: who only lends freezes for bids, who only borrows for payments.
fn named(operation: &str) -> String {
    let has = |role| session::party().with(|p| p.as_ref().is_some_and(|p| p.roles.contains(&role)));
    match (operation, has(Role::Investor), has(Role::Borrower)) {
        ("freeze", true, false) => say().orders.freeze_bid.into(),
        ("freeze", false, true) => say().orders.freeze_payment.into(),
        _ => (say().orders.operation)(operation),
    }
}

/// The newest first, each with its way on.
#[component]
pub fn OrderList(#[prop(into)] orders: Signal<Vec<Order>>) -> impl IntoView {
    view! {
        <table class="listings" data-orders="">
            <thead>
                <tr>
                    <th>{t(|m| m.orders.what)}</th>
                    <th class="numeric">{t(|m| m.amount)}</th>
                    <th>{t(|m| m.state)}</th>
                    <th>{t(|m| m.orders.placed)}</th>
                </tr>
            </thead>
            <tbody>
                {move || orders.get().into_iter().map(|o| {
                    let (status, operation, placed) = (o.status, o.operation, o.placed_at.0);
                    let name = operation.clone();
                    let open = o.redirect_url.filter(|_| status == OrderStatus::AwaitingUser);
                    view! {
                        <tr data-order=name>
                            <td class="lead-cell"><b>{move || named(&operation)}</b> {o.listing.map(|l| view! { <span class="small muted detail">{l.purpose}</span> })}</td>
                            {match o.amount {
                                Some(amount) => view! { <td class="numeric" data-label=t(|m| m.amount)>{move || text(&amount)}</td> }.into_any(),
                                None => view! { <td></td> }.into_any(),
                            }}
                            <td data-label=t(|m| m.state)>
                                <span class=status.mark()>{move || (say().order_status)(status)}</span>
                                {open.map(|url| view! { " " <a href=move || back::there(&url) data-confirm="" on:click=move |_| back::remember()>{t(|m| m.orders.decide)}</a> })}
                            </td>
                            <td class="nowrap" data-label=t(|m| m.orders.placed)>{move || locale::instant(&placed)}</td>
                        </tr>
                    }
                }).collect_view()}
            </tbody>
        </table>
    }
}
