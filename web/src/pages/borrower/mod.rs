//! What somebody who borrows looks at.

pub mod apply;
pub mod loan;
pub mod loans;
