//! What is said in passing: at the screen's edge, to readers too, and gone after a while.

use crate::messages::t;
use crate::page::Page;
use leptos::prelude::*;
use leptos_router::components::A;
use std::cell::Cell;
use std::sync::Arc;

/// How long it stays, in milliseconds; longer than it takes to read, and while the pointer or the keyboard is on it.
const STAYS: u32 = 7_000;
/// More than these at once nobody reads.
const MOST: usize = 3;

#[derive(Clone)]
struct Toast {
    id: u32,
    words: Arc<dyn Fn() -> String + Send + Sync>,
    page: Option<Page>,
}

#[derive(Clone, Copy)]
struct Toasts {
    shown: RwSignal<Vec<Toast>>,
    held: RwSignal<bool>,
    next: StoredValue<u32>,
}

thread_local! {
    /// Outside the reactive graph: what comes by the socket belongs to no component.
    static TOASTS: Cell<Option<Toasts>> = const { Cell::new(None) };
}

/// Makes room for them; once, around everything.
pub fn provide() {
    let (shown, held) = (RwSignal::new(Vec::new()), RwSignal::new(false));
    TOASTS.set(Some(Toasts { shown, held, next: StoredValue::new(0) }));
}

/// Says something in passing, with the page on which there is more.
pub fn show(words: impl Fn() -> String + Send + Sync + 'static, page: Option<Page>) {
    let Some(toasts) = TOASTS.get() else { return };
    let Some(id) = toasts.next.try_update_value(|n| {
        *n += 1;
        *n
    }) else {
        return;
    };
    toasts.shown.update(|all| {
        all.push(Toast { id, words: Arc::new(words), page });
        let surplus = all.len().saturating_sub(MOST);
        all.drain(..surplus);
    });
    leptos::task::spawn_local(async move {
        loop {
            gloo_timers::future::TimeoutFuture::new(STAYS).await;
            if toasts.held.try_get_untracked() != Some(true) {
                break;
            }
        }
        toasts.shown.try_update(|all| all.retain(|t| t.id != id));
    });
}

/// Where they appear.
#[component]
pub fn Toaster() -> impl IntoView {
    let Some(Toasts { shown, held, .. }) = TOASTS.get() else { return ().into_any() };
    let away = move |id: u32| shown.update(|all| all.retain(|t| t.id != id));
    view! {
        <div class="toasts" role="status" aria-live="polite" on:mouseenter=move |_| held.set(true) on:mouseleave=move |_| held.set(false)
            on:focusin=move |_| held.set(true) on:focusout=move |_| held.set(false)>
            <For each=move || shown.get() key=|t| t.id children=move |toast| {
                let (id, words) = (toast.id, toast.words);
                let text = move || words();
                view! {
                    <div class="toast">
                        {match toast.page {
                            Some(page) => view! { <A href=page.path() on:click=move |_| away(id)>{text}</A> }.into_any(),
                            None => view! { <span>{text}</span> }.into_any(),
                        }}
                        <button class="button quiet small" aria-label=t(|m| m.close) on:click=move |_| away(id)>"×"</button>
                    </div>
                }
            }/>
        </div>
    }
    .into_any()
}
