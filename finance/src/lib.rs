//! Loan arithmetic: pure, in integer minor units, the same code in the server and in the browser.
//!
//! [`rust_decimal`] lives inside [`rate`], [`schedule`] and [`xirr`]; amounts that leave are [`Money`].
//! Formulas and golden vectors are named beside each function.
//!
//! **Invariant:** what is split adds up to what was given; nothing here rounds in between.

pub mod distribution;
pub mod due_date;
pub mod money;
pub mod payoff;
pub mod rate;
pub mod schedule;
pub mod typed;
pub mod xirr;

pub use money::{Currency, Money, MoneyError};
pub use rate::{Rate, Rounding};
