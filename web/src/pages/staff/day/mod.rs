//! The business day: closing it, the proof of both books, and what failed and waits for a person.

pub mod query;

use crate::api::{self, Failure, command};
use crate::components::amount;
use crate::components::dialog::Dialog;
use crate::components::form::{Form, Submit};
use crate::components::loaded::Loaded;
use crate::components::member::Staff;
use crate::components::notice::{Skeleton, Trouble};
use crate::components::proof::{Totals, Verdict};
use crate::components::term::{Finance, Term};
use crate::components::timeline::{Stage, Timeline};
use crate::locale::{date, instant, number};
use crate::messages::parked::parked_kind;
use crate::messages::{say, sentence, t, title};
use crate::page::Page;
use crate::session::{self, Role};
use crate::today::today;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use query::*;
use serde_json::{Value, json};

#[component]
pub fn Day() -> impl IntoView {
    view! {
        <Title text=title(|m| m.day.title)/>
        <Staff>{|| view! { <Inside/> }}</Staff>
    }
}

#[component]
fn Inside() -> impl IntoView {
    let operates = session::has_any(&[Role::Operations]);
    let sees = session::has_any(&[Role::Operations, Role::Auditor, Role::Administrator]);
    let day = Loaded::new(|| async { api::ask(query::Day::build(())).await });
    // Somebody else may have closed it.
    let begun = today();
    Effect::new(move |before: Option<Option<String>>| {
        let now = begun.get();
        if before.flatten().is_some_and(|b| now.as_ref() != Some(&b)) {
            day.again();
        }
        now
    });
    // The steps go on by themselves.
    day.while_waiting(|found| found.business_day.as_ref().is_some_and(|d| d.status == CloseStatus::Running));
    view! {
        {day.view(6, move |found| view! { <Closing found operates again=Callback::new(move |()| day.again())/> }.into_any())}
        {if sees {
            view! { <Proving/> <Waiting operates/> }.into_any()
        } else {
            view! { <p class="notice">{t(|m| m.day.not_yours)}</p> }.into_any()
        }}
    }
}

/// What has been done of the close, and the button that begins it.
#[component]
fn Closing(found: query::Day, operates: bool, again: Callback<()>) -> impl IntoView {
    let today = found.business_date.clone();
    let form = Form::new(format!("close.{}", today.0));
    let shown = today.0.clone();
    // On the button too: a second click must not end the next day unseen.
    let named = StoredValue::new(today.0.clone());
    let running = found.business_day.as_ref().is_some_and(|d| d.status == CloseStatus::Running);
    let sure = RwSignal::new(false);
    let asked = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        sure.set(true);
    };
    let close = move |_| {
        sure.set(false);
        let input = json!({ "date": today.0 });
        form.send(command::send::<Value>(query::CLOSE, input), move |_| again.run(()));
    };
    let last = found.business_day;
    let next = last.as_ref().map(|d| d.date.0.clone());
    view! {
        <section class="card stack">
            <h1 data-figure="date">{move || (say().day.today)(&date(&shown))}</h1>
            {last.map(|d| {
                let (status, finding) = (d.status, StoredValue::new(d.finding.clone()));
                let stages = move || CloseStep::ALL.into_iter().map(|step| {
                    let done = d.steps.iter().find(|s| s.step == step);
                    let reached = d.steps.len();
                    let here = done.is_none() && CloseStep::ALL.get(reached) == Some(&step);
                    Stage {
                        name: (say().close_step)(step).into(),
                        note: done.map(|s| s.finding.as_ref().map_or_else(|| instant(&s.at.0), found_words)).unwrap_or_default(),
                        done: done.is_some(),
                        here: here && status == CloseStatus::Running,
                        bad: here && status == CloseStatus::Halted,
                    }
                }).collect::<Vec<_>>();
                view! {
                    <h2>{move || next.as_ref().map(|n| (say().day.close_of)(&date(n)))} " "
                        <span class=match status { CloseStatus::Done => "tag ok", CloseStatus::Halted => "tag bad", CloseStatus::Running => "tag wait" } data-close=format!("{status:?}")>
                            {move || (say().close_status)(status)}
                        </span>
                    </h2>
                    {move || finding.get_value().map(|f| view! { <p class="notice bad" role="alert">{found_words(&f)}</p> })}
                    <Timeline stages=Signal::derive(stages)/>
                    <p class="small"><a href=format!("{}?show=overdue", Page::Find.path())>{t(|m| m.day.see_overdue)}</a> " · " <a href=Page::Orders.path()>{t(|m| m.day.see_orders)}</a></p>
                }
            })}
            {if operates && running {
                ().into_any()
            } else if operates {
                view! {
                    <Dialog open=sure title=|m| m.day.close>
                        <p>{move || (say().day.sure)(&date(&named.get_value()))}</p>
                        <p class="small muted">{t(|m| m.day.close_means)}</p>
                        <div class="row">
                            <button type="button" class="button primary" disabled=form.busy data-sure="" on:click=close.clone()>{move || (say().day.close_named)(&date(&named.get_value()))}</button>
                            <button type="button" class="button" on:click=move |_| sure.set(false)>{t(|m| m.cancel)}</button>
                        </div>
                    </Dialog>
                    <form class="stack" on:submit=asked data-close-form="">
                        <p class="small muted">{t(|m| m.day.close_means)}</p>
                        <Submit form words=Signal::derive(move || (say().day.close_named)(&date(&named.get_value())))/>
                    </form>
                }
                .into_any()
            } else {
                view! { <p class="small muted">{t(|m| m.day.operations_close)}</p> }.into_any()
            }}
        </section>
    }
}

/// What a step found, in the reader's language.
fn found_words(f: &CloseFinding) -> String {
    let (words, count) = (&say().day, f.count.unwrap_or_default());
    let what = f.what.as_deref().unwrap_or_default();
    match f.code {
        CloseFindingCode::StillOnTheWay => (words.still_on_the_way)(count),
        CloseFindingCode::BooksMatched => (say().verdict)(Verdict::Matched).into(),
        CloseFindingCode::BooksInFlight => {
            let since = f.since.as_ref().map(|s| instant(&s.0)).unwrap_or_default();
            (words.in_flight)(count, &since)
        }
        CloseFindingCode::BooksBroken => (words.broken)((say().verdict)(Verdict::Broken), what),
        CloseFindingCode::AuditBroken => (words.broken)(words.audit_broken, what),
        CloseFindingCode::Begun => f.date.as_ref().map(|d| (words.begun)(&date(&d.0))).unwrap_or_default(),
        CloseFindingCode::DayRun => (words.day_run)(count, f.overdue.unwrap_or_default()),
    }
}

#[component]
fn Proving() -> impl IntoView {
    let proof = RwSignal::new(None::<Result<Proof, Failure>>);
    let busy = RwSignal::new(false);
    let prove = move || {
        busy.set(true);
        leptos::task::spawn_local(async move {
            let found = api::ask(Proved::build(())).await.map(|p| p.proof);
            busy.try_set(false);
            proof.try_set(Some(found));
        });
    };
    prove();
    // A close proves them too: what stands here is not to be older.
    let begun = today();
    Effect::new(move |before: Option<Option<String>>| {
        let now = begun.get();
        if before.flatten().is_some_and(|b| now.as_ref() != Some(&b)) {
            prove();
        }
        now
    });
    view! {
        <section class="stack">
            <div class="spread">
                <h2>{t(|m| m.day.proof)}</h2>
                <button class="button" disabled=busy on:click=move |_| prove() data-prove="">{move || if busy.get() { say().busy } else { say().day.prove }}</button>
            </div>
            {move || match proof.get() {
                None => view! { <div class="card"><Skeleton lines=4/></div> }.into_any(),
                Some(Err(failure)) => view! { <Trouble failure again=Callback::new(move |()| prove())/> }.into_any(),
                Some(Ok(p)) => view! { <Report p/> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Report(p: Proof) -> impl IntoView {
    let verdict = p.verdict;
    let (at, flying) = (p.at.0, StoredValue::new(p.in_flight));
    let words = Signal::derive(move || (say().verdict)(verdict).to_string());
    view! {
        <p data-verdict=format!("{verdict:?}")><span class=verdict.mark()>{words}</span> " " {move || flying.get_value().map(|f| on_the_way(&f))} " " <span class="small muted">{move || instant(&at)}</span></p>
        <Totals totals=p.totals left=|m| m.cash.in_ledger right=|m| m.day.at_custodian/>
        <dl class="facts card">
            <div><dt><Term label=|m| m.day.owners means=Finance::OwnersCompared/></dt><dd>{p.owners}</dd></div>
            <div><dt>{t(|m| m.day.entries)}</dt><dd>{move || number(&p.ledger_position.to_string())}</dd></div>
            <div><dt>{t(|m| m.day.movements)}</dt><dd>{move || number(&p.statement_position.to_string())}</dd></div>
            <div><dt><Term label=|m| m.day.chain means=Finance::HashChain/></dt><dd><code title=p.chain_head.clone()>{p.chain_head.get(..12).unwrap_or_default().to_string()}</code></dd></div>
        </dl>
        {(!p.findings.is_empty()).then(|| view! {
            <ul class="notice bad" role="alert">{p.findings.into_iter().map(|f| view! { <li>{f.owner.map(|o| format!("{o}: "))} {f.what}</li> }).collect_view()}</ul>
        })}
    }
}

/// What is between two steps, as a sentence with its sums.
fn on_the_way(f: &OnTheWay) -> String {
    let sums: Vec<String> = f.amounts.iter().map(amount::text).collect();
    format!("{} ({})", (say().day.in_flight)(f.count, &instant(&f.oldest.0)), sums.join(", "))
}

/// What failed too often; it keeps its ids, so that trying again does nothing twice.
#[component]
fn Waiting(operates: bool) -> impl IntoView {
    let loaded = Loaded::new(|| async { Ok(api::ask(AllParked::build(())).await?.parked) });
    view! {
        <section class="stack">
            <h2>{t(|m| m.day.parked)}</h2>
            {loaded.view(3, move |all| {
                if all.is_empty() {
                    return view! { <div class="card"><p class="muted">{t(|m| m.day.none_parked)}</p></div> }.into_any();
                }
                view! {
                    <div class="card flush"><table class="listings">
                        <thead><tr><th>{t(|m| m.day.what_failed)}</th><th>{t(|m| m.day.why)}</th><th>{t(|m| m.day.attempts)}</th><th>{t(|m| m.day.since)}</th><th><span class="visually-hidden">{t(|m| m.action)}</span></th></tr></thead>
                        <tbody>{all.into_iter().map(|p| view! { <Letter p operates again=Callback::new(move |()| loaded.again())/> }).collect_view()}</tbody>
                    </table></div>
                }
                .into_any()
            })}
        </section>
    }
}

#[component]
fn Letter(p: Parked, operates: bool, again: Callback<()>) -> impl IntoView {
    let form = Form::new("retry");
    let since = p.since.0;
    let (name, service) = (StoredValue::new(p.name), p.service);
    let (kind, code, waits, attempts) = (StoredValue::new(p.kind), p.code, p.waits, p.attempts);
    // Written down as `CODE: sentence`.
    let refusal = StoredValue::new(code.map(|code| {
        let message = p.error.split_once(": ").map(|(_, said)| said.to_owned()).unwrap_or_default();
        Failure { code, message }
    }));
    let retry = move |_| {
        let input = json!({ "name": name.get_value(), "service": service.code() });
        form.send(command::send::<Value>(query::RETRY, input), move |_| again.run(()));
    };
    view! {
        <tr>
            <td class="lead-cell">
                <b>{move || kind.with_value(|k| parked_kind(k).map_or_else(|| k.clone(), str::to_owned))}</b>
                {p.party.map(|whose| view! { <span class="small">" " {whose.name}</span> })}
                " " <span class="small muted">{move || (say().day.worker)(service)}</span>
            </td>
            <td data-label=t(|m| m.day.why)>
                {move || refusal.with_value(|r| r.as_ref().map(sentence)).map(|s| view! { <p>{s}</p> })}
                <details open=refusal.with_value(Option::is_none)><summary class="small">{t(|m| m.day.as_written)}</summary><code class="small" lang="en">{kind.get_value()} ": " {p.error}</code></details>
            </td>
            <td data-label=t(|m| m.day.attempts)>{move || if waits { say().day.a_person.to_owned() } else { (say().day.tried)(attempts) }}</td>
            <td data-label=t(|m| m.day.since)>{move || instant(&since)}</td>
            <td>
                {operates.then(|| view! { <button class="button small" disabled=form.busy on:click=retry>{t(|m| m.again)}</button> })}
                {move || form.error.get().map(|e| view! { <span class="small error" role="alert">{sentence(&e)}</span> })}
            </td>
        </tr>
    }
}
