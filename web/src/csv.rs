//! Files for spreadsheets.

/// By IANA.
pub const KIND: &str = "text/csv;charset=utf-8";

/// Rows as RFC 4180 text that a spreadsheet opens right: with the mark that says UTF-8, and with nothing in it that would be
/// taken for a formula. A plain number may begin with its sign.
pub fn text(rows: &[Vec<String>]) -> String {
    let mut out = String::from("\u{feff}");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|c| cell(c)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn cell(text: &str) -> String {
    let number = text.strip_prefix('-').unwrap_or(text);
    let number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let risky = !number && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if risky { format!("'{text}") } else { text.to_string() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
