//! Paying a loan off: a quote that is honoured or refused, never changed silently.

use crate::loan;
use crate::repayment::{arithmetic, begin};
use crate::repo::{self, Quote};
use crate::service::Inner;
use futures::FutureExt;
use kernel::Call;
use lending_api::*;
use platform::db::WriteError;
use platform::service::{published, unreadable};
use platform::{Fault, calendar, commands};

impl Inner {
    pub(crate) async fn quote_payoff(
        &self,
        call: &Call,
        input: QuotePayoff,
    ) -> Result<QuoteView, Fault<LendingError>> {
        let Some(borrower) = call.party() else { return Err(Fault::Forbidden) };
        commands::client_made(input.id.0)?;
        let now = self.clock.now();
        let write = self.db.write(move |tx| {
            let input = input.clone();
            async move {
                let work = async {
                    let found =
                        repo::lock_loan(tx, input.loan).await?.filter(|l| l.view.borrower == borrower);
                    let l = found.ok_or(WriteError::Refused(LendingError::LoanNotFound))?;
                    loan::may_repay(l.view.status, l.operation.is_some()).map_err(WriteError::Refused)?;
                    let started_on =
                        l.view.started_on.ok_or(WriteError::Refused(LendingError::LoanNotActive))?;
                    let instalments = repo::instalments(tx, &l.view).await?;
                    let today = calendar::today(tx).await?;
                    let owed = loan::payoff_on(&instalments, started_on, today).map_err(arithmetic)?;
                    let view = QuoteView {
                        id: input.id,
                        loan: input.loan,
                        on: today,
                        principal: owed.principal,
                        interest: owed.interest,
                        total: owed.total().map_err(arithmetic)?,
                        valid_on: today,
                    };
                    repo::insert_quote(tx, &Quote { view: view.clone(), loan_version: l.version }).await?;
                    Ok(view)
                };
                commands::once(
                    tx,
                    "lending",
                    input.id.0,
                    "quote_payoff",
                    &(&input, borrower),
                    now,
                    LendingError::QuoteIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "quote a payoff", e))
    }

    pub(crate) async fn repay_early(
        &self,
        call: &Call,
        input: RepayEarly,
    ) -> Result<RepaymentView, Fault<LendingError>> {
        let Some(borrower) = call.party() else { return Err(Fault::Forbidden) };
        commands::client_made(input.id.0)?;
        let (outbox, id, now) = (self.outbox.clone(), input.id, self.clock.now());
        let read = |e: sea_orm::DbErr| unreadable::<LendingError>(call, "look at a quote", &e);
        let db = self.db.read();
        if repo::maybe_repayment(db, id).await.map_err(read)?.is_none()
            && let Some(quote) = repo::maybe_quote(db, input.quote).await.map_err(read)?
            && let Some(l) = repo::maybe_loan(db, quote.view.loan).await.map_err(read)?
            && l.view.borrower == borrower
            && l.version == quote.loan_version
            && loan::may_repay(l.view.status, l.operation.is_some()).is_ok()
            && calendar::today(db).await.map_err(read)? == quote.view.valid_on
        {
            self.can_pay(call, id, borrower, quote.view.total).await?;
        }
        let write = self.db.write(move |tx| {
            let (outbox, input) = (outbox.clone(), input.clone());
            async move {
                let work = async {
                    let quote = repo::maybe_quote(tx, input.quote)
                        .await?
                        .ok_or(WriteError::Refused(LendingError::QuoteNotFound))?;
                    let found =
                        repo::lock_loan(tx, quote.view.loan).await?.filter(|l| l.view.borrower == borrower);
                    let mut l = found.ok_or(WriteError::Refused(LendingError::QuoteNotFound))?;
                    loan::may_repay(l.view.status, l.operation.is_some()).map_err(WriteError::Refused)?;
                    if calendar::today(tx).await? != quote.view.valid_on {
                        return Err(WriteError::Refused(LendingError::QuoteExpired));
                    }
                    if l.version != quote.loan_version {
                        return Err(WriteError::Refused(LendingError::QuoteChanged));
                    }
                    let instalments = repo::instalments(tx, &l.view).await?;
                    let up_to = instalments.last().map_or(0, |i| i.number);
                    let owed =
                        loan::Owed { interest: quote.view.interest, principal: quote.view.principal, up_to };
                    begin(tx, &outbox, input.id, &mut l, &owed, true, now).await?;
                    Ok(())
                };
                commands::once(
                    tx,
                    "lending",
                    input.id.0,
                    "repay_early",
                    &(&input, borrower),
                    now,
                    LendingError::RepaymentIdTaken,
                    work,
                )
                .await
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "begin an early repayment", e))?;
        self.begun(call, id).await
    }
}
