//! Lending: how a loan is paid out, line by line, and undone.

crate::tables_more!(
    "m0009_lending_disbursement",
    "
    CREATE TABLE lending_disbursement (
        loan :id PRIMARY KEY REFERENCES lending_loan (id), borrower_person :id NOT NULL, status TEXT NOT NULL
    ) :strict;
    CREATE TABLE lending_disbursement_line (
        line :id PRIMARY KEY, loan :id NOT NULL REFERENCES lending_disbursement (loan), freeze_id :id NOT NULL,
        amount :int NOT NULL CHECK (amount > 0), status TEXT NOT NULL, undo :id NOT NULL UNIQUE
    ) :strict;
    CREATE INDEX lending_disbursement_line_loan ON lending_disbursement_line (loan)
    "
);
