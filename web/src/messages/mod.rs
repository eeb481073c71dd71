//! Everything the app says, once in each language. A field that one language lacks does not compile.

mod en;
mod errors;
mod zh;

use crate::api::Failure;
use crate::pages::investor::overview::query::BidStatus;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::public::marketplace::query::ListingStatus;
use crate::session::Role;
use leptos::prelude::*;
use std::cell::Cell;

/// The languages, each by its tag.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Language {
    English,
    Chinese,
}

impl Language {
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// As HTML and the browser's formatters call it.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh-CN",
        }
    }

    /// In itself, as its readers look for it.
    pub fn name(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Chinese => "简体中文",
        }
    }

    /// As short as a bar needs it.
    pub fn short(self) -> &'static str {
        match self {
            Language::English => "EN",
            Language::Chinese => "中文",
        }
    }

    fn messages(self) -> &'static Messages {
        match self {
            Language::English => &en::EN,
            Language::Chinese => &zh::ZH,
        }
    }

    fn of_tag(tag: &str) -> Option<Language> {
        let tag = tag.to_lowercase();
        if tag.starts_with("zh") {
            Some(Language::Chinese)
        } else if tag.starts_with("en") {
            Some(Language::English)
        } else {
            None
        }
    }
}

pub struct Messages {
    pub skip: &'static str,
    pub main_navigation: &'static str,
    pub home_link: &'static str,
    pub language: &'static str,
    pub light: &'static str,
    pub dark: &'static str,
    pub switch_colours: &'static str,
    pub sign_in: &'static str,
    pub sign_out: &'static str,
    pub marketplace: &'static str,
    pub calculator: &'static str,
    pub foot: &'static str,
    pub loading: &'static str,
    pub again: &'static str,
    pub offline: &'static str,
    pub unreadable: &'static str,
    pub no_answer: &'static str,
    pub did_not_work: &'static str,
    pub funded: &'static str,
    pub live: &'static str,
    pub connecting: &'static str,
    pub reconnecting: &'static str,
    pub rate_a_year: &'static str,
    pub months: &'static str,
    pub amount: &'static str,
    pub interest: &'static str,
    pub principal: &'static str,
    pub left: &'static str,
    pub role: fn(Role) -> &'static str,
    pub listing_status: fn(ListingStatus) -> &'static str,
    pub bid_status: fn(BidStatus) -> &'static str,
    pub loan_status: fn(LoanStatus) -> &'static str,
    pub state: &'static str,
    pub month: &'static str,
    pub members_only: &'static str,
    pub as_table: &'static str,
    /// A chart in words: the first date and amount, the last date and amount.
    pub bars: fn(&str, &str, &str, &str) -> String,
    pub home: Home,
    pub not_found: NotFound,
    pub market: Market,
    pub listing: ListingPage,
    pub reckon: Reckon,
    pub entrance: Entrance,
    pub overview: OverviewPage,
    pub portfolio: PortfolioPage,
    pub bid: BidPanel,
}

pub struct Home {
    pub title: &'static str,
    pub lead: &'static str,
    pub see_open: &'static str,
    pub reckon: &'static str,
    /// Three promises, each with its heading.
    pub promises: [(&'static str, &'static str); 3],
}

pub struct NotFound {
    pub page: &'static str,
    pub title: &'static str,
    pub nothing_lost: &'static str,
    pub begin: &'static str,
}

pub struct Market {
    pub which: &'static str,
    pub open: &'static str,
    pub filled: &'static str,
    pub paid_out: &'static str,
    pub all: &'static str,
    pub nothing: &'static str,
    pub by_themselves: &'static str,
    pub purpose: &'static str,
    pub pays_monthly: &'static str,
    pub until: &'static str,
    pub more: &'static str,
}

pub struct ListingPage {
    pub just_came: fn(&str) -> String,
    pub none: &'static str,
    pub to_market: &'static str,
    /// The rest, and until when.
    pub still_sought: fn(&str, &str) -> String,
    pub all_there: &'static str,
    pub paying: &'static str,
    pub paid: &'static str,
    pub expired: &'static str,
    pub cancelled: &'static str,
    pub funding: &'static str,
    pub of: fn(&str) -> String,
    pub terms: &'static str,
    pub borrower_pays: &'static str,
    pub smallest_bid: &'static str,
    pub words: &'static str,
    pub no_words: &'static str,
    pub before: &'static str,
    pub warnings: [&'static str; 3],
    pub back: &'static str,
    pub if_today: &'static str,
    pub due: &'static str,
}

pub struct Reckon {
    pub title: &'static str,
    pub lead: &'static str,
    pub currency: &'static str,
    pub rate_percent: &'static str,
    pub above_zero: &'static str,
    /// The currency, and an amount in the reader's form.
    pub no_decimals: fn(&str, &str) -> String,
    /// How many decimals, and an amount in the reader's form.
    pub decimals: fn(u32, &str) -> String,
    pub percent_form: fn(&str) -> String,
    pub percent_most: &'static str,
    pub months_form: &'static str,
    pub mend: &'static str,
    pub each_month: &'static str,
    pub in_all: &'static str,
    pub last_month: &'static str,
    pub number: &'static str,
}

pub struct Entrance {
    pub email: &'static str,
    pub password: &'static str,
    pub busy: &'static str,
    pub demo: &'static str,
    pub demo_lead: &'static str,
}

pub struct OverviewPage {
    pub title: &'static str,
    pub you_have: fn(&str) -> String,
    /// The amount, and when.
    pub next: fn(&str, &str) -> String,
    pub missing: fn(&str) -> String,
    pub available: &'static str,
    pub frozen: &'static str,
    pub lent_out: &'static str,
    pub earned: &'static str,
    pub xirr: &'static str,
    pub xirr_help: &'static str,
    pub overdue: &'static str,
    pub comes_back: &'static str,
    pub bids: &'static str,
    pub nothing: &'static str,
    pub nothing_more: &'static str,
}

pub struct PortfolioPage {
    pub title: &'static str,
    pub which: &'static str,
    pub running: &'static str,
    pub late: &'static str,
    pub over: &'static str,
    pub none: &'static str,
    pub lent: &'static str,
    pub still_out: &'static str,
    pub since: &'static str,
    pub days_late: fn(i32) -> String,
}

pub struct BidPanel {
    pub title: &'static str,
    pub free: fn(&str) -> String,
    /// The smallest bid, and the rest that is sought.
    pub between: fn(&str, &str) -> String,
    /// The interest in all, the monthly payment, and for how many months.
    pub brings: fn(&str, &str, u32) -> String,
    pub means: &'static str,
    pub lend: &'static str,
    pub busy: &'static str,
    pub frozen: fn(&str) -> String,
    pub waits: fn(&str) -> String,
    pub confirm: fn(&str) -> String,
    pub to_custodian: &'static str,
    pub refused: fn(&str) -> String,
}

/// Where the choice is remembered in this browser.
const KEY: &str = "counterfoil.language";

thread_local! {
    static LANGUAGE: Cell<Option<RwSignal<Language>>> = const { Cell::new(None) };
}

fn stored() -> Option<Language> {
    let storage = window().local_storage().ok().flatten()?;
    Language::of_tag(&storage.get_item(KEY).ok().flatten()?)
}

fn preferred() -> Language {
    let wishes = window().navigator().languages();
    wishes.iter().find_map(|w| Language::of_tag(&w.as_string()?)).unwrap_or(Language::English)
}

/// Begins with what was chosen here, or else with what the browser prefers.
pub fn provide() {
    let language = RwSignal::new(stored().unwrap_or_else(preferred));
    LANGUAGE.set(Some(language));
    Effect::new(move |_| {
        if let Some(root) = document().document_element() {
            root.set_attribute("lang", language.get().tag()).ok();
        }
    });
}

/// The language now; whoever asks is told when it changes.
pub fn language() -> Language {
    LANGUAGE.get().map_or(Language::English, |l| l.get())
}

pub fn choose(language: Language) {
    if let Some(now) = LANGUAGE.get() {
        now.set(language);
    }
    if let Ok(Some(storage)) = window().local_storage() {
        storage.set_item(KEY, language.tag()).ok();
    }
}

/// What the app says, in the language of now; whoever asks is told when it changes.
pub fn say() -> &'static Messages {
    language().messages()
}

/// One message, following the language.
pub fn t(pick: fn(&Messages) -> &'static str) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    move || pick(say())
}

/// A page's title, following the language.
pub fn title(pick: fn(&Messages) -> &'static str) -> impl Fn() -> String + Copy + Send + Sync + 'static {
    move || format!("{} · Counterfoil", pick(say()))
}

/// A failure in the language of now. The server's own sentence names figures, and stands where it is the reader's language
/// or nothing better is known.
pub fn sentence(failure: &Failure) -> String {
    let own = match failure.code.as_str() {
        "OFFLINE" => Some(say().offline),
        "UNREADABLE" => Some(say().unreadable),
        "NO_ANSWER" => Some(say().no_answer),
        "UNKNOWN" => Some(say().did_not_work),
        code if language() == Language::Chinese => errors::chinese(code),
        _ => None,
    };
    let mut text = own.map_or_else(|| failure.message.clone(), str::to_string);
    // A sentence begins with a capital; in the API it is part of a line.
    if own.is_none()
        && let Some(first) = text.get(..1)
    {
        text = format!("{}{}", first.to_uppercase(), &text[1..]);
        if !text.ends_with(['.', '!', '?', '。']) {
            text.push('.');
        }
    }
    text
}
