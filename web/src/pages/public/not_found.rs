use crate::messages::{t, title};
use crate::page::Page;
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Title text=title(|m| m.not_found.page)/>
        <section class="stack">
            <h1>{t(|m| m.not_found.title)}</h1>
            <p>{t(|m| m.not_found.nothing_lost)} " " <a href=Page::Home.path()>{t(|m| m.not_found.begin)}</a></p>
        </section>
    }
}
