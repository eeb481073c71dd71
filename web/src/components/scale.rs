//! How high a chart goes: its top and its middle, as lines with their amounts.

use crate::locale::number;
use finance::Money;
use leptos::prelude::*;

/// A round amount, not below `most`, whose half is exact: the top of a chart.
pub fn top(most: Money) -> Money {
    // Fine enough that no chart stands half empty.
    let tens = std::iter::successors(Some(1i64), |ten| ten.checked_mul(10));
    let tops = tens.flat_map(|ten| {
        [10, 12, 14, 16, 18, 20, 24, 30, 36, 40, 50, 60, 70, 80, 90].map(|n| ten.saturating_mul(n))
    });
    let round = tops.into_iter().find(|t| *t >= most.minor()).unwrap_or(i64::MAX);
    Money::new(round, most.currency())
}

/// Lies over the chart, which goes up to `most`; whoever listens has the table.
#[component]
pub fn Scale(most: Money) -> impl IntoView {
    let half = Money::new(most.minor() / 2, most.currency());
    view! {
        <div class="scale small muted" aria-hidden="true">
            <span>{move || round(most)}</span>
            <span>{move || round(half)}</span>
            <span></span>
        </div>
    }
}

/// Without its decimals where they say nothing.
fn round(amount: Money) -> String {
    let text = amount.to_decimal_string();
    match text.split_once('.') {
        Some((whole, part)) if part.bytes().all(|b| b == b'0') => number(whole),
        _ => number(&text),
    }
}

/// A part of a whole on a length; in integers, for it is money that is drawn.
pub fn on_length(part: i64, whole: i64, length: i64) -> i64 {
    i64::try_from(i128::from(part.max(0)) * i128::from(length) / i128::from(whole.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_round_and_not_below() {
        let usd = finance::Currency::USD;
        for (most, expected) in [(0, 10), (1, 10), (10, 10), (101, 120), (70_001, 80_000), (90_001, 100_000)]
        {
            let top = top(Money::new(most, usd)).minor();
            assert_eq!(top, expected);
            assert_eq!(top % 2, 0);
        }
        assert_eq!(top(Money::new(i64::MAX, usd)).minor(), i64::MAX);
    }
}
