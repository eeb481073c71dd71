//! Who has a cash account at which custodian.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custody_cash_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub party: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub custodian: String,
    pub opened_by: Uuid,
    pub opened_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
