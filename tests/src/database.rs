//! A database for one test.

use crate::server::{Folder, told};
use platform::db::{Place, connect};
use sea_orm::ConnectionTrait;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Where a test's data is; a SQLite file is gone with it.
pub struct TestDatabase {
    pub place: Place,
    pub folder: Folder,
}

impl TestDatabase {
    /// Makes an empty database.
    pub async fn make(kind: Kind) -> anyhow::Result<TestDatabase> {
        let folder = Folder::new("test")?;
        let place = match kind {
            Kind::Sqlite => Place::Sqlite(folder.0.join("counterfoil.db")),
            Kind::Postgres => {
                let cluster = told("COUNTERFOIL_TEST_POSTGRES")?;
                let name = folder.0.file_name().and_then(|n| n.to_str()).unwrap_or("test").replace('-', "_");
                let admin = connect(&Place::Postgres(format!("{cluster}/postgres")), 1).await?;
                admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
                admin.close().await?;
                Place::Postgres(format!("{cluster}/{name}"))
            }
        };
        Ok(TestDatabase { place, folder })
    }
}
