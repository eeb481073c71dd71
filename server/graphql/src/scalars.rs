//! The forms in which values travel: money and ratios as text, never as a floating-point number.

use crate::error::malformed;
use async_graphql::{
    Error, InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value,
};
use chrono::{DateTime as Instant, NaiveDate, SecondsFormat, Utc};
use finance::Rate;

/// A decimal number as text: an optional sign, digits, and at most one point between digits. No exponent, no spaces,
/// and never a JSON number, which many programs would read as a floating-point one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decimal(pub String);

impl Decimal {
    fn is_plain(text: &str) -> bool {
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        let body = text.strip_prefix('-').unwrap_or(text);
        text.len() <= 40
            && body.split_once('.').map_or(digits(body), |(whole, part)| digits(whole) && digits(part))
    }

    pub fn of(decimal: rust_decimal::Decimal) -> Decimal {
        Decimal(decimal.normalize().to_string())
    }

    /// A yearly rate as a ratio: 12 % is `0.12`.
    pub fn of_rate(rate: Rate) -> Decimal {
        Decimal::of(rust_decimal::Decimal::new(i64::from(rate.ppm()), 6))
    }

    /// # Errors
    /// When it is not between 0 and 42.9 in steps of a millionth.
    pub fn rate(&self) -> async_graphql::Result<Rate> {
        let parsed: Option<rust_decimal::Decimal> = self.0.parse().ok();
        let ppm = parsed.and_then(|d| d.checked_mul(rust_decimal::Decimal::from(1_000_000)));
        let whole = ppm.filter(|p| p.is_integer()).and_then(|p| u32::try_from(p).ok());
        whole
            .map(Rate::from_ppm)
            .ok_or_else(|| malformed("a rate is a ratio in steps of 0.000001, as in 0.12"))
    }
}

#[Scalar(name = "Decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) if Decimal::is_plain(&text) => Ok(Decimal(text)),
            Value::String(_) => {
                Err(InputValueError::custom("a decimal is digits with at most one point, as in \"12.50\""))
            }
            _ => Err(InputValueError::custom("a decimal travels as text, as in \"12.50\"")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A civil date, `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date(pub NaiveDate);

#[Scalar(name = "Date")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) if text.len() == 10 => Ok(Date(text.parse()?)),
            _ => Err(InputValueError::custom("a date is text, as in \"2026-01-31\"")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An instant in UTC, RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DateTime(pub Instant<Utc>);

#[Scalar(name = "DateTime")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::String(text) => Ok(DateTime(Instant::parse_from_rfc3339(text)?.with_timezone(&Utc))),
            _ => Err(InputValueError::custom("an instant is text, as in \"2026-01-31T12:00:00Z\"")),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// The code of a currency, ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Currency(pub finance::Currency);

#[Scalar(name = "Currency")]
impl ScalarType for Currency {
    fn parse(value: Value) -> InputValueResult<Self> {
        let code = match &value {
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        code.map(Currency)
            .ok_or_else(|| InputValueError::custom("a currency is its ISO 4217 code, as in \"USD\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.code().into())
    }
}

/// A version 7 UUID that the client makes. It makes a command repeatable: the same id with the same content gives the
/// first answer again, with other content a typed error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Uuid(pub uuid::Uuid);

#[Scalar(name = "UUID")]
impl ScalarType for Uuid {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::custom("an id is text")) };
        let id = uuid::Uuid::parse_str(text).ok().filter(|_| text.len() == 36);
        let id = id.filter(|id| id.get_version_num() == 7);
        id.map(Uuid).ok_or_else(|| InputValueError::custom("a command's id is a version 7 UUID with hyphens"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An amount of money.
#[derive(Clone, PartialEq, Eq, Debug, SimpleObject)]
pub struct Money {
    /// With exactly the currency's decimal places.
    pub amount: Decimal,
    pub currency: Currency,
}

impl From<finance::Money> for Money {
    fn from(m: finance::Money) -> Money {
        Money { amount: Decimal(m.to_decimal_string()), currency: Currency(m.currency()) }
    }
}

/// An amount of money.
#[derive(Clone, Debug, InputObject)]
pub struct MoneyInput {
    /// At most the currency's decimal places.
    pub amount: Decimal,
    pub currency: Currency,
}

impl MoneyInput {
    /// # Errors
    /// When there are more decimal places than the currency has, or more money than there is.
    pub fn money(&self) -> Result<finance::Money, Error> {
        finance::Money::parse(&self.amount.0, self.currency.0).map_err(|e| malformed(&e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_strict_text() {
        for good in ["0", "12.50", "-3", "0.000001", "007"] {
            assert!(Decimal::parse(Value::String(good.into())).is_ok(), "{good}");
        }
        for bad in ["", "-", ".5", "5.", "1e3", "1_000", " 1", "+1", "1,5", "1.2.3", "٣", "NaN"] {
            assert!(Decimal::parse(Value::String(bad.into())).is_err(), "{bad}");
        }
        assert!(Decimal::parse(Value::from(12)).is_err(), "a JSON number");
        let rate = |text: &str| Decimal(text.into()).rate().ok().map(Rate::ppm);
        assert_eq!((rate("0.12"), rate("0.0000001"), rate("-0.1")), (Some(120_000), None, None));
        assert_eq!(Decimal::of_rate(Rate::from_ppm(120_000)).0, "0.12");
    }

    #[test]
    fn an_id_is_version_7() {
        let parse = |text: &str| Uuid::parse(Value::String(text.into())).is_ok();
        assert!(parse("01890a5d-ac96-774b-bcce-b302099a8057"));
        assert!(!parse("6ba7b810-9dad-51d1-80b4-00c04fd430c8"), "version 5");
        assert!(!parse("01890a5dac96774bbcceb302099a8057"), "without hyphens");
    }
}
