//! What can be followed. Every message carries a cursor; `after:` goes on behind it without loss.
//!
//! Without a cursor the first message is the present state, so that a page needs no second request. A message holds the
//! state as it is now, not a difference: whoever missed some is whole again with the next.

use crate::account::{self, Account};
use crate::context::{asker, services};
use crate::error::{fault, malformed, top, unauthenticated};
use crate::feed::Feed;
use crate::id::Gid;
use crate::listing::Listing;
use crate::loan::Loan;
use crate::notice::{Notice, NoticeBox};
use crate::scalars::Date;
use crate::task::Task;
use async_graphql::{Context, Result, SimpleObject, Subscription as Subscribe};
use futures::stream::{self, BoxStream, StreamExt};
use investing_api::{Investing, InvestingEvent, ListingOf, ListingView};
use kernel::id::{ListingId, LoanId, TaskId};
use ledger_api::{BalancesOf, Ledger, LedgerEvent};
use lending_api::{Lending, LendingEvent, LoanOf};
use notification_api::{BoxOf, NoticesOf, Notification, NotificationEvent};
use office_api::{Office, OfficeEvent, QueueOf, TaskOf, Today};
use platform::Fault;
use platform::outbox::EventRecord;
use platform::page::Page;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The services' events.
#[derive(Clone)]
pub struct Feeds {
    pub ledger: Arc<Feed>,
    pub investing: Arc<Feed>,
    pub lending: Arc<Feed>,
    pub office: Arc<Feed>,
    pub identity: Arc<Feed>,
    pub notification: Arc<Feed>,
}

/// A listing as it is now.
#[derive(SimpleObject)]
pub struct ListingChange {
    pub cursor: String,
    pub listing: Listing,
}

/// One's money as it is now.
#[derive(SimpleObject)]
pub struct AccountChange {
    pub cursor: String,
    pub accounts: Vec<Account>,
}

/// A loan of one's own as it is now.
#[derive(SimpleObject)]
pub struct LoanChange {
    pub cursor: String,
    pub loan: Loan,
}

/// One's notices as they stand now.
#[derive(SimpleObject)]
pub struct NoticeChange {
    pub cursor: String,
    pub notice_box: NoticeBox,
    /// The newest, when something has come since.
    pub newest: Option<Notice>,
}

/// A task as it is now.
#[derive(SimpleObject)]
pub struct TaskChange {
    pub cursor: String,
    pub task: Task,
}

/// The platform's date, once a day has been closed.
#[derive(SimpleObject)]
pub struct DateChange {
    pub cursor: String,
    pub business_date: Date,
}

fn cursor(after: Option<String>) -> Result<Option<i64>> {
    after
        .map(|text| text.parse().map_err(|_| malformed("this is not a cursor of this subscription")))
        .transpose()
}

/// An event of a form this version does not know is passed over; the next state will show what it did.
fn read<E: serde::de::DeserializeOwned>(event: &EventRecord) -> Option<E> {
    event.read().map_err(|why| tracing::warn!(why, "an event was passed over")).ok()
}

pub struct Subscription;

#[Subscribe]
impl Subscription {
    /// A listing being funded; without an id, the whole marketplace. Public.
    async fn listing_changed<'a>(
        &self,
        ctx: &Context<'a>,
        id: Option<Gid<ListingId>>,
        after: Option<String>,
    ) -> Result<BoxStream<'a, Result<ListingChange>>> {
        let (asker, services, feed) = (asker(ctx), services(ctx), &ctx.data_unchecked::<Feeds>().investing);
        let after = cursor(after)?;
        let begin = feed.begin(after).await;
        let mut first = None;
        if let (Some(id), None) = (id, after) {
            let found = services.investing.listing(&asker.call(), ListingOf { listing: id.0 }).await;
            let listing = Listing(found.map_err(|e| fault(asker, e))?);
            first = Some(Ok(ListingChange { cursor: begin.to_string(), listing }));
        }
        // The figures are those of the event; what the borrower wrote is in no event and does not change: it is asked for
        // once for each listing, however often that is bid on.
        let texts = Arc::new(Mutex::new(HashMap::new()));
        let changes = feed.events(begin).filter_map(move |event| {
            let texts = texts.clone();
            async move {
                let change: InvestingEvent = read(&event)?;
                let figures = change.listing().clone();
                if id.is_some_and(|id| id.0 != figures.id) {
                    return None;
                }
                let known = texts.lock().unwrap_or_else(PoisonError::into_inner).get(&figures.id).cloned();
                let (purpose, story): (String, String) = match known {
                    Some(known) => known,
                    None => {
                        let ask = ListingOf { listing: figures.id };
                        let now = match services.investing.listing(&asker.call(), ask).await {
                            Ok(now) => now,
                            Err(Fault::Refused(_)) => return None,
                            Err(e) => return Some(Err(fault(asker, e))),
                        };
                        let found = (now.purpose, now.story);
                        texts.lock().unwrap_or_else(PoisonError::into_inner).insert(now.id, found.clone());
                        found
                    }
                };
                let listing = Listing(ListingView { purpose, story, ..figures });
                Some(Ok(ListingChange { cursor: event.position.to_string(), listing }))
            }
        });
        Ok(stream::iter(first).chain(changes).boxed())
    }

    /// One's money.
    async fn account_changed<'a>(
        &self,
        ctx: &Context<'a>,
        after: Option<String>,
    ) -> Result<BoxStream<'a, Result<AccountChange>>> {
        let (asker, services, feed) = (asker(ctx), services(ctx), &ctx.data_unchecked::<Feeds>().ledger);
        let me = asker.party().ok_or_else(unauthenticated)?;
        let after = cursor(after)?;
        let begin = feed.begin(after).await;
        let now = move |position: i64| async move {
            let ask = BalancesOf { owner: me.0, as_of: None };
            let found = services.ledger.balances(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
            Ok(AccountChange { cursor: position.to_string(), accounts: account::accounts(found) })
        };
        let first = if after.is_none() { Some(now(begin).await) } else { None };
        let changes = feed.events(begin).filter_map(move |event| async move {
            let LedgerEvent::BatchPosted { owners, .. } = read(&event)?;
            if owners.contains(&me.0) { Some(now(event.position).await) } else { None }
        });
        Ok(stream::iter(first).chain(changes).boxed())
    }

    /// The loans one borrows or holds a share of.
    async fn loan_changed<'a>(
        &self,
        ctx: &Context<'a>,
        id: Option<Gid<LoanId>>,
        after: Option<String>,
    ) -> Result<BoxStream<'a, Result<LoanChange>>> {
        let (asker, services, feed) = (asker(ctx), services(ctx), &ctx.data_unchecked::<Feeds>().lending);
        asker.party().ok_or_else(unauthenticated)?;
        let after = cursor(after)?;
        let begin = feed.begin(after).await;
        // Asked with the subscriber's rights: what is not theirs is as if it had not happened.
        let now = move |loan: LoanId, position: i64| async move {
            match services.lending.loan(&asker.call(), LoanOf { loan }).await {
                Ok(loan) => Some(Ok(LoanChange { cursor: position.to_string(), loan: Loan(loan) })),
                Err(Fault::Refused(_)) => None,
                Err(e) => Some(Err(fault(asker, e))),
            }
        };
        let first = match (id, after) {
            (Some(id), None) => now(id.0, begin).await,
            _ => None,
        };
        let changes = feed.events(begin).filter_map(move |event| async move {
            let change: LendingEvent = read(&event)?;
            let loan = change.loan()?.id;
            if id.is_none_or(|id| id.0 == loan) { now(loan, event.position).await } else { None }
        });
        Ok(stream::iter(first).chain(changes).boxed())
    }

    /// What one is told, as it comes.
    async fn notice_changed<'a>(
        &self,
        ctx: &Context<'a>,
        after: Option<String>,
    ) -> Result<BoxStream<'a, Result<NoticeChange>>> {
        let (asker, services, feed) =
            (asker(ctx), services(ctx), &ctx.data_unchecked::<Feeds>().notification);
        let me = asker.party().ok_or_else(unauthenticated)?;
        let after = cursor(after)?;
        let begin = feed.begin(after).await;
        let now = move |position: i64, come: bool| async move {
            let call = asker.call();
            let standing =
                services.notification.standing(&call, BoxOf {}).await.map_err(|e| fault(asker, e))?;
            let newest = if come {
                let ask = NoticesOf { page: Page::first(1) };
                services.notification.notices(&call, ask).await.map_err(|e| fault(asker, e))?.pop()
            } else {
                None
            };
            Ok(NoticeChange {
                cursor: position.to_string(),
                notice_box: standing.into(),
                newest: newest.map(Notice),
            })
        };
        let first = if after.is_none() { Some(now(begin, false).await) } else { None };
        let changes = feed.events(begin).filter_map(move |event| async move {
            match read(&event)? {
                NotificationEvent::Noticed { parties } if parties.contains(&me) => {
                    Some(now(event.position, true).await)
                }
                NotificationEvent::BoxChanged { party } if party == me => {
                    Some(now(event.position, false).await)
                }
                _ => None,
            }
        });
        Ok(stream::iter(first).chain(changes).boxed())
    }

    /// The business date, as days are closed. Public.
    async fn business_date_changed<'a>(
        &self,
        ctx: &Context<'a>,
        after: Option<String>,
    ) -> Result<BoxStream<'a, Result<DateChange>>> {
        let (asker, services, feed) = (asker(ctx), services(ctx), &ctx.data_unchecked::<Feeds>().office);
        let after = cursor(after)?;
        let begin = feed.begin(after).await;
        let mut first = None;
        if after.is_none() {
            let today = services.office.today(&asker.call(), Today {}).await.map_err(|e| fault(asker, e))?;
            first = Some(Ok(DateChange { cursor: begin.to_string(), business_date: Date(today) }));
        }
        let changes = feed.events(begin).filter_map(async |event| {
            let OfficeEvent::DayClosed { close } = read(&event)? else { return None };
            Some(Ok(DateChange { cursor: event.position.to_string(), business_date: Date(close.next) }))
        });
        Ok(stream::iter(first).chain(changes).boxed())
    }

    /// The staff's queue: every task as it opens and changes. Without a cursor, first all that is open.
    async fn task_changed<'a>(
        &self,
        ctx: &Context<'a>,
        after: Option<String>,
    ) -> Result<BoxStream<'a, Result<TaskChange>>> {
        let (asker, services, feed) = (asker(ctx), services(ctx), &ctx.data_unchecked::<Feeds>().office);
        if !asker.is_staff() {
            return Err(if asker.party().is_none() {
                unauthenticated()
            } else {
                top("FORBIDDEN", "you may not do this")
            });
        }
        let after = cursor(after)?;
        let begin = feed.begin(after).await;
        let change = move |task, position: i64| TaskChange { cursor: position.to_string(), task: Task(task) };
        let mut first = Vec::new();
        if after.is_none() {
            let ask = QueueOf { ids: Vec::new(), kind: None, all: false, page: Page::first(100) };
            let open = services.office.queue(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
            first.extend(open.into_iter().map(|task| Ok(change(task, begin))));
        }
        let changes = feed.events(begin).filter_map(move |event| async move {
            let event_read: OfficeEvent = read(&event)?;
            let task: TaskId = event_read.task()?.id;
            match services.office.task(&asker.call(), TaskOf { task }).await {
                Ok(task) => Some(Ok(change(task, event.position))),
                Err(Fault::Refused(_)) => None,
                Err(e) => Some(Err(fault(asker, e))),
            }
        });
        Ok(stream::iter(first).chain(changes).boxed())
    }
}
