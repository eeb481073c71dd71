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
    /// Where its sandbox custodian listens.
    pub custodian: String,
    pub data: Folder,
}

impl Server {
    /// Starts `counterfoil serve` and waits until it is ready.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Server> {
        let binary = PathBuf::from(told("COUNTERFOIL_TEST_BINARIES")?).join("counterfoil");
        let (port, data) = (free_port()?, Folder::new("server")?);
        let custodian = format!("127.0.0.1:{}", free_port()?);
        let child = Command::new(&binary)
            .args([
                "serve",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--custodian-listen",
                &custodian,
                "--data",
            ])
            .arg(&data.0)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut server = Server { child, url: format!("http://127.0.0.1:{port}"), custodian, data };
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

    /// Asks it to end in good order, and waits until it has.
    pub fn interrupt(&mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    /// Runs the program beside the server, on the same data. Gives its exit code and what it printed.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
        let binary = PathBuf::from(told("COUNTERFOIL_TEST_BINARIES")?).join("counterfoil");
        let out = Command::new(binary)
            .args(arguments)
            .arg("--data")
            .arg(&self.data.0)
            .stdin(Stdio::null())
            .output()?;
        // What went wrong beside is for whoever reads the test's output.
        eprint!("{}", String::from_utf8_lossy(&out.stderr));
        Ok((out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned()))
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
