//! What the staff work with.

pub mod day;
pub mod people;
pub mod queue;
pub mod task;
