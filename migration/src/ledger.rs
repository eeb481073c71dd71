//! The ledger: accounts with their sums, transfers, reservations, and the chain over the transfers.
//!
//! The checks are the last authority: whatever the engine decides, no available account goes below zero and no control
//! account takes more than its limit.

crate::tables!(
    "m0002_ledger",
    "ledger",
    "
    CREATE TABLE ledger_account (
        id :id PRIMARY KEY,
        owner :id NOT NULL,
        currency TEXT NOT NULL,
        custodian TEXT NOT NULL,
        kind TEXT NOT NULL,
        may_overdraw :bool NOT NULL,
        debit_blocked :bool NOT NULL,
        credit_blocked :bool NOT NULL,
        closed :bool NOT NULL,
        credit_limit :int CHECK (credit_limit > 0),
        debits_posted :int NOT NULL CHECK (debits_posted >= 0),
        credits_posted :int NOT NULL CHECK (credits_posted >= 0),
        debits_pending :int NOT NULL CHECK (debits_pending >= 0),
        credits_pending :int NOT NULL CHECK (credits_pending >= 0),
        UNIQUE (owner, currency, custodian, kind),
        CHECK (may_overdraw OR credits_posted - debits_posted - debits_pending >= 0),
        CHECK (credit_limit IS NULL OR credits_posted + credits_pending <= credit_limit)
    ) :strict;

    CREATE TABLE ledger_transfer (
        position :int PRIMARY KEY,
        id :id NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        debit :id NOT NULL REFERENCES ledger_account (id),
        credit :id NOT NULL REFERENCES ledger_account (id),
        amount :int NOT NULL CHECK (amount > 0),
        asked :int,
        currency TEXT NOT NULL,
        code TEXT NOT NULL,
        reference :id NOT NULL,
        reservation :id,
        batch :id NOT NULL,
        business_date :date NOT NULL,
        value_date :date NOT NULL,
        recorded_at :instant NOT NULL,
        CHECK (debit <> credit)
    ) :strict;
    CREATE INDEX ledger_transfer_debit ON ledger_transfer (debit, position);
    CREATE INDEX ledger_transfer_credit ON ledger_transfer (credit, position);
    CREATE INDEX ledger_transfer_batch ON ledger_transfer (batch);

    CREATE TABLE ledger_pending (
        id :id PRIMARY KEY REFERENCES ledger_transfer (id),
        debit :id NOT NULL REFERENCES ledger_account (id),
        credit :id NOT NULL REFERENCES ledger_account (id),
        amount :int NOT NULL CHECK (amount > 0),
        remaining :int NOT NULL CHECK (remaining >= 0 AND remaining <= amount),
        currency TEXT NOT NULL,
        state TEXT NOT NULL,
        reference :id NOT NULL,
        CHECK (state <> 'OPEN' OR remaining > 0)
    ) :strict;
    CREATE INDEX ledger_pending_state ON ledger_pending (state);

    CREATE TABLE ledger_link (
        link :int PRIMARY KEY,
        first_position :int NOT NULL,
        last_position :int NOT NULL UNIQUE,
        hash :bytes NOT NULL
    ) :strict;

    CREATE TABLE ledger_head (
        one :int PRIMARY KEY CHECK (one = 1),
        link :int NOT NULL,
        position :int NOT NULL,
        hash :bytes NOT NULL
    ) :strict
    "
);
