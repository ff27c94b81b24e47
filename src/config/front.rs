//! The limits of the front, and what they come to in memory: an operator sees the worst case as one
//! number at start, and not when it happens.

use std::time::Duration;

/// Buffers that TLS holds for a connection: one record each way, 16 KiB and its overhead, and the
/// state of the session.
pub const TLS_BUFFERS: u64 = 48 << 10;
/// Buffers that a stream passes bytes through, both ways.
pub const STREAM_BUFFERS: u64 = 2 * (64 << 10);
/// How often an inspected body stands in memory at most: as received, as typed values, as written
/// anew.
pub const BODY_COPIES: u64 = 3;

/// Limits before and after authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
    /// Connections in all.
    pub connections: usize,
    /// Connections of one address.
    pub connections_per_address: usize,
    /// Connections of one identity.
    pub connections_per_identity: usize,
    /// Open streams (attach, logs, events, builds and the like) of one identity.
    pub streams_per_identity: usize,
    /// The largest body that is inspected, in bytes; a larger one is refused with 413.
    pub body_max: usize,
    /// All inspected bodies in hand, in bytes.
    pub bodies_total: usize,
    /// The largest request head, in bytes.
    pub head_max: usize,
    /// Headers of one request.
    pub headers_max: usize,
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For a request head to arrive.
    pub head_timeout: Duration,
    /// For an inspected body to arrive.
    pub body_timeout: Duration,
}

impl Front {
    /// The limits of a file that sets none.
    #[must_use]
    pub const fn standard() -> Self {
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
        }
    }

    /// The most memory that clients can make the gate hold, in bytes: every connection with a full
    /// head, its TLS and its stream buffers, and every body in hand in each of its forms.
    #[must_use]
    pub const fn worst_case_memory(&self) -> u64 {
        let connection = (self.head_max as u64).saturating_add(TLS_BUFFERS + STREAM_BUFFERS);
        let connections = (self.connections as u64).saturating_mul(connection);
        connections.saturating_add((self.bodies_total as u64).saturating_mul(BODY_COPIES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_limits_fit_into_half_a_gigabyte() {
        let front = Front::standard();
        let connections = 1024 * ((64 << 10) + TLS_BUFFERS + STREAM_BUFFERS);
        assert_eq!(front.worst_case_memory(), connections + 3 * (64 << 20));
        assert!(front.worst_case_memory() < 512 << 20);
    }
}
