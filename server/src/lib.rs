//! The composition root: the only crate that sees implementations.
//!
//! [`config`] says what to run, [`modules`] wires the services, [`http`] opens the door.

pub mod assets;
pub mod config;
pub mod demo;
pub mod embedded;
pub mod graphiql;
pub mod http;
pub mod in_process;
pub mod modules;
pub mod notices;
pub mod verify;
