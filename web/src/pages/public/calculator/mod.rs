//! The calculator: the server's own arithmetic, compiled for the browser, so that the two cannot differ by a cent.

use crate::components::amount::{Figure, grouped};
use chrono::NaiveDate;
use finance::{Currency, Money, Rate, Rounding, schedule};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::query_signal;

const CURRENCIES: [&str; 5] = ["USD", "EUR", "GBP", "JPY", "BHD"];

/// What was typed, understood, or the sentence that says what is wrong with it.
struct Understood {
    amount: Result<Money, String>,
    rate: Result<Rate, String>,
    months: Result<u32, String>,
}

fn understood(amount: &str, currency: &str, rate: &str, months: &str) -> Understood {
    let currency: Currency = currency.parse().unwrap_or(Currency::USD);
    // People group digits; commas and spaces between them mean nothing.
    let plain: String = amount.chars().filter(|c| !matches!(c, ',' | ' ' | '\u{a0}' | '\u{202f}')).collect();
    let amount = match Money::parse(&plain, currency) {
        Ok(m) if m.is_positive() => Ok(m),
        Ok(_) => Err("The amount must be above zero.".to_string()),
        Err(_) if currency.exponent() == 0 => {
            Err(format!("{currency} has no decimals: digits only, as in 10,000."))
        }
        Err(_) => Err(format!("Digits with at most {} decimals, as in 10,000.00.", currency.exponent())),
    };
    let rate = Rate::parse_percent(rate.trim().trim_end_matches('%').trim())
        .map_err(|_| "Per cent a year, as in 12.5.".to_string())
        .and_then(
            |r| if r.ppm() <= 1_000_000 { Ok(r) } else { Err("At most 100 per cent a year.".to_string()) },
        );
    let months = match months.trim().parse::<u32>() {
        Ok(n) if (1..=360).contains(&n) => Ok(n),
        _ => Err("Whole months, from 1 to 360.".to_string()),
    };
    Understood { amount, rate, months }
}

/// Only the calendar's shape matters: the figures do not depend on the day.
fn start() -> NaiveDate {
    let now = js_sys::Date::new_0();
    NaiveDate::from_ymd_opt(
        i32::try_from(now.get_full_year()).unwrap_or(2026),
        now.get_month() + 1,
        now.get_date(),
    )
    .unwrap_or_default()
}

#[component]
fn Field(
    label: &'static str,
    name: &'static str,
    #[prop(into)] value: Signal<String>,
    set: Callback<String>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let hint = format!("{name}-error");
    view! {
        <label class="field">
            <span>{label}</span>
            <input name=name inputmode="decimal" autocomplete="off" prop:value=value
                on:input=move |e| set.run(event_target_value(&e))
                aria-invalid=move || error.get().is_some().to_string() aria-describedby=hint.clone()/>
            <span class="small error" id=hint.clone()>{move || error.get()}</span>
        </label>
    }
}

#[component]
pub fn Calculator() -> impl IntoView {
    // In the address, so that a result can be sent to somebody and survives a reload.
    let (amount, set_amount) = query_signal::<String>("amount");
    let (currency, set_currency) = query_signal::<String>("currency");
    let (rate, set_rate) = query_signal::<String>("rate");
    let (months, set_months) = query_signal::<String>("months");
    let amount = Signal::derive(move || amount.get().unwrap_or_else(|| "10,000".into()));
    let currency = Signal::derive(move || currency.get().unwrap_or_else(|| "USD".into()));
    let rate = Signal::derive(move || rate.get().unwrap_or_else(|| "12".into()));
    let months = Signal::derive(move || months.get().unwrap_or_else(|| "12".into()));
    let read = move || understood(&amount.get(), &currency.get(), &rate.get(), &months.get());
    let plan = Memo::new(move |_| {
        let u = read();
        let (Ok(amount), Ok(rate), Ok(months)) = (u.amount, u.rate, u.months) else { return None };
        schedule::monthly_annuity(amount, rate, months, start(), Rounding::HalfUp).ok().map(|p| (amount, p))
    });
    view! {
        <Title text="Calculator · Counterfoil"/>
        <h1>"What would a loan cost?"</h1>
        <p class="muted">"The same arithmetic as in our ledger, to the cent. What the borrower pays is what all who lent receive."</p>
        <div class="columns two">
            <form class="card stack" on:submit=|e| e.prevent_default()>
                <Field label="Amount" name="amount" value=amount set=Callback::new(move |v| set_amount.set(Some(v)))
                    error=Signal::derive(move || read().amount.err())/>
                <label class="field">
                    <span>"Currency"</span>
                    <select name="currency" prop:value=currency on:change=move |e| set_currency.set(Some(event_target_value(&e)))>
                        {CURRENCIES.map(|c| view! { <option value=c selected=move || currency.get() == c>{c}</option> }).collect_view()}
                    </select>
                </label>
                <Field label="Rate a year, per cent" name="rate" value=rate set=Callback::new(move |v| set_rate.set(Some(v)))
                    error=Signal::derive(move || read().rate.err())/>
                <Field label="Months" name="months" value=months set=Callback::new(move |v| set_months.set(Some(v)))
                    error=Signal::derive(move || read().months.err())/>
            </form>
            <section class="card stack" aria-live="polite">
                {move || match plan.get() {
                    None => view! { <p class="muted">"Mend the marked fields to see the figures."</p> }.into_any(),
                    Some((amount, plan)) => {
                        let sum = |part: fn(&schedule::Instalment) -> Money| {
                            Money::sum(amount.currency(), plan.iter().map(part)).map_or_else(|_| "—".into(), |m| m.to_decimal_string())
                        };
                        let monthly = plan.first().and_then(|i| i.total().ok()).map(|m| m.to_decimal_string()).unwrap_or_default();
                        let last = plan.last().and_then(|i| i.total().ok()).map(|m| m.to_decimal_string()).unwrap_or_default();
                        let interest = sum(|i| i.interest);
                        view! {
                            <p class="muted">"Each month"</p>
                            <p class="amount" data-result="monthly"><span class="currency">{amount.currency().to_string()}</span><Figure amount=monthly.clone()/></p>
                            <dl class="facts">
                                <div><dt>"Interest in all"</dt><dd data-result="interest">{grouped(&interest)}</dd></div>
                                <div><dt>"Last month"</dt><dd>{grouped(&last)}</dd></div>
                                <div><dt>"Principal"</dt><dd>{grouped(&amount.to_decimal_string())}</dd></div>
                            </dl>
                            <div class="scroll">
                                <table>
                                    <thead><tr><th>"No."</th><th class="numeric">"Interest"</th><th class="numeric">"Principal"</th><th class="numeric">"Left"</th></tr></thead>
                                    <tbody>
                                        {plan.iter().map(|i| view! {
                                            <tr>
                                                <td>{i.number}</td>
                                                <td class="numeric"><Figure amount=i.interest.to_decimal_string()/></td>
                                                <td class="numeric"><Figure amount=i.principal.to_decimal_string()/></td>
                                                <td class="numeric"><Figure amount=i.balance_after.to_decimal_string()/></td>
                                            </tr>
                                        }).collect_view()}
                                    </tbody>
                                </table>
                            </div>
                        }
                        .into_any()
                    }
                }}
            </section>
        </div>
    }
}
