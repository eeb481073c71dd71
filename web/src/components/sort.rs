//! In which order a list stands: by the heads of its columns, or where there are none by a choice; kept in the address.

use crate::messages::{Messages, t};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::query_signal_with_options;

/// A field as the address has it, with a minus before it when the greatest comes first; nothing is the list's own order.
#[derive(Clone, Copy)]
pub struct Sorting {
    now: Memo<Option<String>>,
    set: StoredValue<Box<dyn Fn(Option<String>) + Send + Sync>>,
}

/// The order of the page's list.
pub fn sorting() -> Sorting {
    let (now, set) = query_signal_with_options::<String>("sort", still());
    Sorting { now, set: StoredValue::new(Box::new(move |order| set.set(order))) }
}

/// The page stays where it is.
fn still() -> NavigateOptions {
    NavigateOptions { scroll: false, ..Default::default() }
}

impl Sorting {
    /// What the address says.
    pub fn get(self) -> Option<String> {
        self.now.get()
    }

    fn set(self, order: Option<String>) {
        self.set.with_value(|set| set(order));
    }

    /// A column's head: pressed once its best comes first, twice the other way round, three times as it was.
    pub fn head(
        self,
        label: fn(&Messages) -> &'static str,
        field: &'static str,
        greatest_first: bool,
    ) -> AnyView {
        let (up, down) = (field.to_string(), format!("-{field}"));
        let (first, then) =
            if greatest_first { (down.clone(), up.clone()) } else { (up.clone(), down.clone()) };
        let state = move || match self.now.get() {
            Some(now) if now == up => "ascending",
            Some(now) if now == down => "descending",
            _ => "none",
        };
        let press = move |_| {
            let next = match self.now.get_untracked() {
                Some(now) if now == first => Some(then.clone()),
                Some(now) if now == then => None,
                _ => Some(first.clone()),
            };
            self.set(next);
        };
        view! {
            <th class="numeric" aria-sort=state><button class="sort" type="button" on:click=press>{t(label)}</button></th>
        }
        .into_any()
    }
}

/// One of a few, kept in the address under a key; the first stands without a word in it.
#[component]
pub fn Pick(
    key: &'static str,
    label: fn(&Messages) -> &'static str,
    /// Each by its value and its words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let (now, set) = query_signal_with_options::<String>(key, still());
    view! {
        <label class="pick">
            <span class="small muted">{t(label)}</span>
            <select name=key on:change=move |e| set.set(Some(event_target_value(&e)).filter(|v| !v.is_empty()))
                prop:value=move || now.get().unwrap_or_default()>
                {move || with_present(options.get(), now.get()).into_iter().map(|(value, words)| {
                    let own = value.clone();
                    view! { <option value=value selected=move || now.get().unwrap_or_default() == own>{words}</option> }
                }).collect_view()}
            </select>
        </label>
    }
}

/// A day, kept in the address under a key; nothing is any.
#[component]
pub fn DayPick(key: &'static str, label: fn(&Messages) -> &'static str) -> impl IntoView {
    let (now, set) = query_signal_with_options::<String>(key, still());
    view! {
        <label class="pick">
            <span class="small muted">{t(label)}</span>
            <input type="date" name=key prop:value=move || now.get().unwrap_or_default()
                on:change=move |e| set.set(Some(event_target_value(&e)).filter(|v| !v.is_empty()))/>
        </label>
    }
}

/// What the address says is among them, also when it was typed there.
fn with_present(mut options: Vec<(String, String)>, now: Option<String>) -> Vec<(String, String)> {
    if let Some(now) = now
        && !options.iter().any(|(value, _)| *value == now)
    {
        options.push((now.clone(), now));
    }
    options
}
