//! The proof that both books are equal.

use crate::scalars::{DateTime, Money};
use async_graphql::{Enum, SimpleObject};
use custody_api::{ProofReport, ProofSummary};

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum Verdict {
    /// Both books are equal.
    Matched,
    /// Equal but for what is on its way between them.
    InFlight,
    Broken,
}

/// Client money in one currency, in both books.
#[derive(SimpleObject)]
pub struct ProofTotal {
    pub ledger: Money,
    pub cash: Money,
}

/// What does not fit.
#[derive(SimpleObject)]
pub struct ProofFinding {
    pub owner: Option<String>,
    pub what: String,
    pub since: Option<DateTime>,
}

/// What is between two steps: nothing is wrong, and it will be there by itself.
#[derive(SimpleObject)]
pub struct OnTheWay {
    pub count: u32,
    /// By currency.
    pub amounts: Vec<Money>,
    pub oldest: DateTime,
}

/// The ledger against the custodian's own signed statement.
#[derive(SimpleObject)]
pub struct Proof {
    pub verdict: Verdict,
    /// The verdict as a line in English.
    pub line: String,
    pub in_flight: Option<OnTheWay>,
    pub at: DateTime,
    pub ledger_position: String,
    pub chain_head: String,
    pub statement_position: String,
    pub statement_at: DateTime,
    pub owners: u32,
    pub totals: Vec<ProofTotal>,
    pub findings: Vec<ProofFinding>,
}

/// What everybody may know of the last proof.
#[derive(SimpleObject)]
pub struct PublicProof {
    pub verdict: Verdict,
    pub at: DateTime,
    /// How many owners' two halves were compared.
    pub owners: u32,
    pub totals: Vec<ProofTotal>,
}

impl From<ProofSummary> for PublicProof {
    fn from(s: ProofSummary) -> PublicProof {
        PublicProof {
            verdict: verdict(&s.verdict),
            at: DateTime(s.at),
            owners: u32::try_from(s.owners).unwrap_or(u32::MAX),
            totals: totals(s.totals),
        }
    }
}

fn verdict(v: &custody_api::Verdict) -> Verdict {
    match v {
        custody_api::Verdict::Matched => Verdict::Matched,
        custody_api::Verdict::InFlight { .. } => Verdict::InFlight,
        custody_api::Verdict::Broken => Verdict::Broken,
    }
}

fn totals(all: Vec<(finance::Money, finance::Money)>) -> Vec<ProofTotal> {
    all.into_iter().map(|(l, c)| ProofTotal { ledger: l.into(), cash: c.into() }).collect()
}

impl From<ProofReport> for Proof {
    fn from(r: ProofReport) -> Proof {
        let line = r.last_line();
        let finding = |f: custody_api::Finding| ProofFinding {
            owner: f.owner,
            what: f.what,
            since: f.since.map(DateTime),
        };
        Proof {
            verdict: verdict(&r.verdict),
            line,
            in_flight: match r.verdict {
                custody_api::Verdict::InFlight { count, amounts, oldest } => Some(OnTheWay {
                    count: u32::try_from(count).unwrap_or(u32::MAX),
                    amounts: amounts.into_iter().map(Money::from).collect(),
                    oldest: DateTime(oldest),
                }),
                custody_api::Verdict::Matched | custody_api::Verdict::Broken => None,
            },
            at: DateTime(r.at),
            ledger_position: r.ledger_position.to_string(),
            chain_head: r.chain_head,
            statement_position: r.statement_position.to_string(),
            statement_at: DateTime(r.statement_at),
            owners: u32::try_from(r.owners).unwrap_or(u32::MAX),
            totals: totals(r.totals),
            findings: r.findings.into_iter().map(finding).collect(),
        }
    }
}
