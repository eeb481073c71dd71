//! What must be answered before anything else: the keyboard stays inside, Escape leaves, and the focus goes back to where it
//! was. The browser's own element does all three.

use crate::messages::{Messages, t};
use leptos::html;
use leptos::prelude::*;

#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    title: fn(&Messages) -> &'static str,
    children: ChildrenFn,
) -> impl IntoView {
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let wanted = open.get();
        // Once what is in it is drawn: its question gets the focus.
        request_animation_frame(move || {
            // By then the page may be another, and with it the dialog gone.
            let Some(dialog) = element.try_get_untracked().flatten() else { return };
            match wanted {
                true if !dialog.open() => {
                    dialog.show_modal().ok();
                }
                false if dialog.open() => dialog.close(),
                _ => {}
            }
        });
    });
    view! {
        <dialog node_ref=element class="card" aria-label=t(title) on:close=move |_| open.set(false)>
            {move || open.get().then(|| view! {
                <div class="stack">
                    <div class="spread">
                        // The question is read first; nothing is pressed by a key that was meant for what was there before.
                        <h2 tabindex="-1" autofocus>{t(title)}</h2>
                        <button class="button quiet" type="button" aria-label=t(|m| m.close) on:click=move |_| open.set(false)>"×"</button>
                    </div>
                    {children()}
                </div>
            })}
        </dialog>
    }
}
