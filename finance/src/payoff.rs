//! What it takes to pay a loan off on a date: principal, interest to the date, and nothing else.

use crate::money::{Money, MoneyError};
use crate::schedule::Instalment;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The parts of a payoff.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Payoff {
    pub on: NaiveDate,
    /// Everything not yet repaid.
    pub principal: Money,
    /// Of instalments that are past due or due on the date, in full.
    pub due_interest: Money,
    /// Of the running period, to the date.
    pub accrued_interest: Money,
}

impl Payoff {
    /// # Errors
    /// Beyond 64 bits.
    pub fn interest(&self) -> Result<Money, MoneyError> {
        self.due_interest.plus(self.accrued_interest)
    }

    /// # Errors
    /// Beyond 64 bits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.principal.plus(self.interest()?)
    }
}

/// Payoff of a loan whose `unpaid` instalments follow a period that began on `period_start`.
///
/// The running period's interest is its instalment's share of the days gone by, `[start, on)`: the day of payment bears
/// none (loan-math C2, C3, policy "to date"). It never exceeds the instalment's own interest, so that a period is never
/// dearer paid early than paid on time.
///
/// # Errors
/// Beyond 64 bits, or nothing is unpaid (as [`MoneyError::Malformed`]).
pub fn to_date(unpaid: &[Instalment], period_start: NaiveDate, on: NaiveDate) -> Result<Payoff, MoneyError> {
    let first = unpaid.first().ok_or_else(|| MoneyError::Malformed("nothing is unpaid".into()))?;
    let currency = first.principal.currency();
    let principal = Money::sum(currency, unpaid.iter().map(|i| i.principal))?;
    let due_interest = Money::sum(currency, unpaid.iter().filter(|i| i.due <= on).map(|i| i.interest))?;
    let running = unpaid.iter().position(|i| i.due > on);
    let accrued_interest = match running {
        None => Money::zero(currency),
        Some(place) => {
            let start = if place == 0 { period_start } else { unpaid[place - 1].due };
            let period = &unpaid[place];
            let gone = (on - start).num_days().max(0);
            let length = (period.due - start).num_days().max(1);
            share(period.interest, gone, length)?
        }
    };
    Ok(Payoff { on, principal, due_interest, accrued_interest })
}

fn share(whole: Money, part: i64, of: i64) -> Result<Money, MoneyError> {
    // Half up, in integers.
    let exact = i128::from(whole.minor()) * i128::from(part.min(of));
    let rounded = (2 * exact + i128::from(of)).div_euclid(2 * i128::from(of));
    Ok(Money::new(i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?, whole.currency()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use crate::rate::{Rate, Rounding};
    use crate::schedule::monthly_annuity;

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    fn loan() -> Vec<Instalment> {
        let principal = Money::new(1_000_000, Currency::USD);
        monthly_annuity(principal, Rate::from_ppm(120_000), 12, date(2025, 1, 15), Rounding::HalfUp).unwrap()
    }

    #[test]
    fn interest_runs_by_the_day_and_not_on_the_day_of_payment() {
        let (s, start) = (loan(), date(2025, 1, 15));
        // The first day bears nothing; after 10 of 31 days, 100.00 × 10 / 31 = 32.26.
        assert_eq!(to_date(&s, start, start).unwrap().total().unwrap().minor(), 1_000_000);
        let tenth = to_date(&s, start, date(2025, 1, 25)).unwrap();
        assert_eq!((tenth.accrued_interest.minor(), tenth.total().unwrap().minor()), (3_226, 1_003_226));
    }

    #[test]
    fn on_the_due_date_it_is_the_instalments_own_interest() {
        let s = loan();
        let on = to_date(&s, date(2025, 1, 15), date(2025, 2, 15)).unwrap();
        assert_eq!((on.due_interest.minor(), on.accrued_interest.minor()), (10_000, 0));
    }

    #[test]
    fn overdue_instalments_are_owed_in_full() {
        let s = loan();
        let late = to_date(&s, date(2025, 1, 15), date(2025, 3, 20)).unwrap();
        // Two instalments due (100.00 + 92.12), then 5 of 31 days of 84.15.
        assert_eq!(late.due_interest.minor(), 19_212);
        assert_eq!(late.accrued_interest.minor(), (s[2].interest.minor() * 5 * 2 + 31) / 62);
        assert_eq!(late.principal.minor(), 1_000_000);
    }
}
