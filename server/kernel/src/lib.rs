//! What every service shares, and no business: ids, calls, clock, entropy, error codes.
//!
//! **Invariant:** nothing here does I/O except [`clock::SystemClock`] and [`entropy::OsEntropy`], which are the only
//! places in the platform where time and chance come from outside.

pub mod call;
pub mod clock;
pub mod entropy;
pub mod error;
pub mod hash;
pub mod id;

pub use call::{Actor, Call, Role, Service};
pub use clock::{Clock, ManualClock, SystemClock};
pub use entropy::{Entropy, OsEntropy, SeededEntropy};
pub use error::Coded;
