//! Investing: the marketplace in each order that it can be sorted by.

crate::tables_more!(
    "m0018_investing_orders",
    "
    CREATE INDEX investing_listing_rate ON investing_listing (status, rate_ppm, id);
    CREATE INDEX investing_listing_term ON investing_listing (status, term_months, id);
    CREATE INDEX investing_listing_amount ON investing_listing (status, amount, id);
    CREATE INDEX investing_listing_expires ON investing_listing (status, expires_on, id)
    "
);
