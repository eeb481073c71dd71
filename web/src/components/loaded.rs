//! Something a page asks for: on its way, there, or not to be had.

use crate::api::Failure;
use crate::components::notice::{Skeleton, Trouble};
use leptos::prelude::*;

/// What was asked for, once it is known.
pub struct Loaded<T: Send + Sync + 'static> {
    pub now: RwSignal<Option<Result<T, Failure>>>,
    ask: StoredValue<Box<dyn Fn() -> Asking<T> + Send + Sync>>,
    /// How often it was asked, and which answer is shown: an older one does not replace a newer.
    count: StoredValue<(u64, u64)>,
}

type Asking<T> = std::pin::Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

impl<T: Send + Sync + 'static> Clone for Loaded<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Loaded<T> {}

impl<T: Clone + PartialEq + Send + Sync + 'static> Loaded<T> {
    /// Asks at once.
    pub fn new<F: Future<Output = Result<T, Failure>> + 'static>(
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Loaded<T> {
        let boxed: Box<dyn Fn() -> Asking<T> + Send + Sync> = Box::new(move || Box::pin(ask()));
        let loaded = Loaded {
            now: RwSignal::new(None),
            ask: StoredValue::new(boxed),
            count: StoredValue::new((0, 0)),
        };
        loaded.again();
        loaded
    }

    /// Asks once more; what is shown stays until the answer is there.
    pub fn again(self) {
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
            // What could be shown a moment ago is better than a failure to look again.
            let keep =
                answer.is_err() && self.now.try_with_untracked(|n| matches!(n, Some(Ok(_)))) == Some(true);
            // What did not change is not drawn anew: nobody loses their place.
            let same = self.now.try_with_untracked(|n| n.as_ref() == Some(&answer)) == Some(true);
            if !keep && !same {
                self.now.try_set(Some(answer));
            }
        });
    }

    /// Asks again every now and then for as long as what is there waits for something that announces itself to nobody.
    pub fn while_waiting(self, waits: impl Fn(&T) -> bool + Send + Sync + 'static) {
        const LOOKS_MAX: u32 = 300;
        let waiting = Memo::new(move |_| self.now.with(|n| matches!(n, Some(Ok(found)) if waits(found))));
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

    /// What is there by now.
    pub fn get(self) -> Option<T> {
        self.now.get().and_then(Result::ok)
    }

    /// Draws it, or that it is on its way, or why it cannot be had.
    pub fn view(self, lines: usize, draw: impl Fn(T) -> AnyView + Send + 'static) -> AnyView {
        (move || match self.now.get() {
            None => view! { <div class="card"><Skeleton lines/></div> }.into_any(),
            Some(Err(failure)) => {
                view! { <Trouble failure again=Callback::new(move |()| self.again())/> }.into_any()
            }
            Some(Ok(found)) => draw(found),
        })
        .into_any()
    }
}
