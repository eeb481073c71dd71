//! The bar at the top and the words at the foot.

use crate::components::colour_mode::ColourMode;
use crate::page::Page;
use crate::session;
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
            None => view! { <A attr:class="button" href=Page::SignIn.path()>"Sign in"</A> }.into_any(),
            Some(party) => {
                let role = party.roles.first().map_or("", |r| r.name());
                view! {
                    <span class="who"><b>{party.name}</b><span class="small muted">{role}</span></span>
                    <button class="button" on:click=leave>"Sign out"</button>
                }
                .into_any()
            }
        }}
    }
}

#[component]
pub fn Top() -> impl IntoView {
    view! {
        <header class="top">
            <a class="brand" href=Page::Home.path() aria-label="Counterfoil, home"><Mark/><span>"Counterfoil"</span></a>
            <nav aria-label="Main">
                <A href=Page::Marketplace.path()>"Marketplace"</A>
                <A href=Page::Calculator.path()>"Calculator"</A>
            </nav>
            <ColourMode/>
            <Who/>
        </header>
    }
}

#[component]
pub fn Foot() -> impl IntoView {
    view! {
        <footer class="foot">
            "The platform holds none of this money: it lies in each user's own cash account at an independent custodian."
        </footer>
    }
}
