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
        // Once what is in it is drawn: the first field of it gets the focus.
        request_animation_frame(move || {
            let Some(dialog) = element.get_untracked() else { return };
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
                        <h2>{t(title)}</h2>
                        <button class="button quiet" type="button" aria-label=t(|m| m.close) on:click=move |_| open.set(false)>"×"</button>
                    </div>
                    {children()}
                </div>
            })}
        </dialog>
    }
}
