//! Everything the app says, once in each language. A field that one language lacks does not compile.

mod en;
mod errors;
pub mod parked;
mod zh;

use crate::api::Failure;
use crate::components::orders::{ConsentScope, OrderStatus};
use crate::components::proof::Verdict;
use crate::components::term::Finance;
use crate::pages::borrower::loan::query::InstalmentStatus;
use crate::pages::borrower::loans::query::ApplicationStatus;
use crate::pages::investor::overview::query::BidStatus;
use crate::pages::investor::portfolio::query::LoanStatus;
use crate::pages::member::account::programs::ApiScope;
use crate::pages::member::notices::query::NoticeKind;
use crate::pages::member::statement::query::EntryKind;
use crate::pages::public::marketplace::query::ListingStatus;
use crate::pages::staff::day::query::{CloseStatus, CloseStep, Worker};
use crate::pages::staff::people::ChangeKind;
use crate::pages::staff::queue::query::{TaskKind, TaskStatus};
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

    /// As the API calls it.
    pub fn graphql(self) -> &'static str {
        match self {
            Language::English => "ENGLISH",
            Language::Chinese => "CHINESE",
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

/// What one page says, apart from what all pages say: a build without the page does not carry its words.
pub trait Words: Sized + 'static {
    fn of(language: Language) -> &'static Self;

    /// In the reader's language.
    fn say() -> &'static Self {
        Self::of(language())
    }
}

macro_rules! words {
    ($($page:ident $name:ident;)*) => {$(
        impl Words for $page {
            fn of(language: Language) -> &'static $page {
                match language {
                    Language::English => &en::$name,
                    Language::Chinese => &zh::$name,
                }
            }
        }
    )*};
}

words! {
    QueuePage QUEUE;
    FindPage FIND;
    PeoplePage PEOPLE;
    LoanPage LOAN;
    TaskPage TASK;
    ApplyPage APPLY;
    ProgramsPanel PROGRAMS;
    DocumentsPanel DOCUMENTS;
    AuditPage AUDIT;
}

pub struct Messages {
    pub business_day: &'static str,
    pub skip: &'static str,
    pub main_navigation: &'static str,
    pub menu: &'static str,
    pub terms: TermsPage,
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
    /// When the app itself failed: what happened, and the way on.
    pub stopped: (&'static str, &'static str),
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
    pub choose: &'static str,
    /// A chart in words: the first date and amount, the last date and amount.
    pub bars: fn(&str, &str, &str, &str) -> String,
    pub home: Home,
    pub not_found: NotFound,
    pub term: Terms,
    pub market: Market,
    pub listing: ListingPage,
    pub reckon: Reckon,
    pub entrance: Entrance,
    pub letters: Letters,
    pub notices: NoticesPage,
    pub close: &'static str,
    /// Principal and interest together, of one payment.
    pub total: &'static str,
    pub ways: Ways,
    pub copy: &'static str,
    pub copied: &'static str,
    /// By somebody at another device.
    pub signed_out_elsewhere: &'static str,
    /// Leaves a question without doing what it asks.
    pub cancel: &'static str,
    pub action: &'static str,
    pub overview: OverviewPage,
    pub portfolio: PortfolioPage,
    pub bid: BidPanel,
    pub busy: &'static str,
    pub back: &'static str,
    pub next: &'static str,
    pub staff_only: &'static str,
    pub staff_only_why: &'static str,
    pub order_status: fn(OrderStatus) -> &'static str,
    /// And whether it went out.
    pub entry_kind: fn(EntryKind, bool) -> &'static str,
    pub application_status: fn(ApplicationStatus) -> &'static str,
    pub task_kind: fn(TaskKind) -> &'static str,
    pub task_status: fn(TaskStatus) -> &'static str,
    pub close_step: fn(CloseStep) -> &'static str,
    pub close_status: fn(CloseStatus) -> &'static str,
    pub verdict: fn(Verdict) -> &'static str,
    pub orders: OrdersPanel,
    pub cash: CashPage,
    pub consents: ConsentsPanel,
    pub statement: StatementPage,
    pub loans: LoansPage,
    /// Of the staff's audit log, as short as the bar needs it.
    pub audit_log: &'static str,
    pub day: DayPage,
    pub register: RegisterPage,
    pub account: AccountPage,
    pub factor: FactorPanel,
}

/// The staff's pages, as the bar calls them.
pub struct Ways {
    pub queue: &'static str,
    pub find: &'static str,
    pub people: &'static str,
}

pub struct RegisterPage {
    pub invitation_dead: &'static str,
    pub title: &'static str,
    pub invited: &'static str,
    pub steps: [&'static str; 3],
    pub want: &'static str,
    pub lend: &'static str,
    pub borrow: &'static str,
    pub both: &'static str,
    pub country: &'static str,
    pub country_form: &'static str,
    pub number: &'static str,
    pub number_hint: &'static str,
    pub number_form: &'static str,
    pub agrees: &'static str,
    pub email_missing: &'static str,
    pub password_hint: &'static str,
    pub password_short: fn(usize) -> String,
    pub send: &'static str,
    pub then: &'static str,
    pub staff_then: &'static str,
    pub sign_in_now: fn(&str) -> String,
    pub new_here: &'static str,
}

pub struct FindPage {
    pub nobody: &'static str,
    /// What the page of one person shows, and what it does not.
    pub of_one: &'static str,
    pub applications: &'static str,
    pub loans: &'static str,
    pub orders: &'static str,
    pub of_all: &'static str,
    pub what: &'static str,
    pub nothing: &'static str,
    pub nothing_more: &'static str,
    pub since: &'static str,
    pub listings: &'static str,
    pub which: &'static str,
    pub running: &'static str,
    pub overdue: &'static str,
    pub awaiting: &'static str,
    pub closed: &'static str,
    pub no_loans: &'static str,
    pub none_borrowed: &'static str,
    pub borrower: &'static str,
}

pub struct DocumentsPanel {
    pub saved: fn(&str) -> String,
    pub title: &'static str,
    pub none: &'static str,
    pub none_yet: &'static str,
    pub add: &'static str,
    pub sending: fn(&str) -> String,
    pub remove: &'static str,
    pub means: &'static str,
}

pub struct NoticesPage {
    pub title: &'static str,
    pub none: &'static str,
    pub new: &'static str,
    pub since: &'static str,
    /// How many are new, for readers.
    pub bell: fn(u32) -> String,
    /// What has happened, with the amount it is about.
    pub says: fn(NoticeKind, &str) -> String,
    pub mail: &'static str,
    pub mail_means: &'static str,
}

pub struct Letters {
    pub dead: &'static str,
    pub whose: &'static str,
    pub to_me: &'static str,
    pub to_all: &'static str,
    pub forgotten: &'static str,
    pub forgotten_lead: &'static str,
    pub ask: &'static str,
    pub asked: fn(&str) -> String,
    pub other: &'static str,
    pub reset: &'static str,
    pub reset_means: &'static str,
    pub reset_done: &'static str,
    pub confirm: &'static str,
    pub confirmed: &'static str,
    pub confirm_again: &'static str,
    pub unconfirmed: fn(&str) -> String,
    pub send_again: &'static str,
    pub sent: &'static str,
    pub is_confirmed: &'static str,
    pub not_confirmed: &'static str,
    pub mailbox: &'static str,
    pub mailbox_lead: &'static str,
    pub find: &'static str,
    pub newest: fn(usize) -> String,
    pub addressee: &'static str,
    pub no_mail: &'static str,
    pub to_mailbox: &'static str,
}

pub struct AccountPage {
    pub used: fn(&str) -> String,
    pub fixed: &'static str,
    pub mail_language: fn(&str) -> String,
    pub title: &'static str,
    pub roles: &'static str,
    pub sessions: &'static str,
    pub everywhere: &'static str,
    pub here: &'static str,
    pub since: fn(&str) -> String,
    pub password: &'static str,
    pub current: &'static str,
    pub new: &'static str,
    pub password_means: &'static str,
    pub change: &'static str,
    pub changed: &'static str,
}

pub struct AuditPage {
    pub yes: &'static str,
    pub no: &'static str,
    pub title: &'static str,
    pub lead: &'static str,
    pub search: &'static str,
    pub auditors_only: &'static str,
    /// Nobody has done anything yet.
    pub none: &'static str,
    /// How many entries, and up to which the custodian can bear witness.
    pub whole: fn(i32, Option<i32>) -> String,
    pub broken: &'static str,
    pub what: &'static str,
    pub who: &'static str,
    pub about: &'static str,
    pub outcome: &'static str,
    pub when: &'static str,
    pub done: &'static str,
    pub unknown: &'static str,
    /// By its name in the API.
    pub act: fn(&str) -> String,
    pub detail: fn(&str) -> String,
}

pub struct FactorPanel {
    pub title: &'static str,
    pub why: &'static str,
    pub on: &'static str,
    pub left: fn(i32) -> String,
    pub set_up: &'static str,
    pub needs: &'static str,
    pub scan: &'static str,
    pub picture: &'static str,
    pub open_here: &'static str,
    pub or_type: &'static str,
    pub code: &'static str,
    pub shown: &'static str,
    pub code_hint: &'static str,
    pub confirm: &'static str,
    pub is_on: &'static str,
    pub keep: &'static str,
    pub save: &'static str,
    pub kept: &'static str,
    pub renew: &'static str,
    pub renew_means: &'static str,
    pub remove: &'static str,
    pub remove_means: &'static str,
}

pub struct ProgramsPanel {
    pub title: &'static str,
    pub why: &'static str,
    pub add: &'static str,
    pub reads_only: &'static str,
    pub name: &'static str,
    pub name_means: &'static str,
    pub name_missing: &'static str,
    pub may_read: &'static str,
    pub scope: fn(ApiScope) -> &'static str,
    pub scopes_missing: &'static str,
    pub password_missing: &'static str,
    pub made: &'static str,
    pub kept: &'static str,
    pub used: fn(&str) -> String,
    pub unused: &'static str,
    pub revoke: &'static str,
    pub revoke_means: fn(&str) -> String,
}

pub struct PeoplePage {
    pub hand_over_link: &'static str,
    pub yours: &'static str,
    pub found: &'static str,
    pub staff: &'static str,
    pub search: &'static str,
    pub name: &'static str,
    pub propose: &'static str,
    pub change: &'static str,
    pub give: fn(&str) -> String,
    pub take: fn(&str) -> String,
    pub admins_only: &'static str,
    pub invite: &'static str,
    pub invite_means: &'static str,
    pub role: &'static str,
    pub reason_hint: &'static str,
    pub reason_missing: &'static str,
    pub sent: &'static str,
    pub waiting: &'static str,
    pub none: &'static str,
    pub hand_over_password: &'static str,
    pub kind: fn(ChangeKind) -> &'static str,
}

pub struct OrdersPanel {
    pub title: &'static str,
    pub what: &'static str,
    pub placed: &'static str,
    pub short: &'static str,
    pub lead: &'static str,
    pub which: &'static str,
    pub under_way: &'static str,
    pub whose: &'static str,
    pub none: &'static str,
    /// Takes a person's name out of the choice.
    pub of_all: &'static str,
    pub operations_only: &'static str,
    /// The way to the page where an order that waits is confirmed or given up.
    pub decide: &'static str,
    /// By the custodian's word for it.
    pub operation: fn(&str) -> String,
    /// As staff see it.
    pub waits_for_user: &'static str,
    pub refused_by_user: &'static str,
    /// Of whoever lends alone.
    pub freeze_bid: &'static str,
    /// Of whoever borrows alone.
    pub freeze_payment: &'static str,
}

pub struct CashPage {
    pub errand: &'static str,
    pub refused: &'static str,
    pub confirmed: &'static str,
    pub fresh: &'static str,
    pub to_loan: &'static str,
    pub awaited: fn(&str, &str) -> String,
    pub all_of_it: fn(&str) -> String,
    pub at_most: fn(&str) -> String,
    pub open_begun: &'static str,
    pub title: &'static str,
    pub short: &'static str,
    pub in_ledger: &'static str,
    pub virtual_account: &'static str,
    /// The custodian's name.
    pub at: fn(&str) -> String,
    pub own_account: &'static str,
    pub nobody_else: &'static str,
    pub held: &'static str,
    pub matches: &'static str,
    pub on_its_way: fn(&str) -> String,
    pub open_title: &'static str,
    pub open_why: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub name_missing: &'static str,
    pub open: &'static str,
    pub ways: &'static str,
    pub bring_in: &'static str,
    pub take_out: &'static str,
    pub in_hint: &'static str,
    pub out_hint: &'static str,
    pub by_custodian: &'static str,
}

pub struct ConsentsPanel {
    pub title: &'static str,
    pub lead: &'static str,
    pub none: &'static str,
    pub what: &'static str,
    pub scope: fn(ConsentScope) -> &'static str,
    pub per_order_hint: &'static str,
    pub total_hint: &'static str,
    pub per_order: &'static str,
    pub used: &'static str,
    pub total: &'static str,
    pub total_below: &'static str,
    pub until_ahead: &'static str,
    pub see_account: &'static str,
    pub account: fn(&str) -> String,
    pub revoke: &'static str,
    pub allow: &'static str,
    /// While nothing is allowed.
    pub allow_first: &'static str,
    pub ask: &'static str,
}

pub struct StatementPage {
    pub several: fn(usize) -> String,
    pub title: &'static str,
    pub lead: &'static str,
    pub save: &'static str,
    /// The file's first row.
    pub columns: [&'static str; 11],
    pub from: &'static str,
    pub to: &'static str,
    /// Of one payment.
    pub of_it_interest: fn(&str) -> String,
    pub none: &'static str,
    /// Where it was narrowed.
    pub none_such: &'static str,
    pub on: &'static str,
    pub what: &'static str,
    pub ledger: &'static str,
    pub custodian: &'static str,
    pub after: &'static str,
    pub number: &'static str,
    pub agrees: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
}

pub struct ApplyPage {
    pub lends_only_means: &'static str,
    pub lends_only: &'static str,
    pub sure: &'static str,
    pub left_out: &'static str,
    pub lenders_see: &'static str,
    pub at_rate: fn(&str) -> String,
    pub which_product: &'static str,
    /// Before anything is typed.
    pub will_be_kept: &'static str,
    pub keeping: &'static str,
    pub kept: &'static str,
    pub start_over_means: &'static str,
    pub change: &'static str,
    pub kept_here: &'static str,
    pub start_over: &'static str,
    pub title: &'static str,
    pub account_first: &'static str,
    pub steps: [&'static str; 3],
    /// By its currency.
    pub product: fn(&str) -> String,
    pub between: fn(&str, &str) -> String,
    pub months_between: fn(i32, i32) -> String,
    pub purpose_missing: &'static str,
    pub purpose_hint: &'static str,
    pub story: &'static str,
    pub story_hint: &'static str,
    pub income: &'static str,
    pub owes: &'static str,
    pub years: &'static str,
    pub years_form: &'static str,
    pub may_be_left_out: &'static str,
    pub means: &'static str,
    pub send: &'static str,
    pub cost: &'static str,
    pub cost_later: &'static str,
    pub monthly_from: &'static str,
    pub monthly_to: &'static str,
    pub interest_to: &'static str,
    pub fee: &'static str,
    /// For how many days it is listed.
    pub then: fn(i32) -> String,
}

pub struct LoansPage {
    pub a_month: fn(&str) -> String,
    pub allow: &'static str,
    pub allowed: &'static str,
    /// The fee, and an instalment at most.
    pub allow_means: fn(&str, &str) -> String,
    /// When what has been begun was kept.
    pub begun: fn(&str) -> String,
    pub go_on: &'static str,
    pub title: &'static str,
    pub none: &'static str,
    pub none_lead: &'static str,
    pub borrowed: &'static str,
    pub owed: &'static str,
    pub months: fn(i32) -> String,
    pub sent: &'static str,
    pub checked: &'static str,
    pub checked_note: &'static str,
    pub declined_note: &'static str,
    pub withdrawn_note: &'static str,
    pub funded: &'static str,
    pub until: fn(&str) -> String,
    pub paid_out: &'static str,
    pub paid_out_note: &'static str,
    pub as_lenders_see: &'static str,
    pub withdraw: &'static str,
    pub withdraw_means: &'static str,
    /// Taking a listing back.
    pub take_back: &'static str,
    pub take_back_means: &'static str,
}

pub struct LoanPage {
    pub paid: &'static str,
    pub being_paid: fn(&str) -> String,
    pub until_closed: &'static str,
    pub missing: fn(&str) -> String,
    pub off_by_hand: &'static str,
    pub payments: &'static str,
    pub on: &'static str,
    pub paid_off: &'static str,
    pub replaced_on: fn(&str) -> String,
    pub fee_untaken: fn(&str) -> String,
    pub see_consents: &'static str,
    pub still_owed: &'static str,
    pub none: &'static str,
    pub paid_back: &'static str,
    pub being_paid_out: &'static str,
    pub due_now: fn(&str) -> String,
    /// The amount, and when.
    pub next: fn(&str, &str) -> String,
    pub started: &'static str,
    pub pay: &'static str,
    pub on_its_way: fn(&str) -> String,
    pub to_confirm: fn(&str) -> String,
    pub short: &'static str,
    pub past_due: &'static str,
    pub due_today: &'static str,
    pub payments_made: &'static str,
    pub still_owed_by_plan: &'static str,
    pub pays_due: &'static str,
    pub pays_ahead: fn(&str) -> String,
    pub pay_sum: fn(&str) -> String,
    pub by_consent: &'static str,
    pub off: &'static str,
    pub off_lead: &'static str,
    pub ask_quote: &'static str,
    pub holds: fn(&str) -> String,
    pub left: fn(&str) -> String,
    pub off_sum: fn(&str) -> String,
    pub plan: &'static str,
    pub paid_on: fn(&str) -> String,
    pub instalment: fn(InstalmentStatus) -> &'static str,
}

pub struct QueuePage {
    pub for_months: fn(i32) -> String,
    pub glance: &'static str,
    pub overdue_loans: &'static str,
    pub orders_open: &'static str,
    pub parked: &'static str,
    pub waiting: fn(usize) -> String,
    pub for_you: fn(usize) -> String,
    pub unrated: &'static str,
    pub which: &'static str,
    pub free: &'static str,
    pub mine: &'static str,
    pub second: &'static str,
    pub empty: &'static str,
    pub by_itself: &'static str,
    pub task: &'static str,
    pub about: &'static str,
    pub age: &'static str,
    pub with: &'static str,
    pub claim: &'static str,
    pub release: &'static str,
    pub you: &'static str,
}

pub struct TaskPage {
    pub sure: &'static str,
    pub sure_yes: &'static str,
    pub moves: fn(TaskKind) -> &'static str,
    /// Above the question whether one refuses.
    pub sure_not: &'static str,
    pub refusal_means: fn(TaskKind) -> &'static str,
    pub say_word: &'static str,
    pub on_market: &'static str,
    pub fee_forbidden: &'static str,
    pub none: &'static str,
    pub opened: fn(&str) -> String,
    pub words: &'static str,
    pub nobody_yet: &'static str,
    pub approved: &'static str,
    pub refused: &'static str,
    pub not_yours: fn(TaskKind) -> &'static str,
    pub spoke: &'static str,
    pub means: fn(TaskKind) -> &'static str,
    pub application: &'static str,
    pub claim_means: &'static str,
    pub reason_kept: &'static str,
    pub approved_then: fn(TaskKind) -> &'static str,
    pub refused_then: &'static str,
    pub to_queue: &'static str,
    pub reason: &'static str,
    pub reason_hint: &'static str,
    pub reason_missing: &'static str,
    pub approve: &'static str,
    pub refuse: &'static str,
    pub owes: &'static str,
    pub years: &'static str,
    pub burden: &'static str,
    /// What is missing to judge by.
    pub lacking: &'static str,
    pub no_income: &'static str,
    pub no_documents: &'static str,
    pub no_cash_account: &'static str,
    pub at_most: fn(&str) -> String,
    pub sent: fn(&str) -> String,
    pub set_rate: &'static str,
    pub set_rate_means: &'static str,
    pub rate_set: &'static str,
    pub officers_rate: &'static str,
    pub rate_between: fn(&str, &str) -> String,
    pub then_pays: fn(&str) -> String,
}

pub struct DayPage {
    pub sure: fn(&str) -> String,
    pub still_on_the_way: fn(i32) -> String,
    pub in_flight: fn(i32, &str) -> String,
    pub broken: fn(&str, &str) -> String,
    pub audit_broken: &'static str,
    pub begun: fn(&str) -> String,
    pub day_run: fn(i32, i32) -> String,
    pub worker: fn(Worker) -> &'static str,
    pub as_written: &'static str,
    pub a_person: &'static str,
    pub tried: fn(i32) -> String,
    pub since: &'static str,
    pub title: &'static str,
    pub today: fn(&str) -> String,
    pub close_of: fn(&str) -> String,
    pub close: &'static str,
    pub see_overdue: &'static str,
    pub see_orders: &'static str,
    pub close_named: fn(&str) -> String,
    pub close_means: &'static str,
    pub operations_close: &'static str,
    pub not_yours: &'static str,
    pub proof: &'static str,
    pub prove: &'static str,
    pub at_custodian: &'static str,
    pub differs: &'static str,
    pub owners: &'static str,
    pub entries: &'static str,
    pub movements: &'static str,
    pub chain: &'static str,
    pub parked: &'static str,
    pub none_parked: &'static str,
    pub what_failed: &'static str,
    pub why: &'static str,
    pub attempts: &'static str,
}

pub struct Home {
    pub in_flight: &'static str,
    pub title: &'static str,
    pub lead: &'static str,
    pub see_open: &'static str,
    pub reckon: &'static str,
    /// How many owners, and when.
    pub proved: fn(i32, &str) -> String,
    pub all_in_ledger: &'static str,
    pub all_at_custodian: &'static str,
    /// Three promises, each with its heading.
    pub promises: [(&'static str, &'static str); 3],
}

pub struct NotFound {
    pub page: &'static str,
    pub title: &'static str,
    pub nothing_lost: &'static str,
    pub begin: &'static str,
}

pub struct Terms {
    /// The question that opens a term's meaning.
    pub ask: fn(&str) -> String,
    pub means: fn(Finance) -> &'static str,
}

pub struct Market {
    pub rate_lowest: &'static str,
    pub ends_latest: &'static str,
    pub nothing_fits: &'static str,
    pub clear: &'static str,
    pub search: &'static str,
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
    pub any: &'static str,
    pub rate_from: &'static str,
    pub percent_or_more: fn(u32) -> String,
    pub term_up_to: &'static str,
    pub up_to_months: fn(u32) -> String,
    pub order: &'static str,
    pub newest: &'static str,
    pub rate_highest: &'static str,
    pub term_shortest: &'static str,
    pub term_longest: &'static str,
    pub amount_smallest: &'static str,
    pub amount_greatest: &'static str,
    pub ends_soonest: &'static str,
}

pub struct ListingPage {
    pub borrows_only: &'static str,
    pub join: &'static str,
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
    pub all_rows: fn(usize) -> String,
    pub no_grade: &'static str,
    pub no_words: &'static str,
    pub before: &'static str,
    pub warnings: [&'static str; 3],
    pub back: &'static str,
    pub if_today: &'static str,
    pub back_as_offered: &'static str,
    pub see_portfolio: &'static str,
    pub due: &'static str,
}

pub struct Reckon {
    pub too_small: &'static str,
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
    /// Principal and interest together.
    pub paid_back: &'static str,
    pub last_month: &'static str,
    pub number: &'static str,
}

pub struct Entrance {
    pub already: fn(&str) -> String,
    pub show_password: &'static str,
    pub show: &'static str,
    pub hide: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    pub busy: &'static str,
    pub demo: &'static str,
    pub demo_lead: &'static str,
}

pub struct OverviewPage {
    pub you_owe: &'static str,
    pub top_up_first: &'static str,
    pub where_it_is: &'static str,
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
    pub overdue: &'static str,
    pub comes_back: &'static str,
    pub bids: &'static str,
    pub bids_sum: fn(&str) -> String,
    pub bid_placed: &'static str,
    pub nothing: &'static str,
    pub nothing_more: &'static str,
}

pub struct PortfolioPage {
    /// Of a loan that is late: since when, and how many days.
    pub behind: fn(&str, i32) -> String,
    /// Beneath what is to come back.
    pub as_planned: &'static str,
    /// Of an instalment that is late.
    pub due_since: fn(&str) -> String,
    pub next: &'static str,
    pub bids: fn(usize) -> String,
    pub pictures: &'static str,
    pub by_rate: &'static str,
    pub come_back: &'static str,
    pub calendar: &'static str,
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
    pub history: &'static str,
    pub on: &'static str,
    pub no_history: &'static str,
    pub arriving: &'static str,
}

pub struct BidPanel {
    pub sure: &'static str,
    pub keep: &'static str,
    pub waits_for_you: &'static str,
    pub title: &'static str,
    pub free: fn(&str) -> String,
    /// Of what there is.
    pub not_enough: fn(&str) -> String,
    /// The smallest bid, and the rest that is sought.
    pub between: fn(&str, &str) -> String,
    /// The interest in all, the monthly payment, and for how many months.
    pub brings: fn(&str, &str, u32) -> String,
    pub means: &'static str,
    pub lend: &'static str,
    pub frozen: fn(&str) -> String,
    pub waits: fn(&str) -> String,
    pub confirm: fn(&str) -> String,
    pub to_custodian: &'static str,
    pub refused: fn(&str) -> String,
    pub yours: &'static str,
    pub see_portfolio: &'static str,
    pub take_back: &'static str,
    pub take_back_means: &'static str,
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
    crate::session::write_in(language);
    if let Some(now) = LANGUAGE.get() {
        now.set(language);
    }
    if let Ok(Some(storage)) = window().local_storage() {
        storage.set_item(KEY, language.tag()).ok();
    }
}

/// The language of now as the API calls it.
pub fn graphql_language() -> &'static str {
    LANGUAGE.get().map_or(Language::English, |l| l.get_untracked()).graphql()
}

/// What the app says, in the language of now; whoever asks is told when it changes.
pub fn say() -> &'static Messages {
    language().messages()
}

/// What is said when the app itself failed, by a page's mark of its language: nothing that follows may be asked any more.
pub fn stopped(tag: &str) -> (&'static str, &'static str) {
    Language::of_tag(tag).unwrap_or(Language::English).messages().stopped
}

/// One message, following the language.
pub fn t(pick: fn(&Messages) -> &'static str) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    move || pick(say())
}

/// A page's title, following the language.
pub fn title(pick: fn(&Messages) -> &'static str) -> impl Fn() -> String + Copy + Send + Sync + 'static {
    move || format!("{} · Counterfoil", pick(say()))
}

/// A code alone, as near to a sentence as it comes: in a log there is no more.
pub fn code_words(code: &str) -> String {
    if language() == Language::Chinese
        && let Some(sentence) = errors::chinese(code)
    {
        return sentence.to_string();
    }
    const SERVICES: [&str; 6] = ["IDENTITY", "CUSTODY", "LENDING", "INVESTING", "OFFICE", "NOTIFICATION"];
    let bare =
        code.split_once('_').filter(|(service, _)| SERVICES.contains(service)).map_or(code, |(_, rest)| rest);
    bare.to_lowercase().replace('_', " ")
}

/// What a custodian calls itself in the reader's language; one that is not known here is called as the server calls it.
pub fn custodian_name(code: &str) -> String {
    match (code, language()) {
        ("harbour", Language::English) => "Harbour Custody".into(),
        ("harbour", Language::Chinese) => "海港存管".into(),
        _ => code.into(),
    }
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

/// What one agrees to; each section has its heading and two paragraphs.
pub struct TermsPage {
    pub title: &'static str,
    pub sections: [(&'static str, [&'static str; 2]); 4],
}
