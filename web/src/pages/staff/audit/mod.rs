//! What staff did, and whether the log of it is whole.

use crate::api::{self, DateTime, Decimal, schema};
use crate::components::loaded::Loaded;
use crate::components::member::Staff;
use crate::components::pages::{self, Pages, paged};
use crate::components::search::sought;
use crate::locale::{date, instant, number};
use crate::messages::{AuditPage, FindPage, Language, Words, code_words, say, t, title};
use crate::page::Page;
use crate::pages::public::marketplace::query::PageInfo;
use crate::pages::staff::queue::query::Who;
use crate::session::{self, Role};
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ActDetail")]
pub struct Detail {
    pub name: String,
    pub value: String,
    pub about: Option<String>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Act {
    pub number: i32,
    pub what: String,
    pub details: Vec<Detail>,
    pub outcome: Option<String>,
    pub at: DateTime,
    pub by: Option<Who>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "ActConnection")]
pub struct Rows {
    pub nodes: Vec<Act>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct ActVariables {
    pub text: Option<String>,
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "ActVariables")]
pub struct All {
    #[arguments(text: $text, first: 50, after: $after)]
    pub acts: Rows,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "ActsProof")]
pub struct Proof {
    pub entries: i32,
    pub anchored: Option<i32>,
    pub fault: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Proved {
    pub acts_proof: Proof,
}

/// Who may look at it.
pub fn may_look() -> bool {
    session::has_any(&[Role::Auditor, Role::Administrator])
}

impl pages::Row for Act {
    fn id(&self) -> String {
        self.number.to_string()
    }

    fn key(&self) -> String {
        format!("{}{:?}", self.number, self.outcome)
    }
}

#[component]
pub fn Audit() -> impl IntoView {
    view! {
        <Title text=title(|_| AuditPage::say().title)/>
        <Staff>{|| if may_look() {
            view! { <Inside/> }.into_any()
        } else {
            view! { <div class="card stack empty"><h1>{t(|_| AuditPage::say().title)}</h1><p class="muted">{t(|_| AuditPage::say().auditors_only)}</p></div> }.into_any()
        }}</Staff>
    }
}

#[component]
fn Inside() -> impl IntoView {
    let (words, field) = sought();
    let pages = Pages::new(move |after| {
        let text = Some(words.get_untracked()).filter(|w| !w.is_empty());
        async move {
            let found = api::ask(All::build(ActVariables { text, after })).await?;
            Ok(paged(found.acts.nodes, found.acts.page_info))
        }
    })
    .following(move || words.get());
    let proof = Loaded::new(async || Ok(api::ask(Proved::build(())).await?.acts_proof));
    view! {
        <div class="spread">
            <h1>{t(|_| AuditPage::say().title)}</h1>
            {field(|_| AuditPage::say().search)}
        </div>
        <p class="muted story">{t(|_| AuditPage::say().lead)}</p>
        {proof.view(1, |p| match p.fault {
            Some(fault) => view! { <p class="notice bad" role="alert" data-proof="broken"><b>{t(|_| AuditPage::say().broken)}</b> " " {fault}</p> }.into_any(),
            None => view! { <p class=if p.anchored.is_some() { "notice good" } else { "notice" } data-proof="whole">{move || (AuditPage::say().whole)(p.entries, p.anchored)}</p> }.into_any(),
        })}
        {pages.view(
            move || {
                let asked = words.with(|w| !w.is_empty());
                view! { <div class="card stack empty"><h2>{t(if asked { |_| FindPage::say().nothing } else { |_| AuditPage::say().none })}</h2></div> }.into_any()
            },
            |rows| view! {
                <div class="card flush">
                    <table class="listings" data-acts="">
                        <thead><tr>
                            <th>{t(|_| AuditPage::say().what)}</th><th>{t(|_| AuditPage::say().who)}</th><th>{t(|_| AuditPage::say().about)}</th>
                            <th>{t(|_| AuditPage::say().outcome)}</th><th>{t(|_| AuditPage::say().when)}</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any(),
            |r| row(r).into_any(),
        )}
    }
}

fn row(a: Act) -> impl IntoView {
    let (what, at, outcome) = (a.what.clone(), a.at.0, a.outcome);
    let mark = match outcome.as_deref() {
        Some("DONE") => "tag ok",
        Some(_) => "tag bad",
        None => "tag wait",
    };
    let said = move || match outcome.as_deref() {
        Some("DONE") => AuditPage::say().done.to_string(),
        Some(code) => code_words(code),
        None => AuditPage::say().unknown.to_string(),
    };
    view! {
        <tr data-act=a.what>
            <td class="lead-cell"><b>{move || (AuditPage::say().act)(&what)}</b></td>
            <td data-label=t(|_| AuditPage::say().who)>{a.by.map_or_else(|| "—".to_string(), |p| p.name)}</td>
            <td data-label=t(|_| AuditPage::say().about)>{a.details.into_iter().map(detail).collect_view()}</td>
            <td data-label=t(|_| AuditPage::say().outcome)><span class=mark>{said}</span></td>
            <td data-label=t(|_| AuditPage::say().when)>{move || instant(&at)}</td>
        </tr>
    }
}

/// An id by its end, which differs; anything else whole.
fn short(value: &str) -> String {
    match value.rsplit_once('_') {
        Some((kind, id)) if id.len() == 32 => format!("{kind} …{}", id.get(24..).unwrap_or(id)),
        _ => value.to_string(),
    }
}

/// Yes or no in words; what is else said as it is.
fn plain(value: String) -> AnyView {
    let known = match value.as_str() {
        "ENGLISH" => Some(Language::English.name()),
        "CHINESE" => Some(Language::Chinese.name()),
        _ => None,
    };
    if let Some(name) = known {
        return view! { <b>{name}</b> }.into_any();
    }
    if let Some(role) = Role::of_code(&value) {
        return view! { <b>{move || (say().role)(role)}</b> }.into_any();
    }
    if value.len() == 10 && value.as_bytes()[4] == b'-' && value.as_bytes()[7] == b'-' {
        return view! { <b>{move || date(&value)}</b> }.into_any();
    }
    match value.as_str() {
        "true" => view! { <b>{t(|_| AuditPage::say().yes)}</b> }.into_any(),
        "false" => view! { <b>{t(|_| AuditPage::say().no)}</b> }.into_any(),
        _ => view! { <code title=value.clone()>{short(&value)}</code> }.into_any(),
    }
}

/// An id as a way to what it names, anything else as it is.
fn detail(d: Detail) -> impl IntoView {
    let page = match d.value.split_once('_').map(|(kind, _)| kind) {
        Some("task") => Some(Page::Task(d.value.clone())),
        Some("application") => Some(Page::Application(d.value.clone())),
        Some("listing") => Some(Page::Listing(d.value.clone())),
        _ => None,
    };
    let name = d.name.clone();
    let label = move || (AuditPage::say().detail)(&name);
    view! {
        <span class="detail small">
            {match page {
                Some(page) => view! { <a href=page.path()>{move || d.about.clone().unwrap_or_else(&label)}</a> }.into_any(),
                None if d.name == "rate" => {
                    let percent = Decimal(d.value).percent_in_line();
                    view! { <span class="muted">{label}</span> " " <b>{move || format!("{}\u{a0}%", number(&percent))}</b> }.into_any()
                }
                None => view! { <span class="muted">{label}</span> " " {plain(d.value)} }.into_any(),
            }}
        </span>
    }
}
