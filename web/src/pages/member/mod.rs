//! What everybody with money here has: a cash account at the custodian, and a statement.

pub mod account;
pub mod cash;
pub mod notices;
pub mod statement;
