//! Who may do what: every operation of the schema, and every field of what has an identity, by each kind of person, on
//! what is theirs and on what is a neighbour's.
//!
//! The cells are made from the schema, so that nothing new can be forgotten; what came out stands in `rights.txt`, where
//! people read it: a right that changes is a line that changes there.

use crate::programs;
use anyhow::{Context, ensure};
use apollo_compiler::Schema;
use apollo_compiler::schema::{Component, ExtendedType, FieldDefinition, InputValueDefinition};
use axum::body::Body;
use axum::http::Request;
use finance::Currency;
use kernel::id::{ApplicationId, derived};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use tests::door::{Answer, Door};
use tests::life::{self, Stage};
use tests::story;
use tests::world::World;
use uuid::Uuid;

/// Who asks, in the order of the columns: whose the objects are, their neighbours, the staff, and programs.
const PEOPLE: [(&str, &str); 13] = [
    ("nobody", ""),
    ("borrower", "borrower.usd@example.test"),
    ("another borrower", "otto@example.test"),
    ("investor", "investor1.usd@example.test"),
    ("another investor", "mallory@example.test"),
    ("officer", "officer@demo.test"),
    ("supervisor", "supervisor@demo.test"),
    ("operations", "operations@demo.test"),
    ("auditor", "auditor@demo.test"),
    ("administrator", "admin0@staff.test"),
    ("borrower's program", "borrower.usd@example.test"),
    ("investor's program", "investor1.usd@example.test"),
    ("officer's program", "officer@demo.test"),
];
/// From here on they are programs.
const PROGRAMS: usize = 10;
/// What each of them may read: everything, one thing, everything.
const SCOPES: [&[&str]; 3] = [EVERYTHING, &["INVESTMENTS"], EVERYTHING];
const EVERYTHING: &[&str] = &["PROFILE", "ACCOUNTS", "INVESTMENTS", "BORROWING", "NOTICES"];

/// What somebody hears who asks for something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Heard {
    /// It is done, shown, or refused for what was asked and not for who asked.
    May,
    /// It is seen, and this of it is empty to them.
    Empty,
    /// There is nothing of the kind, as far as they are told.
    Nothing,
    SignIn,
    Forbidden,
    /// A program whose party did not let it.
    Scope,
}

impl Heard {
    fn mark(self) -> char {
        match self {
            Heard::May => '+',
            Heard::Empty => '-',
            Heard::Nothing => '0',
            Heard::SignIn => '.',
            Heard::Forbidden => 'x',
            Heard::Scope => 's',
        }
    }

    fn of(answer: &Answer, path: &str) -> Heard {
        let found = &answer.body["data"].pointer(path).cloned().unwrap_or(Value::Null);
        let code = match answer.code() {
            "" => found["errors"][0]["code"].as_str().unwrap_or(""),
            code => code,
        };
        match code {
            "UNAUTHENTICATED" => Heard::SignIn,
            "FORBIDDEN" => Heard::Forbidden,
            "SCOPE_MISSING" => Heard::Scope,
            code if code.ends_with("_NOT_FOUND") => Heard::Nothing,
            "" if found.is_null() => {
                let around = path.rsplit_once('/').map_or("", |(around, _)| around);
                let seen =
                    !around.is_empty() && answer.body["data"].pointer(around).is_some_and(|v| !v.is_null());
                if seen { Heard::Empty } else { Heard::Nothing }
            }
            _ => Heard::May,
        }
    }
}

/// One loan's whole life, and the ids of what came about in it.
struct Objects(BTreeMap<&'static str, String>);

impl Objects {
    async fn of(door: &Door, world: &World) -> anyhow::Result<Objects> {
        let text = life::documents(Currency::USD, 100);
        // With a document, added while the application is judged.
        let (before, after) =
            text.split_at(text.find("# As supervisor@demo.test").context("the second word")?);
        let mut seen = life::play(Stage::Stepped(world), door, before).await?;
        let borrower = door.sign_in("borrower.usd@example.test").await?;
        let document = world.uuid();
        let application = seen["Apply"].text("/applicationSubmit/application/id")?;
        let add = Request::post(format!("/documents/{application}?id={document}&name=payslip.pdf"))
            .header("content-type", "application/octet-stream")
            .header("authorization", format!("Bearer {}", borrower.token));
        let added = door.send(add.body(Body::from("%PDF-1.7 a payslip"))?).await?;
        ensure!(added.status.is_success(), "{}", added.body);
        seen.extend(life::play(Stage::Stepped(world), door, after).await?);
        let id = |step: &str| -> anyhow::Result<Uuid> {
            let (_, rest) =
                text.split_once(&format!("mutation {step} ")).with_context(|| step.to_string())?;
            let (_, rest) = rest.split_once("id: \"").with_context(|| step.to_string())?;
            Ok(rest.get(..36).unwrap_or("").parse()?)
        };
        let application = ApplicationId(id("Apply")?);
        let listing = derived::application_listing(application);
        let gid = |prefix: &str, id: Uuid| format!("{prefix}_{}", id.simple());
        let mut all = BTreeMap::from([
            ("application", gid("application", application.0)),
            ("listing", gid("listing", listing.0)),
            ("loan", gid("loan", derived::listing_loan(listing).0)),
            ("task", gid("task", derived::application_task(application).0)),
            ("bid", gid("bid", id("Bid1")?)),
            ("repayment", gid("repayment", id("Repay1")?)),
            ("party", borrower.party.clone()),
            ("quote", gid("quote", world.uuid())),
            ("document", gid("document", document)),
            ("change", gid("change", world.uuid())),
            ("client", gid("client", world.uuid())),
        ]);
        let sessions = "{ viewer { sessions { id } } }";
        let own = door.ask(Some(&borrower.token), sessions, json!({})).await?;
        all.insert("session", own.text("/viewer/sessions/0/id")?);
        ensure!(seen.contains_key("Closed"), "the life was lived to its end");
        Ok(Objects(all))
    }

    fn get(&self, kind: &str) -> anyhow::Result<Value> {
        self.0.get(kind).map(|id| json!(id)).with_context(|| format!("no {kind} is known here"))
    }
}

struct Table<'a> {
    door: &'a Door,
    schema: &'a Schema,
    objects: &'a Objects,
    people: Vec<Option<String>>,
    text: String,
    cells: usize,
}

impl Table<'_> {
    fn fields(&self, of: &str) -> anyhow::Result<Vec<Component<FieldDefinition>>> {
        match self.schema.types.get(of) {
            Some(ExtendedType::Object(object)) => Ok(object.fields.values().cloned().collect()),
            _ => anyhow::bail!("{of} is no object"),
        }
    }

    /// What of a field is asked for: nothing more than that it is there.
    fn selection(&self, field: &FieldDefinition) -> &'static str {
        match self.schema.types.get(field.ty.inner_named_type()) {
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_)) | None => "",
            Some(_) => " { __typename }",
        }
    }

    /// A value for an argument that must be there.
    fn value(&self, of: &str, argument: &InputValueDefinition) -> anyhow::Result<Value> {
        let named = argument.ty.inner_named_type().as_str();
        Ok(match (named, argument.name.as_str()) {
            ("ID", "id") => self.objects.get(of)?,
            ("ID", kind) => self.objects.get(kind)?,
            ("UUID", _) => json!("01890a5d-ac96-774b-bcce-b302099a8057"),
            ("MoneyInput", _) => json!({ "amount": "100.00", "currency": "USD" }),
            ("String", "current" | "password") => json!("a guess at a password"),
            ("String", "new") => json!("another long password"),
            ("String", "code") => json!("123456"),
            ("String", "name") => json!("job:x"),
            ("String", _) => json!("x"),
            ("Boolean", "mail") => json!(true),
            ("Boolean", _) => json!(true),
            ("Int", _) => json!(12),
            ("Decimal", _) => json!("0.12"),
            ("Date", _) => json!("2026-01-01"),
            ("DateTime", _) => json!("2026-01-01T00:00:00Z"),
            ("Language", _) => json!("ENGLISH"),
            ("ApiScope", _) => json!(EVERYTHING),
            ("Worker", _) => json!("CUSTODY"),
            ("ChangeInput", _) => json!({ "inviteStaff": "AUDITOR" }),
            (list, _) if argument.ty.is_list() && list.ends_with("Input") => json!([]),
            _ => anyhow::bail!("{of}: say here what {} is to be, a {named}", argument.name),
        })
    }

    fn arguments(&self, of: &str, field: &FieldDefinition) -> anyhow::Result<String> {
        let mut all = Vec::new();
        for argument in field.arguments.iter().filter(|a| a.is_required()) {
            all.push(format!("{}: {}", argument.name, self.value(of, argument)?));
        }
        Ok(if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) })
    }

    async fn row(&mut self, name: &str, document: &str, variables: &Value, path: &str) -> anyhow::Result<()> {
        let mut marks = String::new();
        for token in self.people.clone() {
            let answer = self.door.ask(token.as_deref(), document, variables.clone()).await?;
            let broken =
                ["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_REQUEST"];
            ensure!(!broken.contains(&answer.code()), "{name}: {document} {variables}: {}", answer.body);
            marks.push(' ');
            marks.push(Heard::of(&answer, path).mark());
            self.cells += 1;
        }
        writeln!(self.text, "{name:<46}{marks}")?;
        Ok(())
    }

    async fn queries(&mut self) -> anyhow::Result<()> {
        for field in self.fields("Query")? {
            let name = field.name.as_str();
            // Each kind of what has an identity is asked for below.
            if matches!(name, "node" | "viewer") {
                continue;
            }
            let arguments = self.arguments(name, &field)?;
            let document = format!("{{ it: {name}{arguments}{} }}", self.selection(&field));
            self.row(&format!("query {name}"), &document, &json!({}), "/it").await?;
        }
        for field in self.fields("Viewer")? {
            let document = format!("{{ viewer {{ it: {}{} }} }}", field.name, self.selection(&field));
            self.row(&format!("one's own {}", field.name), &document, &json!({}), "/viewer/it").await?;
        }
        for kind in ["Application", "Listing", "Loan", "Party", "Task"] {
            let id = self.objects.get(&kind.to_lowercase())?;
            for field in self.fields(kind)? {
                let document = format!(
                    "{{ node(id: {id}) {{ ... on {kind} {{ it: {}{} }} }} }}",
                    field.name,
                    self.selection(&field)
                );
                self.row(&format!("{kind}.{}", field.name), &document, &json!({}), "/node/it").await?;
            }
        }
        Ok(())
    }

    /// An input for a mutation, from its type.
    fn input(&self, mutation: &str, type_name: &str) -> anyhow::Result<Value> {
        let Some(ExtendedType::InputObject(input)) = self.schema.types.get(type_name) else {
            anyhow::bail!("{type_name} is no input")
        };
        let mut all = Map::new();
        for (name, field) in input.fields.iter().filter(|(_, f)| f.is_required()) {
            all.insert(name.to_string(), self.value(mutation, field)?);
        }
        Ok(Value::Object(all))
    }

    async fn mutations(&mut self) -> anyhow::Result<()> {
        // Last what ends a session, and what has no input or is anybody's to try.
        let open = [
            "partyRegister",
            "sessionOpen",
            "sessionRefresh",
            "passwordForgotten",
            "passwordReset",
            "emailConfirm",
        ];
        let mut fields = self.fields("Mutation")?;
        fields.retain(|f| !open.contains(&f.name.as_str()));
        fields.sort_by_key(|f| f.name == "sessionClose");
        for field in fields {
            let name = field.name.as_str();
            let input = field.arguments.first().with_context(|| format!("{name} has no input"))?;
            let kind = input.ty.inner_named_type().as_str();
            let mut variables = self.input(name, kind)?;
            if name == "sessionClose" {
                variables = json!({ "session": self.objects.get("session")? });
            }
            let document =
                format!("mutation($input: {kind}!) {{ it: {name}(input: $input) {{ errors {{ code }} }} }}");
            self.row(name, &document, &json!({ "input": variables }), "/it").await?;
            self.other_kinds(name, kind, &document, &variables).await?;
        }
        Ok(())
    }

    /// An id of another kind is told for what it is, whoever brings it.
    async fn other_kinds(
        &mut self,
        name: &str,
        kind: &str,
        document: &str,
        variables: &Value,
    ) -> anyhow::Result<()> {
        let Some(ExtendedType::InputObject(input)) = self.schema.types.get(kind) else { return Ok(()) };
        let ids: Vec<String> = input
            .fields
            .iter()
            .filter(|(_, f)| f.is_required() && f.ty.inner_named_type() == "ID")
            .map(|(n, _)| n.to_string())
            .collect();
        for field in ids {
            let own = variables[&field].as_str().and_then(|v| v.split('_').next()).unwrap_or("").to_string();
            for (other, id) in self.objects.0.clone().into_iter().filter(|(k, _)| *k != own) {
                let mut wrong = variables.clone();
                wrong[&field] = json!(id);
                for token in self.people.clone() {
                    let answer = self.door.ask(token.as_deref(), document, json!({ "input": wrong })).await?;
                    // A program hears no more than that it changes nothing.
                    ensure!(
                        matches!(answer.code(), "BAD_USER_INPUT" | "FORBIDDEN"),
                        "{name}: the id of a {other} as {field}: {}",
                        answer.body
                    );
                    self.cells += 1;
                }
            }
        }
        Ok(())
    }
}

/// To whom it is not theirs it is answered as if it had ended long ago; and it stands.
async fn nobody_ends_anothers_session(
    door: &Door,
    objects: &Objects,
    people: &[Option<String>],
) -> anyhow::Result<()> {
    let document = "mutation($input: SessionCloseInput!) { sessionClose(input: $input) { errors { code } } }";
    let session = objects.get("session")?;
    for (token, (name, _)) in people.iter().zip(PEOPLE).filter(|(_, (name, _))| *name != "borrower") {
        door.ask(token.as_deref(), document, json!({ "input": { "session": session } })).await?;
        let own = "{ viewer { sessions { id } } }";
        let stands = door.ask(people[1].as_deref(), own, json!({})).await?.at("/viewer/sessions")?;
        let stands = stands.as_array().is_some_and(|all| all.iter().any(|s| s["id"] == session));
        ensure!(stands, "{name} ended the borrower's session");
    }
    Ok(())
}

async fn table(world: &World) -> anyhow::Result<(String, usize)> {
    let door = Door::of(world);
    let mut staff = life::STAFF.to_vec();
    staff.push(("auditor@demo.test", "AUDITOR"));
    door.staff(world, &staff).await?;
    let objects = Objects::of(&door, world).await?;
    door.register("otto@example.test", &["BORROWER"], None).await?;
    door.register("mallory@example.test", &["INVESTOR"], None).await?;
    let mut people = Vec::new();
    for (n, (name, email)) in PEOPLE.into_iter().enumerate() {
        if email.is_empty() {
            people.push(None);
            continue;
        }
        let who = door.sign_in(email).await?;
        people.push(Some(match n.checked_sub(PROGRAMS) {
            None => who.token,
            Some(at) => programs::token_of(&door, world, &who, name, SCOPES[at]).await?,
        }));
    }
    let schema = Schema::parse_and_validate(graphql::sdl(), "schema.graphql");
    let schema = schema.map_err(|e| anyhow::anyhow!("{}", e.errors))?.into_inner();
    let mut text = String::from(
        "# Who may do what, on one loan and all that belongs to it. Written and compared by a story; made from the schema.\n\
         # + may (or is refused for what was asked)   - is empty to them   0 hears of nothing there   x forbidden   s its owner did not let the program   . must sign in first\n",
    );
    for (n, (name, _)) in PEOPLE.iter().enumerate() {
        writeln!(text, "{:<46}{} {name}", "", "  ".repeat(n))?;
    }
    nobody_ends_anothers_session(&door, &objects, &people).await?;
    let mut table = Table { door: &door, schema: &schema, objects: &objects, people, text, cells: 0 };
    table.queries().await?;
    table.mutations().await?;
    Ok((table.text, table.cells))
}

story!(everybody_may_do_what_is_theirs_and_nothing_else, |world| {
    let (text, cells) = table(&world).await?;
    eprintln!("{cells} cells");
    expect_test::expect_file!["rights.txt"].assert_eq(&text);
    // Whatever the table says: a neighbour never sees or does more of a loan's people and papers than a stranger.
    let columns =
        |line: &str| line.get(46..).map(|m| m.split_whitespace().map(str::to_string).collect::<Vec<_>>());
    for line in text.lines().filter(|l| !l.starts_with(['#', ' '])) {
        let name = line.split_whitespace().next().unwrap_or("");
        let marks = columns(line).context("marks")?;
        // A mutation's name stands alone; whoever is nobody does none of them.
        if !line[..46].trim().contains([' ', '.']) {
            ensure!(marks[0] == ".", "{name} is open to nobody");
            ensure!(marks[PROGRAMS..].iter().all(|m| m == "x"), "a program does {name}");
        }
        if ["Application.", "Task.", "Loan.", "Party."].iter().any(|k| name.starts_with(k)) {
            for n in [0, 2, 4, PROGRAMS + 2] {
                ensure!(marks[n] != "+", "{name} is shown to {}", PEOPLE[n].0);
            }
        }
    }
    Ok(())
});
