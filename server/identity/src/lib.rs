//! Who somebody is and what they may do.
//!
//! - [`registration`]: a party, its person, its way in; invitations.
//! - [`session`]: sign-in, tokens, refresh with reuse detection, sign-out; guessing is slowed down.
//! - [`letter`]: links to one's address: to confirm it, to choose a new password.
//! - [`factor`]: codes by time as a second factor, and recovery codes.
//! - `client`: programs that read for a party, and their tokens.
//! - [`change`]: rights and others' credentials, by two people neither of whom gains.
//! - [`secret`]: everything that is hashed, derived or signed.
//!
//! **Invariant:** personal data lies in this service's tables and nowhere else; ids are all that leaves.

pub mod change;
mod client;
mod factor;
pub mod letter;
mod password;
pub mod registration;
mod repo;
pub mod secret;
mod service;
pub mod session;

pub use service::{IdentityService, Parts};
