//! What everybody may see.

pub mod home;
pub mod not_found;
