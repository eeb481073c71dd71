//! What the staff work with.

pub mod day;
pub mod queue;
pub mod task;
