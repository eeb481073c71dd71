//! Who works here: inviting somebody takes one administrator, letting them in a second one.

use crate::api::{self, DateTime, Failure, command, schema};
use crate::components::copy::Copy;
use crate::components::form::{Choice, Field, Form, Submit};
use crate::components::loaded::Loaded;
use crate::components::member::Staff;
use crate::components::search::sought;
use crate::locale::instant;
use crate::messages::{FindPage, PeoplePage, TaskPage, Words, say, sentence, t, title};
use crate::page::Page;
use crate::pages::staff::find::query::Person;
use crate::pages::staff::queue::query::Who;
use crate::session::{self, Role};
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeKind {
    GrantRole,
    RevokeRole,
    InviteStaff,
    ResetCredentials,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Change {
    pub id: cynic::Id,
    pub kind: ChangeKind,
    pub role: Option<Role>,
    pub subject: Option<Who>,
    pub reason: String,
    pub proposed_at: DateTime,
    pub proposed_by_me: bool,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Changes {
    pub changes: Vec<Change>,
}

const PROPOSE: &str = "mutation($input: ChangeProposeInput!) { changePropose(input: $input) { \
    change { id } errors { code message } } }";
const DECIDE: &str = "mutation($input: ChangeDecideInput!) { changeDecide(input: $input) { \
    decided { secret } errors { code message } } }";

#[derive(Deserialize, Clone)]
struct Decided {
    secret: Option<String>,
}

/// The staff's roles, as the API writes them.
const ROLES: [(&str, Role); 5] = [
    ("CREDIT_OFFICER", Role::CreditOfficer),
    ("CREDIT_SUPERVISOR", Role::CreditSupervisor),
    ("OPERATIONS", Role::Operations),
    ("AUDITOR", Role::Auditor),
    ("ADMINISTRATOR", Role::Administrator),
];

#[component]
pub fn People() -> impl IntoView {
    view! {
        <Title text=title(|m| m.ways.people)/>
        <Staff>{|| {
            let admin = session::has_any(&[Role::Administrator]);
            if admin {
                view! { <Inside/> }.into_any()
            } else {
                view! { <div class="card stack empty"><h1>{t(|m| m.ways.people)}</h1><p class="muted">{t(|_| PeoplePage::say().admins_only)}</p></div> }.into_any()
            }
        }}</Staff>
    }
}

async fn ask() -> Result<Vec<Change>, Failure> {
    Ok(api::ask(Changes::build(())).await?.changes)
}

#[component]
fn Inside() -> impl IntoView {
    let changes = Loaded::new(ask);
    // Made by the approval of an invitation; shown to whoever approved, to be handed on.
    let link = RwSignal::new(None::<String>);
    let again = Callback::new(move |()| changes.again());
    // The other administrator proposes at another desk.
    if let Ok(timer) = set_interval_with_handle(move || changes.again(), std::time::Duration::from_secs(3)) {
        on_cleanup(move || timer.clear());
    }
    view! {
        <h1>{t(|m| m.ways.people)}</h1>
        <Everybody again decided=Signal::derive(move || changes.get())/>
        <div class="columns two">
            <Inviting again waits=Signal::derive(move || changes.get())/>
            <section class="card stack">
                <h2>{t(|_| PeoplePage::say().waiting)}</h2>
                {move || link.get().map(|l| view! {
                    <div class="notice good" role="status">
                        <p>{t(if l.contains('/') { |_| PeoplePage::say().hand_over_link } else { |_| PeoplePage::say().hand_over_password })}</p>
                        <code class="link" data-link="">{l.clone()}</code>
                        <Copy text=l/>
                    </div>
                })}
                {changes.view(3, move |all| if all.is_empty() {
                    view! { <p class="muted">{t(|_| PeoplePage::say().none)}</p> }.into_any()
                } else {
                    view! { <ul class="words">{all.into_iter().map(|c| view! { <Waiting c again link/> }).collect_view()}</ul> }.into_any()
                })}
            </section>
        </div>
    }
}

#[derive(cynic::QueryVariables, Clone)]
pub struct StaffVariables {
    pub text: String,
    pub staff: bool,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "StaffVariables")]
pub struct Known {
    #[arguments(text: $text, staff: $staff)]
    pub parties: Vec<Person>,
}

/// The staff, or whoever fits the words; each with what can be proposed about them.
#[component]
fn Everybody(again: Callback<()>, decided: Signal<Option<Vec<Change>>>) -> impl IntoView {
    let (words, field) = sought();
    let found = Loaded::new(move || {
        let text = words.get_untracked();
        // Without words the staff; with words anybody, for somebody may be given their first role of the staff.
        let staff = text.trim().is_empty();
        async move { Ok(api::ask(Known::build(StaffVariables { text, staff })).await?.parties) }
    });
    // Other words, or a change that was proposed or decided: then the roles may be others.
    Effect::new(move |before: Option<(String, Option<Vec<Change>>)>| {
        let now = (words.get(), decided.get());
        if before.is_some_and(|b| b != now) {
            found.again();
        }
        now
    });
    view! {
        <section class="card flush">
            <div class="spread inset"><h2>{move || if words.with(|w| w.trim().is_empty()) { PeoplePage::say().staff } else { PeoplePage::say().found }}</h2> {field(|_| PeoplePage::say().search)}</div>
            {found.view(4, move |all| if all.is_empty() {
                view! { <p class="inset muted">{t(|_| FindPage::say().nothing)}</p> }.into_any()
            } else {
                view! {
                    <table class="listings">
                        <thead><tr><th>{t(|_| PeoplePage::say().name)}</th><th>{t(|m| m.entrance.email)}</th><th>{t(|m| m.account.roles)}</th><th><span class="visually-hidden">{t(|m| m.action)}</span></th></tr></thead>
                        <tbody>{all.into_iter().map(|p| view! { <Row p again/> }).collect_view()}</tbody>
                    </table>
                }
                .into_any()
            })}
        </section>
    }
}

#[component]
fn Row(p: Person, again: Callback<()>) -> impl IntoView {
    let open = RwSignal::new(false);
    let (roles, email) = (p.roles.clone(), p.email.clone());
    let person = StoredValue::new(p.clone());
    view! {
        <tr data-person=p.email>
            <td class="lead-cell"><b>{p.name}</b></td>
            <td class="wide" data-label=t(|m| m.entrance.email)>{email}</td>
            <td data-label=t(|m| m.account.roles)>{move || roles.iter().map(|r| (say().role)(*r)).collect::<Vec<_>>().join(", ")}</td>
            <td class="numeric"><button class="button small" type="button" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|o| *o = !*o)>{t(|_| PeoplePage::say().propose)}</button></td>
        </tr>
        {move || open.get().then(|| view! { <tr class="beneath"><td colspan="4" class="wide"><Proposing p=person.get_value() again open/></td></tr> })}
    }
}

/// A change of what somebody may do, which another administrator must approve.
#[component]
fn Proposing(p: Person, again: Callback<()>, open: RwSignal<bool>) -> impl IntoView {
    let form = Form::new(format!("change.{}", p.id.inner())).or("what", "");
    let holds = p.roles.clone();
    let options = Signal::derive(move || {
        let role = |held: bool, words: fn(&str) -> String, mark: &'static str| {
            let of = holds.clone();
            ROLES
                .into_iter()
                .filter(move |(_, role)| of.contains(role) == held)
                .map(move |(code, role)| (format!("{mark}{code}"), words((say().role)(role))))
        };
        role(false, PeoplePage::say().give, "+")
            .chain(role(true, PeoplePage::say().take, "-"))
            .chain(std::iter::once((
                "reset".to_string(),
                (PeoplePage::say().kind)(ChangeKind::ResetCredentials).to_string(),
            )))
            .collect::<Vec<_>>()
    });
    let id = StoredValue::new(p.id.inner().to_string());
    let check = Callback::new(|typed: String| {
        if typed.trim().is_empty() {
            Err(PeoplePage::say().reason_missing.into())
        } else {
            Ok(PeoplePage::say().reason_hint.into())
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        if untrack(|| form.is_empty("why") || form.is_empty("what")) {
            return;
        }
        let what = untrack(|| form.get("what"));
        let party = id.get_value();
        let change = match (what.strip_prefix('+'), what.strip_prefix('-')) {
            (Some(role), _) => json!({ "grantRole": { "party": party, "role": role } }),
            (_, Some(role)) => json!({ "revokeRole": { "party": party, "role": role } }),
            _ => json!({ "resetCredentials": party }),
        };
        let input = untrack(|| json!({ "id": form.id(), "change": change, "reason": form.get("why") }));
        form.send(command::send::<Value>(PROPOSE, input), move |_| {
            again.run(());
            open.set(false);
        });
    };
    view! {
        <form class="row fields" on:submit=submit novalidate data-propose="">
            <Choice form name="what" label=|_| PeoplePage::say().change options missing=|m| m.choose/>
            <Field form name="why" label=Signal::derive(|| TaskPage::say().reason.to_string()) check/>
            <Submit form words=Signal::derive(|| PeoplePage::say().propose.to_string())/>
        </form>
    }
}

#[component]
fn Inviting(again: Callback<()>, waits: Signal<Option<Vec<Change>>>) -> impl IntoView {
    let form = Form::new("invite").or("role", ROLES[0].0);
    let check = Callback::new(|typed: String| {
        if typed.trim().is_empty() {
            Err(PeoplePage::say().reason_missing.into())
        } else {
            Ok(PeoplePage::say().reason_hint.into())
        }
    });
    let sent = RwSignal::new(false);
    // Once nothing waits any more that is no news.
    Effect::new(move |_| {
        if waits.with(|all| all.as_ref().is_some_and(Vec::is_empty)) {
            sent.set(false);
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        if untrack(|| form.is_empty("reason")) {
            return;
        }
        let input = untrack(
            || json!({ "id": form.id(), "change": { "inviteStaff": form.get("role") }, "reason": form.get("reason") }),
        );
        form.send(command::send::<Value>(PROPOSE, input), move |_| {
            sent.set(true);
            again.run(());
        });
    };
    let options = Signal::derive(|| {
        ROLES.map(|(code, role)| (code.to_string(), (say().role)(role).to_string())).to_vec()
    });
    view! {
        <section class="card stack">
            <h2>{t(|_| PeoplePage::say().invite)}</h2>
            <p class="small muted">{t(|_| PeoplePage::say().invite_means)}</p>
            <form class="stack" on:submit=submit novalidate>
                <Choice form name="role" label=|_| PeoplePage::say().role options/>
                <Field form name="reason" label=Signal::derive(|| TaskPage::say().reason.to_string()) check/>
                {move || sent.get().then(|| view! { <p class="notice good" role="status">{t(|_| PeoplePage::say().sent)}</p> })}
                <Submit form words=Signal::derive(|| PeoplePage::say().invite.to_string())/>
            </form>
        </section>
    }
}

#[component]
fn Waiting(c: Change, again: Callback<()>, link: RwSignal<Option<String>>) -> impl IntoView {
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<Failure>);
    let kind = c.kind;
    let id = StoredValue::new(c.id.inner().to_string());
    let decide = move |approve: bool| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let input = json!({ "change": id.get_value(), "approve": approve });
            let outcome = command::send::<Option<Decided>>(DECIDE, input).await;
            busy.try_set(false);
            match outcome {
                Ok(decided) => {
                    let origin = window().location().origin().unwrap_or_default();
                    // A link that was not handed over yet stays until there is another.
                    if let Some(secret) = decided.and_then(|d| d.secret) {
                        link.try_set(Some(match kind {
                            ChangeKind::ResetCredentials => secret,
                            _ => format!("{origin}{}", Page::Invitation(secret).path()),
                        }));
                    }
                    again.try_run(());
                }
                Err(failure) => {
                    error.try_set(Some(failure));
                }
            }
        });
    };
    let (role, at) = (c.role, c.proposed_at.0);
    view! {
        <li class="stack" data-change=format!("{kind:?}")>
            <p><b>{move || (PeoplePage::say().kind)(kind)}</b> {c.subject.map(|s| format!(" — {}", s.name))} {move || role.map(|r| format!(": {}", (say().role)(r)))}
                <span class="small muted"> " " {move || instant(&at)}</span></p>
            <p>{c.reason}</p>
            {move || error.get().map(|e| view! { <p class="small error" role="alert">{sentence(&e)}</p> })}
            {c.proposed_by_me.then(|| view! { <p class="small muted">{t(|_| PeoplePage::say().yours)}</p> })}
            <p class="row" hidden=c.proposed_by_me>
                <button class="button small" disabled=busy on:click=move |_| decide(true)>{t(|_| TaskPage::say().approve)}</button>
                <button class="button small risky" disabled=busy on:click=move |_| decide(false)>{t(|_| TaskPage::say().refuse)}</button>
            </p>
        </li>
    }
}
