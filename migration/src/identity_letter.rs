//! Identity: letters with links, in which language somebody is written to, and whether their address is theirs.

crate::tables_more!(
    "m0012_identity_letter",
    "
    ALTER TABLE identity_party ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
    ALTER TABLE identity_party ADD COLUMN email_confirmed_at :instant;
    CREATE TABLE identity_letter (
        id :id PRIMARY KEY, kind TEXT NOT NULL, party :id REFERENCES identity_party (id), language TEXT NOT NULL,
        secret :bytes NOT NULL UNIQUE, at :instant NOT NULL, expires_at :instant NOT NULL, used_at :instant
    ) :strict;
    CREATE INDEX identity_letter_party ON identity_letter (party, at);
    CREATE INDEX identity_letter_expires ON identity_letter (expires_at)
    "
);
