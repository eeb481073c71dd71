//! Stories through the platform's doors, each on both databases and over both ways between services.
#![allow(clippy::unwrap_used, reason = "a story stops at the first surprise")]

mod audit;
mod close_of_business;
mod crash;
mod custodian_faults;
mod custody;
mod documents;
mod draft;
mod front_door;
mod graphql;
mod identity;
mod kills;
mod ledger;
mod loan_life;
mod marketplace;
mod notices;
mod platform_parts;
mod programs;
mod quick_start;
mod races;
mod rights;
mod verify;
