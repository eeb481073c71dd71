//! Drafts of applications, through the front door: kept for whoever goes on later, seen by nobody else, gone when sent.

use serde_json::{Value, json};
use tests::door::{Answer, Door, Member};
use tests::story;

const SAVE: &str = "mutation($input: ApplicationDraftSaveInput!) { applicationDraftSave(input: $input) { \
    draft { id fields { name value } } errors { code } } }";
const DISCARD: &str =
    "mutation($input: ApplicationDraftDiscardInput!) { applicationDraftDiscard(input: $input) { done } }";
const SUBMIT: &str = "mutation($input: ApplicationSubmitInput!) { applicationSubmit(input: $input) { \
    application { id } errors { code } } }";

async fn save(door: &Door, who: &Member, id: uuid::Uuid, story: &str) -> anyhow::Result<Answer> {
    let fields = json!([{ "name": "amount", "value": "1 000,5" }, { "name": "story", "value": story }]);
    door.ask(Some(&who.token), SAVE, json!({ "input": { "id": id, "fields": fields } })).await
}

async fn kept(door: &Door, who: &Member) -> anyhow::Result<Value> {
    let query = "{ viewer { applicationDraft { id fields { name value } } } }";
    door.ask(Some(&who.token), query, json!({})).await?.at("/viewer/applicationDraft")
}

story!(what_is_typed_is_kept_until_it_is_sent, |world| {
    let door = Door::of(&world);
    let bruno = door.register("bruno@example.test", &["BORROWER"], None).await?;
    let carla = door.register("carla@example.test", &["BORROWER"], None).await?;
    let ines = door.register("ines@example.test", &["INVESTOR"], None).await?;
    assert_eq!(kept(&door, &bruno).await?, Value::Null);
    let (first, second) = (world.uuid(), world.uuid());
    // What was typed comes back as it was typed, and the last word counts.
    save(&door, &bruno, first, "A bicy").await?.at("/applicationDraftSave/draft/id")?;
    let saved = save(&door, &bruno, first, "A bicycle, \"blue\"\n自行车").await?;
    assert_eq!(saved.at("/applicationDraftSave/errors")?, json!([]));
    let expected = json!({ "id": first, "fields": [
        { "name": "amount", "value": "1 000,5" }, { "name": "story", "value": "A bicycle, \"blue\"\n自行车" },
    ] });
    assert_eq!(kept(&door, &bruno).await?, expected);
    assert_eq!(kept(&door, &carla).await?, Value::Null);
    assert_eq!(kept(&door, &ines).await?, Value::Null);
    assert_eq!(save(&door, &ines, world.uuid(), "x").await?.code(), "FORBIDDEN");
    let long = save(&door, &bruno, first, &"x".repeat(5_001)).await?;
    assert_eq!(long.text("/applicationDraftSave/errors/0/code")?, "LENDING_DRAFT_TOO_LARGE");
    assert_eq!(kept(&door, &bruno).await?, expected);
    // Another's draft, or one that is no longer there, is not given up by its id.
    for (who, id) in [(&carla, first), (&bruno, second)] {
        door.ask(Some(&who.token), DISCARD, json!({ "input": { "id": id } }))
            .await?
            .at("/applicationDraftDiscard/done")?;
    }
    assert_eq!(kept(&door, &bruno).await?, expected);

    let apply = json!({ "input": {
        "id": first, "amount": { "amount": "1000.50", "currency": "USD" }, "termMonths": 12, "purpose": "A bicycle",
        "story": "A bicycle",
    } });
    let sent = door.ask(Some(&bruno.token), SUBMIT, apply).await?;
    assert_eq!(sent.at("/applicationSubmit/errors")?, json!([]));
    assert_eq!(kept(&door, &bruno).await?, Value::Null);
    // A save that was still on its way does not bring it back.
    let late = save(&door, &bruno, first, "A bicycle").await?;
    assert_eq!(late.text("/applicationDraftSave/errors/0/code")?, "LENDING_APPLICATION_ID_TAKEN");
    assert_eq!(kept(&door, &bruno).await?, Value::Null);

    save(&door, &bruno, second, "Another").await?.at("/applicationDraftSave/draft/id")?;
    let discard = json!({ "input": { "id": second } });
    for _ in 0..2 {
        let gone = door.ask(Some(&bruno.token), DISCARD, discard.clone()).await?;
        assert_eq!(gone.at("/applicationDraftDiscard/done")?, true);
    }
    assert_eq!(kept(&door, &bruno).await?, Value::Null);
    Ok(())
});
