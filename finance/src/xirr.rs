//! The yearly return of dated cash flows.

use chrono::NaiveDate;
use rust_decimal::{Decimal, MathematicalOps};

/// The rate `R` with `Σ cf / (1+R)^(days/365) = 0`, days from the first flow (loan-math C7).
///
/// Flows in minor units of one currency, money paid in negative. `None` when all flows are on one day, when none is
/// negative or none positive, or when no rate between −99.99 % and 1,000 % fits. Exact to ten decimal places.
pub fn xirr(flows: &[(NaiveDate, i64)]) -> Option<Decimal> {
    let first = flows.iter().map(|(date, _)| *date).min()?;
    let last = flows.iter().map(|(date, _)| *date).max()?;
    if first == last || !flows.iter().any(|(_, cf)| *cf > 0) || !flows.iter().any(|(_, cf)| *cf < 0) {
        return None;
    }
    let dated: Vec<(i64, Decimal)> =
        flows.iter().map(|(date, cf)| ((*date - first).num_days(), Decimal::from(*cf))).collect();
    // Far below zero the factors of many years leave the decimal's range: then the bracket begins higher.
    let lows = [-9_999, -9_900, -9_000, -5_000, -2_000].map(|low| Decimal::new(low, 4));
    let (mut low, mut at_low) = lows.into_iter().find_map(|low| Some((low, value(&dated, low)?)))?;
    let mut high = Decimal::from(10);
    let at_high = value(&dated, high)?;
    if at_low.is_sign_negative() == at_high.is_sign_negative() {
        return None;
    }
    // Newton first, from where most returns lie; it must stay inside the bracket, else bisection takes over.
    if let Some(rate) = newton(&dated, low, high) {
        return Some(rate.round_dp(12));
    }
    for _ in 0..80 {
        let middle = (low + high) / Decimal::TWO;
        let at_middle = value(&dated, middle)?;
        if at_middle.is_sign_negative() == at_low.is_sign_negative() {
            (low, at_low) = (middle, at_middle);
        } else {
            high = middle;
        }
    }
    Some(((low + high) / Decimal::TWO).round_dp(12))
}

/// Present value of the flows at a yearly rate. `None` beyond the decimal's range.
fn value(dated: &[(i64, Decimal)], rate: Decimal) -> Option<Decimal> {
    sum(dated, rate, |cf, _| cf)
}

fn slope(dated: &[(i64, Decimal)], rate: Decimal) -> Option<Decimal> {
    let growth = Decimal::ONE + rate;
    Some(sum(dated, rate, |cf, years| -cf * years)? / growth)
}

fn sum(
    dated: &[(i64, Decimal)],
    rate: Decimal,
    term: impl Fn(Decimal, Decimal) -> Decimal,
) -> Option<Decimal> {
    let ln = (Decimal::ONE + rate).checked_ln()?;
    let year = Decimal::from(365);
    dated.iter().try_fold(Decimal::ZERO, |sum, (days, cf)| {
        let years = Decimal::from(*days) / year;
        let exponent = -ln * years;
        let factor = match exponent.checked_exp() {
            Some(factor) => factor,
            // Too small to count; too large, and there is no value at this rate.
            None if exponent.is_sign_negative() => Decimal::ZERO,
            None => return None,
        };
        sum.checked_add(term(*cf, years).checked_mul(factor)?)
    })
}

fn newton(dated: &[(i64, Decimal)], low: Decimal, high: Decimal) -> Option<Decimal> {
    let mut rate = Decimal::new(1, 1);
    for _ in 0..40 {
        let slope = slope(dated, rate)?;
        if slope.is_zero() {
            return None;
        }
        let next = rate - value(dated, rate)?.checked_div(slope)?;
        if next <= low || next >= high {
            return None;
        }
        if (next - rate).abs() < Decimal::new(1, 14) {
            return Some(next);
        }
        rate = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    fn close(found: Option<Decimal>, text: &str) {
        let (found, wanted) = (found.expect("a rate"), Decimal::from_str_exact(text).unwrap());
        assert!((found - wanted).abs() < Decimal::new(1, 9), "{found} against {wanted}");
    }

    #[test]
    fn published_vectors() {
        // Golden vectors of loan-math C7.
        let flows = [
            (date(2015, 6, 11), -100_000),
            (date(2015, 7, 21), -900_000),
            (date(2015, 10, 17), -300_000),
            (date(2018, 6, 10), 2_000_000),
        ];
        close(xirr(&flows), "0.163537158443264");
        let flows = [
            (date(2008, 1, 1), -1_000_000),
            (date(2008, 3, 1), 275_000),
            (date(2008, 10, 30), 425_000),
            (date(2009, 2, 15), 325_000),
            (date(2009, 4, 1), 275_000),
        ];
        close(xirr(&flows), "0.373362533518831");
    }

    #[test]
    fn losses_and_the_unanswerable() {
        close(xirr(&[(date(2025, 1, 1), -10_000), (date(2026, 1, 1), 5_000)]), "-0.5");
        assert_eq!(xirr(&[(date(2025, 1, 1), -10_000), (date(2025, 1, 1), 10_000)]), None);
        assert_eq!(xirr(&[(date(2025, 1, 1), 10_000), (date(2026, 1, 1), 10_000)]), None);
        assert_eq!(xirr(&[]), None);
        // Nearly all is gone, and a return beyond the bracket.
        close(xirr(&[(date(2025, 1, 1), -10_000), (date(2026, 1, 1), 5)]), "-0.9995");
        assert_eq!(xirr(&[(date(2025, 1, 1), -1), (date(2026, 1, 1), 1_000)]), None);
        // Over many years the lowest rate's factor is beyond the decimal: the bracket begins higher.
        close(xirr(&[(date(2025, 1, 1), -10_000), (date(2065, 1, 1), 10_000)]), "0");
    }

    /// Bisection would hide what is wrong with the quicker way.
    #[test]
    fn the_quicker_way_finds_it_by_itself() {
        let dated = [(0, Decimal::from(-10_000)), (365, Decimal::from(11_500))];
        let (low, high) = (Decimal::new(-9_999, 4), Decimal::from(10));
        let at = |rate: &str| Decimal::from_str_exact(rate).unwrap();
        close(slope(&dated, at("0.15")), "-8695.652173913");
        close(newton(&dated, low, high), "0.15");
        assert_eq!(newton(&dated, low, at("0.12")), None, "outside of where it may be");
        assert_eq!(newton(&dated, at("0.16"), high), None);
    }
}
