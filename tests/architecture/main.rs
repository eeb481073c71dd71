//! Who may use whom: the edges between our crates, as a snapshot that a review sees.

use expect_test::expect_file;
use std::process::Command;

fn name(value: &serde_json::Value) -> &str {
    value["name"].as_str().expect("a package has a name")
}

fn edges() -> Vec<(String, String)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let out = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .output()
        .expect("cargo answers");
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let names: Vec<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    let mut edges = Vec::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let (from, to) = (name(package), name(dependency));
            if names.contains(&to) && dependency["kind"].is_null() {
                edges.push((from.to_string(), to.to_string()));
            }
        }
    }
    edges.sort();
    edges
}

#[test]
fn the_edges_between_crates_are_those_in_review() {
    let text: String = edges().iter().map(|(from, to)| format!("{from} -> {to}\n")).collect();
    expect_file!["./edges.txt"].assert_eq(&text);
}

/// Every source file of ours, with its path from the root.
fn sources() -> Vec<(String, String)> {
    fn walk(dir: &std::path::Path, root: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).expect("below the root").display().to_string();
                found.push((name, std::fs::read_to_string(&path).expect("text")));
            }
        }
    }
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut found = Vec::new();
    for dir in ["finance", "server", "entity", "migration", "custodian", "web"] {
        walk(&root.join(dir), root, &mut found);
    }
    found
}

#[test]
fn no_float_stands_anywhere_near_money() {
    let floats: Vec<String> = sources()
        .iter()
        .flat_map(|(name, text)| text.lines().enumerate().map(move |(n, line)| (name, n + 1, line)))
        .filter(|(_, _, line)| !line.trim_start().starts_with("//"))
        .filter(|(_, _, line)| {
            line.split(|c: char| !c.is_alphanumeric()).any(|word| word == "f32" || word == "f64")
        })
        .map(|(name, n, line)| format!("{name}:{n}: {}", line.trim()))
        .collect();
    assert!(floats.is_empty(), "{floats:#?}");
}

#[test]
fn no_service_names_anothers_tables() {
    let services = ["identity", "ledger", "custody", "lending", "investing", "office"];
    let mut crossed = Vec::new();
    for (name, text) in sources() {
        let owner =
            services.iter().find(|s| name.contains(&format!("/{s}/")) || name.ends_with(&format!("/{s}.rs")));
        let Some(owner) = owner.filter(|_| name.starts_with("server/") || name.starts_with("migration/"))
        else {
            continue;
        };
        for other in services.iter().filter(|s| *s != owner) {
            for verb in ["FROM ", "INTO ", "UPDATE ", "JOIN ", "REFERENCES ", "TABLE "] {
                if text.contains(&format!("{verb}{other}_")) {
                    crossed.push(format!("{name} names a table of {other}"));
                }
            }
        }
    }
    assert!(crossed.is_empty(), "{crossed:#?}");
}

#[test]
fn a_services_tables_and_code_are_its_own() {
    for (from, to) in edges() {
        if let Some(service) = to.strip_prefix("entity-") {
            assert_eq!(from, service, "only {service} may depend on {to}");
        }
        let is_service =
            |name: &str| ["identity", "ledger", "custody", "lending", "investing", "office"].contains(&name);
        assert!(
            !is_service(&to) || ["counterfoil", "tests", "bench"].contains(&from.as_str()),
            "{from} depends on the implementation of {to}"
        );
        assert!(!from.ends_with("-api") || !to.starts_with("entity-"), "{from} shows tables");
    }
}

#[test]
fn every_error_code_has_a_chinese_sentence() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("text");
    let (schema, sentences) = (read("server/graphql/schema.graphql"), read("web/src/messages/errors.rs"));
    let mut codes = 0;
    for part in schema.split("\nenum ").skip(1) {
        let (name, rest) = part.split_once(" {").expect("an enum has a body");
        let body = rest.split("\n}").next().unwrap_or_default();
        for code in body.lines().map(str::trim).filter(|l| name.ends_with("ErrorCode") && l.contains('_')) {
            codes += 1;
            assert!(
                sentences.contains(&format!("\"{code}\"")),
                "{code} of {name} has no sentence in Chinese"
            );
        }
    }
    assert!(codes > 50, "{codes} codes were found");
}

/// The GraphQL documents that are plain text in the app: string literals, with their lines joined as the compiler does.
fn documents(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for begin in ["\"mutation(", "\"subscription("] {
        for (at, _) in text.match_indices(begin) {
            let rest = &text[at + 1..];
            let end = rest.find('"').expect("a literal ends");
            let lines: Vec<&str> = rest[..end]
                .split("\\\n")
                .enumerate()
                .map(|(n, l)| if n == 0 { l } else { l.trim_start() })
                .collect();
            found.push(lines.concat());
        }
    }
    found
}

/// What cynic builds is checked by the compiler; this is the rest.
#[test]
fn every_document_of_the_app_fits_the_schema() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let sdl = std::fs::read_to_string(root.join("server/graphql/schema.graphql")).expect("text");
    let schema = apollo_compiler::Schema::parse_and_validate(sdl, "schema.graphql").expect("a valid schema");
    let mut checked = 0;
    for (name, text) in sources().iter().filter(|(name, _)| name.starts_with("web/src")) {
        for document in documents(text) {
            checked += 1;
            let read = apollo_compiler::ExecutableDocument::parse_and_validate(&schema, &document, name);
            assert!(
                read.is_ok(),
                "{name}: {document}\n{}",
                read.err().map_or_else(String::new, |e| e.errors.to_string())
            );
        }
    }
    assert!(checked > 15, "{checked} documents were found");
}
