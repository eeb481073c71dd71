//! Listings and bids.

use crate::context::{asker, loader, services};
use crate::error::{InvestingUserError, fault, unauthenticated};
use crate::id::Gid;
use crate::loan::{Loan, loaded};
use crate::page::{Kind, Sorted};
use crate::party::Party;
use crate::payload;
use crate::scalars::{Date, DateTime, Decimal, Money, MoneyInput, Uuid};
use async_graphql::{Context, Enum, InputObject, Object, Result};
use custody_api::{CashAccountOf, Custody, InstructionOf};
use finance::Rounding;
use investing_api::*;
use kernel::id::{BidId, ListingId, derived};
use platform::Fault;

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "investing_api::ListingStatus")]
pub enum ListingStatus {
    Open,
    /// All of it is there and frozen; two people decide on paying it out.
    Filled,
    Disbursing,
    Disbursed,
    Expired,
    Cancelled,
}

/// By what listings are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "investing_api::ListingField")]
pub enum ListingOrderField {
    OpenedAt,
    Rate,
    Term,
    /// Amounts of several currencies are sorted by their figures alone: ask for one currency.
    Amount,
    ExpiresOn,
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    Asc,
    Desc,
}

/// Which listings come first; those that are alike stand in the order of their ids.
#[derive(Clone, Copy, InputObject)]
pub struct ListingOrder {
    pub field: ListingOrderField,
    pub direction: OrderDirection,
}

impl From<ListingOrder> for investing_api::ListingOrder {
    fn from(order: ListingOrder) -> investing_api::ListingOrder {
        investing_api::ListingOrder {
            field: order.field.into(),
            descending: order.direction == OrderDirection::Desc,
        }
    }
}

/// The order as cursors know it.
pub fn sorted(order: investing_api::ListingOrder) -> Sorted {
    let (code, kind) = match order.field {
        ListingField::OpenedAt => (0, Kind::Instant),
        ListingField::Rate => (1, Kind::Number),
        ListingField::Term => (2, Kind::Number),
        ListingField::Amount => (3, Kind::Number),
        ListingField::ExpiresOn => (4, Kind::Day),
    };
    // Newest first, as every list without an order of its own.
    let turned = order.descending != (order.field == ListingField::OpenedAt);
    Sorted { code: code * 2 + u8::from(turned), kind }
}

/// An approved loan that is offered to investors. Who borrows is shown to staff alone.
pub struct Listing(pub ListingView);

impl From<ListingView> for Listing {
    fn from(l: ListingView) -> Listing {
        Listing(l)
    }
}

#[Object]
impl Listing {
    pub async fn id(&self) -> Gid<ListingId> {
        Gid(self.0.id)
    }

    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    /// What is frozen for it already.
    async fn funded(&self) -> Money {
        self.0.funded.into()
    }

    /// Funded as a ratio of the amount, rounded down to a thousandth.
    async fn progress(&self) -> Decimal {
        let (amount, funded) = (i128::from(self.0.amount.minor()), i128::from(self.0.funded.minor()));
        let thousandths =
            if amount > 0 { i64::try_from(funded * 1_000 / amount).unwrap_or(1_000) } else { 0 };
        Decimal::of(rust_decimal::Decimal::new(thousandths, 3))
    }

    /// Yearly, as a ratio.
    async fn rate(&self) -> Decimal {
        Decimal::of_rate(self.0.rate)
    }

    async fn term_months(&self) -> u32 {
        self.0.term_months
    }

    /// What the borrower will pay each month; the last month may differ by rounding.
    async fn instalment(&self) -> Result<Money> {
        let annuity =
            finance::schedule::annuity(self.0.amount, self.0.rate, self.0.term_months, Rounding::HalfUp);
        annuity.map(Money::from).map_err(|e| crate::error::malformed(&e.to_string()))
    }

    /// What the platform takes from the borrower at disbursement.
    async fn fee(&self) -> Money {
        self.0.fee.into()
    }

    /// The smallest bid.
    async fn bid_minimum(&self) -> Money {
        bid_minimum(self.0.amount.currency()).into()
    }

    async fn purpose(&self) -> &str {
        &self.0.purpose
    }

    async fn story(&self) -> &str {
        &self.0.story
    }

    async fn status(&self) -> ListingStatus {
        self.0.status.into()
    }

    /// The last day on which it takes bids.
    async fn expires_on(&self) -> Date {
        Date(self.0.expires_on)
    }

    async fn opened_at(&self) -> DateTime {
        DateTime(self.0.opened_at)
    }

    /// Who borrows; for staff, and nothing for anybody else.
    async fn borrower(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        if !asker(ctx).is_staff() {
            return Ok(None);
        }
        loaded(loader(ctx).load_one(self.0.borrower).await).map(|p| p.map(Party::from))
    }

    /// While it is filled: whether the borrower allows the custodian to take the fee, as the custodian says now. For staff;
    /// nothing for anybody else, in another state, or while the custodian does not answer.
    #[graphql(complexity = "100")]
    async fn fee_allowed(&self, ctx: &Context<'_>) -> Result<Option<bool>> {
        let asker = asker(ctx);
        if !asker.is_staff() || self.0.status != investing_api::ListingStatus::Filled {
            return Ok(None);
        }
        if !self.0.fee.is_positive() {
            return Ok(Some(true));
        }
        let ask = CashAccountOf { party: self.0.borrower };
        let now = asker.clock.now();
        match services(ctx).custody.consents(&asker.call(), ask).await {
            Ok(found) => Ok(Some(
                found.consents.iter().any(|c| c.covers(custody_api::ConsentScope::Fee, self.0.fee, now)),
            )),
            Err(Fault::Refused(_)) => Ok(Some(false)),
            // A payout can be read and decided without it.
            Err(Fault::Unavailable | Fault::OutcomeUnknown | Fault::Busy) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    /// The loan it became, for those who may see it.
    async fn loan(&self, ctx: &Context<'_>) -> Result<Option<Loan>> {
        if asker(ctx).party().is_none() {
            return Ok(None);
        }
        let id = derived::listing_loan(self.0.id);
        loaded(loader(ctx).load_one(id).await).map(|l| l.map(Loan))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "investing_api::BidStatus")]
pub enum BidStatus {
    /// Waits for the custodian, or for the investor's word on its page.
    Reserved,
    Frozen,
    Settled,
    Refused,
    Withdrawing,
    Withdrawn,
    Returned,
}

/// An investor's commitment of money to a listing.
pub struct Bid(pub BidView);

impl From<BidView> for Bid {
    fn from(b: BidView) -> Bid {
        Bid(b)
    }
}

#[Object]
impl Bid {
    pub async fn id(&self) -> Gid<BidId> {
        Gid(self.0.id)
    }

    async fn amount(&self) -> Money {
        self.0.amount.into()
    }

    async fn status(&self) -> BidStatus {
        self.0.status.into()
    }

    /// Why it was refused, when it was.
    async fn why(&self) -> Option<&str> {
        Some(self.0.why.as_str()).filter(|why| !why.is_empty())
    }

    /// Where the investor confirms it when no standing consent covers it, while that is awaited.
    #[graphql(complexity = 5)]
    async fn redirect_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.0.redirect_url.is_some() || self.0.status != investing_api::BidStatus::Reserved {
            return Ok(self.0.redirect_url.clone());
        }
        let asker = asker(ctx);
        match services(ctx)
            .custody
            .instruction(&asker.call(), InstructionOf { id: self.0.freeze, newest: false })
            .await
        {
            Ok(freeze) => Ok(freeze.redirect_url),
            // Before it has been sent there is nothing to confirm; and it is nobody else's to confirm.
            Err(Fault::Refused(_) | Fault::Forbidden) => Ok(None),
            Err(e) => Err(fault(asker, e)),
        }
    }

    async fn placed_at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    async fn listing(&self, ctx: &Context<'_>) -> Result<Option<Listing>> {
        loaded(loader(ctx).load_one(self.0.listing).await).map(|l| l.map(Listing))
    }
}

#[derive(InputObject)]
pub struct BidPlaceInput {
    pub id: Uuid,
    pub listing: Gid<ListingId>,
    pub amount: MoneyInput,
}

#[derive(InputObject)]
pub struct BidWithdrawInput {
    pub bid: Gid<BidId>,
}

#[derive(InputObject)]
pub struct ListingCancelInput {
    pub listing: Gid<ListingId>,
}

payload! {
    BidPlacePayload { bid: Bid } or InvestingUserError;
    BidWithdrawPayload { bid: Bid } or InvestingUserError;
    ListingCancelPayload { listing: Listing } or InvestingUserError;
}

#[derive(Default)]
pub struct ListingMutation;

#[Object]
impl ListingMutation {
    /// Commits money to a listing.
    async fn bid_place(&self, ctx: &Context<'_>, input: BidPlaceInput) -> Result<BidPlacePayload> {
        let asker = asker(ctx);
        asker.party().ok_or_else(unauthenticated)?;
        let bid = PlaceBid { id: BidId(input.id.0), listing: input.listing.0, amount: input.amount.money()? };
        BidPlacePayload::of(asker, services(ctx).investing.bid(&asker.call(), bid).await)
    }

    /// Takes a bid back while the listing is open.
    async fn bid_withdraw(&self, ctx: &Context<'_>, input: BidWithdrawInput) -> Result<BidWithdrawPayload> {
        let asker = asker(ctx);
        let withdraw = WithdrawBid { bid: input.bid.0 };
        BidWithdrawPayload::of(asker, services(ctx).investing.withdraw_bid(&asker.call(), withdraw).await)
    }

    /// Ends a listing before it is paid out; all bids go back. Staff may, and the borrower while it still looks for money.
    async fn listing_cancel(
        &self,
        ctx: &Context<'_>,
        input: ListingCancelInput,
    ) -> Result<ListingCancelPayload> {
        let asker = asker(ctx);
        let cancel = CancelListing { listing: input.listing.0 };
        ListingCancelPayload::of(asker, services(ctx).investing.cancel_listing(&asker.call(), cancel).await)
    }
}
