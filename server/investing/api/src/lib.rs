//! What others may ask of investing: listings and bids.

use chrono::{DateTime, NaiveDate, Utc};
use finance::{Currency, Money, Rate};
use kernel::id::{ApplicationId, BidId, InstructionId, ListingId, PartyId};
use platform::outbox::{Announces, EventPage, EventsAfter};
use platform::page::{Key, Mark, Page};
use platform::reader::{DeadLetter, ParkedOf, Unpark};
use serde::{Deserialize, Serialize};

kernel::errors! {
    pub enum InvestingError {
        ListingNotFound = "INVESTING_LISTING_NOT_FOUND" @ "listing": "there is no such listing",
        ListingNotOpen = "INVESTING_LISTING_NOT_OPEN" @ "listing": "this listing no longer takes bids",
        /// From disbursement on nothing is cancelled.
        ListingNotCancellable = "INVESTING_LISTING_NOT_CANCELLABLE" @ "listing": "this listing can no longer be cancelled",
        BidNotFound = "INVESTING_BID_NOT_FOUND" @ "bid": "there is no such bid",
        BidIdTaken = "INVESTING_BID_ID_TAKEN" @ "id": "this id was used for another bid",
        BidNotWithdrawable = "INVESTING_BID_NOT_WITHDRAWABLE" @ "bid": "this bid can no longer be withdrawn",
        BelowMinimum { minimum: Money } = "INVESTING_BELOW_MINIMUM" @ "amount": "a bid is at least {minimum}",
        /// Somebody was faster.
        ExceedsRest { rest: Money } = "INVESTING_EXCEEDS_REST" @ "amount": "only {rest} are still sought",
        CurrencyDiffers = "INVESTING_CURRENCY_DIFFERS" @ "amount": "the listing is in another currency",
        OwnListing = "INVESTING_OWN_LISTING" @ "listing": "you cannot lend to yourself",
        InsufficientFunds = "INVESTING_INSUFFICIENT_FUNDS" @ "amount": "there is not enough available money; top up first",
        AccountBlocked = "INVESTING_ACCOUNT_BLOCKED": "the account is blocked until an open difference has been settled",
    }
}

/// The smallest bid: twenty-five units of a currency with two decimal places, and alike for others.
pub fn bid_minimum(currency: finance::Currency) -> Money {
    let minor = match currency.exponent() {
        0 => 2_500,
        3 => 10_000,
        _ => 25_00,
    };
    Money::new(minor, currency)
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlaceBid {
    pub id: BidId,
    pub listing: ListingId,
    pub amount: Money,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WithdrawBid {
    pub bid: BidId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CancelListing {
    pub listing: ListingId,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListingOf {
    pub listing: ListingId,
}

#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CurrenciesOf {}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListingsOf {
    /// Only these, when there are any.
    pub ids: Vec<ListingId>,
    pub borrower: Option<PartyId>,
    pub status: Option<ListingStatus>,
    pub currency: Option<finance::Currency>,
    /// Only those whose purpose contains this, whatever the case.
    #[serde(default)]
    pub text: Option<String>,
    /// Only those that pay at least this a year.
    #[serde(default)]
    pub rate_at_least: Option<finance::Rate>,
    /// Only those that run at most this long.
    #[serde(default)]
    pub months_at_most: Option<u32>,
    #[serde(default)]
    pub order: ListingOrder,
    pub page: Page,
}

impl ListingsOf {
    /// All there are, newest first.
    pub fn all(page: Page) -> ListingsOf {
        ListingsOf {
            ids: Vec::new(),
            borrower: None,
            status: None,
            currency: None,
            text: None,
            rate_at_least: None,
            months_at_most: None,
            order: ListingOrder::default(),
            page,
        }
    }
}

/// By what listings are sorted. Amounts of several currencies are sorted by their figures alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ListingField {
    OpenedAt,
    Rate,
    Term,
    Amount,
    ExpiresOn,
}

/// Which listings come first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListingOrder {
    pub field: ListingField,
    pub descending: bool,
}

impl Default for ListingOrder {
    fn default() -> ListingOrder {
        ListingOrder { field: ListingField::OpenedAt, descending: true }
    }
}

impl ListingOrder {
    /// A listing's place in this order.
    pub fn mark(self, listing: &ListingView) -> Mark {
        let key = match self.field {
            ListingField::OpenedAt => Key::Instant(listing.opened_at),
            ListingField::Rate => Key::Number(listing.rate.ppm().into()),
            ListingField::Term => Key::Number(listing.term_months.into()),
            ListingField::Amount => Key::Number(listing.amount.minor()),
            ListingField::ExpiresOn => Key::Day(listing.expires_on),
        };
        Mark { key, id: listing.id.0 }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BidsOf {
    /// One's own, or all of a listing for staff and services.
    pub investor: Option<PartyId>,
    pub listing: Option<ListingId>,
    pub page: Page,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunDay {
    pub date: NaiveDate,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ListingStatus {
    Open,
    Filled,
    Disbursing,
    Disbursed,
    Expired,
    Cancelled,
}

impl ListingStatus {
    pub fn code(self) -> &'static str {
        match self {
            ListingStatus::Open => "OPEN",
            ListingStatus::Filled => "FILLED",
            ListingStatus::Disbursing => "DISBURSING",
            ListingStatus::Disbursed => "DISBURSED",
            ListingStatus::Expired => "EXPIRED",
            ListingStatus::Cancelled => "CANCELLED",
        }
    }

    pub fn from_code(code: &str) -> Option<ListingStatus> {
        use ListingStatus as S;
        [S::Open, S::Filled, S::Disbursing, S::Disbursed, S::Expired, S::Cancelled]
            .into_iter()
            .find(|s| s.code() == code)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BidStatus {
    Reserved,
    Frozen,
    Settled,
    Refused,
    Withdrawing,
    Withdrawn,
    /// The listing failed and the money is free again.
    Returned,
}

impl BidStatus {
    pub fn code(self) -> &'static str {
        match self {
            BidStatus::Reserved => "RESERVED",
            BidStatus::Frozen => "FROZEN",
            BidStatus::Settled => "SETTLED",
            BidStatus::Refused => "REFUSED",
            BidStatus::Withdrawing => "WITHDRAWING",
            BidStatus::Withdrawn => "WITHDRAWN",
            BidStatus::Returned => "RETURNED",
        }
    }

    pub fn from_code(code: &str) -> Option<BidStatus> {
        use BidStatus as S;
        [S::Reserved, S::Frozen, S::Settled, S::Refused, S::Withdrawing, S::Withdrawn, S::Returned]
            .into_iter()
            .find(|s| s.code() == code)
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ListingView {
    pub id: ListingId,
    pub application: ApplicationId,
    pub borrower: PartyId,
    pub amount: Money,
    /// Of bids whose money is frozen.
    pub funded: Money,
    pub rate: Rate,
    pub term_months: u32,
    /// What the borrower pays the platform at disbursement.
    pub fee: Money,
    pub purpose: String,
    pub story: String,
    pub status: ListingStatus,
    pub expires_on: NaiveDate,
    pub opened_at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BidView {
    pub id: BidId,
    pub listing: ListingId,
    pub investor: PartyId,
    pub amount: Money,
    pub status: BidStatus,
    /// The custodian's reason where it was refused.
    pub why: String,
    pub freeze: InstructionId,
    /// Where the investor confirms, where no consent covers the bid.
    pub redirect_url: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum InvestingEvent {
    ListingOpened {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
    },
    BidFrozen {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
        bid: BidView,
    },
    BidRefused {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
        bid: BidView,
    },
    /// The bid's money is to be given back at the custodian.
    BidReleased {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
        bid: BidView,
    },
    /// It has been given back.
    BidEnded {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
        bid: BidView,
    },
    ListingFilled {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
        borrower_person: kernel::id::PersonId,
    },
    /// Two people have decided that it be paid out.
    DisbursementDecided {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
        bids: Vec<BidView>,
    },
    ListingDisbursed {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
    },
    ListingExpired {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
    },
    ListingCancelled {
        #[serde(serialize_with = "without_texts")]
        listing: ListingView,
    },
}

/// Events are kept for ever and hold nothing personal: what the borrower wrote stays in the listing, where it can be
/// erased, and is empty in every event that is read.
fn without_texts<S: serde::Serializer>(listing: &ListingView, to: S) -> Result<S::Ok, S::Error> {
    ListingView { purpose: String::new(), story: String::new(), ..listing.clone() }.serialize(to)
}

impl InvestingEvent {
    pub fn listing(&self) -> &ListingView {
        use InvestingEvent as E;
        match self {
            E::ListingOpened { listing }
            | E::BidFrozen { listing, .. }
            | E::BidRefused { listing, .. }
            | E::BidReleased { listing, .. }
            | E::BidEnded { listing, .. }
            | E::ListingFilled { listing, .. }
            | E::DisbursementDecided { listing, .. }
            | E::ListingDisbursed { listing }
            | E::ListingExpired { listing }
            | E::ListingCancelled { listing } => listing,
        }
    }
}

impl Announces for InvestingEvent {
    fn key(&self) -> String {
        self.listing().id.to_string()
    }

    fn kind(&self) -> &'static str {
        use InvestingEvent as E;
        match self {
            E::ListingOpened { .. } => "ListingOpened",
            E::BidFrozen { .. } => "BidFrozen",
            E::BidRefused { .. } => "BidRefused",
            E::BidReleased { .. } => "BidReleased",
            E::BidEnded { .. } => "BidEnded",
            E::ListingFilled { .. } => "ListingFilled",
            E::DisbursementDecided { .. } => "DisbursementDecided",
            E::ListingDisbursed { .. } => "ListingDisbursed",
            E::ListingExpired { .. } => "ListingExpired",
            E::ListingCancelled { .. } => "ListingCancelled",
        }
    }
}

platform::service! {
    /// Listings and bids.
    pub Investing as "investing", client InvestingClient, dispatcher InvestingDispatcher, errors InvestingError {
        /// Bids: reserves in the ledger, then freezes at the custodian, by consent or on its page.
        bid(PlaceBid) -> BidView;
        /// Takes a bid back while the listing is open.
        withdraw_bid(WithdrawBid) -> BidView;
        /// Ends a listing before its disbursement has begun; every bid goes back.
        cancel_listing(CancelListing) -> ListingView;
        listing(ListingOf) -> ListingView;
        /// Listings, newest first; anybody may see them.
        listings(ListingsOf) -> Vec<ListingView>;
        /// In which currencies something is or was offered, by code; anybody may know.
        currencies(CurrenciesOf) -> Vec<Currency>;
        bids(BidsOf) -> Vec<BidView>;
        /// The business date's work: what has run out expires.
        run_day(RunDay) -> ();
        /// What failed too often and waits for a person.
        parked(ParkedOf) -> Vec<DeadLetter>;
        /// Tries it again; answers whether it was there.
        unpark(Unpark) -> bool;
        events(EventsAfter) -> EventPage;
    }
}
