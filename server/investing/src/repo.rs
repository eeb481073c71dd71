//! Investing's tables.

use chrono::NaiveDate;
use entity_investing::{bid, listing};
use finance::{Currency, Money, Rate};
use investing_api::{BidStatus, BidView, BidsOf, ListingField, ListingStatus, ListingView, ListingsOf};
use kernel::id::{ApplicationId, BidId, InstructionId, ListingId, PartyId, PersonId};
use platform::db::{Sql, Tx};
use platform::page::{self, Order};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use uuid::Uuid;

pub(crate) struct Listing {
    pub(crate) view: ListingView,
    pub(crate) borrower_person: PersonId,
}

fn currency(code: &str) -> Result<Currency, DbErr> {
    code.parse().map_err(|_| DbErr::Type(format!("{code} is no currency")))
}

fn listing_of(row: listing::Model) -> Result<Listing, DbErr> {
    let currency = currency(&row.currency)?;
    let narrow = |n: i64| u32::try_from(n).map_err(|_| DbErr::Type("a number out of range".into()));
    let view = ListingView {
        id: ListingId(row.id),
        application: ApplicationId(row.application),
        borrower: PartyId(row.borrower),
        amount: Money::new(row.amount, currency),
        funded: Money::new(row.frozen, currency),
        rate: Rate::from_ppm(narrow(row.rate_ppm)?),
        term_months: narrow(row.term_months)?,
        fee: Money::new(row.fee, currency),
        purpose: row.purpose,
        story: row.story,
        status: ListingStatus::from_code(&row.status).ok_or_else(|| DbErr::Type(row.status.clone()))?,
        expires_on: row.expires_on,
        opened_at: row.opened_at,
    };
    Ok(Listing { view, borrower_person: PersonId(row.borrower_person) })
}

fn bid_of(row: bid::Model) -> Result<BidView, DbErr> {
    Ok(BidView {
        id: BidId(row.id),
        listing: ListingId(row.listing),
        investor: PartyId(row.investor),
        amount: Money::new(row.amount, currency(&row.currency)?),
        status: BidStatus::from_code(&row.status).ok_or_else(|| DbErr::Type(row.status.clone()))?,
        why: row.why,
        freeze: InstructionId(row.freeze_id),
        redirect_url: None,
        at: row.at,
    })
}

pub(crate) async fn maybe_listing(
    db: &impl ConnectionTrait,
    id: ListingId,
) -> Result<Option<Listing>, DbErr> {
    listing::Entity::find_by_id(id.0).one(db).await?.map(listing_of).transpose()
}

pub(crate) async fn lock_listing(tx: &Tx, id: ListingId) -> Result<Option<Listing>, DbErr> {
    tx.one(format!("SELECT id FROM investing_listing WHERE id = $1{}", tx.for_update()), [id.0.into()])
        .await?;
    maybe_listing(tx, id).await
}

/// False when it was there.
pub(crate) async fn insert_listing(tx: &Tx, l: &Listing) -> Result<bool, DbErr> {
    if maybe_listing(tx, l.view.id).await?.is_some() {
        return Ok(false);
    }
    let v = &l.view;
    let row = listing::Model {
        id: v.id.0,
        application: v.application.0,
        borrower: v.borrower.0,
        borrower_person: l.borrower_person.0,
        currency: v.amount.currency().code().into(),
        amount: v.amount.minor(),
        frozen: 0,
        rate_ppm: i64::from(v.rate.ppm()),
        term_months: i64::from(v.term_months),
        fee: v.fee.minor(),
        purpose: v.purpose.clone(),
        story: v.story.clone(),
        status: v.status.code().into(),
        expires_on: v.expires_on,
        opened_at: v.opened_at,
    };
    listing::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(true)
}

pub(crate) async fn update_listing(tx: &Tx, v: &ListingView) -> Result<(), DbErr> {
    let sql = "UPDATE investing_listing SET frozen = $1, status = $2 WHERE id = $3";
    tx.run(sql, [v.funded.minor().into(), v.status.code().into(), v.id.0.into()]).await.map(drop)
}

/// In which currencies there are listings, by code.
pub(crate) async fn currencies(db: &impl ConnectionTrait) -> Result<Vec<finance::Currency>, DbErr> {
    let rows = db.all("SELECT DISTINCT currency FROM investing_listing ORDER BY currency", []).await?;
    let read = |row: sea_orm::QueryResult| {
        let code: String = row.try_get_by_index(0)?;
        code.parse().map_err(|_| DbErr::Type(format!("{code} is no currency")))
    };
    rows.into_iter().map(read).collect()
}

pub(crate) async fn listings(db: &impl ConnectionTrait, ask: &ListingsOf) -> Result<Vec<Listing>, DbErr> {
    let mut find = listing::Entity::find();
    if !ask.ids.is_empty() {
        find = find.filter(listing::Column::Id.is_in(ask.ids.iter().map(|id| id.0)));
    }
    if let Some(borrower) = ask.borrower {
        find = find.filter(listing::Column::Borrower.eq(borrower.0));
    }
    if let Some(status) = ask.status {
        find = find.filter(listing::Column::Status.eq(status.code()));
    }
    if let Some(currency) = ask.currency {
        find = find.filter(listing::Column::Currency.eq(currency.code()));
    }
    if let Some(text) = ask.text.as_deref().filter(|t| !t.trim().is_empty()) {
        find = find.filter(page::contains(listing::Column::Purpose, text));
    }
    if let Some(rate) = ask.rate_at_least {
        find = find.filter(listing::Column::RatePpm.gte(i64::from(rate.ppm())));
    }
    if let Some(months) = ask.months_at_most {
        find = find.filter(listing::Column::TermMonths.lte(i64::from(months)));
    }
    let by = match ask.order.field {
        ListingField::OpenedAt => listing::Column::OpenedAt,
        ListingField::Rate => listing::Column::RatePpm,
        ListingField::Term => listing::Column::TermMonths,
        ListingField::Amount => listing::Column::Amount,
        ListingField::ExpiresOn => listing::Column::ExpiresOn,
    };
    let order = if ask.order.descending { Order::Descending } else { Order::Ascending };
    let rows = page::rows(db, find, (by, listing::Column::Id), order, &ask.page).await?;
    rows.into_iter().map(listing_of).collect()
}

pub(crate) async fn expiring(db: &impl ConnectionTrait, date: NaiveDate) -> Result<Vec<ListingId>, DbErr> {
    let find = listing::Entity::find()
        .filter(listing::Column::Status.eq("OPEN"))
        .filter(listing::Column::ExpiresOn.lt(date));
    Ok(find.order_by_asc(listing::Column::Id).all(db).await?.into_iter().map(|r| ListingId(r.id)).collect())
}

pub(crate) async fn maybe_bid(db: &impl ConnectionTrait, id: BidId) -> Result<Option<BidView>, DbErr> {
    bid::Entity::find_by_id(id.0).one(db).await?.map(bid_of).transpose()
}

/// The bid whose freeze or unfreeze this is.
pub(crate) async fn bid_of_instruction(
    db: &impl ConnectionTrait,
    id: InstructionId,
) -> Result<Option<BidView>, DbErr> {
    let row = bid::Entity::find().filter(bid::Column::FreezeId.eq(id.0)).one(db).await?;
    let row = match row {
        Some(row) => Some(row),
        None => bid::Entity::find().filter(bid::Column::UnfreezeId.eq(id.0)).one(db).await?,
    };
    row.map(bid_of).transpose()
}

pub(crate) async fn insert_bid(tx: &Tx, b: &BidView, unfreeze: InstructionId) -> Result<(), DbErr> {
    let row = bid::Model {
        id: b.id.0,
        listing: b.listing.0,
        investor: b.investor.0,
        currency: b.amount.currency().code().into(),
        amount: b.amount.minor(),
        status: b.status.code().into(),
        why: b.why.clone(),
        freeze_id: b.freeze.0,
        unfreeze_id: unfreeze.0,
        at: b.at,
    };
    bid::Entity::insert(row.into_active_model()).exec_without_returning(tx).await.map(drop)
}

pub(crate) async fn update_bid(tx: &Tx, b: &BidView) -> Result<(), DbErr> {
    let sql = "UPDATE investing_bid SET status = $1, why = $2 WHERE id = $3";
    tx.run(sql, [b.status.code().into(), b.why.clone().into(), b.id.0.into()]).await.map(drop)
}

pub(crate) async fn bids_in(
    db: &impl ConnectionTrait,
    listing: ListingId,
    status: BidStatus,
) -> Result<Vec<BidView>, DbErr> {
    let find = bid::Entity::find()
        .filter(bid::Column::Listing.eq(listing.0))
        .filter(bid::Column::Status.eq(status.code()));
    find.order_by_asc(bid::Column::Id).all(db).await?.into_iter().map(bid_of).collect()
}

pub(crate) async fn bids(db: &impl ConnectionTrait, ask: &BidsOf) -> Result<Vec<BidView>, DbErr> {
    let mut find = bid::Entity::find();
    if let Some(investor) = ask.investor {
        find = find.filter(bid::Column::Investor.eq(investor.0));
    }
    if let Some(listing) = ask.listing {
        find = find.filter(bid::Column::Listing.eq(listing.0));
    }
    let order = (bid::Column::At, bid::Column::Id);
    let rows = page::rows(db, find, order, Order::Descending, &ask.page).await?;
    rows.into_iter().map(bid_of).collect()
}

pub(crate) fn control_key(listing: ListingId, currency: Currency, custodian: &str) -> ledger_api::AccountKey {
    let owner: Uuid = listing.0;
    ledger_api::AccountKey {
        owner,
        currency,
        custodian: custodian.into(),
        kind: ledger_api::AccountKind::Control,
    }
}
