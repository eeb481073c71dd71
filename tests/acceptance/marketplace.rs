//! The marketplace through the front door: what fits, in each order, page by page without a gap.

use anyhow::Context;
use kernel::id::{ApplicationId, derived};
use serde_json::{Value, json};
use tests::door::Door;
use tests::{life, story};

const LISTINGS: &str = "query($order: ListingOrder, $rate: Decimal, $months: Int, $currency: Currency, $first: Int, $after: String, $last: Int, $before: String) {
    listings(status: OPEN, orderBy: $order, rateAtLeast: $rate, monthsAtMost: $months, currency: $currency, first: $first, after: $after, last: $last, before: $before) {
        nodes { id rate termMonths amount { amount } expiresOn } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } }";

/// Amount, months and rate; some are alike, so that the id decides.
const LENT: [(&str, u32, &str); 5] = [
    ("5000.00", 12, "0.08"),
    ("1500.00", 24, "0.12"),
    ("10000.00", 12, "0.095"),
    ("5000.00", 6, "0.12"),
    ("2000.00", 36, "0.08"),
];

const CONFIRM: &str = "decision=confirm&password=correct-horse&bank_account=GB82WEST12345698765432";

/// The field's name in the enumeration and its place in the answer.
const FIELDS: [(&str, &str); 4] =
    [("RATE", "/rate"), ("TERM", "/termMonths"), ("AMOUNT", "/amount/amount"), ("EXPIRES_ON", "/expiresOn")];

/// Something to sort by: digits filled up to six decimals, or a text.
fn key(node: &Value, path: &str) -> (i64, String) {
    match node.pointer(path) {
        Some(Value::Number(n)) => (n.as_i64().unwrap_or(0), String::new()),
        Some(Value::String(text)) => {
            let (whole, part) = text.split_once('.').unwrap_or((text, ""));
            match format!("{whole}{part:0<6}").parse() {
                Ok(n) => (n, String::new()),
                Err(_) => (0, text.clone()),
            }
        }
        _ => (0, String::new()),
    }
}

fn ids(nodes: &[Value]) -> Vec<String> {
    nodes.iter().map(|n| n["id"].as_str().unwrap_or_default().to_string()).collect()
}

async fn listings(door: &Door, variables: Value) -> anyhow::Result<(Vec<Value>, Value)> {
    let answer = door.ask(None, LISTINGS, variables).await?;
    let nodes = answer.at("/listings/nodes")?.as_array().cloned().context("nodes")?;
    Ok((nodes, answer.at("/listings/pageInfo")?))
}

story!(the_marketplace_stands_in_each_order_and_narrows, |world| {
    let door = Door::of(&world);
    let staff = door.staff(&world, &life::STAFF).await?;
    let borrower = door.register("bruno@example.test", &["BORROWER"], None).await?;
    let open = format!(
        "mutation {{ cashAccountOpen(input: {{ id: \"{}\", name: \"Bruno\" }}) {{ order {{ redirectUrl }} }} }}",
        world.uuid()
    );
    let page = door.ask(Some(&borrower.token), &open, json!({})).await?;
    world.at_custodian(&page.text("/cashAccountOpen/order/redirectUrl")?, CONFIRM).await?;
    world.settle().await?;
    for (amount, months, rate) in LENT {
        let id = world.uuid();
        let apply = format!(
            "mutation {{ applicationSubmit(input: {{ id: \"{id}\", amount: {{ amount: \"{amount}\", currency: \"USD\" }}, termMonths: {months}, purpose: \"A loan\", story: \"\" }}) {{ application {{ id }} errors {{ code }} }} }}"
        );
        let sent = door.ask(Some(&borrower.token), &apply, json!({})).await?;
        let application = sent.text("/applicationSubmit/application/id")?;
        let price = format!(
            "mutation {{ applicationProposeRate(input: {{ application: \"{application}\", rate: \"{rate}\" }}) {{ errors {{ code }} }} }}"
        );
        let priced = door.ask(Some(&staff[0].token), &price, json!({})).await?;
        assert_eq!(priced.at("/applicationProposeRate/errors")?, json!([]), "{rate}");
        world.settle().await?;
        // An officer sees whether there is an account to pay it into, and where it is decided.
        let look = format!(
            "{{ application(id: \"{application}\") {{ hasCashAccount decisionTaskId borrower {{ email }} }} }}"
        );
        let seen = door.ask(Some(&staff[0].token), &look, json!({})).await?;
        assert_eq!(seen.at("/application/hasCashAccount")?, json!(true));
        let task = format!("task_{}", derived::application_task(ApplicationId(id)).0.simple());
        assert_eq!(seen.text("/application/decisionTaskId")?, task);
        let approve = format!(
            "mutation {{ taskDecide(input: {{ task: \"{task}\", approve: true, note: \"sound\" }}) {{ errors {{ code }} }} }}"
        );
        for who in &staff[..2] {
            let decided = door.ask(Some(&who.token), &approve, json!({})).await?;
            assert_eq!(decided.at("/taskDecide/errors")?, json!([]));
        }
        world.settle().await?;
    }
    let (all, _) = listings(&door, json!({})).await?;
    assert_eq!(all.len(), LENT.len());
    for (field, path) in FIELDS {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            let mut expected = all.clone();
            // Ids fall and rise with what is sorted by.
            expected.sort_by_key(|n| (key(n, path), n["id"].as_str().unwrap_or_default().to_string()));
            if direction == "DESC" {
                expected.reverse();
            }
            let expected = ids(&expected);
            let (mut forward, mut after) = (Vec::new(), Value::Null);
            loop {
                let ask = json!({ "order": order, "first": 2, "after": after });
                let (nodes, info) = listings(&door, ask).await?;
                forward.extend(ids(&nodes));
                if info["hasNextPage"] == json!(false) {
                    break;
                }
                after = info["endCursor"].clone();
            }
            assert_eq!(forward, expected, "{field} {direction}, from the start");
            let (mut backward, mut before) = (Vec::new(), Value::Null);
            loop {
                let ask = json!({ "order": order, "last": 2, "before": before });
                let (nodes, info) = listings(&door, ask).await?;
                let mut page = ids(&nodes);
                page.append(&mut backward);
                backward = page;
                if info["hasPreviousPage"] == json!(false) {
                    break;
                }
                before = info["startCursor"].clone();
            }
            assert_eq!(backward, expected, "{field} {direction}, from the end");
        }
    }
    let newest = json!({ "order": { "field": "OPENED_AT", "direction": "DESC" } });
    assert_eq!(ids(&listings(&door, newest).await?.0), ids(&all), "newest first is the list's own order");
    let oldest = json!({ "order": { "field": "OPENED_AT", "direction": "ASC" } });
    let mut turned = ids(&listings(&door, oldest).await?.0);
    turned.reverse();
    assert_eq!(turned, ids(&all));

    // A cursor of one order means nothing in another.
    let by_rate = json!({ "order": { "field": "RATE", "direction": "ASC" }, "first": 1 });
    let cursor = listings(&door, by_rate).await?.1["endCursor"].clone();
    for order in [
        json!({ "field": "RATE", "direction": "DESC" }),
        json!({ "field": "TERM", "direction": "ASC" }),
        Value::Null,
    ] {
        let refused = door.ask(None, LISTINGS, json!({ "order": order, "after": cursor })).await?;
        assert_eq!(refused.code(), "BAD_USER_INPUT", "{order}");
    }

    let count = async |variables: Value| anyhow::Ok(listings(&door, variables).await?.0.len());
    assert_eq!(count(json!({ "rate": "0.095" })).await?, 3, "the rate itself is enough");
    assert_eq!(count(json!({ "rate": "0.095001" })).await?, 2);
    assert_eq!(count(json!({ "months": 12 })).await?, 3);
    assert_eq!(count(json!({ "months": 11, "rate": "0.12" })).await?, 1);
    assert_eq!(count(json!({ "currency": "EUR" })).await?, 0);
    let wrong = door.ask(None, LISTINGS, json!({ "rate": "-1" })).await?;
    assert_eq!(wrong.code(), "BAD_USER_INPUT");
    Ok(())
});
