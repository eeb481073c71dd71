//! The audit log: what staff did stands there before it is done, and cannot be changed unseen.

use anyhow::{Context, ensure};
use axum::body::Body;
use axum::http::Request;
use finance::Currency;
use kernel::call::Service;
use platform::db::Sql;
use serde_json::{Value, json};
use tests::door::{Door, Member, PASSWORD};
use tests::life::{self, Stage};
use tests::story;
use tests::world::World;

const STAFF: [(&str, &str); 5] = [
    ("officer@demo.test", "CREDIT_OFFICER"),
    ("supervisor@demo.test", "CREDIT_SUPERVISOR"),
    ("operations@demo.test", "OPERATIONS"),
    ("operations2@demo.test", "OPERATIONS"),
    ("auditor@demo.test", "AUDITOR"),
];

const LIST: &str = "query($text: String, $after: String) { acts(first: 100, text: $text, after: $after) { \
    nodes { number what details { name value } outcome by { email } } pageInfo { hasNextPage endCursor } } }";
const PROOF: &str = "{ actsProof { entries anchored fault } }";

async fn acts(door: &Door, who: &Member, text: Option<&str>) -> anyhow::Result<Vec<Value>> {
    let found = door.ask(Some(&who.token), LIST, json!({ "text": text })).await?;
    found.at("/acts/nodes")?.as_array().cloned().context("a list")
}

/// As in `officer taskDecide DONE approve=true`.
fn line(act: &Value, detail: &str) -> String {
    let details = act["details"].as_array().cloned().unwrap_or_default();
    let value = details.iter().find(|d| d["name"] == detail).map(|d| d["value"].as_str().unwrap_or("?"));
    let who = act["by"]["email"].as_str().unwrap_or("?");
    let who = who.split('@').next().unwrap_or(who);
    format!(
        "{who} {} {} {}",
        act["what"].as_str().unwrap_or("?"),
        act["outcome"].as_str().unwrap_or("?"),
        value.map_or(String::new(), |v| format!("{detail}={v}")),
    )
    .trim_end()
    .to_string()
}

async fn fault(door: &Door, who: &Member) -> anyhow::Result<Value> {
    door.ask(Some(&who.token), PROOF, json!({})).await?.at("/actsProof/fault")
}

async fn close(world: &World, door: &Door, who: &Member) -> anyhow::Result<()> {
    let today = door.ask(None, "{ businessDate }", json!({})).await?.text("/businessDate")?;
    let query =
        "mutation($input: BusinessDayCloseInput!) { businessDayClose(input: $input) { errors { code } } }";
    let begun = door.ask(Some(&who.token), query, json!({ "input": { "date": today } })).await?;
    assert_eq!(begun.at("/businessDayClose/errors")?, json!([]));
    world.wait(5).await
}

story!(what_staff_did_stands_in_the_audit_log, |world| {
    let door = Door::of(&world);
    door.staff(&world, &STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let bids = text.find("# As investor1.usd@example.test: bids").context("the bids")?;
    life::play(Stage::Stepped(&world), &door, &text[..bids]).await?;
    let auditor = door.sign_in("auditor@demo.test").await?;
    let officer = door.sign_in("officer@demo.test").await?;
    let lines = |acts: &[Value], detail: &str| -> Vec<String> {
        acts.iter().rev().map(|a| line(a, detail)).filter(|l| !l.contains(" change")).collect()
    };
    let all = acts(&door, &auditor, None).await?;
    assert_eq!(
        lines(&all, "approve"),
        [
            "officer applicationProposeRate DONE",
            "officer taskDecide DONE approve=true",
            "supervisor taskDecide DONE approve=true",
        ]
    );
    // What members do is theirs, and stands in their own books.
    ensure!(all.iter().all(|a| a["what"] != "applicationSubmit"), "{all:#?}");

    // What was refused is there too, with the code; what somebody wrote is not.
    let task = all.iter().find(|a| a["what"] == "taskDecide").context("a decision")?;
    let task = task["details"]
        .as_array()
        .and_then(|d| d.iter().find(|d| d["name"] == "task"))
        .context("a task")?["value"]
        .clone();
    let decide = "mutation($input: TaskDecideInput!) { taskDecide(input: $input) { task { id } } }";
    let input = json!({ "input": { "task": task, "approve": false, "note": "Ada Lovelace is ill" } });
    door.ask(Some(&officer.token), decide, input).await?;
    let cancel = "mutation($input: ListingCancelInput!) { listingCancel(input: $input) { errors { code } } }";
    let listing = format!("listing_{}", "0".repeat(31) + "7");
    door.ask(Some(&auditor.token), cancel, json!({ "input": { "listing": listing } })).await?;
    let about = acts(&door, &auditor, task.as_str()).await?;
    assert_eq!(
        lines(&about, "approve").last().map(String::as_str),
        Some("officer taskDecide OFFICE_TASK_DECIDED approve=false")
    );
    let cancelled = acts(&door, &auditor, Some("LISTINGcancel")).await?;
    assert_eq!(line(&cancelled[0], "listing"), format!("auditor listingCancel FORBIDDEN listing={listing}"));
    let written = world.house.db.read().all("SELECT details FROM office_act", []).await?;
    for row in written {
        let details: String = row.try_get_by_index(0)?;
        ensure!(!details.contains("Lovelace"), "{details}");
    }

    // Who has looked at a borrower's paper.
    let request = Request::get(format!("/documents/document_{}7", "0".repeat(31)))
        .header("authorization", format!("Bearer {}", officer.token));
    door.send(request.body(Body::empty())?).await?;
    let looked = acts(&door, &auditor, Some("documentOpen")).await?;
    assert_eq!(looked.len(), 1);
    assert_eq!(looked[0]["outcome"], "OFFICE_DOCUMENT_NOT_FOUND");

    let investor = door.sign_in("investor1.usd@example.test").await?;
    for who in [&investor, &officer] {
        assert_eq!(door.ask(Some(&who.token), LIST, json!({})).await?.code(), "FORBIDDEN");
        assert_eq!(door.ask(Some(&who.token), PROOF, json!({})).await?.code(), "FORBIDDEN");
    }
    // By cursor, without a gap and without a repeat.
    let page = "query($after: String) { acts(first: 2, after: $after) { nodes { number } pageInfo { hasNextPage endCursor } } }";
    let (mut numbers, mut after) = (Vec::new(), Value::Null);
    loop {
        let found = door.ask(Some(&auditor.token), page, json!({ "after": after })).await?;
        numbers.extend(found.at("/acts/nodes")?.as_array().cloned().unwrap_or_default());
        if found.at("/acts/pageInfo/hasNextPage")? == false {
            break;
        }
        after = found.at("/acts/pageInfo/endCursor")?;
    }
    let whole = acts(&door, &auditor, None).await?;
    assert_eq!(
        numbers.iter().map(|n| n["number"].clone()).collect::<Vec<_>>(),
        whole.iter().map(|n| n["number"].clone()).collect::<Vec<_>>()
    );
    Ok(())
});

story!(what_cannot_be_written_down_is_not_done, |world| {
    let door = Door::of(&world);
    door.staff(&world, &STAFF).await?;
    let officer = door.sign_in("officer@demo.test").await?;
    let member = door.register("ann@example.test", &["INVESTOR"], None).await?;
    let create =
        "mutation($input: ApiClientCreateInput!) { apiClientCreate(input: $input) { created { secret } } }";
    let input = || json!({ "input": { "id": world.uuid(), "name": "x", "scopes": ["PROFILE"], "password": PASSWORD } });
    let programs = async |who: &Member| -> anyhow::Result<usize> {
        let found = door.ask(Some(&who.token), "{ viewer { apiClients { id } } }", json!({})).await?;
        Ok(found.at("/viewer/apiClients")?.as_array().map_or(0, Vec::len))
    };
    world.house.stop_service(Service::Office).await;
    let refused = door.ask(Some(&officer.token), create, input()).await?;
    assert_eq!(refused.code(), "AUDIT_UNAVAILABLE");
    assert_eq!(programs(&officer).await?, 0);
    // Members are not held up by it, and whoever wants to leave is let go.
    door.ask(Some(&member.token), create, input()).await?.at("/apiClientCreate/created")?;
    assert_eq!(programs(&member).await?, 1);
    let leave = "mutation { sessionClose(input: {}) { done } }";
    assert_eq!(door.ask(Some(&officer.token), leave, json!({})).await?.at("/sessionClose/done")?, true);
    world.house.start_service(Service::Office);
    let again = door.sign_in("officer@demo.test").await?;
    door.ask(Some(&again.token), create, input()).await?.at("/apiClientCreate/created")?;
    assert_eq!(programs(&again).await?, 1);
    Ok(())
});

story!(a_change_to_the_audit_log_is_found_and_halts_the_close, |world| {
    let door = Door::of(&world);
    door.staff(&world, &STAFF).await?;
    let (auditor, operations) =
        (door.sign_in("auditor@demo.test").await?, door.sign_in("operations@demo.test").await?);
    assert_eq!(fault(&door, &auditor).await?, Value::Null);
    close(&world, &door, &operations).await?;
    // The custodian keeps the head of that moment; more has been written since.
    let choose = "mutation { emailLetter(input: {}) { done } }";
    for _ in 0..3 {
        door.ask(Some(&operations.token), choose, json!({})).await?.at("/emailLetter")?;
    }
    let proof = door.ask(Some(&auditor.token), PROOF, json!({})).await?.at("/actsProof")?;
    let (entries, anchored) = (proof["entries"].as_i64(), proof["anchored"].as_i64());
    ensure!(proof["fault"].is_null() && anchored > Some(0) && anchored < entries, "{proof}");
    let anchored = anchored.context("an anchor")?;

    let db = world.house.db.read();
    db.run("UPDATE office_act SET what = 'DONE' WHERE what = 'emailLetter'", []).await?;
    ensure!(fault(&door, &auditor).await?.as_str().is_some_and(|f| f.contains("is not what was written")));
    db.run("UPDATE office_act SET what = 'emailLetter' WHERE what = 'DONE' AND of IS NULL", []).await?;
    assert_eq!(fault(&door, &auditor).await?, Value::Null);

    // The newest entries cut off with the head made to fit: nothing tells, unless the custodian's anchor lies behind.
    let cut = async |to: i64| -> anyhow::Result<()> {
        db.run("DELETE FROM office_act WHERE number > $1", [to.into()]).await?;
        let head =
            "UPDATE office_act_head SET number = $1, hash = (SELECT hash FROM office_act WHERE number = $1)";
        db.run(head, [to.into()]).await?;
        Ok(())
    };
    cut(anchored).await?;
    assert_eq!(fault(&door, &auditor).await?, Value::Null);
    cut(anchored - 1).await?;
    ensure!(fault(&door, &auditor).await?.as_str().is_some_and(|f| f.contains("ends before the entry")));
    // And written anew, it is not the entry whose hash the custodian keeps.
    for _ in 0..2 {
        door.ask(Some(&operations.token), choose, json!({})).await?.at("/emailLetter")?;
    }
    ensure!(fault(&door, &auditor).await?.as_str().is_some_and(|f| f.contains("the custodian keeps")));
    close(&world, &door, &operations).await?;
    let day = door
        .ask(Some(&auditor.token), "{ businessDay { status finding { code message } } }", json!({}))
        .await?;
    assert_eq!(day.text("/businessDay/status")?, "HALTED");
    assert_eq!(day.text("/businessDay/finding/code")?, "AUDIT_BROKEN");
    ensure!(
        day.text("/businessDay/finding/message")?.contains("ends before the entry")
            || day.text("/businessDay/finding/message")?.contains("the custodian keeps"),
        "{}",
        day.body
    );
    Ok(())
});
