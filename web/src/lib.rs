//! The Counterfoil app: one code with two builds of it, so that a visitor does not load what only staff can open.

mod api;
mod app;
mod back;
mod components;
mod csv;
mod draft;
mod file;
mod locale;
mod messages;
mod outlook;
mod page;
mod pages;
mod session;

pub use app::{borrower, members, staff, start};
