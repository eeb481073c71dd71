//! One decision: all it takes to judge it, what the first said, and one's own word. An application that waits for its rate
//! is judged by the same figures.

pub mod query;

use crate::api::{self, Decimal, Failure, command, live};
use crate::components::amount::{money, text};
use crate::components::dialog::Dialog;
use crate::components::documents::Documents;
use crate::components::form::{Field, Form, Submit};
use crate::components::funding::LineState;
use crate::components::loaded::Loaded;
use crate::components::member::Staff;
use crate::components::named::Named;
use crate::components::notice::{Skeleton, Trouble};
use crate::locale::{age, instant, number, plain};
use crate::messages::{ApplyPage, Messages, QueuePage, TaskPage, Words, say, t};
use crate::outlook::monthly;
use crate::page::Page;
use crate::pages::borrower::loans::query::ApplicationStatus;
use crate::pages::public::marketplace::query::ListingStatus;
use crate::pages::staff::queue::Claim;
use crate::pages::staff::queue::query::{Approval, CHANGES, Change, TaskKind, TaskStatus};
use crate::session::{self, Role};
use cynic::QueryBuilder;
use finance::{Money, Rate};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use query::*;
use serde_json::{Map, Value, json};

#[component]
pub fn Task(id: String) -> impl IntoView {
    let id = StoredValue::new(id);
    view! { <Staff>{move || view! { <Deciding id=id.get_value()/> }}</Staff> }
}

#[component]
pub fn ApplicationPage(id: String) -> impl IntoView {
    let id = StoredValue::new(id);
    view! { <Staff>{move || view! { <Rating id=id.get_value()/> }}</Staff> }
}

/// An id that is none is to a person the same as one that leads nowhere.
fn none_if_malformed<T>(found: Result<Option<T>, Failure>) -> Result<Option<T>, Failure> {
    match found {
        Err(failure) if failure.code == "BAD_USER_INPUT" => Ok(None),
        other => other,
    }
}

fn nowhere() -> AnyView {
    view! {
        <div class="card stack empty"><h1>{t(|_| TaskPage::say().none)}</h1><p><A href=Page::Queue.path()>{t(|m| m.ways.queue)}</A></p></div>
    }
    .into_any()
}

#[component]
fn Deciding(id: String) -> impl IntoView {
    let asked = id.clone();
    let loaded = Loaded::new(move || {
        let id = cynic::Id::new(asked.clone());
        async move { none_if_malformed(api::ask(FoundTask::build(IdVariables { id })).await.map(|f| f.task)) }
    });
    live::follow(CHANGES, "taskChanged", Map::new(), move |change| {
        let Some(Change { task }) = live::read(change) else { return };
        if task.id.inner() == id {
            loaded.again();
        }
    });
    // What the second word has set going goes on at the custodian.
    loaded.while_waiting(|task: &Option<Whole>| {
        let under_way = |s: &Subject| {
            match s {
                Subject::Listing(l) => matches!(l.status, ListingStatus::Filled | ListingStatus::Disbursing),
                // What it becomes follows the decision a moment later.
                Subject::Application(a) => {
                    matches!(a.status, ApplicationStatus::Submitted | ApplicationStatus::InReview)
                }
                _ => false,
            }
        };
        task.as_ref()
            .is_some_and(|t| t.status == TaskStatus::Approved && t.subject.as_ref().is_some_and(under_way))
    });
    let again = Callback::new(move |()| loaded.again());
    let task = Memo::new(move |_| loaded.get().flatten());
    // Whether there is one; what changes about it is drawn in its place, so that nobody loses theirs while typing.
    let state = Memo::new(move |_| loaded.state(Option::is_some));
    move || match state.get() {
        None => view! { <div class="card"><Skeleton lines=10/></div> }.into_any(),
        Some(Err(failure)) => view! { <Trouble failure again/> }.into_any(),
        Some(Ok(false)) => nowhere(),
        Some(Ok(true)) => view! { <Decision task again/> }.into_any(),
    }
}

#[component]
fn Decision(task: Memo<Option<Whole>>, again: Callback<()>) -> impl IntoView {
    let mail = StoredValue::new(session::email().unwrap_or_default());
    let subject = Memo::new(move |_| task.get().and_then(|t| t.subject));
    let holder =
        Memo::new(move |_| task.with(|t| t.as_ref()?.claimed_by.as_ref().map(|who| who.email.clone())));
    // What one may say: nothing any more, or nothing, or no second time, or one's word.
    let turn = Memo::new(move |_| {
        let task = task.get()?;
        let spoke =
            mail.with_value(|m| task.approvals.iter().any(|a| a.by.as_ref().is_some_and(|b| b.email == *m)));
        let may = session::has_any(&task.roles);
        // With the second word money moves.
        let moves = matches!(task.kind, TaskKind::Disbursement | TaskKind::DisbursementUndo);
        let last = moves && task.approvals.iter().any(|a| a.approve);
        (!task.status.is_over()).then(|| (task.id.inner().to_string(), task.kind, may, spoke, last))
    });
    view! {
        <p class="small"><A href=Page::Queue.path()>{t(|m| m.ways.queue)}</A></p>
        {move || task.get().map(head)}
        <div class="columns two review">
            <div class="stack">{move || subject.get().map(matter)}</div>
            <section class="card stack">
                <h2>{t(|_| TaskPage::say().words)}</h2>
                {move || task.get().map(|task| {
                    let said = task.approvals;
                    // Whoever has said their word has nothing left to work on.
                    let may_claim = task.waits_for_me || task.claimed_by.is_some();
                    view! {
                        {if said.is_empty() {
                            view! { <p class="muted">{t(|_| TaskPage::say().nobody_yet)}</p> }.into_any()
                        } else {
                            view! { <ul class="words">{said.into_iter().map(word).collect_view()}</ul> }.into_any()
                        }}
                        {(!task.status.is_over() && may_claim).then(|| view! {
                            <p class="row"><span class="small muted">{t(if task.claimed_by.is_some() { |_| QueuePage::say().with } else { |_| TaskPage::say().claim_means })}</span> <Claim id=task.id waits_for_me=task.waits_for_me claimed_by=task.claimed_by/></p>
                        })}
                    }
                })}
                {move || task.get().filter(|t| t.status.is_over()).map(|over| {
                    let kind = over.kind;
                    let approved = over.status == TaskStatus::Approved;
                    view! {
                        <p class="notice" class:good=approved data-outcome="">
                            <span>{move || if approved { (TaskPage::say().approved_then)(kind) } else { TaskPage::say().refused_then }}</span>
                            <A attr:class="button small" href=Page::Queue.path()>{t(|_| TaskPage::say().to_queue)}</A>
                        </p>
                    }
                })}
                {move || turn.get().map(|(id, kind, may, spoke, last)| match (may, spoke) {
                    // Why not, rather than a button that is not there.
                    (false, _) => view! { <p class="notice">{move || (TaskPage::say().not_yours)(kind)}</p> }.into_any(),
                    (true, true) => view! { <p class="notice">{t(|_| TaskPage::say().spoke)}</p> }.into_any(),
                    (true, false) => {
                        let second = task.with_untracked(|t| t.as_ref().is_some_and(|t| !t.approvals.is_empty()));
                        view! { <Word id kind last second holder again/> }.into_any()
                    }
                })}
            </section>
        </div>
    }
}

fn head(task: Whole) -> AnyView {
    let (kind, status, opened) = (task.kind, task.status, task.opened_at.0);
    let about = match task.subject {
        Some(Subject::Application(a)) => a.purpose,
        Some(Subject::Listing(l)) => l.purpose,
        _ => task.about.clone(),
    };
    view! {
        <Title text=format!("{} · Counterfoil", task.about)/>
        <div class="spread">
            <h1>{move || (say().task_kind)(kind)} ": " {about} " " <span class=status.mark() data-status=format!("{status:?}")>{move || (say().task_status)(status)}</span></h1>
            <span class="row"><span class="small muted">{move || (!status.is_over()).then(|| (TaskPage::say().opened)(&age(&opened)))}</span><LineState/></span>
        </div>
    }
    .into_any()
}

/// What it is about.
fn matter(subject: Subject) -> AnyView {
    match subject {
        Subject::Application(a) => view! { <Figures a/> }.into_any(),
        Subject::Listing(l) => view! { <Payout l/> }.into_any(),
        Subject::Loan(l) => {
            let (principal, outstanding) = (l.principal, l.outstanding);
            view! {
                <section class="card stack"><dl class="facts">
                    <div><dt>{t(|m| m.loans.borrowed)}</dt><dd>{move || text(&principal)}</dd></div>
                    <div><dt>{t(|m| m.loans.owed)}</dt><dd>{move || text(&outstanding)}</dd></div>
                </dl></section>
            }
            .into_any()
        }
        Subject::Other => ().into_any(),
    }
}

fn word(a: Approval) -> impl IntoView {
    let (approve, role, at) = (a.approve, a.role, a.at.0);
    view! {
        <li data-word=approve.to_string()>
            <span class=if approve { "tag ok" } else { "tag bad" }>{move || if approve { TaskPage::say().approved } else { TaskPage::say().refused }}</span>
            " " <b>{a.by.map(|b| b.name)}</b> " " <span class="small muted">{move || (say().role)(role)} " · " <span class="nowrap">{move || instant(&at)}</span></span>
            {(!a.note.is_empty()).then(|| view! { <p class="story">{a.note}</p> })}
        </li>
    }
}

/// One's own word, with its reason.
#[component]
fn Word(
    id: String,
    kind: TaskKind,
    last: bool,
    second: bool,
    holder: Memo<Option<String>>,
    again: Callback<()>,
) -> impl IntoView {
    let form = Form::new(format!("word.{id}"));
    let task = StoredValue::new(id);
    let refusing = RwSignal::new(false);
    // What was asked for before somebody took it on, or gave it up, is not asked for any more.
    Effect::new(move |before: Option<()>| {
        holder.track();
        if before.is_some() {
            refusing.set(false);
            form.tried.set(false);
        }
    });
    let check = Callback::new(move |note: String| {
        if refusing.get() && note.trim().is_empty() {
            Err(TaskPage::say().reason_missing.into())
        } else {
            Ok(if second { TaskPage::say().reason_kept } else { TaskPage::say().reason_hint }.into())
        }
    });
    let say_it = move |approve: bool| {
        refusing.set(!approve);
        form.tried.set(!approve);
        let note = untrack(|| form.get("note"));
        let input = json!({ "task": task.get_value(), "approve": approve, "note": note });
        form.send(command::send::<Value>(DECIDE, input), move |_| again.run(()));
    };
    let (sure, sure_not) = (RwSignal::new(false), RwSignal::new(false));
    // One refusal ends it: it asks once more, with the reason there.
    let refuse = move |_| {
        refusing.set(true);
        form.tried.set(true);
        sure_not.set(!untrack(|| form.is_empty("note")));
    };
    let submit = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        if last {
            sure.set(true);
        } else {
            say_it(true);
        }
    };
    view! {
        <Dialog open=sure title=|_| TaskPage::say().sure>
            <p>{move || (TaskPage::say().moves)(kind)}</p>
            <div class="row">
                <button type="button" class="button primary" disabled=form.busy data-sure="" on:click=move |_| { sure.set(false); say_it(true); }>{t(|_| TaskPage::say().sure_yes)}</button>
                <button type="button" class="button" on:click=move |_| sure.set(false)>{t(|m| m.cancel)}</button>
            </div>
        </Dialog>
        <Dialog open=sure_not title=|_| TaskPage::say().sure_not>
            <p>{move || (TaskPage::say().refusal_means)(kind)}</p>
            <p class="story">{move || form.get("note")}</p>
            <div class="row">
                <button type="button" class="button risky" disabled=form.busy data-sure-not="" on:click=move |_| { sure_not.set(false); say_it(false); }>{t(|_| TaskPage::say().refuse)}</button>
                <button type="button" class="button" on:click=move |_| sure_not.set(false)>{t(|m| m.cancel)}</button>
            </div>
        </Dialog>
        <form class="stack" on:submit=submit>
            <p class="small">{move || (TaskPage::say().means)(kind)}</p>
            <Field form name="note" label=Signal::derive(|| TaskPage::say().reason.to_string()) check long=true/>
            <div class="row">
                <Submit form words=Signal::derive(|| TaskPage::say().approve.to_string())/>
                <button type="button" class="button risky" disabled=form.busy on:click=refuse data-refuse="">{t(|_| TaskPage::say().refuse)}</button>
            </div>
        </form>
    }
}

/// An application, as whoever judges it needs it: who, what for, and what is left of what they earn.
#[component]
fn Figures(a: Application) -> impl IntoView {
    let amount = a.amount.exact();
    let at_rate = a.rate.as_ref().and_then(Decimal::rate).or_else(|| a.product.rate_max.rate());
    let months = u32::try_from(a.term_months).unwrap_or(0);
    let pays = amount.and_then(|m| monthly(m, at_rate?, months)).map(|(pays, _)| pays);
    let income = a
        .annual_income
        .as_ref()
        .and_then(api::Money::exact)
        .map(|m| Money::new(m.minor() / 12, m.currency()));
    let owes = a.monthly_obligations.as_ref().and_then(api::Money::exact);
    // Of the monthly income, what this loan and what is owed already would take: in thousandths, to the nearest.
    let burden = pays.zip(income).filter(|(_, i)| i.is_positive()).map(|(p, i)| {
        let all = i128::from(p.minor()) + owes.map_or(0, |o| i128::from(o.minor()));
        (all * 1_000 + i128::from(i.minor()) / 2) / i128::from(i.minor())
    });
    let fact = |label: fn(&Messages) -> &'static str, words: Option<String>| {
        let words = words.unwrap_or_else(|| "—".into());
        view! { <div><dt>{t(label)}</dt><dd>{words}</dd></div> }
    };
    let rate = a.rate.as_ref().map(Decimal::percent_in_line);
    let rated = rate.is_some();
    let lacking: Vec<fn(&Messages) -> &'static str> = [
        (
            a.annual_income.is_none(),
            (|_: &Messages| TaskPage::say().no_income) as fn(&Messages) -> &'static str,
        ),
        (a.documents.is_empty(), |_| TaskPage::say().no_documents),
        (!a.has_cash_account, |_| TaskPage::say().no_cash_account),
    ]
    .into_iter()
    .filter_map(|(lacks, words)| lacks.then_some(words))
    .collect();
    let waits = matches!(a.status, ApplicationStatus::Submitted | ApplicationStatus::InReview);
    let sent = a.submitted_at.0.clone();
    let (status, story) = (a.status, a.story.clone());
    view! {
        <section class="card stack" data-figures="">
            <div class="spread">
                <h2>{t(|_| TaskPage::say().application)}</h2>
                <span class=status.mark()>{move || (say().application_status)(status)}</span>
            </div>
            {a.borrower.map(|who| view! { <p><Named who/></p> })}
            {move || {
                let rate = rate.clone();
                view! {
                    <dl class="facts">
                        {fact(|m| m.amount, Some(text(&a.amount)))}
                        {fact(|m| m.months, Some(a.term_months.to_string()))}
                        {fact(|m| m.rate_a_year, rate.map(|r| format!("{}\u{a0}%", number(&r))))}
                        {fact(|m| m.listing.borrower_pays, pays.map(|m| if rated { money(&m) } else { (TaskPage::say().at_most)(&money(&m)) }))}
                        {fact(|_| ApplyPage::say().income, a.annual_income.as_ref().map(text))}
                        {fact(|_| TaskPage::say().owes, a.monthly_obligations.as_ref().map(text))}
                        {fact(|_| TaskPage::say().years, a.employed_years.map(|y| y.to_string()))}
                        {fact(|_| TaskPage::say().burden, burden.map(|b| format!("{}\u{a0}%", number(&format!("{}.{}", b / 10, b % 10)))))}
                    </dl>
                }
            }}
            {(waits && !lacking.is_empty()).then(|| view! {
                <div class="notice warn" data-lacking="">
                    <b>{t(|_| TaskPage::say().lacking)}</b>
                    <ul>{lacking.into_iter().map(|words| view! { <li>{t(words)}</li> }).collect_view()}</ul>
                </div>
            })}
            {a.listing.map(|l| view! { <p class="notice good"><A href=Page::Listing(l.id.inner().into()).path()>{t(|_| TaskPage::say().on_market)}</A></p> })}
            <h2>{t(|m| m.listing.words)}</h2>
            <p class="story">{move || if story.is_empty() { say().listing.no_words.to_string() } else { story.clone() }}</p>
            <Documents application=a.id.inner().to_string() all=a.documents/>
            <p class="small muted">{move || (TaskPage::say().sent)(&instant(&sent))}</p>
        </section>
    }
}

/// A listing whose money is to be paid out, or given back.
#[component]
fn Payout(l: Offered) -> impl IntoView {
    let (status, rate) = (l.status, l.yearly.percent_in_line());
    let (amount, funded, fee) = (l.amount, l.funded, l.fee);
    let forbidden = l.fee_allowed == Some(false);
    view! {
        <section class="card stack">
            <div class="spread">
                <h2><A href=Page::Listing(l.id.inner().into()).path()>{l.purpose}</A></h2>
                <span class=status.mark()>{move || (say().listing_status)(status)}</span>
            </div>
            {l.borrower.map(|who| view! { <p><Named who/></p> })}
            {(forbidden && status == ListingStatus::Filled).then(|| view! { <p class="notice warn" data-fee-forbidden="">{t(|_| TaskPage::say().fee_forbidden)}</p> })}
            <dl class="facts">
                <div><dt>{t(|m| m.amount)}</dt><dd>{move || text(&amount)}</dd></div>
                <div><dt>{t(|m| m.funded)}</dt><dd>{move || text(&funded)}</dd></div>
                <div><dt>{t(|_| ApplyPage::say().fee)}</dt><dd>{move || text(&fee)}</dd></div>
                <div><dt>{t(|m| m.rate_a_year)}</dt><dd>{move || number(&rate)} "\u{a0}%"</dd></div>
                <div><dt>{t(|m| m.months)}</dt><dd>{l.term_months}</dd></div>
            </dl>
        </section>
    }
}

#[component]
fn Rating(id: String) -> impl IntoView {
    let loaded = Loaded::new(move || {
        let id = cynic::Id::new(id.clone());
        async move {
            none_if_malformed(
                api::ask(FoundApplication::build(IdVariables { id })).await.map(|f| f.application),
            )
        }
    });
    loaded.view(10, move |found| match found {
        None => nowhere(),
        Some(a) => view! {
            <Title text=format!("{} · Counterfoil", a.purpose)/>
            <p class="small"><A href=Page::Queue.path()>{t(|m| m.ways.queue)}</A></p>
            <h1>{a.purpose.clone()}</h1>
            <div class="columns two review">
                <Figures a=a.clone()/>
                <SetRate a again=Callback::new(move |()| loaded.again())/>
            </div>
        }
        .into_any(),
    })
}

/// What a person typed as per cent, as a rate.
fn percent(typed: &str) -> Option<Rate> {
    Rate::parse_percent(plain(typed).trim().trim_end_matches('%').trim()).ok()
}

#[component]
fn SetRate(a: Application, again: Callback<()>) -> impl IntoView {
    if a.status != ApplicationStatus::Submitted {
        let task = a.decision_task_id.filter(|_| a.status == ApplicationStatus::InReview);
        return view! {
            <section class="card stack">
                <p>{t(|_| TaskPage::say().rate_set)}</p>
                {task.map(|id| view! { <p><A attr:class="button primary" href=Page::Task(id.inner().into()).path()>{t(|_| TaskPage::say().say_word)}</A></p> })}
            </section>
        }
        .into_any();
    }
    if !session::has_any(&[Role::CreditOfficer]) {
        return view! { <section class="card"><p class="notice">{t(|_| TaskPage::say().officers_rate)}</p></section> }
            .into_any();
    }
    let form = Form::new(format!("rate.{}", a.id.inner()));
    let (low, high) = (a.product.rate_min.clone(), a.product.rate_max.clone());
    let (amount, months) = (a.amount.exact(), u32::try_from(a.term_months).unwrap_or(0));
    let band = StoredValue::new((low, high));
    let read = move |typed: &str| {
        let rate = percent(typed);
        band.with_value(|(low, high)| {
            let between =
                || (TaskPage::say().rate_between)(&number(&low.percent()), &number(&high.percent()));
            match (rate, low.rate(), high.rate()) {
                // What cannot be read is not called too small or too large.
                (None, ..) if !typed.trim().is_empty() => Err((say().reckon.percent_form)(&number("12.5"))),
                (Some(r), Some(l), Some(h)) if (l..=h).contains(&r) => Ok(r),
                _ => Err(between()),
            }
        })
    };
    let check = Callback::new(move |typed: String| {
        if typed.trim().is_empty() && !form.tried.get() {
            return Ok(read("").err().unwrap_or_default());
        }
        read(&typed).map(|rate| {
            let pays = amount.and_then(|m| monthly(m, rate, months));
            pays.map(|(m, _)| (TaskPage::say().then_pays)(&money(&m))).unwrap_or_default()
        })
    });
    let application = StoredValue::new(a.id.inner().to_string());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let Ok(rate) = untrack(|| read(&form.get("rate"))) else { return };
        let input = json!({ "application": application.get_value(), "rate": Decimal::from(rate).0 });
        form.send(command::send::<Value>(RATE, input), move |_| again.run(()));
    };
    view! {
        <section class="card stack">
            <h2>{t(|_| TaskPage::say().set_rate)}</h2>
            <p class="small muted">{t(|_| TaskPage::say().set_rate_means)}</p>
            <form class="stack" on:submit=submit novalidate>
                <Field form name="rate" label=Signal::derive(|| say().reckon.rate_percent.to_string()) check kind="decimal"/>
                <Submit form words=Signal::derive(|| TaskPage::say().set_rate.to_string())/>
            </form>
        </section>
    }
    .into_any()
}
