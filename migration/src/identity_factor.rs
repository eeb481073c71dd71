//! Identity: a second factor, and the codes for whoever has lost it.

crate::tables_more!(
    "m0015_identity_factor",
    "
    CREATE TABLE identity_factor (
        party :id PRIMARY KEY REFERENCES identity_party (id), seed :id NOT NULL, created_at :instant NOT NULL,
        confirmed_at :instant, last_step :int NOT NULL, last_request :id, batch :id NOT NULL
    ) :strict;
    CREATE TABLE identity_recovery (
        mark :bytes PRIMARY KEY, party :id NOT NULL REFERENCES identity_party (id), used_at :instant
    ) :strict;
    CREATE INDEX identity_recovery_party ON identity_recovery (party)
    "
);
