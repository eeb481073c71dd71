//! One listing: what is asked, on which terms, and how it fills.

mod bid;
mod mine;
pub mod query;

use crate::api::live;
use crate::api::{self, Decimal};
use crate::components::amount::{Amount, Figure, money, text};
use crate::components::funding::{Funding, LineState, percent};
use crate::components::loaded::Loaded;
use crate::components::notice::{Skeleton, Trouble};
use crate::components::term::{Finance, Term};
use crate::locale::{date, number};
use crate::messages::{say, t};
use crate::page::Page;
use crate::pages::public::marketplace::query::ListingStatus;
use bid::may_bid;
use chrono::NaiveDate;
use cynic::QueryBuilder;
use finance::{Money, Rounding, schedule};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use mine::Lending;
use query::*;
use serde_json::{Map, Value};

/// A schedule of so many payments is shown whole.
const ROWS_SHOWN: usize = 24;

#[component]
pub fn Listing(id: String) -> impl IntoView {
    let arrived = RwSignal::new(None::<Money>);
    let asked = StoredValue::new(id.clone());
    let here = StoredValue::new(Page::Listing(id.clone()).sign_in_first());
    let offer = Loaded::new(move || async move {
        let variables = OfferVariables { id: cynic::Id::new(asked.get_value()) };
        match api::ask(Found::build(variables)).await {
            // An id that is none is to a person the same as one that leads nowhere.
            Err(failure) if failure.code == "BAD_USER_INPUT" => Ok((None, None)),
            Err(failure) => Err(failure),
            Ok(found) => Ok((found.listing, found.business_date.day())),
        }
    });
    let variables: Map<String, Value> = [("id".to_string(), Value::from(id))].into_iter().collect();
    live::follow(CHANGES, "listingChanged", variables, move |change| {
        let Some(Change { listing }) = live::read(change) else { return };
        offer.update(|(shown, _)| {
            let Some(before) = shown else { return };
            let (was, is) = (before.funded.exact(), listing.funded.exact());
            if let (Some(was), Some(is)) = (was, is)
                && let Ok(gain) = is.minus(was)
                && !gain.is_zero()
            {
                arrived.set(Some(gain).filter(|g| g.is_positive()));
                // In passing: after a while it is news no more.
                set_timeout(
                    move || {
                        arrived.try_update(|now| *now = now.take().filter(|a| *a != gain));
                    },
                    std::time::Duration::from_secs(20),
                );
            }
            *before = listing;
        });
    });
    // Whether there is one; what is there changes in place.
    let state = Memo::new(move |_| offer.state(|(offer, _)| offer.is_some()));
    view! {
        {move || match state.get() {
            None => view! { <div class="card"><Skeleton lines=10/></div> }.into_any(),
            Some(Err(failure)) => view! { <Trouble failure again=Callback::new(move |()| offer.again())/> }.into_any(),
            Some(Ok(false)) => view! {
                <div class="card stack empty">
                    <h1>{t(|m| m.listing.none)}</h1>
                    <p><A href=Page::Marketplace.path()>{t(|m| m.listing.to_market)}</A></p>
                </div>
            }
            .into_any(),
            Some(Ok(true)) => {
                let now = Memo::new(move |_| offer.get().and_then(|(offer, _)| offer));
                // What a bid does not change is not drawn anew: nobody loses their place or what they typed.
                let fixed = Memo::new(move |_| now.get().map(|o| Offer { funded: o.amount.clone(), progress: Decimal("1".into()), ..o }));
                let rest = Signal::derive(move || now.get().and_then(|o| o.amount.exact()?.minus(o.funded.exact()?).ok()));
                let lender = Memo::new(move |_| may_bid());
                let visitor = Memo::new(move |_| crate::session::party().with(Option::is_none));
                let lends = Memo::new(move |_| fixed.with(|o| o.as_ref().is_some_and(|o| o.status == ListingStatus::Open)));
                view! {
                    {move || now.get().map(|o| view! { <Head o rest arrived/> })}
                    {move || lender.get().then(|| fixed.get_untracked().map(|offer| view! {
                        <Lending offer rest open=lends moved=Signal::derive(move || now.get().map_or(String::new(), |o| o.funded.amount.0))/>
                    }))}
                    {move || (lends.get() && !lender.get() && !visitor.get() && !crate::session::is_staff()).then(|| view! {
                        <p class="notice" data-borrows-only="">{t(|m| m.listing.borrows_only)}</p>
                    })}
                    {move || (visitor.get() && lends.get()).then(|| view! {
                        <section class="card spread" data-join="">
                            <p>{t(|m| m.listing.join)}</p>
                            <p class="row"><A attr:class="button primary" href=Page::Register.path()>{t(|m| m.register.title)}</A> <A attr:class="button" href=here.get_value()>{t(|m| m.sign_in)}</A></p>
                        </section>
                    })}
                    {move || fixed.get().map(|o| view! { <Terms o today=offer.with(|o| o.and_then(|(_, today)| *today))/> })}
                }
                .into_any()
            }
        }}
    }
}

/// What it is for, and how far it has come.
#[component]
fn Head(o: Offer, rest: Signal<Option<Money>>, arrived: RwSignal<Option<Money>>) -> impl IntoView {
    let full = percent(&o.progress.0);
    let (status, until) = (o.status, o.expires_on.0.clone());
    let words = move || {
        let say = &say().listing;
        match status {
            ListingStatus::Open => {
                rest.get().map_or(String::new(), |r| (say.still_sought)(&money(&r), &date(&until)))
            }
            ListingStatus::Filled => say.all_there.into(),
            ListingStatus::Disbursing => say.paying.into(),
            ListingStatus::Disbursed => say.paid.into(),
            ListingStatus::Expired => say.expired.into(),
            ListingStatus::Cancelled => say.cancelled.into(),
        }
    };
    let came = move || arrived.get().map(|gain| (say().listing.just_came)(&money(&gain)));
    let of = {
        let amount = o.amount.clone();
        move || (say().listing.of)(&text(&amount))
    };
    view! {
        <Title text=format!("{} · Counterfoil", o.purpose)/>
        <p class="small"><A href=Page::Marketplace.path()>{t(|m| m.marketplace)}</A></p>
        <div class="spread">
            <h1>{o.purpose.clone()} " " <span class=o.status.mark() data-status=format!("{:?}", o.status)>{move || (say().listing_status)(status)}</span></h1>
            <LineState/>
        </div>
        <section class="card stack" aria-label=t(|m| m.listing.funding)>
            <p class="spread">
                <span class="amount"><Amount money=o.funded.clone()/></span>
                <span class="muted">{of}</span>
            </p>
            <Funding percent=Signal::derive(move || full)/>
            <p>{words}</p>
            <p class="small arrived" aria-live="polite">{came}</p>
        </section>
    }
}

/// Its terms, the borrower's words, and how it would be paid back.
#[component]
fn Terms(o: Offer, today: Option<NaiveDate>) -> impl IntoView {
    let asked = matches!(o.status, ListingStatus::Open | ListingStatus::Filled);
    let plan = match (o.amount.exact(), o.rate.rate(), today) {
        (Some(amount), Some(rate), Some(today)) => {
            let months = u32::try_from(o.term_months).unwrap_or(0);
            schedule::monthly_annuity(amount, rate, months, today, Rounding::HalfUp).ok().filter(|_| asked)
        }
        _ => None,
    };
    let (instalment, minimum, percent_a_year) =
        (o.instalment.clone(), o.bid_minimum.clone(), o.rate.percent_in_line());
    let story = o.story.clone();
    view! {
        <div class="columns two">
            <section class="card stack">
                <h2>{t(|m| m.listing.terms)}</h2>
                <dl class="facts">
                    <div><dt><Term label=|m| m.rate_a_year means=Finance::Rate/></dt><dd>{move || number(&percent_a_year)} "\u{a0}%"</dd></div>
                    <div><dt>{t(|m| m.months)}</dt><dd>{o.term_months}</dd></div>
                    <div><dt><Term label=|m| m.listing.borrower_pays means=Finance::Instalment/></dt><dd>{move || text(&instalment)}</dd></div>
                    <div><dt>{t(|m| m.listing.smallest_bid)}</dt><dd>{move || text(&minimum)}</dd></div>
                </dl>
                <h2>{t(|m| m.listing.words)}</h2>
                <p class="story">{move || if story.is_empty() { say().listing.no_words.to_string() } else { story.clone() }}</p>
                <p class="small muted">{t(|m| m.listing.no_grade)}</p>
                <h2>{t(|m| m.listing.before)}</h2>
                <ul class="ticks">
                    {move || say().listing.warnings.map(|w| view! { <li>{w}</li> }).collect_view()}
                </ul>
            </section>
            <section class="card stack">
                <h2>{t(if asked { |m| m.listing.back } else { |m| m.listing.back_as_offered })}</h2>
                {asked.then(|| view! { <p class="small muted">{t(|m| m.listing.if_today)}</p> })}
                {(!asked).then(|| view! { <p class="muted">{t(|m| m.listing.see_portfolio)}</p> })}
                {plan.map(|plan| { let count = plan.len(); let long = count > ROWS_SHOWN; let class = if long { "scroll" } else { "whole" }; view! {
                    // Where there is room, a long list scrolls in its place, and says so.
                    {long.then(|| view! { <p class="small muted where-scrolled">{move || (say().listing.all_rows)(count)}</p> })}
                    <div class=class tabindex=long.then_some("0") role="region" aria-label=t(|m| m.listing.back)>
                        <table>
                            <thead><tr><th>{t(|m| m.listing.due)}</th><th class="numeric">{t(|m| m.interest)}</th><th class="numeric">{t(|m| m.principal)}</th><th class="numeric">{t(|m| m.left)}</th></tr></thead>
                            <tbody>
                                {plan.iter().map(|i| (i.due.to_string(), i)).map(|(due, i)| view! {
                                    <tr>
                                        <td>{move || date(&due)}</td>
                                        <td class="numeric"><Figure amount=i.interest.to_decimal_string()/></td>
                                        <td class="numeric"><Figure amount=i.principal.to_decimal_string()/></td>
                                        <td class="numeric"><Figure amount=i.balance_after.to_decimal_string()/></td>
                                    </tr>
                                }).collect_view()}
                            </tbody>
                        </table>
                    </div>
                }})}
            </section>
        </div>
    }
}
