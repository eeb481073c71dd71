//! What a loan would cost or bring, by the server's own arithmetic.

use chrono::NaiveDate;
use finance::{Money, Rate, Rounding, schedule};

/// The monthly payment, and the interest in all, if everybody pays on the day.
pub fn monthly(amount: Money, rate: Rate, months: u32) -> Option<(Money, Money)> {
    // The dates do not enter the figures.
    let start = NaiveDate::from_ymd_opt(2026, 1, 1)?;
    let plan = schedule::monthly_annuity(amount, rate, months, start, Rounding::HalfUp).ok()?;
    let interest = Money::sum(amount.currency(), plan.iter().map(|i| i.interest)).ok()?;
    Some((plan.first()?.total().ok()?, interest))
}
