//! What the portfolio loads.

use crate::api::{Date, Decimal, Money, schema};
use crate::pages::investor::overview::query::{Bids, ExpectedCash, Target};
use cynic::QueryFragment;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoanStatus {
    AwaitingDisbursement,
    Active,
    Overdue,
    Closed,
    Cancelled,
}

impl LoanStatus {
    /// The mark's class: what grows, what waits, what is at risk, what is over.
    pub fn mark(self) -> &'static str {
        match self {
            LoanStatus::Active => "tag ok",
            LoanStatus::AwaitingDisbursement => "tag wait",
            LoanStatus::Overdue => "tag bad",
            LoanStatus::Closed | LoanStatus::Cancelled => "tag",
        }
    }

    pub fn is_over(self) -> bool {
        matches!(self, LoanStatus::Closed | LoanStatus::Cancelled)
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Loan")]
pub struct Debt {
    pub id: cynic::Id,
    pub rate: Decimal,
    pub status: LoanStatus,
    pub days_past_due: i32,
    pub started_on: Option<Date>,
    pub next_due_on: Option<Date>,
    pub listing: Option<Target>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Note {
    pub id: cynic::Id,
    pub principal: Money,
    pub outstanding: Money,
    pub interest_received: Money,
    pub loan: Option<Debt>,
}

impl Note {
    /// What one has in one loan as one thing, however many bids it came from: a payment is for all of them.
    pub fn together(notes: &[Note]) -> Vec<(Note, usize)> {
        let mut all: Vec<(Note, usize)> = Vec::new();
        for note in notes {
            let of = |n: &Note| n.loan.as_ref().map(|l| l.id.clone());
            match all.iter_mut().find(|(n, _)| of(n).is_some() && of(n) == of(note)) {
                Some((sum, bids)) => {
                    add(&mut sum.principal, &note.principal);
                    add(&mut sum.outstanding, &note.outstanding);
                    add(&mut sum.interest_received, &note.interest_received);
                    *bids += 1;
                }
                None => all.push((note.clone(), 1)),
            }
        }
        all
    }
}

impl NotePayment {
    /// What each repayment brought all notes of one loan, oldest first.
    pub fn together(notes: Vec<Past>) -> Vec<NotePayment> {
        let mut all: Vec<NotePayment> = Vec::new();
        for payment in notes.into_iter().flat_map(|n| n.history) {
            match all.iter_mut().find(|p| p.repayment == payment.repayment) {
                Some(sum) => {
                    add(&mut sum.principal, &payment.principal);
                    add(&mut sum.interest, &payment.interest);
                    sum.settled &= payment.settled;
                }
                None => all.push(payment),
            }
        }
        all.sort_by(|a, b| a.value_date.0.cmp(&b.value_date.0));
        all
    }
}

fn add(sum: &mut Money, more: &Money) {
    if let Some(both) = sum.exact().zip(more.exact()).and_then(|(a, b)| a.plus(b).ok()) {
        *sum = both.into();
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer")]
pub struct Mine {
    pub notes: Vec<Note>,
    pub portfolio: Vec<Sum>,
    #[arguments(first: 50)]
    pub bids: Bids,
}

/// One's notes in one currency, together.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Portfolio")]
pub struct Sum {
    pub invested: Money,
    pub expected: Vec<ExpectedCash>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query")]
pub struct Portfolio {
    pub business_date: Date,
    pub viewer: Option<Mine>,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct NotePayment {
    pub repayment: cynic::Id,
    pub value_date: Date,
    pub principal: Money,
    pub interest: Money,
    pub settled: bool,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Note")]
pub struct Past {
    pub id: cynic::Id,
    pub history: Vec<NotePayment>,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct LoanVariables {
    pub loan: cynic::Id,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Viewer", variables = "LoanVariables")]
pub struct PastMine {
    #[arguments(loan: $loan)]
    pub notes: Vec<Past>,
}

/// What one's shares of one loan brought.
#[derive(QueryFragment, Clone, PartialEq, Debug)]
#[cynic(graphql_type = "Query", variables = "LoanVariables")]
pub struct History {
    pub viewer: Option<PastMine>,
}
