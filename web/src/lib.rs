//! The Counterfoil app: one code and three builds of it, so that nobody loads what only others open.

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
mod stopped;
mod today;

pub use app::{borrower, members, nothing_waits, staff, start, waiting};
