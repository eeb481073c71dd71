//! Relay's connections over the services' pages.

use crate::error::malformed;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{OutputType, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, NaiveDate};
use platform::page::{Key, Mark, Page};
use uuid::Uuid;

/// A connection's arguments.
#[derive(Clone, Default)]
pub struct Arguments {
    pub first: Option<i32>,
    pub after: Option<String>,
    pub last: Option<i32>,
    pub before: Option<String>,
}

const DEFAULT: u32 = 20;

fn count(asked: i32) -> Result<u32> {
    u32::try_from(asked)
        .ok()
        .filter(|n| (1..=100).contains(n))
        .ok_or_else(|| malformed("first and last are from 1 to 100"))
}

/// What a list costs, in fields: each row what is asked of one, for rows come several at once a quarter of it. It is
/// reckoned before anybody has looked at what was asked for, so a number of rows that no list has costs as the most there
/// may be, and never more than could be added up further.
pub fn cost(rows: Option<i32>, row: usize) -> usize {
    const MOST: usize = 1_000_000;
    let rows = rows.map_or(DEFAULT, |n| count(n).unwrap_or(100));
    (usize::try_from(rows).unwrap_or(100).saturating_mul(row) / 4).min(MOST) + 1
}

/// What a list is sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Instant,
    Day,
    Number,
}

/// How a list is sorted: a cursor of one order says nothing in another, and is refused there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sorted {
    /// Which of the orders that its list has; it stands in the cursor.
    pub code: u8,
    pub kind: Kind,
}

/// Most lists have one order.
pub const BY_TIME: Sorted = Sorted { code: 0, kind: Kind::Instant };

/// A key and an id.
const MARK: usize = 24;

impl Sorted {
    fn mark(self, text: &str) -> Result<Mark> {
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            // A list's own order stands in its cursors by having no code.
            let (code, rest) =
                if bytes.len() == MARK { (0, &bytes[..]) } else { (*bytes.first()?, &bytes[1..]) };
            if code != self.code || rest.len() != MARK {
                return None;
            }
            let (key, id) = rest.split_at(8);
            let key = i64::from_be_bytes(key.try_into().ok()?);
            // No list has a day that a database could not hold.
            let known = |day: NaiveDate| (1..=9_999).contains(&day.year());
            let key = match self.kind {
                Kind::Instant => {
                    Key::Instant(DateTime::from_timestamp_micros(key).filter(|at| known(at.date_naive()))?)
                }
                Kind::Day => {
                    Key::Day(NaiveDate::from_epoch_days(i32::try_from(key).ok()?).filter(|day| known(*day))?)
                }
                Kind::Number => Key::Number(key),
            };
            Some(Mark { key, id: Uuid::from_slice(id).ok()? })
        };
        read().ok_or_else(|| malformed("this is not a cursor of this list in this order"))
    }

    fn cursor(self, mark: Mark) -> String {
        let key = match mark.key {
            Key::Instant(at) => at.timestamp_micros(),
            Key::Day(day) => i64::from(day.to_epoch_days()),
            Key::Number(n) => n,
        };
        let mut bytes = if self.code == 0 { Vec::new() } else { vec![self.code] };
        bytes.extend(key.to_be_bytes());
        bytes.extend(mark.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl Arguments {
    /// How many rows are shown, and the page to ask for: one more, which tells whether there is more.
    ///
    /// # Errors
    /// When the arguments contradict each other or are out of range.
    pub fn page(&self) -> Result<(usize, Page)> {
        self.page_sorted(BY_TIME)
    }

    /// As [`Arguments::page`], for a list in another order.
    ///
    /// # Errors
    /// As there.
    pub fn page_sorted(&self, sorted: Sorted) -> Result<(usize, Page)> {
        let mark = |text: &str| sorted.mark(text);
        let (shown, from_end) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(malformed("give first or last, not both")),
            (Some(first), None) => (count(first)?, false),
            (None, Some(last)) => (count(last)?, true),
            (None, None) => (DEFAULT, false),
        };
        let page = Page {
            after: self.after.as_deref().map(mark).transpose()?,
            before: self.before.as_deref().map(mark).transpose()?,
            limit: shown + 1,
            from_end,
        };
        Ok((shown as usize, page))
    }

    /// As [`Arguments::page`], for a list by number: how many, and the number after which to go on.
    ///
    /// # Errors
    /// As there.
    pub fn numbers(&self) -> Result<(u32, Option<i64>)> {
        if self.last.is_some() || self.before.is_some() {
            return Err(malformed("this list is read from its newest entry: give first and after"));
        }
        let after = self
            .after
            .as_deref()
            .map(|text| text.parse().map_err(|_| malformed("this is not a cursor of this list")));
        Ok((self.first.map_or(Ok(DEFAULT), count)?, after.transpose()?))
    }
}

/// Makes the connection of the rows a page brought.
pub fn connection<R, N: OutputType>(
    arguments: &Arguments,
    shown: usize,
    rows: Vec<R>,
    place: impl Fn(&R) -> Mark,
    node: impl Fn(R) -> N,
) -> Connection<String, N> {
    connection_sorted(BY_TIME, arguments, shown, rows, place, node)
}

/// As [`connection`], for a list in another order.
pub fn connection_sorted<R, N: OutputType>(
    sorted: Sorted,
    arguments: &Arguments,
    shown: usize,
    mut rows: Vec<R>,
    place: impl Fn(&R) -> Mark,
    node: impl Fn(R) -> N,
) -> Connection<String, N> {
    let more = rows.len() > shown;
    let from_end = arguments.last.is_some();
    if more {
        if from_end {
            rows.remove(0);
        } else {
            rows.truncate(shown);
        }
    }
    // In the direction that was not read, a cursor says that something lies behind it.
    let (previous, next) =
        if from_end { (more, arguments.before.is_some()) } else { (arguments.after.is_some(), more) };
    let mut connection = Connection::new(previous, next);
    connection.edges = rows
        .into_iter()
        .map(|row| Edge::with_additional_fields(sorted.cursor(place(&row)), node(row), EmptyFields))
        .collect();
    connection
}

/// As [`connection`], for a list by number.
pub fn numbered<R, N: OutputType>(
    arguments: &Arguments,
    more: bool,
    rows: Vec<R>,
    number: impl Fn(&R) -> i64,
    mut node: impl FnMut(R) -> N,
) -> Connection<String, N> {
    let mut connection = Connection::new(arguments.after.is_some(), more);
    connection.edges = rows
        .into_iter()
        .map(|row| Edge::with_additional_fields(number(&row).to_string(), node(row), EmptyFields))
        .collect();
    connection
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_list_costs_is_bounded_whatever_is_asked_for() {
        assert_eq!(cost(Some(100), 8), 201);
        assert_eq!(cost(None, 8), 41);
        for rows in [i32::MIN, -1, 0, 101, i32::MAX] {
            assert_eq!(cost(Some(rows), 8), 201, "{rows}");
        }
        assert_eq!(cost(Some(100), usize::MAX), 1_000_001);
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let id = Uuid::from_u128(9);
        let places = [
            (BY_TIME, Mark::at(DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(), id)),
            (Sorted { code: 3, kind: Kind::Number }, Mark { key: Key::Number(-5), id }),
            (
                Sorted { code: 4, kind: Kind::Day },
                Mark { key: Key::Day(NaiveDate::from_epoch_days(20_000).unwrap()), id },
            ),
        ];
        for (sorted, place) in places {
            let text = sorted.cursor(place);
            assert_eq!(sorted.mark(&text).ok(), Some(place));
            assert!(sorted.mark("nonsense").is_err());
            let far = Sorted { kind: Kind::Day, ..sorted }.cursor(Mark { key: Key::Number(-3_000_000), id });
            assert!(Sorted { kind: Kind::Day, ..sorted }.mark(&far).is_err(), "a day before all calendars");
            let another = Sorted { code: sorted.code + 1, ..sorted };
            assert!(another.mark(&text).is_err(), "a cursor of another order");
        }
        let both = Arguments { first: Some(1), last: Some(1), ..Arguments::default() };
        assert!(both.page().is_err());
        assert!(Arguments { first: Some(101), ..Arguments::default() }.page().is_err());
        assert!(Arguments { first: Some(0), ..Arguments::default() }.page().is_err());
    }
}
