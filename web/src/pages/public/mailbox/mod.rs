//! The mail that a demo keeps instead of sending it.

use crate::api::{self, DateTime, Failure, schema};
use crate::components::loaded::Loaded;
use crate::components::tabs::Tabs;
use crate::locale::instant;
use crate::messages::{Messages, t, title};
use crate::session;
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub at: DateTime,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Mails {
    pub mailbox: Vec<Mail>,
}

const CHOICES: &[(&str, fn(&Messages) -> &'static str)] =
    &[("mine", |m| m.letters.to_me), ("all", |m| m.letters.to_all)];

async fn ask() -> Result<Vec<Mail>, Failure> {
    Ok(api::ask(Mails::build(())).await?.mailbox)
}

#[component]
pub fn Mailbox() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    // Who it is may be known only after the page is drawn.
    let me = Memo::new(move |_| session::party().with(|p| p.as_ref().map(|p| p.email.clone())));
    let mails = Loaded::new(ask);
    // A letter takes a moment; nothing announces it to somebody who has not signed in.
    mails.while_waiting(|_| true);
    view! {
        <Title text=title(|m| m.letters.mailbox)/>
        <h1>{t(|m| m.letters.mailbox)}</h1>
        <p class="muted story">{t(|m| m.letters.mailbox_lead)}</p>
        // One's own, like the mailbox it stands for; somebody who has not signed in waits for a link to any address.
        {move || me.get().is_some().then(|| view! { <Tabs label=|m| m.letters.whose choices=CHOICES/> })}
        {mails.view(6, move |all| view! {
            {move || {
                let own = me.get().filter(|_| filter.get().is_none());
                let shown: Vec<Mail> = all.iter().filter(|m| own.as_ref().is_none_or(|o| *o == m.to)).cloned().collect();
                if shown.is_empty() {
                    view! { <div class="card stack empty"><p>{t(|m| m.letters.no_mail)}</p></div> }.into_any()
                } else {
                    view! { <div class="stack">{shown.into_iter().map(mail).collect_view()}</div> }.into_any()
                }
            }}
        }
        .into_any())}
    }
}

/// A link of ours in a text, and what stands before and behind it.
fn linked(text: &str) -> (String, Option<String>, String) {
    let origin = window().location().origin().unwrap_or_default();
    let Some((before, rest)) = text.split_once(&format!("{origin}/")) else {
        return (text.to_string(), None, String::new());
    };
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"/-_".contains(c)).unwrap_or(rest.len());
    (before.to_string(), Some(format!("/{}", &rest[..end])), rest[end..].to_string())
}

fn mail(mail: Mail) -> impl IntoView {
    let (before, link, after) = linked(&mail.text);
    let (at, to) = (mail.at.0, mail.to.clone());
    view! {
        <details class="card" data-to=to>
            <summary><b>{mail.subject}</b> " " <span class="muted small">{mail.to} " · " {move || instant(&at)}</span></summary>
            <p class="story">{before} {link.map(|href| view! { <A href=href.clone()>{href.clone()}</A> })} {after}</p>
        </details>
    }
}
