//! Listings and bids: how a loan finds its money.
//!
//! A bid is written down, then reserved in the ledger against the listing's control account (which makes overfunding and
//! overspending impossible in one place), then frozen at the custodian. It counts when the freeze is a fact.
//!
//! - [`listing`] decides (pure): what may happen to a listing and its bids.
//! - `bid` acts, `handler` listens, `repo` stores.
//!
//! **Invariant:** the listing's row decides between disbursement and cancellation; from DISBURSING on nothing is cancelled.

mod bid;
mod handler;
pub mod listing;
mod repo;
mod service;

pub use service::{InvestingService, Parts};
