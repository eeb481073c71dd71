//! What one has been told, newest first.

pub mod query;

use crate::api::{self, Failure, command, live};
use crate::components::amount::text;
use crate::components::member::Members;
use crate::components::pages::{self, Paged, Pages, paged};
use crate::locale::instant;
use crate::messages::{say, t, title};
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use query::{CHANGES, Notice, NoticeVariables};
use serde_json::{Map, Value, json};

const READ: &str = "mutation($input: NoticesReadInput!) { noticesRead(input: $input) { noticeBox { unread } errors { code message } } }";

impl pages::Row for Notice {
    fn id(&self) -> String {
        self.id.inner().to_string()
    }

    fn key(&self) -> String {
        format!("{}{}", self.id.inner(), self.unread)
    }
}

#[component]
pub fn Notices() -> impl IntoView {
    view! {
        <Title text=title(|m| m.notices.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

/// What a notice says.
pub fn words(notice: &Notice) -> String {
    let amount = notice.amount.as_ref().map(text).unwrap_or_default();
    (say().notices.says)(notice.kind, &amount)
}

/// What a notice says, and of which loan or task.
pub fn whole(notice: &Notice) -> String {
    let about = notice.about.as_ref().map_or_else(String::new, |a| format!(" {a}"));
    words(notice) + &about
}

/// One page of them.
///
/// # Errors
/// When nobody answers.
pub async fn page(after: Option<String>) -> Result<Paged<Notice>, Failure> {
    let found = api::ask(query::Notices::build(NoticeVariables { after })).await?;
    Ok(found.viewer.map_or((Vec::new(), None), |v| paged(v.notices.nodes, v.notices.page_info)))
}

/// Says how far one has read.
fn read(up_to: String) {
    leptos::task::spawn_local(async move {
        command::send::<Value>(READ, json!({ "upTo": up_to })).await.ok();
    });
}

#[component]
fn Inside() -> impl IntoView {
    let pages = Pages::new(|after| async {
        let first = after.is_none();
        let found = page(after).await?;
        // What is on the screen has been seen; its mark stays until one comes again.
        if let Some(newest) = found.0.first().filter(|n| n.unread && first) {
            read(newest.at.0.clone());
        }
        Ok(found)
    });
    live::follow(CHANGES, "noticeChanged", Map::new(), move |change| {
        let Some(query::Change { newest: Some(newest), .. }) = live::read(change) else { return };
        read(newest.at.0.clone());
        pages.shown.update(|s| {
            if let Some(Ok(all)) = s
                && !all.iter().any(|n| n.id == newest.id)
            {
                all.insert(0, newest);
            }
        });
    });
    view! {
        <h1>{t(|m| m.notices.title)}</h1>
        {pages.view(
            || view! { <div class="card stack empty"><p>{t(|m| m.notices.none)}</p></div> }.into_any(),
            |rows| view! { <ul class="card flush feed">{rows}</ul> }.into_any(),
            |n| row(n).into_any(),
        )}
    }
}

pub fn row(notice: Notice) -> impl IntoView {
    let (path, unread, at) = (notice.page().path(), notice.unread, notice.at.0.clone());
    let kind = format!("{:?}", notice.kind);
    let about = notice.about.clone();
    view! {
        <li class:unread=unread data-notice=kind>
            <A href=path>
                <span>{unread.then(|| view! { <span class="visually-hidden">{t(|m| m.notices.new)} " "</span> })} {move || words(&notice)} {about.map(|a| view! { " " <span class="muted">{a}</span> })}</span>
                <span class="small muted">{move || instant(&at)}</span>
            </A>
        </li>
    }
}
