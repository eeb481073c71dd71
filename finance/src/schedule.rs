//! The annuity schedule: equal instalments, the last one adjusted.

use crate::due_date;
use crate::money::{Money, MoneyError};
use crate::rate::{Rate, Rounding};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The longest schedule: fifty years of months.
pub const INSTALMENTS_MAX: u32 = 600;

/// One due date of a loan.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Instalment {
    /// From 1.
    pub number: u32,
    pub due: NaiveDate,
    pub interest: Money,
    pub principal: Money,
    /// Principal left when this one is paid.
    pub balance_after: Money,
}

impl Instalment {
    /// What is due on the date.
    ///
    /// # Errors
    /// Beyond 64 bits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.interest.plus(self.principal)
    }
}

/// Why there is no schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ScheduleError {
    PrincipalNotPositive,
    /// None, or more than [`INSTALMENTS_MAX`].
    InstalmentCount,
    /// The instalment would not even cover the interest, or the principal is less than one minor unit an instalment.
    TooSmall,
    Money(MoneyError),
    Calendar,
}

impl From<MoneyError> for ScheduleError {
    fn from(e: MoneyError) -> Self {
        ScheduleError::Money(e)
    }
}

impl std::fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ScheduleError::PrincipalNotPositive => f.write_str("the amount must be above zero"),
            ScheduleError::InstalmentCount => write!(f, "between 1 and {INSTALMENTS_MAX} instalments"),
            ScheduleError::TooSmall => f.write_str("the amount is too small for so many instalments"),
            ScheduleError::Money(e) => e.fmt(f),
            ScheduleError::Calendar => f.write_str("a due date lies beyond the calendar"),
        }
    }
}

impl std::error::Error for ScheduleError {}

/// The equal instalment of an annuity: `P·i / (1 − (1+i)^−n)`, rounded once (loan-math C1).
///
/// # Errors
/// Beyond the decimal's 28 digits.
pub fn annuity(
    principal: Money,
    rate: Rate,
    instalments: u32,
    rounding: Rounding,
) -> Result<Money, MoneyError> {
    let n = Decimal::from(instalments);
    let p = Decimal::from(principal.minor());
    let i = rate.a_period(12);
    let exact = if i.is_zero() {
        p / n
    } else {
        // (1+i)^-n by repeated division keeps full precision where the power could overflow.
        let one = Decimal::ONE;
        let growth = one + i;
        let discount =
            (0..instalments).try_fold(one, |d, _| d.checked_div(growth)).ok_or(MoneyError::Overflow)?;
        p.checked_mul(i).ok_or(MoneyError::Overflow)? / (one - discount)
    };
    Ok(Money::new(rounding.to_minor(exact)?, principal.currency()))
}

/// Monthly annuity; interest by month, every month a twelfth of a year. Instalment `n` is due `n` months after `start`,
/// the day interest begins, clamped to the month's end: a loan of 31 January is due on 28 February and on 31 March.
///
/// The rounding difference goes to the last instalment, which differs from the others by at most as many minor units
/// as there are instalments.
///
/// # Errors
/// See [`ScheduleError`].
pub fn monthly_annuity(
    principal: Money,
    rate: Rate,
    instalments: u32,
    start: NaiveDate,
    rounding: Rounding,
) -> Result<Vec<Instalment>, ScheduleError> {
    if !principal.is_positive() {
        return Err(ScheduleError::PrincipalNotPositive);
    }
    if instalments == 0 || instalments > INSTALMENTS_MAX {
        return Err(ScheduleError::InstalmentCount);
    }
    let equal = annuity(principal, rate, instalments, rounding)?;
    let mut balance = principal;
    let mut schedule = Vec::with_capacity(instalments as usize);
    for number in 1..=instalments {
        let interest = rate.period_interest(balance, 12, rounding)?;
        let last = number == instalments;
        let part = if last { balance } else { equal.minus(interest)? };
        if !part.is_positive() || part.minor() > balance.minor() || (!last && part == balance) {
            return Err(ScheduleError::TooSmall);
        }
        balance = balance.minus(part)?;
        let due = due_date::monthly(start, number + 1).ok_or(ScheduleError::Calendar)?;
        schedule.push(Instalment { number, due, interest, principal: part, balance_after: balance });
    }
    Ok(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    fn schedule(minor: i64, ppm: u32, n: u32, currency: Currency) -> Vec<Instalment> {
        let principal = Money::new(minor, currency);
        monthly_annuity(principal, Rate::from_ppm(ppm), n, date(2025, 1, 31), Rounding::HalfUp).unwrap()
    }

    fn row(i: &Instalment) -> [i64; 4] {
        [i.interest.minor(), i.principal.minor(), i.total().unwrap().minor(), i.balance_after.minor()]
    }

    #[test]
    fn there_is_a_most_of_instalments() {
        let plan = |n| {
            let principal = Money::new(100_000_000, Currency::USD);
            monthly_annuity(principal, Rate::ZERO, n, date(2025, 1, 31), Rounding::HalfUp)
        };
        assert_eq!(plan(INSTALMENTS_MAX).unwrap().len(), INSTALMENTS_MAX as usize);
        assert_eq!(plan(INSTALMENTS_MAX + 1), Err(ScheduleError::InstalmentCount));
        assert_eq!(plan(0), Err(ScheduleError::InstalmentCount));
    }

    #[test]
    fn each_reason_has_its_sentence() {
        let mut all: Vec<String> = [
            ScheduleError::PrincipalNotPositive,
            ScheduleError::InstalmentCount,
            ScheduleError::TooSmall,
            ScheduleError::Money(MoneyError::Overflow),
            ScheduleError::Calendar,
        ]
        .iter()
        .map(ToString::to_string)
        .collect();
        assert!(all.iter().all(|sentence| sentence.len() > 10), "{all:?}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 5);
    }

    #[test]
    fn ten_thousand_at_twelve_percent_over_a_year() {
        // Golden vector of loan-math C1.
        let s = schedule(1_000_000, 120_000, 12, Currency::USD);
        assert_eq!(row(&s[0]), [10_000, 78_849, 88_849, 921_151]);
        assert_eq!(row(&s[1])[..2], [9_212, 79_637]);
        assert_eq!(row(&s[11]), [880, 87_967, 88_847, 0]);
        assert_eq!(s.iter().map(|i| i.interest.minor()).sum::<i64>(), 66_186);
    }

    #[test]
    fn a_hundred_thousand_at_ten_percent_over_three_years() {
        // Golden vector of loan-math C1.
        let s = schedule(10_000_000, 100_000, 36, Currency::USD);
        assert_eq!(s[0].total().unwrap().minor(), 322_672);
        assert_eq!(s[35].total().unwrap().minor(), 322_664);
        assert_eq!(s.iter().map(|i| i.interest.minor()).sum::<i64>(), 1_616_184);
    }

    #[test]
    fn without_interest_and_without_minor_units() {
        let s = schedule(1_000, 0, 3, Currency::USD);
        assert_eq!(s.iter().map(|i| i.principal.minor()).collect::<Vec<_>>(), [333, 333, 334]);
        let yen = schedule(1_000_000, 120_000, 12, Currency::JPY);
        assert_eq!(yen[0].total().unwrap().to_string(), "JPY 88,849");
        let dinar = schedule(1_000_000, 120_000, 12, Currency::BHD);
        assert_eq!(dinar[0].total().unwrap().to_string(), "BHD 88.849");
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let tiny = Money::new(5, Currency::USD);
        let refuse =
            |p, n| monthly_annuity(p, Rate::from_ppm(120_000), n, date(2025, 1, 1), Rounding::HalfUp);
        assert_eq!(refuse(tiny, 12), Err(ScheduleError::TooSmall));
        assert_eq!(refuse(tiny, 0), Err(ScheduleError::InstalmentCount));
        assert_eq!(refuse(Money::zero(Currency::USD), 12), Err(ScheduleError::PrincipalNotPositive));
    }

    proptest! {
        #[test]
        fn principal_adds_up_and_the_last_is_close(minor in 10_000i64..5_000_000_000, ppm in 0u32..600_000, n in 1u32..120) {
            let s = schedule(minor, ppm, n, Currency::USD);
            prop_assert_eq!(s.iter().map(|i| i.principal.minor()).sum::<i64>(), minor);
            prop_assert!(s.iter().all(|i| i.interest.minor() >= 0 && i.principal.minor() > 0));
            let equal = annuity(Money::new(minor, Currency::USD), Rate::from_ppm(ppm), n, Rounding::HalfUp).unwrap();
            let last = s.last().unwrap().total().unwrap();
            // A difference made early is itself charged interest, so the bound grows with the rate.
            let grown = (0..n).fold(Decimal::from(n), |d, _| d * (Decimal::ONE + Rate::from_ppm(ppm).a_period(12)));
            prop_assert!(Decimal::from((last.minor() - equal.minor()).abs()) <= grown);
        }
    }
}
