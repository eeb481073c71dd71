//! Custody's tables; only custody may depend on them.

pub mod account_break;
pub mod cash_account;
pub mod instruction;
pub mod movement;
pub mod statement;
