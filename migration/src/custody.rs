//! Custody: who has a cash account, what was asked, what the custodian did, what did not fit.

crate::tables!(
    "m0003_custody",
    "custody",
    "
    CREATE TABLE custody_cash_account (
        party :id NOT NULL, custodian TEXT NOT NULL, opened_by :id NOT NULL, opened_at :instant NOT NULL,
        PRIMARY KEY (party, custodian)
    ) :strict;

    CREATE TABLE custody_instruction (
        id :id PRIMARY KEY,
        operation TEXT NOT NULL,
        party :id,
        project :id,
        amount :int NOT NULL CHECK (amount >= 0),
        currency TEXT NOT NULL,
        body TEXT NOT NULL,
        context TEXT NOT NULL,
        status TEXT NOT NULL,
        code TEXT NOT NULL,
        redirect_url TEXT NOT NULL,
        attempts :int NOT NULL,
        lines_total :int NOT NULL,
        lines_settled :int NOT NULL CHECK (lines_settled >= 0),
        lines_failed :int NOT NULL CHECK (lines_failed >= 0),
        expires_at :instant NOT NULL,
        at :instant NOT NULL,
        updated_at :instant NOT NULL,
        CHECK (lines_settled + lines_failed <= lines_total)
    ) :strict;
    CREATE INDEX custody_instruction_party ON custody_instruction (party, at);
    CREATE INDEX custody_instruction_status ON custody_instruction (status, at);

    CREATE TABLE custody_movement (
        custodian TEXT NOT NULL,
        number :int NOT NULL,
        id :id NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        source_bucket TEXT NOT NULL,
        target TEXT NOT NULL,
        target_bucket TEXT NOT NULL,
        amount :int NOT NULL CHECK (amount > 0),
        currency TEXT NOT NULL,
        request_no TEXT NOT NULL,
        line_no TEXT NOT NULL,
        freeze_no TEXT NOT NULL,
        project_no TEXT NOT NULL,
        business_date :date NOT NULL,
        at :instant NOT NULL,
        received_at :instant NOT NULL,
        mirrored :bool NOT NULL,
        PRIMARY KEY (custodian, number)
    ) :strict;
    CREATE INDEX custody_movement_mirrored ON custody_movement (mirrored, number);
    CREATE INDEX custody_movement_source ON custody_movement (source, number);
    CREATE INDEX custody_movement_target ON custody_movement (target, number);

    CREATE TABLE custody_break (
        id :id PRIMARY KEY, party :id, movement :id NOT NULL, what TEXT NOT NULL, open :bool NOT NULL, at :instant NOT NULL
    ) :strict;

    CREATE TABLE custody_statement (
        custodian TEXT NOT NULL, position :int NOT NULL, text TEXT NOT NULL, key_id TEXT NOT NULL, signature TEXT NOT NULL,
        anchor TEXT NOT NULL, received_at :instant NOT NULL, PRIMARY KEY (custodian, position)
    ) :strict;

    CREATE TABLE custody_nonce (nonce TEXT PRIMARY KEY, expires_at :instant NOT NULL) :strict
    "
);
