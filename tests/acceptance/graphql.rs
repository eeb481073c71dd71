//! Through the front door: documents, manners, rights, what is followed live.

use anyhow::{Context, ensure};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use finance::Currency;
use serde_json::{Value, json};
use tests::door::{Door, PASSWORD};
use tests::life::{self, Stage};
use tests::socket::{Socket, serve};
use tests::story;
use tests::world::World;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

async fn whole_life(world: &World, currency: Currency, unit: i64) -> anyhow::Result<()> {
    let door = Door::of(world);
    door.staff(world, &life::STAFF).await?;
    let text = life::documents(currency, unit);
    let first = text.find("mutation Repay1").and_then(|at| text[..at].rfind("# As"));
    let (before, after) = text.split_at(first.context("the first payment")?);
    let mut seen = life::play(Stage::Stepped(world), &door, before).await?;
    // What each investor is told will come, to the smallest coin.
    let told = "{ viewer { portfolio { expected { interest { amount } principal { amount } } } } }";
    let came = "{ viewer { notes { history { interest { amount } principal { amount } } } } }";
    let investor = |n| format!("investor{n}.{}@example.test", currency.code().to_lowercase());
    let mut promised = Vec::new();
    for n in 1..=3 {
        let who = door.sign_in(&investor(n)).await?;
        promised.push(door.ask(Some(&who.token), told, json!({})).await?.at("/viewer/portfolio/0/expected")?);
    }
    seen.extend(life::play(Stage::Stepped(world), &door, after).await?);
    for (n, promised) in (1..=3).zip(promised) {
        let who = door.sign_in(&investor(n)).await?;
        let came = door.ask(Some(&who.token), came, json!({})).await?.at("/viewer/notes/0/history")?;
        assert_eq!(came, promised, "what investor {n} was told, and what came");
    }

    let running = &seen["Running"];
    assert_eq!(running.text("/loan/status")?, "ACTIVE");
    let principal: finance::Money = finance::Money::new(10_000 * unit, currency);
    assert_eq!(running.text("/loan/outstanding/amount")?, principal.to_decimal_string());
    let closed = &seen["Closed"];
    assert_eq!(closed.text("/loan/status")?, "CLOSED");
    let schedule = closed.at("/loan/schedule")?;
    ensure!(schedule.as_array().is_some_and(|s| s.iter().all(|i| i["status"] == "PAID")), "{schedule}");
    let minor = |text: &str| finance::Money::parse(text, currency).map(|m| m.minor());
    let mut interest = 0;
    for i in schedule.as_array().context("a schedule")? {
        interest += minor(i["interest"]["amount"].as_str().unwrap_or(""))?;
    }
    let mut received = 0;
    for n in 1..=3 {
        let paid = &seen[&format!("Paid{n}")];
        let got = minor(&paid.text("/viewer/portfolio/0/interestReceived/amount")?)?;
        let has = minor(&paid.text("/viewer/accounts/0/available/amount")?)?;
        assert_eq!(has, 10_000 * unit + got, "investor {n}: what was brought in, and the interest");
        let lines = paid.at("/viewer/statement/nodes")?;
        let both = lines.as_array().context("lines")?.iter().all(|l| l["cash"]["mirrored"] == true);
        ensure!(both, "every virtual movement has its counterfoil: {lines}");
        received += got;
    }
    assert_eq!(received, interest, "what the borrower paid the investors received");

    // The same documents again change nothing.
    let again = life::play(Stage::Stepped(world), &door, &text).await?;
    assert_eq!(again["Paid1"].at("/viewer/accounts")?, seen["Paid1"].at("/viewer/accounts")?);
    world.assert_matched().await
}

story!(a_life_by_documents_in_dollars, |world| { whole_life(&world, Currency::USD, 100).await });

story!(a_life_by_documents_in_yen, |world| { whole_life(&world, Currency::JPY, 100).await });

story!(a_life_by_documents_in_dinars, |world| { whole_life(&world, Currency::BHD, 1_000).await });

#[test]
fn the_documents_in_git_are_the_ones_that_are_played() {
    for (currency, unit) in [(Currency::USD, 100), (Currency::JPY, 100), (Currency::BHD, 1_000)] {
        let file = format!("../docs/graphql/life-{}.graphql", currency.code().to_lowercase());
        expect_test::expect_file![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)]
            .assert_eq(&life::documents(currency, unit));
    }
}

story!(the_door_has_manners, |world| {
    let door = Door::of(&world);
    let post = || Request::post("/graphql").header("content-type", "application/json");
    let status = |answer: tests::door::Answer| (answer.status.as_u16(), answer.code().to_string());
    let body = || Body::from(r#"{"query":"{ businessDate }"}"#);

    assert_eq!(door.ask(None, "{ businessDate }", json!({})).await?.text("/businessDate")?, "2026-01-01");
    let plain = Request::post("/graphql").header("content-type", "text/plain").body(body())?;
    assert_eq!(status(door.send(plain).await?), (415, "MEDIA_TYPE".into()));
    let form =
        Request::post("/graphql").header("content-type", "multipart/form-data; boundary=x").body(body())?;
    assert_eq!(status(door.send(form).await?), (415, "MEDIA_TYPE".into()));
    let none = Request::post("/graphql").body(body())?;
    assert_eq!(status(door.send(none).await?), (415, "MEDIA_TYPE".into()));
    let batch = post().body(Body::from(r#"[{"query":"{ businessDate }"}]"#))?;
    assert_eq!(status(door.send(batch).await?), (400, "BAD_REQUEST".into()));
    let elsewhere = post().header("origin", "https://evil.example").body(body())?;
    assert_eq!(status(door.send(elsewhere).await?), (403, "ORIGIN_REFUSED".into()));
    let here = post().header("origin", "http://platform.test").body(body())?;
    assert_eq!(door.send(here).await?.status, StatusCode::OK);
    let huge = post().body(Body::from(format!(r#"{{"query":"{}"}}"#, "a".repeat(300_000))))?;
    assert_eq!(status(door.send(huge).await?), (413, "BODY".into()));
    let put = Request::put("/graphql").header("content-type", "application/json").body(body())?;
    assert_eq!(status(door.send(put).await?), (405, "METHOD".into()));

    let get = Request::get("/graphql?query=%7BbusinessDate%7D").body(Body::empty())?;
    assert_eq!(door.send(get).await?.text("/businessDate")?, "2026-01-01");
    let query = "mutation%7BsessionRefresh%7Bsession%7BaccessToken%7D%7D%7D";
    let get = Request::get(format!("/graphql?query={query}")).body(Body::empty())?;
    let answer = door.send(get).await?;
    assert_eq!(answer.headers["allow"], "POST");
    assert_eq!(status(answer), (405, "METHOD".into()));

    // A document that is wrong: 400 in GraphQL's own media type, 200 in the older one; a code in both.
    let wrong = r#"{"query":"{ nothingOfTheKind }"}"#;
    let modern = post().header("accept", "application/graphql-response+json").body(Body::from(wrong))?;
    assert_eq!(status(door.send(modern).await?), (400, "GRAPHQL_VALIDATION_FAILED".into()));
    let older = post().header("accept", "application/json").body(Body::from(wrong))?;
    assert_eq!(status(door.send(older).await?), (200, "GRAPHQL_VALIDATION_FAILED".into()));
    let missing = door.ask(None, "query($id: ID!) { listing(id: $id) { id } }", json!({})).await?;
    assert_eq!(missing.code(), "BAD_USER_INPUT");
    let odd =
        door.ask(None, "query($id: ID!) { listing(id: $id) { id } }", json!({ "id": "loan_7" })).await?;
    assert_eq!((odd.status, odd.code()), (StatusCode::OK, "BAD_USER_INPUT"));
    let expired = post().header("authorization", "Bearer nonsense").body(body())?;
    assert_eq!(status(door.send(expired).await?), (401, "UNAUTHENTICATED".into()));

    // Who is unknown and who mistypes hear the same.
    door.register("ada@example.test", &["INVESTOR"], None).await?;
    let open = "mutation($input: SessionOpenInput!) { sessionOpen(input: $input) { session { accessToken } errors { code message field } } }";
    let guess = |email: &str| json!({ "input": { "email": email, "password": "not the password" } });
    let known = door.ask(None, open, guess("ada@example.test")).await?;
    let unknown = door.ask(None, open, guess("nobody@example.test")).await?;
    assert_eq!(known.body, unknown.body);

    // The refresh token is a cookie that scripts cannot read, and is spent by its use.
    let right = json!({ "input": { "email": "ada@example.test", "password": PASSWORD } });
    let answer = door.ask(None, open, right).await?;
    let cookie = answer.headers["set-cookie"].to_str()?.to_string();
    ensure!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    ensure!(!answer.body.to_string().contains(cookie.split(['=', ';']).nth(1).context("a value")?));
    let refresh = |cookie: String| {
        let body = r#"{"query":"mutation { sessionRefresh { session { accessToken } errors { code } } }"}"#;
        post().header("cookie", cookie.split(';').next().unwrap_or("").to_string()).body(Body::from(body))
    };
    let second = door.send(refresh(cookie.clone())?).await?;
    second.text("/sessionRefresh/session/accessToken")?;
    world.clock.advance(chrono::Duration::seconds(60));
    let stolen = door.send(refresh(cookie)?).await?;
    assert_eq!(stolen.text("/sessionRefresh/errors/0/code")?, "IDENTITY_SESSION_ENDED");
    let family = door.send(refresh(second.headers["set-cookie"].to_str()?.to_string())?).await?;
    assert_eq!(
        family.text("/sessionRefresh/errors/0/code")?,
        "IDENTITY_SESSION_ENDED",
        "the whole family is gone"
    );
    Ok(())
});

story!(the_business_date_is_followed_by_everybody, |world| {
    let door = Door::of(&world);
    let address = serve(&door).await?;
    let staff = door.staff(&world, &life::STAFF).await?;
    let mut public = Socket::open(address, None).await?;
    public.subscribe("1", "subscription { businessDateChanged { cursor businessDate } }").await?;
    let path = "/businessDateChanged/businessDate";
    let today = public.next_of(path).await?;
    let close =
        "mutation($input: BusinessDayCloseInput!) { businessDayClose(input: $input) { errors { code } } }";
    let operations = staff.iter().find(|s| s.email.starts_with("operations")).context("operations")?;
    let begun = door.ask(Some(&operations.token), close, json!({ "input": { "date": today } })).await?;
    assert_eq!(begun.at("/businessDayClose/errors")?, json!([]));
    world.wait(5).await?;
    let next: chrono::NaiveDate = today.as_str().context("a date")?.parse()?;
    let next = next.succ_opt().context("a day after")?;
    assert_eq!(public.next_of(path).await?, json!(next));
    let asked = door.ask(None, "{ passwordLinkStands(secret: \"guessed\") }", json!({})).await?;
    assert_eq!(asked.at("/passwordLinkStands")?, json!(false));
    Ok(())
});

story!(a_listing_is_followed_while_it_fills_and_after_a_break, |world| {
    let door = Door::of(&world);
    let address = serve(&door).await?;
    let staff = door.staff(&world, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let (before, after) =
        text.split_at(text.find("# As investor1.usd@example.test: bids").context("the bids")?);
    let seen = life::play(Stage::Stepped(&world), &door, before).await?;
    let listing = seen["Marketplace"].text("/listings/nodes/0/id")?;
    assert_eq!(seen["Marketplace"].text("/listings/nodes/0/progress")?, "0");

    let mut public = Socket::open(address, None).await?;
    let follow = |after: Option<&str>| {
        let after = after.map_or(String::new(), |a| format!(", after: \"{a}\""));
        format!(
            "subscription {{ listingChanged(id: \"{listing}\"{after}) {{ cursor listing {{ status progress purpose }} }} }}"
        )
    };
    public.subscribe("1", &follow(None)).await?;
    let first = public.next_of("/listingChanged").await?;
    let purpose = first["listing"]["purpose"].clone();
    assert_eq!(
        first["listing"],
        json!({ "status": "OPEN", "progress": "0", "purpose": purpose }),
        "the present state comes first"
    );
    assert!(purpose.as_str().is_some_and(|p| !p.is_empty()), "{first}");
    let mut desk = Socket::open(address, Some(&staff[2])).await?;
    desk.subscribe("q", "subscription { taskChanged { cursor task { kind status } } }").await?;
    let investor = door.sign_in("investor1.usd@example.test").await?;
    let mut purse = Socket::open(address, Some(&investor)).await?;
    purse
        .subscribe(
            "a",
            "subscription { accountChanged { cursor accounts { available { amount } frozen { amount } } } }",
        )
        .await?;
    let money = |a: &str, f: &str| json!([{ "available": { "amount": a }, "frozen": { "amount": f } }]);
    assert_eq!(purse.next_of("/accountChanged/accounts").await?, money("10000.00", "0.00"));

    life::play(Stage::Stepped(&world), &door, after.split("# As operations").next().context("the payout")?)
        .await?;
    let mut progress = Vec::new();
    let mut cursor = String::new();
    while progress.last() != Some(&json!("FILLED")) {
        let change = public.next_of("/listingChanged").await?;
        if progress.is_empty() {
            cursor = change["cursor"].as_str().context("a cursor")?.into();
        }
        progress.push(change["listing"]["progress"].clone());
        assert_eq!(
            change["listing"]["purpose"], purpose,
            "an event has no texts, and who follows sees them all the same"
        );
        if change["listing"]["status"] == "FILLED" {
            progress.push(json!("FILLED"));
        }
    }
    assert_eq!(progress[0], "0.5");
    assert_eq!(purse.next_of("/accountChanged/accounts").await?, money("5000.00", "5000.00"));
    assert_eq!(desk.next_of("/taskChanged/task").await?, json!({ "kind": "DISBURSEMENT", "status": "OPEN" }));

    // What one is told says which loan it is about, to whoever it is told.
    world.settle().await?;
    let told = async |email: &str| {
        let who = door.sign_in(email).await?;
        let answer = door
            .ask(Some(&who.token), "{ viewer { notices(first: 20) { nodes { kind about } } } }", json!({}))
            .await?;
        answer.at("/viewer/notices/nodes")
    };
    let about = json!({ "kind": "APPLICATION_APPROVED", "about": purpose });
    let borrower = told("borrower.usd@example.test").await?;
    assert!(borrower.as_array().is_some_and(|all| all.contains(&about)), "{borrower}");
    let officer = told("officer@demo.test").await?;
    assert_eq!(officer[0]["kind"], "TASK_APPROVED", "{officer}");
    assert_eq!(officer[0]["about"], purpose, "of which loan, and not only how much: {officer}");

    // The line breaks; with the first cursor a new socket hears everything that came after it.
    drop(public);
    let mut back = Socket::open(address, None).await?;
    back.subscribe("1", &follow(Some(&cursor))).await?;
    let mut caught_up = Vec::new();
    while caught_up.last() != Some(&json!("FILLED")) {
        let change = back.next_of("/listingChanged/listing").await?;
        caught_up.push(change["progress"].clone());
        if change["status"] == "FILLED" {
            caught_up.push(json!("FILLED"));
        }
    }
    assert_eq!(caught_up, progress[1..], "nothing lost, nothing twice");

    // Strangers do not follow what is not theirs, and mutations do not go by socket.
    drop(back);
    let mut back = Socket::open(address, None).await?;
    let mut thief = Socket::open(address, Some(&investor)).await?;
    back.subscribe("2", "subscription { accountChanged { cursor } }").await?;
    let refused = back.hear().await?;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
    thief.subscribe("t", "subscription { taskChanged { cursor } }").await?;
    let refused = thief.hear().await?;
    assert_eq!(refused["payload"][0]["extensions"]["code"], "FORBIDDEN", "{refused}");
    back.subscribe("3", "mutation { sessionRefresh { errors { code } } }").await?;
    assert_eq!(back.hear().await?["payload"][0]["extensions"]["code"], "MUTATION_BY_SOCKET");

    // A session that ends takes its socket with it.
    let out = "mutation { sessionClose(input: { everywhere: true }) { done } }";
    door.ask(Some(&investor.token), out, json!({})).await?.at("/sessionClose/done")?;
    world.settle().await?;
    assert_eq!(purse.hear().await?, json!({ "closed": 4403 }));
    Ok(())
});

story!(the_socket_keeps_to_its_protocol, |world| {
    let door = Door::of(&world);
    let address = serve(&door).await?;
    let raw = |protocol: &'static str| async move {
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse()?);
        Ok::<_, anyhow::Error>(Socket(tokio_tungstenite::connect_async(request).await?.0))
    };
    let mut early = raw("graphql-transport-ws").await?;
    early.subscribe("1", "subscription { listingChanged { cursor } }").await?;
    assert_eq!(early.hear().await?, json!({ "closed": 4401 }));
    let mut twice = Socket::open(address, None).await?;
    twice.say(json!({ "type": "connection_init" })).await?;
    assert_eq!(twice.hear().await?, json!({ "closed": 4429 }));
    let mut same = Socket::open(address, None).await?;
    same.say(json!({ "type": "ping", "payload": { "n": 1 } })).await?;
    assert_eq!(same.hear().await?, json!({ "type": "pong", "payload": { "n": 1 } }));
    same.subscribe("1", "subscription { listingChanged { cursor } }").await?;
    same.subscribe("1", "subscription { listingChanged { cursor } }").await?;
    assert_eq!(same.hear().await?, json!({ "closed": 4409 }));
    let mut odd = Socket::open(address, None).await?;
    odd.say(json!({ "type": "nonsense" })).await?;
    assert_eq!(odd.hear().await?, json!({ "closed": 4400 }));
    let mut liar = raw("graphql-transport-ws").await?;
    liar.say(json!({ "type": "connection_init", "payload": { "authorization": "Bearer forged" } })).await?;
    assert_eq!(liar.hear().await?, json!({ "closed": 4403 }));
    let mut request = format!("ws://{address}/graphql").into_client_request()?;
    request.headers_mut().insert("origin", "https://evil.example".parse()?);
    ensure!(tokio_tungstenite::connect_async(request).await.is_err(), "another site's socket");
    Ok(())
});

story!(one_changes_ones_own_password_and_other_devices_are_signed_out, |world| {
    let door = Door::of(&world);
    let here = door.register("ada@example.test", &["INVESTOR"], None).await?;
    let elsewhere = door.sign_in("ada@example.test").await?;
    let query =
        "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done errors { code } } }";
    let change =
        |current: &str, new: &str| json!({ "input": { "id": world.uuid(), "current": current, "new": new } });
    let wrong =
        door.ask(Some(&here.token), query, change("not the password", "another long password")).await?;
    assert_eq!(wrong.text("/passwordChange/errors/0/code")?, "IDENTITY_PASSWORD_WRONG");
    let short = door.ask(Some(&here.token), query, change(PASSWORD, "short")).await?;
    assert_eq!(short.text("/passwordChange/errors/0/code")?, "IDENTITY_PASSWORD_TOO_SHORT");

    let right = change(PASSWORD, "another long password");
    for _ in 0..2 {
        // Sent again after a lost answer, it is answered as before.
        let done = door.ask(Some(&here.token), query, right.clone()).await?;
        assert_eq!(done.at("/passwordChange/done")?, true, "{}", done.body);
    }
    let mine = "{ viewer { sessions { present } } }";
    let left = door.ask(Some(&here.token), mine, json!({})).await?.at("/viewer/sessions")?;
    assert_eq!(left, json!([{ "present": true }]));
    assert_eq!(door.ask(Some(&elsewhere.token), mine, json!({})).await?.status, StatusCode::UNAUTHORIZED);
    ensure!(door.sign_in("ada@example.test").await.is_err(), "the old password");
    Ok(())
});

story!(staff_find_people_listings_and_orders, |world| {
    let door = Door::of(&world);
    door.staff(&world, &life::STAFF).await?;
    let text = life::documents(Currency::USD, 100);
    let bids = text.find("# As investor1.usd@example.test: bids").context("the bids")?;
    life::play(Stage::Stepped(&world), &door, &text[..bids]).await?;
    let operations = door.sign_in("operations@demo.test").await?;
    let find = "query($text: String!) { parties(text: $text) { email } listings(text: $text) { nodes { purpose } } }";
    let found = async |text: &str| {
        let answer = door.ask(Some(&operations.token), find, json!({ "text": text })).await?;
        let count = |path: &str| anyhow::Ok(answer.at(path)?.as_array().map_or(0, Vec::len));
        anyhow::Ok((count("/parties")?, count("/listings/nodes")?))
    };
    assert_eq!(found("INVESTOR1.usd").await?, (1, 0), "whatever the case");
    assert_eq!(found("heat PUMP").await?, (0, 1));
    assert_eq!(found("%").await?, (0, 0), "what is typed is taken literally");
    assert_eq!(found("_").await?, (0, 0));
    assert_eq!(found("' OR 1=1 --").await?, (0, 0));
    let staff = "{ parties(text: \"\", staff: true) { email roles } }";
    let all = door.ask(Some(&operations.token), staff, json!({})).await?.at("/parties")?;
    let mut emails: Vec<&str> =
        all.as_array().context("staff")?.iter().filter_map(|p| p["email"].as_str()).collect();
    emails.sort_unstable();
    for (email, _) in life::STAFF {
        ensure!(emails.contains(&email), "{email} is staff");
    }
    ensure!(emails.iter().all(|e| !e.ends_with(".usd@example.test")), "members are not: {emails:?}");
    let lender = door.sign_in("investor1.usd@example.test").await?;
    assert_eq!(door.ask(Some(&lender.token), staff, json!({})).await?.code(), "FORBIDDEN");
    // Who borrows and what they allow is for staff alone.
    let whose = "{ listings { nodes { borrower { email } feeAllowed } } }";
    let of = async |who: Option<&str>| door.ask(who, whose, json!({})).await?.at("/listings/nodes/0");
    let known = |fee| json!({ "borrower": { "email": "borrower.usd@example.test" }, "feeAllowed": fee });
    assert_eq!(of(Some(&operations.token)).await?, known(Value::Null), "nobody asks before it is filled");
    let unknown = json!({ "borrower": null, "feeAllowed": null });
    assert_eq!(of(Some(&lender.token)).await?, unknown);
    assert_eq!(of(None).await?, unknown);

    let query = "query($open: Boolean!, $first: Int, $after: String) { orders(open: $open, first: $first, after: $after) {
        nodes { id operation status redirectUrl party { email } } pageInfo { hasNextPage endCursor } } }";
    let all = door.ask(Some(&operations.token), query, json!({ "open": false, "first": 100 })).await?;
    let nodes = all.at("/orders/nodes")?;
    let nodes = nodes.as_array().context("orders")?;
    ensure!(
        nodes
            .iter()
            .any(|n| n["operation"] == "top_up" && n["party"]["email"] == "investor1.usd@example.test")
    );
    ensure!(nodes.iter().all(|n| n["redirectUrl"].is_null()), "the page to confirm is its owner's");
    let first = door.ask(Some(&operations.token), query, json!({ "open": false, "first": 2 })).await?;
    let after = first.text("/orders/pageInfo/endCursor")?;
    let next = door
        .ask(Some(&operations.token), query, json!({ "open": false, "first": 2, "after": after }))
        .await?;
    assert_eq!(next.at("/orders/nodes/0/id")?, nodes[2]["id"], "page after page without a gap");
    let open = door.ask(Some(&operations.token), query, json!({ "open": true, "first": 100 })).await?;
    assert_eq!(open.at("/orders/nodes")?.as_array().map(Vec::len), Some(0), "nothing is under way");
    let officer = door.sign_in("officer@demo.test").await?;
    assert_eq!(door.ask(Some(&officer.token), query, json!({ "open": false })).await?.code(), "FORBIDDEN");

    // Filled, it is about to be paid out: whoever decides that sees what the borrower allows; a lender does not.
    let paid_out = text.find("# As operations@demo.test").context("the payout")?;
    life::play(Stage::Stepped(&world), &door, &text[bids..paid_out]).await?;
    assert_eq!(of(Some(&operations.token)).await?, known(json!(true)));
    assert_eq!(of(Some(&lender.token)).await?, unknown);
    Ok(())
});
