//! The bar at the top and the words at the foot.

use crate::components::bell::Bell;
use crate::components::colour_mode::ColourMode;
use crate::components::term::{Finance, Term};
use crate::locale::date;
use crate::messages::{Language, Messages, choose, language, say, t};
use crate::page::Page;
use crate::session::{self, Role};
use crate::today;
use leptos::prelude::*;
use leptos_router::components::A;
use leptos_router::hooks::{use_location, use_navigate};

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

/// Of the first and the last of somebody's names: what there is always room for.
fn initials(name: &str) -> String {
    let mut firsts = name.split_whitespace().filter_map(|word| word.chars().next());
    firsts.next().into_iter().chain(firsts.next_back()).flat_map(char::to_uppercase).collect()
}

/// Who is signed in, or the way to sign in.
#[component]
fn Who() -> impl IntoView {
    let party = session::party();
    let navigate = use_navigate();
    let leave = Callback::new(move |()| {
        let navigate = navigate.clone();
        leptos::task::spawn_local(async move {
            session::sign_out().await;
            navigate(&Page::Home.path(), Default::default());
        });
    });
    view! {
        {move || match party.get() {
            None => view! {
                <A attr:class="button quiet" href=Page::SignIn.path()>{t(|m| m.sign_in)}</A>
                <A attr:class="button" href=Page::Register.path()>{t(|m| m.register.title)}</A>
            }
            .into_any(),
            Some(party) => {
                let roles = party.roles.clone();
                let (initials, whole) = (initials(&party.name), format!("{} · {}", party.name, party.email));
                view! {
                    <a class="who" href=Page::Account.path() title=whole>
                        <span class="initials" aria-hidden="true">{initials}</span>
                        <span class="name"><b>{party.name}</b><span class="small muted">{move || roles.iter().map(|r| (say().role)(*r)).collect::<Vec<_>>().join(" · ")}</span></span>
                    </a>
                    <button class="button" on:click=move |_| leave.run(()) data-sign-out="">{t(|m| m.sign_out)}</button>
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

/// Where somebody with these roles goes, in order.
fn ways(roles: &[Role]) -> Vec<(Page, fn(&Messages) -> &'static str)> {
    let mut ways: Vec<(Page, fn(&Messages) -> &'static str)> = Vec::new();
    let (lends, borrows) = (roles.contains(&Role::Investor), roles.contains(&Role::Borrower));
    if roles.iter().any(|r| r.is_staff()) {
        ways.push((Page::Queue, |m| m.ways.queue));
        ways.push((Page::Find, |m| m.ways.find));
        if roles.iter().any(|r| matches!(r, Role::Operations | Role::Auditor)) {
            ways.push((Page::Orders, |m| m.orders.short));
        }
        ways.push((Page::Day, |m| m.day.title));
        if roles.iter().any(|r| matches!(r, Role::Administrator | Role::Auditor)) {
            ways.push((Page::Audit, |m| m.audit_log));
        }
        if roles.contains(&Role::Administrator) {
            ways.push((Page::People, |m| m.ways.people));
        }
    }
    if lends {
        ways.push((Page::Overview, |m| m.overview.title));
        ways.push((Page::Portfolio, |m| m.portfolio.title));
    }
    if borrows {
        ways.push((Page::Loans, |m| m.loans.title));
    }
    if lends || borrows {
        ways.push((Page::Cash, |m| m.cash.short));
        ways.push((Page::Statement, |m| m.statement.title));
    }
    ways.push((Page::Marketplace, |m| m.marketplace));
    // Whoever is inside finds it at the foot.
    if roles.is_empty() {
        ways.push((Page::Calculator, |m| m.calculator));
    }
    ways
}

/// What stands beside the way to a page, as how much waits there; in the build that knows.
pub type Beside = fn(&Page) -> Option<AnyView>;

#[component]
pub fn Top(beside: Beside) -> impl IntoView {
    let party = session::party();
    let roles = Memo::new(move |_| party.with(|p| p.as_ref().map(|p| p.roles.clone()).unwrap_or_default()));
    // On a phone the ways open beneath the bar, which stays one row; gone somewhere, one has no more need of them.
    let open = RwSignal::new(false);
    let place = use_location().pathname;
    Effect::new(move |_| {
        place.track();
        open.set(false);
    });
    let shut = move |event: leptos::ev::KeyboardEvent| {
        if event.key() == "Escape" {
            open.set(false);
        }
    };
    view! {
        <header class="top" on:keydown=shut>
            <a class="brand" href=Page::Home.path() aria-label=t(|m| m.home_link)><Mark/><span>"Counterfoil"</span></a>
            <button class="button menu" aria-controls="ways" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|o| *o = !*o)>{t(|m| m.menu)}</button>
            <nav id="ways" class:open=move || open.get() aria-label=t(|m| m.main_navigation)>
                {move || ways(&roles.get()).into_iter().map(|(page, name)| view! {
                    <A href=page.path()>{t(name)} {beside(&page)}</A>
                }).collect_view()}
            </nav>
            <Languages/>
            <ColourMode/>
            <Bell/>
            <Who/>
        </header>
    }
}

/// What is true of every page: where the money lies, and which day the platform has.
#[component]
pub fn Foot() -> impl IntoView {
    let day = today::today();
    view! {
        <footer class="foot">
            <today::Following/>
            <p>{t(|m| m.foot)}</p>
            // The line stands from the beginning: what comes late pushes nothing about.
            <p class="small"><Term label=|m| m.business_day means=Finance::BusinessDay/> " " <span data-figure="business-day">{move || day.get().map(|d| date(&d))}</span></p>
            <p class="row"><A href=Page::Marketplace.path()>{t(|m| m.marketplace)}</A> <A href=Page::Calculator.path()>{t(|m| m.calculator)}</A> <a href=Page::Terms.path()>{t(|m| m.terms.title)}</a></p>
        </footer>
    }
}
