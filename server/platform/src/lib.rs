//! What every service needs and no business: database, outbox, transports, jobs, telemetry.
//!
//! A service is a set of use cases behind a published trait ([`service!`]), a set of tables written by [`db::Db::write`]
//! alone, an outbox of events ([`outbox`]), listeners to other services' events ([`reader`]) and jobs ([`jobs`]).
//! Background work is made of [`work::Loop`]s, each of which can be stepped, so that a run is a function of one seed.
//!
//! **Invariant:** nothing here names a service or knows what money is.

pub mod calendar;
pub mod commands;
pub mod db;
pub mod jobs;
pub mod outbox;
pub mod page;
pub mod reader;
pub mod service;
pub mod setwise;
pub mod tables;
pub mod telemetry;
pub mod work;

pub use db::{Db, Tx, WriteError};
pub use service::{Answer, Fault};
