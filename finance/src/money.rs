//! Money: an integer number of minor units and its currency.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency with the exponent of its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// Currencies by the exponent of their minor unit (ISO 4217, list one).
const EXPONENTS: &[(u8, &str)] = &[
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
    (
        2,
        "AED ALL AMD ANG AOA ARS AUD AZN BAM BBD BDT BGN BOB BRL BSD BWP BYN BZD CAD CHF CNY COP CRC CZK DKK DOP DZD EGP \
         ERN ETB EUR FJD GBP GEL GHS GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KZT LAK LBP LKR LSL MAD \
         MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD \
         SAR SBD SCR SEK SGD SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD ZAR ZMW",
    ),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
];

impl Currency {
    pub const USD: Currency = Currency { code: *b"USD", exponent: 2 };
    pub const EUR: Currency = Currency { code: *b"EUR", exponent: 2 };
    pub const JPY: Currency = Currency { code: *b"JPY", exponent: 0 };
    pub const BHD: Currency = Currency { code: *b"BHD", exponent: 3 };

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("XXX")
    }

    /// How many decimal places the currency's amounts have.
    pub fn exponent(self) -> u32 {
        u32::from(self.exponent)
    }

    fn unit(self) -> i64 {
        10i64.pow(self.exponent())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Currency, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(8).collect());
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        EXPONENTS
            .iter()
            .find(|(_, codes)| codes.split_ascii_whitespace().any(|c| c == code))
            .map(|(exponent, _)| Currency { code: bytes, exponent: *exponent })
            .ok_or_else(unknown)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Currency, D::Error> {
        let code = String::deserialize(d)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

/// Why an amount could not be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MoneyError {
    UnknownCurrency(String),
    CurrencyMismatch {
        left: Currency,
        right: Currency,
    },
    /// Beyond 64 bits of minor units.
    Overflow,
    /// Not an amount: digits, at most one point, an optional leading minus.
    Malformed(String),
    /// More decimal places than the currency has.
    TooPrecise {
        places_max: u32,
    },
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MoneyError::UnknownCurrency(code) => write!(f, "{code} is not an ISO 4217 currency code"),
            MoneyError::CurrencyMismatch { left, right } => {
                write!(f, "{left} and {right} cannot be combined")
            }
            MoneyError::Overflow => f.write_str("the amount is too large"),
            MoneyError::Malformed(text) => {
                write!(f, "“{text}” is not an amount; write digits with at most one point")
            }
            MoneyError::TooPrecise { places_max: 0 } => f.write_str("this currency has no decimal places"),
            MoneyError::TooPrecise { places_max } => {
                write!(f, "this currency has at most {places_max} decimal places")
            }
        }
    }
}

impl std::error::Error for MoneyError {}

/// An amount of one currency, in minor units. Closed under its checked operations; there is no `Money` times `Money`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// The amount in minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// # Errors
    /// Another currency, or beyond 64 bits.
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// # Errors
    /// Another currency, or beyond 64 bits.
    pub fn minus(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Money, op: fn(i64, i64) -> Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = op(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, currency: self.currency })
    }

    /// Adds up amounts of one currency.
    ///
    /// # Errors
    /// Another currency, or beyond 64 bits.
    pub fn sum(currency: Currency, parts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        parts.into_iter().try_fold(Money::zero(currency), Money::plus)
    }

    /// Reads an amount as the API writes it: digits, at most one point, at most the currency's decimal places.
    ///
    /// # Errors
    /// See [`MoneyError`].
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let malformed = || MoneyError::Malformed(text.chars().take(32).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(malformed()),
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, ""),
        };
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        let places = currency.exponent() as usize;
        if fraction.len() > places && fraction.bytes().skip(places).any(|b| b != b'0') {
            return Err(MoneyError::TooPrecise { places_max: currency.exponent() });
        }
        // Digit by digit towards the sign, so that the most negative amount can be read too.
        let fraction = fraction.bytes().chain(std::iter::repeat(b'0')).take(places);
        let minor = whole.bytes().chain(fraction).try_fold(0i64, |sum, digit| {
            let digit = i64::from(digit - b'0');
            let sum = sum.checked_mul(10)?;
            if negative { sum.checked_sub(digit) } else { sum.checked_add(digit) }
        });
        Ok(Money { minor: minor.ok_or(MoneyError::Overflow)?, currency })
    }

    /// The amount as the API writes it: a point, all decimal places, no grouping.
    pub fn to_decimal_string(self) -> String {
        let places = self.currency.exponent() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        let unit = self.currency.unit().unsigned_abs();
        if places == 0 {
            format!("{sign}{magnitude}")
        } else {
            format!("{sign}{}.{:0places$}", magnitude / unit, magnitude % unit)
        }
    }

    /// As [`Money::to_decimal_string`], with the thousands apart, as sentences in English have it.
    pub fn to_grouped_string(self) -> String {
        let text = self.to_decimal_string();
        let (whole, part) = text.split_once('.').map_or((text.as_str(), None), |(w, p)| (w, Some(p)));
        let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |d| ("-", d));
        let mut grouped = String::from(sign);
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        if let Some(part) = part {
            grouped.push('.');
            grouped.push_str(part);
        }
        grouped
    }

    /// Splits by weights in proportion; the parts add up to the whole, and the odd minor units go to the largest
    /// remainders, earlier ones first.
    ///
    /// # Errors
    /// No weight above zero, a negative amount or weight, or beyond 128 bits on the way.
    pub fn split_by(self, weights: &[i64]) -> Result<Vec<Money>, MoneyError> {
        if self.minor < 0 || weights.iter().any(|w| *w < 0) {
            return Err(MoneyError::Malformed("a negative part".into()));
        }
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        if total == 0 {
            return Err(MoneyError::Malformed("no weight above zero".into()));
        }
        let mut parts = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        let mut given = 0i64;
        for (place, weight) in weights.iter().enumerate() {
            let exact =
                i128::from(self.minor).checked_mul(i128::from(*weight)).ok_or(MoneyError::Overflow)?;
            let part = i64::try_from(exact / total).map_err(|_| MoneyError::Overflow)?;
            given += part;
            parts.push(part);
            remainders.push((exact % total, place));
        }
        remainders.sort_by_key(|(remainder, place)| (std::cmp::Reverse(*remainder), *place));
        let left = usize::try_from(self.minor - given).map_err(|_| MoneyError::Overflow)?;
        for (_, place) in remainders.iter().take(left) {
            parts[*place] += 1;
        }
        Ok(parts.into_iter().map(|minor| Money { minor, currency: self.currency }).collect())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.to_grouped_string())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_currency_keeps_its_own_decimal_places() {
        for (text, currency, minor) in [
            ("10.50", Currency::USD, 1_050),
            ("10.5", Currency::USD, 1_050),
            ("10", Currency::USD, 1_000),
            ("1050", Currency::JPY, 1_050),
            ("1.050", Currency::BHD, 1_050),
            ("-0.01", Currency::USD, -1),
            ("1.000", Currency::USD, 100),
            ("-92233720368547758.08", Currency::USD, i64::MIN),
        ] {
            assert_eq!(Money::parse(text, currency), Ok(Money::new(minor, currency)), "{text}");
        }
    }

    #[test]
    fn in_sentences_thousands_stand_apart() {
        for (minor, currency, text) in [
            (717_680, Currency::USD, "USD 7,176.80"),
            (100_000_000, Currency::USD, "USD 1,000,000.00"),
            (99_999, Currency::USD, "USD 999.99"),
            (-1_234_567, Currency::JPY, "JPY -1,234,567"),
            (-100, Currency::USD, "USD -1.00"),
            (5, Currency::BHD, "BHD 0.005"),
        ] {
            assert_eq!(Money::new(minor, currency).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "-", ".5", "1.", "1,000", "1e3", "+1", " 1", "1_000", "0x1", "１", "1.2.3", "--1"] {
            assert!(matches!(Money::parse(text, Currency::USD), Err(MoneyError::Malformed(_))), "{text}");
        }
        assert_eq!(Money::parse("1.001", Currency::USD), Err(MoneyError::TooPrecise { places_max: 2 }));
        assert_eq!(Money::parse("1.5", Currency::JPY), Err(MoneyError::TooPrecise { places_max: 0 }));
        assert_eq!(Money::parse("92233720368547758.08", Currency::USD), Err(MoneyError::Overflow));
        assert!("usd".parse::<Currency>().is_err());
        assert!("US".parse::<Currency>().is_err());
        assert!("XXX".parse::<Currency>().is_err());
    }

    #[test]
    fn currencies_do_not_mix_and_sums_do_not_wrap() {
        let (a, b) = (Money::new(1, Currency::USD), Money::new(1, Currency::JPY));
        assert!(matches!(a.plus(b), Err(MoneyError::CurrencyMismatch { .. })));
        assert_eq!(Money::new(i64::MAX, Currency::USD).plus(a), Err(MoneyError::Overflow));
        assert_eq!(format!("{:?} {:?}", Currency::BHD, a), "BHD USD 0.01");
        assert!(Money::zero(Currency::USD).is_zero() && !a.is_zero());
        assert!(Money::parse("1.50", Currency::USD).is_ok() && Money::parse("1.500", Currency::USD).is_ok());
        assert_eq!(Money::zero(Currency::JPY).to_decimal_string(), "0");
        assert_eq!(Money::zero(Currency::USD).to_decimal_string(), "0.00");
    }

    #[test]
    fn odd_minor_units_go_to_the_largest_remainders() {
        let split = |minor: i64, weights: &[i64]| {
            let parts = Money::new(minor, Currency::USD).split_by(weights)?;
            Ok::<_, MoneyError>(parts.into_iter().map(Money::minor).collect::<Vec<_>>())
        };
        assert_eq!(split(10, &[1, 2]), Ok(vec![3, 7]));
        assert_eq!(split(100, &[1, 1, 1]), Ok(vec![34, 33, 33]));
        assert_eq!(split(11, &[5, 3, 3]), Ok(vec![5, 3, 3]));
        assert_eq!(split(10, &[2, 3, 2]), Ok(vec![3, 4, 3]));
        assert_eq!(split(7, &[0, 1]), Ok(vec![0, 7]));
        assert_eq!(split(0, &[1, 1]), Ok(vec![0, 0]));
        for (minor, weights) in [(-1, &[1][..]), (1, &[-1, 2]), (1, &[0, 0]), (1, &[])] {
            assert!(matches!(split(minor, weights), Err(MoneyError::Malformed(_))), "{minor} by {weights:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(minor: i64, place in 0usize..4) {
            let currency = [Currency::USD, Currency::JPY, Currency::BHD, Currency::EUR][place];
            let money = Money::new(minor, currency);
            prop_assert_eq!(Money::parse(&money.to_decimal_string(), currency), Ok(money));
        }

        #[test]
        fn the_parts_add_up_to_the_whole(minor in 0i64..1_000_000_000, weights in prop::collection::vec(0i64..1_000_000, 1..40)) {
            prop_assume!(weights.iter().any(|w| *w > 0));
            let whole = Money::new(minor, Currency::USD);
            let parts = whole.split_by(&weights).unwrap();
            prop_assert_eq!(Money::sum(Currency::USD, parts.iter().copied()), Ok(whole));
            let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let off = i128::from(part.minor()) * total - i128::from(minor) * i128::from(*weight);
                prop_assert!(off.abs() < total, "less than one minor unit off");
            }
        }
    }
}
