//! The limits of the front that a file may set. A limit is one row of `limits!`: the field, the value where a
//! file sets none, the key of the file and its reading are made of that row.

use super::keys::{COUNT, DURATION, SIZE};
use super::mistake::MistakeLedger;
use super::shape::{Form, Section, key};
use super::units;
use super::yaml::{YamlEntry, YamlNode};
use std::time::Duration;

/// The fewest bytes that a request head may be limited to: the parser of heads takes no less.
const LEAST_HEAD: usize = 8 << 10;

macro_rules! limits {
    ($( $(#[doc = $doc:literal])+ $key:ident: $kind:ty = $default:expr, $form:ident, $what:literal; )*) => {
        /// Every bound of the front. The defaults are those of the policy file.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct FrontLimits {
            $( $(#[doc = $doc])+ pub $key: $kind, )*
        }

        impl Default for FrontLimits {
            fn default() -> Self {
                Self { $( $key: $default, )* }
            }
        }

        pub(super) const FRONT: Section = Section {
            what: "front",
            keys: &[$( key(stringify!($key), $form.shape, $what), )*],
        };

        fn fill(limits: &mut FrontLimits, node: &YamlNode, ledger: &mut MistakeLedger) {
            for entry in node.entries() {
                match entry.key.as_str() {
                    $( stringify!($key) => ($form.fill)(&mut limits.$key, entry, ledger), )*
                    _ => {}
                }
            }
        }
    };
}

limits! {
    /// Connections at once of which it is not known yet whose they are; when more come, the oldest ends.
    handshakes: usize = 512, NUMBER,
        "connections that have not shown yet whose they are; left out: 512";
    /// The same of one address (IPv6: one /64).
    handshakes_per_address: usize = 64, NUMBER, "the same of one address; left out: 64";
    /// Connections at once of those who are known.
    connections: usize = 1024, NUMBER, "connections of those who are known; left out: 1024";
    /// Connections at once of those who are known from one address (IPv6: one /64).
    connections_per_address: usize = 128, NUMBER, "the same of one address; left out: 128";
    /// Connections at once of one identity.
    connections_per_identity: usize = 64, NUMBER, "connections of one identity; left out: 64";
    /// Requests and tunnels at once of one identity.
    streams_per_identity: usize = 128, NUMBER, "open streams of one identity; left out: 128";
    /// Bytes of a body that is inspected whole; more is a 413.
    body_max: usize = 4 << 20, BYTES, "the largest body that is inspected; left out: 4MiB";
    /// Bytes of all inspected bodies in hand, beyond the first 8 KiB of each.
    bodies_total: usize = 16 << 20, BYTES,
        "all inspected bodies in hand, beyond the first 8KiB of each; left out: 16MiB";
    /// Of these, bytes of one identity's.
    bodies_per_identity: usize = 4 << 20, BYTES,
        "of these, the bodies of one identity; left out: 4MiB";
    /// Bytes of a request head; no fewer than 8 KiB.
    head_max: usize = 64 << 10, BYTES, "the largest request head; left out: 64KiB";
    /// Header fields of a request.
    headers_max: usize = 64, NUMBER, "headers of a request; left out: 64";
    /// From accept to the end of the TLS handshake.
    handshake_timeout: Duration = Duration::from_secs(10), TIME, "for the TLS handshake; left out: 10s";
    /// For a connection between two requests: clients pool them.
    idle_timeout: Duration = Duration::from_secs(600), TIME,
        "for a connection between two requests; left out: 10m";
    /// For the first head, from the handshake on; for a later one, from its first byte on.
    head_timeout: Duration = Duration::from_secs(10), TIME, "for a request head; left out: 10s";
    /// How long what was sent to a client may go unacknowledged, or what waits find no room at all.
    unread_timeout: Duration = Duration::from_secs(120), TIME,
        "for a client to take anything of what it is sent; left out: 2m";
    /// For a whole inspected body.
    body_timeout: Duration = Duration::from_secs(30), TIME, "for an inspected body; left out: 30s";
}

const NUMBER: Form<usize> =
    Form::new(COUNT, |to, entry, ledger| number(to, entry, units::count, ledger));

const BYTES: Form<usize> =
    Form::new(SIZE, |to, entry, ledger| number(to, entry, units::size, ledger));

const TIME: Form<Duration> = Form::new(DURATION, |to, entry, _| {
    let time = entry.value.text().and_then(|text| units::duration(text).ok());
    *to = time.unwrap_or(*to);
});

/// The limits, as they are written and where they are not.
pub(super) fn compile(node: Option<&YamlNode>, ledger: &mut MistakeLedger) -> FrontLimits {
    let mut limits = FrontLimits::default();
    let Some(node) = node else { return limits };
    fill(&mut limits, node, ledger);
    if node.get("bodies_per_identity").is_none() {
        limits.bodies_per_identity = limits.bodies_per_identity.max(limits.body_max);
    }
    let bounds = [
        ("bodies_total", limits.bodies_total),
        ("bodies_per_identity", limits.bodies_per_identity),
    ];
    for (key, _) in bounds.iter().filter(|(_, bytes)| *bytes < limits.body_max) {
        ledger.mistake(node.at, format!("{key} is below body_max"), format!("raise {key}"));
    }
    if limits.head_max < LEAST_HEAD {
        ledger.mistake(node.at, "head_max is below 8KiB", "raise head_max");
    }
    limits
}

fn number(
    to: &mut usize,
    entry: &YamlEntry,
    read: fn(&str) -> Result<i64, String>,
    ledger: &mut MistakeLedger,
) {
    let Some(number) = entry.value.text().and_then(|text| read(text).ok()) else { return };
    match usize::try_from(number) {
        Ok(number) if number > 0 => *to = number,
        _ => {
            let what = format!("{} is 0", entry.key);
            ledger.mistake(entry.value.at, what, "write a number above 0");
        }
    }
}
