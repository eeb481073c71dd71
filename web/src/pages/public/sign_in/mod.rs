//! Signing in; in a demo, with accounts on offer.

pub mod query;

use crate::api::{self, Failure};
use crate::components::form::{CodeField, PasswordField};
use crate::messages::{say, sentence, t, title};
use crate::page::Page;
use crate::session;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{query_signal, use_navigate};
use query::{Account, Accounts};

#[component]
pub fn SignIn() -> impl IntoView {
    let (email, set_email) = signal(String::new());
    let password = RwSignal::new(String::new());
    let (error, set_error) = signal(None::<Failure>);
    let (busy, set_busy) = signal(false);
    // Asked of whoever has a second factor, once the password is right.
    let (asked, set_asked) = signal(false);
    let code = RwSignal::new(String::new());
    let offered = RwSignal::new(Vec::<Account>::new());
    leptos::task::spawn_local(async move {
        if let Ok(found) = api::ask(Accounts::build(())).await {
            offered.set(found.demo_accounts);
        }
    });
    let navigate = use_navigate();
    // Where one was on one's way to; a page of ours and nothing else.
    let (wish, _) = query_signal::<String>("to");
    let enter = Callback::new(move |()| {
        if busy.get_untracked() {
            return;
        }
        set_busy.set(true);
        set_error.set(None);
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            let given = asked.get_untracked().then(|| code.get_untracked());
            let outcome = session::sign_in(email.get_untracked(), password.get_untracked(), given).await;
            set_busy.set(false);
            match outcome {
                Ok(()) => {
                    let roles = session::party().get_untracked().map_or(Vec::new(), |p| p.roles);
                    let wished = wish.try_get_untracked().flatten().and_then(|path| Page::at(&path));
                    navigate(
                        &wished.unwrap_or_else(|| session::front_page(&roles)).path(),
                        Default::default(),
                    );
                }
                Err(failure) if failure.code == "IDENTITY_CODE_NEEDED" => set_asked.set(true),
                // The form keeps what was typed.
                Err(failure) => set_error.set(Some(failure)),
            }
        });
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        enter.run(());
    };
    // Who is in already goes on, or leaves first; asked once, so that signing in is not mistaken for it.
    let inside = session::party().get_untracked();
    if let Some(party) = inside.filter(|_| session::settled().get_untracked()) {
        return already(party);
    }
    view! {
        <Title text=title(|m| m.sign_in)/>
        <div class="columns two narrow">
            <section class="card stack">
                <h1>{t(|m| m.sign_in)}</h1>
                <form class="stack" on:submit=submit>
                    <label class="field">
                        <span>{t(|m| m.entrance.email)}</span>
                        <input type="email" name="email" autocomplete="username" required prop:value=email
                            on:input=move |e| set_email.set(event_target_value(&e))/>
                    </label>
                    <PasswordField name="password" value=password label=|m| m.entrance.password complete="current-password" hint=Signal::derive(|| Ok(String::new()))/>
                    {move || asked.get().then(|| view! { <CodeField value=code first=true hint=Signal::derive(|| say().factor.code_hint.to_string())/> })}
                    {move || error.get().map(|e| view! { <p class="notice bad" role="alert">{sentence(&e)}</p> })}
                    <button class="button primary" type="submit" disabled=busy>
                        {move || if busy.get() { say().entrance.busy } else { say().sign_in }}
                    </button>
                </form>
                <p class="small"><A href=Page::Forgotten.path()>{t(|m| m.letters.forgotten)}</A></p>
                <p class="small">{t(|m| m.register.new_here)} " " <A href=Page::Register.path()>{t(|m| m.register.title)}</A></p>
            </section>
            {move || {
                let accounts = offered.get();
                let secret = accounts.first().map(|a| a.password.clone()).unwrap_or_default();
                (!accounts.is_empty() && !asked.get()).then(|| view! {
                    <section class="card stack">
                        <h2>{t(|m| m.entrance.demo)}</h2>
                        <p class="small muted">{t(|m| m.entrance.demo_lead)} " "<code>{secret}</code></p>
                        <ul class="choices">
                            {accounts.into_iter().map(|a| {
                                let (mail, secret) = (a.email.clone(), a.password.clone());
                                let choose = move |_| {
                                    set_asked.set(false);
                                    set_email.set(mail.clone());
                                    password.set(secret.clone());
                                    enter.run(());
                                };
                                view! {
                                    <li>
                                        <button class="choice" on:click=choose data-account=a.email.clone()>
                                            <b>{a.name}</b> <span class="muted">{move || (say().role)(a.role)}</span>
                                        </button>
                                    </li>
                                }
                            }).collect_view()}
                        </ul>
                        <p class="small"><A href=Page::Mailbox.path()>{t(|m| m.letters.to_mailbox)}</A></p>
                    </section>
                })
            }}
        </div>
    }
    .into_any()
}

fn already(party: session::Party) -> AnyView {
    let front = session::front_page(&party.roles).path();
    let name = party.name;
    view! {
        <Title text=title(|m| m.sign_in)/>
        <div class="card stack empty" data-already="">
            <h1>{move || (say().entrance.already)(&name)}</h1>
            <p><A attr:class="button primary" href=front>{t(|m| m.loans.go_on)}</A></p>
        </div>
    }
    .into_any()
}
