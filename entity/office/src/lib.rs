//! Office's tables; only office may depend on them.

pub mod act;
pub mod approval;
pub mod document;
pub mod task;
