//! A text that goes elsewhere: into the clipboard by one press.

use crate::messages::{say, t};
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The button; it says when it is done. Where the browser has no clipboard for the page, it is not there.
#[component]
pub fn Copy(#[prop(into)] text: String) -> impl IntoView {
    let done = RwSignal::new(false);
    let text = StoredValue::new(text);
    let copy = move |_| {
        leptos::task::spawn_local(async move {
            let clipboard = window().navigator().clipboard();
            if JsFuture::from(clipboard.write_text(&text.get_value())).await.is_ok() {
                done.try_set(true);
            }
        });
    };
    window().is_secure_context().then(|| {
        view! {
            <button type="button" class="button small" on:click=copy data-copy="">
                {move || if done.get() { say().copied } else { t(|m| m.copy)() }}
            </button>
        }
    })
}
