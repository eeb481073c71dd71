//! Amounts as people read them: grouped, the minor units lighter than the major ones, the currency small before them.

use crate::api;
use leptos::prelude::*;

/// Groups the digits before the point by three.
pub fn grouped(amount: &str) -> String {
    let (sign, digits) = amount.strip_prefix('-').map_or(("", amount), |rest| ("\u{2212}", rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = String::from(sign);
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !part.is_empty() {
        out.push('.');
        out.push_str(part);
    }
    out
}

/// Money in a line of text.
pub fn text(money: &api::Money) -> String {
    format!("{} {}", money.currency.0, grouped(&money.amount.0))
}

/// An amount without its currency, for columns whose heading names it.
#[component]
pub fn Figure(#[prop(into)] amount: String) -> impl IntoView {
    let text = grouped(&amount);
    let (major, minor) = match text.split_once('.') {
        Some((major, minor)) => (major.to_string(), format!(".{minor}")),
        None => (text, String::new()),
    };
    view! { <span class="figure">{major}<span class="minor">{minor}</span></span> }
}

/// An amount with its currency.
#[component]
pub fn Amount(money: api::Money) -> impl IntoView {
    view! { <span class="money"><span class="currency">{money.currency.0}</span><Figure amount=money.amount.0/></span> }
}
