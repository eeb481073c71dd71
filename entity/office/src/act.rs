//! An entry of the audit log: something somebody is about to do, or what came of it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "office_act")]
pub struct Model {
    /// From one, without a gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i64,
    pub id: Uuid,
    /// Of what this is the outcome.
    pub of: Option<Uuid>,
    pub party: Uuid,
    pub person: Uuid,
    pub session: Uuid,
    pub request: Uuid,
    /// A name of the public schema; of an outcome its code.
    pub what: String,
    /// A JSON object of texts.
    pub details: String,
    pub at: DateTimeUtc,
    /// Over the entry before and this one.
    pub hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
