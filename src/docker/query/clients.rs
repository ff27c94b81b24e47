//! What real clients send in queries that endpoints do not have, or not so.

use crate::docker::Route;

/// An operation, a key, and the client that sends it.
type Row = (&'static str, &'static str, &'static str);

/// Keys that real clients always send and that daemons of the accepted versions do not read, by operation. They
/// are not sent on, and nobody is told. A row needs a client that is named.
const IGNORED: [Row; 3] = [
    ("ImageList", "only_ids", "docker-py"),
    ("ImageTag", "force", "docker-py"),
    ("ContainerList", "trunc_cmd", "docker-py"),
];

/// Keys that real clients give more than once, of which daemons take the first (`Form.Get` of Go): the first goes on, the
/// others are left out, and told. A row needs a client that is named.
const FIRST: [Row; 1] =
    // the content beside the name, of a file outside the context
    [("ImageBuild", "dockerfile", "docker-py")];

fn has(rows: &[Row], route: &Route, key: &str) -> bool {
    rows.iter().any(|(operation, name, _)| *operation == route.operation && *name == key)
}

/// Whether some client always sends a key that the endpoint has not.
pub(super) fn always_sends(route: &Route, key: &str) -> bool {
    has(&IGNORED, route, key)
}

/// Whether some client gives a key twice of which the first counts.
pub(super) fn gives_twice(route: &Route, key: &str) -> bool {
    has(&FIRST, route, key)
}
