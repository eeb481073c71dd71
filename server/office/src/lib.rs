//! Tasks and approvals: the work of the staff.
//!
//! - [`task`] decides (pure): who may say a word, and when a task is decided.
//! - `close` runs the close of business, the one place that steers other services.
//! - `service` acts and stores.
//!
//! **Invariant:** a person has one word on a task and its beneficiary none; both are constraints of the database, so that
//! no path around this code can break them.

mod close;
mod repo;
mod service;
pub mod task;

pub use service::{OfficeService, Parts};
