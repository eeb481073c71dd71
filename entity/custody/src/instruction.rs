//! What we asked the custodian to do.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "custody_instruction")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub operation: String,
    pub party: Option<Uuid>,
    pub project: Option<Uuid>,
    pub amount: i64,
    pub currency: String,
    /// The exact bytes that were and will be sent under this number.
    pub body: String,
    /// What its mirror needs: reservation and control account.
    pub context: String,
    pub status: String,
    pub code: String,
    pub redirect_url: String,
    pub attempts: i64,
    pub lines_total: i64,
    pub lines_settled: i64,
    pub lines_failed: i64,
    pub expires_at: DateTimeUtc,
    pub at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
