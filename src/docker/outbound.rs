//! The request as the daemon gets it: every byte of head and inspected body written by us.

use super::{Flaw, Hijack, Life, Malformed, Method};
use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// The longest target that is sent on, in bytes: the `http` crate takes no longer one, and escapes make a query up to
/// three times as long as it came.
const TARGET_MAX: usize = u16::MAX as usize - 1;

/// Whether a target can be sent on: what was granted and cannot be sent would be on record as sent.
///
/// # Errors
/// [`Flaw::TargetTooLong`].
pub fn check_target(target: &str) -> Result<(), Malformed> {
    let length = target.len();
    if length <= TARGET_MAX {
        return Ok(());
    }
    let why = format!("path and query are {length} bytes long as they would be sent on");
    Err(Malformed::new(Flaw::TargetTooLong, "path", why))
}

/// The body towards the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutboundBody {
    /// None.
    Empty,
    /// Our serialisation of the value that was judged.
    Json(Bytes),
    /// The client's own bytes, as an opaque stream that its role was granted.
    Stream {
        /// The length the client announced, in bytes; chunked when not known.
        length: Option<u64>,
    },
}

/// A request to the daemon, complete but for an opaque stream's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// The method.
    pub method: Method,
    /// Origin form: canonical version, path and query.
    pub target: String,
    /// The client's headers that the route passes on. Host, framing and Upgrade are not among them:
    /// the daemon's side writes them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: OutboundBody,
    /// Whether, and how, the connection is taken over; `No` when this very request must not be
    /// (an exec that detaches, a client that did not ask).
    pub hijack: Hijack,
    /// How the exchange lives.
    pub life: Life,
}

impl Outbound {
    /// The container that it brings up, as the path names it.
    #[must_use]
    pub fn brings_up(&self) -> Option<&str> {
        let mut parts = self.target.split('?').next()?.rsplit('/');
        let (verb, name, kind) = (parts.next()?, parts.next()?, parts.next()?);
        let starts = kind == "containers" && matches!(verb, "start" | "restart");
        (self.method == Method::Post && starts).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_a_container_up_is_known_by_its_path() {
        let brings_up = |method, target: &str| {
            let outbound = Outbound {
                method,
                target: target.to_owned(),
                headers: Vec::new(),
                body: OutboundBody::Empty,
                hijack: Hijack::No,
                life: Life::Write,
            };
            outbound.brings_up().map(str::to_owned)
        };
        for target in ["/v1.41/containers/abc/start", "/containers/abc/restart?t=5&signal=a/b"] {
            assert_eq!(brings_up(Method::Post, target).as_deref(), Some("abc"), "{target}");
            assert_eq!(brings_up(Method::Get, target), None, "{target}");
        }
        for target in ["/v1.41/exec/abc/start", "/v1.41/containers/abc/stop", "/start", ""] {
            assert_eq!(brings_up(Method::Post, target), None, "{target}");
        }
    }
}
