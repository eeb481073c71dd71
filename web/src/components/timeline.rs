//! What has happened and what comes next, in order.

use leptos::prelude::*;

/// One stage of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    pub name: String,
    pub note: String,
    pub done: bool,
    /// It waits for this.
    pub here: bool,
    /// It ended here, and not well.
    pub bad: bool,
}

#[component]
pub fn Timeline(#[prop(into)] stages: Signal<Vec<Stage>>) -> impl IntoView {
    view! {
        <ol class="timeline">
            {move || stages.get().into_iter().map(|s| view! {
                <li class:done=s.done class:here=s.here class:bad=s.bad aria-current=s.here.then_some("step")>
                    <b>{s.name}</b>
                    {(!s.note.is_empty()).then(|| view! { <span class="small muted">{s.note}</span> })}
                </li>
            }).collect_view()}
        </ol>
    }
}
