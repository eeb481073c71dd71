//! Custody: what is looked up for each movement and each instruction.

crate::tables_more!(
    "m0010_custody_indexes",
    "
    CREATE INDEX custody_movement_request_no ON custody_movement (request_no);
    CREATE INDEX custody_break_party ON custody_break (party)
    "
);
