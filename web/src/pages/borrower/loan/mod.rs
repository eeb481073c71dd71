//! One loan: what is due when, what was paid when, and paying.

pub mod query;

use crate::api::{self, command, live};
use crate::back;
use crate::components::amount::{Amount, Figure, money, text};
use crate::components::area::{Area, Point};
use crate::components::dialog::Dialog;
use crate::components::form::{Form, Submit};
use crate::components::funding::LineState;
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::named::Named;
use crate::components::orders::OrderStatus;
use crate::components::term::{Finance, Term};
use crate::draft;
use crate::locale::{date, now, number, parsed};
use crate::messages::{ApplyPage, FindPage, LoanPage, Words, say, t};
use crate::page::Page;
use crate::pages::investor::portfolio::query::LoanStatus;
use cynic::QueryBuilder;
use finance::Money;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use query::*;
use serde_json::{Map, Value, json};

#[component]
pub fn Loan(id: String) -> impl IntoView {
    let id = StoredValue::new(id);
    view! { <Members>{move || view! { <Inside id=id.get_value()/> }}</Members> }
}

#[component]
fn Inside(id: String) -> impl IntoView {
    let asked = id.clone();
    let loaded = Loaded::new(move || {
        let id = cynic::Id::new(asked.clone());
        async move {
            match api::ask(Found::build(LoanVariables { id })).await {
                // An id that is none is to a person the same as one that leads nowhere.
                Err(failure) if failure.code == "BAD_USER_INPUT" => Ok(None),
                Err(failure) => Err(failure),
                Ok(found) => Ok(Some(found)),
            }
        }
    });
    let variables: Map<String, Value> = [("id".to_string(), Value::from(id))].into_iter().collect();
    live::follow(CHANGES, "loanChanged", variables, move |_| loaded.again());
    // Where a payment is confirmed is known a moment after it was begun.
    loaded.while_waiting(|found: &Option<Found>| {
        let loan = found.as_ref().and_then(|f| f.loan.as_ref());
        loan.is_some_and(|l| l.repayments.iter().any(|r| r.status.is_under_way()))
    });
    let again = Callback::new(move |()| loaded.again());
    loaded.view(10, move |found| match found.and_then(|f| Some((f.loan?, f.viewer, f.business_date.0))) {
        None => view! {
            <div class="card stack empty"><h1>{t(|_| LoanPage::say().none)}</h1><p><A href=Page::Loans.path()>{t(|m| m.loans.title)}</A></p></div>
        }
        .into_any(),
        Some((loan, me, today)) => view! { <Shown loan me today again/> }.into_any(),
    })
}

/// The next instalment that is not paid, and how many are due by a day.
fn due(schedule: &[Instalment], today: &str) -> (Option<Instalment>, Vec<Instalment>) {
    let mut open = schedule.iter().filter(|i| i.status == InstalmentStatus::Scheduled);
    let next = open.clone().next().cloned();
    (next, open.by_ref().filter(|i| i.due_on.0.as_str() <= today).cloned().collect())
}

/// What is owed of the principal after each due date, by the schedule, and until it was paid off.
fn owed(loan: &query::Loan) -> Vec<Point> {
    let Some(mut left) = loan.principal.exact() else { return Vec::new() };
    let begin = loan.started_on.as_ref().map(|s| Point { on: s.0.clone(), amount: left });
    let planned = loan.schedule.iter().filter(|i| i.status != InstalmentStatus::Replaced);
    let mut points: Vec<Point> = begin.into_iter().collect();
    points.extend(planned.filter_map(|i| {
        left = left.minus(i.principal.exact()?).ok()?;
        Some(Point { on: i.due_on.0.clone(), amount: left })
    }));
    // Paid off before: the rest went that day.
    if let Some(closed) = loan.closed_on.as_ref().filter(|_| left.is_positive()) {
        points.push(Point { on: closed.0.clone(), amount: Money::new(0, left.currency()) });
    }
    points
}

#[component]
fn Shown(loan: query::Loan, me: Option<Me>, today: String, again: Callback<()>) -> impl IntoView {
    let name = loan.listing.as_ref().map_or_else(String::new, |l| l.purpose.clone());
    let (next, late) = due(&loan.schedule, &today);
    let owes = Money::sum(
        loan.principal.exact().map_or(finance::Currency::USD, |m| m.currency()),
        late.iter().filter_map(|i| i.total.exact()),
    )
    .ok();
    let status = loan.status;
    let days = loan.days_past_due;
    let way = loan.repayments.iter().find(|r| r.status.is_under_way()).cloned();
    let on_way = way.as_ref().map(|w| w.total.clone());
    let headline = {
        let next = next.clone();
        move || match (status, &next, owes) {
            (LoanStatus::Active | LoanStatus::Overdue, ..) if on_way.is_some() => {
                on_way.as_ref().map(|w| (LoanPage::say().being_paid)(&text(w))).unwrap_or_default()
            }
            (LoanStatus::Closed, ..) => LoanPage::say().paid_back.to_string(),
            (LoanStatus::Cancelled, ..) => (say().loan_status)(status).to_string(),
            (LoanStatus::AwaitingDisbursement, ..) => LoanPage::say().being_paid_out.to_string(),
            (_, _, Some(sum)) if sum.is_positive() => (LoanPage::say().due_now)(&money(&sum)),
            (_, Some(next), _) => (LoanPage::say().next)(&text(&next.total), &date(&next.due_on.0)),
            _ => String::new(),
        }
    };
    let mine = me.as_ref().is_some_and(|m| m.loans.nodes.iter().any(|l| l.id == loan.id));
    let free = me
        .and_then(|m| m.accounts.into_iter().find(|a| a.available.currency == loan.principal.currency))
        .map(|a| a.available);
    let running = matches!(status, LoanStatus::Active | LoanStatus::Overdue);
    let (rate, term) = (loan.rate.percent_in_line(), loan.term_months);
    let started = loan.started_on.clone();
    let taken = loan.fee_order.as_ref().map(|o| (loan.fee.clone(), o.status));
    let untaken = taken.clone().filter(|(_, s)| s.is_over() && *s != OrderStatus::Settled);
    let facts = view! {
        <dl class="facts key">
            <div><dt><Term label=|m| m.loans.owed means=Finance::Owed/></dt><dd><Amount money=loan.outstanding.clone()/></dd></div>
            <div><dt>{t(|m| m.loans.borrowed)}</dt><dd><Amount money=loan.principal.clone()/></dd></div>
            <div><dt><Term label=|m| m.rate_a_year means=Finance::Rate/></dt><dd>{move || number(&rate)} "\u{a0}%"</dd></div>
            <div><dt>{t(|m| m.months)}</dt><dd>{term}</dd></div>
            {taken.map(|(fee, status)| view! { <div data-fee=format!("{status:?}")><dt><Term label=|_| ApplyPage::say().fee means=Finance::Fee/></dt><dd><Amount money=fee/></dd><dd class="small muted">{move || if status == OrderStatus::Settled { LoanPage::say().paid } else { (say().order_status)(status) }}</dd></div> })}
            {started.map(|s| view! { <div><dt>{t(|_| LoanPage::say().started)}</dt><dd>{move || date(&s.0)}</dd></div> })}
        </dl>
    };
    let (id, whose) = (loan.id.clone(), loan.borrower.clone());
    let points = owed(&loan);
    view! {
        <Title text=format!("{name} · Counterfoil")/>
        <p class="small">{if mine {
            view! { <A href=Page::Loans.path()>{t(|m| m.loans.title)}</A> }.into_any()
        } else if untrack(crate::session::is_staff) {
            view! { <a href=Page::Find.path()>{t(|m| m.ways.find)}</a> }.into_any()
        } else {
            view! { <A href=Page::Portfolio.path()>{t(|m| m.portfolio.title)}</A> }.into_any()
        }}</p>
        <section class="card stack">
            <div class="spread">
                <h1 data-figure="due">{headline}</h1>
                <LineState/>
            </div>
            <p class="muted">{name} " " <span class=status.mark() data-status=format!("{status:?}")>{move || match status {
                LoanStatus::Overdue => (say().portfolio.days_late)(days),
                s => (say().loan_status)(s).to_string(),
            }}</span></p>
            {facts}
            {whose.filter(|_| !mine).map(|w| view! { <p data-borrower="">{t(|_| FindPage::say().borrower)} " · " <Named who=w/></p> })}
            {untaken.map(|(fee, _)| view! {
                <p class="notice warn" data-fee-untaken="">{move || (LoanPage::say().fee_untaken)(&text(&fee))} " " <A href=Page::Cash.path()>{t(|_| LoanPage::say().see_consents)}</A></p>
            })}
        </section>
        {(mine && running).then(|| view! { <Paying id next late free way again today=today.clone()/> })}
        <Paid all=loan.repayments mine/>
        {(!points.is_empty()).then(|| view! { <section class="card"><Area title=if mine { |_| LoanPage::say().still_owed } else { |_| LoanPage::say().still_owed_by_plan } points/></section> })}
        <Plan schedule=loan.schedule closed=loan.closed_on today=today/>
    }
}

/// Paying what is due or comes next, and paying all of it off.
#[component]
fn Paying(
    id: cynic::Id,
    next: Option<Instalment>,
    late: Vec<Instalment>,
    free: Option<api::Money>,
    way: Option<Repayment>,
    again: Callback<()>,
    today: String,
) -> impl IntoView {
    // What is paid before its day is said to be so.
    let ahead = next.as_ref().filter(|n| late.is_empty() && n.due_on.0 > today).map(|n| n.due_on.0.clone());
    let parts = {
        let all: Vec<&Instalment> =
            if late.is_empty() { next.iter().collect() } else { late.iter().collect() };
        let sum = |of: fn(&Instalment) -> Option<Money>| {
            let amounts: Vec<Money> = all.iter().filter_map(|i| of(i)).collect();
            Money::sum(amounts.first()?.currency(), amounts).ok()
        };
        sum(|i| i.principal.exact()).zip(sum(|i| i.interest.exact()))
    };
    let sure = RwSignal::new(false);
    let form = Form::new(format!("repay.{}", id.inner()));
    let loan = StoredValue::new(id.inner().to_string());
    let sum = {
        let all: Vec<Instalment> = if late.is_empty() { next.into_iter().collect() } else { late };
        let amounts: Vec<Money> = all.iter().filter_map(|i| i.total.exact()).collect();
        amounts.first().and_then(|f| Money::sum(f.currency(), amounts.iter().copied()).ok())
    };
    let short =
        sum.zip(free.as_ref().and_then(api::Money::exact)).is_some_and(|(s, f)| f.minor() < s.minor());
    let pay = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        sure.set(!form.busy.get_untracked());
    };
    let do_pay = move |_| {
        sure.set(false);
        let input = json!({ "id": form.id(), "loan": loan.get_value() });
        form.send(command::send::<Value>(REPAY, input), move |_| again.run(()));
    };
    let busy = way.is_some();
    let spare = free.as_ref().and_then(api::Money::exact);
    view! {
        <div class="columns two">
            <section class="card stack">
                <h2>{t(|_| LoanPage::say().pay)}</h2>
                {free.map(|f| view! { <p class="small muted">{move || (say().bid.free)(&text(&f))}</p> })}
                {way.map(|w| {
                    let (total, asked) = (w.total, w.redirect_url.is_some());
                    view! {
                        <div class="notice" role="status" data-way="">
                            <p>{move || if asked { (LoanPage::say().to_confirm)(&text(&total)) } else { (LoanPage::say().on_its_way)(&text(&total)) }}</p>
                            {w.redirect_url.map(|url| view! { <a class="button primary" href=move || back::there(&url) data-confirm="" on:click=move |_| back::remember()>{t(|m| m.bid.to_custodian)}</a> })}
                        </div>
                    }
                })}
                {(short && !busy).then(|| view! { <p class="small">{t(|_| LoanPage::say().short)} " " <A href=Page::Cash.path()>{t(|m| m.cash.bring_in)}</A></p> })}
                {(!busy && !short).then(|| sum.map(|s| view! {
                    <Dialog open=sure title=|_| LoanPage::say().pay>
                        <p class="amount"><Amount money=s.into()/></p>
                        {parts.map(|(principal, interest)| view! {
                            <dl class="figures small">
                                <div><dt>{t(|m| m.principal)}</dt><dd>{move || money(&principal)}</dd></div>
                                <div><dt>{t(|m| m.interest)}</dt><dd>{move || money(&interest)}</dd></div>
                            </dl>
                        })}
                        <p class="small">{ {let ahead = ahead.clone(); move || ahead.as_ref().map_or_else(|| LoanPage::say().pays_due.to_string(), |due| (LoanPage::say().pays_ahead)(&date(due))) } }</p>
                        <div class="row">
                            <button type="button" class="button primary" disabled=form.busy data-sure="" on:click=do_pay>{move || (LoanPage::say().pay_sum)(&money(&s))}</button>
                            <button type="button" class="button" on:click=move |_| sure.set(false)>{t(|m| m.cancel)}</button>
                        </div>
                    </Dialog>
                    <form class="stack" on:submit=pay data-repay="">
                        <Submit form words=Signal::derive(move || (LoanPage::say().pay_sum)(&money(&s)))/>
                    </form>
                }))}
                <p class="small muted">{t(|_| LoanPage::say().by_consent)} " " <A href=Page::Cash.path()>{t(|_| LoanPage::say().see_consents)}</A></p>
            </section>
            {(!busy).then(|| view! { <PayOff id free=spare again/> })}
        </div>
    }
}

/// A figure that holds for one day, and the button that takes it.
#[component]
fn PayOff(id: cynic::Id, free: Option<Money>, again: Callback<()>) -> impl IntoView {
    let (asking, paying) =
        (Form::new(format!("quote.{}", id.inner())), Form::new(format!("payoff.{}", id.inner())));
    let quote = RwSignal::new(None::<PayoffQuote>);
    let loan = StoredValue::new(id.inner().to_string());
    let ask = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        // Each asking is a new one: yesterday's figure does not hold.
        let input = json!({ "id": draft::command_id(), "loan": loan.get_value() });
        asking.send(command::send(QUOTE, input), move |found| quote.set(found));
    };
    let take = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let Some(q) = quote.get_untracked() else { return };
        let input = json!({ "id": paying.id(), "quote": q.id });
        paying.send(command::send::<Value>(REPAY_EARLY, input), move |_| {
            quote.set(None);
            again.run(());
        });
    };
    // The browser's clock; what the platform honours is its business date, which stands beside.
    let now_at = RwSignal::new(now());
    if let Ok(timer) = set_interval_with_handle(move || now_at.set(now()), std::time::Duration::from_secs(1))
    {
        on_cleanup(move || timer.clear());
    }
    let left = move |day: &str| {
        let seconds = (parsed(&format!("{day}T23:59:59Z")) - now_at.get()) / 1_000;
        (0..86_400)
            .contains(&seconds)
            .then(|| format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60))
    };
    view! {
        <section class="card stack">
            <h2>{t(|_| LoanPage::say().off)}</h2>
            {move || match quote.get() {
                None => view! {
                    <p class="small muted">{t(|_| LoanPage::say().off_lead)}</p>
                    <form class="stack" on:submit=ask data-quote="">
                        <Submit form=asking words=Signal::derive(|| LoanPage::say().ask_quote.to_string())/>
                    </form>
                }
                .into_any(),
                Some(q) => {
                    let (total, day) = (q.total.clone(), q.valid_on.0.clone());
                    let missing = q.total.exact().zip(free).and_then(|(t, f)| t.minus(f).ok()).filter(|m| m.is_positive());
                    let enough = missing.is_none();
                    view! {
                        <p class="amount" data-payoff=""><Amount money=q.total.clone()/></p>
                        <dl class="figures small">
                            <div><dt>{t(|m| m.principal)}</dt><dd>{move || text(&q.principal)}</dd></div>
                            <div><dt>{t(|m| m.interest)}</dt><dd>{move || text(&q.interest)}</dd></div>
                        </dl>
                        <p class="small">{move || (LoanPage::say().holds)(&date(&day))} " " <b>{move || left(&q.valid_on.0).map_or_else(|| LoanPage::say().until_closed.to_string(), |l| (LoanPage::say().left)(&l))}</b></p>
                        {missing.map(|m| view! { <p class="notice warn" data-missing="">{move || (LoanPage::say().missing)(&money(&m))} " " <A href=format!("{}?amount={}", Page::Cash.path(), m.to_decimal_string())>{t(|m| m.cash.bring_in)}</A></p> })}
                        <p class="small muted">{t(|_| LoanPage::say().off_by_hand)}</p>
                        {enough.then(|| view! {
                            <form class="stack" on:submit=take data-take="">
                                <Submit form=paying words=Signal::derive(move || (LoanPage::say().off_sum)(&text(&total)))/>
                            </form>
                        })}
                    }
                    .into_any()
                }
            }}
        </section>
    }
}

/// What was paid, newest first; nothing before the first payment.
#[component]
fn Paid(all: Vec<Repayment>, mine: bool) -> impl IntoView {
    let made: Vec<Repayment> = all.into_iter().filter(|r| r.status == RepaymentStatus::Settled).collect();
    (!made.is_empty()).then(|| view! {
        <section class="card flush">
            <h2 class="inset">{t(if mine { |_| LoanPage::say().payments } else { |_| LoanPage::say().payments_made })}</h2>
            <table class="rows" data-payments="">
                <thead><tr>
                    <th>{t(|_| LoanPage::say().on)}</th><th class="numeric">{t(|m| m.principal)}</th><th class="numeric">{t(|m| m.interest)}</th><th class="numeric">{t(|m| m.total)}</th>
                </tr></thead>
                <tbody>{made.into_iter().map(|r| {
                    let (on, early) = (r.value_date, r.early);
                    view! {
                        <tr>
                            <td class="lead-cell"><b>{move || on.as_ref().map(|d| date(&d.0))}</b> {early.then(|| view! { " " <span class="tag ok">{t(|_| LoanPage::say().paid_off)}</span> })}</td>
                            <td class="numeric"><Figure amount=r.principal.amount.0/></td>
                            <td class="numeric"><Figure amount=r.interest.amount.0/></td>
                            <td class="numeric"><Amount money=r.total/></td>
                        </tr>
                    }
                }).collect_view()}</tbody>
            </table>
        </section>
    })
}

#[component]
fn Plan(schedule: Vec<Instalment>, closed: Option<api::Date>, today: String) -> impl IntoView {
    let closed = StoredValue::new(closed);
    view! {
        <section class="card flush">
            <h2 class="inset">{t(|_| LoanPage::say().plan)}</h2>
            <table class="rows">
                <thead><tr>
                    <th>{t(|m| m.listing.due)}</th><th class="numeric">{t(|m| m.principal)}</th><th class="numeric">{t(|m| m.interest)}</th>
                    <th class="numeric">{t(|m| m.total)}</th><th>{t(|m| m.state)}</th>
                </tr></thead>
                <tbody>{schedule.into_iter().map(|i| {
                    let (status, due, paid) = (i.status, i.due_on.0, i.paid_on);
                    let (past, now) = (due.as_str() < today.as_str(), due == today);
                    let ahead = status == InstalmentStatus::Scheduled && !past && !now;
                    let mark = match status {
                        InstalmentStatus::Paid => "tag ok",
                        InstalmentStatus::Scheduled if due.as_str() < today.as_str() => "tag bad",
                        // Of a loan that is running nothing is wrong: what comes wants no colour.
                        InstalmentStatus::Scheduled if due.as_str() <= today.as_str() => "tag wait",
                        InstalmentStatus::Scheduled => "tag",
                        InstalmentStatus::Replaced => "tag",
                    };
                    view! {
                        <tr data-instalment=i.number>
                            <td class="lead-cell"><b>{move || date(&due)}</b></td>
                            <td class="numeric"><Figure amount=i.principal.amount.0/></td>
                            <td class="numeric"><Figure amount=i.interest.amount.0/></td>
                            <td class="numeric"><Amount money=i.total/></td>
                            <td class="under" class:ahead=ahead><span class=mark>{move || match (&paid, status) {
                                (Some(on), InstalmentStatus::Paid) => (LoanPage::say().paid_on)(&date(&on.0)),
                                (_, InstalmentStatus::Replaced) => closed.with_value(|c| {
                                    c.as_ref().map_or_else(|| (LoanPage::say().instalment)(status).to_string(), |d| (LoanPage::say().replaced_on)(&date(&d.0)))
                                }),
                                (_, InstalmentStatus::Scheduled) if past => LoanPage::say().past_due.to_string(),
                                (_, InstalmentStatus::Scheduled) if now => LoanPage::say().due_today.to_string(),
                                (_, s) => (LoanPage::say().instalment)(s).to_string(),
                            }}</span></td>
                        </tr>
                    }
                }).collect_view()}</tbody>
            </table>
        </section>
    }
}
