//! Lending: when an application was decided.

crate::tables_more!(
    "m0020_lending_decided",
    "
    ALTER TABLE lending_application ADD COLUMN decided_at :instant
    "
);
