//! Files for spreadsheets.

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};

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

/// Hands a text to the person as a file.
pub fn save(name: &str, text: &str) {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("text/csv;charset=utf-8");
    let Ok(blob) = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options) else { return };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
    let link = document().create_element("a").ok().and_then(|a| a.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(link) = link {
        link.set_attribute("href", &url).ok();
        link.set_attribute("download", name).ok();
        link.click();
    }
    // The download has begun by the next turn.
    let revoke = move || {
        web_sys::Url::revoke_object_url(&url).ok();
    };
    leptos::prelude::set_timeout(revoke, std::time::Duration::from_secs(10));
}
