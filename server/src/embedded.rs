//! The embedded default: keys made at the first start, and the sandbox custodian beside the server on its own port.

use anyhow::Context;
use custodian::{Bank, Settings};
use custody::keys::KeyChain;
use custody::port::Port;
use ed25519_dalek::{SigningKey, VerifyingKey};
use identity::secret::Keys;
use kernel::clock::SharedClock;
use kernel::entropy::SharedEntropy;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The name of the sandbox custodian in the books.
pub const CUSTODIAN: &str = "harbour";

/// A signing key kept in a file that its owner alone can read; made if it is not there.
///
/// # Errors
/// When the file can be neither read nor made.
pub fn key(file: &Path, entropy: &SharedEntropy) -> anyhow::Result<SigningKey> {
    use std::os::unix::fs::OpenOptionsExt;
    if !file.exists() {
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
        std::io::Write::write_all(&mut made?, hex::encode(entropy.bytes::<32>()).as_bytes())?;
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    let seed: [u8; 32] = hex::decode(text.trim())?.try_into().ok().context("a key has 32 bytes")?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Identity's secrets, kept like the others.
///
/// # Errors
/// When a file can be neither read nor made.
pub fn identity_keys(data: &Path, entropy: &SharedEntropy) -> anyhow::Result<Keys> {
    Ok(Keys {
        signing: key(&data.join("identity.key"), entropy)?,
        key_id: "identity-1".into(),
        accepted: HashMap::new(),
        pepper: key(&data.join("identity.pepper"), entropy)?.to_bytes(),
    })
}

/// The port to the sandbox custodian at an address.
///
/// # Errors
/// When a key can be neither read nor made.
pub fn port(
    data: &Path,
    address: SocketAddr,
    custodian_key: VerifyingKey,
    own_authority: String,
    clock: SharedClock,
    entropy: SharedEntropy,
) -> anyhow::Result<Port> {
    Ok(Port {
        custodian: CUSTODIAN.into(),
        authority: address.to_string(),
        wire: custody::port::over_http(format!("http://{address}")),
        key: key(&data.join("platform.key"), &entropy)?,
        key_id: "platform-1".into(),
        custodian_keys: KeyChain::pinned("custodian-1", custodian_key),
        own_authority,
        clock,
        entropy,
    })
}

/// What the sandbox custodian is started with.
pub fn settings(
    data: &Path,
    address: SocketAddr,
    own: SigningKey,
    platform_key: VerifyingKey,
    platform_url: &str,
    notify_url: String,
    clock: SharedClock,
    entropy: SharedEntropy,
) -> Settings {
    let first_day = clock.now().date_naive();
    Settings {
        name: CUSTODIAN.into(),
        file: data.join("custodian.db"),
        authority: address.to_string(),
        pages_url: format!("http://{address}"),
        platform_url: platform_url.into(),
        notify_url: Some(notify_url),
        key: own,
        key_id: "custodian-1".into(),
        platform_key,
        platform_key_id: "platform-1".into(),
        now: Arc::new(move || clock.now().timestamp()),
        chance: Arc::new(move |bytes| entropy.fill(bytes)),
        first_day,
        sandbox: true,
        crash: None,
    }
}

/// The sandbox custodian, running beside the server.
pub struct Embedded {
    bank: Arc<Bank>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    pub address: SocketAddr,
    pub public_key: VerifyingKey,
}

impl Embedded {
    /// Opens the custodian's own database below `data` and serves it.
    ///
    /// # Errors
    /// When the file or the port cannot be opened.
    pub async fn start(
        data: &Path,
        listen: SocketAddr,
        platform_key: VerifyingKey,
        platform_url: &str,
        notify_url: String,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> anyhow::Result<Embedded> {
        let listener = tokio::net::TcpListener::bind(listen).await.with_context(|| {
            format!("the sandbox custodian cannot listen on {listen}; is another one running?")
        })?;
        let address = listener.local_addr()?;
        let own = key(&data.join("custodian.key"), &entropy)?;
        let public_key = own.verifying_key();
        let bank =
            Bank::open(settings(data, address, own, platform_key, platform_url, notify_url, clock, entropy))
                .await?;
        let stop = CancellationToken::new();
        let work = tokio::spawn(bank.clone().work(custodian::notify::over_http(), stop.clone()));
        let serve = {
            let (router, stop) = (custodian::api::router(bank.clone()), stop.clone());
            tokio::spawn(async move {
                let served = axum::serve(listener, router)
                    .with_graceful_shutdown(async move { stop.cancelled().await })
                    .await;
                if let Err(e) = served {
                    tracing::error!(error = %e, "the sandbox custodian's door closed");
                }
            })
        };
        Ok(Embedded { bank, stop, tasks: vec![work, serve], address, public_key })
    }

    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            task.await.ok();
        }
        self.bank.close().await;
    }
}
