//! Identity: programs that a party lets read for it.

crate::tables_more!(
    "m0021_identity_client",
    "
    CREATE TABLE identity_client (
        id :id PRIMARY KEY, party :id NOT NULL REFERENCES identity_party (id), name TEXT NOT NULL, scopes TEXT NOT NULL,
        secret :bytes NOT NULL, created_at :instant NOT NULL, used_at :instant, revoked_at :instant
    ) :strict;
    CREATE INDEX identity_client_party ON identity_client (party, created_at)
    "
);
