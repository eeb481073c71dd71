//! What staff do by mutations goes into the audit log: before it is done, and what came of it.
//!
//! The log holds names, ids, dates, figures and codes. Which parts of an input those are stands in one list here, so that
//! nothing personal and nothing secret gets in by being forgotten; a mutation without a line does not pass the tests.

use crate::Gateway;
use crate::context::{Asker, asker, loader, services};
use crate::error::{fault, top};
use crate::guard;
use crate::id::{Gid, Kind};
use crate::loan::loaded;
use crate::notice;
use crate::page::{Arguments, cost, numbered};
use crate::party::Party;
use crate::scalars::{DateTime, Uuid};
use async_graphql::connection::Connection;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{ComplexObject, Context, Object, Response, Result, SimpleObject, Variables};
use kernel::id::{ActId, ApplicationId, ListingId, LoanId, PartyId, TaskId};
use notification_api::About;
use office_api::{ActView, ActsOf, EndAct, Office, OfficeError, ProveActs, RecordAct};
use platform::Fault;
use std::collections::BTreeMap;

/// Of each mutation, which fields of its input are written down.
pub const MUTATIONS: &[(&str, &[&str])] = &[
    ("accountTopUp", &["amount"]),
    ("accountWithdraw", &["amount"]),
    ("apiClientCreate", &["scopes"]),
    ("apiClientRevoke", &["client"]),
    ("applicationDraftDiscard", &[]),
    ("applicationDraftSave", &[]),
    ("applicationProposeRate", &["application", "rate"]),
    ("applicationSubmit", &["amount", "termMonths"]),
    ("applicationWithdraw", &["application"]),
    ("bidPlace", &["listing", "amount"]),
    ("bidWithdraw", &["bid"]),
    ("businessDayClose", &["date"]),
    ("cashAccountOpen", &[]),
    ("changeDecide", &["change", "approve"]),
    ("changePropose", &["change"]),
    ("consentGrant", &[]),
    ("documentRemove", &["document"]),
    ("emailConfirm", &[]),
    ("emailLetter", &[]),
    ("languageChoose", &["language"]),
    ("listingCancel", &["listing"]),
    ("loanQuotePayoff", &["loan"]),
    ("loanRepay", &["loan"]),
    ("loanRepayEarly", &["quote"]),
    ("noticeMail", &["mail"]),
    ("noticesRead", &[]),
    ("parkedRetry", &["service", "name"]),
    ("partyRegister", &[]),
    ("passwordChange", &[]),
    ("passwordForgotten", &[]),
    ("passwordReset", &[]),
    ("recoveryCodesRenew", &[]),
    ("secondFactorBegin", &[]),
    ("secondFactorConfirm", &[]),
    ("secondFactorRemove", &[]),
    ("sessionClose", &["everywhere", "session"]),
    ("sessionOpen", &[]),
    ("sessionRefresh", &[]),
    ("taskClaim", &["task", "release"]),
    ("taskDecide", &["task", "approve"]),
];

/// What one chooses for oneself and nobody else sees: written down, it would bury what matters.
const OWN_SETTINGS: [&str; 3] = ["languageChoose", "noticeMail", "noticesRead"];

/// What somebody is about to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doing {
    pub what: String,
    pub details: BTreeMap<String, String>,
}

/// The one root field of a checked mutation, through however many fragments: the guard has counted it, and seen that no
/// fragment contains itself.
fn root<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet) -> Option<&'a Field> {
    set.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) => Some(&field.node),
        Selection::InlineFragment(fragment) => root(document, &fragment.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.node.fragment_name.node)?;
            root(document, &fragment.node.selection_set.node)
        }
    })
}

/// What a checked mutation is about to do.
pub fn doing(document: &ExecutableDocument, name: Option<&str>, variables: &Variables) -> Doing {
    // Whatever it is: what cannot be named is written down all the same.
    read(document, name, variables)
        .unwrap_or_else(|| Doing { what: "mutation".into(), details: BTreeMap::new() })
}

fn read(document: &ExecutableDocument, name: Option<&str>, variables: &Variables) -> Option<Doing> {
    // The same choice as the guard's, and the schema's.
    let operation = guard::chosen(document, name).ok()?;
    let field = root(document, &operation.selection_set.node)?;
    let what = field.name.node.to_string();
    let wanted =
        MUTATIONS.iter().find(|(mutation, _)| *mutation == what).map_or(&[][..], |(_, fields)| fields);
    let variable = |name: async_graphql::Name| {
        let given = variables.get(&name).cloned();
        let declared = || operation.variable_definitions.iter().find(|v| v.node.name.node == name);
        let preset = || declared().and_then(|v| v.node.default_value.as_ref().map(|d| d.node.clone()));
        given.or_else(preset).ok_or(())
    };
    let input = field.arguments.iter().find(|(name, _)| name.node == "input");
    let input = input.and_then(|(_, value)| value.node.clone().into_const_with(variable).ok());
    let input = input.and_then(|v| v.into_json().ok()).unwrap_or_default();
    let mut details = BTreeMap::new();
    for field in wanted {
        write(field, &input[*field], &mut details);
    }
    Some(Doing { what, details })
}

/// A value in plain words: money as one, what is inside of something under its own name.
fn write(name: &str, value: &serde_json::Value, to: &mut BTreeMap<String, String>) {
    use serde_json::Value as V;
    let text = match value {
        V::Null => return,
        V::String(text) => text.clone(),
        V::Object(parts) => match (parts.get("amount"), parts.get("currency")) {
            (Some(V::String(amount)), Some(V::String(currency))) => format!("{amount} {currency}"),
            _ => return parts.iter().for_each(|(name, value)| write(name, value, to)),
        },
        other => other.to_string(),
    };
    to.insert(name.to_string(), text);
}

/// What came of it, as far as a log says it: `DONE`, or the code of what stood against it.
pub(crate) fn outcome(answer: &Response, asker: &Asker) -> String {
    let error = answer.errors.first().map(|e| {
        let code = e.extensions.as_ref().and_then(|x| x.get("code"));
        match code {
            Some(async_graphql::Value::String(code)) => code.clone(),
            // What the library itself objects to.
            _ => "BAD_USER_INPUT".to_string(),
        }
    });
    error.or_else(|| asker.refusal()).unwrap_or_else(|| "DONE".into())
}

impl Gateway {
    /// Writes down what staff are about to do. Members act on what is theirs, which their own books show.
    ///
    /// # Errors
    /// When it cannot be written down: then it must not be done.
    pub(crate) async fn begin_act(
        &self,
        asker: &Asker,
        doing: Option<Doing>,
    ) -> std::result::Result<Option<ActId>, Fault<OfficeError>> {
        let own = |doing: &Doing| OWN_SETTINGS.contains(&doing.what.as_str());
        let Some(doing) = doing.filter(|d| asker.is_staff() && !own(d)) else { return Ok(None) };
        let id = ActId(self.entropy.uuid(self.clock.now()));
        // Whoever wants to leave is let go.
        let leaves = doing.what == "sessionClose";
        let record = RecordAct { id, what: doing.what, details: doing.details };
        match self.services.office.record_act(&asker.call(), record).await {
            Err(_) if leaves => Ok(None),
            written => written.map(|()| Some(id)),
        }
    }

    /// Writes down what came of it. Without it the log says that the outcome is not known.
    pub(crate) async fn end_act(&self, asker: &Asker, id: ActId, outcome: String) {
        let ended = self.services.office.end_act(&asker.call(), EndAct { id, outcome }).await;
        if let Err(e) = ended {
            tracing::error!(act = %id.0, request = %asker.request, error = %e, "an outcome is missing in the audit log");
        }
    }
}

/// The answer to somebody whose act cannot be written down.
pub(crate) fn unwritten(asker: &Asker, why: Fault<OfficeError>) -> async_graphql::Error {
    match why {
        Fault::Forbidden | Fault::Refused(_) => fault(asker, why),
        _ => top(
            "AUDIT_UNAVAILABLE",
            "this cannot be written into the audit log at the moment, and so was not done",
        ),
    }
}

/// Something that somebody of the staff did.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct Act {
    /// Its place in the log, in which entries are chained and none is changed.
    pub number: i64,
    /// A name of this schema, as in `taskDecide`.
    pub what: String,
    /// Ids, dates, figures and codes it was given.
    pub details: Vec<ActDetail>,
    /// `DONE`, or the code of what stood against it; null where it is not known.
    pub outcome: Option<String>,
    /// Which request it was, as in the server's own log.
    pub request: Uuid,
    pub at: DateTime,
    #[graphql(skip)]
    party: PartyId,
}

/// One part of what was asked for.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ActDetail {
    pub name: String,
    pub value: String,
}

#[ComplexObject]
impl ActDetail {
    /// Of an id, what the loan, listing, application or task is for, as far as whoever asks may see it.
    async fn about(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let kind = match self.value.split_once('_').map(|(kind, _)| kind) {
            Some(ApplicationId::PREFIX) => About::Application,
            Some(ListingId::PREFIX) => About::Listing,
            Some(LoanId::PREFIX) => About::Loan,
            Some(TaskId::PREFIX) => About::Task,
            _ => return Ok(None),
        };
        let id = self.value.rsplit_once('_').and_then(|(_, hex)| uuid::Uuid::parse_str(hex).ok());
        match id {
            Some(id) => notice::about(ctx, kind, id).await,
            None => Ok(None),
        }
    }
}

impl From<ActView> for Act {
    fn from(a: ActView) -> Act {
        let detail = |(name, value)| ActDetail { name, value };
        Act {
            number: a.number,
            what: a.what,
            details: a.details.into_iter().map(detail).collect(),
            outcome: a.outcome,
            request: Uuid(a.request.0),
            at: DateTime(a.at),
            party: a.party,
        }
    }
}

#[ComplexObject]
impl Act {
    /// Who did it.
    async fn by(&self, ctx: &Context<'_>) -> Result<Option<Party>> {
        Ok(loaded(loader(ctx).load_one(self.party).await)?.map(Party::from))
    }
}

/// Whether the audit log is whole.
#[derive(SimpleObject)]
pub struct ActsProof {
    pub entries: i64,
    /// The entry up to which the custodian can bear witness, which keeps its hash; null where it keeps none yet, or does not
    /// answer.
    pub anchored: Option<i64>,
    /// What is wrong; null where nothing is.
    pub fault: Option<String>,
}

#[derive(Default)]
pub struct ActQuery;

#[Object]
impl ActQuery {
    /// What staff did, newest first. For auditors and administrators.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn acts(
        &self,
        ctx: &Context<'_>,
        party: Option<Gid<PartyId>>,
        #[graphql(desc = "Something that its name or its details contain.")] text: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<String, Act>> {
        let arguments = Arguments { first, after, ..Arguments::default() };
        let (limit, after) = arguments.numbers()?;
        let asker = asker(ctx);
        let ask = ActsOf { party: party.map(|p| p.0), text, after, limit };
        let found = services(ctx).office.acts(&asker.call(), ask).await.map_err(|e| fault(asker, e))?;
        Ok(numbered(&arguments, found.more, found.acts, |a| a.number, Act::from))
    }

    /// Walks the audit log from its first entry to its last. For auditors and administrators.
    #[graphql(complexity = 500)]
    async fn acts_proof(&self, ctx: &Context<'_>) -> Result<ActsProof> {
        let asker = asker(ctx);
        let proof = services(ctx).office.prove_acts(&asker.call(), ProveActs {}).await;
        let proof = proof.map_err(|e| fault(asker, e))?;
        Ok(ActsProof { entries: proof.entries, anchored: proof.anchored, fault: proof.fault })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use serde_json::json;

    fn done(query: &str, variables: serde_json::Value) -> Doing {
        doing(&parse_query(query).unwrap(), None, &Variables::from_json(variables))
    }

    #[test]
    fn what_is_done_is_named_however_it_is_written() {
        let input = json!({ "input": { "task": "task_1", "approve": true, "note": "Ada Lovelace is ill" } });
        let by_variable =
            "mutation($input: TaskDecideInput!) { x: taskDecide(input: $input) { errors { code } } }";
        let expected = Doing {
            what: "taskDecide".into(),
            details: BTreeMap::from([("approve".into(), "true".into()), ("task".into(), "task_1".into())]),
        };
        assert_eq!(done(by_variable, input), expected);
        let literal = r#"mutation { taskDecide(input: { task: "task_1", approve: true, note: "x" }) { errors { code } } }"#;
        assert_eq!(done(literal, json!({})), expected);
        let partly = r#"mutation($t: ID!, $a: Boolean = true) { ...E } fragment E on Mutation { ... { ...F } } fragment F on Mutation { taskDecide(input: { task: $t, approve: $a }) { errors { code } } }"#;
        assert_eq!(done(partly, json!({ "t": "task_1" })), expected);
    }

    #[test]
    fn a_name_for_the_operation_hides_nothing() {
        let named = r#"mutation Choose { languageChoose(input: { language: CHINESE }) { done } }"#;
        assert_eq!(done(named, json!({})).what, "languageChoose");
        let two = format!("{named} query Q {{ businessDate }}");
        let document = parse_query(two).unwrap();
        let found = doing(&document, Some("Choose"), &Variables::default());
        assert_eq!(found.what, "languageChoose");
    }

    #[test]
    fn what_is_inside_of_something_has_its_own_name() {
        let change = json!({ "input": { "id": "1", "reason": "Ada is ill", "change": { "grantRole": { "party": "party_1", "role": "AUDITOR" } } } });
        let query =
            "mutation($input: ChangeProposeInput!) { changePropose(input: $input) { errors { code } } }";
        let expected =
            [("party", "party_1"), ("role", "AUDITOR")].map(|(n, v)| (n.to_string(), v.to_string()));
        assert_eq!(done(query, change).details, BTreeMap::from(expected));
        let bid =
            json!({ "input": { "listing": "listing_1", "amount": { "amount": "5.00", "currency": "USD" } } });
        let query = "mutation($input: BidPlaceInput!) { bidPlace(input: $input) { errors { code } } }";
        assert_eq!(done(query, bid).details["amount"], "5.00 USD");
    }

    #[test]
    fn nothing_secret_is_written_down() {
        let input = json!({ "input": { "id": "1", "current": "a secret", "new": "another secret" } });
        let query = "mutation($input: PasswordChangeInput!) { passwordChange(input: $input) { done } }";
        assert_eq!(done(query, input).details, BTreeMap::new());
    }

    #[test]
    fn every_mutation_has_its_line() {
        let sdl = crate::sdl();
        let body = sdl.split("type Mutation {").nth(1).and_then(|s| s.split("\n}").next()).unwrap_or("");
        let name = |line: &str| {
            let line = line.strip_prefix('\t')?;
            let end = line.find(['(', ':'])?;
            line[..end].chars().all(char::is_alphanumeric).then(|| line[..end].to_string())
        };
        let schema: Vec<String> = body.lines().filter_map(name).filter(|n| !n.is_empty()).collect();
        let lines: Vec<String> = MUTATIONS.iter().map(|(name, _)| (*name).to_string()).collect();
        assert_eq!(lines, schema);
    }
}
