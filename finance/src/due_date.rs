//! Due dates: months added to the first date and clamped, never stepped from a clamped one.

use chrono::{Months, NaiveDate};

/// The due date of instalment `number` (the first is 1) of a loan whose first is due on `first`.
///
/// 31 January, then 29 February in a leap year, then 31 March again. `None` past the calendar's end.
pub fn monthly(first: NaiveDate, number: u32) -> Option<NaiveDate> {
    first.checked_add_months(Months::new(number.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_month_is_clamped_and_comes_back() {
        let first = NaiveDate::from_ymd_opt(2024, 1, 31).unwrap();
        let dates: Vec<String> = (1..=4).map(|n| monthly(first, n).unwrap().to_string()).collect();
        assert_eq!(dates, ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]);
        assert_eq!(monthly(first, 0), None);
    }
}
