//! When: the wall clock for people, and nanoseconds since boot for order when the wall clock was
//! set back. Only the writer stamps events, so that `seq`, `time` and `mono` agree.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fs;
use std::time::Instant;

/// The clocks of this process, read once at start and counted on from there.
#[derive(Debug)]
pub(super) struct StampClock {
    boot: String,
    uptime_at_start: u64,
    start: Instant,
}

/// One reading of both clocks.
#[derive(Debug, Serialize)]
pub(super) struct Stamp<'a> {
    pub(super) time: String,
    pub(super) mono: Mono<'a>,
}

/// The boot and the nanoseconds since then. Between processes of one boot the figures agree to
/// the hundredth of a second that `/proc/uptime` shows; within a process they are exact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mono<'a> {
    /// Id of the boot.
    pub boot: Cow<'a, str>,
    /// Nanoseconds since then.
    pub ns: u64,
}

impl StampClock {
    pub(super) fn here() -> Self {
        let start = Instant::now();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
        Self { boot: boot.trim().to_owned(), uptime_at_start: nanoseconds(&uptime), start }
    }

    pub(super) fn stamp(&self) -> Stamp<'_> {
        let elapsed = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Stamp {
            time: written(Timestamp::now()),
            mono: Mono {
                boot: Cow::Borrowed(&self.boot),
                ns: self.uptime_at_start.saturating_add(elapsed),
            },
        }
    }
}

/// RFC 3339, UTC, microseconds.
pub(super) fn written(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// `/proc/uptime` (proc(5)): seconds since boot with two decimals, then the idle time.
fn nanoseconds(uptime: &str) -> u64 {
    let mut parts = uptime.split([' ', '.']);
    let mut next = || parts.next().and_then(|part| part.parse::<u64>().ok()).unwrap_or(0);
    let (seconds, hundredths) = (next(), next());
    seconds.saturating_mul(1_000_000_000).saturating_add(hundredths.saturating_mul(10_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_read_to_the_hundredth() {
        assert_eq!(nanoseconds("350735.47 234388.90\n"), 350_735_470_000_000);
        assert_eq!(nanoseconds(""), 0);
    }

    #[test]
    fn time_has_always_six_decimals() {
        let time = Timestamp::from_second(1_700_000_000).unwrap();
        assert_eq!(written(time), "2023-11-14T22:13:20.000000Z");
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let clock = StampClock::here();
        let before = clock.stamp().mono.ns;
        assert!(clock.stamp().mono.ns >= before && before > 0);
    }
}
