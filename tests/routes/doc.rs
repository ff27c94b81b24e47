//! The table for people: `docs/verbs.md` is written from the rows, so that it cannot be wrong.

use dockward::facade::docker::route::{Guard, When};
use dockward::facade::docker::{BodyKind, ROUTES, Resource, Route, Verb};
use std::fmt::Write as _;

const INTRO: &str = "\
# Verbs and endpoints

Written from the route table; change that, then run the tests with `DOCKWARD_BLESS=1`.

A role grants verbs of a resource. `*` is every verb without a mark; one with a mark must be spelled out, † because it
amounts to more than it looks like, ‡ because its endpoint goes over a stream that nobody looks into (of `attach` the
websocket alone).
**root** says that holding the verb amounts to root on the host. A body that is *typed* is read into a
type of its own and written again; an *archive* is a stream whose first block is looked at; a *stream*
goes on as it is. Query keys with a * are judged by value; those in *italics* are open only to a role with
`admission: unrestricted`, unless they say nothing. `never` is granted by nothing.
";

/// The verb table as Markdown.
pub(crate) fn verbs_markdown() -> String {
    let mut out = INTRO.to_owned();
    for resource in Resource::ALL {
        let rows: Vec<_> = ROUTES.iter().filter(|row| row.resource == *resource).collect();
        if !rows.is_empty() {
            write_resource(&mut out, *resource, &rows);
        }
    }
    out
}

fn write_resource(out: &mut String, resource: Resource, rows: &[&Route]) {
    let title = if resource == Resource::Nothing { "nothing" } else { resource.as_str() };
    let _ = write!(
        out,
        "\n## {title}\n\n| verb | operation | endpoint | from | body | query |\n|---|---|---|---|---|---|\n"
    );
    let verbs = Verb::ALL.iter().flat_map(|verb| rows.iter().filter(move |row| row.verb == *verb));
    for row in verbs {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            verb(row),
            row.operation,
            endpoint(row),
            since(row),
            body(row.body),
            query(row)
        );
    }
}

fn verb(row: &Route) -> String {
    let dagger = if row.dagger { " †" } else { "" };
    let opaque = if row.is_opaque() { " ‡" } else { "" };
    let root = if row.root { " **root**" } else { "" };
    format!("{}{dagger}{opaque}{root}", row.verb)
}

fn endpoint(row: &Route) -> String {
    let when = match row.when {
        When::Always => String::new(),
        When::QuerySet(key) => format!(" with `{key}`"),
        When::QueryIs(key, value) => format!(" with `{key}={value}`"),
    };
    format!("`{} {}`{when}", row.method.as_str(), row.path)
}

fn since(row: &Route) -> String {
    if row.since == 0 { String::new() } else { format!("1.{}", row.since) }
}

const fn body(kind: BodyKind) -> &'static str {
    match kind {
        BodyKind::None => "",
        BodyKind::Json { optional: false, .. } => "typed",
        BodyKind::Json { optional: true, .. } => "typed, or none",
        BodyKind::Archive => "archive",
        BodyKind::Opaque => "stream",
    }
}

fn query(row: &Route) -> String {
    let keys = row.query.iter().map(|param| match param.guard {
        Guard::Open => param.name.to_owned(),
        Guard::Judged => format!("{}\\*", param.name),
        Guard::Unrestricted => format!("*{}*", param.name),
        Guard::UnrestrictedBut(open) => format!("*{}* (but `{open}`)", param.name),
    });
    keys.collect::<Vec<_>>().join(", ")
}
