//! What somebody who lends looks at.

pub mod overview;
pub mod portfolio;
