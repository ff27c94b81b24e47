//! The limits of the front, and what they come to in memory: an operator sees the worst case as one
//! number at start, and not when it happens.

use std::time::Duration;

/// What a connection holds besides its head: rustls' buffers (64 KiB of plaintext to be sent, two
/// records each way), the task, the socket's bookkeeping. Rounded up.
pub const CONNECTION: u64 = 160 << 10;
/// How often a head stands in memory: read buffer, write buffer, as parsed.
pub const HEADS: u64 = 3;
/// What a parsed header field takes besides its text.
pub const FIELD: u64 = 256;
/// What a request holds towards the daemon: a read and a write buffer, and a tunnel's both ways.
pub const DAEMON_SIDE: u64 = 4 * (64 << 10);
/// How often an inspected body stands in memory at most: as received, as values (of which there may be
/// one for each eight bytes, `docker::json`), as written anew.
pub const BODY_COPIES: u64 = 1 + 6 + 1;

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
    /// head and a request to the daemon, and every body in hand in each of its forms.
    #[must_use]
    pub const fn worst_case_memory(&self) -> u64 {
        let head = (self.head_max as u64).saturating_mul(HEADS);
        let fields = (self.headers_max as u64).saturating_mul(FIELD);
        let connection = head.saturating_add(fields).saturating_add(CONNECTION + DAEMON_SIDE);
        let connections = (self.connections as u64).saturating_mul(connection);
        connections.saturating_add((self.bodies_total as u64).saturating_mul(BODY_COPIES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_case_grows_with_each_bound() {
        let standard = Front::standard();
        let each = 3 * (64 << 10) + 64 * FIELD + CONNECTION + DAEMON_SIDE;
        assert_eq!(standard.worst_case_memory(), 1024 * each + 8 * (64 << 20));
        let more = [
            Front { connections: 1025, ..standard.clone() },
            Front { head_max: 65 << 10, ..standard.clone() },
            Front { headers_max: 65, ..standard.clone() },
            Front { bodies_total: 65 << 20, ..standard.clone() },
        ];
        for front in more {
            assert!(front.worst_case_memory() > standard.worst_case_memory());
        }
    }
}
