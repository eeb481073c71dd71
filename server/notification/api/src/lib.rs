//! What others may ask of notification: what has somebody been told, and how far have they read.
//!
//! It listens. Nobody commands it to tell anything: a notice follows from an event, and so does a message by e-mail.

use chrono::{DateTime, Utc};
use finance::Money;
use kernel::id::{NoticeId, PartyId};
use platform::outbox::{Announces, EventPage, EventsAfter};
use platform::page::Page;
use platform::reader::{DeadLetter, ParkedOf, Unpark};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

kernel::errors! {
    pub enum NotificationError {
        MailboxAbsent = "NOTIFICATION_MAILBOX_ABSENT": "messages are sent here and not kept",
    }
}

/// What a notice is about, and so where it leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    Account,
    Application,
    Listing,
    Loan,
    Task,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $about:ident, mail $mail:literal;)*) => {
        /// What has happened.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub enum NoticeKind {
            $($(#[$doc])* $name,)*
        }

        impl NoticeKind {
            pub const ALL: &'static [NoticeKind] = &[$(NoticeKind::$name,)*];

            pub fn code(self) -> &'static str {
                match self { $(NoticeKind::$name => $code,)* }
            }

            pub fn about(self) -> About {
                match self { $(NoticeKind::$name => About::$about,)* }
            }

            /// Whether it is also sent by e-mail: what asks somebody to act, or what they should know at once.
            pub fn by_mail(self) -> bool {
                match self { $(NoticeKind::$name => $mail,)* }
            }

            pub fn from_code(code: &str) -> Option<NoticeKind> {
                NoticeKind::ALL.iter().copied().find(|k| k.code() == code)
            }
        }
    };
}

kinds! {
    /// The custodian refused to freeze it.
    BidRefused = "BID_REFUSED", Listing, mail true;
    /// The money of a bid is free again.
    BidReleased = "BID_RELEASED", Listing, mail false;
    /// A bid has become a share of a loan that runs.
    BidLent = "BID_LENT", Listing, mail false;
    /// A payment has come to its holder.
    PaymentReceived = "PAYMENT_RECEIVED", Loan, mail false;
    /// A loan of which one holds a share is overdue.
    NoteOverdue = "NOTE_OVERDUE", Loan, mail true;
    /// One's application is on the marketplace.
    ApplicationApproved = "APPLICATION_APPROVED", Application, mail true;
    ApplicationDeclined = "APPLICATION_DECLINED", Application, mail true;
    ListingFilled = "LISTING_FILLED", Listing, mail true;
    ListingExpired = "LISTING_EXPIRED", Listing, mail true;
    ListingCancelled = "LISTING_CANCELLED", Listing, mail true;
    LoanPaidOut = "LOAN_PAID_OUT", Loan, mail true;
    /// It could not be paid out; every investor has their money again.
    LoanUndone = "LOAN_UNDONE", Loan, mail true;
    /// A repayment has been taken and passed on.
    RepaymentTaken = "REPAYMENT_TAKEN", Loan, mail false;
    RepaymentFailed = "REPAYMENT_FAILED", Loan, mail true;
    LoanOverdue = "LOAN_OVERDUE", Loan, mail true;
    LoanClosed = "LOAN_CLOSED", Loan, mail true;
    TopUpArrived = "TOP_UP_ARRIVED", Account, mail false;
    WithdrawalPaid = "WITHDRAWAL_PAID", Account, mail true;
    WithdrawalFailed = "WITHDRAWAL_FAILED", Account, mail true;
    /// A movement at the custodian does not fit the books; no money leaves until people have settled it.
    AccountBlocked = "ACCOUNT_BLOCKED", Account, mail true;
    AccountFree = "ACCOUNT_FREE", Account, mail true;
    PasswordChanged = "PASSWORD_CHANGED", Account, mail true;
    FactorAdded = "FACTOR_ADDED", Account, mail true;
    FactorRemoved = "FACTOR_REMOVED", Account, mail true;
    ClientCreated = "CLIENT_CREATED", Account, mail true;
    RecoveryCodeUsed = "RECOVERY_CODE_USED", Account, mail true;
    /// A task on which one said a word has been decided.
    TaskApproved = "TASK_APPROVED", Task, mail false;
    TaskRefused = "TASK_REFUSED", Task, mail false;
}

/// Something that somebody is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticeView {
    pub id: NoticeId,
    pub kind: NoticeKind,
    /// The id of what [`NoticeKind::about`] says; nil for the account.
    pub subject: Uuid,
    pub amount: Option<Money>,
    pub unread: bool,
    pub at: DateTime<Utc>,
}

/// One's own notices, newest first.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NoticesOf {
    pub page: Page,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BoxOf {}

/// How one's notices stand, and what one wants of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BoxView {
    pub unread: u32,
    /// Whether important ones also come by e-mail, to an address that has been confirmed.
    pub mail: bool,
}

/// One has read everything up to an instant; an earlier one than before changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MarkRead {
    pub up_to: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChooseMail {
    pub mail: bool,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailboxOf {}

/// A message that a demo keeps instead of sending it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MailView {
    pub id: Uuid,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NotificationEvent {
    /// Each of these has a new notice.
    Noticed { parties: Vec<PartyId> },
    /// One's box is another than before: read, or with other wishes.
    BoxChanged { party: PartyId },
}

impl Announces for NotificationEvent {
    fn key(&self) -> String {
        match self {
            NotificationEvent::Noticed { parties } => {
                parties.first().map(PartyId::to_string).unwrap_or_default()
            }
            NotificationEvent::BoxChanged { party } => party.to_string(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            NotificationEvent::Noticed { .. } => "Noticed",
            NotificationEvent::BoxChanged { .. } => "BoxChanged",
        }
    }
}

platform::service! {
    /// What people are told.
    pub Notification as "notification", client NotificationClient, dispatcher NotificationDispatcher, errors NotificationError {
        notices(NoticesOf) -> Vec<NoticeView>;
        /// How many are unread, and one's wishes.
        standing(BoxOf) -> BoxView;
        mark_read(MarkRead) -> BoxView;
        choose_mail(ChooseMail) -> BoxView;
        /// The newest messages that were kept instead of sent; only where nothing is sent.
        mailbox(MailboxOf) -> Vec<MailView>;
        parked(ParkedOf) -> Vec<DeadLetter>;
        unpark(Unpark) -> bool;
        events(EventsAfter) -> EventPage;
    }
}

#[cfg(test)]
mod tests {
    use super::NoticeKind;

    #[test]
    fn a_kind_is_read_as_it_is_written() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::from_code(kind.code()), Some(*kind));
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{}\"", kind.code()));
        }
    }
}
