//! One verified change in the custodian's books; never changed but for the mark that it is mirrored.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custody_movement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub custodian: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub id: Uuid,
    pub kind: String,
    pub source: String,
    pub source_bucket: String,
    pub target: String,
    pub target_bucket: String,
    pub amount: i64,
    pub currency: String,
    pub request_no: String,
    pub line_no: String,
    pub freeze_no: String,
    pub project_no: String,
    pub business_date: Date,
    pub at: DateTimeUtc,
    pub received_at: DateTimeUtc,
    pub mirrored: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
