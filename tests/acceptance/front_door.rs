//! A list of attacks on the public door: each is refused for what it is, in time that grows no faster than its size, shows
//! nothing of the inside, and leaves the door as quick as before.

use anyhow::{Context, ensure};
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::door::Door;
use tests::socket::{Socket, serve};
use tests::story;
use tests::world::World;
use tokio_tungstenite::tungstenite::Message;

/// What stands in a request, and what is to be heard.
struct Attack {
    name: String,
    request: Request<Body>,
    status: u16,
    /// One of these.
    codes: &'static [&'static str],
}

fn post(body: impl Into<Body>) -> anyhow::Result<Request<Body>> {
    Ok(Request::post("/graphql").header("content-type", "application/json").body(body.into())?)
}

fn asking(query: &str, variables: &Value) -> anyhow::Result<Request<Body>> {
    post(json!({ "query": query, "variables": variables }).to_string())
}

/// Words no answer may hold.
const INSIDE: [&str; 9] =
    ["panicked", "sqlx", "SqlErr", "sea_orm", "SELECT ", "src/", ".rs:", "thread '", "stack backtrace"];

const UNDERSTOOD: &[&str] = &["BAD_USER_INPUT"];
const INVALID: &[&str] = &["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"];

/// Documents that cost more than they say.
fn documents() -> anyhow::Result<Vec<Attack>> {
    let mut all = Vec::new();
    let mut add = |name: &str, query: &str, codes: &'static [&'static str]| {
        let request = asking(query, &json!({}))?;
        all.push(Attack { name: name.into(), request, status: 200, codes });
        anyhow::Ok(())
    };
    let complex: &[&str] = &["QUERY_TOO_COMPLEX"];
    let deep: &[&str] = &["QUERY_TOO_DEEP"];
    let large: &[&str] = &["QUERY_TOO_LARGE"];
    let unreadable: &[&str] = &["GRAPHQL_PARSE_FAILED", "QUERY_TOO_DEEP"];
    add("nested a hundred deep", &format!("{}{}", "{a".repeat(100), "}".repeat(100)), deep)?;
    add("nested ten thousand deep", &format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000)), deep)?;
    add("brackets alone", &"{".repeat(30_000), deep)?;
    add("lists in an argument", &format!("{{ a(b: {}1{}) }}", "[".repeat(9_000), "]".repeat(9_000)), deep)?;
    add(
        "objects in an argument",
        &format!("{{ a(b: {}1{}) }}", "{c:".repeat(5_000), "}".repeat(5_000)),
        deep,
    )?;
    add("real fields, nested", &nested(8), INVALID)?;
    let aliases: String = (0..2_100).map(|n| format!("a{n}: businessDate ")).collect();
    add(
        "two thousand aliases",
        &format!("{{ {} }}", &aliases[..31_000]),
        &["QUERY_TOO_COMPLEX", "GRAPHQL_VALIDATION_FAILED"],
    )?;
    add("two thousand short aliases", &format!("{{ {} }}", "a:b ".repeat(2_100)), complex)?;
    add("directives on a field", &format!("{{ businessDate {} }}", "@a ".repeat(2_100)), complex)?;
    add(
        "directives on a fragment",
        &format!("{{ ...F {} }} fragment F on Query {{ businessDate }}", "@a ".repeat(2_100)),
        complex,
    )?;
    let skips = "@skip(if: false) ".repeat(1_500);
    add(
        "one directive, again and again",
        &format!("{{ businessDate {skips} }}"),
        &["GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX"],
    )?;
    let doubling: String =
        (0..30).map(|n| format!("fragment f{n} on Query {{ ...f{} ...f{} }} ", n + 1, n + 1)).collect();
    add(
        "doubling fragments",
        &format!("{{ ...f0 }} {doubling} fragment f30 on Query {{ businessDate }}"),
        complex,
    )?;
    add(
        "doubling fragments that nobody uses",
        &format!("{{ businessDate }} {doubling} fragment f30 on Query {{ businessDate }}"),
        complex,
    )?;
    let chained: String = (0..900).map(|n| format!("fragment f{n} on Query {{ ...f{} }} ", n + 1)).collect();
    add(
        "a chain of unused fragments",
        &format!("{{ businessDate }} {chained}"),
        &["QUERY_TOO_LARGE", "QUERY_TOO_COMPLEX"],
    )?;
    let inline = format!("{{ {} businessDate {} }}", "... on Query { ".repeat(35), "}".repeat(35));
    add("inline fragments as deep as it goes", &inline, INVALID)?;
    add("a fragment within itself", "{ ...F } fragment F on Query { ...F }", INVALID)?;
    add(
        "two fragments within each other",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }",
        INVALID,
    )?;
    let operations: String = (0..200).map(|n| format!("query q{n} {{ businessDate }} ")).collect();
    add("two hundred operations", &operations, &["QUERY_TOO_LARGE"])?;
    add("too many bytes", &format!("{{ {} }}", "a ".repeat(20_000)), large)?;
    add("too many bytes of comment", &format!("{{ businessDate }} #{}", "a".repeat(40_000)), large)?;
    add("an endless string", &format!("{{ a(b: \"{}", "\\\"".repeat(10_000)), unreadable)?;
    add("an endless block string", &format!("{{ a(b: \"\"\"{}", "\"".repeat(9_000)), unreadable)?;
    add("nothing", "", &["GRAPHQL_PARSE_FAILED"])?;
    add("commas", &",".repeat(30_000), &["GRAPHQL_PARSE_FAILED"])?;
    add("half a surrogate", "{ a(b: \"\\ud800\") }", &["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"])?;
    add(
        "a huge number",
        &format!("{{ listings(first: {}) {{ nodes {{ id }} }} }}", "9".repeat(20_000)),
        &["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"],
    )?;
    add(
        "a huge exponent",
        "{ listings(first: 1e999999999) { nodes { id } } }",
        &["GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"],
    )?;
    add("a million of a list", "{ listings(first: 1000000) { nodes { id } } }", UNDERSTOOD)?;
    add("less than nothing of a list", "{ listings(first: -1) { nodes { id } } }", UNDERSTOOD)?;
    add("both ends of a list", "{ listings(first: 1, last: 1) { nodes { id } } }", UNDERSTOOD)?;
    add(
        "a cursor of one's own making",
        "{ listings(first: 1, after: \"' OR 1=1 --\") { nodes { id } } }",
        UNDERSTOOD,
    )?;
    add(
        "many variables",
        &format!(
            "query({}) {{ businessDate }}",
            (0..1_500).map(|n| format!("$a{n}: ID ")).collect::<String>()
        ),
        INVALID,
    )?;
    add(
        "two mutations in one",
        "mutation { a: sessionRefresh { errors { code } } b: sessionRefresh { errors { code } } }",
        &["ONE_ROOT_FIELD"],
    )?;
    add("the whole schema", "{ __schema { types { name fields { name } } } }", &["INTROSPECTION_DISABLED"])?;
    add(
        "the whole schema by a fragment",
        "{ ...F } fragment F on Query { s: __schema { types { name } } }",
        &["INTROSPECTION_DISABLED"],
    )?;
    Ok(all)
}

/// A loan's listing's loan's listing, and on.
fn nested(levels: usize) -> String {
    let (there, back) = ("loan { listing { ".repeat(levels), "}".repeat(2 * levels));
    format!("{{ listings(first: 1) {{ nodes {{ {there} id {back} }} }} }}")
}

/// Bodies, media types and methods.
fn bodies() -> anyhow::Result<Vec<Attack>> {
    let plain = r#"{"query":"{ businessDate }"}"#;
    let mut all = Vec::new();
    let mut add = |name: &str, request: Request<Body>, status: u16, codes: &'static [&'static str]| {
        all.push(Attack { name: name.into(), request, status, codes });
    };
    let kind = |kind: &str| Request::post("/graphql").header("content-type", kind).body(Body::from(plain));
    let bad: &[&str] = &["BAD_REQUEST"];
    let media: &[&str] = &["MEDIA_TYPE"];
    add("a body of 300 kB", post(format!(r#"{{"query":"{}"}}"#, "a".repeat(300_000)))?, 413, &["BODY"]);
    add(
        "packed bytes",
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(Body::from(vec![0x1f, 0x8b, 8, 0]))?,
        415,
        media,
    );
    add(
        "packed, it says",
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("content-encoding", "br")
            .body(Body::from(plain))?,
        415,
        media,
    );
    for (name, of) in [
        ("plain text", "text/plain"),
        ("a form", "application/x-www-form-urlencoded"),
        ("parts", "multipart/form-data; boundary=x"),
        ("GraphQL as such", "application/graphql"),
        ("another encoding of letters", "application/json; charset=utf-16"),
    ] {
        add(name, kind(of)?, 415, media);
    }
    add("no media type", Request::post("/graphql").body(Body::from(plain))?, 415, media);
    add("a batch", post(format!("[{plain},{plain}]"))?, 400, bad);
    add("a batch of ten thousand", post(format!("[{}0]", "0,".repeat(10_000)))?, 400, bad);
    add(
        "JSON ten thousand deep",
        post(format!(
            r#"{{"query":"{{ a }}","variables":{}1{}}}"#,
            r#"{"a":"#.repeat(10_000),
            "}".repeat(10_000)
        ))?,
        400,
        bad,
    );
    add(
        "lists ten thousand deep",
        post(format!(
            r#"{{"query":"{{ a }}","variables":{{"a":{}{}}}}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        ))?,
        400,
        bad,
    );
    add(
        "the same key twice",
        post(r#"{"query":"{ businessDate }","query":"{ __schema { types { name } } }"}"#)?,
        400,
        bad,
    );
    add("half of a body", post(r#"{"query":"{ businessDate"#)?, 400, bad);
    add("not even letters", post(vec![0xff, 0xfe, 0x00, 0x7b])?, 400, bad);
    add("a number for a query", post(r#"{"query":7}"#)?, 400, bad);
    add("variables that are a list", post(r#"{"query":"{ businessDate }","variables":[1]}"#)?, 400, bad);
    add("no body", post("")?, 400, bad);
    let by_get = |query: &str| Request::get(format!("/graphql?query={query}")).body(Body::empty());
    add("a mutation by GET", by_get("mutation%7BsessionRefresh%7Berrors%7Bcode%7D%7D%7D")?, 405, &["METHOD"]);
    add(
        "a subscription by GET",
        by_get("subscription%7BbusinessDateChanged%7Bcursor%7D%7D")?,
        400,
        &["SUBSCRIPTION_BY_HTTP"],
    );
    add(
        "variables by GET that are none",
        Request::get("/graphql?query=%7BbusinessDate%7D&variables=%5B").body(Body::empty())?,
        400,
        bad,
    );
    add("DELETE", Request::delete("/graphql").body(Body::empty())?, 405, &["METHOD"]);
    add(
        "another site",
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("origin", "https://evil.example")
            .body(Body::from(plain))?,
        403,
        &["ORIGIN_REFUSED"],
    );
    add(
        "a site that looks like ours",
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("origin", "http://platform.test.evil.example")
            .body(Body::from(plain))?,
        403,
        &["ORIGIN_REFUSED"],
    );
    add(
        "no site at all",
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("origin", "null")
            .body(Body::from(plain))?,
        403,
        &["ORIGIN_REFUSED"],
    );
    Ok(all)
}

/// Amounts and ids that are none.
fn values() -> anyhow::Result<Vec<Attack>> {
    let mut all = Vec::new();
    let query = "query($min: Decimal) { listings(first: 1, rateAtLeast: $min) { nodes { id } } }";
    for text in [
        "1e5",
        "NaN",
        "Infinity",
        "0x10",
        " 1",
        "1 ",
        "1_000",
        "１",
        "+1",
        "--1",
        "1.2.3",
        "",
        "9".repeat(400).as_str(),
    ] {
        let request = asking(query, &json!({ "min": text }))?;
        all.push(Attack { name: format!("the decimal {:.12?}", text), request, status: 200, codes: INVALID });
    }
    for number in [json!(0.1), json!(1e300), json!(true), json!({ "a": 1 })] {
        let request = asking(query, &json!({ "min": number }))?;
        all.push(Attack { name: format!("the decimal {number}"), request, status: 200, codes: INVALID });
    }
    for id in [
        "",
        "listing_",
        "listing_zz",
        "loan_00000000000000000000000000000000",
        "../../etc/passwd",
        "' OR 1=1 --",
        "listing_\u{0}",
    ] {
        let request = asking("query($id: ID!) { listing(id: $id) { id } }", &json!({ "id": id }))?;
        all.push(Attack { name: format!("the id {id:?}"), request, status: 200, codes: UNDERSTOOD });
    }
    Ok(all)
}

/// Tokens that are forged, of another kind, or of another time.
fn tokens(good: &str) -> anyhow::Result<Vec<Attack>> {
    let parts: Vec<&str> = good.split('.').collect();
    let [head, claims, mark] = parts[..] else { anyhow::bail!("a token has three parts") };
    let read =
        |part: &str| -> anyhow::Result<Value> { Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?) };
    let write = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, body) = (read(head)?, read(claims)?);
    let with = |of: &Value, key: &str, value: Value| {
        let mut changed = of.clone();
        changed[key] = value;
        write(&changed)
    };
    let exp = body["exp"].as_i64().context("exp")?;
    let mut all = vec![
        ("nonsense", "nonsense".to_string()),
        ("no token", String::new()),
        ("no signature", format!("{head}.{claims}.")),
        ("half a signature", format!("{head}.{claims}.{}", &mark[..mark.len() / 2])),
        ("another's signature", format!("{head}.{claims}.{}", URL_SAFE_NO_PAD.encode([7; 64]))),
        ("four parts", format!("{good}.{mark}")),
        ("longer for ever", format!("{head}.{}.{mark}", with(&body, "exp", json!(exp + 10_000_000)))),
        (
            "another party",
            format!("{head}.{}.{mark}", with(&body, "sub", json!("00000000-0000-0000-0000-000000000001"))),
        ),
        ("another audience", format!("{head}.{}.{mark}", with(&body, "aud", json!("somebody-else")))),
        ("another kind", format!("{head}.{}.{mark}", with(&body, "typ", json!("refresh")))),
    ];
    for algorithm in ["none", "None", "HS256", "RS256", "ES256"] {
        all.push((
            "another algorithm",
            format!("{}.{claims}.{mark}", with(&header, "alg", json!(algorithm))),
        ));
        all.push((
            "another algorithm and no signature",
            format!("{}.{claims}.", with(&header, "alg", json!(algorithm))),
        ));
    }
    for key in ["", "unknown", "../../keys/1", "identity-1' OR 1=1 --"] {
        all.push(("another key", format!("{}.{claims}.{mark}", with(&header, "kid", json!(key)))));
    }
    let mut nameless = header.clone();
    nameless.as_object_mut().context("a header")?.remove("kid");
    all.push(("no key", format!("{}.{claims}.{mark}", write(&nameless))));
    let attack = |(name, token): (&str, String)| {
        let request = Request::post("/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(r#"{"query":"{ viewer { party { id } } }"}"#))?;
        Ok(Attack { name: format!("a token: {name}"), request, status: 401, codes: &["UNAUTHENTICATED"] })
    };
    all.into_iter().map(attack).collect()
}

/// How long a plain question takes.
async fn plain(door: &Door) -> anyhow::Result<Duration> {
    let start = Instant::now();
    door.ask(None, "{ businessDate }", json!({})).await?.text("/businessDate")?;
    Ok(start.elapsed())
}

async fn attacked(world: &World) -> anyhow::Result<()> {
    // As in an installation: nothing is open that only a demo opens.
    let door = Door::of_installation(world);
    let token = door.register("ada@example.test", &["INVESTOR"], None).await?.token;
    let mut all = documents()?;
    all.extend(bodies()?);
    all.extend(values()?);
    all.extend(tokens(&token)?);
    let (count, mut slowest, mut afterwards) = (all.len(), (Duration::ZERO, String::new()), Duration::ZERO);
    let mut wrong = Vec::new();
    for Attack { name, request, status, codes } in all {
        let start = Instant::now();
        let answer = door.send(request).await?;
        let took = start.elapsed();
        if took > slowest.0 {
            slowest = (took, name.clone());
        }
        afterwards = afterwards.max(plain(&door).await?);
        let body = answer.body.to_string();
        if answer.status.as_u16() != status || !codes.contains(&answer.code()) {
            wrong.push(format!("{name}: {} {} {body:.200}", answer.status, answer.code()));
        }
        if let Some(word) = INSIDE.iter().find(|word| body.contains(**word)) {
            wrong.push(format!("{name}: {word} stands in {body:.300}"));
        }
        if body.contains("Did you mean") {
            wrong.push(format!("{name}: a name is suggested: {body:.300}"));
        }
    }
    ensure!(wrong.is_empty(), "{} of {count} attacks: {wrong:#?}", wrong.len());
    let guess = door.ask(None, "{ businesDate }", json!({})).await?;
    ensure!(!guess.body.to_string().contains("Did you mean"), "{}", guess.body);
    eprintln!(
        "{count} attacks refused; the slowest took {slowest:?}, a plain question after one {afterwards:?}"
    );
    // Generous, for a machine that does other things too; a bomb takes minutes.
    ensure!(slowest.0 < Duration::from_secs(3), "{slowest:?}");
    ensure!(afterwards < Duration::from_secs(3), "{afterwards:?}");
    Ok(())
}

story!(a_list_of_attacks_is_refused_in_time, |world| { attacked(&world).await });

/// Somebody who asks and never reads is cut off, and what waits for them is bounded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_does_not_read_is_cut_off() -> anyhow::Result<()> {
    tests::world::tell(
        tests::database::Kind::Sqlite,
        counterfoil::modules::Reach::Direct,
        |world| async move {
            let door = Door::of(&world);
            let address = serve(&door).await?;
            let mut deaf = Socket::open(address, None).await?;
            let ping = json!({ "type": "ping", "payload": { "much": "a".repeat(50_000) } }).to_string();
            let start = Instant::now();
            // Each is answered with as much; the answers pile up at whoever does not take them.
            let gone = async {
                loop {
                    if futures::SinkExt::send(&mut deaf.0, Message::text(ping.clone())).await.is_err() {
                        return;
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(40), gone).await.context("it was never cut off")?;
            ensure!(start.elapsed() > Duration::from_secs(5), "cut off at once");
            // Whoever reads is served as before.
            let mut hears = Socket::open(address, None).await?;
            hears.say(json!({ "type": "ping" })).await?;
            ensure!(hears.hear().await? == json!({ "type": "pong" }));
            Ok(())
        },
    )
    .await
}
