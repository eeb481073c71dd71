//! What this is, and whether its books are equal at this moment.

use crate::api::{self, DateTime, schema};
use crate::components::loaded::Loaded;
use crate::components::proof::{ProofTotal, Totals, Verdict};
use crate::locale::zoned;
use crate::messages::{say, t};
use crate::page::Page;
use crate::session;
use cynic::{QueryBuilder, QueryFragment};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct PublicProof {
    pub verdict: Verdict,
    pub at: DateTime,
    pub owners: i32,
    pub totals: Vec<ProofTotal>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Front {
    pub last_proof: Option<PublicProof>,
}

#[component]
pub fn Home() -> impl IntoView {
    let front = Loaded::new(|| async { api::ask(Front::build(())).await });
    view! {
        <Title text="Counterfoil"/>
        <section class="stack">
            <h1 class="hero">{t(|m| m.home.title)}</h1>
            <p class="lead">{t(|m| m.home.lead)}</p>
            <p class="row">
                <A attr:class="button primary" href=Page::Marketplace.path()>{t(|m| m.home.see_open)}</A>
                {move || session::party().with(Option::is_none).then(|| view! {
                    <A attr:class="button" href=Page::Register.path()>{t(|m| m.register.title)}</A>
                })}
                <A attr:class="button" href=Page::Calculator.path()>{t(|m| m.home.reckon)}</A>
            </p>
        </section>
        // Without it the page still says what it has to say.
        {move || match front.get() {
            // Its place is kept: what comes late pushes nothing about.
            None => view! { <div class="proof-place" aria-hidden="true"></div> }.into_any(),
            Some(found) => found.last_proof.map(proof).into_any(),
        }}
        <section class="columns level">
            {move || say().home.promises.map(|(heading, words)| view! {
                <div class="card stack">
                    <h2>{heading}</h2>
                    <p>{words}</p>
                </div>
            }).collect_view()}
        </section>
    }
}

fn proof(p: PublicProof) -> impl IntoView {
    let (verdict, owners, at) = (p.verdict, p.owners, p.at.0);
    view! {
        <section class="stack" data-proof=format!("{verdict:?}") aria-label=t(|m| m.day.proof)>
            <p><span class=verdict.mark()>{move || (say().verdict)(verdict)}</span> " " {move || (say().home.proved)(owners, &zoned(&at))}</p>
            {(verdict == Verdict::InFlight).then(|| view! { <p class="small muted">{t(|m| m.home.in_flight)}</p> })}
            <Totals totals=p.totals left=|m| m.home.all_in_ledger right=|m| m.home.all_at_custodian/>
        </section>
    }
}
