//! Applying, and an officer's rate.

use crate::repo::{self, Application};
use crate::service::Inner;
use chrono::Days;
use finance::{Money, Rounding};
use futures::FutureExt;
use kernel::Call;
use kernel::call::{Role, Service};
use lending_api::*;
use platform::db::WriteError;
use platform::reader::Heard;
use platform::service::published;
use platform::{Fault, calendar, commands};
use std::sync::Arc;

/// Checks an application against its product; pure.
pub(crate) fn check(product: &Product, input: &Apply) -> Result<(), LendingError> {
    let amount = input.amount.minor();
    if amount < product.amount_min.minor() || amount > product.amount_max.minor() {
        return Err(LendingError::AmountOutOfRange {
            minimum: product.amount_min,
            maximum: product.amount_max,
        });
    }
    if input.term_months < product.months_min || input.term_months > product.months_max {
        return Err(LendingError::TermOutOfRange {
            months_min: product.months_min,
            months_max: product.months_max,
        });
    }
    if input.purpose.trim().is_empty() {
        return Err(LendingError::PurposeMissing);
    }
    Ok(())
}

impl Inner {
    pub(crate) async fn apply(
        &self,
        call: &Call,
        input: Apply,
    ) -> Result<ApplicationView, Fault<LendingError>> {
        let (Some(borrower), Some(person)) = (call.party(), call.person()) else {
            return Err(Fault::Forbidden);
        };
        if !call.has(Role::Borrower) {
            return Err(Fault::Forbidden);
        }
        commands::client_made(input.id.0)?;
        let currency = input.amount.currency();
        if !CURRENCIES.contains(&currency.code()) {
            return Err(Fault::Refused(LendingError::ProductNotFound));
        }
        let product = Product::personal(currency);
        check(&product, &input).map_err(Fault::Refused)?;
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        let input = Arc::new((input, borrower));
        let write = self.db.write(move |tx| {
            let (outbox, input, product) = (outbox.clone(), input.clone(), product.clone());
            async move {
                let apply = &input.0;
                let purpose: String = apply.purpose.trim().chars().take(120).collect();
                let story: String = apply.story.trim().chars().take(4_000).collect();
                let work = async {
                    let view = ApplicationView {
                        id: apply.id,
                        borrower,
                        product,
                        amount: apply.amount,
                        term_months: apply.term_months,
                        purpose: purpose.clone(),
                        story: story.clone(),
                        facts: apply.facts.clone(),
                        status: ApplicationStatus::Submitted,
                        rate: None,
                        at: now,
                        decided_at: None,
                    };
                    repo::insert_application(tx, &Application { view: view.clone(), person }).await?;
                    repo::forget_draft(tx, borrower, apply.id).await?;
                    outbox.announce(tx, &LendingEvent::ApplicationSubmitted { application: view }).await?;
                    Ok(())
                };
                commands::once(
                    tx,
                    "lending",
                    apply.id.0,
                    "apply",
                    // What is personal is compared below and not remembered.
                    &(apply.id, borrower, apply.amount, apply.term_months),
                    now,
                    LendingError::ApplicationIdTaken,
                    work,
                )
                .await?;
                // Not kept with the command, which outlives what the borrower wrote.
                let found = repo::maybe_application(tx, apply.id).await?;
                let view = found.ok_or(WriteError::Refused(LendingError::ApplicationNotFound))?.view;
                if (&view.purpose, &view.story, &view.facts) != (&purpose, &story, &apply.facts) {
                    return Err(WriteError::Refused(LendingError::ApplicationIdTaken));
                }
                Ok(view)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "apply", e))
    }

    pub(crate) async fn withdraw_application(
        &self,
        call: &Call,
        input: ApplicationOf,
    ) -> Result<ApplicationView, Fault<LendingError>> {
        let Some(borrower) = call.party() else { return Err(Fault::Forbidden) };
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        let write = self.db.write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let found = repo::lock_application(tx, input.application)
                    .await?
                    .filter(|a| a.view.borrower == borrower);
                let mut a = found.ok_or(WriteError::Refused(LendingError::ApplicationNotFound))?;
                match a.view.status {
                    ApplicationStatus::Withdrawn => return Ok(a.view),
                    ApplicationStatus::Submitted | ApplicationStatus::InReview => {}
                    _ => return Err(WriteError::Refused(LendingError::ApplicationNotOpen)),
                }
                (a.view.status, a.view.decided_at) = (ApplicationStatus::Withdrawn, Some(now));
                repo::update_application(tx, &a.view).await?;
                outbox
                    .announce(tx, &LendingEvent::ApplicationWithdrawn { application: a.view.clone() })
                    .await?;
                Ok(a.view)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "withdraw an application", e))
    }

    pub(crate) async fn propose_rate(
        &self,
        call: &Call,
        input: ProposeRate,
    ) -> Result<ApplicationView, Fault<LendingError>> {
        let Some(person) = call.person() else { return Err(Fault::Forbidden) };
        if !call.has_any(&[Role::CreditOfficer, Role::CreditSupervisor]) {
            return Err(Fault::Forbidden);
        }
        let outbox = self.outbox.clone();
        let write = self.db.write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let found = repo::lock_application(tx, input.application).await?;
                let mut a = found.ok_or(WriteError::Refused(LendingError::ApplicationNotFound))?;
                if a.person == person {
                    return Err(WriteError::Refused(LendingError::OwnApplication));
                }
                match (a.view.status, a.view.rate) {
                    (ApplicationStatus::Submitted, _) => {}
                    // The same word again, however far things have come since.
                    (_, Some(rate)) if rate == input.rate => return Ok(a.view),
                    (ApplicationStatus::InReview, _) => {
                        return Err(WriteError::Refused(LendingError::RateProposed));
                    }
                    _ => return Err(WriteError::Refused(LendingError::ApplicationNotOpen)),
                }
                let (lowest, highest) = (a.view.product.rate_min, a.view.product.rate_max);
                if input.rate < lowest || input.rate > highest {
                    return Err(WriteError::Refused(LendingError::RateOutOfBand { lowest, highest }));
                }
                (a.view.status, a.view.rate) = (ApplicationStatus::InReview, Some(input.rate));
                repo::update_application(tx, &a.view).await?;
                let event =
                    LendingEvent::RateProposed { application: a.view.clone(), borrower_person: a.person };
                outbox.announce(tx, &event).await?;
                Ok(a.view)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "propose a rate", e))
    }

    /// Two people have decided.
    pub(crate) fn decided(&self, id: kernel::id::ApplicationId, approved: bool) -> Heard {
        let (outbox, now) = (self.outbox.clone(), self.clock.now());
        Heard::write(move |tx| {
            let outbox = outbox.clone();
            async move {
                let Some(mut a) = repo::lock_application(tx, id).await? else { return Ok(()) };
                // Withdrawn meanwhile: the borrower's word stands.
                let (ApplicationStatus::InReview, Some(rate)) = (a.view.status, a.view.rate) else {
                    return Ok(());
                };
                a.view.status =
                    if approved { ApplicationStatus::Approved } else { ApplicationStatus::Declined };
                a.view.decided_at = Some(now);
                repo::update_application(tx, &a.view).await?;
                let event = if approved {
                    let today = calendar::today(tx).await?;
                    let days = u64::from(a.view.product.listing_days);
                    let expires_on = today.checked_add_days(Days::new(days)).unwrap_or(today);
                    let fee: Money = a
                        .view
                        .product
                        .fee
                        .of(a.view.amount, Rounding::Down)
                        .map_err(|e| WriteError::Refused(e.to_string()))?;
                    LendingEvent::LoanApproved {
                        application: a.view,
                        borrower_person: a.person,
                        rate,
                        fee,
                        expires_on,
                    }
                } else {
                    LendingEvent::ApplicationDeclined { application: a.view }
                };
                outbox.announce(tx, &event).await?;
                Ok(())
            }
            .boxed()
        })
    }
}

/// Who may read an application: its borrower, the credit desk, those who watch.
pub(crate) fn may_read(call: &Call, borrower: kernel::id::PartyId) -> bool {
    let staff = [Role::CreditOfficer, Role::CreditSupervisor, Role::Operations, Role::Auditor];
    call.caller != Service::Gateway || call.party() == Some(borrower) || call.has_any(&staff)
}
