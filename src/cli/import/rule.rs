//! The rules of other proxies, each asked of the endpoints of the table.

use crate::docker::{Method, Route};
use regex::{Regex, RegexBuilder};

/// What objects may be called, for patterns that ask for names of some form.
const NAMES: [&str; 2] =
    ["web", "0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab0123"];

/// How a client may write the version before a path.
const VERSIONS: [&str; 3] = ["/v1.41", "/v1.24", ""];

/// What lets requests pass.
#[derive(Debug)]
pub(super) enum PassRule {
    /// Whatever is below one of these, of methods that change nothing; with `writes` of all.
    Sections {
        /// Beginnings of paths, without the version.
        below: Vec<&'static str>,
        /// Whether all methods pass.
        writes: bool,
    },
    /// What is done to one container, of any method.
    Actions(&'static [&'static str]),
    /// To delete a container.
    Deletes,
    /// Paths of one method that a pattern matches, from their first letter to their last.
    Pattern(Method, Regex),
}

impl PassRule {
    /// A pattern in Go's syntax, of which ours is a part but for what is hardly used.
    ///
    /// # Errors
    /// It is none, or too large to be one.
    pub(super) fn pattern(method: Method, pattern: &str) -> Result<Self, regex::Error> {
        let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build()?;
        Ok(Self::Pattern(method, whole))
    }

    /// Whether requests to an endpoint pass, at least under some version and of some name.
    pub(super) fn passes(&self, route: &Route) -> bool {
        match self {
            Self::Sections { below, writes } => {
                let reads = matches!(route.method, Method::Get | Method::Head);
                (*writes || reads) && below.iter().any(|section| route.path.starts_with(section))
            }
            Self::Actions(actions) => {
                let action = route.path.strip_prefix("/containers/{id}/");
                action.is_some_and(|action| actions.contains(&action))
            }
            Self::Deletes => route.method == Method::Delete && route.path == "/containers/{id}",
            Self::Pattern(method, pattern) => {
                let paths = NAMES.iter().map(|name| named(route.path, name));
                *method == route.method
                    && paths.into_iter().any(|path| {
                        VERSIONS.iter().any(|version| pattern.is_match(&format!("{version}{path}")))
                    })
            }
        }
    }
}

/// The path of an object with this name.
fn named(path: &str, name: &str) -> String {
    let filled =
        path.split('/').map(|segment| if segment.starts_with('{') { name } else { segment });
    filled.collect::<Vec<_>>().join("/")
}
