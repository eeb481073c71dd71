//! What waits for people: two who look at it see each other's claims at once.

mod glance;
pub mod query;

use crate::api::{self, Failure, command, live};
use crate::components::amount::{Amount, text};
use crate::components::funding::LineState;
use crate::components::member::Staff;
use crate::components::notice::{Skeleton, Trouble};
use crate::components::tabs::Tabs;
use crate::locale::{age, instant, number};
use crate::messages::{Messages, QueuePage, Words, say, sentence, t, title};
use crate::page::Page;
use crate::session::{self, Role};
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;
use query::*;
use serde_json::{Map, Value, json};

const CHOICES: &[(&str, fn(&Messages) -> &'static str)] = &[
    ("all", |m| m.market.all),
    ("free", |_| QueuePage::say().free),
    ("mine", |_| QueuePage::say().mine),
    ("second", |_| QueuePage::say().second),
];

#[component]
pub fn Queue() -> impl IntoView {
    view! {
        <Title text=title(|m| m.ways.queue)/>
        <Staff>{|| view! { <Inside/> }}</Staff>
    }
}

fn me() -> String {
    session::party().with(|p| p.as_ref().map(|p| p.email.clone()).unwrap_or_default())
}

fn wanted(filter: Option<&str>, row: &Row) -> bool {
    match filter {
        Some("free") => row.claimed_by.is_none() && row.waits_for_me,
        Some("mine") => row.claimed_by.as_ref().is_some_and(|w| w.email == me()),
        Some("second") => row.status == TaskStatus::Proposed,
        _ => true,
    }
}

#[component]
fn Inside() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    let rows = RwSignal::new(None::<Result<Vec<Row>, Failure>>);
    let unrated = RwSignal::new(Vec::<Asked>::new());
    let sets_rates = session::has_any(&[Role::CreditOfficer]);
    let load = move || {
        leptos::task::spawn_local(async move {
            let fresh = async {
                let found = if sets_rates { api::ask(Unrated::build(())).await.ok() } else { None };
                found.map_or(Vec::new(), |f| f.applications.nodes)
            };
            // Both at once, and drawn at once: what comes second does not push down what is being read.
            let (found, fresh) = futures::join!(api::ask(query::Queue::build(())), fresh);
            unrated.try_set(fresh);
            rows.try_set(Some(found.map(|q| q.tasks.nodes)));
        });
    };
    load();
    // An application that nobody has looked at is announced to nobody yet.
    if sets_rates
        && let Ok(timer) =
            set_interval_with_handle(move || unrated_again(unrated), std::time::Duration::from_secs(5))
    {
        on_cleanup(move || timer.clear());
    }
    live::follow(CHANGES, "taskChanged", Map::new(), move |change| {
        let Some(Change { task }) = live::read(change) else { return };
        rows.update(|rows| {
            let Some(Ok(rows)) = rows else { return };
            rows.retain(|r| r.id != task.id || !task.status.is_over());
            match rows.iter_mut().find(|r| r.id == task.id) {
                Some(row) => *row = task,
                None if !task.status.is_over() => rows.push(task),
                None => {}
            }
        });
        // A task about an application means that its rate has been set.
        if sets_rates {
            unrated_again(unrated);
        }
    });
    // A row that has not changed stays as it is drawn: what comes live does not take a button from under the pointer.
    let shown = Memo::new(move |_| {
        let show = filter.get();
        rows.with(|rows| match rows {
            Some(Ok(all)) => all.iter().filter(|r| wanted(show.as_deref(), r)).cloned().collect::<Vec<_>>(),
            _ => Vec::new(),
        })
    });
    let state = Memo::new(move |_| {
        rows.with(|rows| rows.as_ref().map(|r| r.as_ref().map(|_| ()).map_err(Clone::clone)))
            .map(|r| r.map(|()| !shown.with(Vec::is_empty)))
    });
    view! {
        <div class="spread">
            <h1>{move || rows.with(|rows| match rows {
                Some(Ok(all)) => (QueuePage::say().waiting)(all.len() + unrated.with(Vec::len)),
                _ => say().ways.queue.to_string(),
            })}
                {move || rows.with(|rows| {
                    let all = rows.as_ref()?.as_ref().ok()?;
                    let own = all.iter().filter(|r| r.waits_for_me).count() + unrated.with(Vec::len);
                    Some(view! { " " <span class="muted small" data-own="">{move || (QueuePage::say().for_you)(own)}</span> })
                })}
            </h1>
            <LineState/>
        </div>
        <glance::Glance/>
        {move || (!unrated.with(Vec::is_empty)).then(|| view! {
            <section class="card flush">
                <h2 class="inset">{t(|_| QueuePage::say().unrated)}</h2>
                <table class="listings">
                    <thead><tr><th>{t(|m| m.market.purpose)}</th><th class="numeric">{t(|m| m.amount)}</th><th class="numeric">{t(|m| m.months)}</th><th class="nowrap">{t(|_| QueuePage::say().age)}</th></tr></thead>
                    <tbody>{unrated.get().into_iter().map(|a| {
                        let at = a.submitted_at.0;
                        view! {
                            <tr data-unrated="">
                                <td class="lead-cell"><A href=Page::Application(a.id.inner().into()).path()>{a.purpose}</A></td>
                                <td class="numeric" data-label=t(|m| m.amount)><Amount money=a.amount/></td>
                                <td class="numeric" data-label=t(|m| m.months)>{a.term_months}</td>
                                <td data-label=t(|_| QueuePage::say().age)>{move || age(&at)}</td>
                            </tr>
                        }
                    }).collect_view()}</tbody>
                </table>
            </section>
        })}
        <Tabs label=|_| QueuePage::say().which choices=CHOICES/>
        {move || match state.get() {
            None => view! { <div class="card"><Skeleton lines=6/></div> }.into_any(),
            Some(Err(failure)) => view! { <Trouble failure again=Callback::new(move |()| load())/> }.into_any(),
            Some(Ok(false)) => {
                view! { <div class="card stack empty"><h2>{t(|_| QueuePage::say().empty)}</h2><p class="muted">{t(|_| QueuePage::say().by_itself)}</p></div> }.into_any()
            }
            Some(Ok(true)) => view! {
                <div class="card flush">
                    <table class="listings">
                        <thead><tr><th>{t(|_| QueuePage::say().task)}</th><th>{t(|_| QueuePage::say().about)}</th><th class="nowrap">{t(|_| QueuePage::say().age)}</th><th>{t(|m| m.state)}</th><th>{t(|_| QueuePage::say().with)}</th></tr></thead>
                        <tbody>
                            <For each=move || shown.get() key=|r| (r.id.inner().to_string(), r.status, r.waits_for_me, r.claimed_by.as_ref().map(|w| w.email.clone())) let(row)>
                                <Line row/>
                            </For>
                        </tbody>
                    </table>
                </div>
            }
            .into_any(),
        }}
    }
}

fn unrated_again(unrated: RwSignal<Vec<Asked>>) {
    leptos::task::spawn_local(async move {
        if let Ok(found) = api::ask(Unrated::build(())).await
            && unrated.try_with_untracked(|shown| *shown != found.applications.nodes) == Some(true)
        {
            unrated.try_set(found.applications.nodes);
        }
    });
}

/// What a task is about in a line, in the reader's form.
fn in_short(subject: Option<&About>) -> Option<String> {
    let (purpose, amount, months, rate) = match subject? {
        About::Application(a) => (&a.purpose, &a.amount, a.term_months, a.rate.as_ref()),
        About::Listing(l) => (&l.purpose, &l.amount, l.term_months, Some(&l.yearly)),
        About::Other => return None,
    };
    let rate = rate.map_or_else(String::new, |r| format!("\u{a0}· {}\u{a0}%", number(&r.percent_in_line())));
    Some(format!("{purpose}\u{a0}· {}\u{a0}· {}{rate}", text(amount), (QueuePage::say().for_months)(months)))
}

#[component]
fn Line(row: Row) -> impl IntoView {
    let Row { id, kind, status, about, subject, opened_at, claimed_by, waits_for_me } = row;
    let words = move || in_short(subject.as_ref()).unwrap_or_else(|| about.clone());
    let at = opened_at.0.clone();
    view! {
        <tr data-task=format!("{kind:?}")>
            <td class="lead-cell"><A href=Page::Task(id.inner().into()).path()>{move || (say().task_kind)(kind)}</A></td>
            <td data-label=t(|_| QueuePage::say().about)><A href=Page::Task(id.inner().into()).path()>{words}</A></td>
            <td class="nowrap" data-label=t(|_| QueuePage::say().age) title=move || instant(&opened_at.0)>{move || age(&at)}</td>
            <td data-label=t(|m| m.state)><span class=status.mark()>{move || (say().task_status)(status)}</span></td>
            <td data-label=t(|_| QueuePage::say().with)><Claim id waits_for_me claimed_by/></td>
        </tr>
    }
}

/// Who is at work on it, and saying so; for whoever may still decide it.
#[component]
pub fn Claim(id: cynic::Id, waits_for_me: bool, claimed_by: Option<Who>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Failure>);
    let task = StoredValue::new(id.inner().to_string());
    let own = claimed_by.as_ref().is_some_and(|w| w.email == untrack(me));
    let send = move |release: bool| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let input = json!({ "task": task.get_value(), "release": release });
            let outcome = command::send::<Value>(CLAIM, input).await;
            busy.try_set(false);
            error.try_set(outcome.err());
        });
    };
    let button = move |release: bool, words: fn(&Messages) -> &'static str| {
        view! { <button class="button small" disabled=busy on:click=move |_| send(release)>{t(words)}</button> }
    };
    view! {
        <span class="row claim">
            {match claimed_by {
                None if waits_for_me => button(false, |_| QueuePage::say().claim).into_any(),
                None => view! { <span class="muted">"—"</span> }.into_any(),
                Some(_) if own => view! { <b>{t(|_| QueuePage::say().you)}</b> {button(true, |_| QueuePage::say().release)} }.into_any(),
                Some(who) => view! { <span>{who.name}</span> }.into_any(),
            }}
            {move || error.get().map(|e| view! { <span class="small error" role="alert">{sentence(&e)}</span> })}
        </span>
    }
}
