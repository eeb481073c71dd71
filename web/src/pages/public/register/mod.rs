//! Becoming known, in two steps; the third is the custodian's own page. Also the way in for whoever was invited to the staff.

use crate::api::{self, Failure, command, schema};
use crate::components::form::{Choice, Field, Form, PasswordField, Submit};
use crate::components::steps::Steps;
use crate::draft;
use crate::locale;
use crate::messages::{graphql_language, say, sentence, t, title};
use crate::page::Page;
use crate::session;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{query_signal, use_navigate};
use serde_json::{Value, json};

const REGISTER: &str =
    "mutation($input: PartyRegisterInput!) { partyRegister(input: $input) { done errors { code message } } }";
/// As short as a password may be.
pub const PASSWORD_MIN: usize = 10;

/// Whether it can be one; the server says whether it is.
fn an_address(typed: &str) -> bool {
    typed.trim().split_once('@').is_some_and(|(who, at)| !who.is_empty() && !at.is_empty())
}

#[component]
pub fn Register() -> impl IntoView {
    view! {
        <Title text=title(|m| m.register.title)/>
        <Entry invitation=None/>
    }
}

/// By a link from an administrator, or one of the first two that the server printed.
#[component]
pub fn Invitation(secret: String) -> impl IntoView {
    // Said before somebody fills anything in.
    let dead = RwSignal::new(false);
    let asked = secret.clone();
    leptos::task::spawn_local(async move {
        if let Ok(found) = api::ask(Stands::build(StandsVariables { secret: asked })).await {
            dead.try_set(!found.invitation_stands);
        }
    });
    view! {
        <Title text=title(|m| m.register.title)/>
        {move || if dead.get() {
            view! {
                <div class="card stack empty" data-dead="">
                    <h1>{t(|m| m.register.invited)}</h1>
                    <p class="notice bad" role="alert">{sentence(&Failure::of("IDENTITY_INVITATION_INVALID", t(|m| m.register.invitation_dead)()))}</p>
                    <p><A attr:class="button" href=Page::Home.path()>{t(|m| m.not_found.begin)}</A></p>
                </div>
            }
            .into_any()
        } else {
            view! { <Entry invitation=Some(secret.clone())/> }.into_any()
        }}
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
    invitation_stands: bool,
}

#[component]
fn Entry(invitation: Option<String>) -> impl IntoView {
    let invited = invitation.is_some();
    // The link's secret is not kept with what was typed, nor is the password.
    let form = Form::new("register").or("role", "INVESTOR").or("party", draft::command_id());
    let password = RwSignal::new(String::new());
    let number_ok = |typed: &str| typed.chars().filter(|c| c.is_alphanumeric()).count() >= 4;
    // In the address: the browser's own way back goes back one step.
    let (asked_step, set_step) = query_signal::<usize>("step");
    let first = move || !form.is_empty("name") && !form.is_empty("country") && number_ok(&form.get("number"));
    let step = Memo::new(move |_| if asked_step.get() == Some(2) && untrack(first) { 2 } else { 1usize });
    // The address that could not be signed in with.
    let failed_in = RwSignal::new(None::<String>);
    let secret = StoredValue::new(invitation);
    let email_check = Callback::new(|typed: String| {
        if an_address(&typed) { Ok(String::new()) } else { Err(say().register.email_missing.into()) }
    });
    let name_check = Callback::new(|typed: String| {
        if typed.trim().is_empty() {
            Err(say().cash.name_missing.into())
        } else {
            Ok(say().cash.name_hint.into())
        }
    });
    let countries = Signal::derive(locale::countries);
    let number_check = Callback::new(move |typed: String| {
        if number_ok(&typed) {
            Ok(say().register.number_hint.into())
        } else {
            Err(say().register.number_form.to_string())
        }
    });
    let long = move || password.with(|p| p.chars().count() >= PASSWORD_MIN);
    let right = move |step: usize| match step {
        1 => first(),
        _ => an_address(&form.get("email")) && long(),
    };
    // The way one came, so that the browser's own way forward leads on again; who came by an address has none.
    let advanced = StoredValue::new(false);
    let back = move || {
        if advanced.get_value() {
            advanced.set_value(false);
            window().history().and_then(|h| h.back()).ok();
        } else {
            set_step.set(None);
        }
    };
    let navigate = use_navigate();
    let inside = Callback::new(move |page: Page| navigate(&page.path(), Default::default()));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let at = step.get_untracked();
        if untrack(|| !right(at)) {
            return;
        }
        if at == 1 {
            form.tried.set(false);
            set_step.set(Some(2));
            advanced.set_value(true);
            return;
        }
        let (email, chosen) = (untrack(|| form.get("email")), password.get_untracked());
        let roles = match (invited, untrack(|| form.get("role")).as_str()) {
            (true, _) => vec![],
            (_, "BOTH") => vec!["INVESTOR", "BORROWER"],
            (_, "BORROWER") => vec!["BORROWER"],
            _ => vec!["INVESTOR"],
        };
        let input = untrack(|| {
            json!({
                "id": form.id(),
                "party": form.get("party"),
                "email": email.trim(),
                "password": chosen,
                "name": form.get("name").trim(),
                "documentCountry": form.get("country").trim().to_uppercase(),
                "documentNumber": form.get("number").trim(),
                "roles": roles,
                "invitation": secret.get_value(),
                "language": graphql_language(),
            })
        });
        let typed = form.whole_untracked();
        form.send(command::send::<Value>(REGISTER, input), move |_| {
            // Whoever registers somebody else now registers another party.
            form.set("party", draft::command_id());
            leptos::task::spawn_local(async move {
                // The answer is the same for a known address: whoever it belongs to signs in as before.
                match session::sign_in(email.trim().to_string(), chosen, None).await {
                    Ok(()) => {
                        inside.try_run(if invited { Page::Queue } else { Page::Cash });
                    }
                    // Left meanwhile: nothing is there to be filled.
                    Err(_) if failed_in.try_get_untracked().is_none() => {}
                    Err(failure) => {
                        // Another address may have been meant; nothing else is typed again.
                        if failure.code == "IDENTITY_CREDENTIALS_WRONG" {
                            form.adopt(draft::Draft { id: draft::command_id(), ..typed });
                            form.set("party", draft::command_id());
                        }
                        failed_in.try_set(Some(email.trim().to_string()));
                    }
                }
            });
        });
    };
    let roles = Signal::derive(|| {
        let r = &say().register;
        vec![
            ("INVESTOR".to_string(), r.lend.to_string()),
            ("BORROWER".into(), r.borrow.into()),
            ("BOTH".into(), r.both.into()),
        ]
    });
    view! {
        <section class="card stack narrow-form wide-form">
            <h1>{t(if invited { |m| m.register.invited } else { |m| m.register.title })}</h1>
            {(!invited).then(|| view! { <Steps names=|m| &m.register.steps now=step/> })}
            {move || failed_in.get().map(|email| view! {
                <div class="notice" role="status" data-known="">
                    <p>{move || (say().register.sign_in_now)(&email)}</p>
                    <p class="row">
                        <A attr:class="button primary" href=Page::SignIn.path()>{t(|m| m.sign_in)}</A>
                        <A attr:class="button" href=Page::Forgotten.path()>{t(|m| m.letters.forgotten)}</A>
                        <button type="button" class="button" on:click=move |_| failed_in.set(None)>{t(|m| m.letters.other)}</button>
                    </p>
                </div>
            })}
            <form class="stack" on:submit=submit novalidate hidden=move || failed_in.with(Option::is_some)>
                {move || if step.get() == 1 {
                    view! {
                        {(!invited).then(|| view! { <Choice form name="role" label=|m| m.register.want options=roles/> })}
                        <Field form name="name" label=Signal::derive(|| say().cash.name.to_string()) check=name_check complete="name"/>
                        <div class="row fields">
                            <Choice form name="country" label=|m| m.register.country options=countries missing=|m| m.register.country_form/>
                            <Field form name="number" label=Signal::derive(|| say().register.number.to_string()) check=number_check/>
                        </div>
                    }
                    .into_any()
                } else {
                    view! {
                        <Field form name="email" label=Signal::derive(|| say().entrance.email.to_string()) check=email_check kind="email" complete="username"/>
                        <PasswordField name="password" value=password label=|m| m.entrance.password complete="new-password"
                            hint=Signal::derive(move || if long() || (!form.tried.get() && password.with(String::is_empty)) { Ok(say().register.password_hint.to_string()) } else { Err((say().register.password_short)(PASSWORD_MIN)) })/>
                    }
                    .into_any()
                }}
                <div class="row">
                    {move || (step.get() > 1).then(|| view! { <button type="button" class="button" on:click=move |_| back()>{t(|m| m.back)}</button> })}
                    <Submit form words=Signal::derive(move || if step.get() == 1 { say().next } else { say().register.send }.to_string())/>
                </div>
            </form>
            <div class="stack" hidden=move || failed_in.with(Option::is_some)>
                <p class="small muted">{t(|m| m.register.agrees)} " " <a href=Page::Terms.path() target="_blank">{t(|m| m.terms.title)}</a></p>
                <p class="small muted">{t(if invited { |m| m.register.staff_then } else { |m| m.register.then })}</p>
            </div>
        </section>
    }
}
