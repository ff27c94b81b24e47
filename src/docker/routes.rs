//! Every endpoint of the API, one row each: what may be asked is what is written here, so that an
//! endpoint that Docker adds is refused until someone has named it.

mod row;
mod table;

pub use table::ROUTES;

use super::path::{self, Bound};
use super::query::Pair;
use super::route::When;
use super::{Flaw, Malformed, Method, Resource, Route, Verb};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What the file can grant has an endpoint: a verb or a resource without one does not compile.
const _: () = {
    let (mut verbs, mut resources) =
        (1_u128 << Verb::Reveal as u8 | 1 << Verb::Never as u8, 0_u128);
    let mut rows = ROUTES;
    while let [row, rest @ ..] = rows {
        verbs |= 1 << row.verb as u8;
        resources |= 1 << row.resource as u8;
        rows = rest;
    }
    let mut words = Verb::ALL;
    while let [verb, rest @ ..] = words {
        assert!(verbs >> *verb as u8 & 1 == 1, "{}", verb.as_str());
        words = rest;
    }
    let mut words = Resource::ALL;
    while let [resource, rest @ ..] = words {
        assert!(resources >> *resource as u8 & 1 == 1, "{}", resource.as_str());
        words = rest;
    }
};

/// The rows by their first segment; those that begin with a parameter are under `""`.
static BY_SEGMENT: LazyLock<HashMap<&'static str, Vec<&'static Route>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<_>> = HashMap::new();
    for route in ROUTES {
        let first = first_segment(route.path);
        let key = if first.starts_with('{') { "" } else { first };
        index.entry(key).or_default().push(route);
    }
    index
});

/// Finds the one row that a canonical request is, and the parameters of its path.
///
/// # Errors
/// [`Flaw::RouteUnknown`], [`Flaw::HttpMethod`], [`Flaw::PathCanonical`], [`Flaw::NameAbsent`].
pub(super) fn find<'p>(
    method: &http::Method,
    path: &'p str,
    query: &[Pair<'_>],
) -> Result<(&'static Route, Bound<'p>), Malformed> {
    let method = known(method)?;
    let rows = || {
        let keys = [first_segment(path), ""].into_iter();
        let rows = keys.filter_map(|key| BY_SEGMENT.get(key)).flatten();
        rows.filter(|row| row.method == method || row.method == Method::Any)
    };
    let found = rows()
        .filter_map(|row| path::bind(row.path, path).map(|bound| (*row, bound)))
        .find(|(row, _)| row.when.holds(query));
    let absent = || rows().find_map(|row| absent(row, path));
    let Some((route, bound)) = found else {
        let why = "no such endpoint in the Docker API";
        return Err(absent().unwrap_or_else(|| Malformed::new(Flaw::RouteUnknown, "", why)));
    };
    path::check(route.path, &bound).map_err(|flaw| absent().unwrap_or(flaw))?;
    Ok((route, bound))
}

/// `docker inspect NAME` asks for a container, an image, a network and so on, until one is not a 404.
/// What reads as an image is a name that nothing else has: the daemon's answer is known, and it is not
/// asked, because in its router's eyes such a name runs over segments.
fn absent(row: &Route, path: &str) -> Option<Malformed> {
    let name = path::reference(row.path, path).filter(|_| row.verb == Verb::Inspect)?;
    let why = match row.resource {
        Resource::Volume => format!("get {name}: no such volume"),
        Resource::Network => format!("network {name} not found"),
        kind => format!("No such {kind}: {name}"),
    };
    Some(Malformed::new(Flaw::NameAbsent, "", why))
}

fn first_segment(path: &str) -> &str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// The method, in its exact spelling; one that the API does not use finds only what nobody may use.
fn known(method: &http::Method) -> Result<Method, Malformed> {
    let found = match method.as_str() {
        "PATCH" | "TRACE" => Some(Method::Any),
        word => Method::parse(word).filter(|known| *known != Method::Any),
    };
    let why = "not a method of the Docker API";
    found.ok_or_else(|| Malformed::new(Flaw::HttpMethod, "", why))
}

impl When {
    fn holds(self, query: &[Pair<'_>]) -> bool {
        let value =
            |name| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        match self {
            Self::Always => true,
            Self::QuerySet(name) => value(name).is_some_and(|value: &str| !value.is_empty()),
            Self::QueryIs(name, wanted) => value(name) == Some(wanted),
        }
    }
}
