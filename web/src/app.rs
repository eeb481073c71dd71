//! The frame around every page, and which page stands at which address.

use crate::api::live;
use crate::components::frame::{Foot, Top};
use crate::messages::{self, t};
use crate::pages::investor::overview::Overview;
use crate::pages::investor::portfolio::Portfolio;
use crate::pages::public::calculator::Calculator;
use crate::pages::public::home::Home;
use crate::pages::public::listing::Listing;
use crate::pages::public::marketplace::Marketplace;
use crate::pages::public::not_found::NotFound;
use crate::pages::public::sign_in::SignIn;
use crate::session;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    messages::provide();
    live::provide_line();
    session::provide();
    view! {
        <Router>
            <a class="skip" href="#main">{t(|m| m.skip)}</a>
            <Top/>
            <main id="main" tabindex="-1">
                <Routes fallback=NotFound>
                    <Route path=path!("/") view=Home/>
                    <Route path=path!("/marketplace") view=Marketplace/>
                    <Route path=path!("/listings/:id") view=Listing/>
                    <Route path=path!("/calculator") view=Calculator/>
                    <Route path=path!("/sign-in") view=SignIn/>
                    <Route path=path!("/overview") view=Overview/>
                    <Route path=path!("/portfolio") view=Portfolio/>
                </Routes>
            </main>
            <Foot/>
        </Router>
    }
}
