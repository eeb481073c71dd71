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
