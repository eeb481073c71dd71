//! An approved loan offered to investors.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "investing_listing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub application: Uuid,
    pub borrower: Uuid,
    pub borrower_person: Uuid,
    pub currency: String,
    pub amount: i64,
    /// Of bids that are frozen.
    pub frozen: i64,
    pub rate_ppm: i64,
    pub term_months: i64,
    pub fee: i64,
    pub purpose: String,
    pub story: String,
    pub status: String,
    pub expires_on: Date,
    pub opened_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
