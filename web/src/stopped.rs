//! When the app itself fails: what a person sees then, rather than a page that no longer answers.

use crate::messages;
use leptos::prelude::{document, window};
use std::panic::PanicHookInfo;

/// Says in the page that it has stopped, and to whoever looks for the cause where.
pub fn say_so_on_panic() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo| {
        leptos::logging::error!("{info}");
        show();
    }));
}

/// Beside the app, which draws nothing any more: plain elements, and the words as the page's language is marked.
fn show() -> Option<()> {
    let document = document();
    if document.get_element_by_id("stopped").is_some() {
        return None;
    }
    let root = document.document_element()?;
    let words = messages::stopped(&root.get_attribute("lang").unwrap_or_default());
    let notice = document.create_element("div").ok()?;
    notice.set_id("stopped");
    notice.set_class_name("notice bad stopped");
    notice.set_attribute("role", "alert").ok()?;
    let said = document.create_element("span").ok()?;
    said.set_text_content(Some(words.0));
    let again = document.create_element("a").ok()?;
    again.set_class_name("button");
    again.set_text_content(Some(words.1));
    // A plain link to here, which the router leaves alone: nothing of the app has to answer for it.
    again.set_attribute("rel", "external").ok()?;
    again.set_attribute("href", &window().location().href().ok()?).ok()?;
    notice.append_child(&said).ok()?;
    notice.append_child(&again).ok()?;
    document.body()?.append_child(&notice).ok()?;
    Some(())
}
