//! What one has been told.

use crate::context::{asker, loader, services};
use crate::error::{NotificationUserError, fault};
use crate::id::Gid;
use crate::loan::loaded;
use crate::page::{Arguments, connection};
use crate::payload;
use crate::scalars::{DateTime, Money};
use async_graphql::connection::Connection;
use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use kernel::id::{ApplicationId, ListingId, LoanId, NoticeId, TaskId};
use notification_api::*;
use office_api::TaskKind;
use platform::page::Mark;

/// What has happened; new values may be added.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "notification_api::NoticeKind")]
pub enum NoticeKind {
    BidRefused,
    BidReleased,
    BidLent,
    PaymentReceived,
    NoteOverdue,
    ApplicationApproved,
    ApplicationDeclined,
    ListingFilled,
    ListingExpired,
    ListingCancelled,
    LoanPaidOut,
    LoanUndone,
    RepaymentTaken,
    RepaymentFailed,
    LoanOverdue,
    LoanClosed,
    TopUpArrived,
    WithdrawalPaid,
    WithdrawalFailed,
    AccountBlocked,
    AccountFree,
    PasswordChanged,
    /// A second factor, by whoever has the account.
    FactorAdded,
    FactorRemoved,
    /// A program may read for one.
    ClientCreated,
    /// Somebody signed in by a recovery code.
    RecoveryCodeUsed,
    TaskApproved,
    TaskRefused,
}

/// What something is for, in its borrower's words or the custodian's.
///
/// # Errors
/// When a service does not answer.
pub async fn about(ctx: &Context<'_>, kind: About, id: uuid::Uuid) -> Result<Option<String>> {
    let loader = loader(ctx);
    let listing = async |id: ListingId| loaded(loader.load_one(id).await).map(|l| l.map(|l| l.purpose));
    match kind {
        About::Account => Ok(None),
        About::Application => loaded(loader.load_one(ApplicationId(id)).await).map(|a| a.map(|a| a.purpose)),
        About::Listing => listing(ListingId(id)).await,
        About::Loan => match loaded(loader.load_one(LoanId(id)).await)? {
            Some(loan) => listing(loan.listing).await,
            None => Ok(None),
        },
        About::Task => {
            let Some(task) = loaded(loader.load_one(TaskId(id)).await)? else { return Ok(None) };
            let subject = task.subject;
            let purpose = match task.kind {
                TaskKind::CreditDecision => {
                    loaded(loader.load_one(ApplicationId(subject)).await)?.map(|a| a.purpose)
                }
                TaskKind::Disbursement => listing(ListingId(subject)).await?,
                TaskKind::DisbursementUndo | TaskKind::Break => None,
            };
            Ok(Some(purpose.unwrap_or(task.about)))
        }
    }
}

/// Something one has been told.
pub struct Notice(pub NoticeView);

#[Object]
impl Notice {
    async fn id(&self) -> Gid<NoticeId> {
        Gid(self.0.id)
    }

    async fn kind(&self) -> NoticeKind {
        self.0.kind.into()
    }

    /// The id of the application, listing, loan or task it is about; null where it is about one's account.
    async fn subject(&self) -> Option<ID> {
        let id = self.0.subject;
        match self.0.kind.about() {
            About::Account => None,
            About::Application => Some(Gid(ApplicationId(id)).to_string().into()),
            About::Listing => Some(Gid(ListingId(id)).to_string().into()),
            About::Loan => Some(Gid(LoanId(id)).to_string().into()),
            About::Task => Some(Gid(TaskId(id)).to_string().into()),
        }
    }

    /// What the loan, the listing, the application or the task is for, where it is about one.
    async fn about(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        about(ctx, self.0.kind.about(), self.0.subject).await
    }

    async fn amount(&self) -> Option<Money> {
        self.0.amount.map(Money::from)
    }

    async fn unread(&self) -> bool {
        self.0.unread
    }

    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }
}

/// How one's notices stand, and what one wants of them.
#[derive(SimpleObject)]
pub struct NoticeBox {
    pub unread: u32,
    /// Whether important ones also come by e-mail, to an address that has been confirmed.
    pub mail: bool,
}

impl From<BoxView> for NoticeBox {
    fn from(b: BoxView) -> NoticeBox {
        NoticeBox { unread: b.unread, mail: b.mail }
    }
}

/// A message that a demo keeps instead of sending it.
#[derive(SimpleObject)]
pub struct Mail {
    pub id: ID,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub at: DateTime,
}

/// One's own notices.
///
/// # Errors
/// When the asker has none, or notification does not answer.
pub async fn notices(ctx: &Context<'_>, arguments: Arguments) -> Result<Connection<String, Notice>> {
    let (shown, page) = arguments.page()?;
    let asker = asker(ctx);
    let found = services(ctx).notification.notices(&asker.call(), NoticesOf { page }).await;
    let found = found.map_err(|e| fault(asker, e))?;
    Ok(connection(&arguments, shown, found, |n| Mark::at(n.at, n.id.0), Notice))
}

/// How one's notices stand.
///
/// # Errors
/// When notification does not answer.
pub async fn standing(ctx: &Context<'_>) -> Result<NoticeBox> {
    let asker = asker(ctx);
    let found = services(ctx).notification.standing(&asker.call(), BoxOf {}).await;
    found.map(NoticeBox::from).map_err(|e| fault(asker, e))
}

/// What is kept instead of sent; nothing where it is sent.
///
/// # Errors
/// When notification does not answer.
pub async fn mailbox(ctx: &Context<'_>) -> Result<Vec<Mail>> {
    let asker = asker(ctx);
    match services(ctx).notification.mailbox(&asker.call(), MailboxOf {}).await {
        Ok(mails) => {
            let view = |m: MailView| Mail {
                id: m.id.to_string().into(),
                to: m.to,
                subject: m.subject,
                text: m.text,
                at: DateTime(m.at),
            };
            Ok(mails.into_iter().map(view).collect())
        }
        Err(platform::Fault::Refused(NotificationError::MailboxAbsent)) => Ok(Vec::new()),
        Err(other) => Err(fault(asker, other)),
    }
}

#[derive(InputObject)]
pub struct NoticesReadInput {
    /// The instant of the newest notice one has seen.
    pub up_to: DateTime,
}

#[derive(InputObject)]
pub struct NoticeMailInput {
    /// Whether important notices also come by e-mail.
    pub mail: bool,
}

payload! {
    NoticesReadPayload { notice_box: NoticeBox } or NotificationUserError;
    NoticeMailPayload { notice_box: NoticeBox } or NotificationUserError;
}

#[derive(Default)]
pub struct NoticeMutation;

#[Object]
impl NoticeMutation {
    /// Says how far one has read.
    async fn notices_read(&self, ctx: &Context<'_>, input: NoticesReadInput) -> Result<NoticesReadPayload> {
        let asker = asker(ctx);
        let read = MarkRead { up_to: input.up_to.0 };
        NoticesReadPayload::of(asker, services(ctx).notification.mark_read(&asker.call(), read).await)
    }

    /// Says whether important notices also come by e-mail.
    async fn notice_mail(&self, ctx: &Context<'_>, input: NoticeMailInput) -> Result<NoticeMailPayload> {
        let asker = asker(ctx);
        let choose = ChooseMail { mail: input.mail };
        NoticeMailPayload::of(asker, services(ctx).notification.choose_mail(&asker.call(), choose).await)
    }
}
