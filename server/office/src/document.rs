//! Documents added to applications: what may be added, by whom, and who may look.

use crate::repo;
use crate::service::Inner;
use entity_office::document;
use futures::FutureExt;
use kernel::call::Role;
use kernel::id::{ApplicationId, DocumentId, PartyId};
use kernel::{Call, hash};
use lending_api::{ApplicationOf, ApplicationStatus, ApplicationView, Lending};
use office_api::*;
use platform::Fault;
use platform::commands;
use platform::db::WriteError;
use platform::service::{published, unreadable};
use std::sync::Arc;

const NAME_LENGTH_MAX: usize = 120;
/// Who judges applications, and who checks those who do.
const READERS: [Role; 3] = [Role::CreditOfficer, Role::CreditSupervisor, Role::Auditor];

/// Checks what somebody wants to add; pure. Gives what it is.
pub fn check(content: &[u8]) -> Result<DocumentKind, OfficeError> {
    if content.len() > DOCUMENT_BYTES_MAX {
        return Err(OfficeError::DocumentTooLarge { megabytes_max: DOCUMENT_BYTES_MAX / (1024 * 1024) });
    }
    DocumentKind::of(content).ok_or(OfficeError::DocumentKindUnknown)
}

/// The last part of a path, without what could be taken for more than a name.
pub fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control()).take(NAME_LENGTH_MAX).collect();
    let kept = kept.trim();
    if kept.is_empty() { "document".into() } else { kept.into() }
}

fn view(row: document::Model) -> Option<DocumentView> {
    Some(DocumentView {
        id: DocumentId(row.id),
        application: ApplicationId(row.application),
        name: row.name,
        kind: DocumentKind::from_code(&row.kind)?,
        size: u32::try_from(row.size).unwrap_or(u32::MAX),
        at: row.at,
    })
}

fn not_found() -> Fault<OfficeError> {
    Fault::Refused(OfficeError::DocumentNotFound)
}

impl Inner {
    /// The application; who may look at what belongs to it is decided here.
    async fn application(
        &self,
        call: &Call,
        application: ApplicationId,
    ) -> Result<ApplicationView, Fault<OfficeError>> {
        match self.lending.application(call, ApplicationOf { application }).await {
            Ok(found) => Ok(found),
            Err(Fault::Refused(_)) => Err(not_found()),
            Err(other) => Err(other.map(|_| OfficeError::DocumentNotFound)),
        }
    }

    /// One's own application that is still being judged.
    async fn own_open(&self, call: &Call, application: ApplicationId) -> Result<PartyId, Fault<OfficeError>> {
        let me = call.party().ok_or(Fault::Forbidden)?;
        let found = self.application(call, application).await?;
        if found.borrower != me {
            return Err(not_found());
        }
        if !matches!(found.status, ApplicationStatus::Submitted | ApplicationStatus::InReview) {
            return Err(Fault::Refused(OfficeError::ApplicationDecided));
        }
        Ok(me)
    }

    pub(crate) async fn add_document(
        &self,
        call: &Call,
        input: AddDocument,
    ) -> Result<DocumentView, Fault<OfficeError>> {
        commands::client_made(input.id.0)?;
        let kind = check(&input.content.0).map_err(Fault::Refused)?;
        let party = self.own_open(call, input.application).await?;
        let row = document::Model {
            id: input.id.0,
            application: input.application.0,
            party: party.0,
            name: plain_name(&input.name),
            kind: kind.code().into(),
            size: i64::try_from(input.content.0.len()).unwrap_or(i64::MAX),
            hash: hash::content(&input.content).to_vec(),
            at: self.clock.now(),
        };
        let (content, now) = (Arc::new(input.content.0), row.at);
        let write = self.db.write(move |tx| {
            let (row, content) = (row.clone(), content.clone());
            async move {
                let said = (row.application, row.party, row.hash.clone());
                let work = async {
                    if repo::documents(tx, ApplicationId(row.application)).await?.len() >= DOCUMENTS_MAX {
                        return Err(WriteError::Refused(OfficeError::DocumentsTooMany {
                            most: DOCUMENTS_MAX,
                        }));
                    }
                    repo::insert_document(tx, &row, &content).await?;
                    Ok(())
                };
                // Its name may be personal: it is with the document, and not remembered with the command.
                commands::once(
                    tx,
                    "office",
                    row.id,
                    "add_document",
                    &said,
                    now,
                    OfficeError::CommandIdTaken,
                    work,
                )
                .await?;
                let stored = repo::maybe_document(tx, DocumentId(row.id)).await?;
                stored.and_then(view).ok_or(WriteError::Refused(OfficeError::DocumentNotFound))
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "add a document", e))
    }

    pub(crate) async fn remove_document(
        &self,
        call: &Call,
        input: RemoveDocument,
    ) -> Result<(), Fault<OfficeError>> {
        call.party().ok_or(Fault::Forbidden)?;
        let found = repo::maybe_document(self.db.read(), input.document).await;
        let found = found.map_err(|e| unreadable(call, "read a document", &e))?;
        // Taken away before: it is as it should be.
        let Some(found) = found else { return Ok(()) };
        self.own_open(call, ApplicationId(found.application)).await?;
        let write = self.db.write(move |tx| {
            async move {
                repo::delete_document(tx, input.document).await?;
                Ok::<_, WriteError<OfficeError>>(())
            }
            .boxed()
        });
        write.await.map_err(|e| published(call, "take a document back", e))
    }

    /// Whether somebody may look at the documents of an application: its owner, and who judges it.
    async fn may_look(&self, call: &Call, application: ApplicationId) -> Result<(), Fault<OfficeError>> {
        let found = self.application(call, application).await?;
        let own = call.party() == Some(found.borrower);
        if own || call.has_any(&READERS) {
            return Ok(());
        }
        // Staff know that there is such an application; to others it is as if there were none.
        let staff = call.is_staff();
        Err(if staff { Fault::Forbidden } else { not_found() })
    }

    pub(crate) async fn documents(
        &self,
        call: &Call,
        input: DocumentsOf,
    ) -> Result<Vec<DocumentView>, Fault<OfficeError>> {
        self.may_look(call, input.application).await?;
        let found = repo::documents(self.db.read(), input.application).await;
        let found = found.map_err(|e| unreadable(call, "read documents", &e))?;
        Ok(found.into_iter().filter_map(view).collect())
    }

    pub(crate) async fn document(
        &self,
        call: &Call,
        input: DocumentOf,
    ) -> Result<WholeDocument, Fault<OfficeError>> {
        let read = |e: sea_orm::DbErr| unreadable::<OfficeError>(call, "read a document", &e);
        let found = repo::maybe_document(self.db.read(), input.document).await.map_err(read)?;
        let row = found.ok_or_else(not_found)?;
        self.may_look(call, ApplicationId(row.application)).await?;
        let content = repo::content(self.db.read(), input.document).await.map_err(read)?;
        tracing::info!(document = %input.document, request = %call.request, "a document was opened");
        let view = view(row).ok_or_else(not_found)?;
        Ok(WholeDocument { view, content: Content(content.ok_or_else(not_found)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_what_its_first_bytes_say() {
        assert_eq!(check(b"%PDF-1.7 and so on"), Ok(DocumentKind::Pdf));
        assert_eq!(check(b"\x89PNG\r\n\x1a\n...."), Ok(DocumentKind::Png));
        assert_eq!(check(b"\xff\xd8\xff\xe0"), Ok(DocumentKind::Jpeg));
        for other in [&b""[..], b"<html><script>", b"MZ\x90", b"%pdf-1.7", b"PK\x03\x04"] {
            assert_eq!(check(other), Err(OfficeError::DocumentKindUnknown));
        }
        let mut large = b"%PDF-".to_vec();
        large.resize(DOCUMENT_BYTES_MAX, 0);
        assert_eq!(check(&large), Ok(DocumentKind::Pdf));
        large.push(0);
        assert_eq!(check(&large), Err(OfficeError::DocumentTooLarge { megabytes_max: 5 }));
    }

    #[test]
    fn a_name_is_a_name_and_no_path() {
        for (given, kept) in [
            ("payslip.pdf", "payslip.pdf"),
            ("/etc/passwd", "passwd"),
            ("C:\\Users\\Ann\\pay.pdf", "pay.pdf"),
            ("a\r\nSet-Cookie: b", "aSet-Cookie: b"),
            (" ", "document"),
            ("..", ".."),
        ] {
            assert_eq!(plain_name(given), kept);
        }
    }
}
