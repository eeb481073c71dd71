//! The sandbox custodian as a program of its own.

use anyhow::Context;
use chrono::NaiveDate;
use clap::Parser;
use custodian::{Bank, Settings, api, notify};
use ed25519_dalek::{SigningKey, VerifyingKey};
use rand_core::{OsRng, TryRngCore};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
#[command(
    version,
    about = "A sandbox custodian: keeps cash accounts for a platform's users, and no real money"
)]
struct Cli {
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// Folder for its database and its key
    #[arg(long)]
    data: PathBuf,
    /// File with the platform's public key, 32 bytes in hexadecimal
    #[arg(long)]
    platform_key: PathBuf,
    /// Where the platform takes notifications
    #[arg(long)]
    notify: Option<String>,
    /// Where pages lead back to
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    platform_url: String,
    /// The first business date; today if left out
    #[arg(long)]
    first_day: Option<NaiveDate>,
}

fn fill(bytes: &mut [u8]) {
    OsRng.try_fill_bytes(bytes).expect("the system's random source answers");
}

#[allow(clippy::disallowed_methods, reason = "the custodian's own clock")]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    tracing_subscriber::fmt().with_env_filter("info,sqlx=warn").with_writer(std::io::stderr).compact().init();
    std::fs::create_dir_all(&cli.data)?;
    let key = own_key(&cli.data.join("custodian.key"))?;
    std::fs::write(cli.data.join("custodian.pub"), hex::encode(key.verifying_key().to_bytes()))?;
    let platform = std::fs::read_to_string(&cli.platform_key)
        .with_context(|| format!("{}", cli.platform_key.display()))?;
    let platform: [u8; 32] =
        hex::decode(platform.trim())?.try_into().ok().context("a public key has 32 bytes")?;
    let today = chrono::DateTime::from_timestamp(now(), 0).context("a date")?.date_naive();
    let bank = Bank::open(Settings {
        name: "harbour".into(),
        file: cli.data.join("custodian.db"),
        authority: cli.listen.to_string(),
        pages_url: format!("http://{}", cli.listen),
        platform_url: cli.platform_url,
        notify_url: cli.notify,
        key,
        key_id: "custodian-1".into(),
        platform_key: VerifyingKey::from_bytes(&platform)?,
        platform_key_id: "platform-1".into(),
        now: Arc::new(now),
        chance: Arc::new(fill),
        first_day: cli.first_day.unwrap_or(today),
        sandbox: true,
        crash: Some(|| std::process::abort()),
    })
    .await?;
    let stop = CancellationToken::new();
    let work = tokio::spawn(bank.clone().work(notify::over_http(), stop.clone()));
    let listener = tokio::net::TcpListener::bind(cli.listen)
        .await
        .with_context(|| format!("cannot listen on {}", cli.listen))?;
    let ended = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, api::router(bank.clone())).with_graceful_shutdown(ended).await?;
    stop.cancel();
    work.await?;
    bank.close().await;
    Ok(())
}

/// The custodian's signing key, made at the first start and readable by its owner alone.
fn own_key(file: &std::path::Path) -> anyhow::Result<SigningKey> {
    use std::os::unix::fs::OpenOptionsExt;
    if !file.exists() {
        let mut seed = [0; 32];
        fill(&mut seed);
        let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        std::io::Write::write_all(&mut options?, hex::encode(seed).as_bytes())?;
    }
    let seed: [u8; 32] =
        hex::decode(std::fs::read_to_string(file)?.trim())?.try_into().ok().context("a key has 32 bytes")?;
    Ok(SigningKey::from_bytes(&seed))
}
