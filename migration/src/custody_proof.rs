//! Custody: what the last proof said, for everybody to see.

crate::tables_more!(
    "m0011_custody_proof",
    "
    CREATE TABLE custody_proof (custodian TEXT PRIMARY KEY, at :instant NOT NULL, summary TEXT NOT NULL) :strict
    "
);
