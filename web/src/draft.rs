//! What was typed and not yet accepted, with its command's id: both outlive a reload, so that nothing is typed twice and
//! nothing is done twice.

use leptos::prelude::{ArcRwSignal, window};

thread_local! {
    static KEPT: ArcRwSignal<u32> = ArcRwSignal::new(0);
}

/// Counts the drafts that the server has taken, also from a page that has been left.
pub fn kept() -> ArcRwSignal<u32> {
    KEPT.with(Clone::clone)
}

/// A new command's id: a UUID of version 7.
pub fn command_id() -> String {
    let mut random = [0u8; 10];
    if let Ok(crypto) = window().crypto() {
        crypto.get_random_values_with_u8_array(&mut random).ok();
    }
    let ms = js_sys::Date::now() as u64;
    let hex: String = random.iter().map(|b| format!("{b:02x}")).collect();
    let variant = char::from(b"89ab"[usize::from(random[1] & 3)]);
    format!(
        "{:08x}-{:04x}-7{}-{variant}{}-{}",
        ms >> 16,
        ms & 0xffff,
        hex.get(..3).unwrap_or_default(),
        hex.get(4..7).unwrap_or_default(),
        hex.get(8..20).unwrap_or_default()
    )
}

/// A form's contents under its name, for as long as the tab lives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Draft {
    pub id: String,
    pub text: String,
    /// It may have been done: what is typed from here on is another command.
    pub sent: bool,
}

/// Stands behind the id of what was sent.
const SENT: &str = "!";

impl Draft {
    pub fn new() -> Draft {
        Draft { id: command_id(), text: String::new(), sent: false }
    }

    /// What was begun under this name, or a new one.
    pub fn taken_up(name: &str) -> Draft {
        let stored =
            window().session_storage().ok().flatten().and_then(|s| s.get_item(&key(name)).ok().flatten());
        let parts = stored.as_deref().and_then(|s| s.split_once('\n'));
        let read = |(id, text): (&str, &str)| {
            let (id, sent) = id.split_once(SENT).map_or((id, false), |(id, _)| (id, true));
            Draft { id: id.into(), text: text.into(), sent }
        };
        parts.map_or_else(Draft::new, read)
    }

    pub fn keep(&self, name: &str) {
        if let Ok(Some(storage)) = window().session_storage() {
            let mark = if self.sent { SENT } else { "" };
            storage.set_item(&key(name), &format!("{}{mark}\n{}", self.id, self.text)).ok();
        }
    }

    /// It has been accepted, or was given up.
    pub fn forget(name: &str) {
        if let Ok(Some(storage)) = window().session_storage() {
            storage.remove_item(&key(name)).ok();
        }
    }
}

/// All that was begun in this tab.
pub fn forget_all() {
    let Ok(Some(storage)) = window().session_storage() else { return };
    let keys: Vec<String> =
        (0..storage.length().unwrap_or(0)).filter_map(|n| storage.key(n).ok().flatten()).collect();
    for name in keys.iter().filter(|k| k.starts_with(&key(""))) {
        storage.remove_item(name).ok();
    }
}

fn key(name: &str) -> String {
    format!("counterfoil.draft.{name}")
}
