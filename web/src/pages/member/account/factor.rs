//! A second factor: setting it up, its recovery codes, and turning it off.

use crate::api::{DateTime, command, schema};
use crate::components::dialog::Dialog;
use crate::components::form::{CodeField, Form, PasswordField, Submit};
use crate::draft;
use crate::file;
use crate::locale::date;
use crate::messages::{say, t};
use cynic::QueryFragment;
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct SecondFactor {
    pub since: Option<DateTime>,
    pub recovery_codes_left: i32,
}

const BEGIN: &str = "mutation($input: SecondFactorBeginInput!) { secondFactorBegin(input: $input) { setup { secret uri picture } errors { code message } } }";
const CONFIRM: &str = "mutation($input: SecondFactorConfirmInput!) { secondFactorConfirm(input: $input) { recovery { codes } errors { code message } } }";
const RENEW: &str = "mutation($input: RecoveryCodesRenewInput!) { recoveryCodesRenew(input: $input) { recovery { codes } errors { code message } } }";
const REMOVE: &str = "mutation($input: SecondFactorRemoveInput!) { secondFactorRemove(input: $input) { done errors { code message } } }";

#[derive(Deserialize, Clone)]
struct Setup {
    secret: String,
    uri: String,
    picture: String,
}

#[derive(Deserialize, Clone)]
struct Recovery {
    codes: Vec<String>,
}

/// What the dialog asks for.
#[derive(Clone)]
enum Stage {
    Begin,
    Scan(Setup),
    Keep(Recovery),
    Renew,
    Remove,
}

#[component]
pub fn Factor(found: SecondFactor, changed: Callback<()>) -> impl IntoView {
    let open = RwSignal::new(false);
    let stage = RwSignal::new(Stage::Begin);
    let ask = move |wanted: Stage| {
        stage.set(wanted);
        open.set(true);
    };
    // What changed is shown once the dialog is closed: the recovery codes stay until then.
    let dirty = RwSignal::new(false);
    Effect::new(move |_| {
        if !open.get() && dirty.get_untracked() {
            dirty.set(false);
            changed.run(());
        }
    });
    let (on, left) = (found.since.is_some(), found.recovery_codes_left);
    view! {
        <section class="card stack" data-factor=on.to_string()>
            <h2>{t(|m| m.factor.title)}</h2>
            {match found.since {
                None => view! {
                    <p class="small muted">{t(|m| m.factor.why)}</p>
                    <button class="button" on:click=move |_| ask(Stage::Begin) data-set-up="">{t(|m| m.factor.set_up)}</button>
                }
                .into_any(),
                Some(since) => view! {
                    <p><span class="tag ok">{t(|m| m.factor.on)}</span> " " <span class="small muted">{move || (say().account.since)(&date(&since.0))}</span></p>
                    <p class="small" class:error=move || left < 3>{move || (say().factor.left)(left)}</p>
                    <p class="row">
                        <button class="button small" on:click=move |_| ask(Stage::Renew) data-renew="">{t(|m| m.factor.renew)}</button>
                        <button class="button small risky" on:click=move |_| ask(Stage::Remove) data-turn-off="">{t(|m| m.factor.remove)}</button>
                    </p>
                }
                .into_any(),
            }}
        </section>
        <Dialog open title=|m| m.factor.title>
            {move || match stage.get() {
                Stage::Begin => view! { <Begin stage/> }.into_any(),
                Stage::Scan(setup) => view! { <Scan setup stage dirty/> }.into_any(),
                Stage::Keep(recovery) => view! { <Keep recovery open/> }.into_any(),
                Stage::Renew => view! { <Renew stage dirty/> }.into_any(),
                Stage::Remove => view! { <Remove open dirty/> }.into_any(),
            }}
        </Dialog>
    }
}

fn no_hint() -> Signal<Result<String, String>> {
    Signal::derive(|| Ok(String::new()))
}

/// The password once more.
#[component]
fn Begin(stage: RwSignal<Stage>) -> impl IntoView {
    let form = Form::new("second-factor");
    let password = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let input = json!({ "id": draft::command_id(), "password": password.get_untracked() });
        form.send(command::send::<Setup>(BEGIN, input), move |setup| stage.set(Stage::Scan(setup)));
    };
    view! {
        <form class="stack" on:submit=submit novalidate>
            <p class="small muted">{t(|m| m.factor.needs)}</p>
            <PasswordField name="factor-password" value=password label=|m| m.account.current complete="current-password" hint=no_hint()/>
            <Submit form words=Signal::derive(|| say().next.to_string())/>
        </form>
    }
}

/// The authenticator is told, and shows that it was.
#[component]
fn Scan(setup: Setup, stage: RwSignal<Stage>, dirty: RwSignal<bool>) -> impl IntoView {
    let form = Form::new("second-factor-confirm");
    let code = RwSignal::new(String::new());
    let picture =
        format!("data:image/svg+xml,{}", String::from(js_sys::encode_uri_component(&setup.picture)));
    // In fours, as people read it out.
    let secret: Vec<String> =
        setup.secret.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let input = json!({ "code": code.get_untracked() });
        form.send(command::send::<Recovery>(CONFIRM, input), move |recovery| {
            dirty.set(true);
            stage.set(Stage::Keep(recovery));
        });
    };
    view! {
        <form class="stack" on:submit=submit novalidate>
            <p>{t(|m| m.factor.scan)}</p>
            <a href=setup.uri title=t(|m| m.factor.open_here)><img class="qr" src=picture alt=t(|m| m.factor.picture) width="220" height="220"/></a>
            <p class="small muted">{t(|m| m.factor.or_type)} <br/><code data-secret="">{secret.join(" ")}</code></p>
            <CodeField value=code first=true hint=Signal::derive(|| say().factor.shown.to_string())/>
            <Submit form words=Signal::derive(|| say().factor.confirm.to_string())/>
        </form>
    }
}

/// The codes for when it is lost, once.
#[component]
fn Keep(recovery: Recovery, open: RwSignal<bool>) -> impl IntoView {
    let text = recovery.codes.join("\n");
    let save =
        move |_| file::save("counterfoil-recovery-codes.txt", "text/plain", &(text.clone() + "\n").into());
    view! {
        <div class="stack" data-recovery="">
            <p class="notice good" role="status">{t(|m| m.factor.is_on)}</p>
            <p>{t(|m| m.factor.keep)}</p>
            <ol class="codes">{recovery.codes.into_iter().map(|c| view! { <li><code>{c}</code></li> }).collect_view()}</ol>
            <p class="row">
                <button class="button" type="button" on:click=save>{t(|m| m.factor.save)}</button>
                <button class="button primary" type="button" on:click=move |_| open.set(false) data-kept="">{t(|m| m.factor.kept)}</button>
            </p>
        </div>
    }
}

#[component]
fn Renew(stage: RwSignal<Stage>, dirty: RwSignal<bool>) -> impl IntoView {
    let form = Form::new("recovery-codes");
    let code = RwSignal::new(String::new());
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let input = json!({ "id": draft::command_id(), "code": code.get_untracked() });
        form.send(command::send::<Recovery>(RENEW, input), move |recovery| {
            dirty.set(true);
            stage.set(Stage::Keep(recovery));
        });
    };
    view! {
        <form class="stack" on:submit=submit novalidate>
            <p>{t(|m| m.factor.renew_means)}</p>
            <CodeField value=code first=true hint=Signal::derive(|| say().factor.code_hint.to_string())/>
            <Submit form words=Signal::derive(|| say().factor.renew.to_string())/>
        </form>
    }
}

#[component]
fn Remove(open: RwSignal<bool>, dirty: RwSignal<bool>) -> impl IntoView {
    let form = Form::new("second-factor-remove");
    let (password, code) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let input = json!({ "password": password.get_untracked(), "code": code.get_untracked() });
        form.send(command::send::<Value>(REMOVE, input), move |_| {
            dirty.set(true);
            open.set(false);
        });
    };
    view! {
        <form class="stack" on:submit=submit novalidate>
            <p>{t(|m| m.factor.remove_means)}</p>
            <PasswordField name="factor-password" value=password label=|m| m.account.current complete="current-password" hint=no_hint()/>
            <CodeField value=code hint=Signal::derive(|| say().factor.code_hint.to_string())/>
            <Submit form risky=true words=Signal::derive(|| say().factor.remove.to_string())/>
        </form>
    }
}
