//! Office: documents added to applications. A document is with whom it concerns and can be taken away whole.

crate::tables_more!(
    "m0014_office_document",
    "
    CREATE TABLE office_document (
        id :id PRIMARY KEY, application :id NOT NULL, party :id NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
        size :int NOT NULL, hash :bytes NOT NULL, content :bytes NOT NULL, at :instant NOT NULL
    ) :strict;
    CREATE INDEX office_document_application ON office_document (application, at, id)
    "
);
