//! What the links in letters lead to: a new password, and the confirmation of an address.

use crate::api::{self, Failure, command, schema};
use crate::components::demo::DemoMailbox;
use crate::components::form::{Field, Form, PasswordField, Submit};
use crate::messages::{graphql_language, say, sentence, t, title};
use crate::page::Page;
use crate::pages::public::register::PASSWORD_MIN;
use crate::session;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use serde_json::{Value, json};

const FORGOTTEN: &str = "mutation($input: PasswordForgottenInput!) { passwordForgotten(input: $input) { done errors { code message } } }";
const RESET: &str =
    "mutation($input: PasswordResetInput!) { passwordReset(input: $input) { done errors { code message } } }";
const CONFIRM: &str =
    "mutation($input: EmailConfirmInput!) { emailConfirm(input: $input) { done errors { code message } } }";

/// Asks for a letter with which a new password can be chosen.
#[component]
pub fn Forgotten() -> impl IntoView {
    let form = Form::new("forgotten");
    let asked = RwSignal::new(None::<String>);
    let check = Callback::new(|typed: String| {
        if typed.contains('@') { Ok(String::new()) } else { Err(say().register.email_missing.to_string()) }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let email = untrack(|| form.get("email")).trim().to_string();
        if !email.contains('@') {
            return;
        }
        let input = json!({ "email": email, "language": graphql_language() });
        form.send(command::send::<Value>(FORGOTTEN, input), move |_| asked.set(Some(email)));
    };
    view! {
        <Title text=title(|m| m.letters.forgotten)/>
        <section class="card stack narrow-form wide-form">
            <h1>{t(|m| m.letters.forgotten)}</h1>
            {move || match asked.get() {
                Some(email) => view! {
                    <p class="notice good" role="status">{move || (say().letters.asked)(&email)}</p>
                    <DemoMailbox/>
                    <p><button class="button" on:click=move |_| asked.set(None)>{t(|m| m.letters.other)}</button></p>
                }
                .into_any(),
                None => view! {
                    <p class="muted">{t(|m| m.letters.forgotten_lead)}</p>
                    <form class="stack" on:submit=submit novalidate>
                        <Field form name="email" label=Signal::derive(|| say().entrance.email.to_string()) check kind="email" complete="username"/>
                        <Submit form words=Signal::derive(|| say().letters.ask.to_string())/>
                    </form>
                }
                .into_any(),
            }}
            <p class="small"><A href=Page::SignIn.path()>{t(|m| m.sign_in)}</A></p>
        </section>
    }
}

#[derive(cynic::QueryVariables)]
struct StandsVariables {
    secret: String,
}

#[derive(cynic::QueryFragment)]
#[cynic(graphql_type = "Query", variables = "StandsVariables")]
struct Stands {
    #[arguments(secret: $secret)]
    password_link_stands: bool,
}

/// Chooses a new password by the link's secret.
#[component]
pub fn Reset(secret: String) -> impl IntoView {
    let form = Form::new("reset");
    let (password, done) = (RwSignal::new(String::new()), RwSignal::new(false));
    let secret = StoredValue::new(secret);
    let long = move || password.with(|p| p.chars().count() >= PASSWORD_MIN);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        if untrack(|| !long()) {
            return;
        }
        let input = json!({ "secret": secret.get_value(), "password": password.get_untracked() });
        form.send(command::send::<Value>(RESET, input), move |_| {
            password.set(String::new());
            done.set(true);
        });
    };
    // Said before somebody thinks of a password.
    let dead = RwSignal::new(false);
    leptos::task::spawn_local(async move {
        let asked = Stands::build(StandsVariables { secret: secret.get_value() });
        if let Ok(found) = api::ask(asked).await {
            dead.try_set(!found.password_link_stands);
        }
    });
    view! {
        <Title text=title(|m| m.letters.reset)/>
        <section class="card stack narrow-form wide-form">
            <h1>{t(|m| m.letters.reset)}</h1>
            {move || if dead.get() && !done.get() {
                view! {
                    <p class="notice bad" role="alert">{sentence(&Failure::of("IDENTITY_LINK_INVALID", t(|m| m.letters.dead)()))}</p>
                    <p class="row"><A attr:class="button primary" href=Page::Forgotten.path()>{t(|m| m.letters.ask)}</A> <A attr:class="button" href=Page::SignIn.path()>{t(|m| m.sign_in)}</A></p>
                }
                .into_any()
            } else if done.get() {
                view! {
                    <p class="notice good" role="status">{t(|m| m.letters.reset_done)}</p>
                    <p><A attr:class="button primary" href=Page::SignIn.path()>{t(|m| m.sign_in)}</A></p>
                }
                .into_any()
            } else {
                view! {
                    <form class="stack" on:submit=submit novalidate>
                        <PasswordField name="password" value=password label=|m| m.account.new complete="new-password"
                            hint=Signal::derive(move || if long() || (!form.tried.get() && password.with(String::is_empty)) { Ok(say().letters.reset_means.to_string()) } else { Err((say().register.password_short)(PASSWORD_MIN)) })/>
                        <Submit form words=Signal::derive(|| say().account.change.to_string())/>
                    </form>
                    {move || form.error.get().filter(|e| e.code == "IDENTITY_LINK_INVALID").map(|_| view! {
                        <p><A attr:class="button" href=Page::Forgotten.path()>{t(|m| m.letters.ask)}</A></p>
                    })}
                }
                .into_any()
            }}
        </section>
    }
}

/// Confirms an address by the link's secret.
#[component]
pub fn Confirm(secret: String) -> impl IntoView {
    let outcome = RwSignal::new(None::<Result<(), Failure>>);
    leptos::task::spawn_local(async move {
        let sent = command::send::<Value>(CONFIRM, json!({ "secret": secret })).await;
        if sent.is_ok() {
            session::email_was_confirmed();
        }
        outcome.try_set(Some(sent.map(drop)));
    });
    view! {
        <Title text=title(|m| m.letters.confirm)/>
        <section class="card stack narrow-form wide-form">
            <h1>{t(|m| m.letters.confirm)}</h1>
            {move || match outcome.get() {
                None => view! { <p class="muted" role="status">{t(|m| m.busy)}</p> }.into_any(),
                Some(Ok(())) => view! { <p class="notice good" role="status">{t(|m| m.letters.confirmed)}</p> }.into_any(),
                Some(Err(failure)) => view! {
                    <p class="notice bad" role="alert">{move || sentence(&failure)}</p>
                    <p class="small muted">{t(|m| m.letters.confirm_again)}</p>
                }
                .into_any(),
            }}
            {move || {
                let inside = session::party().with(|p| p.as_ref().map(|p| session::front_page(&p.roles)));
                let (page, words): (Page, fn(&crate::messages::Messages) -> &'static str) =
                    inside.map_or((Page::SignIn, |m| m.sign_in), |page| (page, |m| m.next));
                view! { <p><A attr:class="button" href=page.path()>{t(words)}</A></p> }
            }}
        </section>
    }
}
