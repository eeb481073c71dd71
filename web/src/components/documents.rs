//! The documents of an application: its owner adds and takes back, who judges it opens them.

use crate::api::{Failure, command, documents, schema};
use crate::components::notice::Trouble;
use crate::components::toast;
use crate::draft;
use crate::file;
use crate::messages::{DocumentsPanel, Words, t};
use cynic::QueryFragment;
use leptos::prelude::*;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;

const REMOVE: &str = "mutation($input: DocumentRemoveInput!) { documentRemove(input: $input) { done errors { code message } } }";

#[derive(cynic::Enum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum DocumentKind {
    Pdf,
    Png,
    Jpeg,
}

impl DocumentKind {
    fn media_type(self) -> &'static str {
        match self {
            DocumentKind::Pdf => "application/pdf",
            DocumentKind::Png => "image/png",
            DocumentKind::Jpeg => "image/jpeg",
        }
    }
}

#[derive(QueryFragment, Clone, PartialEq, Debug)]
pub struct Document {
    pub id: cynic::Id,
    pub name: String,
    pub kind: DocumentKind,
    pub size: i32,
}

/// In bytes, kilobytes, or megabytes with one decimal.
fn size(bytes: i32) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", (bytes + 999) / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

/// A list of documents. With `changed` it is their owner's, who may add and take back.
#[component]
pub fn Documents(
    application: String,
    all: Vec<Document>,
    #[prop(optional)] changed: Option<Callback<()>>,
) -> impl IntoView {
    let failed = RwSignal::new(None::<Failure>);
    let sending = RwSignal::new(None::<String>);
    let application = StoredValue::new(application);
    let open = move |document: Document| {
        failed.set(None);
        leptos::task::spawn_local(async move {
            match documents::read(document.id.inner()).await {
                Ok(content) => {
                    file::save(&document.name, document.kind.media_type(), &content);
                    let name = document.name;
                    toast::show(move || (DocumentsPanel::say().saved)(&name), None);
                }
                Err(failure) => {
                    failed.try_set(Some(failure));
                }
            }
        });
    };
    let remove = move |id: String, changed: Callback<()>| {
        failed.set(None);
        leptos::task::spawn_local(async move {
            match command::send::<Value>(REMOVE, json!({ "document": id })).await {
                Ok(_) => {
                    changed.try_run(());
                }
                Err(failure) => {
                    failed.try_set(Some(failure));
                }
            }
        });
    };
    let chosen = move |event: leptos::ev::Event, changed: Callback<()>| {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok()) else {
            return;
        };
        let files: Vec<web_sys::File> =
            input.files().map_or(Vec::new(), |list| (0..list.length()).filter_map(|n| list.get(n)).collect());
        input.set_value("");
        failed.set(None);
        // Taken along: the list may be drawn anew while the files are on their way.
        let application = application.get_value();
        leptos::task::spawn_local(async move {
            for file in files {
                sending.try_set(Some(file.name()));
                let sent = documents::add(&application, &draft::command_id(), &file).await;
                if let Err(failure) = sent {
                    failed.try_set(Some(failure));
                    break;
                }
            }
            sending.try_set(None);
            changed.try_run(());
        });
    };
    let empty = all.is_empty();
    let rows = all.into_iter().map(|d| {
        let (name, bytes, id) = (d.name.clone(), d.size, d.id.inner().to_string());
        let (label, mark) = (d.name.clone(), d.name.clone());
        view! {
            <li class="spread" data-document=mark>
                <button class="button quiet link-like" on:click=move |_| open(d.clone())>{name}</button>
                <span class="row small muted">
                    {size(bytes)}
                    {changed.map(|changed| {
                        let id = id.clone();
                        view! { <button class="button small" aria-label=move || format!("{} {label}", DocumentsPanel::say().remove) on:click=move |_| remove(id.clone(), changed)>{t(|_| DocumentsPanel::say().remove)}</button> }
                    })}
                </span>
            </li>
        }
    });
    view! {
        <div class="stack documents">
            <h3>{t(|_| DocumentsPanel::say().title)}</h3>
            {if empty {
                view! { <p class="small muted">{move || if changed.is_some() { DocumentsPanel::say().none_yet } else { DocumentsPanel::say().none }}</p> }.into_any()
            } else {
                view! { <ul class="words">{rows.collect_view()}</ul> }.into_any()
            }}
            {changed.map(|changed| view! {
                <label class="button drop">
                    <input type="file" name="document" class="visually-hidden" multiple accept=".pdf,.png,.jpg,.jpeg"
                        disabled=move || sending.get().is_some() on:change=move |e| chosen(e, changed)/>
                    {move || sending.get().map_or_else(|| DocumentsPanel::say().add.to_string(), |name| (DocumentsPanel::say().sending)(&name))}
                </label>
                <p class="small muted">{t(|_| DocumentsPanel::say().means)}</p>
            })}
            {move || failed.get().map(|failure| view! { <Trouble failure/> })}
        </div>
    }
}
