//! One service's events as the gateway follows them, shared by everybody who is subscribed.
//!
//! Subscribers pull: each keeps its position and takes what comes after it, from the newest events kept here or, when it
//! comes back after a while, from the service. Nothing is buffered for a slow reader, and nothing is lost.

use futures::future::BoxFuture;
use futures::stream::{self, Stream};
use platform::db::Wake;
use platform::outbox::{EventPage, EventRecord};
use std::collections::VecDeque;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::watch;

/// How many of the newest events are kept.
const KEPT: usize = 2_000;
/// How long to wait without a wake-up.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads events after a position. Nothing when the service does not answer.
pub type Source = Arc<dyn Fn(i64) -> BoxFuture<'static, Option<EventPage>> + Send + Sync>;

pub struct Feed {
    source: Source,
    wake: Wake,
    recent: RwLock<VecDeque<Arc<EventRecord>>>,
    head: watch::Sender<Option<i64>>,
}

impl Feed {
    pub fn new(source: Source, wake: Wake) -> Arc<Feed> {
        Arc::new(Feed { source, wake, recent: RwLock::default(), head: watch::Sender::new(None) })
    }

    /// Follows the service until dropped.
    pub async fn follow(self: Arc<Self>) {
        let mut wake = self.wake.clone();
        loop {
            let at = *self.head.borrow();
            // Nobody needs the past here: what came before the start is read from the service.
            let page = (self.source)(at.unwrap_or(i64::MAX)).await;
            if let Some(page) = page {
                let head = match at {
                    None => page.head,
                    Some(at) => page.events.last().map_or(at, |e| e.position),
                };
                let more = page.events.len() == 500;
                if !page.events.is_empty() {
                    let mut recent = self.recent.write().unwrap_or_else(|p| p.into_inner());
                    recent.extend(page.events.into_iter().map(Arc::new));
                    let surplus = recent.len().saturating_sub(KEPT);
                    recent.drain(..surplus);
                }
                self.head.send_replace(Some(head));
                if more {
                    continue;
                }
            }
            tokio::select! {
                () = wake.woken() => {}
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// The newest position, once it is known.
    async fn head(&self) -> i64 {
        let mut head = self.head.subscribe();
        let known = head.wait_for(Option::is_some).await;
        known.ok().and_then(|h| *h).unwrap_or(0)
    }

    async fn after(&self, position: i64) -> Vec<Arc<EventRecord>> {
        {
            let recent = self.recent.read().unwrap_or_else(|p| p.into_inner());
            if recent.front().is_some_and(|first| first.position <= position + 1) {
                return recent.iter().filter(|e| e.position > position).cloned().collect();
            }
        }
        if *self.head.borrow() == Some(position) {
            return Vec::new();
        }
        (self.source)(position)
            .await
            .map_or(Vec::new(), |page| page.events.into_iter().map(Arc::new).collect())
    }

    /// Where a subscriber begins: after its last cursor, or now.
    pub async fn begin(&self, after: Option<i64>) -> i64 {
        let head = self.head().await;
        after.map_or(head, |after| after.clamp(0, head))
    }

    /// Every event after a position, as it comes.
    pub fn events(self: &Arc<Self>, position: i64) -> impl Stream<Item = Arc<EventRecord>> + Send + use<> {
        let state = (self.clone(), self.head.subscribe(), position, VecDeque::new());
        stream::unfold(state, |(feed, mut head, mut position, mut waiting)| async move {
            loop {
                if let Some(event) = waiting.pop_front() {
                    let event: Arc<EventRecord> = event;
                    position = event.position;
                    return Some((event, (feed, head, position, waiting)));
                }
                head.borrow_and_update();
                waiting = feed.after(position).await.into();
                if waiting.is_empty() {
                    // Also without news: a service that did not answer is asked again.
                    if let Ok(Err(_)) = tokio::time::timeout(Duration::from_secs(5), head.changed()).await {
                        return None;
                    }
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{FutureExt, StreamExt};
    use kernel::id::EventId;
    use std::sync::atomic::{AtomicI64, Ordering};

    fn record(position: i64) -> EventRecord {
        EventRecord {
            position,
            id: EventId(uuid::Uuid::nil()),
            key: String::new(),
            kind: String::new(),
            body: String::new(),
            at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_subscriber_gets_every_event_after_its_cursor_once() {
        let newest = Arc::new(AtomicI64::new(7));
        let (log, (commits, wake)) = (newest.clone(), watch::channel(()));
        let source: Source = Arc::new(move |after| {
            let head = log.load(Ordering::SeqCst);
            let events = (after.saturating_add(1)..=head).take(500).map(record).collect();
            async move { Some(EventPage { events, head }) }.boxed()
        });
        let feed = Feed::new(source, Wake(wake));
        tokio::spawn(feed.clone().follow());
        assert_eq!(feed.begin(None).await, 7);
        assert_eq!(feed.begin(Some(99)).await, 7, "a cursor from the future");
        let old = feed.events(feed.begin(Some(4)).await).take(5).map(|e| e.position);
        let new = feed.events(7).take(2).map(|e| e.position);
        newest.store(9, Ordering::SeqCst);
        commits.send_replace(());
        let (old, new): (Vec<i64>, Vec<i64>) = tokio::join!(old.collect(), new.collect());
        assert_eq!((old, new), (vec![5, 6, 7, 8, 9], vec![8, 9]));
    }
}
