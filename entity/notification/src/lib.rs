//! Notification's tables; only notification may depend on them.

pub mod mail;
pub mod notice;
