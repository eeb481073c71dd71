//! An application that has been begun: what was typed, kept for whoever goes on later or elsewhere.

use crate::context::{asker, services};
use crate::error::{LendingUserError, fault};
use crate::payload;
use crate::scalars::{DateTime, Uuid};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use kernel::Coded;
use kernel::id::ApplicationId;
use lending_api::*;
use platform::Fault;

/// What one has typed of an application and not sent.
#[derive(SimpleObject)]
pub struct ApplicationDraft {
    /// The id under which it will be sent.
    pub id: Uuid,
    pub fields: Vec<DraftField>,
    pub saved_at: DateTime,
}

/// A field by the form's own name, as it was typed.
#[derive(SimpleObject)]
pub struct DraftField {
    pub name: String,
    pub value: String,
}

impl From<DraftView> for ApplicationDraft {
    fn from(d: DraftView) -> ApplicationDraft {
        let fields = d.fields.into_iter().map(|(name, value)| DraftField { name, value });
        ApplicationDraft {
            id: Uuid(d.application.0),
            fields: fields.collect(),
            saved_at: DateTime(d.saved_at),
        }
    }
}

#[derive(InputObject)]
pub struct DraftFieldInput {
    pub name: String,
    pub value: String,
}

#[derive(InputObject)]
pub struct ApplicationDraftSaveInput {
    /// The id under which it will be sent.
    pub id: Uuid,
    /// All of them: what is not named is forgotten.
    pub fields: Vec<DraftFieldInput>,
}

#[derive(InputObject)]
pub struct ApplicationDraftDiscardInput {
    pub id: Uuid,
}

payload! {
    ApplicationDraftSavePayload { draft: ApplicationDraft } or LendingUserError;
}

/// Whether there is no such draft any more.
#[derive(SimpleObject)]
pub struct ApplicationDraftDiscardPayload {
    pub done: bool,
    pub errors: Vec<LendingUserError>,
}

#[derive(Default)]
pub struct DraftMutation;

#[Object]
impl DraftMutation {
    /// Keeps what one has typed of an application, in the place of what was kept before.
    async fn application_draft_save(
        &self,
        ctx: &Context<'_>,
        input: ApplicationDraftSaveInput,
    ) -> Result<ApplicationDraftSavePayload> {
        let asker = asker(ctx);
        let save = SaveDraft {
            application: ApplicationId(input.id.0),
            fields: input.fields.into_iter().map(|f| (f.name, f.value)).collect(),
        };
        ApplicationDraftSavePayload::of(asker, services(ctx).lending.save_draft(&asker.call(), save).await)
    }

    /// Gives up what one has typed of an application.
    async fn application_draft_discard(
        &self,
        ctx: &Context<'_>,
        input: ApplicationDraftDiscardInput,
    ) -> Result<ApplicationDraftDiscardPayload> {
        let asker = asker(ctx);
        let discard = DiscardDraft { application: ApplicationId(input.id.0) };
        match services(ctx).lending.discard_draft(&asker.call(), discard).await {
            Ok(()) => Ok(ApplicationDraftDiscardPayload { done: true, errors: Vec::new() }),
            Err(Fault::Refused(e)) => {
                asker.note_refusal(e.code());
                Ok(ApplicationDraftDiscardPayload { done: false, errors: vec![e.into()] })
            }
            Err(other) => Err(fault(asker, other)),
        }
    }
}
