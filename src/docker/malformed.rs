//! Why a request cannot be read in exactly one way: the refusals that no policy can soften.

use crate::problem::{Actionable, Problem};
use std::borrow::Cow;

/// Declares [`Flaw`]: variant and stable id.
macro_rules! flaws {
    ($( $(#[$doc:meta])* $variant:ident = $id:literal, )*) => {
        /// A kind of unreadability. Each has a stable id that is documented with the other reasons.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Flaw { $( $(#[$doc])* $variant, )* }

        impl Flaw {
            /// Every flaw, in the order declared.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// The stable, dotted id.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $( Self::$variant => $id, )* }
            }
        }
    };
}

flaws! {
    /// The path is not the one spelling we accept (`%2f`, `//`, dot segments, escapes, ...).
    PathCanonical = "path.canonical",
    /// No row of ROUTES has this method and path (answered 403).
    RouteUnknown = "route.unknown",
    /// The name of something to look at that nothing of its kind can have, as `docker inspect` asks
    /// for an image among containers first (answered 404 in the daemon's words).
    NameAbsent = "name.absent",
    /// The version prefix is not `/v1.NN`.
    VersionSpelling = "version.spelling",
    /// The version is below the floor or above the ceiling.
    VersionRange = "version.range",
    /// The endpoint is not part of that API version.
    VersionEndpoint = "version.endpoint",
    /// The query string cannot be decoded in one way.
    QuerySyntax = "query.syntax",
    /// A query key that this endpoint does not have.
    QueryUnknown = "query.unknown",
    /// A scalar query key given twice.
    QueryDuplicate = "query.duplicate",
    /// A query value that the daemon would read otherwise than it looks.
    QueryValue = "query.value",
    /// `filters` with a key the endpoint does not have, or one that filters nothing.
    QueryFilter = "query.filter",
    /// Not HTTP/1.1.
    HttpVersion = "http.version",
    /// A method in another spelling, or one that HTTP proxies use (CONNECT).
    HttpMethod = "http.method",
    /// No Host header, or more than one.
    HttpHost = "http.host",
    /// Length and transfer coding are not given in exactly one way.
    HttpFraming = "http.framing",
    /// An Expect header other than `100-continue`.
    HttpExpect = "http.expect",
    /// A header given twice, or with bytes that are not printable ASCII.
    HttpHeader = "http.header",
    /// Registry credentials in a header that are not base64url of the JSON they should be.
    HeaderCredentials = "header.credentials",
    /// A body on a route that has none.
    BodyUnexpected = "body.unexpected",
    /// No body on a route that needs one.
    BodyMissing = "body.missing",
    /// A content type that this route does not take; form and multipart always.
    BodyType = "body.type",
    /// Larger than what is inspected whole (answered 413).
    BodyTooLarge = "body.too-large",
    /// The body did not arrive in time or ended early.
    BodyIncomplete = "body.incomplete",
    /// Trailer fields after a chunked body.
    BodyTrailers = "body.trailers",
    /// Not JSON.
    JsonSyntax = "json.syntax",
    /// Bytes after the JSON value.
    JsonTrailing = "json.trailing",
    /// Nested deeper than 64.
    JsonDepth = "json.depth",
    /// More values than any request of this size has.
    JsonValues = "json.too-many-values",
    /// A key given twice, as the daemon compares keys.
    JsonDuplicate = "json.duplicate-key",
    /// A known key in another spelling (`hostconfig`, `ſ` for `s`).
    JsonKeyCase = "json.key-case",
    /// An unknown key that says something.
    JsonUnknown = "json.unknown-key",
    /// A value of another type than the field has.
    JsonType = "json.type",
    /// A number that is not an exact integer in range.
    JsonNumber = "json.number",
    /// A body that contradicts the path it is sent to.
    JsonContradiction = "json.contradiction",
    /// The client meant to send input on a stream but did not ask to upgrade.
    UpgradeRequired = "hijack.upgrade-required",
    /// Upgrade asked for with another protocol than the route has.
    UpgradeProtocol = "hijack.protocol",
}

/// A request that is refused because it cannot be read in exactly one way. Whoever answers with it says by
/// its rule what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem().what)]
pub struct Malformed {
    /// What kind.
    pub flaw: Flaw,
    /// Where: a field path, a query key, a header name; empty where the place says itself.
    pub at: String,
    /// What is wrong, for a person: lower-case, no full stop.
    pub why: Cow<'static, str>,
}

impl Malformed {
    /// A refusal at a place.
    #[must_use]
    pub fn new(flaw: Flaw, at: impl Into<String>, why: impl Into<Cow<'static, str>>) -> Self {
        Self { flaw, at: at.into(), why: why.into() }
    }
}

impl Actionable for Malformed {
    fn problem(&self) -> Problem {
        let (why, id) = (&self.why, self.flaw.id());
        let what = match self.at.as_str() {
            "" => format!("{why} [{id}]"),
            at => format!("{why} ({at}) [{id}]"),
        };
        Problem::new(what, format!("see {id} in `dockward rules`"))
    }
}
