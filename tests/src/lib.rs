//! The harness of the stories.

pub mod browser;
pub mod database;
pub mod door;
pub mod life;
pub mod mail;
pub mod server;
pub mod socket;
pub mod town;
pub mod world;

/// A story runs on both databases and over both ways between services.
#[macro_export]
macro_rules! story {
    ($(#[$doc:meta])* $name:ident, |$world:ident| $body:block) => {
        $(#[$doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn story($world: $crate::world::World) -> anyhow::Result<()> $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite_direct() -> anyhow::Result<()> {
                $crate::world::tell($crate::database::Kind::Sqlite, counterfoil::modules::Reach::Direct, story).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite_loopback() -> anyhow::Result<()> {
                $crate::world::tell($crate::database::Kind::Sqlite, counterfoil::modules::Reach::Loopback, story).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_direct() -> anyhow::Result<()> {
                $crate::world::tell($crate::database::Kind::Postgres, counterfoil::modules::Reach::Direct, story).await
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres_loopback() -> anyhow::Result<()> {
                $crate::world::tell($crate::database::Kind::Postgres, counterfoil::modules::Reach::Loopback, story).await
            }
        }
    };
}
