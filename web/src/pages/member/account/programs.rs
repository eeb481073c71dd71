//! Programs that read for oneself: letting one, its secret once, and taking the right back.

use crate::api::{DateTime, command, schema};
use crate::components::copy::Copy;
use crate::components::dialog::Dialog;
use crate::components::form::{Field, Form, PasswordField, Submit};
use crate::file;
use crate::locale::{date, instant};
use crate::messages::{ProgramsPanel, Words, say, t};
use cynic::QueryFragment;
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApiScope {
    Profile,
    Accounts,
    Investments,
    Borrowing,
    Notices,
    /// One that this app does not know yet.
    #[cynic(fallback)]
    Other,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct ApiClient {
    pub id: cynic::Id,
    pub name: String,
    pub scopes: Vec<ApiScope>,
    pub created_at: DateTime,
    pub used_at: Option<DateTime>,
}

const CREATE: &str = "mutation($input: ApiClientCreateInput!) { apiClientCreate(input: $input) { created { client { id } secret } errors { code message } } }";
const REVOKE: &str = "mutation($input: ApiClientRevokeInput!) { apiClientRevoke(input: $input) { done errors { code message } } }";

/// In the order in which they are offered, as the API calls them.
const OFFERED: [(ApiScope, &str); 5] = [
    (ApiScope::Profile, "PROFILE"),
    (ApiScope::Accounts, "ACCOUNTS"),
    (ApiScope::Investments, "INVESTMENTS"),
    (ApiScope::Borrowing, "BORROWING"),
    (ApiScope::Notices, "NOTICES"),
];

#[derive(Deserialize, Clone)]
struct Created {
    client: Named,
    secret: String,
}

#[derive(Deserialize, Clone)]
struct Named {
    id: String,
}

/// What the dialog asks for.
#[derive(Clone)]
enum Stage {
    Begin,
    Keep(Created),
    Revoke(ApiClient),
}

#[component]
pub fn Programs(found: Vec<ApiClient>, changed: Callback<()>) -> impl IntoView {
    let open = RwSignal::new(false);
    let stage = RwSignal::new(Stage::Begin);
    let ask = move |wanted: Stage| {
        stage.set(wanted);
        open.set(true);
    };
    let none = found.is_empty();
    // What changed is shown once the dialog is closed: the secret stays until then.
    let dirty = RwSignal::new(false);
    Effect::new(move |_| {
        if !open.get() && dirty.get_untracked() {
            dirty.set(false);
            changed.run(());
        }
    });
    view! {
        <section class="card stack" data-programs="">
            <h2>{t(|_| ProgramsPanel::say().title)}</h2>
            <p class="small muted">{t(|_| ProgramsPanel::say().why)}</p>
            <ul class="words" hidden=none>{found.into_iter().map(|client| {
                let (scopes, created, used) = (client.scopes.clone(), client.created_at.0.clone(), client.used_at.as_ref().map(|d| d.0.clone()));
                let (name, revoked) = (client.name.clone(), client.clone());
                view! {
                    <li data-program=client.name.clone()>
                        <span class="spread">
                            <b>{name}</b>
                            <button class="button small risky" on:click=move |_| ask(Stage::Revoke(revoked.clone())) data-revoke="">{t(|_| ProgramsPanel::say().revoke)}</button>
                        </span>
                        <p class="small">{move || scopes.iter().map(|s| (ProgramsPanel::say().scope)(*s)).collect::<Vec<_>>().join(" · ")}</p>
                        <p class="small muted">
                            <code>{client.id.inner().to_string()}</code><br/>
                            {move || (say().account.since)(&date(&created))} " · "
                            {move || match &used { Some(at) => (ProgramsPanel::say().used)(&instant(at)), None => ProgramsPanel::say().unused.into() }}
                        </p>
                    </li>
                }
            }).collect_view()}</ul>
            <button class="button" on:click=move |_| ask(Stage::Begin) data-add="">{t(|_| ProgramsPanel::say().add)}</button>
        </section>
        <Dialog open title=|_| ProgramsPanel::say().title>
            {move || match stage.get() {
                Stage::Begin => view! { <Begin stage dirty/> }.into_any(),
                Stage::Keep(created) => view! { <Keep created open/> }.into_any(),
                Stage::Revoke(client) => view! { <Revoke client open dirty/> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn Begin(stage: RwSignal<Stage>, dirty: RwSignal<bool>) -> impl IntoView {
    let form = Form::new("program");
    let password = RwSignal::new(String::new());
    let chosen = move |name: &str| form.get("scopes").split(' ').any(|s| s == name);
    let choose = move |name: &'static str, wanted: bool| {
        let now = form.get("scopes");
        let rest = now.split(' ').filter(|s| !s.is_empty() && *s != name);
        form.set("scopes", rest.chain(wanted.then_some(name)).collect::<Vec<_>>().join(" "));
    };
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        if form.is_empty("name") || form.is_empty("scopes") || password.with_untracked(String::is_empty) {
            return;
        }
        let scopes = untrack(|| form.get("scopes"));
        let input = json!({
            "id": form.id(), "name": untrack(|| form.get("name")), "password": password.get_untracked(),
            "scopes": scopes.split(' ').filter(|s| !s.is_empty()).collect::<Vec<_>>(),
        });
        form.send(command::send::<Created>(CREATE, input), move |created| {
            dirty.set(true);
            stage.set(Stage::Keep(created));
        });
    };
    let named = Callback::new(|typed: String| match typed.trim().is_empty() {
        true => Err(ProgramsPanel::say().name_missing.to_string()),
        false => Ok(ProgramsPanel::say().name_means.to_string()),
    });
    let none = move || form.tried.get() && form.is_empty("scopes");
    let asked = move || form.tried.get() && password.with(String::is_empty);
    view! {
        <form class="stack" on:submit=submit novalidate data-program-form="">
            <p>{t(|_| ProgramsPanel::say().reads_only)}</p>
            <Field form name="name" label=Signal::derive(|| ProgramsPanel::say().name.to_string()) check=named/>
            <fieldset class="stack" aria-describedby="scopes-hint">
                <legend>{t(|_| ProgramsPanel::say().may_read)}</legend>
                {OFFERED.into_iter().map(|(scope, name)| view! {
                    <label class="check">
                        <input type="checkbox" name=name prop:checked=move || chosen(name) on:change=move |e| choose(name, event_target_checked(&e))/>
                        <span>{move || (ProgramsPanel::say().scope)(scope)}</span>
                    </label>
                }).collect_view()}
                <span class="small error" id="scopes-hint">{move || none().then(|| ProgramsPanel::say().scopes_missing)}</span>
            </fieldset>
            <PasswordField name="program-password" value=password label=|m| m.account.current complete="current-password"
                hint=Signal::derive(move || if asked() { Err(ProgramsPanel::say().password_missing.into()) } else { Ok(String::new()) })/>
            <Submit form words=Signal::derive(|| ProgramsPanel::say().add.to_string())/>
        </form>
    }
}

/// Its secret, once.
#[component]
fn Keep(created: Created, open: RwSignal<bool>) -> impl IntoView {
    let origin = window().location().origin().unwrap_or_default();
    let token = format!("{origin}/oauth/token");
    let (id, secret) = (created.client.id, created.secret);
    let text = format!("client_id={id}\nclient_secret={secret}\ntoken_url={token}\n");
    let save = move |_| file::save("counterfoil-program.env", "text/plain", &text.clone().into());
    view! {
        <div class="stack" data-program-made="">
            <p class="notice good" role="status">{t(|_| ProgramsPanel::say().made)}</p>
            <dl class="facts one">
                <div><dt>"client_id"</dt><dd><code class="detail" data-client-id="">{id}</code></dd></div>
                <div><dt>"client_secret"</dt><dd><code class="detail" data-client-secret="">{secret.clone()}</code> <Copy text=secret/></dd></div>
                <div><dt>"token_url"</dt><dd><code class="detail">{token}</code></dd></div>
            </dl>
            <p class="row">
                <button class="button" type="button" on:click=save>{t(|m| m.factor.save)}</button>
                <button class="button primary" type="button" on:click=move |_| open.set(false) data-kept="">{t(|_| ProgramsPanel::say().kept)}</button>
            </p>
        </div>
    }
}

#[component]
fn Revoke(client: ApiClient, open: RwSignal<bool>, dirty: RwSignal<bool>) -> impl IntoView {
    let form = Form::new("program-revoke");
    let name = client.name.clone();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let input = json!({ "client": client.id.inner() });
        form.send(command::send::<Value>(REVOKE, input), move |_| {
            dirty.set(true);
            open.set(false);
        });
    };
    view! {
        <form class="stack" on:submit=submit novalidate>
            <p>{move || (ProgramsPanel::say().revoke_means)(&name)}</p>
            <Submit form risky=true words=Signal::derive(|| ProgramsPanel::say().revoke.to_string())/>
        </form>
    }
}
