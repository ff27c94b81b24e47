//! What classifying begins with: a head as the HTTP parser handed it over, and the versions that are accepted.

use super::ApiVersion;

/// A request head as the HTTP parser handed it over.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a http::Method,
    /// The request target.
    pub uri: &'a http::Uri,
    /// The protocol version.
    pub version: http::Version,
    /// The header fields.
    pub headers: &'a http::HeaderMap,
}

/// The range of API versions that is accepted now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The lowest.
    pub floor: ApiVersion,
    /// The highest: the smaller of the daemon's and [`ApiVersion::NEWEST`].
    pub ceiling: ApiVersion,
}

impl Accepted {
    /// All that can be accepted, whatever the daemon has.
    #[must_use]
    pub const fn any(floor: ApiVersion) -> Self {
        Self { floor, ceiling: ApiVersion::NEWEST }
    }
}
