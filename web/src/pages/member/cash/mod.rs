//! One's own cash account at the custodian: what is there, bringing money in and taking it out, and what one allows.

mod query;

use crate::api::live;
use crate::api::{self, Failure};
use crate::back;
use crate::components::amount::{Amount, money, text};
use crate::components::form::{self, Field, Form, Submit};
use crate::components::funding::LineState;
use crate::components::halves::Halves;
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::orders::{self, ConsentScope, Order, OrderList};
use crate::components::steps::Steps;
use crate::components::tabs::Tabs;
use crate::components::term::{Finance, Term};
use crate::locale::{self, date};
use crate::messages::{Messages, custodian_name, say, t, title};
use crate::page::Page;
use crate::pages::investor::overview::query::{PURSE, Purse};
use crate::session::{self, Role};
use cynic::QueryBuilder;
use finance::{Currency, Money};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;
use query::{Consents, Mine};
use serde_json::Map;

#[component]
pub fn Cash() -> impl IntoView {
    view! {
        <Title text=title(|m| m.cash.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

async fn ask() -> Result<(Mine, Vec<Currency>), Failure> {
    let found = api::ask(query::Cash::build(())).await?;
    let currencies = found.products.iter().filter_map(|p| p.amount_max.currency.0.parse().ok()).collect();
    let mine = found.viewer.ok_or_else(|| Failure::of("UNAUTHENTICATED", ""))?;
    Ok((mine, currencies))
}

#[component]
fn Inside() -> impl IntoView {
    let loaded = Loaded::new(ask);
    let currencies = Memo::new(move |_| loaded.get().map(|(_, currencies)| currencies).unwrap_or_default());
    let had = Memo::new(move |_| loaded.get().map(|(mine, _)| mine.cash_account.is_some()));
    let orders = Memo::new(move |_| loaded.get().map_or(Vec::new(), |(mine, _)| mine.orders.nodes));
    let free = Memo::new(move |_| {
        let accounts = loaded.get().map_or(Vec::new(), |(mine, _)| mine.accounts);
        accounts.iter().filter_map(|a| a.available.exact()).collect::<Vec<_>>()
    });
    // Whatever moves one's money changes what stands here.
    live::follow(PURSE, "accountChanged", Map::new(), move |_| loaded.again());
    // What the custodian and the person at its page have to say announces itself to nobody.
    loaded.while_waiting(|(mine, _): &(Mine, Vec<Currency>)| {
        mine.orders.nodes.iter().any(|o| !o.status.is_over())
    });
    let placed = Callback::new(move |()| loaded.again());
    view! {
        <div class="spread">
            <h1>{move || if had.get() == Some(false) { say().cash.open_title } else { say().cash.title }}</h1>
            <LineState/>
        </div>
        {loaded.view(8, move |(mine, _)| {
            let Some(account) = mine.cash_account else {
                let begun = mine.orders.nodes.iter().find(|o| o.status == orders::OrderStatus::AwaitingUser && o.operation == "open_account");
                return match begun.and_then(|o| o.redirect_url.clone()) {
                    Some(url) => view! { <Begun url/> }.into_any(),
                    None => view! { <Opening placed/> }.into_any(),
                };
            };
            let mut halves = mine.accounts.clone();
            halves.sort_by(|a, b| a.currency.0.cmp(&b.currency.0));
            // Of an account in which nothing has moved yet the ledger says nothing.
            let first = currencies.get_untracked().first().copied().filter(|_| halves.is_empty());
            let waiting: Vec<Order> = mine.orders.nodes.iter().filter(|o| o.status == orders::OrderStatus::AwaitingUser).cloned().collect();
            let errand = back::errand();
            view! {
                {errand.map(|page| view! {
                    <p class="notice good spread" data-errand=""><span>{t(|m| m.cash.errand)}</span> <A attr:class="button small" href=page.path()>{t(|m| m.loans.go_on)}</A></p>
                })}
                {waiting.into_iter().map(awaited).collect_view()}
                {first.map(|currency| view! {
                    <p class="notice good spread" data-fresh="">
                        <span>{t(|m| m.cash.fresh)}</span>
                        // Who came for a loan goes on to it.
                        {borrows_alone().then(|| view! { <A attr:class="button small" href=Page::Borrow.path()>{t(|m| m.cash.to_loan)}</A> })}
                    </p>
                    <Both purse=Purse::empty(currency) cash=None custodian=account.custodian.clone()/>
                })}
                {halves.into_iter().map(|purse| {
                    let cash = account.balances.iter().find(|m| m.currency == purse.currency).and_then(api::Money::exact);
                    view! { <Both purse cash custodian=account.custodian.clone()/> }
                }).collect_view()}
            }
            .into_any()
        })}
        // Outside what is drawn anew whenever money moves: somebody may be typing.
        {move || (had.get() == Some(true)).then(|| view! { <Moving currencies free placed/> })}
        {move || (had.get() == Some(true)).then(|| view! { <Allowing currencies placed orders/> })}
        {move || (!orders.with(Vec::is_empty)).then(|| view! {
            <section class="card flush">
                <h2 class="inset">{t(|m| m.orders.title)}</h2>
                <OrderList orders/>
            </section>
        })}
    }
}

fn borrows_alone() -> bool {
    let has = |role| {
        crate::session::party().with_untracked(|p| p.as_ref().is_some_and(|p| p.roles.contains(&role)))
    };
    has(crate::session::Role::Borrower) && !has(crate::session::Role::Investor)
}

/// What waits for one's word at the custodian, before everything else.
fn awaited(order: Order) -> impl IntoView {
    let (operation, amount) = (StoredValue::new(order.operation), order.amount);
    let words = move || {
        let what = operation.with_value(|o| (say().orders.operation)(o));
        let sum = amount.as_ref().map(text).unwrap_or_default();
        (say().cash.awaited)(&what, &sum)
    };
    view! {
        <p class="notice warn spread" data-awaited="">
            <span>{words}</span>
            {order.redirect_url.map(|url| view! { <a class="button small" href=move || back::there(&url) on:click=move |_| back::remember()>{t(|m| m.orders.decide)}</a> })}
        </p>
    }
}

/// The virtual account and the cash account of one currency, side by side.
#[component]
fn Both(purse: Purse, cash: Option<Money>, custodian: String) -> impl IntoView {
    let parts = [&purse.available, &purse.frozen, &purse.held].map(api::Money::exact);
    let ledger = purse.currency.0.parse::<Currency>().ok().and_then(|c| {
        let missing = purse.shortfall.exact()?;
        Money::sum(c, parts.into_iter().flatten()).ok()?.minus(missing).ok()
    });
    let cash = cash.or_else(|| ledger.map(|l| Money::new(0, l.currency())));
    let matched = ledger.is_some() && ledger == cash;
    let between = ledger
        .zip(cash)
        .and_then(|(l, c)| l.minus(c).ok())
        .map(|m| Money::new(m.minor().abs(), m.currency()));
    let words = Signal::derive(move || match between {
        _ if matched => say().cash.matches.to_string(),
        Some(way) => (say().cash.on_its_way)(&money(&way)),
        None => String::new(),
    });
    let fact = |label: fn(&Messages) -> &'static str, amount: api::Money| {
        view! { <div><dt>{t(label)}</dt><dd>{move || text(&amount)}</dd></div> }
    };
    let code = StoredValue::new(purse.currency.0.clone());
    let name = StoredValue::new(custodian);
    let left = view! {
        <p class="spread small"><span>{t(|m| m.cash.in_ledger)}</span><span class="muted">{t(|m| m.cash.virtual_account)}</span></p>
        <p class="amount" data-half="ledger">{ledger.map(|m| view! { <Amount money=m.into()/> })}</p>
        <dl class="figures small">
            {fact(|m| m.overview.available, purse.available.clone())}
            {fact(|m| m.overview.frozen, purse.frozen.clone())}
            {purse.held.exact().filter(|m| m.is_positive()).map(|_| fact(|m| m.cash.held, purse.held.clone()))}
        </dl>
    }
    .into_any();
    let right = view! {
        <p class="spread small"><span>{move || (say().cash.at)(&custodian_name(&name.get_value()))}</span><span class="muted">{t(|m| m.cash.own_account)}</span></p>
        <p class="amount" data-half="custodian">{cash.map(|m| view! { <Amount money=m.into()/> })}</p>
        <p class="small muted">{t(|m| m.cash.nobody_else)}</p>
    }
    .into_any();
    view! { <Halves label=Signal::derive(move || format!("{} {}", say().cash.title, code.get_value())) left right matched words/> }
}

/// It was begun, and waits at the custodian.
#[component]
fn Begun(url: String) -> impl IntoView {
    view! {
        <section class="card stack">
            <Steps names=|m| &m.register.steps now=3/>
            <p class="story">{t(|m| m.cash.open_begun)}</p>
            <p><a class="button primary" href=move || back::there(&url) data-confirm="" on:click=move |_| back::remember()>{t(|m| m.cash.open)}</a></p>
        </section>
    }
}

/// Before there is one.
#[component]
fn Opening(placed: Callback<()>) -> impl IntoView {
    let own_name =
        session::party().with_untracked(|p| p.as_ref().map(|p| p.name.clone()).unwrap_or_default());
    // It is the one on the identity document; nobody types it twice.
    let known = !own_name.trim().is_empty();
    let form = Form::new("open").or("name", own_name);
    let check = Callback::new(|name: String| {
        if name.trim().is_empty() {
            Err(say().cash.name_missing.into())
        } else {
            Ok(say().cash.name_hint.into())
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let name = form.get("name");
        if name.trim().is_empty() {
            return;
        }
        let id = form.id();
        form.send(orders::open(id, name), move |order| {
            placed.run(());
            back::go(order.redirect_url.as_deref());
        });
    };
    view! {
        <section class="card stack">
            <Steps names=|m| &m.register.steps now=3/>
            <h2>{t(|m| m.cash.open_title)}</h2>
            <p class="story">{t(|m| m.cash.open_why)}</p>
            <form class="stack" on:submit=submit novalidate>
                {if known {
                    view! { <dl class="facts"><div><dt>{t(|m| m.cash.name)}</dt><dd>{move || form.get("name")}</dd></div></dl> }.into_any()
                } else {
                    view! { <Field form name="name" label=Signal::derive(|| say().cash.name.to_string()) check complete="name"/> }.into_any()
                }}
                <Submit form words=Signal::derive(|| say().cash.open.to_string())/>
            </form>
        </section>
    }
}

const WAYS: &[(&str, fn(&Messages) -> &'static str)] =
    &[("in", |m| m.cash.bring_in), ("out", |m| m.cash.take_out)];

/// Bringing money in, and taking it out.
#[component]
fn Moving(currencies: Memo<Vec<Currency>>, free: Memo<Vec<Money>>, placed: Callback<()>) -> impl IntoView {
    let (way, _) = query_signal::<String>("show");
    let out = Memo::new(move |_| way.get().as_deref() == Some("out"));
    view! {
        <section class="card stack">
            <Tabs label=|m| m.cash.ways choices=WAYS/>
            // Each way has a form of its own: what was typed for one says nothing of the other.
            {move || {
                let out = out.get();
                view! { <OneWay out currencies free placed/> }
            }}
            <p class="small muted">{t(|m| m.cash.by_custodian)}</p>
        </section>
    }
}

#[component]
fn OneWay(
    out: bool,
    currencies: Memo<Vec<Currency>>,
    free: Memo<Vec<Money>>,
    placed: Callback<()>,
) -> impl IntoView {
    let first = currencies.get_untracked().first().map_or(String::new(), |c| c.code().to_string());
    let form = Form::new(if out { "move.out" } else { "move.in" }).or("currency", first);
    // Who came because something is missing finds it filled in.
    if let Some(sum) = query_signal::<String>("amount").0.get_untracked().filter(|_| !out) {
        form.set("amount", locale::number(&sum));
    }
    let currency = move || form.get("currency").parse::<Currency>().ok();
    let read = move |typed: &str| match currency() {
        Some(c) => form::money(typed, c),
        None => Err(say().did_not_work.into()),
    };
    let all = move || free.get().into_iter().find(|m| Some(m.currency()) == currency() && m.is_positive());
    let check = Callback::new(move |typed: String| {
        if typed.trim().is_empty() && !form.tried.get() {
            let free = all().filter(|_| out);
            return Ok(free.map(|m| (say().bid.free)(&money(&m))).unwrap_or_default());
        }
        let hint = if out { say().cash.out_hint } else { say().cash.in_hint };
        let sum = read(&typed)?;
        match all().filter(|free| out && sum.minor() > free.minor()) {
            Some(free) => Err((say().cash.at_most)(&money(&free))),
            None => Ok(hint.to_string()),
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let typed = untrack(|| form.get("amount"));
        if untrack(|| check.run(typed.clone())).is_err() {
            return;
        }
        let Ok(sum) = untrack(|| read(&typed)) else { return };
        let done = move |order: Order| {
            placed.run(());
            back::go(order.redirect_url.as_deref());
        };
        if out {
            form.send(orders::withdraw(form.id(), sum), done);
        } else {
            form.send(orders::top_up(form.id(), sum), done);
        }
    };
    let options = Signal::derive(move || {
        currencies.get().iter().map(|c| (c.code().to_string(), c.code().to_string())).collect::<Vec<_>>()
    });
    view! {
            <form class="row fields" on:submit=submit novalidate>
                <Field form name="amount" label=Signal::derive(|| say().amount.to_string()) check kind="decimal"/>
                <form::Choice form name="currency" label=|m| m.reckon.currency options/>
                <Submit form words=Signal::derive(move || if out { say().cash.take_out } else { say().cash.bring_in }.to_string())/>
            </form>
            {move || all().filter(|_| out).map(|m| view! {
                <p><button type="button" class="button small" data-all="" on:click=move |_| form.set("amount", locale::number(&m.to_decimal_string()))>{move || (say().cash.all_of_it)(&money(&m))}</button></p>
            })}
    }
}

pub async fn consents() -> Result<Option<Consents>, Failure> {
    let found = api::ask(query::MyConsents::build(())).await?;
    Ok(found.viewer.and_then(|v| v.cash_account).map(|a| a.consents))
}

/// What the custodian may do without asking each time.
#[component]
fn Allowing(
    currencies: Memo<Vec<Currency>>,
    placed: Callback<()>,
    orders: Memo<Vec<Order>>,
) -> impl IntoView {
    let loaded = Loaded::new(consents);
    // A consent that has just been given, or used.
    let settled = Memo::new(move |_| orders.with(|all| all.iter().filter(|o| o.status.is_over()).count()));
    Effect::new(move |before: Option<()>| {
        settled.track();
        if before.is_some() {
            loaded.again();
        }
    });
    let roles = session::party().with_untracked(|p| p.as_ref().map(|p| p.roles.clone()).unwrap_or_default());
    let none_yet = Memo::new(move |_| {
        loaded.with(|found| found.and_then(Option::as_ref).is_some_and(|c| c.active.is_empty()))
    });
    view! {
        <section class="card stack">
            <h2><Term label=|m| m.consents.title means=Finance::StandingConsent/></h2>
            <p class="story small muted">{t(|m| m.consents.lead)}</p>
            {loaded.view(3, move |found| {
                let Some(found) = found else { return ().into_any() };
                let lines = found.active;
                let none = lines.is_empty();
                view! {
                    {none.then(|| view! { <p>{t(|m| m.consents.none)}</p> })}
                    {(!none).then(|| view! {
                        <table class="listings">
                            <thead><tr>
                                <th>{t(|m| m.consents.what)}</th><th class="numeric">{t(|m| m.consents.per_order)}</th>
                                <th class="numeric"><Term label=|m| m.consents.used means=Finance::ConsentUsed/></th><th class="numeric">{t(|m| m.consents.total)}</th><th>{t(|m| m.market.until)}</th>
                            </tr></thead>
                            <tbody>{lines.into_iter().map(|c| {
                                let scope = c.scope;
                                view! {
                                    <tr data-consent=format!("{scope:?}")>
                                        <td class="lead-cell"><b>{move || (say().consents.scope)(scope)}</b></td>
                                        <td class="numeric" data-label=t(|m| m.consents.per_order)><Amount money=c.per_order/></td>
                                        <td class="numeric" data-label=t(|m| m.consents.used)><Amount money=c.used/></td>
                                        <td class="numeric" data-label=t(|m| m.consents.total)><Amount money=c.total/></td>
                                        <td data-label=t(|m| m.market.until)>{move || date(&c.expires_at.0)}</td>
                                    </tr>
                                }
                            }).collect_view()}</tbody>
                        </table>
                    })}
                    <p class="small">
                        <a href=move || back::there(&found.page_url) data-manage="">{t(if none { |m| m.consents.see_account } else { |m| m.consents.revoke })}</a>
                        <span class="muted" data-account-number="">" · " {move || (say().consents.account)(&found.account_number)}</span>
                    </p>
                }
                .into_any()
            })}
            <Granting roles currencies placed none_yet/>
        </section>
    }
}

/// Whether a day, as the browser's own field writes it, is still to come.
fn is_ahead(day: &str) -> bool {
    day.len() == 10 && day > orders::day_in_years(0).as_str()
}

/// Allowing more, or with other limits.
#[component]
fn Granting(
    roles: Vec<Role>,
    currencies: Memo<Vec<Currency>>,
    placed: Callback<()>,
    /// Whether nothing is allowed yet.
    none_yet: Memo<bool>,
) -> impl IntoView {
    let scopes: Vec<ConsentScope> = [
        (Role::Investor, vec![ConsentScope::Bid]),
        (Role::Borrower, vec![ConsentScope::Repay, ConsentScope::Fee]),
    ]
    .into_iter()
    .filter(|(role, _)| roles.contains(role))
    .flat_map(|(_, scopes)| scopes)
    .collect();
    let Some(first) = scopes.first().copied() else { return ().into_any() };
    let usual = currencies.get_untracked().first().map_or(String::new(), |c| c.code().to_string());
    let form = Form::new("consent")
        .or("scope", first.code())
        .or("currency", usual)
        .or("until", orders::day_in_years(1));
    let only = scopes.first().copied().filter(|_| scopes.len() == 1);
    let known = StoredValue::new(scopes);
    let currency = move || form.get("currency").parse::<Currency>().ok();
    let read = move |typed: &str| currency().ok_or_else(String::new).and_then(|c| form::money(typed, c));
    let check = Callback::new(move |typed: String| {
        if typed.trim().is_empty() && !form.tried.get() {
            return Ok(say().consents.per_order_hint.into());
        }
        read(&typed).map(|_| String::new())
    });
    let total_check = Callback::new(move |typed: String| {
        if typed.trim().is_empty() && !form.tried.get() {
            return Ok(say().consents.total_hint.into());
        }
        let total = read(&typed)?;
        match read(&form.get("each")) {
            Ok(each) if each.minor() > total.minor() => Err(say().consents.total_below.into()),
            _ => Ok(String::new()),
        }
    });
    let until_check = Callback::new(|day: String| {
        if is_ahead(&day) { Ok(String::new()) } else { Err(say().consents.until_ahead.into()) }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let (each, total) = untrack(|| (read(&form.get("each")), read(&form.get("total"))));
        let (Ok(each), Ok(total)) = (each, total) else { return };
        let until = untrack(|| form.get("until"));
        if each.minor() > total.minor() || !is_ahead(&until) {
            return;
        }
        let chosen = untrack(|| form.get("scope"));
        let Some(scope) = known.with_value(|all| all.iter().copied().find(|s| s.code() == chosen)) else {
            return;
        };
        form.send(orders::allow(form.id(), vec![(scope, each, total)], until), move |order| {
            placed.run(());
            back::go(order.redirect_url.as_deref());
        });
    };
    let options = Signal::derive(move || {
        known.with_value(|all| {
            all.iter().map(|s| (s.code().to_string(), (say().consents.scope)(*s).to_string())).collect()
        })
    });
    let currencies = Signal::derive(move || {
        currencies.get().iter().map(|c| (c.code().to_string(), c.code().to_string())).collect::<Vec<_>>()
    });
    view! {
        <details>
            <summary>{move || if none_yet.get() { say().consents.allow_first } else { say().consents.allow }}</summary>
            <form class="row fields" on:submit=submit novalidate>
                // One alone is no choice.
                {match only {
                    Some(one) => view! { <p class="field"><span>{t(|m| m.consents.what)}</span> <b>{move || (say().consents.scope)(one)}</b></p> }.into_any(),
                    None => view! { <form::Choice form name="scope" label=|m| m.consents.what options/> }.into_any(),
                }}
                <form::Choice form name="currency" label=|m| m.reckon.currency options=currencies/>
                <Field form name="each" label=Signal::derive(|| say().consents.per_order.to_string()) check kind="decimal"/>
                <Field form name="total" label=Signal::derive(|| say().consents.total.to_string()) check=total_check kind="decimal"/>
                <Field form name="until" label=Signal::derive(|| say().market.until.to_string()) check=until_check kind="date"/>
                <Submit form words=Signal::derive(|| say().consents.ask.to_string())/>
            </form>
        </details>
    }
    .into_any()
}
