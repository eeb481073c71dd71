//! Amounts as people read them: in their own form, the minor units lighter than the major ones, the currency small before
//! them.

use crate::api;
use crate::locale;
use leptos::prelude::*;

/// Money in a line of text, which does not break within it.
pub fn text(money: &api::Money) -> String {
    format!("{}\u{a0}{}", money.currency.0, locale::number(&money.amount.0))
}

/// The same of an amount that was reckoned here.
pub fn money(money: &finance::Money) -> String {
    format!("{}\u{a0}{}", money.currency(), locale::number(&money.to_decimal_string()))
}

/// An amount without its currency, for columns whose heading names it.
#[component]
pub fn Figure(#[prop(into)] amount: String) -> impl IntoView {
    let parts = Memo::new(move |_| locale::figure(&amount));
    view! { <span class="figure">{move || parts.get().0}<span class="minor">{move || parts.get().1}</span></span> }
}

/// An amount with its currency.
#[component]
pub fn Amount(money: api::Money) -> impl IntoView {
    view! { <span class="money"><span class="currency">{money.currency.0}</span><Figure amount=money.amount.0/></span> }
}
