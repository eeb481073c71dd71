//! Relay's connections over the services' pages.

use crate::error::malformed;
use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{OutputType, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use platform::page::{Mark, Page};
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

fn mark(text: &str) -> Result<Mark> {
    let read = || {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (at, id) = bytes.split_at(8);
        let at = DateTime::from_timestamp_micros(i64::from_be_bytes(at.try_into().ok()?))?;
        Some(Mark { at, id: Uuid::from_slice(id).ok()? })
    };
    read().ok_or_else(|| malformed("this is not a cursor of this list"))
}

/// A row's cursor.
pub fn cursor(mark: Mark) -> String {
    let mut bytes = mark.at.timestamp_micros().to_be_bytes().to_vec();
    bytes.extend(mark.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Arguments {
    /// How many rows are shown, and the page to ask for: one more, which tells whether there is more.
    ///
    /// # Errors
    /// When the arguments contradict each other or are out of range.
    pub fn page(&self) -> Result<(usize, Page)> {
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
        .map(|row| Edge::with_additional_fields(cursor(place(&row)), node(row), EmptyFields))
        .collect();
    connection
}

/// As [`connection`], for a list by number.
pub fn numbered<R, N: OutputType>(
    arguments: &Arguments,
    more: bool,
    rows: Vec<R>,
    number: impl Fn(&R) -> i64,
    node: impl Fn(R) -> N,
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
    fn a_cursor_comes_back_as_it_went() {
        let place = Mark {
            at: DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
            id: Uuid::from_u128(9),
        };
        assert_eq!(mark(&cursor(place)).ok(), Some(place));
        assert!(mark("nonsense").is_err());
        let both = Arguments { first: Some(1), last: Some(1), ..Arguments::default() };
        assert!(both.page().is_err());
        assert!(Arguments { first: Some(101), ..Arguments::default() }.page().is_err());
        assert!(Arguments { first: Some(0), ..Arguments::default() }.page().is_err());
    }
}
