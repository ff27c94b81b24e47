//! What the limits of the front come to in memory: an operator sees the worst case as one number at
//! start, and not when it happens.

use crate::config::FrontLimits;

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

/// The most memory that clients can make the gate hold, in bytes: every connection with a full
/// head, those of who is known with a request to the daemon, and every body in hand in each of its forms.
#[must_use]
pub const fn worst_case(limits: &FrontLimits) -> u64 {
    let head = (limits.head_max as u64).saturating_mul(HEADS);
    let fields = (limits.headers_max as u64).saturating_mul(FIELD);
    let small = SMALL_BODY as u64 * BODY_COPIES;
    // somebody who is not known yet has a head read too, to be told so, and nothing is asked of the daemon
    let waiting = head.saturating_add(fields).saturating_add(CONNECTION);
    let hall = (limits.handshakes as u64).saturating_mul(waiting);
    let connection = waiting.saturating_add(DAEMON_SIDE + small);
    let connections = (limits.connections as u64).saturating_mul(connection).saturating_add(hall);
    connections.saturating_add((limits.bodies_total as u64).saturating_mul(BODY_COPIES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_case_grows_with_each_bound() {
        let standard = FrontLimits::default();
        let waiting = 3 * (64 << 10) + 64 * FIELD + CONNECTION;
        let each = waiting + DAEMON_SIDE + 64 * 1024;
        assert_eq!(worst_case(&standard), 512 * waiting + 1024 * each + 8 * (64 << 20));
        let more = [
            FrontLimits { handshakes: 513, ..standard.clone() },
            FrontLimits { connections: 1025, ..standard.clone() },
            FrontLimits { head_max: 65 << 10, ..standard.clone() },
            FrontLimits { headers_max: 65, ..standard.clone() },
            FrontLimits { bodies_total: 65 << 20, ..standard.clone() },
        ];
        for limits in more {
            assert!(worst_case(&limits) > worst_case(&standard));
        }
    }
}
