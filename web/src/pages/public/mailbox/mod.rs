//! The mail that a demo keeps instead of sending it.

use crate::api::{self, DateTime, Failure, schema};
use crate::components::loaded::Loaded;
use crate::locale::instant;
use crate::messages::{t, title};
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

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

async fn ask() -> Result<Vec<Mail>, Failure> {
    Ok(api::ask(Mails::build(())).await?.mailbox)
}

#[component]
pub fn Mailbox() -> impl IntoView {
    let mails = Loaded::new(ask);
    // A letter takes a moment; nothing announces it to somebody who has not signed in.
    mails.while_waiting(|_| true);
    view! {
        <Title text=title(|m| m.letters.mailbox)/>
        <h1>{t(|m| m.letters.mailbox)}</h1>
        <p class="muted story">{t(|m| m.letters.mailbox_lead)}</p>
        {mails.view(6, |all| if all.is_empty() {
            view! { <div class="card stack empty"><p>{t(|m| m.letters.no_mail)}</p></div> }.into_any()
        } else {
            view! { <div class="stack">{all.into_iter().map(mail).collect_view()}</div> }.into_any()
        })}
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
