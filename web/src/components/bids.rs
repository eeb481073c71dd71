//! Bids about which the last word is not spoken.

use crate::back;
use crate::components::amount::{Amount, money};
use crate::locale::instant;
use crate::messages::{say, t};
use crate::page::Page;
use crate::pages::investor::overview::query::{Bid, BidStatus};
use finance::Money;
use leptos::prelude::*;
use leptos_router::components::A;

/// Those of them that are open; nothing when there are none.
#[component]
pub fn OpenBids(bids: Vec<Bid>) -> impl IntoView {
    let open = [BidStatus::Reserved, BidStatus::Frozen, BidStatus::Withdrawing];
    let bids: Vec<_> = bids.into_iter().filter(|b| open.contains(&b.status)).collect();
    let mut sums: Vec<Money> = Vec::new();
    for amount in bids.iter().filter_map(|b| b.amount.exact()) {
        match sums.iter_mut().find(|s| s.currency() == amount.currency()) {
            Some(sum) => *sum = sum.plus(amount).unwrap_or(*sum),
            None => sums.push(amount),
        }
    }
    (!bids.is_empty()).then(|| view! {
        <section class="card flush">
            <div class="inset spread">
                <h2>{t(|m| m.overview.bids)}</h2>
                <span class="muted" data-figure="bids">{move || (say().overview.bids_sum)(&sums.iter().map(money).collect::<Vec<_>>().join(" + "))}</span>
            </div>
            <table class="listings">
                <thead><tr><th>{t(|m| m.market.purpose)}</th><th class="numeric">{t(|m| m.amount)}</th><th>{t(|m| m.state)}</th><th>{t(|m| m.overview.bid_placed)}</th></tr></thead>
                <tbody>
                    {bids.into_iter().map(|b| {
                        let (status, placed) = (b.status, b.placed_at.0);
                        let confirm = b.redirect_url.filter(|_| status == BidStatus::Reserved);
                        let waits = confirm.is_some();
                        view! {
                            <tr>
                                <td class="lead-cell">{b.listing.map(|l| view! { <A href=Page::Listing(l.id.inner().into()).path()>{l.purpose}</A> })}</td>
                                <td class="numeric" data-label=t(|m| m.amount)><Amount money=b.amount/></td>
                                <td data-label=t(|m| m.state)><span class=status.mark()>{move || if waits { say().bid.waits_for_you } else { (say().bid_status)(status) }}</span>
                                    {confirm.map(|url| view! { " " <a href=move || back::there(&url) on:click=move |_| back::remember()>{t(|m| m.orders.decide)}</a> })}
                                </td>
                                <td class="nowrap" data-label=t(|m| m.overview.bid_placed)>{move || instant(&placed)}</td>
                            </tr>
                        }
                    }).collect_view()}
                </tbody>
            </table>
        </section>
    })
}
