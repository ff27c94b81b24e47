//! Every request field that the API documents has a judgement, and nothing else has one.
//!
//! `scripts/fields.py` writes the fields of all versions to `tests/fixtures/fields.txt`. A path
//! parameter is judged in the route's template; a query key, a filter and a header in the row's lists; a
//! field of a body where the body's type reads it. What is left stands in the tables of `exceptions.rs`,
//! each with its reason. `docs/new-api-version.md` says how to add to all of them.

use super::exceptions::{ANSWER_ONLY, ENDPOINTS, Exception, NOT_TAKEN, OURS_ALONE};
use super::facts::{Fact, declared, facts, shape};
use dockward::facade::docker::LeftOut;
use dockward::facade::docker::body;
use dockward::facade::docker::route::{Param, ParamKind};
use dockward::facade::docker::{
    Accepted, ApiVersion, BodyKind, Malformed, ROUTES, RequestHead, Route, Verb, classify,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The tables of exceptions, or what a test has left of them.
#[derive(Clone, Copy)]
struct Tables<'t> {
    answer_only: &'t [&'t str],
    not_taken: &'t [Exception],
    ours_alone: &'t [Exception],
}

const TABLES: Tables<'_> =
    Tables { answer_only: ANSWER_ONLY, not_taken: NOT_TAKEN, ours_alone: OURS_ALONE };

/// The rows of an operation that somebody may use.
fn rows<'r>(routes: &'r [Route], operation: &str) -> Vec<&'r Route> {
    routes.iter().filter(|r| r.operation == operation && r.verb != Verb::Never).collect()
}

/// The facts that nobody has judged.
fn undecided<'f>(facts: &'f [Fact], routes: &[Route], tables: Tables<'_>) -> Vec<&'f Fact> {
    let excepted = |fact: &Fact| tables.not_taken.iter().any(|e| e.covers(fact));
    facts.iter().filter(|fact| !excepted(fact) && !is_judged(fact, routes, tables)).collect()
}

fn is_judged(fact: &Fact, routes: &[Route], tables: Tables<'_>) -> bool {
    let rows = rows(routes, &fact.operation);
    let here =
        |row: &Route| row.method.as_str() == fact.method && shape(row.path) == shape(&fact.path);
    if !rows.iter().any(|row| here(row)) {
        return false;
    }
    match fact.place.as_str() {
        "endpoint" => true,
        "path" => fact.path.contains(&format!("{{{}}}", fact.name)),
        "query" => rows.iter().all(|row| takes(row.query, fact)),
        "header" => rows.iter().any(|row| row.headers.contains(&fact.name.as_str())),
        "body" if fact.name == "." => rows.iter().any(|row| match row.body {
            BodyKind::None => false,
            BodyKind::Json { .. } => fact.kind != "stream",
            BodyKind::Archive | BodyKind::Opaque => fact.kind == "stream",
        }),
        "body" => rows.iter().all(|row| reads(row, fact, tables)),
        other => panic!("{other}"),
    }
}

/// Whether a query has the key, or its filters, in the documented type. A text that is documented may
/// be read as something narrower.
fn takes(query: &[Param], fact: &Fact) -> bool {
    if let Some(filter) = fact.name.strip_prefix("filters{") {
        let filter = filter.trim_end_matches('}');
        return query.iter().any(|param| match param.kind {
            ParamKind::Filters(keys) => param.name == "filters" && keys.contains(&filter),
            _ => false,
        });
    }
    let Some(param) = query.iter().find(|param| param.name == fact.name) else { return false };
    let (kind, repeat) = match fact.kind.strip_prefix("array<") {
        Some(of) => (of.trim_end_matches('>'), true),
        None => (fact.kind.as_str(), false),
    };
    let typed = match kind.split('/').next().unwrap() {
        "boolean" => matches!(param.kind, ParamKind::Bool | ParamKind::Switch),
        "integer" => matches!(param.kind, ParamKind::Int | ParamKind::Moment),
        "string" => true,
        _ => false,
    };
    typed && (param.repeat || !repeat)
}

/// Whether the body of a row has the field, in the documented type, and sends it on; or reads it and
/// does not, where it is one that only answers have.
fn reads(row: &Route, fact: &Fact, tables: Tables<'_>) -> bool {
    let null = with(&fact.name, Value::Null);
    let full = with(&fact.name, sample(&fact.kind));
    let answered = |(operation, below): &(&str, &str)| {
        let field = fact.name.strip_prefix(below).filter(|_| fact.operation == *operation);
        field.is_some_and(|field| tables.answer_only.contains(&field))
    };
    if ENDPOINTS.iter().any(answered) {
        return read_back(row, &full).is_ok_and(|back| !same(&back, &full));
    }
    // An unknown field is left out where it is null, and refused where it says something.
    [null, full].iter().all(|sent| read_back(row, sent).is_ok_and(|back| same(&back, sent)))
}

/// Equal but for the case of keys: some have a second spelling, which is not the one that is sent on.
fn same(one: &Value, other: &Value) -> bool {
    one.to_string().eq_ignore_ascii_case(&other.to_string())
}

fn read_back(row: &Route, sent: &Value) -> Result<Value, Malformed> {
    let bytes = serde_json::to_vec(sent).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.append("host", "docker".parse().unwrap());
    headers.append("content-type", "application/json".parse().unwrap());
    headers.append("content-length", bytes.len().into());
    let method = http::Method::from_bytes(row.method.as_str().as_bytes()).unwrap();
    let uri = target(row.path).parse().unwrap();
    let head = RequestHead {
        method: &method,
        uri: &uri,
        version: http::Version::HTTP_11,
        headers: &headers,
    };
    let accepted = Accepted { floor: ApiVersion::LOWEST, ceiling: ApiVersion::NEWEST };
    let head = classify(&head, accepted)?;
    assert_eq!(head.route.operation, row.operation);
    let body = body::read(&head, &bytes, &mut LeftOut::nothing())?;
    Ok(serde_json::from_slice(&body.serialise().unwrap_or_default()).unwrap_or_default())
}

/// A target that is of this template.
fn target(path: &str) -> String {
    let filled = path.replace("{exec}", &"a".repeat(64));
    let parts = filled.split('{').enumerate();
    let parts = parts.map(|(n, part)| {
        if n == 0 { part.to_owned() } else { format!("web{}", part.split_once('}').unwrap().1) }
    });
    format!("/v{}{}", ApiVersion::NEWEST, parts.collect::<String>())
}

/// A body with this value at a path.
fn with(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, step| {
        let name = step.trim_end_matches(['[', ']', '{', '}']);
        let wrapped =
            step.as_bytes()[name.len()..].chunks(2).rev().fold(inner, |inner, by| match by {
                b"[]" => json!([inner]),
                _ => json!({ "key": inner }),
            });
        if name.is_empty() { wrapped } else { json!({ name: wrapped }) }
    })
}

/// A value of a documented type.
fn sample(kind: &str) -> Value {
    let inner = |outer: &str| kind.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
    if let Some(of) = inner("array<") {
        return json!([sample(of)]);
    }
    if let Some(of) = inner("map<") {
        return json!({ "key": sample(of) });
    }
    match kind.split('/').next().unwrap() {
        "string" => json!("x"),
        "boolean" => json!(true),
        "integer" => json!(1),
        "number" => json!(0.5),
        "object" => json!({}),
        other => panic!("{other}"),
    }
}

/// All that the rows take, each as in a fact.
fn taken(routes: &[Route]) -> BTreeSet<(&'static str, &'static str, String)> {
    let bodies = declared();
    let mut taken = BTreeSet::new();
    for row in routes.iter().filter(|row| row.verb != Verb::Never) {
        let mut take = |place, name: &str| taken.insert((row.operation, place, name.to_owned()));
        take("endpoint", "-");
        for param in row.query {
            take("query", param.name);
            if let ParamKind::Filters(keys) = param.kind {
                for key in keys {
                    take("query", &format!("{}{{{key}}}", param.name));
                }
            }
        }
        for name in row.headers {
            take("header", name);
        }
        if row.body != BodyKind::None {
            take("body", ".");
        }
        if let BodyKind::Json { kind, .. } = row.body {
            for path in &bodies[&format!("{kind:?}")] {
                take("body", path);
            }
        }
    }
    taken
}

/// What of that no version of the schema documents.
fn undocumented(
    facts: &BTreeSet<String>,
    taken: &BTreeSet<(&str, &str, String)>,
    tables: Tables<'_>,
) -> Vec<String> {
    let known = |short: &String| facts.contains(&short.to_lowercase());
    let excepted = |o: &str, p: &str, n: &str| tables.ours_alone.iter().any(|e| e.names(o, p, n));
    let left = taken.iter().filter(|(o, p, n)| !excepted(o, p, n));
    left.map(|(o, p, n)| format!("{o} {p} {n}")).filter(|short| !known(short)).collect()
}

/// The facts without their types, in one case: some keys have a second spelling.
fn documented(facts: &[Fact]) -> BTreeSet<String> {
    facts.iter().map(|fact| fact.short().to_lowercase()).collect()
}

#[test]
fn every_documented_field_is_judged() {
    let facts = facts();
    let left = undecided(&facts, ROUTES, TABLES);
    let left: Vec<_> = left.iter().map(|fact| format!("{} {}", fact.short(), fact.kind)).collect();
    assert!(left.is_empty(), "decide about these, as docs/new-api-version.md says: {left:#?}");
}

#[test]
fn the_newest_version_is_the_newest_in_the_inventory() {
    let text = include_str!("../fixtures/fields.txt");
    let read = text.lines().next().unwrap().trim_end_matches('.').rsplit(' ').next().unwrap();
    assert_eq!(read, ApiVersion::NEWEST.to_string());
}

#[test]
fn nothing_is_taken_that_is_not_documented() {
    let left = undocumented(&documented(&facts()), &taken(ROUTES), TABLES);
    assert!(left.is_empty(), "no schema has these; tests/tidy/exceptions.rs says why: {left:#?}");
}

#[test]
fn a_new_field_is_seen_wherever_it_is() {
    let new: Vec<_> = [
        "GET /new NewEndpoint endpoint - - 1.99-1.99",
        "POST /containers/{id}/stop ContainerRest endpoint - - 1.99-1.99",
        "GET /containers/{id}/{new} ContainerInspect path new string 1.99-1.99",
        "GET /info SystemInfo query new string 1.99-1.99",
        "GET /containers/json ContainerList query all string/new 1.99-1.99",
        "GET /containers/json ContainerList query size integer 1.99-1.99",
        "GET /containers/json ContainerList query limit array<integer> 1.99-1.99",
        "GET /containers/json ContainerList query filters{new} array<string> 1.99-1.99",
        "POST /images/create ImageCreate header x-new string 1.99-1.99",
        "GET /info SystemInfo body . object 1.99-1.99",
        "POST /containers/create ContainerCreate body . stream 1.99-1.99",
    ]
    .map(Fact::of)
    .into();
    // A key that was of text may be read as something narrower: only this one of them is judged.
    let left: Vec<_> = undecided(&new, ROUTES, TABLES).iter().map(|fact| fact.short()).collect();
    let all: Vec<_> = new.iter().map(Fact::short).filter(|s| !s.ends_with("query all")).collect();
    assert_eq!(left, all);

    // Beside and below every field of every body.
    let mut bodies = Vec::new();
    for fact in facts().into_iter().filter(|fact| fact.place == "body" && fact.name != ".") {
        let kind = fact.kind.clone();
        let objects = kind.trim_end_matches('>').replace("array<", "[]").replace("map<", "{}");
        if let Some(below) = objects.strip_suffix("object") {
            let name = format!("{}{below}.New", fact.name);
            bodies.push(Fact { name, kind: "string".to_owned(), ..fact.clone() });
        }
        bodies.push(Fact { name: format!("{}New", fact.name), ..fact });
    }
    assert!(bodies.len() > 1000, "{} new fields", bodies.len());
    assert_eq!(undecided(&bodies, ROUTES, TABLES).len(), bodies.len());
}

#[test]
fn a_field_of_another_type_is_seen() {
    let mut other: Vec<_> = facts();
    other.retain(|fact| fact.place == "body" && fact.name != ".");
    for fact in &mut other {
        fact.kind = if fact.kind == "string" { "integer" } else { "string" }.to_owned();
    }
    let judged: Vec<_> = other
        .iter()
        .filter(|fact| is_judged(fact, ROUTES, TABLES))
        .map(|fact| format!("{} {}", fact.name, fact.kind))
        .collect();
    // `strslice.StrSlice` takes one string for a list of one.
    let either = ["Cmd", "Entrypoint", "Shell", "CapAdd", "CapDrop", "Capabilities"];
    let surprising =
        judged.iter().filter(|j| !either.iter().any(|e| j.ends_with(&format!("{e} string"))));
    assert_eq!(surprising.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_key_that_is_taken_out_of_a_row_is_missed() {
    let facts: Vec<_> = facts()
        .into_iter()
        .filter(|fact| matches!(fact.place.as_str(), "query" | "header"))
        .collect();
    let documented = documented(&facts);
    let mut missed = 0;
    for (nth, row) in ROUTES.iter().enumerate() {
        for (lacking, name) in lacking_one(row) {
            let mut routes = ROUTES.to_vec();
            routes[nth] = lacking;
            // A header is missed when no row of its operation has it any more.
            for other in routes.iter_mut().filter(|r| r.operation == row.operation) {
                if name.starts_with("header ") && other.headers == row.headers {
                    other.headers = lacking.headers;
                }
            }
            let left = undecided(&facts, &routes, TABLES);
            let expected = documented.contains(&format!("{} {name}", row.operation).to_lowercase());
            assert_eq!(!left.is_empty(), expected, "{} {name}", row.operation);
            missed += left.len();
        }
    }
    assert!(missed > 250, "{missed} keys");
}

/// A row without one of its query keys, filters or headers, for each of these.
fn lacking_one(row: &Route) -> Vec<(Route, String)> {
    let mut out = Vec::new();
    for (nth, param) in row.query.iter().enumerate() {
        let query = without(row.query, nth);
        out.push((Route { query, ..*row }, format!("query {}", param.name)));
        let ParamKind::Filters(keys) = param.kind else { continue };
        for (key, name) in keys.iter().enumerate() {
            let mut query = row.query.to_vec();
            query[nth].kind = ParamKind::Filters(without(keys, key));
            let row = Route { query: query.leak(), ..*row };
            out.push((row, format!("query {}{{{name}}}", param.name)));
        }
    }
    for (nth, name) in row.headers.iter().enumerate() {
        let row = Route { headers: without(row.headers, nth), ..*row };
        out.push((row, format!("header {name}")));
    }
    out
}

fn without<T: Clone>(all: &[T], nth: usize) -> &'static [T] {
    let mut left = all.to_vec();
    left.remove(nth);
    left.leak()
}

#[test]
fn a_fact_that_is_taken_out_is_missed() {
    let facts = facts();
    let (mut documented, taken) = (documented(&facts), taken(ROUTES));
    let judged = facts.iter().filter(|fact| !NOT_TAKEN.iter().any(|e| e.covers(fact)));
    let mut missed = 0;
    for fact in judged.filter(|fact| fact.place != "path") {
        let short = fact.short().to_lowercase();
        assert!(documented.remove(&short), "{short} stands twice");
        let left = undocumented(&documented, &taken, TABLES);
        assert_eq!(left.iter().map(|s| s.to_lowercase()).collect::<Vec<_>>(), [&*short]);
        documented.insert(short);
        missed += left.len();
    }
    assert!(missed > 1200, "{missed} facts");
}

#[test]
fn every_exception_is_needed() {
    let facts = facts();
    let (documented, taken) = (documented(&facts), taken(ROUTES));
    let reasons = NOT_TAKEN.iter().chain(OURS_ALONE).map(Exception::why);
    assert!(reasons.into_iter().all(|why| why.len() > 20), "say why");
    for (nth, name) in ANSWER_ONLY.iter().enumerate() {
        let tables = Tables { answer_only: without(ANSWER_ONLY, nth), ..TABLES };
        assert_eq!(undecided(&facts, ROUTES, tables).len(), ENDPOINTS.len(), "{name}");
    }
    for (nth, exception) in NOT_TAKEN.iter().enumerate() {
        let tables = Tables { not_taken: without(NOT_TAKEN, nth), ..TABLES };
        assert!(!undecided(&facts, ROUTES, tables).is_empty(), "take out {exception:?}");
    }
    for (nth, exception) in OURS_ALONE.iter().enumerate() {
        let tables = Tables { ours_alone: without(OURS_ALONE, nth), ..TABLES };
        assert!(!undocumented(&documented, &taken, tables).is_empty(), "take out {exception:?}");
    }
}
