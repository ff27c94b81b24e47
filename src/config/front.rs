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
/// The first piece of memory of an inspected body, in bytes; it doubles from there. Each connection has
/// one, beyond `bodies_total`.
pub const SMALL_BODY: usize = 8 << 10;

/// Every bound of the front. The defaults are those of the policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Front {
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
    /// Bytes of all inspected bodies in hand, beyond the first [`SMALL_BODY`] of each.
    pub bodies_total: usize,
    /// Bytes of a request head; hyper takes no less than 8192.
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

impl Default for Front {
    fn default() -> Self {
        Self::standard()
    }
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
            idle_timeout: Duration::from_secs(600),
        }
    }

    /// The most memory that clients can make the gate hold, in bytes: every connection with a full
    /// head and a request to the daemon, and every body in hand in each of its forms.
    #[must_use]
    pub const fn worst_case_memory(&self) -> u64 {
        let head = (self.head_max as u64).saturating_mul(HEADS);
        let fields = (self.headers_max as u64).saturating_mul(FIELD);
        let small = SMALL_BODY as u64 * BODY_COPIES;
        let connection =
            head.saturating_add(fields).saturating_add(CONNECTION + DAEMON_SIDE + small);
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
        let each = 3 * (64 << 10) + 64 * FIELD + CONNECTION + DAEMON_SIDE + 64 * 1024;
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
