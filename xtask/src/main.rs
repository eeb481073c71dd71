//! Development tasks, without dependencies, so that the first answer comes within a second.
//!
//! `cargo xtask run` serves the product; `cargo xtask test` proves a slice of everything;
//! `cargo xtask prove` runs the same code at full length. Each installs what is missing and says what it does.
#![allow(clippy::disallowed_methods, reason = "a task runner measures wall time")]

mod planted;
mod postgres;
mod tools;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

const HELP: &str = "\
cargo xtask <task>

  run [--reset] [--port N]   build and serve the product, with its demo
  test                       a slice of every kind of test (what CI runs)
  prove                      the same tests at full length, with the licence and advisory checks
  dev                        the inner loop: server rebuilt on change, app by `trunk serve`
  simulate [--seed N] [--count N] [--days N]
                             the whole platform in one process, from one seed; a failing seed is printed
  planted [NAME]             builds with faults made on purpose: each must be found by the simulation
  mutants [K/N]              changes the loan arithmetic and the ledger's engine in small ways: a test must notice
  bench                      bids on one hot listing against a peer, on both databases
  schema                     write server/graphql/schema.graphql and the documents of docs/graphql anew
  lint                       formatting and clippy alone
";

/// What a task may end with: a sentence a person can act on.
pub type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let flags: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let house = House::find();
    let known = args.first().is_some_and(|a| HELP.contains(&format!("  {a} ")));
    if known && let Err(sentence) = house.claim_cache() {
        eprintln!("xtask: {sentence}");
        return ExitCode::FAILURE;
    }
    let outcome = match args.first().map(String::as_str) {
        Some("run") => run(&house, &flags),
        Some("test") => test(&house, Length::Slice),
        Some("prove") => test(&house, Length::Full),
        Some("dev") => dev(&house),
        Some("schema") => schema(&house),
        Some("bench") => bench(&house),
        Some("simulate") => simulate(&house, &flags),
        Some("planted") => find_planted(&house, flags.first().copied()),
        Some("mutants") => mutants(&house, flags.first().copied().unwrap_or("0/2")),
        Some("lint") => lint(&mut Steps::new(3), &house),
        _ => {
            print!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("\nxtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Where things lie: the checkout, and the cache outside it that makes the second run quick.
pub struct House {
    pub root: PathBuf,
    pub cache: PathBuf,
    pub target: PathBuf,
}

impl House {
    fn find() -> House {
        // As cargo says it now: this program may have been built in another checkout that shares the cache.
        let here =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here).parent().expect("xtask lies in the root").to_path_buf();
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_else(|| PathBuf::from("/tmp"));
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .unwrap_or_else(|| home.join(".cache"))
            .join("counterfoil");
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).unwrap_or_else(|| cache.join("target"));
        House { root, cache, target }
    }

    /// Cargo tells what is stale by time alone, and checkouts that share the cache share its names: what another one built
    /// last would be taken for this one's. Ours is built anew then; what both depend on stays.
    fn claim_cache(&self) -> Outcome {
        let stamp = self.target.join("checkout");
        let mine = self.root.display().to_string();
        match std::fs::read_to_string(&stamp) {
            Ok(last) if last == mine => return Ok(()),
            Ok(last) => {
                println!("The cache was last used by {last}; building this checkout's own crates anew.");
                for target in [self.target.clone(), self.target.join("web")].iter().filter(|t| t.exists()) {
                    for profile in ["dev", "release"] {
                        let mut clean = self.cargo();
                        clean.args(["clean", "--quiet", "--workspace", "--profile", profile, "--target-dir"]);
                        sh(clean.arg(target))?;
                    }
                }
            }
            Err(_) => {}
        }
        std::fs::create_dir_all(&self.target).map_err(|e| e.to_string())?;
        std::fs::write(&stamp, mine).map_err(|e| format!("{}: {e}", stamp.display()))
    }

    pub fn cargo(&self) -> Command {
        let mut c = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        c.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        c
    }

    fn binary(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// The app's built files; outside the checkout, as everything built.
    fn dist(&self) -> PathBuf {
        self.target.join("app")
    }
}

/// Numbered progress with times, so that nobody looks at a silent screen.
pub struct Steps {
    done: usize,
    of: usize,
}

impl Steps {
    pub fn new(of: usize) -> Steps {
        Steps { done: 0, of }
    }

    pub fn step<T>(&mut self, title: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.done += 1;
        println!("\n[{}/{}] {title}", self.done, self.of);
        let start = Instant::now();
        let outcome = work();
        let seconds = start.elapsed().as_secs_f32();
        match &outcome {
            Ok(_) => println!("      done in {seconds:.1} s"),
            Err(_) => println!("      failed after {seconds:.1} s"),
        }
        outcome
    }
}

/// Runs a command with its output in view.
pub fn sh(command: &mut Command) -> Outcome {
    let name = format!("{command:?}");
    let status = command.status().map_err(|e| format!("cannot start {name}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{name} ended with {status}")) }
}

fn build_app(house: &House) -> Outcome {
    let trunk = tools::trunk(house)?;
    let bindgen = tools::wasm_bindgen(house)?;
    let path = std::env::join_paths(
        [bindgen.parent().expect("a tool has a folder").to_path_buf()]
            .into_iter()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    )
    .map_err(|e| e.to_string())?;
    // The app has a target directory of its own below the cache: it must not unify features with the server.
    // The other builds lie inside the members', whose folder Trunk empties first.
    for (whose, page, dist, base) in [
        ("visitors and investors", "web/index.html", house.dist(), "/"),
        ("borrowers", "web/borrower/index.html", house.dist().join("borrower"), "/borrower/"),
        ("staff", "web/staff/index.html", house.dist().join("staff"), "/staff/"),
    ] {
        println!("      the pages of {whose}");
        let status = Command::new(&trunk)
            .current_dir(&house.root)
            .env("PATH", &path)
            .env("CARGO_TARGET_DIR", house.target.join("web"))
            .env("TRUNK_SKIP_VERSION_CHECK", "true")
            // Its own words come three times over; cargo's progress and what goes wrong are enough.
            .args(["--log", "error", "build", "--offline", "--public-url", base, "--dist"])
            .arg(dist)
            .arg(page)
            .status()
            .map_err(|e| e.to_string())?;
        if !status.success() {
            return Err(format!("Trunk could not build {page}; its message is above"));
        }
    }
    Ok(())
}

/// The server and the custodian; then the app's compressed twins, which the server's binary writes.
fn build_server(house: &House) -> Outcome {
    // All default members at once: a narrower build would unify other features and compile everything twice.
    sh(house.cargo().args(["build", "--locked"]))?;
    sh(Command::new(house.binary("counterfoil")).arg("precompress").arg(house.dist()))
}

fn run(house: &House, flags: &[&str]) -> Outcome {
    let mut port = "8080".to_string();
    let mut reset = false;
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        match *flag {
            "--reset" => reset = true,
            "--port" => port = rest.next().ok_or("--port takes a number")?.to_string(),
            other => return Err(format!("run does not know {other}; it takes --reset and --port N")),
        }
    }
    let var = house.cache.join("demo");
    if !house.binary("counterfoil").is_file() {
        println!(
            "The first run on this machine builds everything: with two cores some 10 minutes, and 5 more for the demo's"
        );
        println!("year of history. The next one takes seconds.");
    }
    let mut steps = Steps::new(4);
    steps.step("Tools: wasm target, Trunk, wasm-bindgen (installed once, cached)", || tools::all(house))?;
    steps.step("Build the app (optimised for size)", || build_app(house))?;
    steps.step("Build the server and the sandbox custodian (development profile)", || build_server(house))?;
    if reset && var.exists() {
        println!("      --reset: removing {}", var.display());
        std::fs::remove_dir_all(&var).map_err(|e| format!("cannot remove {}: {e}", var.display()))?;
    }
    println!("\n[4/4] Start the demo (Ctrl-C ends it)");
    let graphiql = tools::graphiql(house);
    let custodian: u16 = port.parse::<u16>().map_err(|_| format!("--port takes a number, not {port}"))?;
    let custodian = custodian.checked_add(1_010).ok_or("--port is too high")?;
    let mut serve = Command::new(house.binary("counterfoil"));
    serve
        .current_dir(&house.root)
        .args(["serve", "--demo", "--listen", &format!("127.0.0.1:{port}")])
        .args(["--custodian-listen", &format!("127.0.0.1:{custodian}"), "--data"])
        .arg(&var)
        .arg("--app")
        .arg(house.dist());
    if let Some(dir) = graphiql {
        serve.arg("--graphiql").arg(dir);
    }
    sh(&mut serve)
}

/// How long the tests may take: CI's slice, or everything before a claim.
#[derive(Clone, Copy, PartialEq)]
enum Length {
    Slice,
    Full,
}

fn lint(steps: &mut Steps, house: &House) -> Outcome {
    steps.step("Formatting", || sh(house.cargo().args(["fmt", "--all", "--check"])))?;
    steps.step("Clippy", || {
        sh(house.cargo().args(["clippy", "--locked", "--all-targets", "--quiet", "--", "-D", "warnings"]))
    })?;
    steps.step("Clippy on the app", || {
        let mut clippy = house.cargo();
        clippy.env("CARGO_TARGET_DIR", house.target.join("web"));
        clippy.args([
            "clippy",
            "--locked",
            "--quiet",
            "-p",
            "counterfoil-web",
            "--target",
            "wasm32-unknown-unknown",
        ]);
        sh(clippy.args(["--", "-D", "warnings"]))
    })
}

fn test(house: &House, length: Length) -> Outcome {
    let start = Instant::now();
    let full = length == Length::Full;
    let mut steps = Steps::new(if full { 10 } else { 9 });
    steps.step("Tools: wasm target, Trunk, wasm-bindgen, nextest (installed once, cached)", || {
        tools::all(house)?;
        tools::nextest(house).map(drop)
    })?;
    let pg =
        steps.step("PostgreSQL: a private cluster on a free port", || postgres::Cluster::start(house))?;
    steps.step("Chromium and its driver", || tools::chromium().map(drop))?;
    lint(&mut steps, house)?;
    steps.step("Build the app (optimised for size)", || build_app(house))?;
    steps.step("Build the server and the sandbox custodian", || build_server(house))?;
    steps.step(
        "Tests: unit, property, stories on both databases and transports, architecture, browser",
        || {
            let (nextest, axe) = (tools::nextest(house)?, tools::axe(house)?);
            sh(Command::new(nextest)
                .current_dir(&house.root)
                .env("CARGO_TARGET_DIR", &house.target)
                .env("COUNTERFOIL_TEST_POSTGRES", &pg.url)
                .env("COUNTERFOIL_TEST_BINARIES", house.target.join("debug"))
                .env("COUNTERFOIL_TEST_APP", house.dist())
                .env("COUNTERFOIL_TEST_SHOTS", house.target.join("screenshots"))
                .env("COUNTERFOIL_TEST_AXE", axe)
                .env("COUNTERFOIL_TEST_LENGTH", if full { "full" } else { "slice" })
                .env("INSTA_UPDATE", "no")
                .args(["nextest", "run", "--locked", "--no-fail-fast"])
                .stdin(Stdio::null()))
        },
    )?;
    if full {
        steps.step("Licences, sources and bans of dependencies", || {
            let deny = tools::deny(house)?;
            sh(Command::new(deny).current_dir(&house.root).args(["check", "bans", "licenses", "sources"]))
        })?;
    }
    println!("\nAll green in {:.0} s.", start.elapsed().as_secs_f32());
    Ok(())
}

/// Optimised, alone on the machine, both arms in the same run.
fn bench(house: &House) -> Outcome {
    let pg = postgres::Cluster::start(house)?;
    sh(house.cargo().env("COUNTERFOIL_TEST_POSTGRES", &pg.url).args([
        "run",
        "--locked",
        "--release",
        "--quiet",
        "-p",
        "bench",
    ]))
}

/// One seed after the other, with people, custodian, clocks and chance from it.
fn simulate(house: &House, flags: &[&str]) -> Outcome {
    let mut test = house.cargo();
    let mut rest = flags.iter();
    while let Some(flag) = rest.next() {
        let name = match *flag {
            "--seed" => "COUNTERFOIL_SIM_SEED",
            "--count" => "COUNTERFOIL_SIM_COUNT",
            "--days" => "COUNTERFOIL_SIM_DAYS",
            other => {
                return Err(format!("simulate does not know {other}; it takes --seed, --count and --days"));
            }
        };
        let value = rest.next().and_then(|v| v.parse::<u64>().ok());
        test.env(name, value.ok_or(format!("{flag} takes a number"))?.to_string());
    }
    if !flags.contains(&"--count") {
        test.env("COUNTERFOIL_SIM_COUNT", "1");
    }
    test.args(["test", "--locked", "--quiet", "-p", "tests", "--test", "simulation"]);
    sh(test.args(["seeds_keep_the_books", "--", "--nocapture"]))
}

/// One planted fault, or all of them.
fn find_planted(house: &House, name: Option<&str>) -> Outcome {
    let all = planted::all(house)?;
    let wanted: Vec<_> = all.iter().filter(|p| name.is_none_or(|n| n == p.name)).collect();
    if wanted.is_empty() {
        let names: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
        return Err(format!("there is no such fault; there are {}", names.join(", ")));
    }
    let mut steps = Steps::new(wanted.len());
    let mut hidden = Vec::new();
    for fault in wanted {
        if let Err(sentence) = steps.step(&fault.name, || planted::find(house, fault)) {
            eprintln!("      {sentence}");
            hidden.push(fault.name.as_str());
        }
    }
    if hidden.is_empty() { Ok(()) } else { Err(format!("not found: {}", hidden.join(", "))) }
}

/// Every `N`th of the mutants of what reckons and of what decides in the ledger, each against the unit tests of its crate.
fn mutants(house: &House, shard: &str) -> Outcome {
    let mutants = tools::mutants(house)?;
    let mut run = Command::new(mutants);
    run.current_dir(&house.root).env("CARGO_TARGET_DIR", house.cache.join("mutants-target"));
    run.args(["mutants", "--no-shuffle", "--shard", shard, "--sharding", "round-robin"]);
    run.args(["-f", "finance/src/**/*.rs", "-f", "server/ledger/src/engine.rs"]);
    run.arg("--output").arg(&house.cache);
    sh(run.stdin(Stdio::null()))
}

/// What a person reads and a test compares, written from the code.
fn schema(house: &House) -> Outcome {
    let written = |package: &str, filter: &str| {
        sh(house.cargo().env("UPDATE_EXPECT", "1").args(["test", "--quiet", "-p", package, filter]))
    };
    written("graphql", "the_schema_is_the_one_in_git")?;
    written("tests", "the_documents_in_git_are_the_ones_that_are_played")
}

fn dev(house: &House) -> Outcome {
    tools::all(house)?;
    build_app(house)?;
    println!(
        "Serving on 127.0.0.1:8080. Save a file below server/, finance/ or web/ to rebuild; Ctrl-C ends."
    );
    let mut seen = newest(house);
    loop {
        build_server(house).ok();
        let mut child = Command::new(house.binary("counterfoil"))
            .current_dir(&house.root)
            .args(["serve", "--demo", "--data"])
            .arg(house.cache.join("demo"))
            .arg("--app")
            .arg(house.dist())
            .spawn()
            .map_err(|e| e.to_string())?;
        loop {
            std::thread::sleep(std::time::Duration::from_millis(500));
            let now = newest(house);
            if now.1 > seen.1 {
                build_app(house).ok();
            }
            if now != seen {
                let server = now.0 > seen.0;
                seen = now;
                if server {
                    break;
                }
            }
            if let Ok(Some(status)) = child.try_wait() {
                println!("the server ended with {status}; waiting for a change");
                while newest(house) == seen {
                    std::thread::sleep(std::time::Duration::from_millis(500));
                }
                seen = newest(house);
                break;
            }
        }
        tools::interrupt(child.id());
        child.wait().ok();
    }
}

/// The newest change below the server's folders, and below the app's.
fn newest(house: &House) -> (std::time::SystemTime, std::time::SystemTime) {
    fn walk(dir: &Path, newest: &mut std::time::SystemTime) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                walk(&entry.path(), newest);
            } else if let Ok(at) = meta.modified() {
                *newest = (*newest).max(at);
            }
        }
    }
    let mut server = std::time::SystemTime::UNIX_EPOCH;
    let mut app = server;
    for dir in ["server", "entity", "migration", "custodian", "finance"] {
        walk(&house.root.join(dir), &mut server);
    }
    for dir in ["web", "finance"] {
        walk(&house.root.join(dir), &mut app);
    }
    (server, app)
}
