//! What a person typed, as the digits that [`crate::Money::parse`] and [`crate::Rate::parse_percent`] read.

/// Full-width digits and signs, as an input method for Chinese writes them, become plain ones.
fn narrow(c: char) -> char {
    match c {
        '０'..='９' | '．' | '，' | '－' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    }
}

/// Whether digits are grouped so that it can mean nothing else: by one sign throughout, the last group of three digits,
/// those between of two or three (India groups by two), the first of one to three.
fn is_grouped(whole: &str, sign: char) -> bool {
    let groups: Vec<&str> = whole.split(sign).collect();
    let Some((last, before)) = groups.split_last() else { return false };
    let digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    groups.iter().all(|g| digits(g))
        && last.len() == 3
        && before.iter().enumerate().all(|(n, g)| (if n == 0 { 1 } else { 2 }..=3).contains(&g.len()))
}

/// Digits with at most one point, of what somebody typed whose decimal sign is `decimal`. Nothing where it is not certain
/// what was meant: to a reader who writes `12.5`, `12,5` is neither 12.5 nor 125.
///
/// ```
/// # use finance::typed::plain;
/// assert_eq!(plain("1,234.50", '.').as_deref(), Some("1234.50"));
/// assert_eq!(plain("1.234,50", ',').as_deref(), Some("1234.50"));
/// assert_eq!(plain("12,5", '.'), None);
/// ```
pub fn plain(typed: &str, decimal: char) -> Option<String> {
    let text: String = typed.trim().chars().map(narrow).collect();
    let (minus, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = match text.split_once(decimal) {
        Some((_, "")) => return None,
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let is_sign = |c: &char| matches!(c, '.' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    let certain = match whole.chars().find(is_sign) {
        Some(sign) => is_grouped(whole, sign),
        None => !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()),
    };
    if !certain || !fraction.is_none_or(|f| f.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let digits: String = whole.chars().filter(char::is_ascii_digit).collect();
    Some(fraction.map_or_else(|| format!("{minus}{digits}"), |f| format!("{minus}{digits}.{f}")))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_is_certain_is_read_and_nothing_else() {
        let read: [(&str, char, Option<&str>); 26] = [
            ("10000", '.', Some("10000")),
            (" 10,000.00 ", '.', Some("10000.00")),
            ("10 000", '.', Some("10000")),
            ("10\u{202f}000,5", ',', Some("10000.5")),
            ("10’000.50", '.', Some("10000.50")),
            ("12,34,567.8", '.', Some("1234567.8")),
            ("1.234", ',', Some("1234")),
            ("1.234", '.', Some("1.234")),
            ("１２，０００．５", '.', Some("12000.5")),
            ("-5", '.', Some("-5")),
            ("12,5", '.', None),
            ("12.5", ',', None),
            ("1,25", '.', None),
            ("1,2345", '.', None),
            ("1234,567", '.', None),
            ("1,234,56", '.', None),
            ("1,234 567", '.', None),
            ("1,,234", '.', None),
            (",234", '.', None),
            ("1.2.3", '.', None),
            ("12.", '.', None),
            (".5", '.', None),
            ("1e5", '.', None),
            ("", '.', None),
            ("--5", '.', None),
            ("1,234.5,6", '.', None),
        ];
        for (typed, decimal, expected) in read {
            assert_eq!(plain(typed, decimal).as_deref(), expected, "{typed:?} with {decimal:?}");
        }
    }
}
