//! Tools at pinned versions, each in a folder of its own below the cache, so that two branches can live side by side.
//! A tool of the right version on PATH is used as it is.

use crate::{House, Outcome, sh};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const TRUNK: &str = "0.21.14";
const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.19.0";
const MUTANTS: &str = "27.1.0";

/// What building the app needs.
pub fn all(house: &House) -> Outcome {
    wasm_target(house)?;
    trunk(house)?;
    wasm_bindgen(house)?;
    Ok(())
}

pub fn trunk(house: &House) -> Outcome<PathBuf> {
    install(house, "trunk", "trunk", TRUNK)
}

pub fn nextest(house: &House) -> Outcome<PathBuf> {
    install(house, "cargo-nextest", "cargo-nextest", NEXTEST)
}

pub fn deny(house: &House) -> Outcome<PathBuf> {
    install(house, "cargo-deny", "cargo-deny", DENY)
}

pub fn mutants(house: &House) -> Outcome<PathBuf> {
    install(house, "cargo-mutants", "cargo-mutants", MUTANTS)
}

/// The command line must equal the library's version in the lock, or the app does not start.
pub fn wasm_bindgen(house: &House) -> Outcome<PathBuf> {
    let lock =
        std::fs::read_to_string(house.root.join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    let version = lock
        .split("[[package]]")
        .find(|p| p.contains("\nname = \"wasm-bindgen\"\n"))
        .and_then(|p| p.split("version = \"").nth(1)?.split('"').next())
        .ok_or("Cargo.lock names no wasm-bindgen")?
        .to_string();
    install(house, "wasm-bindgen-cli", "wasm-bindgen", &version)
}

fn wasm_target(house: &House) -> Outcome {
    let out = Command::new("rustc")
        .current_dir(&house.root)
        .args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"])
        .output()
        .map_err(|e| format!("cannot start rustc: {e}"))?;
    if out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).exists() {
        return Ok(());
    }
    println!("      adding the target wasm32-unknown-unknown by rustup");
    sh(Command::new("rustup").current_dir(&house.root).args(["target", "add", "wasm32-unknown-unknown"]))
        .map_err(|e| {
            format!("{e}. Install rustup (https://rustup.rs), then: rustup target add wasm32-unknown-unknown")
        })
}

fn answers(program: &Path, version: &str) -> bool {
    let args: &[&str] =
        if program.ends_with("cargo-nextest") { &["nextest", "--version"] } else { &["--version"] };
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|o| o.status.success() && String::from_utf8_lossy(&o.stdout).contains(version))
}

fn install(house: &House, package: &str, program: &str, version: &str) -> Outcome<PathBuf> {
    let root = house.cache.join("tools").join(format!("{package}-{version}"));
    let cached = root.join("bin").join(program);
    if answers(&cached, version) {
        return Ok(cached);
    }
    if let Some(found) = on_path(program).filter(|p| answers(p, version)) {
        return Ok(found);
    }
    println!("      installing {package} {version} (once; some minutes)");
    let mut cargo = Command::new("cargo");
    // A tool's own speed matters little here; unoptimised code cuts the installation to a third.
    cargo
        .current_dir(&house.root)
        .env("CARGO_TARGET_DIR", house.cache.join("tools-target"))
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        // What a tool's own build warns of is nobody's concern here; errors are shown all the same.
        .args(["install", package, "--version", version, "--locked", "--quiet", "--root"])
        .arg(&root);
    with_heartbeat(&mut cargo, package)?;
    if answers(&cached, version) {
        Ok(cached)
    } else {
        Err(format!(
            "{package} {version} was installed but does not answer; remove {} and try again",
            root.display()
        ))
    }
}

/// Runs a command that says nothing for minutes, and says for it that it is still at work.
fn with_heartbeat(command: &mut Command, what: &str) -> Outcome {
    let start = Instant::now();
    let mut child = command.spawn().map_err(|e| format!("cannot start {command:?}: {e}"))?;
    let mut told = 0;
    loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            return if status.success() { Ok(()) } else { Err(format!("{what} ended with {status}")) };
        }
        std::thread::sleep(Duration::from_millis(500));
        let seconds = start.elapsed().as_secs();
        if seconds / 20 > told {
            told = seconds / 20;
            println!("      {what}: {seconds} s");
        }
    }
}

pub fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(program)).find(|p| p.is_file())
}

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.trim_ascii() == b"0")
}

/// Installs Debian packages where that needs nobody's password, else says in one line how to get them.
pub fn apt(packages: &[&str], for_what: &str) -> Outcome {
    let line = format!("sudo apt-get install -y {}", packages.join(" "));
    if !is_root() || on_path("apt-get").is_none() {
        return Err(format!("{for_what} is missing. On Debian or Ubuntu: {line}"));
    }
    println!("      installing {} from the system's packages", packages.join(", "));
    let get = |args: &[&str]| {
        sh(Command::new("apt-get")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-y", "-qq", "--no-install-recommends"])
            .args(args)
            .stdout(Stdio::null()))
    };
    let with_install: Vec<&str> = ["install"].into_iter().chain(packages.iter().copied()).collect();
    get(&with_install)
        .or_else(|_| get(&["update"]).and_then(|()| get(&with_install)))
        .map_err(|e| format!("{for_what} is missing and could not be installed ({e}). By hand: {line}"))
}

pub fn chromium() -> Outcome<(PathBuf, PathBuf)> {
    let find = || Some((on_path("chromium").or_else(|| on_path("google-chrome"))?, on_path("chromedriver")?));
    if let Some(found) = find() {
        return Ok(found);
    }
    apt(&["chromium", "chromium-driver", "fonts-dejavu-core"], "Chromium with its driver")?;
    find().ok_or_else(|| "Chromium was installed but is not on PATH".into())
}

const GRAPHIQL: [(&str, &str, &[&str]); 3] = [
    ("graphiql", "3.8.3", &["graphiql.min.js", "graphiql.min.css"]),
    ("react", "18.3.1", &["umd/react.production.min.js"]),
    ("react-dom", "18.3.1", &["umd/react-dom.production.min.js"]),
];

/// GraphiQL's published files, by npm. The demo does without where npm is missing, and says so.
pub fn graphiql(house: &House) -> Option<PathBuf> {
    by_npm(house, &GRAPHIQL).map_err(|why| println!("      {why}: the demo goes without GraphiQL")).ok()
}

/// What looks for barriers on every page of the app.
pub fn axe(house: &House) -> Outcome<PathBuf> {
    if on_path("npm").is_none() {
        apt(&["npm"], "npm, which fetches axe-core,")?;
    }
    Ok(by_npm(house, &[("axe-core", "4.14.1", &["axe.min.js"])])?.join("axe.min.js"))
}

/// Published files of some packages, in a folder named after the first.
fn by_npm(house: &House, packages: &[(&str, &str, &[&str])]) -> Outcome<PathBuf> {
    let (first, version, _) = packages.first().copied().ok_or("no package")?;
    let dir = house.cache.join("tools").join(format!("{first}-{version}"));
    let name = |file: &str| file.rsplit('/').next().unwrap_or(file).to_string();
    let whole = || packages.iter().flat_map(|(_, _, files)| *files).all(|f| dir.join(name(f)).is_file());
    if whole() {
        return Ok(dir);
    }
    for program in ["npm", "tar"] {
        on_path(program).ok_or_else(|| format!("{program} is not there"))?;
    }
    println!("      fetching {first} {version} by npm (once)");
    std::fs::create_dir_all(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    for (package, version, files) in packages {
        let pack = Command::new("npm")
            .current_dir(&dir)
            .args(["pack", "--silent", &format!("{package}@{version}")])
            .stdin(Stdio::null())
            .output();
        let tarball = dir.join(format!("{package}-{version}.tgz"));
        if !pack.is_ok_and(|o| o.status.success()) || !tarball.is_file() {
            return Err(format!("npm could not fetch {package}"));
        }
        for file in *files {
            let depth = 1 + file.matches('/').count();
            sh(Command::new("tar")
                .current_dir(&dir)
                .arg("xzf")
                .arg(&tarball)
                .arg(format!("--strip-components={depth}"))
                .arg(format!("package/{file}")))?;
        }
        std::fs::remove_file(tarball).ok();
    }
    if whole() { Ok(dir) } else { Err(format!("{first} is not whole")) }
}

/// Asks a child to end in good order, as Ctrl-C would.
pub fn interrupt(pid: u32) {
    Command::new("kill").args(["-INT", &pid.to_string()]).status().ok();
}
