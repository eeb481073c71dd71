//! The calculator: the server's own arithmetic, compiled for the browser, so that the two cannot differ by a cent.

use crate::components::amount::Figure;
use crate::locale::{number, plain};
use crate::messages::{Messages, say, t, title};
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
    let say = &say().reckon;
    let amount = match Money::parse(&plain(amount), currency) {
        Ok(m) if m.is_positive() => Ok(m),
        Ok(_) => Err(say.above_zero.to_string()),
        Err(_) if currency.exponent() == 0 => Err((say.no_decimals)(currency.code(), &number("10000"))),
        Err(_) => {
            let example = Money::new(10_000, currency).to_decimal_string();
            Err((say.decimals)(currency.exponent(), &number(&example)))
        }
    };
    let rate = Rate::parse_percent(&plain(rate.trim().trim_end_matches(['%', '％'])))
        .map_err(|_| (say.percent_form)(&number("12.5")))
        .and_then(|r| if r.ppm() <= 1_000_000 { Ok(r) } else { Err(say.percent_most.to_string()) });
    let months = match plain(months).parse::<u32>() {
        Ok(n) if (1..=360).contains(&n) => Ok(n),
        _ => Err(say.months_form.to_string()),
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
    label: fn(&Messages) -> &'static str,
    name: &'static str,
    #[prop(into)] value: Signal<String>,
    set: Callback<String>,
    #[prop(into)] error: Signal<Option<String>>,
) -> impl IntoView {
    let hint = format!("{name}-error");
    view! {
        <label class="field">
            <span>{t(label)}</span>
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
        <Title text=title(|m| m.calculator)/>
        <h1>{t(|m| m.reckon.title)}</h1>
        <p class="muted">{t(|m| m.reckon.lead)}</p>
        <div class="columns two">
            <form class="card stack" on:submit=|e| e.prevent_default()>
                <Field label=|m| m.amount name="amount" value=amount set=Callback::new(move |v| set_amount.set(Some(v)))
                    error=Signal::derive(move || read().amount.err())/>
                <label class="field">
                    <span>{t(|m| m.reckon.currency)}</span>
                    <select name="currency" prop:value=currency on:change=move |e| set_currency.set(Some(event_target_value(&e)))>
                        {CURRENCIES.map(|c| view! { <option value=c selected=move || currency.get() == c>{c}</option> }).collect_view()}
                    </select>
                </label>
                <Field label=|m| m.reckon.rate_percent name="rate" value=rate set=Callback::new(move |v| set_rate.set(Some(v)))
                    error=Signal::derive(move || read().rate.err())/>
                <Field label=|m| m.months name="months" value=months set=Callback::new(move |v| set_months.set(Some(v)))
                    error=Signal::derive(move || read().months.err())/>
            </form>
            <section class="card stack" aria-live="polite">
                {move || match plan.get() {
                    None => {
                        // Each field is right by itself, and together they are not.
                        let u = read();
                        let each = u.amount.is_ok() && u.rate.is_ok() && u.months.is_ok();
                        view! { <p class="muted">{t(if each { |m| m.reckon.too_small } else { |m| m.reckon.mend })}</p> }.into_any()
                    }
                    Some((amount, plan)) => {
                        let sum = |part: fn(&schedule::Instalment) -> Money| {
                            Money::sum(amount.currency(), plan.iter().map(part)).map_or_else(|_| "—".into(), |m| m.to_decimal_string())
                        };
                        let monthly = plan.first().and_then(|i| i.total().ok()).map(|m| m.to_decimal_string()).unwrap_or_default();
                        let last = plan.last().and_then(|i| i.total().ok()).map(|m| m.to_decimal_string()).unwrap_or_default();
                        let interest = sum(|i| i.interest);
                        let back = Money::sum(amount.currency(), plan.iter().filter_map(|i| i.total().ok()));
                        let back = back.map_or_else(|_| "—".into(), |m| m.to_decimal_string());
                        let money = move |figure: String| format!("{}\u{a0}{}", amount.currency(), number(&figure));
                        view! {
                            <p class="muted">{t(|m| m.reckon.each_month)}</p>
                            <p class="amount" data-result="monthly"><span class="currency">{amount.currency().to_string()}</span><Figure amount=monthly.clone()/></p>
                            <dl class="facts">
                                <div><dt>{t(|m| m.reckon.in_all)}</dt><dd data-result="interest">{money(interest)}</dd></div>
                                <div><dt>{t(|m| m.reckon.paid_back)}</dt><dd data-result="back">{money(back)}</dd></div>
                                <div><dt>{t(|m| m.reckon.last_month)}</dt><dd>{money(last)}</dd></div>
                            </dl>
                            <div class="scroll" tabindex="0" role="region" aria-label=t(|m| m.listing.back)>
                                <table>
                                    <thead><tr><th>{t(|m| m.reckon.number)}</th><th class="numeric">{t(|m| m.total)}</th><th class="numeric">{t(|m| m.interest)}</th><th class="numeric">{t(|m| m.principal)}</th><th class="numeric">{t(|m| m.left)}</th></tr></thead>
                                    <tbody>
                                        {plan.iter().map(|i| view! {
                                            <tr>
                                                <td>{i.number}</td>
                                                <td class="numeric"><Figure amount=i.total().map_or_else(|_| "—".into(), |m| m.to_decimal_string())/></td>
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
