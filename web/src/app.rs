//! The frame around every page, and which page stands at which address.

use crate::components::frame::{Foot, Top};
use crate::pages::public::{home::Home, not_found::NotFound};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <a class="skip" href="#main">"Skip to the content"</a>
            <Top/>
            <main id="main" tabindex="-1">
                <Routes fallback=NotFound>
                    <Route path=path!("/") view=Home/>
                </Routes>
            </main>
            <Foot/>
        </Router>
    }
}
