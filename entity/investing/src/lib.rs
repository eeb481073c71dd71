//! Investing's tables; only investing may depend on them.

pub mod bid;
pub mod listing;
