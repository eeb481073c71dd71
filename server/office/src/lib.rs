//! Tasks and approvals: the work of the staff.
//!
//! - [`task`] decides (pure): who may say a word, and when a task is decided.
//! - `act`: the audit log of what staff did, chained and anchored.
//! - [`document`]: what a borrower adds to an application, and who may look at it.
//! - `close` runs the close of business, the one place that steers other services.
//! - `handler` listens: a break in the books becomes a task, and its approval closes it.
//! - `service` acts, `repo` stores.
//!
//! **Invariant:** a person has one word on a task and its beneficiary none; both are constraints of the database, so that
//! no path around this code can break them.

mod act;
mod close;
pub mod document;
mod handler;
mod repo;
mod service;
pub mod task;

pub use service::{OfficeService, Parts};
