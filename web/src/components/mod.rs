//! Pieces of pages. They take signals and callbacks and never fetch.

pub mod amount;
pub mod bars;
pub mod colour_mode;
pub mod frame;
pub mod funding;
pub mod member;
pub mod notice;
pub mod tabs;
