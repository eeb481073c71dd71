//! Something a page asks for: on its way, there, or not to be had.
//!
//! What depends on the type of what is asked for is kept thin: the rest is in the app once, whatever pages ask for.

use crate::api::Failure;
use crate::components::notice::{Skeleton, Trouble};
use leptos::prelude::*;
use std::any::Any;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

/// What was asked for, once it is known.
pub struct Loaded<T> {
    any: AnyLoaded,
    of: PhantomData<fn() -> T>,
}

type Found = Arc<dyn Any + Send + Sync>;
type Asking = Pin<Box<dyn Future<Output = Result<Found, Failure>>>>;

#[derive(Clone, Copy)]
struct AnyLoaded {
    now: RwSignal<Option<Result<Found, Failure>>>,
    ask: StoredValue<Box<dyn Fn() -> Asking + Send + Sync>>,
    same: fn(&Found, &Found) -> bool,
    /// How often it was asked, and which answer is shown: an older one does not replace a newer.
    count: StoredValue<(u64, u64)>,
}

impl AnyLoaded {
    fn again(self) {
        let Some(asking) = self.ask.try_with_value(|ask| ask()) else { return };
        let number = self.count.try_update_value(|(asked, _)| {
            *asked += 1;
            *asked
        });
        leptos::task::spawn_local(async move {
            let answer = asking.await;
            let newest = self.count.try_update_value(|(_, shown)| {
                let newer = number.is_some_and(|n| n > *shown);
                *shown = number.filter(|_| newer).unwrap_or(*shown);
                newer
            });
            if newest != Some(true) {
                return;
            }
            // What could be shown a moment ago is better than a failure to look again; and what did not change is not
            // drawn anew: nobody loses their place.
            let stays = self.now.try_with_untracked(|now| match (now, &answer) {
                (Some(Ok(_)), Err(_)) => true,
                (Some(Ok(before)), Ok(found)) => (self.same)(before, found),
                (Some(Err(before)), Err(failure)) => before == failure,
                _ => false,
            });
            if stays == Some(false) {
                self.now.try_set(Some(answer));
            }
        });
    }

    fn while_waiting(self, waiting: Memo<bool>) {
        const LOOKS_MAX: u32 = 300;
        Effect::new(move |_| {
            if !waiting.get() {
                return;
            }
            leptos::task::spawn_local(async move {
                for look in 0..LOOKS_MAX {
                    gloo_timers::future::TimeoutFuture::new(if look < 10 { 500 } else { 2_000 }).await;
                    if waiting.try_get_untracked() != Some(true) {
                        return;
                    }
                    self.again();
                }
            });
        });
    }

    fn view(self, lines: usize, draw: Box<dyn Fn(&Found) -> AnyView + Send>) -> AnyView {
        (move || match self.now.get() {
            None => view! { <div class="card"><Skeleton lines/></div> }.into_any(),
            Some(Err(failure)) => {
                view! { <Trouble failure again=Callback::new(move |()| self.again())/> }.into_any()
            }
            Some(Ok(found)) => draw(&found),
        })
        .into_any()
    }
}

impl<T> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Loaded<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Loaded<T> {
    /// Asks at once.
    pub fn new<F: Future<Output = Result<T, Failure>> + 'static>(
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Loaded<T> {
        let any = AnyLoaded {
            now: RwSignal::new(None),
            ask: StoredValue::new(Box::new(move || {
                let asking = ask();
                Box::pin(async move { asking.await.map(|found| Arc::new(found) as Found) })
            })),
            same: |a, b| a.downcast_ref::<T>() == b.downcast_ref::<T>(),
            count: StoredValue::new((0, 0)),
        };
        any.again();
        Loaded { any, of: PhantomData }
    }

    /// Asks once more; what is shown stays until the answer is there.
    pub fn again(self) {
        self.any.again();
    }

    /// Asks again every now and then for as long as what is there waits for something that announces itself to nobody.
    pub fn while_waiting(self, waits: impl Fn(&T) -> bool + Send + Sync + 'static) {
        self.any.while_waiting(Memo::new(move |_| self.with(|found| found.is_some_and(&waits))));
    }

    /// Looks at what is there by now.
    pub fn with<R>(self, look: impl FnOnce(Option<&T>) -> R) -> R {
        self.any
            .now
            .with(|now| look(now.as_ref().and_then(|n| n.as_ref().ok()).and_then(|f| f.downcast_ref())))
    }

    /// What is there by now.
    pub fn get(self) -> Option<T> {
        self.with(|found| found.cloned())
    }

    /// How it stands, and of what is there only what is asked about it.
    pub fn state<R>(self, look: impl FnOnce(&T) -> R) -> Option<Result<R, Failure>> {
        self.any.now.with(|now| match now {
            None => None,
            Some(Err(failure)) => Some(Err(failure.clone())),
            Some(Ok(found)) => found.downcast_ref().map(look).map(Ok),
        })
    }

    /// Changes what is there; nothing happens before it is.
    pub fn update(self, change: impl FnOnce(&mut T)) {
        let found = self.any.now.try_with_untracked(|now| match now {
            Some(Ok(found)) => found.downcast_ref::<T>().cloned(),
            _ => None,
        });
        if let Some(mut found) = found.flatten() {
            change(&mut found);
            self.any.now.try_set(Some(Ok(Arc::new(found))));
        }
    }

    /// Draws it, or that it is on its way, or why it cannot be had.
    pub fn view(self, lines: usize, draw: impl Fn(T) -> AnyView + Send + 'static) -> AnyView {
        let draw =
            move |found: &Found| found.downcast_ref::<T>().cloned().map_or_else(|| ().into_any(), &draw);
        self.any.view(lines, Box::new(draw))
    }
}
