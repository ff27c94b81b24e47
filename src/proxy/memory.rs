//! What the limits of the front come to in memory: an operator sees the worst case as one number at
//! start, and not when it happens.

use crate::config::FrontLimits;

/// What a connection holds besides its head: rustls' buffers (64 KiB of plaintext to be sent, two
/// records each way), the task, the socket's bookkeeping. Rounded up.
pub const CONNECTION: u64 = 160 << 10;
/// How often a head stands in memory: read buffer, write buffer, as parsed, as it goes into the log, as it is
/// forwarded.
pub const HEADS: u64 = 5;
/// What a parsed header field takes besides its text.
pub const FIELD: u64 = 256;
/// What a request holds towards the daemon: a read and a write buffer, and a tunnel's both ways.
pub const DAEMON_SIDE: u64 = 4 * (64 << 10);
/// The first piece of memory of an inspected body, in bytes. Each connection has one, beyond `bodies_total`.
pub const SMALL_BODY: usize = 8 << 10;
/// How often an inspected body stands in memory while nobody judges it: as received or as written anew, and the names
/// in it that are looked up, as they are asked for, were asked for, were found, and go into the log.
pub const BODY_FORMS: u64 = 1 + 4;

/// Long bodies that are judged at once, ...
pub const LONG_AT_ONCE: usize = 2;
/// ... up to this many bytes.
pub const LONG: usize = 256 << 10;
/// Those above it, which are judged one after the other, and keep no shorter one waiting.
pub const LONGEST_AT_ONCE: usize = 1;
/// How often the text of a body stands in memory beside what was received, while it is judged: being unescaped,
/// unescaped, with what we change, written anew.
pub const JUDGED_FORMS: u64 = 4;
/// What a value takes while it is judged, as it is read and as the field that it is, in bytes.
pub const VALUE: u64 = 200;
/// What the lists of large objects of one body take, in bytes.
pub const OBJECTS: u64 = 4 << 20;
/// Threads that judge short bodies, one at a time each: as many as there are cores, of which a gate has few.
pub const WORKERS: u64 = 64;

/// What judging takes, in bytes: of a body of this size.
const fn judged(bytes: usize) -> u64 {
    let bytes = bytes as u64;
    let values = 1024 + bytes / crate::docker::json::BYTES_PER_VALUE as u64;
    let most = crate::docker::json::MAX_VALUES as u64;
    let values = if values < most { values } else { most };
    bytes.saturating_mul(JUDGED_FORMS).saturating_add(values * VALUE)
}

/// The most memory that clients can make the gate hold, in bytes: every connection with a full
/// head, those of who is known with a request to the daemon, every body in hand, and as many as are judged at once in
/// each of their forms; `answers` is what the daemon's side takes for those that they stand on.
#[must_use]
pub const fn worst_case(limits: &FrontLimits, answers: u64) -> u64 {
    let head = (limits.head_max as u64).saturating_mul(HEADS);
    let fields = (limits.headers_max as u64).saturating_mul(FIELD);
    // somebody who is not known yet has a head read too, to be told so, and nothing is asked of the daemon
    let waiting = head.saturating_add(fields).saturating_add(CONNECTION);
    let hall = (limits.handshakes as u64).saturating_mul(waiting);
    let connection = waiting.saturating_add(DAEMON_SIDE + SMALL_BODY as u64 * BODY_FORMS);
    let connections = (limits.connections as u64).saturating_mul(connection).saturating_add(hall);
    let bodies = (limits.bodies_total as u64).saturating_mul(BODY_FORMS);
    let short = WORKERS * judged(SMALL_BODY);
    let long = LONG_AT_ONCE as u64 * (judged(LONG) + OBJECTS);
    let longest = judged(limits.body_max).saturating_add(OBJECTS) * LONGEST_AT_ONCE as u64;
    let judged = short.saturating_add(long).saturating_add(longest);
    connections.saturating_add(bodies).saturating_add(judged).saturating_add(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_case_grows_with_each_bound() {
        let standard = FrontLimits::default();
        let more = [
            FrontLimits { handshakes: 513, ..standard.clone() },
            FrontLimits { connections: 1025, ..standard.clone() },
            FrontLimits { head_max: 65 << 10, ..standard.clone() },
            FrontLimits { headers_max: 65, ..standard.clone() },
            FrontLimits { bodies_total: 65 << 20, ..standard.clone() },
            FrontLimits { body_max: 5 << 20, ..standard.clone() },
        ];
        for limits in more {
            assert!(worst_case(&limits, 1) > worst_case(&standard, 1));
            assert!(worst_case(&limits, 2) > worst_case(&limits, 1));
        }
    }
}
