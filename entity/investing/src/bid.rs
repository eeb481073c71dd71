//! An investor's commitment to a listing.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "investing_bid")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub listing: Uuid,
    pub investor: Uuid,
    pub currency: String,
    pub amount: i64,
    pub status: String,
    /// Why it was refused, or what ends it.
    pub why: String,
    /// The freeze at the custodian.
    pub freeze_id: Uuid,
    pub unfreeze_id: Uuid,
    pub at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
