//! What a document may cost before anything looks at it twice.
//!
//! Stands before the schema: its validation recurses through fragments, used or not, and a kilobyte of doubling fragments
//! hangs it while a few thousand chained ones overflow its stack. So: bytes and bracket depth by a flat scan, then the
//! parser, then a memoised weight of every fragment.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};
use std::collections::{HashMap, HashSet};

/// A document's bytes, at most.
pub const BYTES_MAX: usize = 32 * 1024;
const DEPTH_MAX: usize = 40;
const DEFINITIONS_MAX: usize = 50;
/// Fields after all fragments are spread.
const FIELDS_MAX: u64 = 2_000;

/// Why a document is not looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub code: &'static str,
    pub message: String,
}

fn refused(code: &'static str, message: impl Into<String>) -> Refused {
    Refused { code, message: message.into() }
}

/// A document that may be executed.
#[derive(Debug)]
pub struct Checked {
    pub document: ExecutableDocument,
    pub operation: OperationType,
}

/// Checks a document and which of its operations is meant.
///
/// # Errors
/// What is wrong with it.
pub fn check(
    query: &str,
    operation_name: Option<&str>,
    variables: &Variables,
    introspection: bool,
) -> Result<Checked, Refused> {
    if query.len() > BYTES_MAX {
        return Err(refused("QUERY_TOO_LARGE", format!("a document has at most {BYTES_MAX} bytes")));
    }
    if depth(query) > DEPTH_MAX {
        return Err(refused("QUERY_TOO_DEEP", format!("brackets go at most {DEPTH_MAX} deep")));
    }
    let document = parse_query(query).map_err(|e| refused("GRAPHQL_PARSE_FAILED", e.to_string()))?;
    if document.operations.iter().count() + document.fragments.len() > DEFINITIONS_MAX {
        return Err(refused(
            "QUERY_TOO_LARGE",
            format!("a document has at most {DEFINITIONS_MAX} definitions"),
        ));
    }
    let mut weights = Weights { document: &document, known: HashMap::new(), open: HashSet::new() };
    let mut total = 0u64;
    for name in document.fragments.keys() {
        total = total.saturating_add(weights.fragment(name)?);
    }
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(weights.set(&operation.node.selection_set.node)?);
    }
    if total > FIELDS_MAX {
        return Err(refused("QUERY_TOO_COMPLEX", format!("a document asks for at most {FIELDS_MAX} fields")));
    }
    let operation = chosen(&document, operation_name)?;
    if operation.ty == OperationType::Mutation || operation.ty == OperationType::Subscription {
        let roots = root_fields(&document, &operation.selection_set.node, &mut HashSet::new());
        if roots != 1 {
            let kind = if operation.ty == OperationType::Mutation { "mutation" } else { "subscription" };
            return Err(refused(
                "ONE_ROOT_FIELD",
                format!("a {kind} has exactly one root field; send one after the other"),
            ));
        }
    }
    if !introspection && asks_schema(&document, &operation.selection_set.node, &mut HashSet::new()) {
        return Err(refused(
            "INTROSPECTION_DISABLED",
            "the schema is published as a file; __schema is not asked here",
        ));
    }
    required(operation, variables)?;
    let operation = operation.ty;
    Ok(Checked { document, operation })
}

/// How deep brackets are nested, outside of strings and comments.
fn depth(query: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let bytes = query.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' if bytes[at..].starts_with(b"\"\"\"") => {
                at += 3;
                while at < bytes.len() && !bytes[at..].starts_with(b"\"\"\"") {
                    at += if bytes[at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
                }
                at += 2;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'#' => {
                while at < bytes.len() && bytes[at] != b'\n' && bytes[at] != b'\r' {
                    at += 1;
                }
            }
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    deepest
}

struct Weights<'a> {
    document: &'a ExecutableDocument,
    known: HashMap<&'a Name, u64>,
    open: HashSet<&'a Name>,
}

impl<'a> Weights<'a> {
    fn fragment(&mut self, name: &'a Name) -> Result<u64, Refused> {
        if let Some(weight) = self.known.get(name) {
            return Ok(*weight);
        }
        // An unknown one is validation's to name.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(1) };
        if !self.open.insert(name) {
            return Err(refused("GRAPHQL_VALIDATION_FAILED", format!("the fragment {name} contains itself")));
        }
        let weight = self.set(&fragment.node.selection_set.node)?;
        self.open.remove(name);
        self.known.insert(name, weight);
        Ok(weight)
    }

    fn set(&mut self, set: &'a SelectionSet) -> Result<u64, Refused> {
        let mut total = 0u64;
        for selection in &set.items {
            // A directive is looked at as a field is.
            let weight = match &selection.node {
                Selection::Field(field) => {
                    let node = &field.node;
                    1 + many(&node.directives) + self.set(&node.selection_set.node)?
                }
                Selection::InlineFragment(inline) => {
                    many(&inline.node.directives) + self.set(&inline.node.selection_set.node)?
                }
                Selection::FragmentSpread(spread) => {
                    many(&spread.node.directives) + self.fragment(&spread.node.fragment_name.node)?
                }
            };
            total = total.saturating_add(weight);
            if total > FIELDS_MAX {
                return Err(refused(
                    "QUERY_TOO_COMPLEX",
                    format!("a document asks for at most {FIELDS_MAX} fields"),
                ));
            }
        }
        Ok(total)
    }
}

fn many<T>(all: &[T]) -> u64 {
    u64::try_from(all.len()).unwrap_or(u64::MAX / 4)
}

/// Which operation is meant.
pub(crate) fn chosen<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Refused> {
    let mut operations = document.operations.iter();
    let found: Option<&Positioned<OperationDefinition>> = match name {
        Some(name) => operations.find(|(n, _)| n.is_some_and(|n| n == name)).map(|(_, o)| o),
        None => {
            let first = operations.next().map(|(_, o)| o);
            if operations.next().is_some() {
                return Err(refused(
                    "OPERATION_NAME_MISSING",
                    "say by operationName which operation is meant",
                ));
            }
            first
        }
    };
    // A name for the only, nameless operation is taken as it is meant.
    let found = found.map(|o| &o.node);
    found.ok_or_else(|| refused("OPERATION_NOT_FOUND", "the document has no such operation"))
}

fn root_fields<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    seen: &mut HashSet<&'a Name>,
) -> usize {
    set.items
        .iter()
        .map(|selection| match &selection.node {
            Selection::Field(_) => 1,
            Selection::InlineFragment(inline) => root_fields(document, &inline.node.selection_set.node, seen),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                match document.fragments.get(name) {
                    Some(fragment) if seen.insert(name) => {
                        root_fields(document, &fragment.node.selection_set.node, seen)
                    }
                    _ => 0,
                }
            }
        })
        .sum()
}

fn asks_schema<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    seen: &mut HashSet<&'a Name>,
) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node == "__schema",
        Selection::InlineFragment(inline) => asks_schema(document, &inline.node.selection_set.node, seen),
        Selection::FragmentSpread(spread) => {
            let name = &spread.node.fragment_name.node;
            document.fragments.get(name).is_some_and(|fragment| {
                seen.insert(name) && asks_schema(document, &fragment.node.selection_set.node, seen)
            })
        }
    })
}

/// The library coerces a variable when a resolver first looks at it; by then another resolver may have acted.
fn required(operation: &OperationDefinition, variables: &Variables) -> Result<(), Refused> {
    for definition in &operation.variable_definitions {
        let d = &definition.node;
        let name = &d.name.node;
        let given = variables.get(name).filter(|v| **v != async_graphql::Value::Null);
        if !d.var_type.node.nullable && d.default_value.is_none() && given.is_none() {
            return Err(refused("BAD_USER_INPUT", format!("the variable ${name} is required")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> Result<OperationType, &'static str> {
        check(query, None, &Variables::default(), true).map(|c| c.operation).map_err(|e| e.code)
    }

    #[test]
    fn bombs_are_refused_before_validation() {
        let doubling: String = (0..40)
            .map(|n| format!("fragment f{n} on Query {{ ...f{} ...f{} }} ", n + 1, n + 1))
            .chain(["fragment f40 on Query { a } { ...f0 }".to_string()])
            .collect();
        assert_eq!(ask(&doubling), Err("QUERY_TOO_COMPLEX"));
        let unused: String = (0..3_000)
            .map(|n| format!("fragment f{n} on Q{{...f{}}}", n + 1))
            .chain(["{ a }".to_string()])
            .collect();
        assert!(ask(&unused).is_err());
        assert_eq!(ask(&format!("{}{}", "{a".repeat(60), "}".repeat(60))), Err("QUERY_TOO_DEEP"));
        assert_eq!(ask(&format!("{{ a(b: {}1{}) }}", "[".repeat(60), "]".repeat(60))), Err("QUERY_TOO_DEEP"));
        assert_eq!(ask(&"a".repeat(BYTES_MAX + 1)), Err("QUERY_TOO_LARGE"));
        assert_eq!(ask(&format!("{{ {} }}", "a ".repeat(2_001))), Err("QUERY_TOO_COMPLEX"));
        assert_eq!(ask(&format!("{{ a {} }}", "@b ".repeat(2_001))), Err("QUERY_TOO_COMPLEX"));
        assert_eq!(ask("fragment f on Query { ...f } { a }"), Err("GRAPHQL_VALIDATION_FAILED"));
        assert_eq!(
            ask("{ a(b: \"{{{{[[[[((((\") # {{{{\n }"),
            Ok(OperationType::Query),
            "text is not structure"
        );
    }

    #[test]
    fn a_mutation_has_one_root_field_however_it_is_written() {
        assert_eq!(ask("mutation { a }"), Ok(OperationType::Mutation));
        assert_eq!(ask("mutation { a b }"), Err("ONE_ROOT_FIELD"));
        assert_eq!(ask("mutation { a ... { b } }"), Err("ONE_ROOT_FIELD"));
        assert_eq!(ask("mutation { a ...f } fragment f on Mutation { b }"), Err("ONE_ROOT_FIELD"));
        assert_eq!(ask("query A { a } query B { b }"), Err("OPERATION_NAME_MISSING"));
    }

    #[test]
    fn required_variables_are_asked_for_before_anything_runs() {
        let query = "mutation($a: Int!, $b: Int! = 3, $c: Int) { x(a: $a, b: $b, c: $c) }";
        assert_eq!(ask(query), Err("BAD_USER_INPUT"));
        let given = Variables::from_json(serde_json::json!({ "a": 1 }));
        assert!(check(query, None, &given, true).is_ok());
        let null = Variables::from_json(serde_json::json!({ "a": null }));
        assert!(check(query, None, &null, true).is_err());
    }

    #[test]
    fn only_the_whole_schema_is_hidden() {
        let ask = |query| check(query, None, &Variables::default(), false).map(drop).map_err(|e| e.code);
        assert_eq!(ask("{ __schema { types { name } } }"), Err("INTROSPECTION_DISABLED"));
        assert_eq!(
            ask("{ ...f } fragment f on Query { __schema { types { name } } }"),
            Err("INTROSPECTION_DISABLED")
        );
        assert_eq!(ask("{ __type(name: \"Query\") { name } }"), Ok(()));
    }
}
