use crate::messages::{say, t};
use crate::page::Page;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

#[component]
pub fn Home() -> impl IntoView {
    view! {
        <Title text="Counterfoil"/>
        <section class="stack">
            <h1>{t(|m| m.home.title)}</h1>
            <p class="lead">{t(|m| m.home.lead)}</p>
            <p class="row">
                <A attr:class="button primary" href=Page::Marketplace.path()>{t(|m| m.home.see_open)}</A>
                <A attr:class="button" href=Page::Register.path()>{t(|m| m.register.title)}</A>
                <A attr:class="button" href=Page::Calculator.path()>{t(|m| m.home.reckon)}</A>
            </p>
        </section>
        <section class="columns">
            {move || say().home.promises.map(|(heading, words)| view! {
                <div class="card stack">
                    <h2>{heading}</h2>
                    <p>{words}</p>
                </div>
            }).collect_view()}
        </section>
    }
}
