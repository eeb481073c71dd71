//! What the staff work with.

pub mod audit;
pub mod day;
pub mod find;
pub mod orders;
pub mod people;
pub mod queue;
pub mod task;
