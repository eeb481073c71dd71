//! Rates: parts per million a year in storage, a decimal inside the arithmetic.

use crate::money::{Money, MoneyError};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a result meets the minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Rounding {
    #[default]
    HalfUp,
    HalfEven,
    /// Towards zero.
    Down,
}

impl Rounding {
    pub(crate) fn to_minor(self, value: Decimal) -> Result<i64, MoneyError> {
        let strategy = match self {
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::Down => RoundingStrategy::ToZero,
        };
        value.round_dp_with_strategy(0, strategy).to_i64().ok_or(MoneyError::Overflow)
    }
}

/// A nominal annual rate in parts per million: 12 % is 120,000.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(u32);

impl Rate {
    pub const ZERO: Rate = Rate(0);

    pub const fn from_ppm(ppm: u32) -> Rate {
        Rate(ppm)
    }

    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// Reads a percentage with at most four decimal places, such as `11.4`.
    ///
    /// # Errors
    /// [`MoneyError::Malformed`] for anything else, above 1,000 % too.
    pub fn parse_percent(text: &str) -> Result<Rate, MoneyError> {
        let malformed = || MoneyError::Malformed(text.chars().take(32).collect());
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 4 || whole.len() > 4 {
            return Err(malformed());
        }
        let whole: u32 = whole.parse().map_err(|_| malformed())?;
        let fraction: u32 = format!("{fraction:0<4}").parse().map_err(|_| malformed())?;
        if whole > 1_000 {
            return Err(malformed());
        }
        Ok(Rate(whole * 10_000 + fraction))
    }

    /// The percentage without needless zeros: `11.4`.
    pub fn to_percent_string(self) -> String {
        let text = format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000);
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    }

    pub(crate) fn a_year(self) -> Decimal {
        Decimal::new(i64::from(self.0), 6)
    }

    /// The rate of one of `periods` equal parts of a year, unrounded.
    pub(crate) fn a_period(self, periods: u32) -> Decimal {
        self.a_year() / Decimal::from(periods)
    }

    /// Simple interest for `days` of a year of `basis` days.
    ///
    /// # Errors
    /// Beyond 64 bits.
    pub fn interest(
        self,
        principal: Money,
        days: i64,
        basis: u32,
        rounding: Rounding,
    ) -> Result<Money, MoneyError> {
        let exact =
            Decimal::from(principal.minor()) * self.a_year() * Decimal::from(days) / Decimal::from(basis);
        Ok(Money::new(rounding.to_minor(exact)?, principal.currency()))
    }

    /// Interest of one of `periods` equal parts of a year.
    ///
    /// # Errors
    /// Beyond 64 bits.
    pub fn period_interest(
        self,
        principal: Money,
        periods: u32,
        rounding: Rounding,
    ) -> Result<Money, MoneyError> {
        let exact = Decimal::from(principal.minor()) * self.a_year() / Decimal::from(periods);
        Ok(Money::new(rounding.to_minor(exact)?, principal.currency()))
    }

    /// A share of an amount, such as a fee.
    ///
    /// # Errors
    /// Beyond 64 bits.
    pub fn of(self, amount: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let exact = Decimal::from(amount.minor()) * self.a_year();
        Ok(Money::new(rounding.to_minor(exact)?, amount.currency()))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.to_percent_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn a_rate_has_an_end() {
        assert_eq!(Rate::from_ppm(123_456).ppm(), 123_456);
        assert_eq!(Rate::parse_percent("1000").map(Rate::ppm), Ok(10_000_000));
        assert_eq!(Rate::parse_percent("12.3456").map(Rate::ppm), Ok(123_456));
        for text in ["1001", "9999", "10000", "1.23456", "", ".", "1.", "-1", "1,5"] {
            assert!(Rate::parse_percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percent_text_is_read_and_written() {
        assert_eq!(Rate::parse_percent("11.4"), Ok(Rate(114_000)));
        assert_eq!(Rate::parse_percent("0"), Ok(Rate(0)));
        assert_eq!(Rate(114_000).to_percent_string(), "11.4");
        assert_eq!(Rate(120_000).to_percent_string(), "12");
        for text in ["", "1e1", "-1", "1.23456", "1001", ".5", "5."] {
            assert!(Rate::parse_percent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bullet_of_ninety_days_by_both_bases() {
        // 10,000.00 at 12 % for 90 days: Actual/365 295.89, Actual/360 300.00 (loan-math C1).
        let twelve = Rate::from_ppm(120_000);
        assert_eq!(twelve.interest(usd(1_000_000), 90, 365, Rounding::HalfUp), Ok(usd(29_589)));
        assert_eq!(twelve.interest(usd(1_000_000), 90, 360, Rounding::HalfUp), Ok(usd(30_000)));
    }

    #[test]
    fn a_half_goes_up_or_to_even() {
        let half = Rate::from_ppm(500_000);
        assert_eq!(half.of(usd(5), Rounding::HalfUp), Ok(usd(3)));
        assert_eq!(half.of(usd(5), Rounding::HalfEven), Ok(usd(2)));
        assert_eq!(half.of(usd(5), Rounding::Down), Ok(usd(2)));
    }
}
