//! Looking for people, listings and loans.

pub mod query;

use crate::api::{self, Failure};
use crate::components::amount::{Amount, Figure};
use crate::components::loaded::Loaded;
use crate::components::member::Staff;
use crate::components::notice::{Skeleton, Trouble};
use crate::components::pages::{self, Pages, paged};
use crate::components::search::sought;
use crate::components::tabs::Tabs;
use crate::locale::{date, number};
use crate::messages::{FindPage, Messages, PeoplePage, Words, say, t, title};
use crate::page::Page;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::session::{self, Role};
use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::query_signal;
use query::*;

const CHOICES: &[(&str, fn(&Messages) -> &'static str)] = &[
    ("running", |_| FindPage::say().running),
    ("overdue", |_| FindPage::say().overdue),
    ("awaiting", |_| FindPage::say().awaiting),
    ("closed", |_| FindPage::say().closed),
    ("all", |m| m.market.all),
];

fn wanted(filter: Option<&str>) -> Option<LoanStatus> {
    match filter {
        Some("all") => None,
        Some("overdue") => Some(LoanStatus::Overdue),
        Some("awaiting") => Some(LoanStatus::AwaitingDisbursement),
        Some("closed") => Some(LoanStatus::Closed),
        _ => Some(LoanStatus::Active),
    }
}

impl pages::Row for Lent {
    fn id(&self) -> String {
        self.id.inner().to_string()
    }
}

#[component]
pub fn Find() -> impl IntoView {
    view! {
        <Title text=title(|m| m.ways.find)/>
        <Staff>{|| view! { <Inside/> }}</Staff>
    }
}

#[component]
fn Inside() -> impl IntoView {
    let (words, field) = sought();
    view! {
        <div class="spread">
            <h1>{t(|m| m.ways.find)}</h1>
            {field(|_| FindPage::say().what)}
        </div>
        {move || if words.get().is_empty() { view! { <AllLoans/> }.into_any() } else { view! { <Found words/> }.into_any() }}
    }
}

/// People and listings that fit the words.
#[component]
fn Found(words: Memo<String>) -> impl IntoView {
    let found = RwSignal::new(None::<Result<query::Find, Failure>>);
    Effect::new(move |_| {
        let text = words.get();
        leptos::task::spawn_local(async move {
            let answer = api::ask(query::Find::build(FindVariables { text: text.clone() })).await;
            // An answer to other words comes too late.
            if words.try_get_untracked().as_ref() == Some(&text) {
                found.try_set(Some(answer));
            }
        });
    });
    move || {
        match found.get() {
        None => view! { <div class="card"><Skeleton lines=6/></div> }.into_any(),
        Some(Err(failure)) => view! { <Trouble failure/> }.into_any(),
        Some(Ok(found)) if found.parties.is_empty() && found.listings.nodes.is_empty() => {
            view! { <div class="card stack empty"><h2>{t(|_| FindPage::say().nothing)}</h2><p class="muted">{t(|_| FindPage::say().nothing_more)}</p></div> }.into_any()
        }
        Some(Ok(found)) => {
            // Of one person alone one asks next what they applied for.
            let only = found.parties.first().map(|p| p.id.clone()).filter(|_| found.parties.len() == 1);
            view! {
            {(!found.parties.is_empty()).then(|| view! {
                <section class="card flush">
                    <h2 class="inset">{t(|m| m.ways.people)}</h2>
                    <table class="listings">
                        <thead><tr><th>{t(|_| PeoplePage::say().name)}</th><th>{t(|m| m.entrance.email)}</th><th>{t(|m| m.account.roles)}</th><th>{t(|_| FindPage::say().since)}</th></tr></thead>
                        <tbody>{found.parties.into_iter().map(person).collect_view()}</tbody>
                    </table>
                </section>
            })}
            {only.map(|whose| view! { <Asked whose/> })}
            {(!found.listings.nodes.is_empty()).then(|| view! {
                <section class="card flush">
                    <h2 class="inset">{t(|_| FindPage::say().listings)}</h2>
                    <table class="listings">
                        <thead><tr><th>{t(|m| m.market.purpose)}</th><th class="numeric">{t(|m| m.amount)}</th><th>{t(|m| m.market.until)}</th><th>{t(|m| m.state)}</th></tr></thead>
                        <tbody>{found.listings.nodes.into_iter().map(offered).collect_view()}</tbody>
                    </table>
                </section>
            })}
        }
        .into_any()
        }
    }
    }
}

fn person(p: Person) -> impl IntoView {
    let (roles, at) = (p.roles, p.created_at.0);
    view! {
        <tr data-person=p.email.clone()>
            <td class="lead-cell"><a href=Page::person(p.id.inner())>{p.name}</a></td>
            <td data-label=t(|m| m.entrance.email)>{p.email.clone()} " " {confirmed(p.email_confirmed)}</td>
            <td data-label=t(|m| m.account.roles)>{move || roles.iter().map(|r| (say().role)(*r)).collect::<Vec<_>>().join(", ")}</td>
            <td data-label=t(|_| FindPage::say().since)>{move || date(&at)}</td>
        </tr>
    }
}

/// Whether an address is known to be somebody's.
fn confirmed(yes: bool) -> AnyView {
    if yes {
        view! { <span class="tag ok">{t(|m| m.letters.is_confirmed)}</span> }.into_any()
    } else {
        view! { <span class="tag wait">{t(|m| m.letters.not_confirmed)}</span> }.into_any()
    }
}

/// One person, above what they borrowed.
#[component]
fn Whose(id: String, all: Callback<()>) -> impl IntoView {
    let loaded = Loaded::new(move || {
        let id = cynic::Id::new(id.clone());
        async move { Ok(api::ask(One::build(WhoVariables { id })).await?.node) }
    });
    loaded.view(3, move |found| {
        let Some(Whoever::Party(p)) = found else {
            return view! { <p class="notice">{t(|_| FindPage::say().nobody)}</p> }.into_any();
        };
        let (roles, at, mark) = (p.roles, p.created_at.0, p.email.clone());
        let orders = format!("{}?party={}", Page::Orders.path(), p.id.inner());
        let watches = session::has_any(&[Role::Operations, Role::Auditor]);
        let whose = p.id;
        view! {
            <section class="card stack" data-who=mark>
                <div class="spread"><h2>{p.name}</h2> <button class="button small" on:click=move |_| all.run(())>{t(|_| FindPage::say().of_all)}</button></div>
                <dl class="facts">
                    <div><dt>{t(|m| m.entrance.email)}</dt><dd>{p.email} " " {confirmed(p.email_confirmed)}</dd></div>
                    <div><dt>{t(|m| m.account.roles)}</dt><dd>{move || roles.iter().map(|r| (say().role)(*r)).collect::<Vec<_>>().join(", ")}</dd></div>
                    <div><dt>{t(|_| FindPage::say().since)}</dt><dd>{move || date(&at)}</dd></div>
                </dl>
                <p class="small muted">{t(|_| FindPage::say().of_one)} {watches.then(|| view! { " " <a href=orders>{t(|_| FindPage::say().orders)}</a> })}</p>
            </section>
            <Asked whose=whose/>
            <h2>{t(|_| FindPage::say().loans)}</h2>
        }
        .into_any()
    })
}

/// What one person applied for; nothing where they never did.
#[component]
fn Asked(whose: cynic::Id) -> impl IntoView {
    let loaded = Loaded::new(move || {
        let variables = WhoseVariables { borrower: whose.clone() };
        async move { Ok(api::ask(Applied::build(variables)).await?.applications.nodes) }
    });
    loaded.view(3, move |all| {
        if all.is_empty() {
            return ().into_any();
        }
        let row = |a: Application| {
            let (status, at) = (a.status, a.submitted_at.0);
            view! {
                <tr data-application=format!("{status:?}")>
                    <td class="lead-cell"><A href=Page::Application(a.id.inner().into()).path()>{a.purpose}</A></td>
                    <td class="numeric" data-label=t(|m| m.amount)><Amount money=a.amount/></td>
                    <td class="numeric" data-label=t(|m| m.months)>{a.term_months}</td>
                    <td data-label=t(|m| m.loans.sent)>{move || date(&at)}</td>
                    <td data-label=t(|m| m.state)><span class=status.mark()>{move || (say().application_status)(status)}</span></td>
                </tr>
            }
        };
        view! {
            <section class="card flush">
                <h2 class="inset">{t(|_| FindPage::say().applications)}</h2>
                <table class="listings">
                    <thead><tr><th>{t(|m| m.market.purpose)}</th><th class="numeric">{t(|m| m.amount)}</th><th class="numeric">{t(|m| m.months)}</th><th>{t(|m| m.loans.sent)}</th><th>{t(|m| m.state)}</th></tr></thead>
                    <tbody>{all.into_iter().map(row).collect_view()}</tbody>
                </table>
            </section>
        }
        .into_any()
    })
}

fn offered(l: Offered) -> impl IntoView {
    let (status, until) = (l.status, l.expires_on.0);
    view! {
        <tr>
            <td class="lead-cell"><A href=Page::Listing(l.id.inner().into()).path()>{l.purpose}</A></td>
            <td class="numeric" data-label=t(|m| m.amount)><Amount money=l.amount/></td>
            <td data-label=t(|m| m.market.until)>{move || date(&until)}</td>
            <td data-label=t(|m| m.state)><span class=status.mark()>{move || (say().listing_status)(status)}</span></td>
        </tr>
    }
}

#[component]
fn AllLoans() -> impl IntoView {
    let (filter, _) = query_signal::<String>("show");
    // Whose they are, when one comes from a person.
    let (borrower, set_borrower) = query_signal::<String>("borrower");
    let pages = Pages::new(move |after| {
        let status = wanted(filter.get_untracked().as_deref());
        let borrower = borrower.get_untracked().map(cynic::Id::new);
        async move {
            let found = api::ask(Loans::build(LoanVariables { status, borrower, after })).await?;
            Ok(paged(found.loans.nodes, found.loans.page_info))
        }
    })
    .following(move || (filter.get(), borrower.get()));
    view! {
        {move || borrower.get().map(|id| view! { <Whose id all=Callback::new(move |()| set_borrower.set(None))/> })}
        <Tabs label=|_| FindPage::say().which choices=CHOICES/>

        {pages.view(
            move || {
                let whose = borrower.with_untracked(Option::is_some);
                view! { <div class="card stack empty"><h2>{t(if whose { |_| FindPage::say().none_borrowed } else { |_| FindPage::say().no_loans })}</h2></div> }.into_any()
            },
            move |rows| view! {
                // Of one person's loans it stands above whose they are.
                <div class="card flush" class:of-one=borrower.with_untracked(Option::is_some)>
                    <table class="listings">
                        <thead><tr>
                            <th>{t(|m| m.market.purpose)}</th><th>{t(|_| FindPage::say().borrower)}</th><th class="numeric">{t(|m| m.rate_a_year)}</th>
                            <th class="numeric">{t(|m| m.loans.borrowed)}</th><th class="numeric">{t(|m| m.loans.owed)}</th><th>{t(|m| m.state)}</th>
                        </tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any(),
            |r| lent(r).into_any(),
        )}
    }
}

fn lent(l: Lent) -> impl IntoView {
    let (status, late, rate) = (l.status, l.days_past_due, l.rate.percent_in_line());
    let words = move || match status {
        LoanStatus::Overdue => (say().portfolio.days_late)(late),
        s => (say().loan_status)(s).to_string(),
    };
    view! {
        <tr data-loan=l.id.inner().to_string()>
            <td class="lead-cell"><A href=Page::Loan(l.id.inner().into()).path()>{l.listing.map_or_else(String::new, |n| n.purpose)}</A></td>
            <td data-label=t(|_| FindPage::say().borrower)>{l.borrower.map(|b| b.name)}</td>
            <td class="numeric" data-label=t(|m| m.rate_a_year)>{move || number(&rate)} "\u{a0}%"</td>
            <td class="numeric" data-label=t(|m| m.loans.borrowed)><Amount money=l.principal/></td>
            <td class="numeric" data-label=t(|m| m.loans.owed)><Figure amount=l.outstanding.amount.0/></td>
            <td data-label=t(|m| m.state)><span class=status.mark()>{words}</span></td>
        </tr>
    }
}
