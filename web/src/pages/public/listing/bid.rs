//! Lending a part of it: what it would bring, what it means, and what the custodian did.

use super::query::Offer;
use crate::api::{self, Failure, Money as Wire, schema};
use crate::components::amount::money;
use crate::draft::Draft;
use crate::locale::{number, plain};
use crate::messages::{say, sentence, t};
use crate::pages::investor::overview::query::BidStatus;
use crate::session;
use cynic::{MutationBuilder, QueryBuilder, QueryFragment};
use finance::{Money, Rate, Rounding, schedule};
use leptos::prelude::*;

#[derive(cynic::InputObject, Clone, Debug)]
pub struct MoneyInput {
    pub amount: api::Decimal,
    pub currency: api::Currency,
}

/// A command's id, as text.
#[derive(cynic::Scalar, Clone, Debug)]
#[cynic(graphql_type = "UUID")]
pub struct CommandId(pub String);

#[derive(cynic::InputObject, Clone, Debug)]
pub struct BidPlaceInput {
    pub amount: MoneyInput,
    pub id: CommandId,
    pub listing: cynic::Id,
}

#[derive(cynic::QueryVariables)]
pub struct PlaceVariables {
    input: BidPlaceInput,
}

#[derive(cynic::Enum, Clone, PartialEq, Eq, Debug)]
#[cynic(non_exhaustive)]
pub enum InvestingErrorCode {
    InvestingInsufficientFunds,
    #[cynic(fallback)]
    Code(String),
}

#[derive(QueryFragment, Clone, Debug)]
pub struct InvestingUserError {
    pub code: InvestingErrorCode,
    pub message: String,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Bid")]
pub struct Placed {
    pub id: cynic::Id,
    pub amount: Wire,
    pub status: BidStatus,
    pub why: Option<String>,
    pub redirect_url: Option<String>,
}

#[derive(QueryFragment)]
pub struct BidPlacePayload {
    bid: Option<Placed>,
    errors: Vec<InvestingUserError>,
}

#[derive(QueryFragment)]
#[cynic(graphql_type = "Mutation", variables = "PlaceVariables")]
struct Place {
    #[arguments(input: $input)]
    bid_place: BidPlacePayload,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "BidConnection")]
pub struct PlacedBids {
    pub nodes: Vec<Placed>,
}

#[derive(cynic::QueryVariables)]
pub struct BidsVariables {
    listing: cynic::Id,
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

/// What became of a bid whose end is not known yet: the custodian takes a moment, and a person at its page some more.
async fn follow(id: cynic::Id, listing: cynic::Id, placed: RwSignal<Option<Placed>>) {
    const LOOKS_MAX: u32 = 300;
    for look in 0..LOOKS_MAX {
        gloo_timers::future::TimeoutFuture::new(if look < 10 { 300 } else { 2_000 }).await;
        let still = placed
            .try_get_untracked()
            .flatten()
            .is_some_and(|p| p.id == id && p.status == BidStatus::Reserved);
        if !still {
            return;
        }
        let found = api::ask(BidsHere::build(BidsVariables { listing: listing.clone() })).await;
        let mine = found.ok().and_then(|f| f.viewer).map_or(Vec::new(), |v| v.bids.nodes);
        if let Some(now) = mine.into_iter().find(|b| b.id == id && b.status != BidStatus::Reserved) {
            placed.try_set(Some(now));
            return;
        }
    }
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

/// What a person typed, as money of the listing's currency.
fn read(typed: &str, example: &Money) -> Result<Money, String> {
    let currency = example.currency();
    match Money::parse(&plain(typed), currency) {
        Ok(m) if m.is_positive() => Ok(m),
        Ok(_) => Err(say().reckon.above_zero.into()),
        Err(_) if currency.exponent() == 0 => {
            Err((say().reckon.no_decimals)(currency.code(), &number("100")))
        }
        Err(_) => Err((say().reckon.decimals)(currency.exponent(), &number(&example.to_decimal_string()))),
    }
}

/// What a sum would bring in all, and month by month, if everybody pays on the day.
fn outlook(amount: Money, rate: Rate, months: u32) -> Option<(Money, Money)> {
    // The dates do not enter the figures.
    let start = chrono::NaiveDate::from_ymd_opt(2026, 1, 1)?;
    let plan = schedule::monthly_annuity(amount, rate, months, start, Rounding::HalfUp).ok()?;
    let interest = Money::sum(amount.currency(), plan.iter().map(|i| i.interest)).ok()?;
    Some((interest, plan.first()?.total().ok()?))
}

#[component]
pub fn BidForm(offer: Offer, rest: Signal<Option<Money>>) -> impl IntoView {
    let Some((minimum, rate)) = offer.bid_minimum.exact().zip(offer.rate.rate()) else {
        return ().into_any();
    };
    let months = u32::try_from(offer.term_months).unwrap_or(0);
    let name = StoredValue::new(format!("bid.{}", offer.id.inner()));
    let listing = StoredValue::new(offer.id.clone());
    let draft = RwSignal::new(name.with_value(|n| Draft::taken_up(n)));
    let free = RwSignal::new(None::<Money>);
    let error = RwSignal::new(None::<Failure>);
    let placed = RwSignal::new(None::<Placed>);
    let busy = RwSignal::new(false);
    let tried = RwSignal::new(false);
    let look = move || {
        leptos::task::spawn_local(async move {
            let found = api::ask(Means::build(())).await.ok().and_then(|m| m.viewer);
            let purses =
                found.map_or(Vec::new(), |v| v.accounts).into_iter().filter_map(|a| a.available.exact());
            free.set(purses.into_iter().find(|m| m.currency() == minimum.currency()));
        });
    };
    look();
    let typed = move || draft.with(|d| read(&d.text, &minimum));
    let wrong = move || {
        let text_is_there = draft.with(|d| !d.text.trim().is_empty());
        (tried.get() || text_is_there).then(typed).and_then(Result::err)
    };
    let type_in = move |text: String| {
        // Another amount is another order.
        if draft.with_untracked(|d| d.text != text) {
            draft.set(Draft { text, ..Draft::new() });
            draft.with_untracked(|d| name.with_value(|n| d.keep(n)));
        }
        error.set(None);
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // A second click on what has just been accepted asks for nothing.
        let empty = draft.with_untracked(|d| d.text.trim().is_empty());
        if empty && placed.with_untracked(Option::is_some) {
            return;
        }
        tried.set(true);
        let Ok(amount) = typed() else { return };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        error.set(None);
        placed.set(None);
        let id = draft.with_untracked(|d| d.id.clone());
        leptos::task::spawn_local(async move {
            let currency = api::Currency(amount.currency().code().into());
            let input = BidPlaceInput {
                amount: MoneyInput { amount: api::Decimal(amount.to_decimal_string()), currency },
                id: CommandId(id),
                listing: listing.get_value(),
            };
            let answer = api::ask(Place::build(PlaceVariables { input })).await;
            busy.set(false);
            match answer.map(|a| a.bid_place) {
                Err(failure) => error.set(Some(failure)),
                Ok(BidPlacePayload { bid: Some(bid), .. }) => {
                    name.with_value(|n| Draft::forget(n));
                    draft.set(Draft::new());
                    tried.set(false);
                    let (id, waits) = (bid.id.clone(), bid.status == BidStatus::Reserved);
                    placed.set(Some(bid));
                    look();
                    if waits {
                        follow(id, listing.get_value(), placed).await;
                        look();
                    }
                }
                Ok(BidPlacePayload { errors, .. }) => {
                    let first = errors.into_iter().next();
                    error.set(Some(first.map_or_else(Failure::unknown, |e| {
                        let code = match e.code {
                            InvestingErrorCode::InvestingInsufficientFunds => {
                                "INVESTING_INSUFFICIENT_FUNDS".into()
                            }
                            InvestingErrorCode::Code(code) => code,
                        };
                        Failure { code, message: e.message }
                    })));
                }
            }
        });
    };
    let brings = move || {
        let (interest, monthly) = outlook(typed().ok()?, rate, months)?;
        Some((say().bid.brings)(&money(&interest), &money(&monthly), months))
    };
    let outcome = move || {
        placed.get().map(|bid| {
        let amount = bid.amount.exact().map_or(String::new(), |m| money(&m));
        match (bid.status, bid.redirect_url) {
            (BidStatus::Refused, _) => view! { <p class="notice bad" role="alert">{(say().bid.refused)(&amount)}</p> }.into_any(),
            (BidStatus::Reserved, Some(url)) => view! {
                <div class="notice" role="status">
                    <p>{(say().bid.confirm)(&amount)}</p>
                    <a class="button primary" href=url data-confirm="">{say().bid.to_custodian}</a>
                </div>
            }
            .into_any(),
            (BidStatus::Reserved, None) => view! { <p class="notice" role="status">{(say().bid.waits)(&amount)}</p> }.into_any(),
            _ => view! { <p class="notice good" role="status" data-placed="">{(say().bid.frozen)(&amount)}</p> }.into_any(),
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
                <label class="field">
                    <span>{move || format!("{} ({})", say().amount, minimum.currency())}</span>
                    <input name="bid" inputmode="decimal" autocomplete="off" prop:value=move || draft.with(|d| d.text.clone())
                        on:input=move |e| type_in(event_target_value(&e))
                        aria-invalid=move || wrong().is_some().to_string() aria-describedby="bid-hint"/>
                    <span class="small" id="bid-hint" class:error=move || wrong().is_some()>
                        {move || wrong().or_else(brings).unwrap_or_else(|| (say().bid.between)(&money(&minimum), &rest.get().map_or(String::new(), |r| money(&r))))}
                    </span>
                </label>
                <p class="small muted">{t(|m| m.bid.means)}</p>
                {move || error.get().map(|e| view! { <p class="notice bad" role="alert">{sentence(&e)}</p> })}
                {outcome}
                <button class="button primary" type="submit" disabled=busy>
                    {move || if busy.get() { say().bid.busy } else { say().bid.lend }}
                </button>
            </form>
        </section>
    }
    .into_any()
}

/// Whether the form is for whoever is looking.
pub fn may_bid() -> bool {
    session::party().with(|p| p.as_ref().is_some_and(|p| p.roles.contains(&session::Role::Investor)))
}
