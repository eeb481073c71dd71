//! The Counterfoil app: one single-page application with a public, an investor's, a borrower's and a staff entrance.

mod app;
mod components;
mod page;
mod pages;

fn main() {
    leptos::mount::mount_to_body(app::App);
}
