//! The `counterfoil` program.

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use counterfoil::config::Config;
use counterfoil::embedded::{self, Embedded};
use counterfoil::modules::{House, Pace, Parts, Reach};
use counterfoil::{assets, http, notices};
use custody::port::Port;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use kernel::{OsEntropy, SystemClock};
use platform::db::Place;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Parser)]
#[command(version, about = "A peer-to-peer lending platform whose two books are proved equal every day")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the platform
    Serve {
        #[arg(long)]
        listen: Option<SocketAddr>,
        /// Folder for the embedded database and keys
        #[arg(long)]
        data: Option<PathBuf>,
        /// Where the sandbox custodian listens
        #[arg(long)]
        custodian_listen: Option<SocketAddr>,
        /// Folder of the built app
        #[arg(long)]
        app: Option<PathBuf>,
        /// Made-up people and published passwords; never with real money
        #[arg(long)]
        demo: bool,
    },
    /// Write compressed twins beside the files of a built app
    Precompress { dir: PathBuf },
}

fn main() -> anyhow::Result<()> {
    // Validation of a deep query and a large schema can need more than the default two megabytes of stack.
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(8 * 1024 * 1024)
        .build()?
        .block_on(run(Cli::parse().command))
}

async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve { listen, data, custodian_listen, app, demo } => {
            let config = Config::read(|c| {
                c.listen = listen.unwrap_or(c.listen);
                c.data = data.unwrap_or_else(|| c.data.clone());
                c.custodian_listen = custodian_listen.unwrap_or(c.custodian_listen);
                c.app = app.or_else(|| c.app.take());
                c.demo |= demo;
            })
            .map_err(|why| anyhow!(why))?;
            serve(config).await
        }
        Command::Precompress { dir } => {
            let (files, raw, packed) =
                assets::precompress(&dir).with_context(|| format!("{}", dir.display()))?;
            println!("{files} files: {raw} bytes, {packed} compressed");
            Ok(())
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    platform::telemetry::log(config.log_json, "info,sqlx=warn");
    platform::telemetry::metrics();
    std::fs::create_dir_all(&config.data).with_context(|| format!("{}", config.data.display()))?;
    let place = match &config.database_url {
        Some(url) => Place::Postgres(url.clone()),
        None => Place::Sqlite(config.data.join("counterfoil.db")),
    };
    let clock: SharedClock = Arc::new(SystemClock);
    let entropy: SharedEntropy = Arc::new(OsEntropy);
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running?", config.listen))?;
    let own_authority = listener.local_addr()?.to_string();
    let key = embedded::key(&config.data.join("platform.key"), &entropy)?;
    let bank = Embedded::start(
        &config.data,
        config.custodian_listen,
        key.verifying_key(),
        &config.origin(),
        format!("http://{own_authority}{}", notices::PATH),
        clock.clone(),
        entropy.clone(),
    )
    .await?;
    let port = Port {
        custodian: embedded::CUSTODIAN.into(),
        authority: bank.address.to_string(),
        wire: custody::port::over_http(format!("http://{}", bank.address)),
        key,
        key_id: "platform-1".into(),
        custodian_key: bank.public_key,
        custodian_key_id: "custodian-1".into(),
        own_authority,
        clock: clock.clone(),
        entropy: entropy.clone(),
    };
    let parts = Parts {
        place,
        clock: clock.clone(),
        entropy: entropy.clone(),
        reach: Reach::Direct,
        pace: Pace::Background,
        port,
    };
    let house = House::start(parts).await.context("cannot start the services")?;
    let ready = {
        let house = house.clone();
        Arc::new(move || {
            let house = house.clone();
            Box::pin(async move { house.ready().await }) as _
        })
    };
    let door = http::Door { clock, entropy, ready };
    let router = http::router(door, notices::router(house.custody_door()), config.app.as_deref());
    println!("Counterfoil serves {}", config.origin());
    println!("The sandbox custodian's pages are at http://{}", bank.address);
    axum::serve(listener, router).with_graceful_shutdown(stopped()).await?;
    // No request is under way any more; what the services have acknowledged is in the database.
    house.stop().await;
    bank.stop().await;
    Ok(())
}

/// Waits for Ctrl-C or the service manager's request to end.
async fn stopped() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
