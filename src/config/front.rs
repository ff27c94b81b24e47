//! The limits of the front that a file may set, each with the value of a file that sets none.

use std::time::Duration;

/// The fewest bytes that a request head may be limited to: the parser of heads takes no less.
pub const LEAST_HEAD: usize = 8 << 10;

/// Every bound of the front. The defaults are those of the policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontLimits {
    /// Connections at once, counted before the handshake.
    pub connections: usize,
    /// Connections at once of one address (IPv6: one /64), counted before the handshake.
    pub connections_per_address: usize,
    /// Connections at once of one identity.
    pub connections_per_identity: usize,
    /// Requests and tunnels at once of one identity.
    pub streams_per_identity: usize,
    /// Bytes of a body that is inspected whole; more is a 413.
    pub body_max: usize,
    /// Bytes of all inspected bodies in hand, beyond the first 8 KiB of each.
    pub bodies_total: usize,
    /// Bytes of a request head; no fewer than [`LEAST_HEAD`].
    pub head_max: usize,
    /// Header fields of a request.
    pub headers_max: usize,
    /// From accept to the end of the TLS handshake.
    pub handshake_timeout: Duration,
    /// For the first head, from the handshake on; for a later one, from its first byte on.
    pub head_timeout: Duration,
    /// For a whole inspected body.
    pub body_timeout: Duration,
    /// For a connection between two requests: clients pool them.
    pub idle_timeout: Duration,
}

impl Default for FrontLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_address: 128,
            connections_per_identity: 64,
            streams_per_identity: 128,
            body_max: 4 << 20,
            bodies_total: 64 << 20,
            head_max: 64 << 10,
            headers_max: 64,
            handshake_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(600),
        }
    }
}
