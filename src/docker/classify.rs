//! From a request head to a row of ROUTES, canonical or refused.

use super::{ApiVersion, CallHead, Flaw, Malformed};

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

/// Classifies a request head.
///
/// # Errors
/// A [`Malformed`] for everything that can be read in more than one way.
pub fn classify(_head: &RequestHead<'_>, _accepted: Accepted) -> Result<CallHead, Malformed> {
    Err(Malformed::new(Flaw::RouteUnknown, "", "not built yet"))
}
