//! The frame around every page, and which page stands at which address.

use crate::api::live;
use crate::back;
use crate::components::frame::{Beside, Foot, Top};
use crate::components::toast::{self, Toaster};
use crate::components::waiting::{Proposed, Waiting};
use crate::messages::{self, say, t};
use crate::page::Page;
use crate::pages::borrower::apply::Apply;
use crate::pages::borrower::loan::Loan;
use crate::pages::borrower::loans::Loans;
use crate::pages::investor::overview::Overview;
use crate::pages::investor::portfolio::Portfolio;
use crate::pages::member::account::Account;
use crate::pages::member::cash::Cash;
use crate::pages::member::notices::Notices;
use crate::pages::member::statement::Statement;
use crate::pages::public::calculator::Calculator;
use crate::pages::public::home::Home;
use crate::pages::public::letters::{Confirm, Forgotten, Reset};
use crate::pages::public::listing::Listing;
use crate::pages::public::mailbox::Mailbox;
use crate::pages::public::marketplace::Marketplace;
use crate::pages::public::not_found::NotFound;
use crate::pages::public::register::{Invitation, Register};
use crate::pages::public::sign_in::SignIn;
use crate::pages::public::terms::Terms;
use crate::pages::staff::audit::Audit;
use crate::pages::staff::day::Day;
use crate::pages::staff::find::Find;
use crate::pages::staff::orders::Orders;
use crate::pages::staff::people::People;
use crate::pages::staff::queue::Queue;
use crate::pages::staff::task::{ApplicationPage, Task};
use crate::session;
use crate::stopped;
use crate::today;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::NavigateOptions;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use leptos_router::path;

/// Which page stands at an address, or nothing where another build has it.
pub type Pages = fn(Page) -> Option<AnyView>;

/// Shows the app, with the pages of one build.
pub fn start(pages: Pages, beside: Beside) {
    stopped::say_so_on_panic();
    leptos::mount::mount_to_body(move || view! { <App pages beside/> });
}

#[component]
fn App(pages: Pages, beside: Beside) -> impl IntoView {
    provide_meta_context();
    messages::provide();
    live::provide_line();
    session::provide();
    today::provide();
    toast::provide();
    view! {
        <Router>
            <a class="skip" href="#main">{t(|m| m.skip)}</a>
            <Top beside/>
            <main id="main" tabindex="-1">
                // The address is read by `Page`, which also writes it.
                <Routes fallback=NotFound>
                    <Route path=path!("/*any") view=move || view! { <Here pages/> }/>
                </Routes>
            </main>
            <Foot/>
            <Toaster/>
        </Router>
    }
}

#[component]
fn Here(pages: Pages) -> impl IntoView {
    let location = use_location();
    let path = location.pathname;
    let page = Memo::new(move |_| Page::at(&path.get()));
    // Whoever moves on by keyboard or with a reader begins at the new page's top, not where the old one's link was.
    Effect::new(move |before: Option<()>| {
        page.track();
        if before.is_some() {
            let main = document().get_element_by_id("main");
            if let Some(main) =
                main.and_then(|m| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(m).ok())
            {
                main.focus().ok();
                window().scroll_to_with_x_and_y(0.0, 0.0);
            }
        }
    });
    move || match page.get() {
        None => NotFound().into_any(),
        Some(page) => {
            let address = page.path();
            pages(page).unwrap_or_else(|| {
                let query = location.query.with_untracked(|q| q.to_query_string());
                elsewhere(address + &query)
            })
        }
    }
}

/// The page is in another build; the server knows in which. The router shows a page before the address bar has it: one
/// waits until it has, so that the way back is the way one came.
fn elsewhere(address: String) -> AnyView {
    set_timeout(
        move || {
            window().location().replace(&address).ok();
        },
        std::time::Duration::ZERO,
    );
    ().into_any()
}

#[component]
fn Back() -> impl IntoView {
    let navigate = use_navigate();
    // What the custodian says of it is a hint for the eye; what it is stands with the order.
    match use_query_map().with_untracked(|q| q.get("outcome")).as_deref() {
        Some("refused") => toast::show(|| say().cash.refused.into(), None),
        Some("confirmed") => toast::show(|| say().cash.confirmed.into(), None),
        _ => {}
    }
    navigate(&back::place(), NavigateOptions { replace: true, ..Default::default() });
}

/// The pages of whoever has an account, in each build that members use.
fn member(page: Page) -> Option<AnyView> {
    Some(match page {
        Page::Notices => Notices().into_any(),
        Page::Back => Back().into_any(),
        Page::Cash => Cash().into_any(),
        Page::Statement => Statement().into_any(),
        _ => return None,
    })
}

/// The pages of borrowers, and what one seldom needs.
pub fn borrower(page: Page) -> Option<AnyView> {
    Some(match page {
        Page::Borrow => Apply().into_any(),
        Page::Loans => Loans().into_any(),
        Page::Loan(id) => view! { <Loan id/> }.into_any(),
        Page::Account => Account().into_any(),
        Page::Reset(secret) => view! { <Reset secret/> }.into_any(),
        Page::Confirm(secret) => view! { <Confirm secret/> }.into_any(),
        Page::Mailbox => Mailbox().into_any(),
        Page::Terms => Terms().into_any(),
        page => return member(page),
    })
}

/// The pages of the public and of investors.
pub fn members(page: Page) -> Option<AnyView> {
    Some(match page {
        Page::Home => Home().into_any(),
        Page::Marketplace => Marketplace().into_any(),
        Page::Listing(id) => view! { <Listing id/> }.into_any(),
        Page::Calculator => Calculator().into_any(),
        Page::SignIn => SignIn().into_any(),
        Page::Register => Register().into_any(),
        Page::Invitation(secret) => view! { <Invitation secret/> }.into_any(),
        Page::Forgotten => Forgotten().into_any(),
        Page::Overview => Overview().into_any(),
        Page::Portfolio => Portfolio().into_any(),
        page => return member(page),
    })
}

/// The pages of staff.
pub fn staff(page: Page) -> Option<AnyView> {
    Some(match page {
        Page::Queue => Queue().into_any(),
        Page::Task(id) => view! { <Task id/> }.into_any(),
        Page::Application(id) => view! { <ApplicationPage id/> }.into_any(),
        Page::Day => Day().into_any(),
        Page::People => People().into_any(),
        Page::Find => Find().into_any(),
        Page::Orders => Orders().into_any(),
        Page::Audit => Audit().into_any(),
        Page::Notices => Notices().into_any(),
        _ => return None,
    })
}

/// How much waits for whoever looks, in the queue and among what administrators propose.
pub fn waiting(page: &Page) -> Option<AnyView> {
    match page {
        Page::Queue => Some(Waiting().into_any()),
        Page::People => Some(Proposed().into_any()),
        _ => None,
    }
}

/// Nothing, where there is none.
pub fn nothing_waits(_: &Page) -> Option<AnyView> {
    None
}
