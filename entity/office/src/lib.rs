//! Office's tables; only office may depend on them.

pub mod approval;
pub mod document;
pub mod task;
