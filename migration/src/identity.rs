//! Identity: parties, roles, sessions with their refresh tokens, invitations, changes under four eyes, throttles.

crate::tables!(
    "m0004_identity",
    "identity",
    "
    CREATE TABLE identity_party (
        id :id PRIMARY KEY, person :id NOT NULL, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password TEXT NOT NULL,
        created_at :instant NOT NULL
    ) :strict;
    CREATE INDEX identity_party_person ON identity_party (person);

    CREATE TABLE identity_role (
        party :id NOT NULL REFERENCES identity_party (id), role TEXT NOT NULL, granted_at :instant NOT NULL, by :id NOT NULL,
        PRIMARY KEY (party, role)
    ) :strict;

    CREATE TABLE identity_session (
        id :id PRIMARY KEY, party :id NOT NULL REFERENCES identity_party (id), agent TEXT NOT NULL,
        created_at :instant NOT NULL, expires_at :instant NOT NULL, revoked_at :instant, why TEXT NOT NULL
    ) :strict;
    CREATE INDEX identity_session_party ON identity_session (party, created_at);

    CREATE TABLE identity_refresh (
        hash :bytes PRIMARY KEY, session :id NOT NULL REFERENCES identity_session (id), used_at :instant
    ) :strict;

    CREATE TABLE identity_invitation (
        id :id PRIMARY KEY, secret :bytes NOT NULL UNIQUE, role TEXT NOT NULL, first :bool NOT NULL,
        expires_at :instant NOT NULL, used_by :id REFERENCES identity_party (id), person :id
    ) :strict;
    CREATE UNIQUE INDEX identity_invitation_two_people ON identity_invitation (person) WHERE first AND person IS NOT NULL;

    CREATE TABLE identity_change (
        id :id PRIMARY KEY, kind TEXT NOT NULL, subject :id REFERENCES identity_party (id), subject_person :id,
        role TEXT NOT NULL, reason TEXT NOT NULL, proposed_by :id NOT NULL, decided_by :id, status TEXT NOT NULL,
        at :instant NOT NULL,
        CHECK (decided_by IS NULL OR decided_by <> proposed_by),
        CHECK (subject_person IS NULL OR subject_person <> proposed_by),
        CHECK (subject_person IS NULL OR decided_by IS NULL OR subject_person <> decided_by)
    ) :strict;

    CREATE TABLE identity_throttle (
        key :bytes PRIMARY KEY, failures :int NOT NULL, until :instant NOT NULL
    ) :strict
    "
);
