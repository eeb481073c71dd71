//! The bar at the top and the words at the foot.

use crate::components::colour_mode::ColourMode;
use crate::messages::{Language, choose, language, say, t};
use crate::page::Page;
use crate::session::{self, Role};
use leptos::prelude::*;
use leptos_router::components::A;

/// The two halves that match.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg viewBox="0 0 22 22" aria-hidden="true">
            <path class="ink" d="M2 2h8v4l3 2.5-3 2.5v4l3 2.5-3 2.5H2z"/>
            <path class="growth" d="M12.2 2H20v18h-5.6l1.6-2.5-3.4-2.6v-3.7L16 8.5l-3.8-2.9z"/>
        </svg>
    }
}

/// Who is signed in, or the way to sign in.
#[component]
fn Who() -> impl IntoView {
    let party = session::party();
    let leave = move |_| leptos::task::spawn_local(session::sign_out());
    view! {
        {move || match party.get() {
            None => view! { <A attr:class="button" href=Page::SignIn.path()>{t(|m| m.sign_in)}</A> }.into_any(),
            Some(party) => {
                let role = party.roles.first().copied();
                view! {
                    <span class="who"><b>{party.name}</b><span class="small muted">{move || role.map(|r| (say().role)(r))}</span></span>
                    <button class="button" on:click=leave>{t(|m| m.sign_out)}</button>
                }
                .into_any()
            }
        }}
    }
}

/// Every language by its own name.
#[component]
fn Languages() -> impl IntoView {
    view! {
        <div class="languages" role="group" aria-label=t(|m| m.language)>
            {Language::ALL.map(|l| view! {
                <button class="tab" lang=l.tag() aria-pressed=move || (language() == l).to_string() on:click=move |_| choose(l)>
                    {l.short()}
                    <span class="visually-hidden">" " {l.name()}</span>
                </button>
            }).collect_view()}
        </div>
    }
}

#[component]
pub fn Top() -> impl IntoView {
    let party = session::party();
    let lends =
        Memo::new(move |_| party.with(|p| p.as_ref().is_some_and(|p| p.roles.contains(&Role::Investor))));
    view! {
        <header class="top">
            <a class="brand" href=Page::Home.path() aria-label=t(|m| m.home_link)><Mark/><span>"Counterfoil"</span></a>
            <nav aria-label=t(|m| m.main_navigation)>
                {move || lends.get().then(|| view! {
                    <A href=Page::Overview.path()>{t(|m| m.overview.title)}</A>
                    <A href=Page::Portfolio.path()>{t(|m| m.portfolio.title)}</A>
                })}
                <A href=Page::Marketplace.path()>{t(|m| m.marketplace)}</A>
                <A href=Page::Calculator.path()>{t(|m| m.calculator)}</A>
            </nav>
            <Languages/>
            <ColourMode/>
            <Who/>
        </header>
    }
}

#[component]
pub fn Foot() -> impl IntoView {
    view! {
        <footer class="foot">{t(|m| m.foot)}</footer>
    }
}
