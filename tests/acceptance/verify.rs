//! `counterfoil verify` from the command line, with the server running, stopped and killed.

use tests::server::Server;

#[tokio::test]
async fn verify_answers_with_the_server_running_and_stopped() -> anyhow::Result<()> {
    let mut server = Server::start(&[]).await?;
    let address = server.custodian.clone();
    let (code, report) = server.command(&["verify", "--custodian-listen", &address])?;
    assert_eq!((code, report.lines().last()), (Some(0), Some("MATCHED")), "{report}");
    server.interrupt()?;
    let (code, report) = server.command(&["verify", "--offline"])?;
    assert_eq!((code, report.lines().last()), (Some(0), Some("MATCHED")), "{report}");
    assert!(report.contains("signed statement at movement 0"), "{report}");
    let (code, json) = server.command(&["verify", "--offline", "--json"])?;
    let json: serde_json::Value = serde_json::from_str(&json)?;
    assert_eq!((code, json["verdict"]["verdict"].as_str()), (Some(0), Some("MATCHED")));
    Ok(())
}

#[tokio::test]
async fn verify_says_what_is_broken_and_how_to_see_it() -> anyhow::Result<()> {
    let mut server = Server::start(&[]).await?;
    let address = server.custodian.clone();
    server.command(&["verify", "--custodian-listen", &address])?;
    server.kill()?;
    // Somebody gives the kept statement a cent that nobody has.
    let file = server.data.0.join("counterfoil.db");
    let db = platform::db::connect(&platform::db::Place::Sqlite(file), 1).await?;
    use sea_orm::ConnectionTrait;
    let line = r#"{"user_no":"00000000-0000-7000-8000-000000000001","kind":"PERSON","currency":"USD","available":1,"frozen":0,"blocked":0,"payout":0}"#;
    let sql = format!(
        "UPDATE custody_statement SET text = REPLACE(text, '\"balances\":[', '\"balances\":[{line}')"
    );
    db.execute_unprepared(&sql).await?;
    db.close().await?;
    let (code, report) = server.command(&["verify", "--offline"])?;
    assert_eq!(code, Some(1), "{report}");
    let last = report.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("BROKEN: ") && last.contains("00000000-0000-7000-8000-000000000001"),
        "{report}"
    );
    Ok(())
}
