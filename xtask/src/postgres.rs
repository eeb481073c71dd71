//! A private PostgreSQL cluster for the tests: in a temporary folder, on a free port, gone afterwards.
//! PostgreSQL refuses to run as root, so a root caller hands it to the `postgres` user of the system's package.

use crate::tools;
use crate::{House, Outcome};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub struct Cluster {
    bin: PathBuf,
    data: PathBuf,
    owner: Option<(u32, u32)>,
    /// Connection string without a database name; each test makes a database of its own.
    pub url: String,
}

impl Cluster {
    pub fn start(_house: &House) -> Outcome<Cluster> {
        let bin = match binaries() {
            Some(bin) => bin,
            None => {
                tools::apt(&["postgresql"], "PostgreSQL (initdb, pg_ctl)")?;
                binaries().ok_or("PostgreSQL was installed but initdb was not found")?
            }
        };
        let owner = if tools::is_root() { Some(other_user()?) } else { None };
        let data = std::env::temp_dir().join(format!("counterfoil-pg-{}", std::process::id()));
        std::fs::create_dir_all(&data).map_err(|e| format!("{}: {e}", data.display()))?;
        if let Some((uid, gid)) = owner {
            std::os::unix::fs::chown(&data, Some(uid), Some(gid)).map_err(|e| e.to_string())?;
        }
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).map_err(|e| e.to_string())?.port();
        let cluster = Cluster { bin, data, owner, url: format!("postgres://counterfoil@127.0.0.1:{port}") };
        cluster
            .tool("initdb", &["-A", "trust", "-U", "counterfoil", "-E", "UTF8", "--locale=C", "--no-sync"])?;
        // Durability is what the kill stories are about, so fsync stays on; the rest is for many small databases.
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 \
             -c shared_buffers=128MB -c jit=off"
        );
        cluster.tool("pg_ctl", &["-w", "-s", "-o", &settings, "-l", "server.log", "start"])?;
        println!("      listening on port {port}");
        Ok(cluster)
    }

    fn tool(&self, program: &str, args: &[&str]) -> Outcome {
        let mut c = Command::new(self.bin.join(program));
        c.current_dir(&self.data)
            .args(["-D"])
            .arg(self.data.join("data"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((uid, gid)) = self.owner {
            c.uid(uid).gid(gid);
        }
        crate::sh(&mut c)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.tool("pg_ctl", &["-m", "immediate", "-s", "stop"]).ok();
        std::fs::remove_dir_all(&self.data).ok();
    }
}

/// The newest installed version's programs.
fn binaries() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|e| Some((e.file_name().to_str()?.parse().ok()?, e.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    found
        .pop()
        .map(|(_, bin)| bin)
        .or_else(|| tools::on_path("initdb").and_then(|p| p.parent().map(Path::to_path_buf)))
}

fn other_user() -> Outcome<(u32, u32)> {
    for user in ["postgres", "nobody"] {
        let number = |flag: &str| -> Option<u32> {
            let out = Command::new("id").args([flag, user]).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(out.stdout).ok()?.trim().parse().ok()
        };
        if let (Some(uid), Some(gid)) = (number("-u"), number("-g")) {
            return Ok((uid, gid));
        }
    }
    Err("PostgreSQL refuses to run as root, and neither the user postgres nor nobody exists".into())
}
