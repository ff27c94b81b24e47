//! The path: one spelling or none, because the daemon decodes and cleans before it matches
//! (`gorilla/mux` on `URL.Path`), so that what looks like one endpoint may be served as another.
//!
//! Nothing that the API calls by name needs an escape, so none is taken, with three exceptions: the
//! `%40` that docker-py writes for the `@` of a digest, which goes on as `@`, the `%2F` that docker-java writes for the `/`
//! of an image's name, which goes on as `/`, and the `%20` of a blank in a network's name, which goes on as `%20`.

use super::{Accepted, ApiVersion, Flaw, Malformed};
use std::borrow::Cow;

/// The paths with a slash at the end that the daemon serves.
const SLASHED: [&str; 2] = ["/networks/", "/debug/pprof/"];

/// A request target taken apart: canonical, but not yet matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<'a> {
    /// The version asked for, or the ceiling where none is.
    pub version: ApiVersion,
    /// The path without version, decoded.
    pub path: Cow<'a, str>,
}

/// Reads the path of a request target.
///
/// # Errors
/// [`Flaw::PathCanonical`] for any other spelling than ours, [`Flaw::VersionSpelling`] and
/// [`Flaw::VersionRange`] for the version prefix.
pub fn locate(uri: &http::Uri, accepted: Accepted) -> Result<Located<'_>, Malformed> {
    let raw = uri.path();
    if uri.scheme().is_some() || uri.authority().is_some() || !raw.starts_with('/') {
        return Err(refused("the request target must be a path that begins with '/'"));
    }
    let (version, rest) = split_version(raw)?;
    let version = match version {
        Some(version) => in_range(version, accepted)?,
        None => accepted.ceiling,
    };
    Ok(Located { version, path: canonical(rest)? })
}

fn refused(why: &'static str) -> Malformed {
    Malformed::new(Flaw::PathCanonical, "path", why)
}

/// Splits `/v1.NN` off. moby's router takes `v[0-9.]+`; a first segment that comes near it is no
/// endpoint, and is refused rather than looked up.
fn split_version(raw: &str) -> Result<(Option<ApiVersion>, &str), Malformed> {
    let Some(tail) = raw.strip_prefix("/v").or_else(|| raw.strip_prefix("/V")) else {
        return Ok((None, raw));
    };
    if tail.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok((None, raw));
    }
    let (digits, rest) =
        tail.find('/').and_then(|at| tail.split_at_checked(at)).unwrap_or((tail, ""));
    match ApiVersion::parse(digits) {
        Some(version) if raw.starts_with("/v") => Ok((Some(version), rest)),
        _ => Err(Malformed::new(
            Flaw::VersionSpelling,
            "path",
            "the version prefix must be '/v1.NN'; check DOCKER_API_VERSION",
        )),
    }
}

/// Docker's own words (`api/server/middleware/version.go`), which clients know, and the way out.
fn in_range(version: ApiVersion, accepted: Accepted) -> Result<ApiVersion, Malformed> {
    let Accepted { floor, ceiling } = accepted;
    let why = if version < floor {
        format!(
            "client version {version} is too old. Minimum supported API version is {floor}, please \
             upgrade your client to a newer version, or set DOCKER_API_VERSION={ceiling}"
        )
    } else if version > ceiling {
        format!(
            "client version {version} is too new. Maximum supported API version is {ceiling}; set \
             DOCKER_API_VERSION={ceiling}"
        )
    } else {
        return Ok(version);
    };
    Err(Malformed::new(Flaw::VersionRange, "path", why))
}

/// The decoded path, if its spelling is the one we would write (or has docker-py's `%40`). A blank fits a network's
/// name alone ([`check`]).
fn canonical(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    let path =
        if raw.contains('%') { Cow::Owned(raw.replace("%40", "@")) } else { Cow::Borrowed(raw) };
    let path = match path.starts_with("/images/") && path.contains("%2F") {
        true => Cow::Owned(path.replace("%2F", "/")),
        false => path,
    };
    let path = if path.contains("%20") { Cow::Owned(path.replace("%20", " ")) } else { path };
    if !path.bytes().all(is_plain) {
        return Err(refused("the path may have letters, digits and ._/:@- only, and no escapes"));
    }
    if path.ends_with('/') && !SLASHED.contains(&path.as_ref()) {
        return Err(refused("the path must not end with '/'"));
    }
    let inner = path.strip_suffix('/').unwrap_or(&path);
    if inner.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(refused("the path must not have empty or dot segments"));
    }
    Ok(path)
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b':' | b'@' | b'-' | b' ')
}

/// The parameters of a match: at most two, in the order of the template.
pub(super) type Bound<'p> = [Option<&'p str>; 2];

/// Binds a path to a template, or says that it has another shape.
pub(super) fn bind<'p>(template: &str, path: &'p str) -> Option<Bound<'p>> {
    let Some((literal, rest)) = template.split_once('{') else {
        return (template == path).then_some([None, None]);
    };
    let tail = path.strip_prefix(literal)?;
    let (name, after) = rest.split_once('}')?;
    if name.ends_with("...") {
        return tail.strip_suffix(after).filter(|value| !value.is_empty()).map(|v| [Some(v), None]);
    }
    let (value, tail) = tail.split_at_checked(tail.find('/').unwrap_or(tail.len()))?;
    if value.is_empty() || name == "grpc.service" && !value.contains('.') {
        return None;
    }
    let [second, _] = bind(after, tail)?;
    Some([Some(value), second])
}

/// Checks the parameters of a match against what their places in the template can hold.
pub(super) fn check(template: &str, bound: &Bound<'_>) -> Result<(), Malformed> {
    let places = template.split('{').skip(1).filter_map(|part| part.split_once('}'));
    for ((place, _), value) in places.zip(bound.iter().flatten()) {
        let (fits, why) = match place {
            "exec" => (is_full_id(value), "an exec must be given by its full id: 64 hex digits"),
            _ if place.ends_with("...") => {
                (is_reference(value), "not a name that an image can have")
            }
            // the daemon takes any name of a network that is not empty
            _ if template.starts_with("/networks/") => (
                value.split(' ').all(is_name),
                "a name has letters, digits, blanks and _.- only, a letter or digit first in each word",
            ),
            _ => {
                (is_name(value), "a name has letters, digits and _.- only, a letter or digit first")
            }
        };
        if !fits {
            return Err(Malformed::new(Flaw::PathCanonical, *value, why));
        }
    }
    Ok(())
}

/// What stands where a template has its only parameter, a plain name, if an image could be called so
/// and nothing else.
pub(super) fn reference<'p>(template: &str, path: &'p str) -> Option<&'p str> {
    let (literal, rest) = template.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    let value = path.strip_prefix(literal)?.strip_suffix(after)?;
    let plain = place != "exec" && !place.ends_with("...") && !after.contains('{');
    (plain && is_reference(value) && !is_name(value)).then_some(value)
}

/// `RestrictedNamePattern` of moby (`daemon/names`), with one character allowed too.
fn is_name(value: &str) -> bool {
    value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_full_id(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_reference(value: &str) -> bool {
    !value.contains(' ')
        && value.split('/').all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::{Located, SLASHED, bind, locate};
    use crate::docker::{Accepted, ApiVersion, Flaw, Malformed, ROUTES};

    const RANGE: Accepted = Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::new(41) };

    fn read(target: &str) -> Result<(u8, String), Malformed> {
        let uri: http::Uri = target.parse().unwrap();
        locate(&uri, RANGE).map(|Located { version, path }| (version.minor(), path.into_owned()))
    }

    fn flaw(target: &str) -> Flaw {
        read(target).unwrap_err().flaw
    }

    #[test]
    fn a_canonical_path_is_taken_as_it_is() {
        assert_eq!(read("/v1.40/containers/json").unwrap(), (40, "/containers/json".to_owned()));
        assert_eq!(read("/_ping").unwrap(), (41, "/_ping".to_owned()));
        assert_eq!(read("/version").unwrap(), (41, "/version".to_owned()));
        assert_eq!(read("/v1.41/volumes").unwrap(), (41, "/volumes".to_owned()));
        assert_eq!(
            read("/images/r.io:5/a@sha256:0/json").unwrap().1,
            "/images/r.io:5/a@sha256:0/json"
        );
        assert_eq!(read("/images/a%40sha256:0/json").unwrap().1, "/images/a@sha256:0/json");
        for slashed in SLASHED {
            assert_eq!(read(slashed).unwrap().1, slashed);
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for target in [
            "/containers%2fjson",
            "/containers%2Fas%2Fjson",
            "/%63ontainers/json",
            "/containers/creat%65",
            "//containers/json",
            "/containers//json",
            "/./containers/json",
            "/containers/../info",
            "/%2e%2e/info",
            "/containers/a%2f..%2fb/json",
            "/containers/name%2f/json",
            "/containers/a%2Fb/json",
            "/images/a%2Fb%2F../json",
            "/images/%2Fb/json",
            "/images/a%2F/json",
            "/images/a%252Fb/json",
            "/images%2Fjson",
            "/containers/json/",
            "/volumes/",
            "/containers/a;x=1/json",
            "/containers/a%00/json",
            "/containers/a%0a/json",
            "/containers/a%5cb/json",
            "/containers/a%2540/json",
            "/containers/é/json",
            "/containers/a+b/json",
            "/",
            "http://x/containers/json",
            "http://u:p@x/info",
            "*",
            "d:80",
            "/v1.41//info",
            "/v1.41/",
            "/networks//",
            "/v1.41/networks/./",
        ] {
            assert_eq!(flaw(target), Flaw::PathCanonical, "{target}");
        }
    }

    #[test]
    fn a_version_has_one_spelling() {
        for target in [
            "/v1.41./info",
            "/v1.41.0/info",
            "/v01.41/info",
            "/v1.041/info",
            "/v1%2e41/info",
            "/V1.41/info",
            "/v1.41a/info",
            "/v-1/info",
            "/v1/info",
            "/v1./info",
            "/v1..41/info",
            "/v.../info",
            "/v999/info",
            "/v1.41.1/info",
            "/v1.24.99999999999999999999/info",
            "/v1.023/containers/a/start",
            "/v1.23./containers/a/start",
            "/v1.41%2f_ping",
            "/v/info",
        ] {
            assert_eq!(flaw(target), Flaw::VersionSpelling, "{target}");
        }
        // An escaped `v` is no version, and no path either.
        assert_eq!(flaw("/%761.41/info"), Flaw::PathCanonical);
    }

    #[test]
    fn a_version_out_of_range_is_refused_in_dockers_words() {
        assert!(read("/v1.38/info").is_ok() && read("/v1.41/info").is_ok());
        let old = read("/v1.37/info").unwrap_err();
        assert_eq!(old.flaw, Flaw::VersionRange);
        assert!(old.why.starts_with(
            "client version 1.37 is too old. Minimum supported API version is 1.38, please upgrade \
             your client to a newer version"
        ));
        let new = read("/v1.99/info").unwrap_err();
        assert_eq!(new.flaw, Flaw::VersionRange);
        assert!(
            new.why.starts_with(
                "client version 1.99 is too new. Maximum supported API version is 1.41"
            )
        );
        assert!(new.why.ends_with("set DOCKER_API_VERSION=1.41"));
        assert_eq!(flaw("/v1.5/info"), Flaw::VersionRange);
    }

    #[test]
    fn templates_bind_by_segment_and_by_suffix() {
        assert_eq!(bind("/info", "/info"), Some([None, None]));
        assert_eq!(bind("/containers/{id}/json", "/containers/a/json"), Some([Some("a"), None]));
        assert_eq!(bind("/containers/{id}/json", "/containers/a/b/json"), None);
        assert_eq!(bind("/images/{name...}/json", "/images/a/b/json"), Some([Some("a/b"), None]));
        assert_eq!(bind("/images/{name...}/json", "/images/json"), None);
        assert_eq!(
            bind("/containers/{id}/checkpoints/{checkpoint}", "/containers/a/checkpoints/b"),
            Some([Some("a"), Some("b")])
        );
        assert_eq!(bind("/networks/{id}", "/networks/"), None);
    }

    #[test]
    fn the_slashed_paths_are_those_of_the_table() {
        let mut rows: Vec<_> = ROUTES.iter().map(|r| r.path).filter(|p| p.ends_with('/')).collect();
        rows.dedup();
        for path in rows {
            assert!(SLASHED.contains(&path), "{path}");
        }
        assert!(SLASHED.iter().all(|path| ROUTES.iter().any(|r| r.path == *path)));
    }
}
