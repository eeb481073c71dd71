//! What have I lent, to whom, and how does it go?

mod chart;
pub mod query;

use crate::api;
use crate::components::amount::{Amount, Figure};
use crate::components::bids::OpenBids;
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::sort::{Sorting, sorting};
use crate::components::tabs::Tabs;
use crate::locale::{date, number};
use crate::messages::{Messages, say, t, title};
use crate::page::Page;
use chart::Pictures;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;
use query::{LoanStatus, Note};

/// What of it can be shown.
const CHOICES: &[(&str, fn(&Messages) -> &'static str)] = &[
    ("running", |m| m.portfolio.running),
    ("late", |m| m.portfolio.late),
    ("over", |m| m.portfolio.over),
    ("all", |m| m.market.all),
];

#[component]
pub fn Portfolio() -> impl IntoView {
    view! {
        <Title text=title(|m| m.portfolio.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

/// Whether a note belongs to what the person wants to see, as the address says it.
fn wanted(filter: Option<&str>, status: Option<LoanStatus>) -> bool {
    match (filter, status) {
        (Some("all"), _) => true,
        (Some("late"), status) => status == Some(LoanStatus::Overdue),
        (Some("over"), status) => status.is_some_and(LoanStatus::is_over),
        (_, status) => !status.is_some_and(LoanStatus::is_over),
    }
}

#[component]
fn Inside() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    let sorting = sorting();
    let loaded = Loaded::new(async || {
        let found = api::ask(query::Portfolio::build(())).await?;
        Ok((found.viewer, found.business_date.0))
    });
    view! {
        <h1>{t(|m| m.portfolio.title)}</h1>
        {loaded.view(8, move |(mine, today)| {
            let (found, sums, bids) =
                mine.map_or((Vec::new(), Vec::new(), Vec::new()), |m| (m.notes, m.portfolio, m.bids.nodes));
            let pictures = sums
                .into_iter()
                .map(|sum| view! { <Pictures sum notes=found.clone() today=today.clone()/> })
                .collect_view();
            view! {
                {pictures}
                <OpenBids bids/>
                <Tabs label=|m| m.portfolio.which choices=CHOICES/>
                {move || table(&found, filter.get().as_deref(), sorting)}
            }
            .into_any()
        })}
    }
}

/// The notes that the person wants to see.
fn table(notes: &[Note], show: Option<&str>, sorting: Sorting) -> AnyView {
    let fits = |n: &&Note| wanted(show, n.loan.as_ref().map(|l| l.status));
    let fitting: Vec<Note> = notes.iter().filter(fits).cloned().collect();
    let mut rows = Note::together(&fitting);
    // The newest first, unless somebody wishes otherwise.
    let order = sorting.get().unwrap_or_else(|| "-since".into());
    let (down, field) = order.strip_prefix('-').map_or((false, order.as_str()), |field| (true, field));
    rows.sort_by(|(a, _), (b, _)| {
        let of = |n: &Note, part: fn(&Note) -> &api::Money| part(n).exact().map_or(0, |m| m.minor());
        let since = |n: &Note| n.loan.as_ref().and_then(|l| l.started_on.as_ref().map(|d| d.0.clone()));
        let next = |n: &Note| n.loan.as_ref().and_then(|l| l.next_due_on.as_ref().map(|d| d.0.clone()));
        let rate = |n: &Note| n.loan.as_ref().and_then(|l| l.rate.rate()).map(|r| r.ppm());
        let by = match field {
            "rate" => rate(a).cmp(&rate(b)),
            "lent" => of(a, |n| &n.principal).cmp(&of(b, |n| &n.principal)),
            "out" => of(a, |n| &n.outstanding).cmp(&of(b, |n| &n.outstanding)),
            "next" => next(a).cmp(&next(b)),
            "earned" => of(a, |n| &n.interest_received).cmp(&of(b, |n| &n.interest_received)),
            _ => since(a).cmp(&since(b)),
        };
        if down { by.reverse() } else { by }
    });
    if rows.is_empty() {
        return view! { <div class="card stack empty"><p>{t(|m| m.portfolio.none)}</p><p><A attr:class="button" href=Page::Marketplace.path()>{t(|m| m.home.see_open)}</A></p></div> }.into_any();
    }
    view! {
        <div class="card flush">
            <table class="listings">
                <thead>
                    <tr>
                        <th>{t(|m| m.market.purpose)}</th>
                        {sorting.head(|m| m.rate_a_year, "rate", true)}
                        {sorting.head(|m| m.portfolio.lent, "lent", true)}
                        {sorting.head(|m| m.portfolio.still_out, "out", true)}
                        {sorting.head(|m| m.overview.earned, "earned", true)}
                        {sorting.head(|m| m.portfolio.next, "next", false)}
                        {sorting.head(|m| m.portfolio.since, "since", true)}
                        <th><span class="visually-hidden">{t(|m| m.action)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(|(note, bids)| view! { <Row note bids/> }).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

#[component]
fn Row(
    note: Note,
    /// How many bids it came from.
    bids: usize,
) -> impl IntoView {
    let Note { principal, outstanding, interest_received, loan, .. } = note;
    let status = loan.as_ref().map(|l| l.status);
    let late = loan.as_ref().map_or(0, |l| l.days_past_due);
    let rate = loan.as_ref().map(|l| l.rate.percent_in_line());
    let since = loan.as_ref().and_then(|l| l.started_on.clone());
    let next = loan.as_ref().and_then(|l| l.next_due_on.clone());
    let of = loan.as_ref().map(|l| l.id.clone());
    let behind = next.as_ref().filter(|_| late > 0).map(|n| (n.0.clone(), late));
    let shown = RwSignal::new(false);
    let words = move || {
        status.map(|s| match s {
            LoanStatus::Overdue => (say().portfolio.days_late)(late),
            s => (say().loan_status)(s).to_string(),
        })
    };
    view! {
        <tr>
            <td class="lead-cell">
                {loan.and_then(|l| l.listing).map(|l| view! { <A href=Page::Listing(l.id.inner().into()).path()>{l.purpose}</A> })}
                // What runs as agreed needs no mark: one sees at once what does not.
                {status.filter(|s| *s != LoanStatus::Active).map(|s| view! { <span class=s.mark()>{words}</span> })}
                {(bids > 1).then(|| view! { " " <span class="small muted">{move || (say().portfolio.bids)(bids)}</span> })}
            </td>
            <td class="numeric" data-label=t(|m| m.rate_a_year)>{move || rate.as_ref().map(|r| format!("{}\u{a0}%", number(r)))}</td>
            <td class="numeric" data-label=t(|m| m.portfolio.lent)><Amount money=principal/></td>
            <td class="numeric" data-label=t(|m| m.portfolio.still_out)><Figure amount=outstanding.amount.0/></td>
            <td class="numeric" data-label=t(|m| m.overview.earned)><Figure amount=interest_received.amount.0/></td>
            <td class="numeric wraps" data-label=t(|m| m.portfolio.next)>{move || next.as_ref().map(|n| if late > 0 { (say().portfolio.due_since)(&date(&n.0)) } else { date(&n.0) })}</td>
            <td class="numeric" data-label=t(|m| m.portfolio.since)>{move || since.as_ref().map(|s| date(&s.0))}</td>
            <td class="numeric"><button class="button small" aria-expanded=move || shown.get().to_string() on:click=move |_| shown.update(|s| *s = !*s) data-history="">{t(|m| m.portfolio.history)}</button></td>
        </tr>
        {move || shown.get().then(|| of.clone().map(|loan| view! { <tr class="beneath"><td colspan="8" class="wide"><Payments loan behind=behind.clone()/></td></tr> }))}
    }
}

/// What each repayment brought, to the cent.
#[component]
fn Payments(
    loan: cynic::Id,
    /// Since when it is behind, and how many days, where it is.
    behind: Option<(String, i32)>,
) -> impl IntoView {
    let loaded = Loaded::new(move || {
        let loan = loan.clone();
        async move {
            let found = api::ask(query::History::build(query::LoanVariables { loan })).await?;
            Ok(found.viewer.map_or(Vec::new(), |v| v.notes))
        }
    });
    loaded.view(3, move |notes| {
        let history = query::NotePayment::together(notes);
        if history.is_empty() {
            return view! { <p class="muted">{t(|m| m.portfolio.no_history)}</p> }.into_any();
        }
        view! {
            {behind.clone().map(|(since, days)| view! { <p class="notice warn" data-behind="">{move || (say().portfolio.behind)(&date(&since), days)}</p> })}
            <table>
                <thead><tr><th>{t(|m| m.portfolio.on)}</th><th class="numeric">{t(|m| m.principal)}</th><th class="numeric">{t(|m| m.interest)}</th><th class="numeric">{t(|m| m.total)}</th><th><span class="visually-hidden">{t(|m| m.action)}</span></th></tr></thead>
                <tbody>{history.into_iter().map(|p| {
                    let on = p.value_date.0;
                    let sum = p.principal.exact().zip(p.interest.exact()).and_then(|(a, b)| a.plus(b).ok());
                    view! {
                        <tr>
                            <td>{move || date(&on)}</td>
                            <td class="numeric"><Figure amount=p.principal.amount.0/></td>
                            <td class="numeric"><Figure amount=p.interest.amount.0/></td>
                            <td class="numeric">{sum.map(|s| view! { <Figure amount=s.to_decimal_string()/> })}</td>
                            <td class="small muted">{(!p.settled).then(|| t(|m| m.portfolio.arriving))}</td>
                        </tr>
                    }
                }).collect_view()}</tbody>
            </table>
        }
        .into_any()
    })
}
