//! Leaving for the custodian's page, and coming back to where one left.

use crate::messages::language;
use crate::page::Page;
use leptos::prelude::*;

const KEY: &str = "counterfoil.back";

/// Goes to the custodian's own page, if there is one to go to.
pub fn go(url: Option<&str>) {
    let Some(url) = url else { return };
    remember();
    window().location().assign(&there(url)).ok();
}

/// The custodian's page in the reader's language; it knows the languages by the same tags.
pub fn there(url: &str) -> String {
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}lang={}", language().tag())
}

/// From here one leaves.
pub fn remember() {
    let location = window().location();
    let here = location.pathname().unwrap_or_default() + &location.search().unwrap_or_default();
    if let Ok(Some(storage)) = window().session_storage() {
        storage.set_item(KEY, &here).ok();
    }
}

/// What brought one to the cash account, to be gone on with once it is there.
const ERRAND: &str = "counterfoil.errand";

/// One is on the way to something that needs a cash account first.
pub fn set_errand(page: Option<&Page>) {
    if let Ok(Some(storage)) = window().session_storage() {
        match page {
            Some(page) => storage.set_item(ERRAND, &page.path()).ok(),
            None => storage.remove_item(ERRAND).ok(),
        };
    }
}

/// What one had begun.
pub fn errand() -> Option<Page> {
    let kept = window().session_storage().ok().flatten()?.get_item(ERRAND).ok().flatten()?;
    Page::at(&kept)
}

/// Where one left, or where one's orders are.
pub fn place() -> String {
    let kept = window().session_storage().ok().flatten().and_then(|s| {
        let kept = s.get_item(KEY).ok().flatten();
        s.remove_item(KEY).ok();
        kept
    });
    let ours = |path: &String| path.starts_with('/') && !path.starts_with("//");
    kept.filter(ours).unwrap_or_else(|| Page::Cash.path())
}
