//! A person by name, as staff see one: the way to all there is about them.

use crate::page::Page;
use crate::pages::staff::queue::query::Who;
use leptos::prelude::*;

#[component]
pub fn Named(who: Who) -> impl IntoView {
    view! {
        <a href=Page::person(who.id.inner())><b>{who.name}</b></a> " " <span class="small muted">{who.email}</span>
    }
}
