//! Virtual accounts: transfers, reservations, balances, and a chain of hashes over all of it.
//!
//! - [`engine`] decides (pure): a group of batches over loaded accounts gives rows, new sums and answers.
//! - [`writer`] acts: one task gathers what waits, locks the chain's head, loads, decides, writes set-wise, links, commits
//!   once, answers everyone. Across processes the ledger is serial by the head row.
//! - [`repo`] stores; [`proof`] re-derives everything from the transfers and compares.
//!
//! **Invariant:** a transfer is never changed or deleted. Every sum of an account can be derived from the transfers,
//! and every transfer is under the chain.

pub mod engine;
pub mod proof;
mod repo;
mod service;
mod writer;

pub use service::LedgerService;
