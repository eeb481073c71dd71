//! Documents of an application, through the front door: what may be added, by whom, and who may look.

use anyhow::{Context, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use finance::Currency;
use serde_json::json;
use tests::door::{Answer, Door, Member};
use tests::life::{self, Stage};
use tests::story;
use tests::world::World;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF";

struct Desk<'a> {
    door: Door,
    world: &'a World,
}

impl Desk<'_> {
    async fn add(
        &self,
        who: Option<&Member>,
        application: &str,
        id: uuid::Uuid,
        name: &str,
        bytes: &[u8],
    ) -> anyhow::Result<Answer> {
        let mut request = Request::post(format!("/documents/{application}?id={id}&name={name}"))
            .header("content-type", "application/octet-stream");
        if let Some(who) = who {
            request = request.header("authorization", format!("Bearer {}", who.token));
        }
        self.door.send(request.body(Body::from(bytes.to_vec()))?).await
    }

    async fn open(&self, who: &Member, document: &str) -> anyhow::Result<Answer> {
        let request = Request::get(format!("/documents/{document}"))
            .header("authorization", format!("Bearer {}", who.token));
        self.door.send(request.body(Body::empty())?).await
    }

    async fn list(&self, who: &Member, application: &str) -> anyhow::Result<Answer> {
        let query = "query($id: ID!) { application(id: $id) { documents { id name kind size } } }";
        self.door.ask(Some(&who.token), query, json!({ "id": application })).await
    }

    async fn remove(&self, who: &Member, document: &str) -> anyhow::Result<Answer> {
        let query = "mutation($input: DocumentRemoveInput!) { documentRemove(input: $input) { done errors { code } } }";
        self.door.ask(Some(&who.token), query, json!({ "input": { "document": document } })).await
    }
}

story!(a_borrower_adds_documents_that_only_who_judges_sees, |world| {
    let door = Door::of(&world);
    door.staff(&world, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let decided = text.find("# As supervisor@demo.test").context("the second word")?;
    let seen = life::play(Stage::Stepped(&world), &door, &text[..decided]).await?;
    let application = seen["Apply"].text("/applicationSubmit/application/id")?;
    let borrower = door.sign_in("borrower.usd@example.test").await?;
    let officer = door.sign_in("officer@demo.test").await?;
    let investor = door.sign_in("investor1.usd@example.test").await?;
    let operations = door.sign_in("operations@demo.test").await?;
    let desk = Desk { door, world: &world };

    let id = desk.world.uuid();
    let added = desk.add(Some(&borrower), &application, id, "pay%20slip.pdf", PDF).await?;
    let document = added.text("/id")?;
    let again = desk.add(Some(&borrower), &application, id, "pay%20slip.pdf", PDF).await?;
    assert_eq!(again.text("/id")?, document, "sent twice, there once");
    let other = desk.add(Some(&borrower), &application, id, "other.pdf", b"%PDF-other").await?;
    assert_eq!(other.code(), "OFFICE_COMMAND_ID_TAKEN");
    let listed = desk.list(&borrower, &application).await?;
    let expected = json!([{ "id": document, "name": "pay slip.pdf", "kind": "PDF", "size": PDF.len() }]);
    assert_eq!(listed.at("/application/documents")?, expected);

    // What it is decides, not what it is called; and what is too large says so.
    let page = desk.add(Some(&borrower), &application, world.uuid(), "x.pdf", b"<script>").await?;
    assert_eq!(
        (page.status, page.code()),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "OFFICE_DOCUMENT_KIND_UNKNOWN")
    );
    for surplus in [1usize, 2] {
        let mut large = PDF.to_vec();
        large.resize(office_api::DOCUMENT_BYTES_MAX + surplus, b' ');
        let large = desk.add(Some(&borrower), &application, world.uuid(), "x.pdf", &large).await?;
        assert_eq!(
            (large.status, large.code()),
            (StatusCode::PAYLOAD_TOO_LARGE, "OFFICE_DOCUMENT_TOO_LARGE")
        );
    }

    // Nobody else adds one, looks at one, or takes one away.
    let nobody = desk.add(None, &application, world.uuid(), "x.pdf", PDF).await?;
    assert_eq!((nobody.status, nobody.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    for stranger in [&investor, &officer] {
        let foreign = desk.add(Some(stranger), &application, world.uuid(), "x.pdf", PDF).await?;
        assert_eq!(foreign.code(), "OFFICE_DOCUMENT_NOT_FOUND", "{}", stranger.email);
        assert_eq!(
            desk.remove(stranger, &document).await?.at("/documentRemove/errors/0/code")?,
            "OFFICE_DOCUMENT_NOT_FOUND"
        );
    }
    assert_eq!(desk.open(&investor, &document).await?.status, StatusCode::NOT_FOUND);
    assert_eq!(
        desk.open(&operations, &document).await?.status,
        StatusCode::FORBIDDEN,
        "it is not their work"
    );
    assert_eq!(desk.list(&operations, &application).await?.at("/application/documents")?, json!([]));
    for reader in [&borrower, &officer] {
        let opened = desk.open(reader, &document).await?;
        assert_eq!(opened.status, StatusCode::OK, "{}", reader.email);
        let head = |name: &str| opened.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
        assert_eq!(head("content-type"), "application/pdf");
        assert_eq!(head("content-disposition"), "attachment; filename*=UTF-8''pay%20slip.pdf");
        assert_eq!(head("x-content-type-options"), "nosniff");
        assert_eq!(head("cache-control"), "no-store");
        assert_eq!(head("content-length"), PDF.len().to_string());
        ensure!(head("content-security-policy").contains("sandbox"), "{opened:?}");
    }

    // Taken back, it is gone whole; and there is room for ten.
    assert_eq!(desk.remove(&borrower, &document).await?.at("/documentRemove/done")?, true);
    assert_eq!(desk.remove(&borrower, &document).await?.at("/documentRemove/done")?, true, "twice is once");
    assert_eq!(desk.open(&officer, &document).await?.status, StatusCode::NOT_FOUND);
    for n in 0..10 {
        let one = desk.add(Some(&borrower), &application, world.uuid(), &format!("{n}.pdf"), PDF).await?;
        assert_eq!(one.status, StatusCode::OK, "{n}");
    }
    let eleventh = desk.add(Some(&borrower), &application, world.uuid(), "x.pdf", PDF).await?;
    assert_eq!((eleventh.status, eleventh.code()), (StatusCode::CONFLICT, "OFFICE_DOCUMENTS_TOO_MANY"));

    // Once decided, they stay as they were judged.
    let supervisor = desk.door.sign_in("supervisor@demo.test").await?;
    let task = seen["ApproveFirst"].text("/taskDecide/task/id")?;
    let decide = "mutation($input: TaskDecideInput!) { taskDecide(input: $input) { task { status } errors { code } } }";
    let input = json!({ "input": { "task": task, "approve": true, "note": "sound" } });
    let decision = desk.door.ask(Some(&supervisor.token), decide, input).await?;
    assert_eq!(decision.at("/taskDecide/task/status")?, "APPROVED");
    world.settle().await?;
    let kept = desk.list(&borrower, &application).await?.text("/application/documents/0/id")?;
    let gone = desk.remove(&borrower, &kept).await?;
    assert_eq!(gone.at("/documentRemove/errors/0/code")?, "OFFICE_APPLICATION_DECIDED");
    assert_eq!(desk.open(&supervisor, &kept).await?.status, StatusCode::OK);
    Ok(())
});
