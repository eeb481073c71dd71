//! Pages for everybody.

pub mod calculator;
pub mod home;
pub mod letters;
pub mod listing;
pub mod mailbox;
pub mod marketplace;
pub mod not_found;
pub mod register;
pub mod sign_in;
pub mod terms;
