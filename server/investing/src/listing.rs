//! What may happen to a listing. Pure.

use finance::Money;
use investing_api::{BidStatus, InvestingError, ListingStatus, ListingView, bid_minimum};
use kernel::id::PersonId;

/// Whether somebody may bid so much.
///
/// The ledger's limit is the authority on what is left; this answers early where the answer is plain.
///
/// # Errors
/// Why not.
pub fn may_bid(
    listing: &ListingView,
    borrower: PersonId,
    bidder: PersonId,
    amount: Money,
) -> Result<(), InvestingError> {
    if listing.status != ListingStatus::Open {
        return Err(InvestingError::ListingNotOpen);
    }
    if borrower == bidder {
        return Err(InvestingError::OwnListing);
    }
    if amount.currency() != listing.amount.currency() {
        return Err(InvestingError::CurrencyDiffers);
    }
    let rest = listing.amount.minor() - listing.funded.minor();
    let minimum = bid_minimum(amount.currency());
    // The last bid may be as small as what is left.
    if amount.minor() < minimum.minor().min(rest) || !amount.is_positive() {
        return Err(InvestingError::BelowMinimum { minimum });
    }
    if amount.minor() > rest {
        return Err(InvestingError::ExceedsRest { rest: Money::new(rest, amount.currency()) });
    }
    Ok(())
}

/// What a bid becomes when its freeze has become a fact.
pub fn frozen(listing: ListingStatus, bid: BidStatus) -> BidStatus {
    match (listing, bid) {
        (ListingStatus::Open, BidStatus::Reserved) => BidStatus::Frozen,
        // Too late: it goes back.
        (_, BidStatus::Reserved | BidStatus::Refused) => BidStatus::Withdrawing,
        (_, other) => other,
    }
}

/// Whether a listing may still be ended.
///
/// # Errors
/// From disbursement on it may not.
pub fn may_cancel(status: ListingStatus) -> Result<(), InvestingError> {
    match status {
        ListingStatus::Open | ListingStatus::Filled => Ok(()),
        _ => Err(InvestingError::ListingNotCancellable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate};
    use finance::{Currency, Rate};
    use kernel::id::{ApplicationId, ListingId, PartyId};
    use uuid::Uuid;

    fn listing(funded: i64) -> ListingView {
        ListingView {
            id: ListingId(Uuid::nil()),
            application: ApplicationId(Uuid::nil()),
            borrower: PartyId(Uuid::nil()),
            amount: Money::new(1_000_00, Currency::USD),
            funded: Money::new(funded, Currency::USD),
            rate: Rate::from_ppm(120_000),
            term_months: 12,
            fee: Money::zero(Currency::USD),
            purpose: String::new(),
            story: String::new(),
            status: ListingStatus::Open,
            expires_on: NaiveDate::MAX,
            opened_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_bid_fits_or_is_told_why_not() {
        let (ann, bob) = (PersonId(Uuid::from_u128(1)), PersonId(Uuid::from_u128(2)));
        let bid = |funded, minor| may_bid(&listing(funded), ann, bob, Money::new(minor, Currency::USD));
        assert_eq!(bid(0, 25_00), Ok(()));
        assert!(matches!(bid(0, 24_99), Err(InvestingError::BelowMinimum { .. })));
        assert_eq!(bid(990_00, 10_00), Ok(()), "the last bid may be small");
        assert!(matches!(bid(990_00, 10_01), Err(InvestingError::ExceedsRest { .. })));
        assert!(matches!(bid(990_00, 0), Err(InvestingError::BelowMinimum { .. })));
        assert_eq!(
            may_bid(&listing(0), ann, ann, Money::new(25_00, Currency::USD)),
            Err(InvestingError::OwnListing)
        );
        assert_eq!(
            may_bid(&listing(0), ann, bob, Money::new(2_500, Currency::JPY)),
            Err(InvestingError::CurrencyDiffers)
        );
    }
}
