//! How things stand, at a glance: the date, the books, and what wants somebody.

use crate::api::{self, Date, Failure, schema};
use crate::components::loaded::Loaded;
use crate::components::proof::Verdict;
use crate::locale::date;
use crate::messages::{Messages, QueuePage, Words, say, t};
use crate::page::Page;
use crate::session::{self, Role};
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_router::components::A;

#[derive(QueryFragment, Clone, Copy, PartialEq, Debug)]
#[cynic(graphql_type = "PublicProof")]
pub struct Last {
    pub verdict: Verdict,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Late {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "LoanConnection")]
pub struct Lates {
    pub nodes: Vec<Late>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Standing {
    pub business_date: Date,
    pub last_proof: Option<Last>,
    #[arguments(status: OVERDUE, first: 100)]
    pub loans: Lates,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Order")]
pub struct Sent {
    pub id: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "OrderConnection")]
pub struct Sents {
    pub nodes: Vec<Sent>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Parked")]
pub struct Failed {
    pub name: String,
}

/// What operations and auditors see besides.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Under {
    #[arguments(open: true, first: 100)]
    pub orders: Sents,
    pub parked: Vec<Failed>,
}

async fn ask() -> Result<(Standing, Option<Under>), Failure> {
    let standing = api::ask(Standing::build(())).await?;
    let watches = session::has_any(&[Role::Operations, Role::Auditor]);
    let under = if watches { Some(api::ask(Under::build(())).await?) } else { None };
    Ok((standing, under))
}

/// A count, and that there are more where the first page was full.
fn count(n: usize) -> String {
    if n >= 100 { "100+".into() } else { n.to_string() }
}

#[component]
pub fn Glance() -> impl IntoView {
    let found = Loaded::new(ask);
    if let Ok(timer) = set_interval_with_handle(move || found.again(), std::time::Duration::from_secs(15)) {
        on_cleanup(move || timer.clear());
    }
    let figure = |label: fn(&Messages) -> &'static str, page: String, words: AnyView| {
        view! { <div><dt>{t(label)}</dt><dd><A href=page>{words}</A></dd></div> }
    };
    // Its place is kept while it is on its way.
    view! {
        <section class="card glance" aria-label=t(|_| QueuePage::say().glance)>
            {move || found.get().map(|(standing, under)| {
                let (day, verdict) = (standing.business_date.0, standing.last_proof.map(|p| p.verdict));
                let late = standing.loans.nodes.len();
                let late_page = format!("{}?show=overdue", Page::Find.path());
                view! {
                    <dl class="facts">
                        {figure(|m| m.day.title, Page::Day.path(), view! { <span>{move || date(&day)}</span> }.into_any())}
                        {verdict.map(|v| figure(|m| m.day.proof, Page::Day.path(), view! { <span class=v.mark()>{move || (say().verdict)(v)}</span> }.into_any()))}
                        {figure(|_| QueuePage::say().overdue_loans, late_page, view! { <span>{count(late)}</span> }.into_any())}
                        {under.map(|u| {
                            let orders = format!("{}?show=open", Page::Orders.path());
                            view! {
                                {figure(|_| QueuePage::say().orders_open, orders, view! { <span>{count(u.orders.nodes.len())}</span> }.into_any())}
                                {figure(|_| QueuePage::say().parked, Page::Day.path(), view! { <span>{count(u.parked.len())}</span> }.into_any())}
                            }
                        })}
                    </dl>
                }
            })}
        </section>
    }
}
