//! Custody: the custodian's signing keys after the pinned one, each vouched for by the one before.

crate::tables_more!(
    "m0019_custody_key",
    "
    CREATE TABLE custody_key (custodian TEXT NOT NULL, number :int NOT NULL, key_id TEXT NOT NULL, public TEXT NOT NULL,
        since :int NOT NULL, voucher TEXT NOT NULL, PRIMARY KEY (custodian, number)) :strict
    "
);
