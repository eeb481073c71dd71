//! Drafts of applications: kept with their borrower, seen by nobody else, in no event and in no kept answer.

use crate::repo;
use crate::service::Inner;
use futures::FutureExt;
use kernel::Call;
use kernel::call::Role;
use kernel::id::PartyId;
use lending_api::*;
use platform::db::WriteError;
use platform::service::{published, unreadable};
use platform::{Fault, commands};

fn borrower(call: &Call) -> Result<PartyId, Fault<LendingError>> {
    call.party().filter(|_| call.has(Role::Borrower)).ok_or(Fault::Forbidden)
}

/// Whether it can be kept; pure.
fn check(input: &SaveDraft) -> Result<(), LendingError> {
    let fits = input.fields.len() <= DRAFT_FIELDS_MAX
        && input.fields.iter().all(|(name, value)| {
            name.chars().count() <= 50 && value.chars().count() <= DRAFT_FIELD_CHARS_MAX
        });
    if fits { Ok(()) } else { Err(LendingError::DraftTooLarge) }
}

impl Inner {
    pub(crate) async fn save_draft(
        &self,
        call: &Call,
        input: SaveDraft,
    ) -> Result<DraftView, Fault<LendingError>> {
        let borrower = borrower(call)?;
        commands::client_made(input.application.0)?;
        check(&input).map_err(Fault::Refused)?;
        let now = self.clock.now();
        let write = self.db.write(move |tx| {
            let SaveDraft { application, fields } = input.clone();
            async move {
                // One that has been sent meanwhile is a draft no more.
                if repo::maybe_application(tx, application).await?.is_some() {
                    return Err(WriteError::Refused(LendingError::ApplicationIdTaken));
                }
                let view = DraftView { application, fields, saved_at: now };
                repo::keep_draft(tx, borrower, &view).await?;
                Ok(view)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "keep a draft", e))
    }

    pub(crate) async fn discard_draft(
        &self,
        call: &Call,
        input: DiscardDraft,
    ) -> Result<(), Fault<LendingError>> {
        let borrower = borrower(call)?;
        let write = self.db.write(move |tx| {
            async move {
                repo::forget_draft(tx, borrower, input.application)
                    .await
                    .map_err(WriteError::<LendingError>::from)
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "give up a draft", e))
    }

    pub(crate) async fn draft(&self, call: &Call) -> Result<Option<DraftView>, Fault<LendingError>> {
        let Some(borrower) = call.party() else { return Err(Fault::Forbidden) };
        repo::draft(self.db.read(), borrower).await.map_err(|e| unreadable(call, "read a draft", &e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::id::ApplicationId;

    #[test]
    fn a_draft_has_bounds() {
        let draft = |fields: Vec<(String, String)>| SaveDraft {
            application: ApplicationId(uuid::Uuid::from_u128(1)),
            fields: fields.into_iter().collect(),
        };
        let long = "x".repeat(DRAFT_FIELD_CHARS_MAX);
        assert_eq!(check(&draft(vec![("story".into(), long.clone())])), Ok(()));
        let longer = check(&draft(vec![("story".into(), long + "x")]));
        assert_eq!(longer, Err(LendingError::DraftTooLarge));
        let many = (0..=DRAFT_FIELDS_MAX).map(|n| (n.to_string(), String::new())).collect();
        assert_eq!(check(&draft(many)), Err(LendingError::DraftTooLarge));
    }
}
