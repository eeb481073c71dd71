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
    arguments: Vec<String>,
    pub url: String,
    /// Where its sandbox custodian listens.
    pub custodian: String,
    pub data: Folder,
}

impl Server {
    /// Starts `counterfoil serve` and waits until it is ready.
    pub async fn start(arguments: &[&str]) -> anyhow::Result<Server> {
        let (port, data) = (free_port()?, Folder::new("server")?);
        let custodian = format!("127.0.0.1:{}", free_port()?);
        let mut all: Vec<String> =
            ["serve", "--listen", &format!("127.0.0.1:{port}"), "--custodian-listen", &custodian]
                .map(str::to_string)
                .into();
        all.extend(arguments.iter().map(|a| (*a).to_string()));
        let child = spawn(&all, &data)?;
        let mut server =
            Server { child, arguments: all, url: format!("http://127.0.0.1:{port}"), custodian, data };
        server.wait().await?;
        Ok(server)
    }

    /// Starts it once more on what it left behind, at the same addresses.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.arguments, &self.data)?;
        self.wait().await
    }

    async fn wait(&mut self) -> anyhow::Result<()> {
        for _ in 0..300 {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            if ready(&self.url).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("the server was not ready within thirty seconds")
    }

    /// The secrets of the links that the first start of an installation prints.
    ///
    /// # Errors
    /// When what it printed cannot be read.
    pub fn first_links(&self) -> anyhow::Result<Vec<String>> {
        let printed = std::fs::read_to_string(self.data.0.join(PRINTED))?;
        Ok(printed.lines().filter_map(|l| Some(l.split_once("/invitation/")?.1.trim().to_string())).collect())
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

/// Where what the server prints is kept.
const PRINTED: &str = "printed.txt";

fn spawn(arguments: &[String], data: &Folder) -> anyhow::Result<Child> {
    let binary = PathBuf::from(told("COUNTERFOIL_TEST_BINARIES")?).join("counterfoil");
    let printed = std::fs::OpenOptions::new().create(true).append(true).open(data.0.join(PRINTED))?;
    Command::new(&binary)
        .args(arguments)
        .arg("--data")
        .arg(&data.0)
        .stdin(Stdio::null())
        .stdout(printed)
        .spawn()
        .with_context(|| format!("cannot start {}", binary.display()))
}

async fn ready(url: &str) -> bool {
    let ask = reqwest::Client::new().get(format!("{url}/health/ready")).timeout(Duration::from_secs(2));
    ask.send().await.is_ok_and(|answer| answer.status().is_success())
}
