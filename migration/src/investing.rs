//! Investing: listings and bids. What is frozen never exceeds what is sought.

crate::tables!(
    "m0006_investing",
    "investing",
    "
    CREATE TABLE investing_listing (
        id :id PRIMARY KEY, application :id NOT NULL UNIQUE, borrower :id NOT NULL, borrower_person :id NOT NULL,
        currency TEXT NOT NULL, amount :int NOT NULL CHECK (amount > 0), frozen :int NOT NULL CHECK (frozen >= 0),
        rate_ppm :int NOT NULL CHECK (rate_ppm >= 0), term_months :int NOT NULL CHECK (term_months > 0),
        fee :int NOT NULL CHECK (fee >= 0), purpose TEXT NOT NULL, story TEXT NOT NULL, status TEXT NOT NULL,
        expires_on :date NOT NULL, opened_at :instant NOT NULL,
        CHECK (frozen <= amount)
    ) :strict;
    CREATE INDEX investing_listing_status ON investing_listing (status, opened_at);

    CREATE TABLE investing_bid (
        id :id PRIMARY KEY, listing :id NOT NULL REFERENCES investing_listing (id), investor :id NOT NULL,
        currency TEXT NOT NULL, amount :int NOT NULL CHECK (amount > 0), status TEXT NOT NULL, why TEXT NOT NULL,
        freeze_id :id NOT NULL UNIQUE, unfreeze_id :id NOT NULL UNIQUE, at :instant NOT NULL
    ) :strict;
    CREATE INDEX investing_bid_listing ON investing_bid (listing, at);
    CREATE INDEX investing_bid_investor ON investing_bid (investor, at)
    "
);
