//! The real binary on a free port with data of its own, ended with the test.

use anyhow::{Context, bail};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A free port of this machine; a moment later somebody else could have it, which a test's retry would show.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// What xtask tells the tests; without it a test fails with this sentence and never passes by skipping.
pub fn told(variable: &str) -> anyhow::Result<String> {
    std::env::var(variable)
        .with_context(|| format!("{variable} is not set; run the tests by `cargo xtask test`"))
}

/// A folder that is gone when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> anyhow::Result<Folder> {
        let path =
            std::env::temp_dir().join(format!("counterfoil-{name}-{}-{}", std::process::id(), free_port()?));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub struct Server {
    child: Child,
    pub url: String,
    pub data: Folder,
}

impl Server {
    /// Starts `counterfoil serve` and waits until it is ready.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Server> {
        let binary = PathBuf::from(told("COUNTERFOIL_TEST_BINARIES")?).join("counterfoil");
        let (port, data) = (free_port()?, Folder::new("server")?);
        let child = Command::new(&binary)
            .args([
                "serve",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--custodian-listen",
                "127.0.0.1:0",
                "--data",
            ])
            .arg(&data.0)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut server = Server { child, url: format!("http://127.0.0.1:{port}"), data };
        for _ in 0..300 {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            if ready(&server.url).await {
                return Ok(server);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server was not ready within thirty seconds")
    }

    /// `kill -9`: what a crash or the end of memory does.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

async fn ready(url: &str) -> bool {
    let ask = reqwest::Client::new().get(format!("{url}/health/ready")).timeout(Duration::from_secs(2));
    ask.send().await.is_ok_and(|answer| answer.status().is_success())
}
