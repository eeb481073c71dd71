//! The mail that a demo keeps instead of sending it.

use crate::api::{self, DateTime, Failure, schema};
use crate::components::loaded::Loaded;
use crate::components::tabs::Tabs;
use crate::locale::instant;
use crate::messages::{Messages, say, t, title};
use crate::session;
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;
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

/// The server gives so many of the newest.
const KEPT: usize = 100;

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
    let wanted = RwSignal::new(String::new());
    view! {
        <Title text=title(|m| m.letters.mailbox)/>
        <h1>{t(|m| m.letters.mailbox)}</h1>
        <p class="muted story">{t(|m| m.letters.mailbox_lead)}</p>
        <div class="spread">
            // One's own, like the mailbox it stands for; somebody who has not signed in waits for a link to any address.
            {move || me.get().is_some().then(|| view! { <Tabs label=|m| m.letters.whose choices=CHOICES/> })}
            <input class="search" type="search" placeholder=t(|m| m.letters.find) aria-label=t(|m| m.letters.find)
                prop:value=move || wanted.get() on:input=move |e| wanted.set(event_target_value(&e))/>
        </div>
        {mails.view(6, move |all| { let many = all.len() >= KEPT; view! {
            {move || {
                let own = me.get().filter(|_| filter.get().is_none());
                let part = wanted.get().trim().to_lowercase();
                let fits = |m: &&Mail| {
                    own.as_ref().is_none_or(|o| *o == m.to)
                        && (m.to.to_lowercase().contains(&part) || m.subject.to_lowercase().contains(&part))
                };
                let shown: Vec<Mail> = all.iter().filter(fits).cloned().collect();
                if shown.is_empty() {
                    view! { <div class="card stack empty"><p>{t(|m| m.letters.no_mail)}</p></div> }.into_any()
                } else {
                    view! { <div class="card flush mails">{shown.into_iter().map(mail).collect_view()}</div> }.into_any()
                }
            }}
            {move || (many && me.get().is_none_or(|_| filter.get().is_some())).then(|| view! { <p class="small muted">{move || (say().letters.newest)(KEPT)}</p> })}
        }
        .into_any() })}
    }
}

/// A piece of a text, and whether it is a link of ours.
fn pieces(text: &str) -> Vec<(String, bool)> {
    let origin = format!("{}/", window().location().origin().unwrap_or_default());
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(&origin) {
        let link = &rest[at..];
        let path = &link[origin.len()..];
        let length =
            path.find(|c: char| !c.is_ascii_alphanumeric() && !"/-_".contains(c)).unwrap_or(path.len());
        pieces.push((rest[..at].to_string(), false));
        pieces.push((link[..origin.len() + length].to_string(), true));
        rest = &path[length..];
    }
    pieces.push((rest.to_string(), false));
    pieces
}

fn mail(mail: Mail) -> impl IntoView {
    let (at, to, addressee) = (mail.at.0, mail.to.clone(), mail.to.clone());
    let body = pieces(&mail.text).into_iter().map(|(text, link)| {
        if link { view! { <a href=text.clone()>{text.clone()}</a> }.into_any() } else { text.into_any() }
    });
    view! {
        <details class="mail" data-to=to>
            <summary><b>{mail.subject}</b> <span class="small muted">{mail.to}</span> <span class="small muted when">{move || instant(&at)}</span></summary>
            <p class="small muted">{t(|m| m.letters.addressee)} " " {addressee}</p>
            <p class="story">{body.collect_view()}</p>
        </details>
    }
}
