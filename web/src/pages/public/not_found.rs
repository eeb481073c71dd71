use crate::page::Page;
use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Title text="Not found · Counterfoil"/>
        <section class="stack">
            <h1>"There is no page at this address."</h1>
            <p>"Nothing was lost. " <a href=Page::Home.path()>"Begin at the front door."</a></p>
        </section>
    }
}
