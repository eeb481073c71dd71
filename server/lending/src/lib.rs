//! Applications, loans, notes, repayments.
//!
//! - [`loan`] decides (pure): what is due, what a repayment pays, how it is split.
//! - `application`, `disbursement`, `repayment`, `early_repayment` act; `handler` listens; `repo` stores.
//!
//! **Invariant:** the notes' principals add up to the loan's, and their outstanding amounts to its outstanding amount.
//! A distribution is computed once, after the freeze, and stored; it is never computed again. One repayment at a time.

mod application;
mod disbursement;
mod draft;
mod early_repayment;
mod handler;
pub mod loan;
mod portfolio;
mod repayment;
mod repo;
mod service;

pub use service::{LendingService, Parts};
