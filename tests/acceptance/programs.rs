//! Programs that read for a party: how they come by a token, what it shows, how it ends, and how much they may ask.

use anyhow::{Context, ensure};
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use finance::Currency;
use serde_json::{Value, json};
use tests::door::{Answer, Door, Member, PASSWORD};
use tests::life::{self, Stage};
use tests::socket::{Socket, serve};
use tests::story;
use tests::world::World;
use uuid::Uuid;

const CREATE: &str = "mutation($input: ApiClientCreateInput!) { apiClientCreate(input: $input) {
    created { client { id name scopes usedAt } secret } errors { code field } } }";
const REVOKE: &str =
    "mutation($input: ApiClientRevokeInput!) { apiClientRevoke(input: $input) { done errors { code } } }";

async fn create(
    door: &Door,
    who: &Member,
    id: Uuid,
    name: &str,
    scopes: &[&str],
    password: &str,
) -> anyhow::Result<Value> {
    let input = json!({ "id": id, "name": name, "scopes": scopes, "password": password });
    door.ask(Some(&who.token), CREATE, json!({ "input": input })).await?.at("/apiClientCreate")
}

fn id_and_secret(created: &Value) -> anyhow::Result<(String, String)> {
    let text = |path: &str| created.pointer(path).and_then(Value::as_str).map(str::to_string);
    text("/created/client/id").zip(text("/created/secret")).with_context(|| created.to_string())
}

/// Asks for a token as a form.
async fn ask_token(door: &Door, form: &str, head: &[(&str, &str)]) -> anyhow::Result<Answer> {
    let mut request =
        Request::post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in head {
        request = request.header(*name, *value);
    }
    door.send(request.body(Body::from(form.to_string()))?).await
}

/// A new program of somebody's, and a token for it.
pub async fn token_of(
    door: &Door,
    world: &World,
    who: &Member,
    name: &str,
    scopes: &[&str],
) -> anyhow::Result<String> {
    let created = create(door, who, world.uuid(), name, scopes, PASSWORD).await?;
    let (id, secret) = id_and_secret(&created)?;
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let answer = ask_token(door, &form, &[]).await?;
    let token = answer.body["access_token"].as_str().with_context(|| answer.body.to_string())?;
    Ok(token.to_string())
}

story!(a_program_gets_a_token_as_oauth_has_it, |world| {
    let door = Door::of(&world);
    let ann = door.register("ann@example.test", &["INVESTOR"], None).await?;
    let bob = door.register("bob@example.test", &["INVESTOR"], None).await?;
    let both = &["ACCOUNTS", "INVESTMENTS"];

    // What is missing is said, field by field, and nothing is made.
    let id = world.uuid();
    for (name, scopes, password, code, field) in [
        (" ", &both[..], PASSWORD, "IDENTITY_CLIENT_NAME_MISSING", "name"),
        ("Sheet", &[][..], PASSWORD, "IDENTITY_SCOPES_MISSING", "scopes"),
        ("Sheet", &both[..], "a guess", "IDENTITY_PASSWORD_WRONG", "current"),
    ] {
        let refused = create(&door, &ann, id, name, scopes, password).await?;
        assert_eq!(refused["errors"][0], json!({ "code": code, "field": field }));
        assert!(refused["created"].is_null());
    }
    let own = "{ viewer { apiClients { id name scopes usedAt } } }";
    assert_eq!(door.ask(Some(&ann.token), own, json!({})).await?.at("/viewer/apiClients")?, json!([]));

    // The same again is the same, and its secret too; with other content it is another.
    let created = create(&door, &ann, id, "Sheet", both, PASSWORD).await?;
    let (client, secret) = id_and_secret(&created)?;
    assert!(client.starts_with("client_") && secret.starts_with("cfs_"), "{client} {secret}");
    assert_eq!(create(&door, &ann, id, "Sheet", both, PASSWORD).await?, created);
    let other = create(&door, &ann, id, "Another", both, PASSWORD).await?;
    assert_eq!(other["errors"][0]["code"], "IDENTITY_COMMAND_ID_TAKEN");
    let listed = door.ask(Some(&ann.token), own, json!({})).await?.at("/viewer/apiClients")?;
    assert_eq!(listed, json!([{ "id": client, "name": "Sheet", "scopes": both, "usedAt": null }]));
    assert_eq!(door.ask(Some(&bob.token), own, json!({})).await?.at("/viewer/apiClients")?, json!([]));

    // By the body or by the header, for all of its scopes or for fewer.
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    let basic = format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")));
    let whole = ask_token(&door, &form, &[]).await?;
    assert_eq!(whole.status, StatusCode::OK, "{}", whole.body);
    assert_eq!(whole.headers["cache-control"], "no-store");
    assert_eq!(whole.body["token_type"], "Bearer");
    assert_eq!(whole.body["expires_in"], 3_600);
    assert_eq!(whole.body["scope"], "accounts:read investments:read");
    let fewer = "grant_type=client_credentials&scope=accounts%3Aread";
    let fewer = ask_token(&door, fewer, &[("authorization", &basic)]).await?;
    assert_eq!(fewer.body["scope"], "accounts:read", "{}", fewer.body);
    let listed = door.ask(Some(&ann.token), own, json!({})).await?.at("/viewer/apiClients/0/usedAt")?;
    assert!(listed.is_string(), "{listed}");

    // Each refusal is the specification's (RFC 6749, 5.2).
    let wrong = format!("grant_type=client_credentials&client_id={client}&client_secret=cfs_0");
    let stranger = format!(
        "grant_type=client_credentials&client_id=client_{}&client_secret={secret}",
        world.uuid().simple()
    );
    for (form, head, status, error) in [
        ("grant_type=password&username=a&password=b".to_string(), vec![], 400, "unsupported_grant_type"),
        (form.replace("grant_type", "type"), vec![], 400, "invalid_request"),
        ("grant_type=client_credentials".into(), vec![], 400, "invalid_request"),
        (format!("{form}&client_id={client}"), vec![], 422, "invalid_request"),
        (form.clone(), vec![("authorization", basic.as_str())], 400, "invalid_request"),
        (form.clone(), vec![("origin", "https://evil.example")], 403, "invalid_request"),
        (format!("{form}&scope=borrowing%3Aread"), vec![], 400, "invalid_scope"),
        (format!("{form}&scope=everything"), vec![], 400, "invalid_scope"),
        ("grant_type=client_credentials&client_id=me&client_secret=x".into(), vec![], 401, "invalid_client"),
        (stranger, vec![], 401, "invalid_client"),
        (wrong.clone(), vec![], 401, "invalid_client"),
    ] {
        let answer = ask_token(&door, &form, &head).await?;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]), (status, &json!(error)), "{form}");
        assert!(answer.body["error_description"].is_string(), "{}", answer.body);
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(answer.body["access_token"].is_null());
    }
    let json = Request::post("/oauth/token").header("content-type", "application/json");
    let json = door.send(json.body(Body::from("{}"))?).await?;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let get = door.send(Request::get("/oauth/token").body(Body::empty())?).await?;
    assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    let about = Request::get("/.well-known/oauth-authorization-server").body(Body::empty())?;
    let about = door.send(about).await?.body;
    assert_eq!(about["grant_types_supported"], json!(["client_credentials"]));
    assert!(about["token_endpoint"].as_str().is_some_and(|t| t.ends_with("/oauth/token")), "{about}");

    // Whoever guesses has to wait, and so does the owner of the same place; not for ever.
    for _ in 0..6 {
        ask_token(&door, &wrong, &[]).await?;
    }
    let slowed = ask_token(&door, &form, &[]).await?;
    assert_eq!(slowed.status, StatusCode::TOO_MANY_REQUESTS, "{}", slowed.body);
    let wait: i64 = slowed.headers["retry-after"].to_str()?.parse()?;
    world.clock.advance(chrono::Duration::seconds(wait + 1));
    assert_eq!(ask_token(&door, &form, &[]).await?.status, StatusCode::OK);

    // Its owner is told that a program reads for them.
    world.settle().await?;
    let told = "{ viewer { notices(first: 5) { nodes { kind } } } }";
    let ann = door.sign_in("ann@example.test").await?;
    let told = door.ask(Some(&ann.token), told, json!({})).await?.at("/viewer/notices/nodes")?;
    assert!(told.to_string().contains("CLIENT_CREATED"), "{told}");
    Ok(())
});

story!(a_program_reads_what_it_was_let_and_changes_nothing, |world| {
    let door = Door::of(&world);
    door.staff(&world, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let seen = life::play(Stage::Stepped(&world), &door, &text).await?;
    let who = door.sign_in("investor1.usd@example.test").await?;
    let token = token_of(&door, &world, &who, "Portfolio", &["INVESTMENTS"]).await?;

    // What it was let see is what its owner sees.
    let portfolio =
        "{ viewer { portfolio { invested { amount currency } xirr } notes { id loan { rate } } } }";
    let own = door.ask(Some(&who.token), portfolio, json!({})).await?;
    let program = door.ask(Some(&token), portfolio, json!({})).await?;
    assert_eq!(program.at("/viewer")?, own.at("/viewer")?);
    assert!(seen.contains_key("Closed"));

    // The rest says which scope is missing, and what stands beside it is answered.
    let more = "{ businessDate viewer { accounts { available { amount } } } }";
    let more = door.ask(Some(&token), more, json!({})).await?;
    assert_eq!(more.code(), "SCOPE_MISSING");
    assert_eq!(more.body["errors"][0]["extensions"]["scopes"], json!(["accounts:read"]));
    // Nor by the way round: what a thing leads to has its own scope.
    let round = "{ viewer { notes { loan { feeOrder { id } listing { purpose } } } } }";
    assert_eq!(door.ask(Some(&token), round, json!({})).await?.code(), "SCOPE_MISSING");
    for closed in ["sessions { id }", "apiClients { id }", "secondFactor { since }"] {
        let closed = format!("{{ viewer {{ {closed} }} }}");
        assert_eq!(door.ask(Some(&token), &closed, json!({})).await?.code(), "FORBIDDEN", "{closed}");
    }

    // It changes nothing: no mutation, however it is written, no document, no program of its own.
    let mutations = [
        "mutation { languageChoose(input: { language: CHINESE }) { done } }",
        "mutation { ...f } fragment f on Mutation { noticesRead(input: {}) { errors { code } } }",
        "mutation { sessionClose(input: { everywhere: true }) { done } }",
    ];
    for mutation in mutations {
        assert_eq!(door.ask(Some(&token), mutation, json!({})).await?.code(), "FORBIDDEN", "{mutation}");
    }
    let own_program = json!({ "input": {
        "id": world.uuid(), "name": "x", "scopes": ["ACCOUNTS"], "password": PASSWORD } });
    assert_eq!(door.ask(Some(&token), CREATE, own_program).await?.code(), "FORBIDDEN");
    let document = format!("/documents/document_{}", world.uuid().simple());
    let document = Request::get(document).header("authorization", format!("Bearer {token}"));
    assert_eq!(door.send(document.body(Body::empty())?).await?.status, StatusCode::FORBIDDEN);

    // It follows what it may read, and its socket goes with it.
    let address = serve(&door).await?;
    let program = Member { token: token.clone(), ..who.clone() };
    let mut socket = Socket::open(address, Some(&program)).await?;
    for (id, root) in [("1", "accountChanged"), ("2", "noticeChanged")] {
        socket.subscribe(id, &format!("subscription {{ {root} {{ cursor }} }}")).await?;
        let refused = socket.hear().await?;
        assert_eq!(refused["payload"][0]["extensions"]["code"], "SCOPE_MISSING", "{refused}");
    }
    socket.subscribe("3", "subscription { taskChanged { cursor } }").await?;
    assert_eq!(socket.hear().await?["payload"][0]["extensions"]["code"], "FORBIDDEN");
    socket.subscribe("4", "subscription { businessDateChanged { businessDate } }").await?;
    ensure!(socket.next_of("/businessDateChanged/businessDate").await?.is_string(), "the date flows");

    // Another's is not there to be revoked; one's own ends at once, the hour of its token or not.
    let stranger = door.register("eve@example.test", &["INVESTOR"], None).await?;
    let own = "{ viewer { apiClients { id } } }";
    let id = door.ask(Some(&who.token), own, json!({})).await?.text("/viewer/apiClients/0/id")?;
    let input = json!({ "input": { "client": id } });
    let refused = door.ask(Some(&stranger.token), REVOKE, input.clone()).await?;
    assert_eq!(refused.at("/apiClientRevoke/errors/0/code")?, "IDENTITY_CLIENT_NOT_FOUND");
    assert_eq!(door.ask(Some(&token), portfolio, json!({})).await?.code(), "");
    for _ in 0..2 {
        let done = door.ask(Some(&who.token), REVOKE, input.clone()).await?;
        assert_eq!(done.at("/apiClientRevoke/done")?, true, "and twice as once");
    }
    let ended = door.ask(Some(&token), portfolio, json!({})).await?;
    assert_eq!((ended.status, ended.code()), (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"));
    world.settle().await?;
    assert_eq!(socket.hear().await?, json!({ "closed": 4403 }));
    assert_eq!(door.ask(Some(&who.token), own, json!({})).await?.at("/viewer/apiClients")?, json!([]));

    // A new password of the owner's leaves programs as they are: they have secrets of their own.
    let token = token_of(&door, &world, &who, "Portfolio", &["INVESTMENTS"]).await?;
    let change = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done } }";
    let input = json!({ "id": world.uuid(), "current": PASSWORD, "new": "another long password" });
    assert_eq!(
        door.ask(Some(&who.token), change, json!({ "input": input })).await?.at("/passwordChange/done")?,
        true
    );
    assert_eq!(door.ask(Some(&token), portfolio, json!({})).await?.code(), "");
    Ok(())
});

fn number(headers: &HeaderMap, name: &str) -> anyhow::Result<i64> {
    Ok(headers.get(name).with_context(|| format!("no {name}"))?.to_str()?.parse()?)
}

story!(a_program_has_so_many_points_a_minute, |world| {
    let door = Door::of(&world);
    let ann = door.register("ann@example.test", &["INVESTOR"], None).await?;
    let one = token_of(&door, &world, &ann, "One", &["ACCOUNTS"]).await?;
    let other = token_of(&door, &world, &ann, "Other", &["ACCOUNTS"]).await?;
    let large = "{ listings(first: 100) { nodes { id purpose story rate progress termMonths } } }";

    // Everybody is told what a document costs; programs what they have left as well.
    let public = door.ask(None, large, json!({})).await?;
    let cost = public.body["extensions"]["cost"]["requested"].as_i64().context("a cost")?;
    assert_eq!(public.body["extensions"]["cost"]["limit"], 3_000);
    assert!(!public.headers.contains_key("x-ratelimit-limit"), "a reader without a token has none");
    let first = door.ask(Some(&one), large, json!({})).await?;
    let limit = number(&first.headers, "x-ratelimit-limit")?;
    assert_eq!(number(&first.headers, "x-ratelimit-remaining")?, limit - cost);
    let reset = number(&first.headers, "x-ratelimit-reset")?;
    assert_eq!(reset, (world.clock().now() + chrono::Duration::seconds(60)).timestamp());

    // Until there are too few; then it hears when there are more, and nothing was taken for it.
    let mut left = limit - cost;
    while left >= cost {
        let next = door.ask(Some(&one), large, json!({})).await?;
        assert_eq!(next.status, StatusCode::OK, "{}", next.body);
        left -= cost;
        assert_eq!(number(&next.headers, "x-ratelimit-remaining")?, left);
    }
    world.clock.advance(chrono::Duration::seconds(20));
    let over = door.ask(Some(&one), large, json!({})).await?;
    assert_eq!((over.status, over.code()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"), "{}", over.body);
    assert_eq!(number(&over.headers, "retry-after")?, 40);
    assert_eq!(number(&over.headers, "x-ratelimit-reset")?, reset);
    assert_eq!(number(&over.headers, "x-ratelimit-remaining")?, left - 1, "the request itself");
    assert!(over.body["data"].is_null());
    // What costs less than is left is answered, as is the other program, as is their owner.
    assert_eq!(door.ask(Some(&one), "{ businessDate }", json!({})).await?.status, StatusCode::OK);
    assert_eq!(door.ask(Some(&other), large, json!({})).await?.status, StatusCode::OK);
    assert_eq!(door.ask(Some(&ann.token), large, json!({})).await?.status, StatusCode::OK);
    // A document that is refused costs its request.
    while door.ask(Some(&one), "{ nothing }", json!({})).await?.status != StatusCode::TOO_MANY_REQUESTS {}

    world.clock.advance(chrono::Duration::seconds(40));
    let again = door.ask(Some(&one), large, json!({})).await?;
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    assert_eq!(number(&again.headers, "x-ratelimit-remaining")?, limit - cost);
    Ok(())
});
