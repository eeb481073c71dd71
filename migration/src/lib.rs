//! Every table of every service, in one ordered list. Each file makes one service's tables, named `<service>_<table>`.
//!
//! **Invariant:** no foreign key crosses services.

mod custody;
mod custody_indexes;
mod custody_key;
mod custody_proof;
mod identity;
mod identity_client;
mod identity_factor;
mod identity_letter;
mod investing;
mod investing_orders;
mod ledger;
mod lending;
mod lending_decided;
mod lending_disbursement;
mod lending_draft;
mod notification;
mod office;
mod office_act;
mod office_close;
mod office_document;
mod platform_calendar;

use sea_orm_migration::prelude::*;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(platform_calendar::Migration),
            Box::new(ledger::Migration),
            Box::new(custody::Migration),
            Box::new(identity::Migration),
            Box::new(office::Migration),
            Box::new(investing::Migration),
            Box::new(lending::Migration),
            Box::new(office_close::Migration),
            Box::new(lending_disbursement::Migration),
            Box::new(custody_indexes::Migration),
            Box::new(custody_proof::Migration),
            Box::new(identity_letter::Migration),
            Box::new(notification::Migration),
            Box::new(office_document::Migration),
            Box::new(identity_factor::Migration),
            Box::new(office_act::Migration),
            Box::new(lending_draft::Migration),
            Box::new(investing_orders::Migration),
            Box::new(custody_key::Migration),
            Box::new(lending_decided::Migration),
            Box::new(identity_client::Migration),
        ]
    }
}

/// Brings a database up to date.
///
/// # Errors
/// When it cannot be opened or a migration fails.
pub async fn migrate(place: &platform::db::Place) -> Result<(), sea_orm::DbErr> {
    let db = platform::db::connect(place, 1).await?;
    Migrator::up(&db, None).await?;
    db.close().await
}

/// A migration that runs one text of definitions; `down` is refused, for books are not dropped.
macro_rules! tables_more {
    ($name:literal, $text:expr) => {
        crate::tables!(@ $name, $text, None::<&str>);
    };
}
pub(crate) use tables_more;

/// A service's first migration: what every service has, and then its own tables.
macro_rules! tables {
    ($name:literal, $service:literal, $text:expr) => {
        crate::tables!(@ $name, $text, Some($service));
    };
    (@ $name:literal, $text:expr, $service:expr) => {
        pub struct Migration;

        impl sea_orm_migration::MigrationName for Migration {
            fn name(&self) -> &str {
                $name
            }
        }

        #[sea_orm_migration::async_trait::async_trait]
        impl sea_orm_migration::MigrationTrait for Migration {
            async fn up(&self, manager: &sea_orm_migration::SchemaManager) -> Result<(), sea_orm::DbErr> {
                if let Some(service) = $service {
                    platform::tables::define_for_service(manager.get_connection(), service).await?;
                }
                platform::tables::define(manager.get_connection(), $text).await
            }
        }
    };
}
pub(crate) use tables;
