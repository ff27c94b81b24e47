//! From a request head to a row of ROUTES, canonical or refused.

use super::headers::Passed;
use super::outbound::check_target;
use super::path::{self, Located};
use super::query::{self, Query};
use super::{
    Accepted, ApiVersion, CallHead, Flaw, Hijack, Malformed, RequestHead, Route, headers, routes,
};

/// Classifies a request head.
///
/// What comes out is independent of how the client spelled it: [`CallHead::target_uri`] of the
/// result, classified again, is the result.
///
/// # Errors
/// A [`Malformed`] for everything that can be read in more than one way.
pub fn classify(head: &RequestHead<'_>, accepted: Accepted) -> Result<CallHead, Malformed> {
    let framing = headers::check(head)?;
    let Located { version, path } = path::locate(head.uri, accepted)?;
    let pairs = query::split(head.uri.query())?;
    let (route, bound) = routes::find(head.method, &path, &pairs)?;
    let version = if route.is_versioned() { version } else { accepted.ceiling };
    check_since(route, version)?;
    let (query, left_out) = Query::read(&pairs, route, version)?;
    check_link(route, &query)?;
    headers::check_body(head.headers, framing, route)?;
    let upgrade = headers::upgrade(head.headers, route.hijack)?;
    if route.hijack == Hijack::Attach && query.flag("stdin") && !upgrade {
        return Err(headers::upgrade_required("tcp"));
    }
    let Passed { fields: headers, registries } = headers::passed_on(head.headers, route)?;
    let head = CallHead {
        route,
        version,
        params: bound.into_iter().flatten().map(str::to_owned).collect(),
        query,
        left_out,
        headers,
        registries,
        framing,
        upgrade,
        accepted,
    };
    check_target(&head.target_uri())?;
    Ok(head)
}

/// A link's name is a name of the container that it leads to as well (`registerLink` in moby's `daemon/links.go`).
fn check_link(route: &Route, query: &Query) -> Result<(), Malformed> {
    if !route.path.ends_with("/{link}") || query.flag("link") {
        return Ok(());
    }
    let why =
        "without link=1 the daemon would remove what the link leads to: name that by its own name";
    Err(Malformed::new(Flaw::QueryValue, "link", why))
}

/// Older engines serve an endpoint below the version that documents it; we do not.
fn check_since(route: &Route, version: ApiVersion) -> Result<(), Malformed> {
    if version.minor() >= route.since {
        return Ok(());
    }
    let why = format!("{} needs API version 1.{}, not {version}", route.operation, route.since);
    Err(Malformed::new(Flaw::VersionEndpoint, "path", why))
}
