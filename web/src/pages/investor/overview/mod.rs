//! How much do I have, where is it, and what comes back when?

mod news;
pub mod query;

use crate::api;
use crate::api::live;
use crate::components::amount::{Amount, money, text};
use crate::components::bars::{Bar, Bars};
use crate::components::bids::OpenBids;
use crate::components::funding::LineState;
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::ring::Ring;
use crate::components::term::{Finance, Term};
use crate::locale::{date, number};
use crate::messages::{say, t, title};
use crate::page::Page;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::today::today;
use cynic::QueryBuilder;
use finance::Money;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use query::{Debt, ExpectedCash, Portfolio, Purse};
use serde_json::Map;

#[component]
pub fn Overview() -> impl IntoView {
    view! {
        <Title text=title(|m| m.overview.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

/// All of it in one currency: what is free, set aside, on its way and lent.
fn whole(purse: &Purse, portfolio: Option<&Portfolio>) -> Option<Money> {
    let parts =
        [&purse.available, &purse.frozen, &purse.held].into_iter().chain(portfolio.map(|p| &p.invested));
    let parts: Option<Vec<Money>> = parts.map(api::Money::exact).collect();
    Money::sum(purse.currency.0.parse().ok()?, parts?).ok()
}

/// The next twelve months in which something comes, each with its sums, under its first day.
fn by_month(ahead: &[ExpectedCash]) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for e in ahead {
        let (Some(principal), Some(interest)) = (e.principal.exact(), e.interest.exact()) else { continue };
        let month = format!("{}-01", e.due_on.0.get(..7).unwrap_or_default());
        match bars.last_mut().filter(|b| b.label == month) {
            Some(bar) => {
                for (part, more) in bar.parts.iter_mut().zip([principal, interest]) {
                    *part = part.plus(more).unwrap_or(*part);
                }
            }
            None => bars.push(Bar { label: month, parts: [principal, interest] }),
        }
    }
    bars.truncate(12);
    bars
}

#[component]
fn Inside() -> impl IntoView {
    let mine = Loaded::new(async || {
        let found = api::ask(query::Overview::build(())).await?;
        Ok((found.business_date.0, found.viewer))
    });
    live::follow(query::PURSE, "accountChanged", Map::new(), move |change| {
        let Some(query::PurseChange { accounts }) = live::read(change) else { return };
        mine.update(|(_, mine)| {
            if let Some(mine) = mine {
                mine.accounts = accounts;
            }
        });
    });
    // What is due and what is late goes by the business day.
    let day = today();
    Effect::new(move |before: Option<Option<String>>| {
        let now = day.get();
        if before.flatten().is_some_and(|b| now.as_ref().is_some_and(|n| *n != b)) {
            mine.again();
        }
        now
    });
    mine.view(8, |(today, mine)| match mine {
        None => ().into_any(),
        Some(mine) if mine.accounts.is_empty() => view! {
            <div class="card stack empty">
                <h1>{t(|m| m.overview.nothing)}</h1>
                <p class="muted">{t(if mine.cash_account.is_some() { |m| m.overview.top_up_first } else { |m| m.overview.nothing_more })}</p>
                <p class="row centre"><A attr:class="button primary" href=Page::Cash.path()>{t(|m| m.cash.title)}</A> <A attr:class="button" href=Page::Marketplace.path()>{t(|m| m.home.see_open)}</A></p>
            </div>
        }
        .into_any(),
        Some(mine) => view! {
            {mine.accounts.iter().map(|purse| {
                let same = |p: &&Portfolio| p.invested.currency == purse.currency;
                let portfolio = mine.portfolio.iter().find(same).cloned();
                view! { <InCurrency purse=purse.clone() portfolio today=today.clone()/> }
            }).collect_view()}
            <Owing loans=mine.loans.nodes.clone()/>
            <OpenBids bids=mine.bids.nodes.clone()/>
            <news::News/>
        }
        .into_any(),
    })
}

#[component]
fn InCurrency(purse: Purse, portfolio: Option<Portfolio>, today: String) -> impl IntoView {
    // What is past due is not what comes next; it has a line of its own.
    let ahead: Vec<ExpectedCash> =
        portfolio.iter().flat_map(|p| p.expected.clone()).filter(|e| e.due_on.0 >= today).collect();
    let sum = whole(&purse, portfolio.as_ref());
    let headline = move || sum.map_or(String::new(), |s| (say().overview.you_have)(&money(&s)));
    let next = ahead.first().and_then(|first| {
        let sum = first.interest.exact()?.plus(first.principal.exact()?).ok()?;
        Some((sum, first.due_on.0.clone()))
    });
    let next_words = move || next.as_ref().map(|(sum, on)| (say().overview.next)(&money(sum), &date(on)));
    let missing = purse.shortfall.exact().filter(|m| m.is_positive());
    let figure =
        |label: fn(&crate::messages::Messages) -> &'static str, means: Finance, amount: api::Money| {
            view! { <div><dt><Term label means/></dt><dd><Amount money=amount/></dd></div> }
        };
    let bars = by_month(&ahead);
    let parts: [(fn(&crate::messages::Messages) -> &'static str, Option<&api::Money>); 4] = [
        (|m| m.overview.lent_out, portfolio.as_ref().map(|p| &p.invested)),
        (|m| m.overview.available, Some(&purse.available)),
        (|m| m.overview.frozen, Some(&purse.frozen)),
        (|m| m.cash.held, Some(&purse.held)),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter_map(|(name, amount)| Some((Signal::derive(move || t(name)().to_string()), amount?.exact()?)))
        .collect();
    view! {
        <section class="card stack" aria-label=purse.currency.0.clone() data-currency=purse.currency.0.clone()>
            <div class="spread">
                <h1 data-figure="whole">{headline}</h1>
                <LineState/>
            </div>
            <p class="muted">{next_words}</p>
            {missing.map(|m| view! { <p class="notice bad" role="alert">{move || (say().overview.missing)(&money(&m))}</p> })}
            <dl class="facts key">
                {figure(|m| m.overview.available, Finance::Available, purse.available)}
                {figure(|m| m.overview.frozen, Finance::SetAside, purse.frozen)}
                {portfolio.clone().map(|p| view! {
                    {figure(|m| m.overview.lent_out, Finance::LentOut, p.invested)}
                    <div><dt>{t(|m| m.overview.earned)}</dt><dd><Amount money=p.interest_received/></dd></div>
                    <div>
                        <dt><Term label=|m| m.overview.xirr means=Finance::Xirr/></dt>
                        <dd>{move || match &p.xirr {
                            Some(ratio) => format!("{}\u{a0}%", number(&ratio.percent_in_short())),
                            None => "—".to_string(),
                        }}</dd>
                    </div>
                })}
            </dl>
            {portfolio.filter(|p| p.overdue.exact().is_some_and(|o| o.is_positive())).map(|p| view! {
                <p class="small"><span class="tag wait">{t(|m| m.overview.overdue)}</span> " " <A href=format!("{}?show=late", Page::Portfolio.path())>{move || text(&p.overdue)}</A></p>
            })}
            <div class="columns two even">
                <Ring title=|m| m.overview.where_it_is parts/>
                {(!bars.is_empty()).then(|| view! {
                    <div class="stack">
                        <h2>{t(|m| m.overview.comes_back)}</h2>
                        <p class="small muted">{t(|m| m.portfolio.as_planned)}</p>
                        <Bars bars names=[|m| m.principal, |m| m.interest]/>
                    </div>
                })}
            </div>
        </section>
    }
}

/// What one owes oneself, for whoever lends and borrows.
#[component]
fn Owing(loans: Vec<Debt>) -> impl IntoView {
    let open: Vec<Debt> =
        loans.into_iter().filter(|l| matches!(l.status, LoanStatus::Active | LoanStatus::Overdue)).collect();
    (!open.is_empty()).then(|| view! {
        <section class="card flush" data-owing="">
            <h2 class="inset">{t(|m| m.overview.you_owe)}</h2>
            <table class="listings">
                <thead><tr><th>{t(|m| m.market.purpose)}</th><th>{t(|m| m.state)}</th><th class="numeric">{t(|m| m.loans.owed)}</th></tr></thead>
                <tbody>{open.into_iter().map(|l| {
                    let (status, late) = (l.status, l.days_past_due);
                    let words = move || match status {
                        LoanStatus::Overdue => (say().portfolio.days_late)(late),
                        s => (say().loan_status)(s).to_string(),
                    };
                    view! {
                        <tr>
                            <td class="lead-cell"><A href=Page::Loan(l.id.inner().into()).path()>{l.listing.map(|l| l.purpose)}</A></td>
                            <td data-label=t(|m| m.state)><span class=status.mark()>{words}</span></td>
                            <td class="numeric" data-label=t(|m| m.loans.owed)><Amount money=l.outstanding/></td>
                        </tr>
                    }
                }).collect_view()}</tbody>
            </table>
        </section>
    })
}
