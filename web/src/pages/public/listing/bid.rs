//! Lending a part of it: what it would bring, what it means, and what the custodian did.

use super::query::Offer;
use crate::api::{self, DateTime, Money as Wire, command, schema};
use crate::back;
use crate::components::amount::money;
use crate::components::dialog::Dialog;
use crate::components::form::{self, Field, Form, Submit};
use crate::components::loaded::Loaded;
use crate::messages::{say, t};
use crate::outlook::monthly;
use crate::pages::investor::overview::query::BidStatus;
use crate::session;
use cynic::{QueryBuilder, QueryFragment};
use finance::Money;
use leptos::prelude::*;
use serde_json::json;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Bid")]
pub struct Placed {
    pub id: cynic::Id,
    pub amount: Wire,
    pub status: BidStatus,
    pub why: Option<String>,
    pub redirect_url: Option<String>,
    pub placed_at: DateTime,
}

const PLACE: &str = "mutation($input: BidPlaceInput!) { bidPlace(input: $input) { \
    bid { id amount { amount currency } status why redirectUrl placedAt } errors { code message } } }";

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "BidConnection")]
pub struct PlacedBids {
    pub nodes: Vec<Placed>,
}

#[derive(cynic::QueryVariables)]
pub struct BidsVariables {
    pub listing: cynic::Id,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Viewer", variables = "BidsVariables")]
pub struct MyBids {
    #[arguments(listing: $listing, first: 20)]
    pub bids: PlacedBids,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "BidsVariables")]
pub struct BidsHere {
    pub viewer: Option<MyBids>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Account")]
pub struct Free {
    pub available: Wire,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Purses {
    pub accounts: Vec<Free>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Means {
    pub viewer: Option<Purses>,
}

#[component]
pub fn BidForm(offer: Offer, rest: Signal<Option<Money>>, bids: Loaded<Vec<Placed>>) -> impl IntoView {
    let Some((minimum, rate)) = offer.bid_minimum.exact().zip(offer.rate.rate()) else {
        return ().into_any();
    };
    let months = u32::try_from(offer.term_months).unwrap_or(0);
    let form = Form::new(format!("bid.{}", offer.id.inner()));
    let listing = StoredValue::new(offer.id.clone());
    let free = RwSignal::new(None::<Money>);
    let placed = RwSignal::new(None::<Placed>);
    let look = move || {
        leptos::task::spawn_local(async move {
            let found = api::ask(Means::build(())).await.ok().and_then(|m| m.viewer);
            let purses =
                found.map_or(Vec::new(), |v| v.accounts).into_iter().filter_map(|a| a.available.exact());
            free.try_set(purses.into_iter().find(|m| m.currency() == minimum.currency()));
        });
    };
    // Money is set aside and given back as bids change.
    Effect::new(move |_| {
        bids.with(|_| ());
        look();
    });
    // What was refused because of what was left says nothing once that has changed.
    Effect::new(move |before: Option<Option<Money>>| {
        let now = rest.get();
        if before.is_some_and(|b| b != now) {
            form.error.set(None);
        }
        now
    });
    let read = move |typed: &str| form::money(typed, minimum.currency());
    let check = Callback::new(move |typed: String| {
        let most = rest.get();
        // What is left may be less than the smallest bid, and is then all that can be bid.
        let least = most.filter(|m| m.minor() < minimum.minor()).unwrap_or(minimum);
        if typed.trim().is_empty() && !form.tried.get() {
            let rest = most.map_or(String::new(), |r| money(&r));
            return Ok((say().bid.between)(&money(&least), &rest));
        }
        let amount = read(&typed)?;
        if amount.minor() < least.minor() || most.is_some_and(|m| amount.minor() > m.minor()) {
            return Err((say().bid.between)(&money(&least), &most.map_or(String::new(), |m| money(&m))));
        }
        if let Some(free) = free.get().filter(|free| amount.minor() > free.minor()) {
            return Err((say().bid.not_enough)(&money(&free)));
        }
        let brings = monthly(amount, rate, months);
        let brings =
            brings.map(|(pays, interest)| (say().bid.brings)(&money(&interest), &money(&pays), months));
        Ok(brings.unwrap_or_default())
    });
    let sure = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A second click on what has just been accepted asks for nothing.
        if untrack(|| form.is_empty("bid")) && placed.with_untracked(Option::is_some) {
            return;
        }
        form.tried.set(true);
        let typed = untrack(|| form.get("bid"));
        if untrack(|| check.run(typed.clone())).is_err() {
            return;
        }
        // Asked once more: with a standing consent money is set aside at once.
        sure.set(!form.busy.get_untracked());
    };
    let send = move |_| {
        sure.set(false);
        let Ok(amount) = untrack(|| read(&form.get("bid"))) else { return };
        let input =
            json!({ "amount": command::money(amount), "id": form.id(), "listing": listing.get_value() });
        form.send(command::send::<Option<Placed>>(PLACE, input), move |bid: Option<Placed>| {
            let page = bid.as_ref().and_then(|b| b.redirect_url.clone());
            placed.set(bid);
            bids.again();
            // Without a standing consent the custodian is asked at once, as for every other order.
            back::go(page.as_deref());
        });
    };
    // The list of one's bids knows how it went on; where it is confirmed is in the answer alone.
    let latest = move || {
        let bid = placed.get()?;
        let now = bids.get().into_iter().flatten().find(|b| b.id == bid.id);
        Some(Placed { status: now.map_or(bid.status, |n| n.status), ..bid })
    };
    let outcome = move || {
        latest().map(|bid| {
        let amount = bid.amount.exact().map_or(String::new(), |m| money(&m));
        match (bid.status, bid.redirect_url) {
            (BidStatus::Refused, _) => view! { <p class="notice bad" role="alert">{(say().bid.refused)(&amount)}</p> }.into_any(),
            (BidStatus::Reserved, Some(url)) => view! {
                <div class="notice" role="status">
                    <p>{(say().bid.confirm)(&amount)}</p>
                    <a class="button primary" href=move || back::there(&url) data-confirm="" on:click=move |_| back::remember()>{say().bid.to_custodian}</a>
                </div>
            }
            .into_any(),
            (BidStatus::Reserved, None) => view! { <p class="notice" role="status">{(say().bid.waits)(&amount)}</p> }.into_any(),
            (BidStatus::Frozen | BidStatus::Settled, _) => view! { <p class="notice good" role="status" data-placed="">{(say().bid.frozen)(&amount)}</p> }.into_any(),
            // Taken back: the list beneath says so.
            (BidStatus::Withdrawing | BidStatus::Withdrawn | BidStatus::Returned, _) => ().into_any(),
        }
    })
    };
    view! {
        <section class="card stack" aria-label=t(|m| m.bid.title)>
            <div class="spread">
                <h2>{t(|m| m.bid.title)}</h2>
                <span class="small muted">{move || free.get().map(|m| (say().bid.free)(&money(&m)))}</span>
            </div>
            <form class="stack" on:submit=submit novalidate>
                <Field form name="bid" label=Signal::derive(move || format!("{} ({})", say().amount, minimum.currency())) check kind="decimal"/>
                <p class="small muted">{t(|m| m.bid.means)}</p>
                {outcome}
                <Submit form words=Signal::derive(|| say().bid.lend.to_string())/>
            </form>
            <Dialog open=sure title=|m| m.bid.sure>
                <p class="amount" data-sum="">{move || read(&form.get("bid")).map(|m| money(&m)).unwrap_or_default()}</p>
                <p>{move || check.run(form.get("bid")).unwrap_or_default()}</p>
                <p class="small muted">{t(|m| m.bid.means)}</p>
                <p class="row">
                    <button type="button" class="button primary" on:click=send data-sure="">{t(|m| m.bid.lend)}</button>
                    <button type="button" class="button" on:click=move |_| sure.set(false)>{t(|m| m.cancel)}</button>
                </p>
            </Dialog>
        </section>
    }
    .into_any()
}

/// Whether the form is for whoever is looking.
pub fn may_bid() -> bool {
    session::party().with(|p| p.as_ref().is_some_and(|p| p.roles.contains(&session::Role::Investor)))
}
