//! What people are told, in the app and by e-mail.
//!
//! - [`tidings`] says (pure) which event concerns whom, and how.
//! - `handler` listens, `jobs` sends, `service` answers, `repo` stores.
//! - [`post`] is the way out: SMTP, or a box that a demo keeps.
//! - [`words`] is what the messages say, in each language.
//!
//! **Invariant:** a notice and its message follow from an event and their ids derive from it: nothing is told twice. No
//! message holds anything that moves money, and none but a letter's link lets anybody act.

mod handler;
mod jobs;
pub mod post;
mod repo;
mod service;
pub mod tidings;
pub mod words;

pub use service::{NotificationService, Parts};
