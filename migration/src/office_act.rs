//! Office: the audit log, one entry chained to the next.

crate::tables_more!(
    "m0016_office_act",
    "
    CREATE TABLE office_act (
        number :int PRIMARY KEY, id :id NOT NULL UNIQUE, of :id UNIQUE, party :id NOT NULL, person :id NOT NULL,
        session :id NOT NULL, request :id NOT NULL, what TEXT NOT NULL, details TEXT NOT NULL, at :instant NOT NULL,
        hash :bytes NOT NULL
    ) :strict;
    CREATE INDEX office_act_party ON office_act (party, number);
    CREATE TABLE office_act_head (
        id :int PRIMARY KEY CHECK (id = 1), number :int NOT NULL, hash :bytes NOT NULL
    ) :strict
    "
);
