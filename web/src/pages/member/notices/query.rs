//! What one has been told, as it is loaded and as it comes.

use crate::api::{DateTime, Money, schema};
use crate::page::Page;
use crate::pages::public::marketplace::query::PageInfo;
use cynic::QueryFragment;
use serde::Deserialize;

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
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
    FactorAdded,
    FactorRemoved,
    ClientCreated,
    RecoveryCodeUsed,
    TaskApproved,
    TaskRefused,
    /// One that this app does not know yet.
    #[cynic(fallback)]
    Other,
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Notice {
    pub id: cynic::Id,
    pub kind: NoticeKind,
    pub subject: Option<cynic::Id>,
    pub amount: Option<Money>,
    pub about: Option<String>,
    pub unread: bool,
    pub at: DateTime,
}

impl Notice {
    /// Where one sees more of it.
    pub fn page(&self) -> Page {
        use NoticeKind as K;
        let subject = || self.subject.as_ref().map(|id| id.inner().to_string()).unwrap_or_default();
        match self.kind {
            K::BidRefused | K::BidReleased | K::BidLent => Page::Listing(subject()),
            // What is lent is in the portfolio; a loan has a page for who borrows it.
            K::PaymentReceived | K::NoteOverdue => Page::Portfolio,
            K::ApplicationApproved
            | K::ApplicationDeclined
            | K::ListingFilled
            | K::ListingExpired
            | K::ListingCancelled => Page::Loans,
            K::LoanPaidOut
            | K::LoanUndone
            | K::RepaymentTaken
            | K::RepaymentFailed
            | K::LoanOverdue
            | K::LoanClosed => Page::Loan(subject()),
            K::TopUpArrived
            | K::WithdrawalPaid
            | K::WithdrawalFailed
            | K::AccountBlocked
            | K::AccountFree => Page::Cash,
            K::PasswordChanged
            | K::FactorAdded
            | K::FactorRemoved
            | K::ClientCreated
            | K::RecoveryCodeUsed
            | K::Other => Page::Account,
            K::TaskApproved | K::TaskRefused => Page::Task(subject()),
        }
    }
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "NoticeConnection")]
pub struct Rows {
    pub nodes: Vec<Notice>,
    pub page_info: PageInfo,
}

#[derive(cynic::QueryVariables, Clone)]
pub struct NoticeVariables {
    pub after: Option<String>,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Viewer", variables = "NoticeVariables")]
pub struct Mine {
    #[arguments(first: 50, after: $after)]
    pub notices: Rows,
}

#[derive(QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "NoticeVariables")]
pub struct Notices {
    pub viewer: Option<Mine>,
}

/// How one's notices stand, and each new one.
pub const CHANGES: &str = "subscription($after: String) { noticeChanged(after: $after) { cursor \
    noticeBox { unread mail } newest { id kind subject about amount { amount currency } unread at } } }";

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoticeBox {
    pub unread: u32,
    pub mail: bool,
}

/// One message of [`CHANGES`].
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub notice_box: NoticeBox,
    pub newest: Option<Notice>,
}
