//! The pieces pages are made of. A component takes signals and callbacks and never fetches.

pub mod colour_mode;
pub mod frame;
