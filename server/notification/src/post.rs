//! The way out of the house for messages.

use crate::jobs::message_id;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::time::Duration;
use uuid::Uuid;

/// How long one message may take.
const LIMIT: Duration = Duration::from_secs(20);

/// One message to one person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The same for every attempt at the same message.
    pub id: Uuid,
    pub to: String,
    pub name: String,
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Where messages go.
#[derive(Clone, Default)]
pub enum Post {
    /// To a mail server.
    Smtp(Box<Smtp>),
    /// Into a box that anybody may look into: for a demo and for tests.
    Kept,
    /// Nobody has said where: nothing is sent.
    #[default]
    Nowhere,
}

#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// `url` as in `smtps://user:password@mail.example.org`, or `smtp://…:587?tls=required`; `from` as in
    /// `Counterfoil <no-reply@lend.example.org>`.
    ///
    /// # Errors
    /// A sentence that says which of the two is wrong.
    pub fn new(url: &str, from: &str) -> Result<Smtp, String> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(|_| "smtp_url: must be like smtps://user:password@host or smtp://host:587?tls=required")?
            .timeout(Some(LIMIT))
            .build();
        let from = from
            .parse()
            .map_err(|_| "mail_from: must be like Counterfoil <no-reply@lend.example.org>".to_string())?;
        Ok(Smtp { transport, from })
    }

    /// # Errors
    /// Why it was not taken; never with the text of the message.
    pub async fn send(&self, message: &Message) -> Result<(), String> {
        let to = message.to.parse().map_err(|_| "the address cannot be written to".to_string())?;
        // A line break would begin another header, and the library takes it for impossible.
        let one_line = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).collect() };
        let mail = Mail::builder()
            .from(self.from.clone())
            .to(Mailbox::new(Some(one_line(&message.name)), to))
            .subject(one_line(&message.subject))
            .message_id(Some(message_id(message.id, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(message.text.clone())
            .map_err(|e| format!("the message could not be written: {e}"))?;
        self.transport.send(mail).await.map(drop).map_err(|e| format!("the mail server: {e}"))
    }
}
