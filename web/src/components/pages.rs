//! A list that is loaded page by page.

use crate::api::Failure;
use crate::components::notice::{Skeleton, Trouble};
use crate::messages::t;
use crate::pages::public::marketplace::query::PageInfo;
use leptos::prelude::*;
use std::collections::HashSet;

/// One page, and where the next begins.
pub type Paged<T> = (Vec<T>, Option<String>);

pub fn paged<T>(nodes: Vec<T>, info: PageInfo) -> Paged<T> {
    (nodes, info.end_cursor.filter(|_| info.has_next_page))
}

type Asking<T> = std::pin::Pin<Box<dyn Future<Output = Result<Paged<T>, Failure>>>>;

/// A row of such a list.
pub trait Row: Clone + PartialEq + Send + Sync + 'static {
    /// What tells it from the others.
    fn id(&self) -> String;

    /// The same, and from itself when it looks different.
    fn key(&self) -> String {
        self.id()
    }

    /// Takes the next one in where both are one thing to a person, which the end of a page had cut in two.
    fn join(&mut self, _next: &Self) -> bool {
        false
    }

    /// How many of what was loaded it stands for.
    fn weight(&self) -> usize {
        1
    }
}

/// What there is to draw.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Waiting,
    Failed,
    Empty,
    There,
}

impl Stage {
    fn of<T>(shown: &Option<Result<Vec<T>, Failure>>) -> Stage {
        match shown {
            None => Stage::Waiting,
            Some(Err(_)) => Stage::Failed,
            Some(Ok(all)) if all.is_empty() => Stage::Empty,
            Some(Ok(_)) => Stage::There,
        }
    }
}

/// What has been loaded of it.
pub struct Pages<T: Send + Sync + 'static> {
    pub shown: RwSignal<Option<Result<Vec<T>, Failure>>>,
    pub more: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// Why the next page could not be had; what was there stays.
    failed: RwSignal<Option<Failure>>,
    ask: StoredValue<Box<dyn Fn(Option<String>) -> Asking<T> + Send + Sync>>,
    /// Which list is shown: an answer for an older one comes too late.
    turn: StoredValue<u32>,
}

impl<T: Send + Sync + 'static> Clone for Pages<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Pages<T> {}

impl<T: Row> Pages<T> {
    /// Asks for the first page at once.
    pub fn new<F: Future<Output = Result<Paged<T>, Failure>> + 'static>(
        ask: impl Fn(Option<String>) -> F + Send + Sync + 'static,
    ) -> Pages<T> {
        let boxed: Box<dyn Fn(Option<String>) -> Asking<T> + Send + Sync> =
            Box::new(move |after| Box::pin(ask(after)));
        let pages = Pages {
            shown: RwSignal::new(None),
            more: RwSignal::new(None),
            busy: RwSignal::new(false),
            failed: RwSignal::new(None),
            ask: StoredValue::new(boxed),
            turn: StoredValue::new(0),
        };
        pages.load(None);
        pages
    }

    /// Another list each time that what it follows changes: a filter, an order, words that are looked for.
    pub fn following<W: PartialEq + 'static>(self, what: impl Fn() -> W + 'static) -> Pages<T> {
        Effect::new(move |before: Option<W>| {
            let now = what();
            if before.is_some_and(|b| b != now) {
                self.anew();
            }
            now
        });
        self
    }

    /// Another list: the first page of it.
    pub fn anew(self) {
        self.shown.set(None);
        self.load(None);
    }

    /// Looks again at a list of which only the first page is shown; whoever has read on is not thrown back.
    pub fn again(self, page: usize) {
        // Somebody has just asked for more.
        if self.busy.get_untracked() {
            return;
        }
        let short = self.shown.with_untracked(|s| {
            s.as_ref()
                .is_some_and(|s| s.as_ref().is_ok_and(|l| l.iter().map(Row::weight).sum::<usize>() <= page))
        });
        if short {
            self.load(None);
        }
    }

    fn load(self, after: Option<String>) {
        let next_page = after.is_some();
        if next_page && self.busy.get_untracked() {
            return;
        }
        let Some(asking) = self.ask.try_with_value(|ask| ask(after)) else { return };
        if !next_page {
            self.turn.update_value(|t| *t += 1);
        }
        let turn = self.turn.get_value();
        self.busy.set(true);
        self.failed.set(None);
        leptos::task::spawn_local(async move {
            let answer = asking.await;
            if self.turn.try_get_value() != Some(turn) {
                return;
            }
            self.busy.try_set(false);
            match answer {
                Ok((found, next)) => {
                    self.more.try_set(next);
                    // What did not change is not drawn anew.
                    let same =
                        |s: &Option<Result<Vec<T>, Failure>>| matches!(s, Some(Ok(all)) if *all == found);
                    if !next_page && self.shown.try_with_untracked(same) == Some(true) {
                        return;
                    }
                    self.shown.try_update(|shown| match shown {
                        Some(Ok(all)) if next_page => {
                            // What came in live meanwhile is there already.
                            let known: HashSet<String> = all.iter().map(|r| r.id()).collect();
                            let mut found = found.into_iter().filter(|r| !known.contains(&r.id()));
                            if let Some(first) = found.next()
                                && !all.last_mut().is_some_and(|last| last.join(&first))
                            {
                                all.push(first);
                            }
                            all.extend(found);
                        }
                        _ => *shown = Some(Ok(found)),
                    });
                }
                Err(failure) if next_page => {
                    self.failed.try_set(Some(failure));
                }
                Err(failure) => {
                    // What could be shown a moment ago is better than a failure to look again.
                    self.shown.try_update(|shown| {
                        if !matches!(shown, Some(Ok(_))) {
                            *shown = Some(Err(failure));
                        }
                    });
                }
            }
        });
    }

    /// Draws it, or that it is on its way, or why it cannot be had; and the way to the next page. A row is drawn once;
    /// `frame` is what stands around the rows.
    pub fn view(
        self,
        nothing: impl Fn() -> AnyView + Send + 'static,
        frame: impl Fn(AnyView) -> AnyView + Send + 'static,
        row: fn(T) -> AnyView,
    ) -> AnyView {
        let stage = Memo::new(move |_| self.shown.with(Stage::of));
        let rows = move || {
            self.shown.with(|s| s.as_ref().and_then(|s| s.as_ref().ok()).cloned().unwrap_or_default())
        };
        view! {
            {move || match stage.get() {
                Stage::Waiting => view! { <div class="card"><Skeleton lines=8/></div> }.into_any(),
                Stage::Failed => self.shown.get_untracked().and_then(Result::err).map(|failure| view! { <Trouble failure again=Callback::new(move |()| self.anew())/> }).into_any(),
                Stage::Empty => nothing(),
                Stage::There => frame(view! { <For each=rows key=T::key children=row/> }.into_any()),
            }}
            {move || self.failed.get().map(|failure| view! { <Trouble failure/> })}
            {move || self.more.get().map(|after| view! {
                <button class="button" disabled=self.busy on:click=move |_| self.load(Some(after.clone()))>{t(|m| m.market.more)}</button>
            })}
        }
        .into_any()
    }
}
