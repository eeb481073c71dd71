//! The Counterfoil app: one single-page application with a public, an investor's, a borrower's and a staff entrance.

mod api;
mod app;
mod components;
mod csv;
mod draft;
mod locale;
mod messages;
mod outlook;
mod page;
mod pages;
mod session;

fn main() {
    leptos::mount::mount_to_body(app::App);
}
