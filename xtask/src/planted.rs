//! Whether the simulation finds faults that were made on purpose: each in a build of its own, with the seed that finds it.
//!
//! A fault is a patch in `tests/planted`, its first lines the sentence that says what is wrong. It is put into a copy of
//! the checkout, which then has to fail: the product itself knows nothing of faults.

use crate::{House, Outcome};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many seeds a fault may hide from, and how long each life is.
const SEEDS: u32 = 6;
/// Long enough for first instalments.
const DAYS: u32 = 45;

pub struct Planted {
    pub name: String,
    patch: PathBuf,
}

/// All of them, by name.
pub fn all(house: &House) -> Outcome<Vec<Planted>> {
    let folder = house.root.join("tests/planted");
    let read = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut all = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(read)? {
        let patch = entry.map_err(read)?.path();
        if patch.extension().is_some_and(|e| e == "patch")
            && let Some(name) = patch.file_stem()
        {
            all.push(Planted { name: name.to_string_lossy().into_owned(), patch });
        }
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn git(folder: &Path, args: &[&str]) -> Outcome<String> {
    let out = Command::new("git").current_dir(folder).args(args).output();
    let out = out.map_err(|e| format!("cannot start git: {e}"))?;
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    if out.status.success() {
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    } else {
        Err(format!("git {}: {}", args.join(" "), said.trim()))
    }
}

/// The checkout as it is now, beside the cache; what has not changed keeps its time, so that it is not built anew.
fn copy(house: &House) -> Outcome<PathBuf> {
    let there = house.cache.join("planted");
    let listed = git(&house.root, &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
    let wanted: BTreeSet<&str> = listed.split('\0').filter(|f| !f.is_empty()).collect();
    let fail = |file: &str, e: std::io::Error| format!("copy {file}: {e}");
    for file in &wanted {
        let (from, to) = (house.root.join(file), there.join(file));
        // Deleted and not yet committed.
        let Ok(now) = std::fs::read(&from) else { continue };
        if std::fs::read(&to).is_ok_and(|before| before == now) {
            continue;
        }
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|e| fail(file, e))?;
        }
        std::fs::write(&to, now).map_err(|e| fail(file, e))?;
    }
    // What was there before and is no more.
    let had = std::fs::read_to_string(there.join(FILES)).unwrap_or_default();
    for gone in had.lines().filter(|f| !wanted.contains(f)) {
        std::fs::remove_file(there.join(gone)).ok();
    }
    let names: Vec<&str> = wanted.into_iter().collect();
    std::fs::write(there.join(FILES), names.join("\n")).map_err(|e| fail(FILES, e))?;
    Ok(there)
}

/// What the copy consists of.
const FILES: &str = ".copied";

/// Lives lives until one of them finds the fault.
///
/// # Errors
/// A patch that does not fit any more, a build that fails, or a fault that nobody finds.
pub fn find(house: &House, planted: &Planted) -> Outcome {
    let start = Instant::now();
    let there = copy(house)?;
    let patch = planted.patch.display().to_string();
    let fits = git(&there, &["apply", &patch]);
    fits.map_err(|e| format!("the fault {} does not fit the code any more: {e}", planted.name))?;
    let mut build = house.cargo();
    build.current_dir(&there).env("CARGO_TARGET_DIR", house.cache.join("planted-target"));
    let built =
        build.args(["test", "--locked", "--quiet", "-p", "tests", "--test", "simulation", "--no-run"]);
    crate::sh(built).map_err(|e| format!("the fault {} does not build: {e}", planted.name))?;
    let built = start.elapsed().as_secs();
    for seed in 1..=SEEDS {
        let mut life = house.cargo();
        life.current_dir(&there).env("CARGO_TARGET_DIR", house.cache.join("planted-target"));
        life.env("COUNTERFOIL_SIM_SEED", seed.to_string()).env("COUNTERFOIL_SIM_COUNT", "1");
        life.env("COUNTERFOIL_SIM_DAYS", DAYS.to_string()).env("RUST_LOG", "off").stdin(Stdio::null());
        life.args(["test", "--locked", "--quiet", "-p", "tests", "--test", "simulation"]);
        let lived = life.args(["seeds_keep_the_books", "--", "--nocapture"]).output();
        let lived = lived.map_err(|e| format!("cannot live a life: {e}"))?;
        if !lived.status.success() {
            let said = String::from_utf8_lossy(&lived.stderr);
            let found = said.lines().find(|l| l.starts_with("seed ") && l.contains("again by"));
            let found = found.ok_or(format!("{} ended in another way: {said}", planted.name))?;
            let found = found.split_once("--days").map_or(found, |(_, rest)| rest);
            println!(
                "      {}: found by seed {seed} ({built} s to build, {} s in all):{}",
                planted.name,
                start.elapsed().as_secs(),
                found.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == ':')
            );
            return Ok(());
        }
    }
    Err(format!("{SEEDS} lives of {DAYS} days did not notice the fault {}", planted.name))
}
