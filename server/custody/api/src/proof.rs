//! The proof that the two books are equal.

use chrono::{DateTime, Utc};
use finance::{Currency, Money};
use serde::{Deserialize, Serialize};

/// One user's two halves, in one currency.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OwnerLine {
    /// The party, or `platform-income`, `platform-own`.
    pub owner: String,
    pub currency: Currency,
    /// Available + held − shortfall in the ledger; reservations are part of available.
    pub ledger: Money,
    /// Movements the custodian has made and the ledger does not show yet.
    pub on_the_way: Money,
    /// Available + frozen + blocked + in payout by the custodian's signed statement.
    pub cash: Money,
    /// The same by our own record of its movements.
    pub record: Money,
}

impl OwnerLine {
    pub fn matches(&self) -> bool {
        self.ledger.plus(self.on_the_way) == Ok(self.cash) && self.record == self.cash
    }
}

/// Something that does not match.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// Whose money, where it is somebody's.
    pub owner: Option<String>,
    pub what: String,
    /// Since when, where that is known.
    pub since: Option<DateTime<Utc>>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    Matched,
    /// Nothing is wrong; some money is between two steps.
    InFlight {
        count: usize,
        amounts: Vec<Money>,
        oldest: DateTime<Utc>,
    },
    Broken,
}

/// What everybody may know of a proof: whether the books are equal, and the sums; nobody's own line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProofSummary {
    pub verdict: Verdict,
    pub at: DateTime<Utc>,
    pub owners: usize,
    /// Client money by currency: in the ledger and at the custodian.
    pub totals: Vec<(Money, Money)>,
}

impl From<&ProofReport> for ProofSummary {
    fn from(r: &ProofReport) -> ProofSummary {
        ProofSummary { verdict: r.verdict.clone(), at: r.at, owners: r.owners, totals: r.totals.clone() }
    }
}

/// The proof at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProofReport {
    pub verdict: Verdict,
    pub at: DateTime<Utc>,
    /// The ledger's position.
    pub ledger_position: i64,
    pub chain_head: String,
    /// The custodian's position, and when it signed.
    pub statement_position: i64,
    pub statement_at: DateTime<Utc>,
    pub owners: usize,
    /// Client money by currency: in the ledger and at the custodian.
    pub totals: Vec<(Money, Money)>,
    /// What the platform's income account holds, by currency, and the fees taken.
    pub income: Vec<(Money, Money)>,
    pub findings: Vec<Finding>,
    pub lines: Vec<OwnerLine>,
}

impl ProofReport {
    /// The sentence that ends the report.
    pub fn last_line(&self) -> String {
        match &self.verdict {
            Verdict::Matched => "MATCHED".into(),
            Verdict::InFlight { count, amounts, oldest } => {
                let amounts: Vec<String> = amounts.iter().map(Money::to_string).collect();
                format!("IN FLIGHT: {count} ({}), oldest since {oldest}", amounts.join(", "))
            }
            Verdict::Broken => {
                let first = self.findings.first();
                let owner = first.and_then(|f| f.owner.clone()).unwrap_or_else(|| "the books".into());
                format!(
                    "BROKEN: {} finding(s); first: {owner}: {}",
                    self.findings.len(),
                    first.map_or("", |f| &f.what)
                )
            }
        }
    }
}
