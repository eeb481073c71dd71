//! One listing: what is asked, on which terms, and how it fills.

pub mod query;

use crate::api::live;
use crate::api::{self, Failure};
use crate::components::amount::{Amount, Figure, grouped, text};
use crate::components::funding::{Funding, LineState, percent};
use crate::components::notice::{Skeleton, Trouble};
use crate::page::Page;
use crate::pages::public::marketplace::query::ListingStatus;
use chrono::NaiveDate;
use cynic::QueryBuilder;
use finance::{Rounding, schedule};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::use_params_map;
use query::*;
use serde_json::{Map, Value};

#[component]
pub fn Listing() -> impl IntoView {
    let params = use_params_map();
    view! {
        // Another listing is another page: what followed the first ends with it.
        {move || view! { <One id=params.get().get("id").unwrap_or_default()/> }}
    }
}

#[component]
fn One(id: String) -> impl IntoView {
    let offer = RwSignal::new(None::<Result<Option<Offer>, Failure>>);
    let today = RwSignal::new(None::<NaiveDate>);
    let arrived = RwSignal::new(None::<String>);
    let asked = StoredValue::new(id.clone());
    let load = move || {
        leptos::task::spawn_local(async move {
            let variables = OfferVariables { id: cynic::Id::new(asked.get_value()) };
            match api::ask(Found::build(variables)).await {
                // An id that is none is to a person the same as one that leads nowhere.
                Err(failure) if failure.code == "BAD_USER_INPUT" => offer.set(Some(Ok(None))),
                Err(failure) => offer.set(Some(Err(failure))),
                Ok(found) => {
                    today.set(found.business_date.0.parse().ok());
                    offer.set(Some(Ok(found.listing)));
                }
            }
        });
    };
    load();
    let variables: Map<String, Value> = [("id".to_string(), Value::from(id))].into_iter().collect();
    live::follow(CHANGES, "listingChanged", variables, move |change| {
        let Ok(Change { listing }) = serde_json::from_value(change) else { return };
        offer.update(|shown| {
            let Some(Ok(Some(before))) = shown else { return };
            let (was, is) = (before.funded.exact(), listing.funded.exact());
            if let (Some(was), Some(is)) = (was, is)
                && let Ok(gain) = is.minus(was)
                && gain.is_positive()
            {
                arrived.set(Some(format!(
                    "{} {} just came in",
                    gain.currency(),
                    grouped(&gain.to_decimal_string())
                )));
            }
            *before = listing;
        });
    });
    view! {
        {move || match offer.with(|o| o.as_ref().map(|o| o.as_ref().map(Option::is_some).map_err(Clone::clone))) {
            None => view! { <div class="card"><Skeleton lines=10/></div> }.into_any(),
            Some(Err(failure)) => view! { <Trouble failure again=Callback::new(move |()| load())/> }.into_any(),
            Some(Ok(false)) => view! {
                <div class="card stack empty">
                    <h1>"There is no such listing"</h1>
                    <p><A href=Page::Marketplace.path()>"To the marketplace"</A></p>
                </div>
            }
            .into_any(),
            Some(Ok(true)) => {
                let shown = Memo::new(move |_| offer.get().and_then(Result::ok).flatten());
                view! { {move || shown.get().map(|o| view! { <Shown o today=today.get() arrived=arrived/> })} }.into_any()
            }
        }}
    }
}

#[component]
fn Shown(o: Offer, today: Option<NaiveDate>, arrived: RwSignal<Option<String>>) -> impl IntoView {
    let rest = match (o.amount.exact(), o.funded.exact()) {
        (Some(amount), Some(funded)) => amount.minus(funded).ok(),
        _ => None,
    };
    let rest = rest.map(|r| format!("{} {}", r.currency(), grouped(&r.to_decimal_string())));
    let plan = match (o.amount.exact(), o.rate.rate(), today) {
        (Some(amount), Some(rate), Some(today)) => {
            let months = u32::try_from(o.term_months).unwrap_or(0);
            schedule::monthly_annuity(amount, rate, months, today, Rounding::HalfUp).ok()
        }
        _ => None,
    };
    let full = percent(&o.progress.0);
    let words = match o.status {
        ListingStatus::Open => rest.map(|r| format!("{r} are still sought, until {}.", o.expires_on.0)),
        ListingStatus::Filled => {
            Some("All of it is there and frozen. Two people now check and pay it out.".into())
        }
        ListingStatus::Disbursing => {
            Some("It is being paid out, from each lender's own account to the borrower's.".into())
        }
        ListingStatus::Disbursed => Some("It was paid out; the loan is running or has ended.".into()),
        ListingStatus::Expired => {
            Some("It was not filled in time. Everything went back to those who had bid.".into())
        }
        ListingStatus::Cancelled => {
            Some("It was cancelled. Everything went back to those who had bid.".into())
        }
    };
    view! {
        <Title text=format!("{} · Counterfoil", o.purpose)/>
        <p class="small"><A href=Page::Marketplace.path()>"Marketplace"</A></p>
        <div class="spread">
            <h1>{o.purpose.clone()} " " <span class=o.status.mark() data-status=format!("{:?}", o.status)>{o.status.name()}</span></h1>
            <LineState/>
        </div>
        <section class="card stack" aria-label="Funding">
            <p class="spread">
                <span class="amount"><Amount money=o.funded.clone()/></span>
                <span class="muted">"of " {text(&o.amount)}</span>
            </p>
            <Funding percent=Signal::derive(move || full)/>
            <p>{words}</p>
            <p class="small arrived" aria-live="polite">{move || arrived.get()}</p>
        </section>
        <div class="columns two">
            <section class="card stack">
                <h2>"Terms"</h2>
                <dl class="facts">
                    <div><dt>"Rate a year"</dt><dd>{o.rate.percent()} " %"</dd></div>
                    <div><dt>"Months"</dt><dd>{o.term_months}</dd></div>
                    <div><dt>"The borrower pays monthly"</dt><dd>{text(&o.instalment)}</dd></div>
                    <div><dt>"Smallest bid"</dt><dd>{text(&o.bid_minimum)}</dd></div>
                </dl>
                <h2>"In the borrower's words"</h2>
                <p class="story">{if o.story.is_empty() { "Nothing was added.".to_string() } else { o.story.clone() }}</p>
                <h2>"Before you lend"</h2>
                <ul class="ticks">
                    <li>"You may lose what you lend: if the borrower stops paying, nobody pays instead."</li>
                    <li>"You cannot take it back early; it returns month by month."</li>
                    <li>"Many small shares of many loans are safer than one large one."</li>
                </ul>
            </section>
            <section class="card stack">
                <h2>"How it would be paid back"</h2>
                <p class="small muted">"If it were paid out today. Interest starts on the day of the payout."</p>
                {plan.map(|plan| view! {
                    <div class="scroll">
                        <table>
                            <thead><tr><th>"Due"</th><th class="numeric">"Interest"</th><th class="numeric">"Principal"</th><th class="numeric">"Left"</th></tr></thead>
                            <tbody>
                                {plan.iter().map(|i| view! {
                                    <tr>
                                        <td>{i.due.to_string()}</td>
                                        <td class="numeric"><Figure amount=i.interest.to_decimal_string()/></td>
                                        <td class="numeric"><Figure amount=i.principal.to_decimal_string()/></td>
                                        <td class="numeric"><Figure amount=i.balance_after.to_decimal_string()/></td>
                                    </tr>
                                }).collect_view()}
                            </tbody>
                        </table>
                    </div>
                })}
            </section>
        </div>
    }
}
