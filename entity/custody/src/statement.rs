//! The custodian's signed statements, as received.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custody_statement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub custodian: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub text: String,
    pub key_id: String,
    pub signature: String,
    /// The head of our ledger's chain that the custodian keeps for us, as JSON.
    pub anchor: String,
    pub received_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
