//! The sandbox custodian: an independent stand-in for a bank that keeps a cash account for each user of a platform.
//!
//! It shares no code with the platform's services and believes nothing they say: it checks signatures, consents,
//! holdings and project limits itself, and refuses a movement that would credit the platform with client principal.
//! Users talk to it on its own pages, with a payment password the platform never sees.
//!
//! - [`bank`] opens the books and keeps the rules; [`operation`] is what a platform may ask, one at a time;
//! - [`books`] moves money from one bucket to another, a numbered movement each, and nothing else moves money;
//! - [`api`] is the platform's signed door, [`pages`] the users', [`notify`] the way back;
//! - [`fault`] makes it misbehave.
//!
//! **Invariant:** money enters from the world by a top-up and leaves to it by a payout; every other movement is between
//! buckets of clients' accounts, or a fee its payer consented to.

pub mod api;
pub mod bank;
pub mod books;
pub mod fault;
pub mod notify;
pub mod operation;
pub mod pages;
pub mod signature;
mod store;

pub use bank::{Bank, Settings};
