//! Asking for a loan, in three steps: how much, what for, and what one earns. Nothing is asked twice, and nothing is sent
//! before the last word.

mod keep;
mod query;

use crate::api::{self, Failure, command};
use crate::back;
use crate::components::amount::{money, text};
use crate::components::dialog::Dialog;
use crate::components::form::{self, Choice, Field, Form, Submit};
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::steps::Steps;
use crate::components::term::{Finance, Term};
use crate::draft::Draft;
use crate::locale::{number, plain};
use crate::messages::{ApplyPage, Words, say, t, title};
use crate::outlook::monthly;
use crate::page::Page;
use crate::session::{self, Role};
use cynic::QueryBuilder;
use finance::{Currency, Money};
use keep::Keep;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{query_signal, use_navigate};
use query::Product;
use serde_json::{Value, json};

#[component]
pub fn Apply() -> impl IntoView {
    view! {
        <Title text=title(|_| ApplyPage::say().title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

async fn ask() -> Result<query::Apply, Failure> {
    api::ask(query::Apply::build(())).await
}

#[component]
fn Inside() -> impl IntoView {
    let loaded = Loaded::new(ask);
    view! {
        <h1>{t(|_| ApplyPage::say().title)}</h1>
        {loaded.view(6, |found| {
            let draft = found.viewer.as_ref().and_then(|v| v.application_draft.clone());
            if !session::has_any(&[Role::Borrower]) {
                return view! {
                    <div class="card stack empty" data-lends-only="">
                        <h2>{t(|_| ApplyPage::say().lends_only)}</h2>
                        <p class="muted">{t(|_| ApplyPage::say().lends_only_means)}</p>
                        <p><A attr:class="button" href=Page::Marketplace.path()>{t(|m| m.home.see_open)}</A></p>
                    </div>
                }
                .into_any();
            }
            if found.viewer.and_then(|v| v.cash_account).is_none() {
                back::set_errand(Some(&Page::Borrow));
                return view! {
                    <div class="card stack">
                        <p class="story">{t(|_| ApplyPage::say().account_first)}</p>
                        <p><A attr:class="button primary" href=Page::Cash.path()>{t(|m| m.cash.open_title)}</A></p>
                    </div>
                }
                .into_any();
            }
            back::set_errand(None);
            view! { <Asking products=found.products draft/> }.into_any()
        })}
    }
}

fn whole(typed: &str) -> Option<i32> {
    plain(typed).trim().parse().ok()
}

/// All that is typed, read against a product.
#[derive(Clone, Copy)]
struct Reading {
    form: Form,
    products: StoredValue<Vec<Product>>,
}

impl Reading {
    fn product(self) -> Option<Product> {
        let code = self.form.get("product");
        self.products.with_value(|all| all.iter().find(|p| p.code == code).or(all.first()).cloned())
    }

    fn currency(self) -> Option<Currency> {
        self.product()?.amount_max.currency.0.parse().ok()
    }

    fn amount(self, typed: &str) -> Result<Money, String> {
        let (Some(p), Some(currency)) = (self.product(), self.currency()) else { return Err(String::new()) };
        let between = || (ApplyPage::say().between)(&text(&p.amount_min), &text(&p.amount_max));
        if typed.trim().is_empty() {
            return Err(between());
        }
        let sum = form::money(typed, currency)?;
        let (low, high) = (p.amount_min.exact(), p.amount_max.exact());
        let outside =
            low.is_some_and(|l| sum.minor() < l.minor()) || high.is_some_and(|h| sum.minor() > h.minor());
        if outside { Err(between()) } else { Ok(sum) }
    }

    fn months(self, typed: &str) -> Result<i32, String> {
        let Some(p) = self.product() else { return Err(String::new()) };
        whole(typed)
            .filter(|m| (p.months_min..=p.months_max).contains(m))
            .ok_or_else(|| (ApplyPage::say().months_between)(p.months_min, p.months_max))
    }

    /// An amount that may be left out.
    fn optional(self, field: &str) -> Result<Option<Money>, String> {
        let typed = self.form.get(field);
        if typed.trim().is_empty() {
            return Ok(None);
        }
        // Nothing owed is an answer too.
        if plain(&typed).chars().all(|c| matches!(c, '0' | '.' | ' ')) {
            return Ok(None);
        }
        self.currency().ok_or_else(String::new).and_then(|c| form::money(&typed, c)).map(Some)
    }

    fn years(self) -> Result<Option<i32>, String> {
        let typed = self.form.get("years");
        if typed.trim().is_empty() {
            return Ok(None);
        }
        whole(&typed)
            .filter(|y| (0..=60).contains(y))
            .map(Some)
            .ok_or_else(|| ApplyPage::say().years_form.into())
    }
}

#[component]
fn Asking(products: Vec<Product>, draft: Option<query::Saved>) -> impl IntoView {
    let (step, set_step) = query_signal::<usize>("step");
    let now = Memo::new(move |_| step.get().unwrap_or(1).clamp(1, 3));
    let form = Form::new("apply");
    let first = products.first().map_or(String::new(), |p| p.code.clone());
    let several = products.len() > 1;
    let form = form.or("product", first.clone()).or("months", "12");
    let blank = Draft {
        id: String::new(),
        text: json!({ "product": first, "months": "12" }).to_string(),
        sent: false,
    };
    let read = Reading { form, products: StoredValue::new(products) };
    let navigate = use_navigate();
    let done = Callback::new(move |()| navigate(&Page::Loans.path(), Default::default()));
    let go = move |to: usize| set_step.set((to > 1).then_some(to));
    let right = move |step: usize| match step {
        1 => read.amount(&form.get("amount")).is_ok() && read.months(&form.get("months")).is_ok(),
        2 => !form.is_empty("purpose"),
        _ => read.optional("income").is_ok() && read.optional("owes").is_ok() && read.years().is_ok(),
    };
    let sure = RwSignal::new(false);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.tried.set(true);
        let at = now.get_untracked();
        // The first step that is not right is shown, whichever button was pressed.
        if let Some(wrong) = untrack(|| (1..=at).find(|s| !right(*s))) {
            go(wrong);
            return;
        }
        if at < 3 {
            form.tried.set(false);
            go(at + 1);
            return;
        }
        // Asked once more; a second click on the way there is none of the answer.
        sure.set(!form.busy.get_untracked());
    };
    let send = Callback::new(move |()| {
        sure.set(false);
        let input = untrack(|| {
            let optional = |field| read.optional(field).ok().flatten().map(command::money);
            Some(json!({
                "id": form.id(),
                "amount": command::money(read.amount(&form.get("amount")).ok()?),
                "termMonths": read.months(&form.get("months")).ok()?,
                "purpose": form.get("purpose"),
                "story": form.get("story"),
                "annualIncome": optional("income"),
                "monthlyObligations": optional("owes"),
                "employedYears": read.years().ok().flatten(),
            }))
        });
        if let Some(input) = input {
            form.send(command::send::<Value>(query::SUBMIT, input), move |_| done.run(()));
        }
    });
    let options = Signal::derive(move || {
        read.products.with_value(|all| {
            all.iter()
                .map(|p| (p.code.clone(), (ApplyPage::say().product)(&p.amount_max.currency.0)))
                .collect()
        })
    });
    let amount_check = Callback::new(move |typed: String| {
        let of = read.amount(&typed);
        if typed.trim().is_empty() && !form.tried.get() {
            return Ok(of.err().unwrap_or_default());
        }
        of.map(|_| String::new())
    });
    let months_check = Callback::new(move |typed: String| {
        let range = read.product().map(|p| (ApplyPage::say().months_between)(p.months_min, p.months_max));
        read.months(&typed).map(|_| range.unwrap_or_default())
    });
    let purpose_check = Callback::new(|typed: String| {
        if typed.trim().is_empty() {
            Err(ApplyPage::say().purpose_missing.into())
        } else {
            Ok(ApplyPage::say().purpose_hint.into())
        }
    });
    let story_check = Callback::new(|_: String| Ok(ApplyPage::say().story_hint.into()));
    let in_currency =
        move |what: &str| format!("{what} ({})", read.currency().map_or_else(String::new, |c| c.to_string()));
    let money_check = move |field: &'static str| {
        Callback::new(move |typed: String| {
            if typed.trim().is_empty() {
                return Ok(ApplyPage::say().may_be_left_out.into());
            }
            read.optional(field).map(|_| String::new())
        })
    };
    let years_check = Callback::new(move |typed: String| {
        if typed.trim().is_empty() {
            return Ok(ApplyPage::say().may_be_left_out.into());
        }
        read.years().map(|_| String::new())
    });
    // Who takes up a draft goes on where it stopped.
    let taken_up = Callback::new(move |()| {
        if step.get_untracked().is_none() {
            go(untrack(|| (1..3).find(|s| !right(*s))).unwrap_or(3));
        }
    });
    // So does who comes back in the same tab.
    if untrack(|| !form.is_empty("amount")) {
        taken_up.run(());
    }
    view! {
        <div class="columns two">
            <section class="card stack">
                <Dialog open=sure title=|_| ApplyPage::say().sure><Summary read sure send/></Dialog>
                <Steps names=|_| &ApplyPage::say().steps now/>
                <Keep form saved=draft blank taken_up begin=Callback::new(move |()| go(1))/>
                <form id="apply" class="stack" on:submit=submit novalidate>
                    {move || match now.get() {
                        1 => view! {
                            {several.then(|| view! { <Choice form name="product" label=|_| ApplyPage::say().which_product options/> })}
                            <Field form name="amount" label=Signal::derive(move || in_currency(say().amount)) check=amount_check kind="decimal"/>
                            <Field form name="months" label=Signal::derive(|| say().months.to_string()) check=months_check kind="decimal"/>
                        }.into_any(),
                        2 => view! {
                            <Field form name="purpose" label=Signal::derive(|| say().market.purpose.to_string()) check=purpose_check/>
                            <Field form name="story" label=Signal::derive(|| ApplyPage::say().story.to_string()) check=story_check long=true/>
                        }.into_any(),
                        _ => view! {
                            <Field form name="income" label=Signal::derive(move || in_currency(ApplyPage::say().income)) check=money_check("income") kind="decimal"/>
                            <Field form name="owes" label=Signal::derive(move || in_currency(ApplyPage::say().owes)) check=money_check("owes") kind="decimal"/>
                            <Field form name="years" label=Signal::derive(|| ApplyPage::say().years.to_string()) check=years_check kind="decimal"/>
                            <p class="small muted">{t(|_| ApplyPage::say().means)}</p>
                        }.into_any(),
                    }}
                    <div class="row">
                        {move || (now.get() > 1).then(|| view! {
                            <button type="button" class="button" on:click=move |_| go(now.get_untracked() - 1)>{t(|m| m.back)}</button>
                        })}
                        <Submit form words=Signal::derive(move || if now.get() < 3 { say().next } else { ApplyPage::say().send }.to_string())/>
                    </div>
                </form>
            </section>
            <Cost read/>
        </div>
    }
}

/// All that is about to be sent, and what was left out.
#[component]
fn Summary(read: Reading, sure: RwSignal<bool>, send: Callback<()>) -> impl IntoView {
    let form = read.form;
    let typed = move |field: &str| {
        let text = form.get(field);
        if text.trim().is_empty() { ApplyPage::say().left_out.to_string() } else { text }
    };
    let sum = move |field: &'static str| {
        let found = read.optional(field).ok().flatten();
        found.map_or_else(|| ApplyPage::say().left_out.to_string(), |m| money(&m))
    };
    view! {
        <dl class="facts" data-summary="">
            <div><dt>{t(|m| m.amount)}</dt><dd>{move || read.amount(&form.get("amount")).map(|m| money(&m)).unwrap_or_default()}</dd></div>
            <div><dt>{t(|m| m.months)}</dt><dd>{move || form.get("months")}</dd></div>
            <div><dt>{t(|m| m.market.purpose)}</dt><dd>{move || form.get("purpose")}</dd></div>
            <div class="whole"><dt>{t(|_| ApplyPage::say().story)}</dt><dd class="story">{move || typed("story")}</dd></div>
            <div><dt>{t(|_| ApplyPage::say().income)}</dt><dd>{move || sum("income")}</dd></div>
            <div><dt>{t(|_| ApplyPage::say().owes)}</dt><dd>{move || sum("owes")}</dd></div>
            <div><dt>{t(|_| ApplyPage::say().years)}</dt><dd>{move || typed("years")}</dd></div>
        </dl>
        {move || costs(read)}
        <p class="small muted">{t(|_| ApplyPage::say().lenders_see)}</p>
        <div class="row">
            <button class="button primary" type="button" data-sure="" on:click=move |_| send.run(())>{t(|_| ApplyPage::say().send)}</button>
            <button class="button" type="button" on:click=move |_| sure.set(false)>{t(|_| ApplyPage::say().change)}</button>
        </div>
    }
}

/// What it would cost, as far as it is known by what has been typed.
fn costs(read: Reading) -> Option<AnyView> {
    let product = read.product()?;
    let amount = read.amount(&read.form.get("amount")).ok()?;
    let months = u32::try_from(read.months(&read.form.get("months")).ok()?).ok()?;
    let low = monthly(amount, product.rate_min.rate()?, months)?;
    let high = monthly(amount, product.rate_max.rate()?, months)?;
    let percent = |d: &api::Decimal| format!("{}\u{a0}%", number(&d.percent()));
    let fee = product.fee.rate().and_then(|r| r.of(amount, finance::Rounding::Down).ok());
    let fee = format!("{} ({})", fee.map_or_else(String::new, |f| money(&f)), percent(&product.fee));
    let (rates, days) = ((percent(&product.rate_min), percent(&product.rate_max)), product.listing_days);
    Some(
        view! {
            <dl class="facts" data-cost="">
                <div><dt><Term label=|_| ApplyPage::say().monthly_from means=Finance::Instalment/></dt><dd>{money(&low.0)}</dd><dd class="small muted">{(ApplyPage::say().at_rate)(&rates.0)}</dd></div>
                <div><dt>{t(|_| ApplyPage::say().monthly_to)}</dt><dd>{money(&high.0)}</dd><dd class="small muted">{(ApplyPage::say().at_rate)(&rates.1)}</dd></div>
                <div><dt>{t(|_| ApplyPage::say().interest_to)}</dt><dd>{money(&high.1)}</dd></div>
                <div><dt><Term label=|_| ApplyPage::say().fee means=Finance::Fee/></dt><dd>{fee}</dd></div>
            </dl>
            <p class="small muted">{(ApplyPage::say().then)(days)}</p>
        }
        .into_any(),
    )
}

/// What it would cost, at the product's lowest and highest rate: the officer sets the one in between.
#[component]
fn Cost(read: Reading) -> impl IntoView {
    view! {
        <section class="card stack" aria-live="polite">
            <h2>{t(|_| ApplyPage::say().cost)}</h2>
            {move || match costs(read) {
                Some(view) => view,
                None => view! { <p class="muted">{t(|_| ApplyPage::say().cost_later)}</p> }.into_any(),
            }}
        </section>
    }
}
