//! The route table against the list of endpoints, against itself and against its documentation.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "routes/doc.rs"]
mod doc;

use dockward::facade::docker::route::{Guard, When};
use dockward::facade::docker::{
    ApiVersion, BodyKind, Hijack, Life, Method, ROUTES, Resource, Route, Verb,
};
use std::collections::{BTreeMap, BTreeSet};

/// One line of `endpoints.csv`: method, path template in the daemon's notation, first version.
struct Endpoint {
    method: String,
    path: String,
    since: u8,
}

fn endpoints() -> Vec<Endpoint> {
    let text = include_str!("fixtures/endpoints.csv");
    let line = |line: &str| {
        let (method, rest) = line.split_once(',').unwrap();
        let (path, since) = rest.rsplit_once(',').unwrap();
        let path = path.trim_matches('"').split(' ').next().unwrap().to_owned();
        let minor = since.strip_prefix("1.").and_then(|v| v.split('-').next());
        Endpoint { method: method.to_owned(), path, since: minor.map_or(0, |v| v.parse().unwrap()) }
    };
    text.lines().skip(1).map(line).collect()
}

/// The path with every parameter written `{}`, and whether the last one may be the rest.
fn shape(path: &str) -> String {
    let parts = path.split('{').enumerate();
    parts
        .map(|(n, part)| if n == 0 { part } else { part.split_once('}').unwrap().1 })
        .collect::<Vec<_>>()
        .join("{}")
}

fn rows_of(endpoint: &Endpoint) -> Vec<&'static Route> {
    ROUTES
        .iter()
        .filter(|row| row.method.as_str() == endpoint.method)
        .filter(|row| shape(row.path) == shape(&endpoint.path))
        .collect()
}

#[test]
fn every_endpoint_has_a_row_and_every_row_an_endpoint() {
    let endpoints = endpoints();
    assert_eq!(endpoints.len(), 126);
    let mut seen = BTreeSet::new();
    for endpoint in &endpoints {
        let rows = rows_of(endpoint);
        assert!(!rows.is_empty(), "{} {} has no row", endpoint.method, endpoint.path);
        // HEAD /_ping is sent by clients that know no version yet; below the lowest nothing matters.
        let lowest = ApiVersion::LOWEST.minor();
        let tolerated = endpoint.path == "/_ping" || endpoint.since <= lowest;
        let since = if tolerated { 0 } else { endpoint.since };
        for row in rows {
            assert_eq!(row.since, since, "{} {}", row.method.as_str(), row.path);
            seen.insert((row.method, row.path));
        }
    }
    for row in ROUTES {
        // A debug endpoint has two rows: GET, and whatever else.
        let listed =
            seen.contains(&(row.method, row.path)) || seen.contains(&(Method::Any, row.path));
        assert!(listed, "{} {} is no endpoint", row.method.as_str(), row.path);
    }
}

#[test]
fn rows_with_one_method_and_path_stand_together_and_the_last_takes_what_is_left() {
    let mut groups: BTreeMap<(Method, &str), Vec<usize>> = BTreeMap::new();
    for (n, row) in ROUTES.iter().enumerate() {
        groups.entry((row.method, row.path)).or_default().push(n);
    }
    for ((method, path), rows) in groups {
        let (last, others) = rows.split_last().unwrap();
        assert_eq!(last - rows[0], others.len(), "{method:?} {path}");
        assert_eq!(ROUTES[*last].when, When::Always, "{method:?} {path}");
        assert!(others.iter().all(|n| ROUTES[*n].when != When::Always), "{method:?} {path}");
        // Rows of one endpoint read the same keys, so that a key's kind does not depend on another.
        for n in others {
            for param in ROUTES[*n].query {
                let twin = ROUTES[*last].query.iter().find(|p| p.name == param.name).unwrap();
                assert_eq!(
                    (param.kind, param.repeat),
                    (twin.kind, twin.repeat),
                    "{path} {}",
                    param.name
                );
            }
            assert_eq!(ROUTES[*n].query.len(), ROUTES[*last].query.len(), "{path}");
        }
    }
}

#[test]
fn every_row_is_consistent() {
    for row in ROUTES {
        let place = format!("{} {}", row.method.as_str(), row.path);
        assert_eq!(
            row.resource == Resource::Nothing,
            row.path == "/metrics" || row.path == "/{any...}",
            "{place}"
        );
        assert_ne!(row.verb, Verb::Reveal, "{place}");
        if row.hijack != Hijack::No || row.body == BodyKind::Opaque {
            assert_eq!(row.life, Life::WriteStream, "{place}");
        }
        if matches!(row.method, Method::Get | Method::Head) && row.hijack == Hijack::No {
            assert!(!row.life.changes_state() && row.body == BodyKind::None, "{place}");
        }
        let mut names: Vec<_> = row.query.iter().map(|p| p.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), row.query.len(), "{place}");
        assert!(row.headers.iter().all(|h| h.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        for forbidden in [
            "host",
            "connection",
            "upgrade",
            "content-length",
            "transfer-encoding",
            "content-type",
            "te",
            "expect",
        ] {
            assert!(!row.headers.contains(&forbidden), "{place}: {forbidden}");
        }
        if row.verb == Verb::Never {
            assert!(!row.dagger && !row.root && row.query.is_empty(), "{place}");
        }
    }
}

/// A verb that has a dagger, or is in a group, by one row of its resource is so by all.
#[test]
fn a_dagger_and_a_group_belong_to_the_verb() {
    let mut verbs: BTreeMap<(Resource, Verb), BTreeSet<_>> = BTreeMap::new();
    for row in ROUTES {
        verbs.entry((row.resource, row.verb)).or_default().insert((row.dagger, row.group));
        assert!(row.group.is_none() || !(row.dagger || row.verb == Verb::Never), "{row:?}");
    }
    for (verb, marks) in verbs {
        assert_eq!(marks.len(), 1, "{verb:?}");
    }
}

/// What `*` grants is what has no mark: in the documentation, in a role, and in what a role is said to hold.
#[test]
fn a_star_grants_what_has_no_mark() {
    let text = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
identities: [{ name: somebody, match: { cn: somebody }, roles: [all] }]
roles: { all: { scope: any, admission: unrestricted, allow: { '*': ['*'] }, images: { run: ['**'] } } }
";
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let config = dockward::facade::config::parse(text, std::path::Path::new("/"), now).unwrap();
    let star = &config.policy.roles["all"].allow;
    let documented = doc::verbs_markdown();
    let mut granted = BTreeSet::new();
    for row in ROUTES.iter().filter(|row| row.verb != Verb::Never) {
        let path = format!(" {}` ", row.path);
        let is_its = |line: &&str| {
            line.contains(&format!("| {} | `{}", row.operation, row.method.as_str()))
                && line.contains(path.trim_end())
        };
        let lines: Vec<_> = documented.lines().filter(is_its).collect();
        assert!(!lines.is_empty(), "{row:?}");
        let verb = format!("| {} ", row.verb);
        let line = lines.iter().find(|line| line.starts_with(&verb)).unwrap();
        let cell = line.split('|').nth(1).unwrap();
        assert_eq!(star.grants(row).is_some(), !cell.contains(['†', '‡']), "{line}");
        if star.grants(row).is_some() {
            granted.insert((row.resource, row.verb));
        }
    }
    let held: BTreeSet<_> = star.iter().map(|(resource, verb, _)| (resource, verb)).collect();
    let revealed = |(_, verb): &&(Resource, Verb)| *verb != Verb::Reveal;
    assert_eq!(
        held.iter().filter(revealed).collect::<Vec<_>>(),
        granted.iter().collect::<Vec<_>>()
    );
}

#[test]
fn what_steers_beyond_the_verb_is_guarded() {
    let guarded = |operation: &str, key: &str| {
        let rows = ROUTES.iter().filter(|row| row.operation == operation);
        let rows: Vec<_> = rows.filter(|row| row.verb != Verb::Buildkit && !row.reserved).collect();
        let params = rows.iter().flat_map(|row| row.query).filter(|p| p.name == key);
        rows.is_empty()
            || params.clone().count() > 0 && params.clone().all(|p| p.guard != Guard::Open)
    };
    for (operation, key) in [
        ("ImageBuild", "remote"),
        ("ImageBuild", "networkmode"),
        ("ImageBuild", "cgroupparent"),
        ("ImageBuild", "extrahosts"),
        ("ImageBuild", "securityopt"),
        ("ImageBuild", "outputs"),
        ("ImageBuild", "cachefrom"),
        ("ImageBuild", "t"),
        ("ImageBuild", "ulimits"),
        ("ImageBuild", "session"),
        ("ImageBuild", "buildid"),
        ("ImageBuild", "isolation"),
        ("ImageCreate", "fromSrc"),
        ("ImageCreate", "repo"),
        ("ImageCreate", "changes"),
        ("ImageTag", "repo"),
        ("ImageTag", "tag"),
        ("ImagePush", "tag"),
        ("ImageCommit", "repo"),
        ("ImageCommit", "tag"),
        ("ImageCommit", "changes"),
        ("ImageSearch", "term"),
        ("ContainerTop", "ps_args"),
        ("ContainerStart", "checkpoint"),
        ("ContainerStart", "checkpoint-dir"),
        ("CheckpointList", "dir"),
        ("CheckpointDelete", "dir"),
        ("PluginPull", "remote"),
        ("PluginUpgrade", "remote"),
        ("GetPluginPrivileges", "remote"),
    ] {
        assert!(guarded(operation, key), "{operation} {key}");
    }
    assert!(!guarded("ContainerLogs", "tail") && !guarded("ImageList", "filters"));
}

#[test]
fn the_document_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verbs.md");
    let written = doc::verbs_markdown();
    if std::env::var_os("DOCKWARD_BLESS").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == written,
        "docs/verbs.md is not what the route table says: run with DOCKWARD_BLESS=1"
    );
}
