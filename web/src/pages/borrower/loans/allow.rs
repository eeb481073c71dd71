//! What a borrower allows the custodian before a loan is paid out: the platform's fee, and each instalment on its day.

use crate::back;
use crate::components::amount::money;
use crate::components::form::{Form, Submit};
use crate::components::loaded::Loaded;
use crate::components::orders::{self, ConsentScope};
use crate::messages::{say, t};
use crate::outlook::monthly;
use crate::pages::borrower::loans::query::Application;
use crate::pages::member::cash::consents;
use finance::{Money, Rounding};
use leptos::prelude::*;

/// From asking to being paid out, and from the last due date on.
const MARGIN_MONTHS: u32 = 6;

/// What is needed for one loan: the fee, an instalment at most, and all of them.
fn needs(a: &Application) -> Option<(Money, Money, Money)> {
    let amount = a.amount.exact()?;
    let rate = a.rate.as_ref().and_then(|r| r.rate()).or_else(|| a.product.rate_max.rate())?;
    let (pays, interest) = monthly(amount, rate, u32::try_from(a.term_months).ok()?)?;
    let fee = a.product.fee.rate()?.of(amount, Rounding::Down).ok()?;
    Some((fee, pays, amount.plus(interest).ok()?))
}

/// Asks for it while it is missing; nothing once it is there.
#[component]
pub fn Allow(application: Application) -> impl IntoView {
    let Some((fee, pays, all)) = needs(&application) else { return ().into_any() };
    let active = Loaded::new(consents);
    let form = Form::new(format!("allow.{}", application.id.inner()));
    let missing = move || {
        // Without an answer nobody is asked for what may be there.
        let found = active.get()??;
        let covers = |scope: ConsentScope, order: Money| {
            found.active.iter().any(|c| {
                let left = c.total.exact().zip(c.used.exact()).and_then(|(t, u)| t.minus(u).ok());
                let enough = |m: Option<Money>| {
                    m.is_some_and(|m| m.currency() == order.currency() && m.minor() >= order.minor())
                };
                c.scope == scope && enough(c.per_order.exact()) && enough(left)
            })
        };
        Some(!covers(ConsentScope::Fee, fee) || !covers(ConsentScope::Repay, pays))
    };
    // Checking and funding take their time before the first instalment, and the last may be late.
    let until = StoredValue::new(orders::day_in_months(
        u32::try_from(application.term_months).unwrap_or(12) + MARGIN_MONTHS,
    ));
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let scopes = vec![(ConsentScope::Fee, fee, fee), (ConsentScope::Repay, pays, all)];
        form.send(orders::allow(form.id(), scopes, until.get_value()), move |order: orders::Order| {
            active.again();
            back::go(order.redirect_url.as_deref());
        });
    };
    (move || {
        Some(if missing()? {
            view! {
                <section class="notice" data-allow="" aria-label=t(|m| m.loans.allow)>
                    <p><b>{t(|m| m.loans.allow)}</b></p>
                    <p class="small">{move || (say().loans.allow_means)(&money(&fee), &money(&pays))}</p>
                    <form on:submit=submit><Submit form words=Signal::derive(|| say().consents.ask.to_string())/></form>
                </section>
            }
            .into_any()
        } else {
            view! { <p class="small muted" data-allowed="">{t(|m| m.loans.allowed)}</p> }.into_any()
        })
    })
    .into_any()
}
