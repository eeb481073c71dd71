//! What a proof says: the verdict, and all of it in one currency, in both books side by side.

use crate::api::{Money, schema};
use crate::components::amount::Amount;
use crate::components::halves::Halves;
use crate::messages::{Messages, say, t};
use cynic::QueryFragment;
use leptos::prelude::*;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Matched,
    InFlight,
    Broken,
}

impl Verdict {
    pub fn mark(self) -> &'static str {
        match self {
            Verdict::Matched => "tag ok",
            Verdict::InFlight => "tag wait",
            Verdict::Broken => "tag bad",
        }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct ProofTotal {
    pub cash: Money,
    pub ledger: Money,
}

/// `left` and `right` say whose books they are.
#[component]
pub fn Totals(
    totals: Vec<ProofTotal>,
    left: fn(&Messages) -> &'static str,
    right: fn(&Messages) -> &'static str,
) -> impl IntoView {
    let half = |name: fn(&Messages) -> &'static str, sum: Money| {
        view! { <p class="small">{t(name)}</p><p class="amount"><Amount money=sum/></p> }.into_any()
    };
    totals
        .into_iter()
        .map(|sum| {
            let matched = sum.ledger == sum.cash;
            let code = StoredValue::new(sum.ledger.currency.0.clone());
            let label = Signal::derive(move || format!("{} {}", say().day.proof, code.get_value()));
            let words = Signal::derive(move || {
                if matched { say().cash.matches } else { say().day.differs }.to_string()
            });
            view! { <Halves label left=half(left, sum.ledger) right=half(right, sum.cash) matched words/> }
        })
        .collect_view()
}
