//! What a holder's notes come to.

use crate::service::Inner;
use chrono::NaiveDate;
use finance::distribution::{NoteShare, foresee};
use finance::{Currency, Money, xirr::xirr};
use kernel::Call;
use lending_api::{ExpectedCash, LendingError, PortfolioOf, PortfolioView};
use platform::db::Sql;
use platform::service::unreadable;
use platform::{Fault, calendar};
use sea_orm::DbErr;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// One currency's notes while they are added up, in minor units.
#[derive(Default)]
struct Sums {
    notes: u32,
    lent: i64,
    invested: i64,
    overdue: i64,
    interest: i64,
    flows: Vec<(NaiveDate, i64)>,
    /// By due date: interest, principal.
    expected: BTreeMap<NaiveDate, (i64, i64)>,
}

impl Inner {
    /// A few statements, however many notes there are.
    pub(crate) async fn portfolio(
        &self,
        call: &Call,
        ask: PortfolioOf,
    ) -> Result<Vec<PortfolioView>, Fault<LendingError>> {
        self.add_up(ask).await.map_err(|e| unreadable(call, "add up a portfolio", &e))
    }

    async fn add_up(&self, ask: PortfolioOf) -> Result<Vec<PortfolioView>, DbErr> {
        let db = self.db.read();
        let holder = || [ask.holder.0.into()];
        let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
        let currency = |code: String| {
            code.parse::<Currency>().map_err(|_| DbErr::Type(format!("{code} is no currency")))
        };

        let sql = "SELECT n.currency, n.principal, n.outstanding, n.interest_received, l.started_on, l.status
                   FROM lending_note n JOIN lending_loan l ON l.id = n.loan
                   WHERE n.holder = $1 AND l.status <> 'CANCELLED'";
        for row in db.all(sql, holder()).await? {
            let sum = sums.entry(currency(row.try_get_by_index(0)?)?).or_default();
            let (principal, outstanding): (i64, i64) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            sum.notes += 1;
            sum.lent += principal;
            sum.invested += outstanding;
            sum.interest += row.try_get_by_index::<i64>(3)?;
            if row.try_get_by_index::<String>(5)? == "OVERDUE" {
                sum.overdue += outstanding;
            }
            if let Some(started) = row.try_get_by_index::<Option<NaiveDate>>(4)? {
                sum.flows.push((started, -principal));
            }
        }

        let sql = "SELECT n.currency, r.value_date, CAST(SUM(d.interest + d.principal) AS BIGINT)
                   FROM lending_distribution d
                   JOIN lending_note n ON n.id = d.note JOIN lending_repayment r ON r.id = d.repayment
                   WHERE d.holder = $1 AND d.settled AND r.value_date IS NOT NULL GROUP BY n.currency, r.value_date";
        for row in db.all(sql, holder()).await? {
            let sum = sums.entry(currency(row.try_get_by_index(0)?)?).or_default();
            sum.flows.push((row.try_get_by_index(1)?, row.try_get_by_index(2)?));
        }

        for (due, currency, interest, principal) in self.ahead(&ask).await? {
            let due = sums.entry(currency).or_default().expected.entry(due).or_default();
            due.0 += interest;
            due.1 += principal;
        }

        let today = calendar::today(db).await?;
        Ok(sums.into_iter().map(|(currency, sum)| sum.view(currency, today)).collect())
    }

    /// What the holder's notes receive on which due date if everybody pays on the day: interest, principal. Each loan is
    /// shared out as it will be, over the notes of all its holders and with what earlier roundings left over.
    async fn ahead(&self, ask: &PortfolioOf) -> Result<Vec<(NaiveDate, Currency, i64, i64)>, DbErr> {
        let db = self.db.read();
        let holder = || [ask.holder.0.into()];
        let mine = "SELECT DISTINCT loan FROM lending_note WHERE holder = $1 AND outstanding > 0";
        let sql = format!(
            "SELECT loan, id, holder, currency, outstanding, interest_carry, principal_carry FROM lending_note
             WHERE outstanding > 0 AND loan IN ({mine})"
        );
        let mut notes: BTreeMap<Uuid, (Currency, Vec<NoteShare<Uuid>>)> = BTreeMap::new();
        let mut own = BTreeSet::new();
        for row in db.all(sql, holder()).await? {
            let (loan, note): (Uuid, Uuid) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            let code: String = row.try_get_by_index(3)?;
            let currency = code.parse().map_err(|_| DbErr::Type(format!("{code} is no currency")))?;
            if row.try_get_by_index::<Uuid>(2)? == ask.holder.0 {
                own.insert(note);
            }
            let (outstanding, interest_carry, principal_carry) =
                (row.try_get_by_index(4)?, row.try_get_by_index(5)?, row.try_get_by_index(6)?);
            let share = NoteShare { note, outstanding, interest_carry, principal_carry };
            notes.entry(loan).or_insert((currency, Vec::new())).1.push(share);
        }
        let sql = format!(
            "SELECT loan, due, interest, principal FROM lending_instalment
             WHERE status = 'SCHEDULED' AND loan IN ({mine}) ORDER BY loan, number"
        );
        let mut plans: BTreeMap<Uuid, Vec<(NaiveDate, i64, i64)>> = BTreeMap::new();
        for row in db.all(sql, holder()).await? {
            let instalment = (row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?);
            plans.entry(row.try_get_by_index(0)?).or_default().push(instalment);
        }
        let mut ahead = Vec::new();
        for (loan, (currency, shares)) in notes {
            let plan = plans.remove(&loan).unwrap_or_default();
            let owed: Vec<(Money, Money)> =
                plan.iter().map(|(_, i, p)| (Money::new(*i, currency), Money::new(*p, currency))).collect();
            let parts = foresee(&owed, &shares).map_err(|e| DbErr::Type(format!("the loan {loan}: {e}")))?;
            for ((due, _, _), parts) in plan.iter().zip(parts) {
                for part in parts.iter().filter(|p| own.contains(&p.note)) {
                    ahead.push((*due, currency, part.interest, part.principal));
                }
            }
        }
        Ok(ahead)
    }
}

impl Sums {
    fn view(mut self, currency: Currency, today: NaiveDate) -> PortfolioView {
        let money = |minor| Money::new(minor, currency);
        if self.invested > 0 {
            self.flows.push((today, self.invested));
        }
        let cash = |(due, (interest, principal)): (NaiveDate, (i64, i64))| ExpectedCash {
            due,
            interest: money(interest),
            principal: money(principal),
        };
        PortfolioView {
            notes: self.notes,
            lent: money(self.lent),
            invested: money(self.invested),
            overdue: money(self.overdue),
            principal_received: money(self.lent - self.invested),
            interest_received: money(self.interest),
            expected: self.expected.into_iter().map(cash).collect(),
            xirr: xirr(&self.flows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portfolio_adds_up_and_its_return_is_that_of_its_flows() {
        let usd: Currency = "USD".parse().unwrap();
        let date = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
        let sums = Sums {
            notes: 1,
            lent: 1_000_00,
            invested: 500_00,
            interest: 10_00,
            flows: vec![(date(1, 1), -1_000_00), (date(7, 2), 510_00)],
            ..Sums::default()
        };
        let view = sums.view(usd, date(7, 2));
        assert_eq!(view.principal_received, Money::new(500_00, usd));
        // 1,010.00 after 182 days for 1,000.00: 1.01^(365/182) − 1.
        assert_eq!(view.xirr.unwrap().round_dp(6).to_string(), "0.020156");
    }
}
