//! A loan's arithmetic and states. Pure.

use chrono::NaiveDate;
use finance::distribution::{NotePart, NoteShare, distribute};
use finance::schedule::{Instalment, monthly_annuity};
use finance::{Money, MoneyError, Rounding, payoff};
use kernel::id::NoteId;
use lending_api::{InstalmentStatus, InstalmentView, LendingError, LoanStatus, LoanView, NoteView, Terms};

/// The schedule of a loan whose interest begins on a day: the first instalment a month later, and always on that day of
/// the month.
///
/// # Errors
/// Terms for which there is none; the product's bounds keep them out.
pub fn schedule(
    terms: &Terms,
    started_on: NaiveDate,
) -> Result<Vec<Instalment>, finance::schedule::ScheduleError> {
    monthly_annuity(terms.principal, terms.rate, terms.term_months, started_on, Rounding::HalfUp)
}

/// What a repayment pays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owed {
    pub interest: Money,
    pub principal: Money,
    /// The last instalment it covers.
    pub up_to: u32,
}

impl Owed {
    /// # Errors
    /// Beyond 64 bits.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.interest.plus(self.principal)
    }
}

/// Whether something may happen to the loan now.
///
/// # Errors
/// It is not running, or something is under way.
pub fn may_repay(status: LoanStatus, busy: bool) -> Result<(), LendingError> {
    if !matches!(status, LoanStatus::Active | LoanStatus::Overdue) {
        return Err(LendingError::LoanNotActive);
    }
    if busy { Err(LendingError::LoanBusy) } else { Ok(()) }
}

fn unpaid(instalments: &[InstalmentView]) -> Vec<&InstalmentView> {
    instalments.iter().filter(|i| i.status == InstalmentStatus::Scheduled).collect()
}

/// What is due on a date, past due included; or the next instalment where nothing is. `None` when all is paid.
///
/// # Errors
/// Beyond 64 bits.
pub fn due(instalments: &[InstalmentView], on: NaiveDate, or_next: bool) -> Result<Option<Owed>, MoneyError> {
    let open = unpaid(instalments);
    let mut now: Vec<&&InstalmentView> = open.iter().filter(|i| i.due <= on).collect();
    if now.is_empty() && or_next {
        now = open.iter().take(1).collect();
    }
    let Some(last) = now.last() else { return Ok(None) };
    let currency = last.principal.currency();
    Ok(Some(Owed {
        interest: Money::sum(currency, now.iter().map(|i| i.interest))?,
        principal: Money::sum(currency, now.iter().map(|i| i.principal))?,
        up_to: last.number,
    }))
}

/// What it takes to pay the loan off on a date.
///
/// # Errors
/// Nothing is unpaid, or beyond 64 bits.
pub fn payoff_on(
    instalments: &[InstalmentView],
    started_on: NaiveDate,
    on: NaiveDate,
) -> Result<Owed, MoneyError> {
    let open = unpaid(instalments);
    let zero = |i: &InstalmentView| Money::zero(i.principal.currency());
    let rest: Vec<Instalment> = open
        .iter()
        .map(|i| Instalment {
            number: i.number,
            due: i.due,
            interest: i.interest,
            principal: i.principal,
            balance_after: zero(i),
        })
        .collect();
    let first = rest.first().map_or(1, |i| i.number);
    // The running period began when the instalment before it was due.
    let before = instalments.iter().rev().find(|i| i.number < first);
    let period_start = before.map_or(started_on, |i| i.due);
    let quote = payoff::to_date(&rest, period_start, on)?;
    let up_to = open.last().map_or(0, |i| i.number);
    Ok(Owed { interest: quote.interest()?, principal: quote.principal, up_to })
}

/// Days since the oldest unpaid due date.
pub fn days_past_due(instalments: &[InstalmentView], on: NaiveDate) -> u32 {
    let oldest = unpaid(instalments).first().map(|i| i.due);
    oldest.map_or(0, |due| u32::try_from((on - due).num_days().max(0)).unwrap_or(u32::MAX))
}

/// A note with what earlier roundings left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    pub view: NoteView,
    pub interest_carry: i64,
    pub principal_carry: i64,
}

/// Splits a repayment over the notes of a loan. Computed once, after the freeze.
///
/// # Errors
/// More than is outstanding, or no notes.
pub fn split(owed: &Owed, notes: &[Note]) -> Result<Vec<NotePart<NoteId>>, MoneyError> {
    let shares: Vec<NoteShare<NoteId>> = notes
        .iter()
        .filter(|n| n.view.outstanding.is_positive())
        .map(|n| NoteShare {
            note: n.view.id,
            outstanding: n.view.outstanding.minor(),
            interest_carry: n.interest_carry,
            principal_carry: n.principal_carry,
        })
        .collect();
    distribute(owed.interest, owed.principal, &shares)
}

/// What a loan becomes when a repayment has settled that was paid on one day and is known today.
pub fn after_repayment(loan: &mut LoanView, instalments: &[InstalmentView], on: NaiveDate, today: NaiveDate) {
    loan.days_past_due = days_past_due(instalments, on.max(today));
    if unpaid(instalments).is_empty() {
        (loan.status, loan.closed_on, loan.days_past_due) = (LoanStatus::Closed, Some(on), 0);
    } else if loan.days_past_due == 0 {
        loan.status = LoanStatus::Active;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finance::{Currency, Rate};

    fn date(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).unwrap()
    }

    fn instalments(paid: u32) -> Vec<InstalmentView> {
        let terms = Terms {
            product: "PERSONAL".into(),
            version: 1,
            principal: Money::new(10_000_00, Currency::USD),
            rate: Rate::from_ppm(120_000),
            term_months: 12,
            fee: Money::zero(Currency::USD),
        };
        let view = |i: Instalment| InstalmentView {
            number: i.number,
            due: i.due,
            interest: i.interest,
            principal: i.principal,
            status: if i.number <= paid { InstalmentStatus::Paid } else { InstalmentStatus::Scheduled },
            paid_on: None,
        };
        schedule(&terms, date(2026, 1, 31)).unwrap().into_iter().map(view).collect()
    }

    #[test]
    fn due_dates_follow_the_day_of_disbursement() {
        let dates: Vec<String> = instalments(0).iter().take(3).map(|i| i.due.to_string()).collect();
        assert_eq!(dates, ["2026-02-28", "2026-03-31", "2026-04-30"]);
    }

    #[test]
    fn what_is_due_is_everything_up_to_the_date() {
        let all = instalments(0);
        assert_eq!(due(&all, date(2026, 2, 27), false), Ok(None));
        let next = due(&all, date(2026, 2, 27), true).unwrap().unwrap();
        assert_eq!((next.total().unwrap().minor(), next.up_to), (888_49, 1));
        let two = due(&all, date(2026, 3, 31), false).unwrap().unwrap();
        assert_eq!((two.total().unwrap().minor(), two.up_to), (2 * 888_49, 2));
        assert_eq!(due(&instalments(12), date(2027, 12, 31), true), Ok(None));
        assert_eq!(days_past_due(&all, date(2026, 3, 3)), 3);
    }

    #[test]
    fn a_payoff_owes_interest_to_the_day() {
        // Paid once: 9,211.51 left; the running period began on 28 February, its interest is 92.12 for 31 days.
        let owed = payoff_on(&instalments(1), date(2026, 1, 31), date(2026, 3, 10)).unwrap();
        assert_eq!((owed.principal.minor(), owed.interest.minor(), owed.up_to), (9_211_51, 29_72, 12));
    }
}
