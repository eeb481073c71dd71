//! Cash accounts at the custodian.
//!
//! - [`instruct`]: intents are written down before they are sent; what is in doubt is asked for, never sent anew under
//!   another number.
//! - [`pull`]: facts come only from the custodian's numbered movements; replies and notifications say when to look.
//! - [`mirror`] turns each movement into exactly one batch of the ledger (pure), [`post`] posts it and announces.
//! - [`attempt`]: what has been decided and finally failed is attempted again, a few times by itself, then when people ask.
//! - [`proof`] compares ledger, signed statement and our own record.
//!
//! **Invariant:** a fact is never refused. What the ledger's floor or a missing reservation would forbid is posted through
//! the user's shortfall, opens a break and blocks debits.

pub mod attempt;
pub mod instruct;
pub mod keys;
pub mod mirror;
pub mod port;
pub mod post;
pub mod proof;
pub mod pull;
mod repo;
mod service;
pub mod signature;

pub use service::{CustodyService, Parts};
