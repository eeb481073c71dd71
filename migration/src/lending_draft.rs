//! Lending: applications that have been begun and not sent. One of each borrower, gone when it is sent or given up.

crate::tables_more!(
    "m0017_lending_draft",
    "
    CREATE TABLE lending_draft (
        borrower :id PRIMARY KEY, application :id NOT NULL, fields TEXT NOT NULL, at :instant NOT NULL
    ) :strict
    "
);
