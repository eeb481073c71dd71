//! Every movement of one's money, with its counterfoil at the custodian beside it.

pub mod query;

use crate::api::{self, Date, Failure, live};
use crate::components::amount::{Amount, Figure, money};
use crate::components::member::Members;
use crate::components::notice::Trouble;
use crate::components::pages::{self, Paged, Pages, paged};
use crate::components::sort::{DayPick, Pick};
use crate::components::term::{Finance, Term};
use crate::csv;
use crate::file;
use crate::locale::date;
use crate::messages::{say, t, title};
use crate::page::Page;
use crate::pages::investor::overview::query::PURSE;
use crate::session::{self, Role};
use cynic::QueryBuilder;
use finance::Money;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;
use query::{EntryKind, Line, StatementVariables};
use serde_json::Map;

/// How many lines are shown at once.
const SHOWN: i32 = 50;

/// Lines that are one thing to a person: what one payment moved, to or from several people.
#[derive(Clone, PartialEq)]
struct Movement(Vec<Line>);

impl pages::Row for Movement {
    fn id(&self) -> String {
        self.0.first().map(|l| l.id.inner().to_string()).unwrap_or_default()
    }

    fn key(&self) -> String {
        let with_counterpart = self.0.iter().any(|l| l.cash.is_some());
        format!("{}={with_counterpart}/{}", self.id(), self.0.len())
    }

    fn join(&mut self, next: &Movement) -> bool {
        let one = self.0.last().zip(next.0.first()).is_some_and(|(a, b)| together(a, b));
        if one {
            self.0.extend(next.0.iter().cloned());
        }
        one
    }

    fn weight(&self) -> usize {
        self.0.len()
    }
}

/// Whether two lines that follow one another are of one payment: of one order, in the same direction.
fn together(a: &Line, b: &Line) -> bool {
    let of = |l: &Line| Some((l.cash.as_ref()?.order_number.clone(), l.amount.amount.0.starts_with('-')));
    a.kind == b.kind && of(a).is_some() && of(a) == of(b)
}

fn movements((lines, next): Paged<Line>) -> Paged<Movement> {
    let mut all: Vec<Movement> = Vec::new();
    // What went from one of one's accounts to another, and changed nothing of what one has, is the books' affair.
    for line in lines.into_iter().filter(|l| l.amount.exact().is_none_or(|m| !m.is_zero())) {
        match all.last_mut() {
            Some(Movement(group)) if group.last().is_some_and(|l| together(l, &line)) => group.push(line),
            _ => all.push(Movement(vec![line])),
        }
    }
    (all, next)
}

#[component]
pub fn Statement() -> impl IntoView {
    view! {
        <Title text=title(|m| m.statement.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

/// What of it is wanted, as it stands in the address.
#[derive(Clone, Default, PartialEq)]
struct Wanted {
    from: Option<String>,
    to: Option<String>,
    kind: Option<EntryKind>,
}

impl Wanted {
    fn is_all(&self) -> bool {
        *self == Wanted::default()
    }
}

/// One page of it.
async fn page(wanted: &Wanted, first: i32, after: Option<String>) -> Result<Paged<Line>, Failure> {
    let variables = StatementVariables {
        from: wanted.from.clone().map(Date),
        to: wanted.to.clone().map(Date),
        kinds: wanted.kind.map(|k| vec![k]),
        first,
        after,
    };
    let found = api::ask(query::Statement::build(variables)).await?;
    Ok(found.viewer.map_or((Vec::new(), None), |v| paged(v.statement.nodes, v.statement.page_info)))
}

/// One page of it that does not end within one payment: what several lines moved is shown whole, or not at all.
async fn whole_payments(wanted: Wanted, after: Option<String>) -> Result<Paged<Line>, Failure> {
    const MORE: i32 = 20;
    let (mut lines, mut next) = page(&wanted, SHOWN, after).await?;
    while let Some(cursor) = next.clone() {
        let (following, _) = page(&wanted, 1, Some(cursor.clone())).await?;
        if !following.first().zip(lines.last()).is_some_and(|(b, a)| together(a, b)) {
            break;
        }
        let (more, then) = page(&wanted, MORE, Some(cursor)).await?;
        lines.extend(more);
        next = then;
    }
    Ok((lines, next))
}

/// All that is wanted, for a file.
async fn whole(wanted: Wanted) -> Result<String, Failure> {
    const PAGE: i32 = 100;
    let mut rows = vec![say().statement.columns.map(str::to_string).to_vec()];
    let mut after = None;
    loop {
        let (lines, next) = page(&wanted, PAGE, after).await?;
        for l in lines {
            let cash = l.cash.as_ref();
            rows.push(vec![
                l.value_date.0,
                (say().entry_kind)(l.kind, l.amount.amount.0.starts_with('-')).into(),
                l.amount.currency.0,
                l.amount.amount.0,
                l.balance_after.amount.0,
                cash.map(|c| c.number.clone()).unwrap_or_default(),
                cash.map(|c| c.amount.amount.0.clone()).unwrap_or_default(),
                cash.and_then(|c| c.parts.as_ref()).map(|p| p.interest.amount.0.clone()).unwrap_or_default(),
                cash.and_then(|c| c.parts.as_ref()).map(|p| p.principal.amount.0.clone()).unwrap_or_default(),
                cash.and_then(|c| c.listing.as_ref()).map(|l| l.purpose.clone()).unwrap_or_default(),
                l.id.inner().into(),
            ]);
        }
        match next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(csv::text(&rows)),
        }
    }
}

#[component]
fn Inside() -> impl IntoView {
    let (from, _) = query_signal::<String>("from");
    let (to, _) = query_signal::<String>("to");
    let (kind, _) = query_signal::<String>("kind");
    let wanted = Memo::new(move |_| {
        let kind = kind.get();
        let day = |text: Option<String>| text.filter(|t| Date(t.clone()).day().is_some());
        Wanted {
            from: day(from.get()),
            to: day(to.get()),
            kind: EntryKind::CHOICES.iter().find(|(word, _)| Some(*word) == kind.as_deref()).map(|(_, k)| *k),
        }
    });
    let lines = Pages::new(move |after| {
        let wanted = wanted.get_untracked();
        async move { whole_payments(wanted, after).await.map(movements) }
    })
    .following(move || wanted.get());
    let roles = session::party().with_untracked(|p| p.as_ref().map(|p| p.roles.clone()).unwrap_or_default());
    let kinds = Signal::derive(move || {
        let mut all = vec![(String::new(), say().market.any.to_string())];
        for (word, kind) in EntryKind::CHOICES {
            all.push((word.to_string(), called(kind, &roles)));
        }
        all
    });
    let busy = RwSignal::new(false);
    let failed = RwSignal::new(None::<Failure>);
    live::follow(PURSE, "accountChanged", Map::new(), move |_| lines.again(SHOWN as usize));
    let save = move |_| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        failed.set(None);
        let wanted = wanted.get_untracked();
        leptos::task::spawn_local(async move {
            match whole(wanted).await {
                Ok(text) => file::save("statement.csv", csv::KIND, &text.into()),
                Err(failure) => {
                    failed.try_set(Some(failure));
                }
            }
            busy.try_set(false);
        });
    };
    view! {
        <div class="spread">
            <h1>{t(|m| m.statement.title)}</h1>
            <button class="button" on:click=save disabled=busy>{move || if busy.get() { say().busy } else { say().statement.save }}</button>
        </div>
        <p class="muted story">{t(|m| m.statement.lead)}</p>
        {move || failed.get().map(|failure| view! { <Trouble failure/> })}
        <div class="picks">
            <Pick key="kind" label=|m| m.statement.what options=kinds/>
            <DayPick key="from" label=|m| m.statement.from/>
            <DayPick key="to" label=|m| m.statement.to/>
        </div>
        {lines.view(
            move || {
                let all = wanted.with_untracked(Wanted::is_all);
                view! { <div class="card stack empty"><p>{t(if all { |m| m.statement.none } else { |m| m.statement.none_such })}</p>{(!all).then(|| view! { <p><A attr:class="button" href=Page::Statement.path()>{t(|m| m.market.clear)}</A></p> })}</div> }.into_any()
            },
            |rows| view! {
                <div class="card flush">
                    <table class="listings counterfoils">
                        <thead>
                            <tr>
                                <th>{t(|m| m.statement.on)}</th>
                                <th>{t(|m| m.statement.what)}</th>
                                <th class="numeric">{t(|m| m.statement.ledger)}</th>
                                <th class="seam-cell"><span class="visually-hidden">{t(|m| m.statement.agrees)}</span></th>
                                <th class="numeric">{t(|m| m.statement.custodian)}</th>
                                <th class="numeric">{t(|m| m.statement.after)}</th>
                                <th class="numeric"><Term label=|m| m.statement.number means=Finance::MovementNumber/></th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any(),
            |r| row(r).into_any(),
        )}
    }
}

/// What a reason is called to somebody who lends, borrows, or both.
fn called(kind: EntryKind, roles: &[Role]) -> String {
    let name = |out| (say().entry_kind)(kind, out);
    let (lends, borrows) = (roles.contains(&Role::Investor), roles.contains(&Role::Borrower));
    match kind {
        EntryKind::Disbursement | EntryKind::Repayment if lends && borrows => {
            format!("{} / {}", name(true), name(false))
        }
        // What comes to the one goes from the other.
        EntryKind::Disbursement => name(lends).into(),
        EntryKind::Repayment => name(borrows).into(),
        _ => name(false).into(),
    }
}

/// One line in both books: the ledger's change, and the custodian's with the sign that the ledger gives it.
fn both(line: &Line) -> (Option<Money>, Option<Money>, bool) {
    // The custodian's figure has no sign: the ledger's says which way it went. Between one's own accounts nothing comes in.
    let ours = line.amount.exact();
    let theirs = line.cash.as_ref().and_then(|c| c.amount.exact());
    // Settling a shortfall is between one's own accounts and has no counterfoil.
    let agrees = line.kind == EntryKind::ShortfallSettled
        || ours.zip(theirs).is_some_and(|(o, t)| o.is_zero() || o.minor().abs() == t.minor());
    // Shown as it changes the whole: what moves within the account changes nothing, what goes out has a minus.
    let theirs = theirs.map(|m| match ours {
        Some(o) if o.is_zero() => Money::new(0, m.currency()),
        Some(o) if o.minor() < 0 => Money::new(-m.minor(), m.currency()),
        _ => m,
    });
    (ours, theirs, agrees)
}

fn row(Movement(lines): Movement) -> impl IntoView {
    let Some(first) = lines.first().cloned() else { return ().into_any() };
    let read: Vec<_> = lines.iter().map(both).collect();
    let sum = |all: Vec<Money>| {
        let currency = all.first()?.currency();
        Money::sum(currency, all).ok()
    };
    let ours = sum(read.iter().filter_map(|(o, ..)| *o).collect());
    let theirs = sum(read.iter().filter_map(|(_, t, _)| *t).collect());
    let agrees = read.iter().all(|(.., agrees)| *agrees);
    let (kind, on, after) = (first.kind, first.value_date.0, first.balance_after.amount.0);
    let out = ours.is_some_and(|o| o.minor() < 0);
    let of = first.cash.as_ref().and_then(|c| c.listing.clone());
    let interest =
        sum(lines.iter().filter_map(|l| l.cash.as_ref()?.parts.as_ref()?.interest.exact()).collect());
    let count = lines.len();
    let numbers = if count == 1 {
        first.cash.map(|c| c.number).into_any()
    } else {
        view! {
            <details>
                <summary>{move || (say().statement.several)(count)}</summary>
                <ul class="parts">{lines.into_iter().zip(read).map(|(l, (_, theirs, _))| view! {
                    <li>"№\u{a0}" {l.cash.map(|c| c.number)} " · " {theirs.map(|m| view! { <Figure amount=m.to_decimal_string()/> })}</li>
                }).collect_view()}</ul>
            </details>
        }
        .into_any()
    };
    view! {
        <tr data-entry=format!("{kind:?}")>
            <td data-label=t(|m| m.statement.on)>{move || date(&on)}</td>
            <td class="lead-cell"><b>{move || (say().entry_kind)(kind, out)}</b> {of.map(|l| view! { " " <a class="plain small" href=Page::Listing(l.id.inner().into()).path()>{l.purpose}</a> })}
                {interest.map(|i| view! { <span class="small muted detail" data-interest="">{move || (say().statement.of_it_interest)(&money(&i))}</span> })}
            </td>
            <td class="numeric" data-label=t(|m| m.statement.ledger)>{ours.map(|m| view! { <Amount money=m.into()/> })}</td>
            <td class="seam-cell" class:apart=!agrees><span class="visually-hidden">{move || if agrees { say().statement.yes } else { say().statement.no }}</span></td>
            <td class="numeric" data-label=t(|m| m.statement.custodian)>{theirs.map(|m| view! { <Figure amount=m.to_decimal_string()/> })}</td>
            <td class="numeric" data-label=t(|m| m.statement.after) data-after=""><Figure amount=after/></td>
            <td class="numeric muted" data-label=t(|m| m.statement.number)>{numbers}</td>
        </tr>
    }
    .into_any()
}
