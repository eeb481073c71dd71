//! Who one is here, one's password and second factor, and where one is signed in.

mod factor;
pub mod programs;

use crate::api::{self, DateTime, Failure, command, live, schema};
use crate::components::form::{Form, PasswordField, Submit};
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::notice::Trouble;
use crate::locale::instant;
use crate::messages::{language, say, t, title};
use crate::pages::member::notices::query::{CHANGES, Change};
use crate::pages::public::register::PASSWORD_MIN;
use crate::session;
use cynic::{QueryBuilder, QueryFragment};
use factor::{Factor, SecondFactor};
use leptos::prelude::*;
use leptos_meta::Title;
use programs::{ApiClient, Programs};
use serde_json::{Map, Value, json};

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Session {
    pub id: cynic::Id,
    pub agent: String,
    pub created_at: DateTime,
    pub used_at: Option<DateTime>,
    pub present: bool,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Mine {
    pub second_factor: SecondFactor,
    pub sessions: Vec<Session>,
    pub api_clients: Vec<ApiClient>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Sessions {
    pub viewer: Option<Mine>,
}

const MAIL: &str = "mutation($input: NoticeMailInput!) { noticeMail(input: $input) { noticeBox { mail } errors { code message } } }";
const CHANGE: &str = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done errors { code message } } }";

#[component]
pub fn Account() -> impl IntoView {
    view! {
        <Title text=title(|m| m.account.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

async fn ask() -> Result<Mine, Failure> {
    api::ask(Sessions::build(())).await?.viewer.ok_or_else(|| Failure::of("UNAUTHENTICATED", ""))
}

#[component]
fn Inside() -> impl IntoView {
    let party = session::party().get_untracked();
    let mine = Loaded::new(ask);
    let failed = RwSignal::new(None::<Failure>);
    let everywhere = move |_| {
        leptos::task::spawn_local(async move {
            if let Err(failure) = session::sign_out_everywhere().await {
                failed.try_set(Some(failure));
            }
        });
    };
    view! {
        <h1>{t(|m| m.account.title)}</h1>
        {party.map(|p| {
            let roles = p.roles.clone();
            view! {
                <section class="card stack"><dl class="facts">
                    <div><dt>{t(|m| m.cash.name)}</dt><dd>{p.name}</dd></div>
                    <div><dt>{t(|m| m.entrance.email)}</dt><dd>{p.email} {p.email_confirmed.then(|| view! { " " <span class="tag ok">{t(|m| m.letters.is_confirmed)}</span> })}</dd></div>
                    <div><dt>{t(|m| m.account.roles)}</dt><dd>{move || roles.iter().map(|r| (say().role)(*r)).collect::<Vec<_>>().join(", ")}</dd></div>
                </dl><p class="small muted">{t(|m| m.account.fixed)}</p></section>
            }
        })}
        <div class="columns two">
            <div class="stack">
                <Mail/>
                <Password changed=Callback::new(move |()| mine.again())/>
                {mine.view(3, move |found| view! { <Programs found=found.api_clients changed=Callback::new(move |()| mine.again())/> }.into_any())}
            </div>
            <div class="stack">
            {mine.view(3, move |mine_now| view! { <Factor found=mine_now.second_factor changed=Callback::new(move |()| mine.again())/> }.into_any())}
            <section class="card stack">
                <div class="spread">
                    <h2>{t(|m| m.account.sessions)}</h2>
                    <button class="button small risky" on:click=everywhere data-everywhere="">{t(|m| m.account.everywhere)}</button>
                </div>
                {move || failed.get().map(|failure| view! { <Trouble failure/> })}
                {mine.view(3, move |found| view! {
                    <ul class="words">{found.sessions.into_iter().map(|s| {
                        let (at, used) = (s.created_at.0, s.used_at.map(|u| u.0));
                        let end = move |_| {
                            let id = s.id.clone();
                            leptos::task::spawn_local(async move {
                                failed.try_set(session::sign_out_there(&id).await.err());
                                mine.again();
                            });
                        };
                        view! {
                            <li data-session=s.present.to_string()>
                                <span class="spread">
                                    <b>{device(&s.agent)}</b>
                                    {match s.present {
                                        true => view! { <span class="tag ok">{t(|m| m.account.here)}</span> }.into_any(),
                                        false => view! { <button class="button small" on:click=end data-end="">{t(|m| m.sign_out)}</button> }.into_any(),
                                    }}
                                </span>
                                <p class="small muted">{move || (say().account.since)(&instant(&at))} {move || used.as_ref().map(|u| format!(" · {}", (say().account.used)(&instant(u))))}</p>
                            </li>
                        }
                    }).collect_view()}</ul>
                }
                .into_any())}
            </section>
            </div>
        </div>
    }
}

/// A browser's long description, as short as its owner would say it.
fn device(agent: &str) -> String {
    let find = |names: &[&str]| names.iter().find(|n| agent.contains(**n)).map(|n| n.to_string());
    let browser = find(&["Edg", "Firefox", "Chrome", "Safari"]);
    let system = find(&["Windows", "Android", "iPhone", "iPad", "Mac OS", "Linux"]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} · {system}"),
        _ if agent.is_empty() => "—".into(),
        _ => agent.chars().take(60).collect(),
    }
}

/// Whether what is important also comes by e-mail.
#[component]
fn Mail() -> impl IntoView {
    let mail = RwSignal::new(None::<bool>);
    let failed = RwSignal::new(None::<Failure>);
    live::follow(CHANGES, "noticeChanged", Map::new(), move |change| {
        if let Some(change) = live::read::<Change>(change) {
            mail.set(Some(change.notice_box.mail));
        }
    });
    let choose = move |event: leptos::ev::Event| {
        let wanted = event_target_checked(&event);
        mail.set(Some(wanted));
        failed.set(None);
        leptos::task::spawn_local(async move {
            let sent = command::send::<Value>(MAIL, json!({ "mail": wanted })).await;
            if let Err(failure) = sent {
                mail.try_set(Some(!wanted));
                failed.try_set(Some(failure));
            }
        });
    };
    view! {
        <section class="card stack">
            <h2>{t(|m| m.notices.title)}</h2>
            <label class="check">
                <input type="checkbox" name="mail" prop:checked=move || mail.get().unwrap_or(true) disabled=move || mail.get().is_none() on:change=choose/>
                <span>{t(|m| m.notices.mail)}<br/><span class="small muted">{t(|m| m.notices.mail_means)}</span></span>
            </label>
            <p class="small">{move || (say().account.mail_language)(language().name())}</p>
            {move || failed.get().map(|failure| view! { <Trouble failure/> })}
        </section>
    }
}

#[component]
fn Password(changed: Callback<()>) -> impl IntoView {
    let form = Form::new("password");
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let done = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        if current.with_untracked(String::is_empty)
            || new.with_untracked(|n| n.chars().count() < PASSWORD_MIN)
        {
            return;
        }
        // Each attempt is a command of its own: what was typed is not kept, and so cannot be sent again.
        let id = crate::draft::command_id();
        let input = json!({ "id": id, "current": current.get_untracked(), "new": new.get_untracked() });
        form.send(command::send::<Value>(CHANGE, input), move |_| {
            current.set(String::new());
            new.set(String::new());
            done.set(true);
            changed.run(());
        });
    };
    let short = move || {
        new.with(|n| n.chars().count() < PASSWORD_MIN) && (form.tried.get() || !new.with(String::is_empty))
    };
    view! {
        <section class="card stack">
            <h2>{t(|m| m.account.password)}</h2>
            <form class="stack" on:submit=submit novalidate>
                <PasswordField name="current" value=current label=|m| m.account.current complete="current-password" hint=Signal::derive(|| Ok(String::new()))/>
                <PasswordField name="new" value=new label=|m| m.account.new complete="new-password"
                    hint=Signal::derive(move || if short() { Err((say().register.password_short)(PASSWORD_MIN)) } else { Ok(say().account.password_means.to_string()) })/>
                {move || done.get().then(|| view! { <p class="notice good" role="status">{t(|m| m.account.changed)}</p> })}
                <Submit form words=Signal::derive(|| say().account.change.to_string())/>
            </form>
        </section>
    }
}
