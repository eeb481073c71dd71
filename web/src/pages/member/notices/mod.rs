//! What one has been told, newest first.

pub mod query;

use crate::api::{self, Failure, command, live};
use crate::components::amount::text;
use crate::components::member::Members;
use crate::components::notice::{Skeleton, Trouble};
use crate::locale::instant;
use crate::messages::{say, t, title};
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use query::{CHANGES, Notice, NoticeVariables};
use serde_json::{Map, Value, json};

const READ: &str = "mutation($input: NoticesReadInput!) { noticesRead(input: $input) { noticeBox { unread } errors { code message } } }";

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

/// A page of it and where the next begins.
pub async fn page(after: Option<String>) -> Result<(Vec<Notice>, Option<String>), Failure> {
    let found = api::ask(query::Notices::build(NoticeVariables { after })).await?;
    Ok(found.viewer.map_or((Vec::new(), None), |v| {
        let info = v.notices.page_info;
        (v.notices.nodes, info.end_cursor.filter(|_| info.has_next_page))
    }))
}

#[component]
fn Inside() -> impl IntoView {
    let shown = RwSignal::new(None::<Result<Vec<Notice>, Failure>>);
    let more = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    let load = move |after: Option<String>| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        leptos::task::spawn_local(async move {
            let next_page = after.is_some();
            let answer = page(after).await;
            busy.try_set(false);
            let Ok((found, next)) = answer else {
                let failure = answer.err();
                shown.try_update(|s| {
                    if s.as_ref().is_none_or(Result::is_err) {
                        *s = failure.map(Err);
                    }
                });
                return;
            };
            more.try_set(next);
            // What is on the screen has been seen; its mark stays until one comes again.
            let newest = found.first().filter(|n| n.unread && !next_page).map(|n| n.at.0.clone());
            shown.try_update(|s| match s {
                Some(Ok(all)) if next_page => all.extend(found),
                _ => *s = Some(Ok(found)),
            });
            if let Some(newest) = newest {
                command::send::<Value>(READ, json!({ "upTo": newest })).await.ok();
            }
        });
    };
    load(None);
    live::follow(CHANGES, "noticeChanged", Map::new(), move |change| {
        let Ok(query::Change { newest: Some(newest), .. }) = serde_json::from_value(change) else { return };
        let at = newest.at.0.clone();
        shown.update(|s| {
            if let Some(Ok(all)) = s
                && !all.iter().any(|n| n.id == newest.id)
            {
                all.insert(0, newest);
            }
        });
        leptos::task::spawn_local(async move {
            command::send::<Value>(READ, json!({ "upTo": at })).await.ok();
        });
    });
    view! {
        <h1>{t(|m| m.notices.title)}</h1>
        {move || match shown.get() {
            None => view! { <div class="card"><Skeleton lines=8/></div> }.into_any(),
            Some(Err(failure)) => view! { <Trouble failure again=Callback::new(move |()| load(None))/> }.into_any(),
            Some(Ok(all)) if all.is_empty() => view! { <div class="card stack empty"><p>{t(|m| m.notices.none)}</p></div> }.into_any(),
            Some(Ok(all)) => view! { <ul class="card flush feed">{all.into_iter().map(row).collect_view()}</ul> }.into_any(),
        }}
        {move || more.get().map(|after| view! {
            <button class="button" disabled=busy on:click=move |_| load(Some(after.clone()))>{t(|m| m.market.more)}</button>
        })}
    }
}

pub fn row(notice: Notice) -> impl IntoView {
    let (path, unread, at) = (notice.page().path(), notice.unread, notice.at.0.clone());
    let kind = format!("{:?}", notice.kind);
    view! {
        <li class:unread=unread data-notice=kind>
            <A href=path>
                <span>{unread.then(|| view! { <span class="visually-hidden">{t(|m| m.notices.new)} " "</span> })} {move || words(&notice)}</span>
                <span class="small muted">{move || instant(&at)}</span>
            </A>
        </li>
    }
}
