//! Files that a person is given.

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};

/// Hands some content to the person as a file.
pub fn save(name: &str, kind: &str, content: &JsValue) {
    let parts = js_sys::Array::of1(content);
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(kind);
    // A sequence of texts, of buffers or of both.
    let Ok(blob) = web_sys::Blob::new_with_buffer_source_sequence_and_options(&parts, &options) else {
        return;
    };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
    let link = document().create_element("a").ok().and_then(|a| a.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(link) = link {
        link.set_attribute("href", &url).ok();
        link.set_attribute("download", name).ok();
        link.click();
    }
    // The download has begun by the next turn.
    let revoke = move || {
        web_sys::Url::revoke_object_url(&url).ok();
    };
    leptos::prelude::set_timeout(revoke, std::time::Duration::from_secs(10));
}
