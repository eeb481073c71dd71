//! What one agrees to, what can go wrong, and what becomes of one's data.

use crate::messages::{say, t, title};
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn Terms() -> impl IntoView {
    view! {
        <Title text=title(|m| m.terms.title)/>
        <article class="stack prose">
            <h1>{t(|m| m.terms.title)}</h1>
            {move || say().terms.sections.map(|(heading, paragraphs)| view! {
                <section class="stack">
                    <h2>{heading}</h2>
                    {paragraphs.map(|words| view! { <p>{words}</p> })}
                </section>
            }).collect_view()}
        </article>
    }
}
