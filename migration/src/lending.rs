//! Lending: applications, loans, instalments, notes, repayments and their distributions.

crate::tables!(
    "m0007_lending",
    "lending",
    "
    CREATE TABLE lending_application (
        id :id PRIMARY KEY, borrower :id NOT NULL, borrower_person :id NOT NULL, product TEXT NOT NULL,
        currency TEXT NOT NULL, amount :int NOT NULL CHECK (amount > 0), term_months :int NOT NULL CHECK (term_months > 0),
        purpose TEXT NOT NULL, story TEXT NOT NULL, facts TEXT NOT NULL, status TEXT NOT NULL,
        rate_ppm :int CHECK (rate_ppm >= 0), at :instant NOT NULL
    ) :strict;
    CREATE INDEX lending_application_borrower ON lending_application (borrower, at);
    CREATE INDEX lending_application_at ON lending_application (at);

    CREATE TABLE lending_loan (
        id :id PRIMARY KEY, listing :id NOT NULL UNIQUE, borrower :id NOT NULL, currency TEXT NOT NULL, terms TEXT NOT NULL,
        status TEXT NOT NULL, started_on :date, closed_on :date, outstanding :int NOT NULL CHECK (outstanding >= 0),
        days_past_due :int NOT NULL CHECK (days_past_due >= 0), operation :id, version :int NOT NULL, at :instant NOT NULL
    ) :strict;
    CREATE INDEX lending_loan_borrower ON lending_loan (borrower, at);

    CREATE TABLE lending_instalment (
        loan :id NOT NULL REFERENCES lending_loan (id), number :int NOT NULL, due :date NOT NULL,
        interest :int NOT NULL CHECK (interest >= 0), principal :int NOT NULL CHECK (principal >= 0), status TEXT NOT NULL,
        paid_on :date, PRIMARY KEY (loan, number)
    ) :strict;
    CREATE INDEX lending_instalment_due ON lending_instalment (status, due);

    CREATE TABLE lending_note (
        id :id PRIMARY KEY, loan :id NOT NULL REFERENCES lending_loan (id), holder :id NOT NULL, currency TEXT NOT NULL,
        principal :int NOT NULL CHECK (principal > 0), outstanding :int NOT NULL CHECK (outstanding >= 0),
        interest_received :int NOT NULL CHECK (interest_received >= 0), interest_carry :int NOT NULL,
        principal_carry :int NOT NULL, version :int NOT NULL, CHECK (outstanding <= principal)
    ) :strict;
    CREATE INDEX lending_note_loan ON lending_note (loan);
    CREATE INDEX lending_note_holder ON lending_note (holder);

    CREATE TABLE lending_repayment (
        id :id PRIMARY KEY, loan :id NOT NULL REFERENCES lending_loan (id), early :bool NOT NULL, up_to :int NOT NULL,
        currency TEXT NOT NULL, interest :int NOT NULL CHECK (interest >= 0), principal :int NOT NULL CHECK (principal >= 0),
        status TEXT NOT NULL, why TEXT NOT NULL, value_date :date, freeze_id :id NOT NULL UNIQUE, batch_id :id NOT NULL UNIQUE,
        at :instant NOT NULL, CHECK (interest + principal > 0)
    ) :strict;
    CREATE INDEX lending_repayment_loan ON lending_repayment (loan, at);

    CREATE TABLE lending_distribution (
        repayment :id NOT NULL REFERENCES lending_repayment (id), note :id NOT NULL REFERENCES lending_note (id),
        line :id NOT NULL UNIQUE, holder :id NOT NULL, note_version :int NOT NULL,
        interest :int NOT NULL CHECK (interest >= 0), principal :int NOT NULL CHECK (principal >= 0),
        interest_carry :int NOT NULL, principal_carry :int NOT NULL, settled :bool NOT NULL, PRIMARY KEY (repayment, note)
    ) :strict;
    CREATE INDEX lending_distribution_note ON lending_distribution (note);

    CREATE TABLE lending_day (
        date :date PRIMARY KEY, repayments_begun :int NOT NULL, became_overdue :int NOT NULL
    ) :strict;

    CREATE TABLE lending_quote (
        id :id PRIMARY KEY, loan :id NOT NULL REFERENCES lending_loan (id), on_date :date NOT NULL, currency TEXT NOT NULL,
        interest :int NOT NULL, principal :int NOT NULL, loan_version :int NOT NULL
    ) :strict
    "
);
