//! The draft on the server: what is typed is kept a moment after one pauses, and taken up on any device.

use super::query::{DISCARD, SAVE, Saved};
use crate::api::command;
use crate::components::dialog::Dialog;
use crate::components::form::Form;
use crate::draft::{self, Draft};
use crate::messages::{ApplyPage, Words, t};
use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(800);

/// How what is typed stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nothing was typed yet.
    Blank,
    Typing,
    Kept,
    /// It stays in this tab.
    Lost,
}

fn fields(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// What the server keeps, as the form has it.
fn draft_of(saved: &Saved) -> Draft {
    let all: Map<String, Value> =
        saved.fields.iter().map(|f| (f.name.clone(), Value::from(f.value.clone()))).collect();
    Draft { id: saved.id.0.clone(), text: Value::from(all).to_string(), sent: false }
}

/// Whether the server has taken it.
async fn send(draft: &Draft) -> bool {
    let all: Vec<Value> = fields(&draft.text)
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let sent = command::send::<Value>(SAVE, json!({ "id": draft.id, "fields": all })).await.is_ok();
    if sent {
        draft::kept().update(|n| *n += 1);
    }
    sent
}

/// Keeps a form on the server, and begins with what is kept there unless this tab has gone on since.
#[component]
pub fn Keep(
    form: Form,
    saved: Option<Saved>,
    blank: Draft,
    taken_up: Callback<()>,
    /// Goes to the first step.
    begin: Callback<()>,
) -> impl IntoView {
    let standing = RwSignal::new(Standing::Blank);
    // What the server has, as far as this tab knows.
    let there = RwSignal::new(None::<Draft>);
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let busy = StoredValue::new(false);
    let blank = StoredValue::new(fields(&blank.text));
    let untouched = move |draft: &Draft| blank.with_value(|b| fields(&draft.text) == *b);
    if let Some(saved) = saved {
        let kept = draft_of(&saved);
        if untouched(&form.whole_untracked()) {
            form.adopt(kept.clone());
            // Once the page stands: the address is not changed while it is being drawn.
            request_animation_frame(move || {
                taken_up.try_run(());
            });
        }
        standing.set(Standing::Kept);
        there.set(Some(kept));
    }
    // What was typed last by whoever left while an older draft was on its way; it follows that one.
    let last = Arc::new(Mutex::new(None::<Draft>));
    let save = {
        let last = last.clone();
        move |leaving: bool| {
            let now = form.whole_untracked();
            // Sent as an application, it is a draft no more.
            if form.busy.get_untracked() {
                return;
            }
            if busy.get_value() {
                if leaving {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
                }
                return;
            }
            busy.set_value(true);
            let last = last.clone();
            leptos::task::spawn_local(async move {
                let sent = send(&now).await;
                let left = last.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(left) = left {
                    send(&left).await;
                }
                if busy.try_update_value(|b| *b = false).is_none() {
                    return;
                }
                standing.set(if sent { Standing::Kept } else { Standing::Lost });
                if sent {
                    // What was typed meanwhile is seen by the effect below.
                    there.set(Some(now));
                }
            });
        }
    };
    // Nothing of it would be lost.
    let is_kept = move |now: &Draft| {
        let same = |t: &Draft| t.id == now.id && fields(&t.text) == fields(&now.text);
        there.with_untracked(|t| t.as_ref().is_some_and(same)) || untouched(now)
    };
    let save_soon = save.clone();
    Effect::new(move |_| {
        there.track();
        if is_kept(&form.whole()) {
            return;
        }
        standing.set(Standing::Typing);
        let save = save_soon.clone();
        timer.update_value(|timer| {
            if let Some(waiting) = timer.take() {
                waiting.clear();
            }
            *timer = set_timeout_with_handle(move || save(false), PAUSE).ok();
        });
    });
    on_cleanup(move || {
        if let Some(waiting) = timer.try_update_value(Option::take).flatten() {
            waiting.clear();
            // Whoever leaves at once loses nothing; what was sent a moment ago is not begun again.
            if !is_kept(&form.whole_untracked()) {
                save(true);
            }
        }
    });
    let sure = RwSignal::new(false);
    let give_up = move |_| {
        sure.set(false);
        begin.run(());
        let id = form.id();
        timer.update_value(|timer| {
            if let Some(waiting) = timer.take() {
                waiting.clear();
            }
        });
        form.clear();
        there.set(None);
        standing.set(Standing::Blank);
        leptos::task::spawn_local(async move {
            command::send::<bool>(DISCARD, json!({ "id": id })).await.ok();
        });
    };
    let words = move || match standing.get() {
        Standing::Blank => ApplyPage::say().will_be_kept,
        Standing::Typing => ApplyPage::say().keeping,
        Standing::Kept => ApplyPage::say().kept,
        Standing::Lost => ApplyPage::say().kept_here,
    };
    view! {
        <Dialog open=sure title=|_| ApplyPage::say().start_over>
            <p>{t(|_| ApplyPage::say().start_over_means)}</p>
            <div class="row">
                <button type="button" class="button risky" on:click=give_up data-discard-sure="">{t(|_| ApplyPage::say().start_over)}</button>
                <button type="button" class="button" on:click=move |_| sure.set(false)>{t(|m| m.cancel)}</button>
            </div>
        </Dialog>
        <p class="small muted spread draft-line" data-draft=move || match standing.get() { Standing::Kept => "kept", Standing::Lost => "lost", _ => "" }>
            <span role="status">{words}</span>
            {move || (standing.get() != Standing::Blank).then(|| view! {
                <button type="button" class="button small" on:click=move |_| sure.set(true) data-discard="">{t(|_| ApplyPage::say().start_over)}</button>
            })}
        </p>
    }
}
