//! The commands of the quick start, as they stand in the document, one after the other in a shell.

use anyhow::{Context, ensure};
use std::process::Command;
use tests::door::{Door, PASSWORD};
use tests::server::Server;

/// What stands between the fences of one kind.
fn blocks(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some((_, from)) = rest.split_once("\n```sh\n") {
        let Some((block, after)) = from.split_once("\n```\n") else { break };
        all.push(block.to_string());
        rest = after;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_quick_start_do_what_it_says() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let door = Door::at(&server.url);
    door.register("reader@example.test", &["INVESTOR"], None).await?;
    let blocks = blocks(include_str!("../../docs/quickstart.md"));
    ensure!(blocks.len() == 8, "{} blocks of commands", blocks.len());
    // A line between the blocks' outputs, so that each can be looked at.
    let script = blocks.join("\necho ----\n");
    let run = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .env("HOST", &server.url)
        .env("EMAIL", "reader@example.test")
        .env("PASSWORD", PASSWORD)
        .output()
        .context("bash")?;
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    ensure!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    let parts: Vec<&str> = said.split("----\n").collect();
    let [_, public, _, _, read, refused, limits, ended] = parts[..] else {
        anyhow::bail!("{} parts: {said}", parts.len())
    };
    ensure!(public.contains("\"listings\"") && public.contains("\"cost\""), "{public}");
    ensure!(read.contains("\"portfolio\":[]") && read.contains("\"hasNextPage\":false"), "{read}");
    ensure!(!read.contains("errors"), "{read}");
    ensure!(refused.contains("SCOPE_MISSING") && refused.contains("profile:read"), "{refused}");
    ensure!(refused.contains("\"FORBIDDEN\""), "{refused}");
    for name in ["x-ratelimit-limit: 10000", "x-ratelimit-remaining: ", "x-ratelimit-reset: "] {
        ensure!(limits.contains(name), "{name} in {limits}");
    }
    ensure!(ended.contains("\"done\":true") && ended.contains("UNAUTHENTICATED"), "{ended}");
    Ok(())
}
