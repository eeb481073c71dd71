//! Numbers and dates in the reader's form, by the browser's own formatters; and what a reader typed, as plain digits.
//!
//! Amounts go to the formatter as text and are never a floating-point number.

use crate::messages::{Language, language};
use js_sys::{Array, Function, JsString, Object, Reflect};
use leptos::prelude::window;
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    static NUMBERS: RefCell<HashMap<(Language, usize), JsValue>> = RefCell::default();
    static DATES: RefCell<HashMap<(Language, When), Function>> = RefCell::default();
}

/// The browser's variant of the language, or the language itself: British dates for a British reader of English.
fn tag(language: Language) -> String {
    let of = |tag: &str| tag.to_lowercase().starts_with(language.tag().get(..2).unwrap_or_default());
    let wish = window().navigator().languages().iter().find_map(|w| w.as_string().filter(|w| of(w)));
    wish.unwrap_or_else(|| language.tag().to_string())
}

fn options(entries: &[(&str, JsValue)]) -> Object {
    let options = Object::new();
    for (name, value) in entries {
        Reflect::set(&options, &JsValue::from_str(name), value).ok();
    }
    options
}

fn formatter(kind: &str, language: Language, options: &Object) -> Option<JsValue> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let class: Function = Reflect::get(&intl, &kind.into()).ok()?.dyn_into().ok()?;
    let arguments = Array::of2(&JsValue::from_str(&tag(language)), options);
    Reflect::construct(&class, &arguments).ok()
}

/// A decimal text's parts: what each is and how it is written.
fn parts(text: &str) -> Option<Vec<(String, String)>> {
    let decimals = text.split_once('.').map_or(0, |(_, part)| part.len());
    let key = (language(), decimals);
    let format = NUMBERS.with_borrow_mut(|known| {
        if let Entry::Vacant(place) = known.entry(key) {
            let digits = JsValue::from(u32::try_from(decimals).unwrap_or(0));
            let wanted =
                options(&[("minimumFractionDigits", digits.clone()), ("maximumFractionDigits", digits)]);
            place.insert(formatter("NumberFormat", key.0, &wanted)?);
        }
        known.get(&key).cloned()
    })?;
    let to_parts: Function = Reflect::get(&format, &"formatToParts".into()).ok()?.dyn_into().ok()?;
    let parts: Array = to_parts.call1(&format, &JsValue::from_str(text)).ok()?.dyn_into().ok()?;
    let field = |part: &JsValue, name: &str| Reflect::get(part, &name.into()).ok()?.as_string();
    parts.iter().map(|p| Some((field(&p, "type")?, field(&p, "value")?))).collect()
}

/// A decimal text as major and minor units, the second with its separator.
pub fn figure(text: &str) -> (String, String) {
    let Some(parts) = parts(text) else { return (text.to_string(), String::new()) };
    let (mut major, mut minor) = (String::new(), String::new());
    for (kind, value) in parts {
        match kind.as_str() {
            "decimal" | "fraction" => minor.push_str(&value),
            "minusSign" => major.push('\u{2212}'),
            _ => major.push_str(&value),
        }
    }
    (major, minor)
}

/// A decimal text in the reader's form.
pub fn number(text: &str) -> String {
    let (major, minor) = figure(text);
    major + &minor
}

/// How much of a date is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum When {
    Day,
    Month,
    /// Date and time, where the reader is.
    Instant,
    /// The zone by which the reader's times are told, after a date.
    Zone,
}

fn when(text: &str, how: When) -> String {
    let key = (language(), how);
    let format = DATES.with_borrow_mut(|known| {
        if let Entry::Vacant(place) = known.entry(key) {
            let word = |text: &str| JsValue::from_str(text);
            // A calendar date is the same day everywhere.
            let entries = match how {
                When::Day => vec![("dateStyle", word("medium")), ("timeZone", word("UTC"))],
                When::Instant => vec![("dateStyle", word("medium")), ("timeStyle", word("short"))],
                // The styles do not go with a zone.
                When::Zone => vec![("timeZoneName", word("short"))],
                When::Month => {
                    vec![("year", word("numeric")), ("month", word("short")), ("timeZone", word("UTC"))]
                }
            };
            let made = formatter("DateTimeFormat", key.0, &options(&entries))?;
            place.insert(Reflect::get(&made, &"format".into()).ok()?.dyn_into().ok()?);
        }
        known.get(&key).cloned()
    });
    let date = js_sys::Date::new(&JsValue::from_str(text));
    let written =
        format.filter(|_| !date.get_time().is_nan()).and_then(|f| f.call1(&JsValue::UNDEFINED, &date).ok());
    written.and_then(|w| w.as_string()).map_or_else(|| text.to_string(), |w| held_together(&w))
}

/// A date is never broken within itself; between a date and its time a line may end.
fn held_together(text: &str) -> String {
    let is_time = |part: &str| part.contains(':');
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut out = String::new();
    for (n, word) in words.iter().enumerate() {
        let begins_time = is_time(word) && !words.iter().take(n).any(|w| is_time(w));
        if n > 0 {
            out.push(if begins_time { ' ' } else { '\u{a0}' });
        }
        for letter in word.chars() {
            // Between ideographs, and between them and digits, a line could end.
            let joined = matches!(letter, '年' | '月' | '日') && !out.is_empty();
            if joined {
                out.push('\u{2060}');
            }
            out.push(letter);
            if joined {
                out.push('\u{2060}');
            }
        }
    }
    out
}

/// A calendar date in the reader's form.
pub fn date(text: &str) -> String {
    when(text, When::Day)
}

/// The month of a date.
pub fn month(text: &str) -> String {
    when(text, When::Month)
}

/// A moment, by the reader's own clock.
pub fn instant(text: &str) -> String {
    when(text, When::Instant)
}

/// The same with its zone, for whoever compares it with a clock elsewhere.
pub fn zoned(text: &str) -> String {
    let zone = when(text, When::Zone);
    format!("{} {}", instant(text), zone.rsplit([' ', '\u{a0}']).next().unwrap_or_default())
}

/// Now, in milliseconds of the epoch.
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// A moment in milliseconds of the epoch.
pub fn parsed(text: &str) -> i64 {
    js_sys::Date::parse(text) as i64
}

/// How long ago something was, in its largest unit.
pub fn age(text: &str) -> String {
    let minutes = u32::try_from((now() - parsed(text)) / 60_000).unwrap_or(0);
    let (count, unit) = match minutes {
        0..60 => (minutes, "minute"),
        60..1_440 => (minutes / 60, "hour"),
        _ => (minutes / 1_440, "day"),
    };
    let entries = [
        ("style", JsValue::from_str("unit")),
        ("unit", JsValue::from_str(unit)),
        ("unitDisplay", JsValue::from_str("long")),
    ];
    let made = formatter("NumberFormat", language(), &options(&entries));
    let format = made.and_then(|m| Reflect::get(&m, &"format".into()).ok()?.dyn_into::<Function>().ok());
    let written = format.and_then(|f| f.call1(&JsValue::UNDEFINED, &JsValue::from(count)).ok());
    written.and_then(|w| w.as_string()).unwrap_or_else(|| format!("{count} {unit}"))
}

/// The countries of ISO 3166-1 by their codes, each with its name in the reader's language, in that language's order.
pub fn countries() -> Vec<(String, String)> {
    let kind = options(&[("type", JsValue::from_str("region"))]);
    let names = formatter("DisplayNames", language(), &kind);
    let of = names.as_ref().and_then(|n| Reflect::get(n, &"of".into()).ok()?.dyn_into::<Function>().ok());
    let name = |code: &str| {
        let found = of.as_ref()?.call1(names.as_ref()?, &JsValue::from_str(code)).ok()?;
        found.as_string()
    };
    let mut all: Vec<(String, String)> = COUNTRIES
        .split_ascii_whitespace()
        .map(|code| (code.to_string(), name(code).unwrap_or_else(|| code.to_string())))
        .collect();
    let locales = Array::of1(&JsValue::from_str(&tag(language())));
    let plain = Object::new();
    all.sort_by(|(_, a), (_, b)| JsString::from(a.as_str()).locale_compare(b, &locales, &plain).cmp(&0));
    all
}

/// ISO 3166-1 alpha-2, the officially assigned codes.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// What a person typed in their own form, as plain digits; unchanged, and so refused by what reads it, where it is not
/// certain what was meant.
pub fn plain(typed: &str) -> String {
    let parts = parts("1.5").unwrap_or_default();
    let sign = parts.iter().find(|(kind, _)| kind == "decimal").and_then(|(_, value)| value.chars().next());
    finance::typed::plain(typed, sign.unwrap_or('.')).unwrap_or_else(|| typed.to_string())
}
