pub mod borrower;
pub mod investor;
pub mod member;
pub mod public;
pub mod staff;
