//! Pieces of pages. They take signals and callbacks and never fetch.

pub mod amount;
pub mod area;
pub mod bars;
pub mod bell;
pub mod colour_mode;
pub mod demo;
pub mod dialog;
pub mod documents;
pub mod form;
pub mod frame;
pub mod funding;
pub mod halves;
pub mod loaded;
pub mod member;
pub mod notice;
pub mod orders;
pub mod pages;
pub mod proof;
pub mod ring;
pub mod scale;
pub mod search;
pub mod steps;
pub mod tabs;
pub mod timeline;
pub mod toast;
