//! What a crash leaves behind: the process is killed in the middle of moving money, and goes on where it was.

use anyhow::{Context, ensure};
use finance::Currency;
use serde_json::json;
use std::time::Duration;
use tests::door::Door;
use tests::life::{self, Stage};
use tests::server::Server;

/// Has the custodian take its time over an operation, so that the kill falls into the middle of it.
async fn slow(server: &Server, operation: &str) -> anyhow::Result<()> {
    let plan = json!([{ "operation": operation, "fault": "delay", "milliseconds": 4_000, "times": 1 }]);
    let url = format!("http://{}/sandbox/faults", server.custodian);
    let answer = reqwest::Client::new().post(url).json(&plan).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    Ok(())
}

/// The verdict from the command line, once nothing is on its way any more.
pub async fn verdict(server: &Server) -> anyhow::Result<String> {
    let mut last = String::new();
    for _ in 0..60 {
        let (_, report) = server.command(&["verify", "--custodian-listen", &server.custodian])?;
        last = report.lines().last().unwrap_or_default().to_string();
        ensure!(!last.starts_with("BROKEN"), "{report}");
        if last == "MATCHED" {
            return Ok(last);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(last)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_platform_goes_on_in_the_middle_of_a_disbursement_and_of_a_repayment() -> anyhow::Result<()>
{
    let mut server = Server::start(&[]).await?;
    let door = Door::at(&server.url);
    door.staff_by(server.first_links()?, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let payout = text.find("# As operations2@demo.test").context("the second word on the payout")?;
    let running =
        text.find("# As borrower.usd@example.test: sees the running loan").context("the running loan")?;
    let second =
        text.find("# As borrower.usd@example.test: sees the closed loan").context("the closed loan")?;
    life::play(Stage::Served, &door, &text[..payout]).await?;

    slow(&server, "disburse").await?;
    life::play(Stage::Served, &door, &text[payout..running]).await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    server.kill()?;
    // While all is dead the last signed statement still answers, if ever one was asked for; then it comes back.
    server.start_again().await?;
    let seen = life::play(Stage::Served, &door, &text[running..second]).await;
    let seen = seen.context("after the crash in the disbursement")?;
    assert_eq!(seen["Running"].text("/loan/status")?, "ACTIVE");

    // The last instalment is under way when it happens again.
    server.kill()?;
    server.start_again().await?;
    let seen = life::play(Stage::Served, &door, &text[second..]).await.context("after the second crash")?;
    assert_eq!(seen["Closed"].text("/loan/status")?, "CLOSED");
    assert_eq!(verdict(&server).await?, "MATCHED");
    let received: i64 = (1..=3)
        .map(|n| {
            let text = seen[&format!("Paid{n}")].text("/viewer/portfolio/0/interestReceived/amount")?;
            Ok(finance::Money::parse(&text, Currency::USD)?.minor())
        })
        .sum::<anyhow::Result<i64>>()?;
    let schedule = seen["Closed"].at("/loan/schedule")?;
    let mut owed = 0;
    for i in schedule.as_array().context("a schedule")? {
        owed += finance::Money::parse(i["interest"]["amount"].as_str().unwrap_or(""), Currency::USD)?.minor();
    }
    assert_eq!(received, owed, "not a cent was lost or paid twice");
    Ok(())
}
