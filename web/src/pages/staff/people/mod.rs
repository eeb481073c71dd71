//! Who works here: inviting somebody takes one administrator, letting them in a second one.

use crate::api::{self, DateTime, Failure, command, schema};
use crate::components::form::{Choice, Field, Form, Submit};
use crate::components::loaded::Loaded;
use crate::components::member::Staff;
use crate::locale::instant;
use crate::messages::{say, sentence, t, title};
use crate::page::Page;
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
    pub reason: String,
    pub proposed_at: DateTime,
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
        <Title text=title(|m| m.people.title)/>
        <Staff>{|| {
            let admin = session::has_any(&[Role::Administrator]);
            if admin {
                view! { <Inside/> }.into_any()
            } else {
                view! { <div class="card stack empty"><h1>{t(|m| m.people.title)}</h1><p class="muted">{t(|m| m.people.admins_only)}</p></div> }.into_any()
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
        <h1>{t(|m| m.people.title)}</h1>
        <div class="columns two">
            <Inviting again/>
            <section class="card stack">
                <h2>{t(|m| m.people.waiting)}</h2>
                {move || link.get().map(|l| view! {
                    <div class="notice good" role="status">
                        <p>{t(|m| m.people.hand_over)}</p>
                        <code class="link" data-link="">{l}</code>
                    </div>
                })}
                {changes.view(3, move |all| if all.is_empty() {
                    view! { <p class="muted">{t(|m| m.people.none)}</p> }.into_any()
                } else {
                    view! { <ul class="words">{all.into_iter().map(|c| view! { <Waiting c again link/> }).collect_view()}</ul> }.into_any()
                })}
            </section>
        </div>
    }
}

#[component]
fn Inviting(again: Callback<()>) -> impl IntoView {
    let form = Form::new("invite").or("role", ROLES[0].0);
    let check = Callback::new(|typed: String| {
        if typed.trim().is_empty() {
            Err(say().people.reason_missing.into())
        } else {
            Ok(say().people.reason_hint.into())
        }
    });
    let sent = RwSignal::new(false);
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
            <h2>{t(|m| m.people.invite)}</h2>
            <p class="small muted">{t(|m| m.people.invite_means)}</p>
            <form class="stack" on:submit=submit novalidate>
                <Choice form name="role" label=|m| m.people.role options/>
                <Field form name="reason" label=Signal::derive(|| say().task.reason.to_string()) check/>
                {move || sent.get().then(|| view! { <p class="notice good" role="status">{t(|m| m.people.sent)}</p> })}
                <Submit form words=Signal::derive(|| say().people.invite.to_string())/>
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
            <p><b>{move || (say().people.kind)(kind)}</b> {move || role.map(|r| format!(": {}", (say().role)(r)))}
                <span class="small muted"> " " {move || instant(&at)}</span></p>
            <p>{c.reason}</p>
            {move || error.get().map(|e| view! { <p class="small error" role="alert">{sentence(&e)}</p> })}
            <p class="row">
                <button class="button small" disabled=busy on:click=move |_| decide(true)>{t(|m| m.task.approve)}</button>
                <button class="button small risky" disabled=busy on:click=move |_| decide(false)>{t(|m| m.task.refuse)}</button>
            </p>
        </li>
    }
}
