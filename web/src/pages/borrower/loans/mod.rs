//! What do I owe, and how far is what I asked for?

mod allow;
pub mod query;

use crate::api::{self, Failure, command, live};
use crate::components::amount::{Amount, Figure, money, text};
use crate::components::documents::Documents;
use crate::components::form::{Form, Submit};
use crate::components::funding::{Funding, LineState, percent};
use crate::components::loaded::Loaded;
use crate::components::member::Members;
use crate::components::timeline::{Stage, Timeline};
use crate::draft;
use crate::locale::{date, instant, number};
use crate::messages::{ApplyPage, Messages, Words, say, t, title};
use crate::outlook::monthly;
use crate::page::Page;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::public::marketplace::query::ListingStatus;
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use query::{Application, ApplicationStatus, Mine, Owed};
use serde_json::{Map, Value, json};

#[component]
pub fn Loans() -> impl IntoView {
    view! {
        <Title text=title(|m| m.loans.title)/>
        <Members>{|| view! { <Inside/> }}</Members>
    }
}

async fn ask() -> Result<Mine, Failure> {
    api::ask(query::Loans::build(())).await?.viewer.ok_or_else(|| Failure::of("UNAUTHENTICATED", ""))
}

#[component]
fn Inside() -> impl IntoView {
    let loaded = Loaded::new(ask);
    // A draft that was left may still have been on its way.
    let kept = draft::kept();
    Effect::new(move |before: Option<u32>| {
        let now = kept.get();
        if before.is_some_and(|b| b != now) {
            loaded.again();
        }
        now
    });
    live::follow(query::CHANGES, "loanChanged", Map::new(), move |_| loaded.again());
    // An application becomes a listing, and a listing fills.
    live::follow(
        "subscription($after: String) { listingChanged(after: $after) { cursor listing { id } } }",
        "listingChanged",
        Map::new(),
        move |_| loaded.again(),
    );
    view! {
        <div class="spread">
            <h1>{t(|m| m.loans.title)}</h1>
            <span class="row"><LineState/><A attr:class="button primary" href=Page::Borrow.path()>{t(|_| ApplyPage::say().title)}</A></span>
        </div>
        {loaded.view(8, move |mine| {
            let (loans, applications) = (mine.loans.nodes, mine.applications.nodes);
            let begun = mine.application_draft.map(|draft| {
                let at = draft.saved_at.0;
                view! {
                    <p class="notice spread" data-begun="">
                        <span>{move || (say().loans.begun)(&instant(&at))}</span>
                        <A attr:class="button small" href=Page::Borrow.path()>{t(|m| m.loans.go_on)}</A>
                    </p>
                }
            });
            // What has become a loan is shown as one.
            let open: Vec<Application> = applications
                .into_iter()
                .filter(|a| a.listing.as_ref().is_none_or(|l| l.status != ListingStatus::Disbursed))
                .collect();
            if loans.is_empty() && open.is_empty() {
                if begun.is_some() {
                    return begun.into_any();
                }
                return view! {
                    <div class="card stack empty"><h2>{t(|m| m.loans.none)}</h2><p class="muted">{t(|m| m.loans.none_lead)}</p></div>
                }
                .into_any();
            }
            view! {
                {begun}
                {(!loans.is_empty()).then(|| view! {
                    <div class="card flush">
                        <table class="listings">
                            <thead><tr>
                                <th>{t(|m| m.market.purpose)}</th><th class="numeric">{t(|m| m.rate_a_year)}</th>
                                <th class="numeric">{t(|m| m.loans.borrowed)}</th><th class="numeric">{t(|m| m.loans.owed)}</th><th class="numeric">{t(|m| m.portfolio.next)}</th><th>{t(|m| m.state)}</th>
                            </tr></thead>
                            <tbody>{loans.into_iter().map(owed).collect_view()}</tbody>
                        </table>
                    </div>
                })}
                {open.into_iter().map(|a| view! { <Asked a changed=Callback::new(move |()| loaded.again())/> }).collect_view()}
            }
            .into_any()
        })}
    }
}

fn owed(loan: Owed) -> impl IntoView {
    let (status, late, next) = (loan.status, loan.days_past_due, loan.next_due_on);
    let rate = loan.rate.percent_in_line();
    let words = move || match status {
        LoanStatus::Overdue => (say().portfolio.days_late)(late),
        s => (say().loan_status)(s).to_string(),
    };
    let name = loan.listing.map_or_else(|| loan.id.inner().to_string(), |l| l.purpose);
    view! {
        <tr data-loan=loan.id.inner().to_string()>
            <td class="lead-cell"><A href=Page::Loan(loan.id.inner().into()).path()>{name}</A></td>
            <td class="numeric" data-label=t(|m| m.rate_a_year)>{move || number(&rate)} "\u{a0}%"</td>
            <td class="numeric" data-label=t(|m| m.loans.borrowed)><Amount money=loan.principal/></td>
            <td class="numeric" data-label=t(|m| m.loans.owed)><Figure amount=loan.outstanding.amount.0/></td>
            <td class="numeric wraps" data-label=t(|m| m.portfolio.next)>{move || next.as_ref().map(|n| if late > 0 { (say().portfolio.due_since)(&date(&n.0)) } else { date(&n.0) })}</td>
            <td data-label=t(|m| m.state)><span class=status.mark()>{words}</span></td>
        </tr>
    }
}

/// When it was, where that is known, and what is to be said of it.
fn dated(at: Option<String>, words: &str) -> String {
    at.map_or_else(|| words.to_string(), |at| format!("{at} · {words}"))
}

/// An application, and how far it is.
#[component]
fn Asked(a: Application, changed: Callback<()>) -> impl IntoView {
    let running = a.status.is_open()
        || a.listing
            .as_ref()
            .is_some_and(|l| matches!(l.status, ListingStatus::Open | ListingStatus::Filled));
    let asking = running.then(|| a.clone());
    let Application {
        id,
        purpose,
        amount,
        term_months,
        rate,
        status,
        submitted_at,
        decided_at,
        documents,
        listing,
        ..
    } = a;
    let offered = listing.as_ref().map(|l| l.status);
    let on_market = listing.as_ref().filter(|l| l.status == ListingStatus::Open).map(|l| l.id.clone());
    let full = listing.as_ref().map(|l| percent(&l.progress.0));
    let until = listing.as_ref().map(|l| l.expires_on.0.clone());
    let (sent, decided) = (submitted_at.0, decided_at.map(|d| d.0));
    let stages = move || {
        let say = &say().loans;
        let over = matches!(status, ApplicationStatus::Declined | ApplicationStatus::Withdrawn);
        let approved = status == ApplicationStatus::Approved;
        let filled = offered.is_some_and(|o| {
            matches!(o, ListingStatus::Filled | ListingStatus::Disbursing | ListingStatus::Disbursed)
        });
        let ended = offered.is_some_and(|o| matches!(o, ListingStatus::Expired | ListingStatus::Cancelled));
        let stage = |name: &str, note: String, done: bool, here: bool, bad: bool| Stage {
            name: name.into(),
            note,
            done,
            here,
            bad,
        };
        let mut all = vec![
            stage(say.sent, instant(&sent), true, false, false),
            stage(
                if over { (crate::messages::say().application_status)(status) } else { say.checked },
                match (status, decided.as_deref().map(instant)) {
                    (ApplicationStatus::Declined, at) => dated(at, say.declined_note),
                    (ApplicationStatus::Withdrawn, at) => dated(at, say.withdrawn_note),
                    (_, at) if approved => at.unwrap_or_default(),
                    _ => say.checked_note.into(),
                },
                approved,
                !approved && !over,
                status == ApplicationStatus::Declined,
            ),
        ];
        if !over {
            let note = until
                .as_ref()
                .filter(|_| offered == Some(ListingStatus::Open))
                .map(|u| (say.until)(&date(u)));
            all.push(stage(
                match offered {
                    Some(o) if ended => (crate::messages::say().listing_status)(o),
                    _ => say.funded,
                },
                note.unwrap_or_default(),
                filled,
                approved && !filled && !ended,
                ended,
            ));
        }
        if !over && !ended {
            let paid = offered == Some(ListingStatus::Disbursed);
            all.push(stage(
                say.paid_out,
                if paid { String::new() } else { say.paid_out_note.into() },
                paid,
                filled && !paid,
                false,
            ));
        }
        all
    };
    let pays = amount
        .exact()
        .zip(rate.as_ref().and_then(api::Decimal::rate))
        .and_then(|(amount, rate)| monthly(amount, rate, u32::try_from(term_months).ok()?))
        .map(|(pays, _)| pays);
    let terms = move || {
        let rate =
            rate.as_ref().map(|r| format!(" · {}\u{a0}%", number(&r.percent_in_line()))).unwrap_or_default();
        let pays = pays.map(|p| format!(" · {}", (say().loans.a_month)(&money(&p)))).unwrap_or_default();
        format!("{} · {}{rate}{pays}", text(&amount), (say().loans.months)(term_months))
    };
    view! {
        <section class="card stack" data-application=id.inner().to_string()>
            <div class="spread">
                <h2>{purpose}</h2>
                <span class=offered.map_or(status.mark(), |o| o.mark())>
                    {move || offered.map_or_else(|| (say().application_status)(status), |o| (say().listing_status)(o))}
                </span>
            </div>
            <p class="muted">{terms}</p>
            {asking.map(|application| view! { <allow::Allow application/> })}
            <Timeline stages=Signal::derive(stages)/>
            {full.filter(|_| offered == Some(ListingStatus::Open)).map(|f| view! { <Funding percent=Signal::derive(move || f)/> })}
            {listing.map(|l| view! { <p class="small"><A href=Page::Listing(l.id.inner().into()).path()>{t(|m| m.loans.as_lenders_see)}</A></p> })}
            {status.is_open().then(|| view! { <Documents application=id.inner().to_string() all=documents changed/> })}
            {status.is_open().then(|| view! {
                <TakeBack name=|m| m.loans.withdraw means=|m| m.loans.withdraw_means with=query::WITHDRAW input=json!({ "application": id.inner() }) changed/>
            })}
            {on_market.map(|listing| view! {
                <TakeBack name=|m| m.loans.take_back means=|m| m.loans.take_back_means with=query::CANCEL input=json!({ "listing": listing.inner() }) changed/>
            })}
        </section>
    }
}

/// Ends what one has asked for, said once more before it is done.
#[component]
fn TakeBack(
    name: fn(&Messages) -> &'static str,
    means: fn(&Messages) -> &'static str,
    with: &'static str,
    input: Value,
    changed: Callback<()>,
) -> impl IntoView {
    let form = Form::new(format!("back.{input}"));
    let input = StoredValue::new(input);
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        form.send(command::send::<Value>(with, input.get_value()), move |_| changed.run(()));
    };
    view! {
        <details data-take-back="">
            <summary>{t(name)}</summary>
            <form class="stack" on:submit=submit>
                <p class="small">{t(means)}</p>
                <Submit form words=Signal::derive(move || name(say()).to_string()) risky=true/>
            </form>
        </details>
    }
}
