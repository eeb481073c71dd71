//! One's own bids on a listing, and taking one back while it is open.

use super::bid::{BidForm, BidsHere, BidsVariables, Placed};
use super::query::Offer;
use crate::api::{self, command};
use crate::back;
use crate::components::amount::{Amount, money};
use crate::components::form::{Form, Submit};
use crate::components::loaded::Loaded;
use crate::locale::instant;
use crate::messages::{say, t};
use crate::page::Page;
use crate::pages::investor::overview::query::BidStatus;
use cynic::QueryBuilder;
use finance::Money;
use leptos::prelude::*;
use leptos_router::components::A;
use serde_json::{Value, json};

const WITHDRAW: &str = "mutation($input: BidWithdrawInput!) { bidWithdraw(input: $input) { bid { id } errors { code message } } }";

/// Lending a part of it, and what one has bid. `moved` changes whenever the listing does: then one's bids may have, too.
#[component]
pub fn Lending(
    offer: Offer,
    rest: Signal<Option<Money>>,
    open: Memo<bool>,
    moved: Signal<String>,
) -> impl IntoView {
    let listing = offer.id.clone();
    let bids = Loaded::new(move || {
        let listing = listing.clone();
        async move {
            let found = api::ask(BidsHere::build(BidsVariables { listing })).await?;
            Ok(found.viewer.map_or(Vec::new(), |v| v.bids.nodes))
        }
    });
    Effect::new(move |before: Option<()>| {
        moved.track();
        if before.is_some() {
            bids.again();
        }
    });
    // What the custodian has to say is heard a moment after it was asked for.
    bids.while_waiting(|bids: &Vec<Placed>| {
        bids.iter().any(|b| matches!(b.status, BidStatus::Withdrawing | BidStatus::Reserved))
    });
    let offer = StoredValue::new(offer);
    view! {
        {move || open.get().then(|| view! { <BidForm offer=offer.get_value() rest bids/> })}
        <MyBids bids open/>
    }
}

#[component]
fn MyBids(bids: Loaded<Vec<Placed>>, open: Memo<bool>) -> impl IntoView {
    let again = Callback::new(move |()| bids.again());
    move || {
        let shown = bids.get().unwrap_or_default();
        let counts =
            |b: &&Placed| matches!(b.status, BidStatus::Reserved | BidStatus::Frozen | BidStatus::Settled);
        let sum = shown
            .iter()
            .filter(counts)
            .filter_map(|b| b.amount.exact())
            .reduce(|a, b| a.plus(b).unwrap_or(a));
        let lent = shown.iter().any(|b| b.status == BidStatus::Settled);
        (!shown.is_empty()).then(|| {
            view! {
                <section class="card flush" data-mine="">
                    <div class="inset spread">
                        <h2>{t(|m| m.bid.yours)}</h2>
                        <span class="muted">{sum.map(|sum| move || (say().overview.bids_sum)(&money(&sum)))}</span>
                    </div>
                    <table class="listings">
                        <thead><tr><th>{t(|m| m.amount)}</th><th>{t(|m| m.state)}</th><th>{t(|m| m.overview.bid_placed)}</th><th><span class="visually-hidden">{t(|m| m.action)}</span></th></tr></thead>
                        {lent.then(|| view! { <caption class="small"><A href=Page::Portfolio.path()>{t(|m| m.bid.see_portfolio)}</A></caption> })}
                        <tbody>{shown.into_iter().map(|bid| view! { <Row bid open again/> }).collect_view()}</tbody>
                    </table>
                </section>
            }
        })
    }
}

#[component]
fn Row(bid: Placed, open: Memo<bool>, again: Callback<()>) -> impl IntoView {
    let (status, placed) = (bid.status, bid.placed_at.0);
    let confirm = bid.redirect_url.filter(|_| status == BidStatus::Reserved);
    let waits = confirm.is_some();
    let form = Form::new(format!("take-back.{}", bid.id.inner()));
    let id = StoredValue::new(bid.id.inner().to_string());
    let asked = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.send(command::send::<Value>(WITHDRAW, json!({ "bid": id.get_value() })), move |_| again.run(()));
    };
    let mark = status.mark();
    let may = move || open.get() && status == BidStatus::Frozen;
    view! {
        <tr data-bid=format!("{status:?}")>
            <td class="lead-cell"><Amount money=bid.amount/></td>
            <td data-label=t(|m| m.state)>
                <span class=mark>{move || if waits { say().bid.waits_for_you } else { (say().bid_status)(status) }}</span>
                {confirm.map(|url| view! { " " <a href=move || back::there(&url) data-confirm="" on:click=move |_| back::remember()>{t(|m| m.orders.decide)}</a> })}
            </td>
            <td class="nowrap" data-label=t(|m| m.overview.bid_placed)>{move || instant(&placed)}</td>
            <td class="numeric wide">
                {move || may().then(|| if asked.get() {
                    view! {
                        <form class="row" on:submit=submit>
                            <span class="small">{t(|m| m.bid.take_back_means)}</span>
                            <Submit form words=Signal::derive(|| say().bid.take_back.to_string()) risky=true/>
                            <button type="button" class="button" on:click=move |_| asked.set(false)>{t(|m| m.bid.keep)}</button>
                        </form>
                    }
                    .into_any()
                } else {
                    view! { <button class="button small" on:click=move |_| asked.set(true) data-take-back="">{t(|m| m.bid.take_back)}</button> }.into_any()
                })}
            </td>
        </tr>
    }
}
