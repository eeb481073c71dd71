//! What has happened since one last looked.

use crate::components::loaded::Loaded;
use crate::messages::t;
use crate::page::Page;
use crate::pages::member::notices::query::Notice;
use crate::pages::member::notices::{page, row};
use leptos::prelude::*;
use leptos_router::components::A;

/// More than these are on the page of their own.
const SHOWN: usize = 5;

#[component]
pub fn News() -> impl IntoView {
    let found = Loaded::new(|| async {
        let (all, _) = page(None).await?;
        Ok(all.into_iter().filter(|n| n.unread).take(SHOWN).collect::<Vec<Notice>>())
    });
    move || {
        found.get().filter(|news| !news.is_empty()).map(|news| {
            view! {
                <section class="card flush" data-news="">
                    <div class="spread inset"><h2>{t(|m| m.notices.since)}</h2> <A href=Page::Notices.path()>{t(|m| m.market.all)}</A></div>
                    <ul class="feed">{news.into_iter().map(row).collect_view()}</ul>
                </section>
            }
        })
    }
}
