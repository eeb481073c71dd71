//! Documents that a borrower adds to an application, for the eyes of who judges it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use kernel::id::{ApplicationId, DocumentId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A document has at most this many bytes.
pub const DOCUMENT_BYTES_MAX: usize = 5 * 1024 * 1024;
/// An application has at most this many documents.
pub const DOCUMENTS_MAX: usize = 10;

/// The bytes of a document; in no log. In messages as base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(pub Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Content, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD.decode(text).map(Content).map_err(serde::de::Error::custom)
    }
}

/// What a document is, by its content and not by its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DocumentKind {
    Pdf,
    Png,
    Jpeg,
}

impl DocumentKind {
    pub const ALL: [DocumentKind; 3] = [DocumentKind::Pdf, DocumentKind::Png, DocumentKind::Jpeg];

    pub fn code(self) -> &'static str {
        match self {
            DocumentKind::Pdf => "PDF",
            DocumentKind::Png => "PNG",
            DocumentKind::Jpeg => "JPEG",
        }
    }

    pub fn from_code(code: &str) -> Option<DocumentKind> {
        DocumentKind::ALL.into_iter().find(|k| k.code() == code)
    }

    /// By IANA.
    pub fn media_type(self) -> &'static str {
        match self {
            DocumentKind::Pdf => "application/pdf",
            DocumentKind::Png => "image/png",
            DocumentKind::Jpeg => "image/jpeg",
        }
    }

    /// By the first bytes of a file: ISO 32000-1, 7.5.2; PNG, 5.2; ITU-T T.81, B.1.1.3.
    pub fn of(content: &[u8]) -> Option<DocumentKind> {
        let begins = |with: &[u8]| content.starts_with(with);
        if begins(b"%PDF-") {
            Some(DocumentKind::Pdf)
        } else if begins(b"\x89PNG\r\n\x1a\n") {
            Some(DocumentKind::Png)
        } else if begins(b"\xff\xd8\xff") {
            Some(DocumentKind::Jpeg)
        } else {
            None
        }
    }
}

/// Adds a document to one's own application while it is being judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AddDocument {
    pub id: DocumentId,
    pub application: ApplicationId,
    /// As its owner calls it.
    pub name: String,
    pub content: Content,
}

/// Takes one's own document back while the application is being judged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RemoveDocument {
    pub document: DocumentId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentsOf {
    pub application: ApplicationId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentOf {
    pub document: DocumentId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DocumentView {
    pub id: DocumentId,
    pub application: ApplicationId,
    pub name: String,
    pub kind: DocumentKind,
    /// In bytes.
    pub size: u32,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WholeDocument {
    pub view: DocumentView,
    pub content: Content,
}
