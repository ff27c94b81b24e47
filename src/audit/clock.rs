//! When: the wall clock for people, and nanoseconds since boot for order when the wall clock was
//! set back. Only the writer stamps events, so that `seq`, `time` and `mono` agree.

use jiff::Timestamp;
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::env;
use std::fs;
use uuid::Uuid;

/// Where the kernel says which boot this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The same from whoever started us, for where that file is hidden: `%b` in a unit of systemd (systemd.unit(5)).
const BOOT_ID_VARIABLE: &str = "DOCKWARD_BOOT_ID";

/// The clocks, and which boot they belong to.
#[derive(Debug)]
pub(super) struct StampClock {
    boot: String,
}

/// One reading of both clocks.
#[derive(Debug, Serialize)]
pub(super) struct Stamp<'a> {
    pub(super) time: String,
    pub(super) mono: Mono<'a>,
}

/// The boot and the nanoseconds since then, time asleep included: `CLOCK_BOOTTIME` of clock_gettime(2), so that
/// the figures of all processes of one boot agree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mono<'a> {
    /// Id of the boot; empty where nobody says it.
    pub boot: Cow<'a, str>,
    /// Nanoseconds since then.
    pub ns: u64,
}

impl StampClock {
    pub(super) fn here() -> Self {
        let kernel = fs::read_to_string(BOOT_ID).ok();
        let boot = kernel.as_deref().and_then(boot_id);
        let told = || boot_id(&env::var(BOOT_ID_VARIABLE).ok()?);
        Self { boot: boot.or_else(told).unwrap_or_default() }
    }

    pub(super) fn stamp(&self) -> Stamp<'_> {
        let ns = nanoseconds(clock_gettime(ClockId::Boottime));
        let mono = Mono { boot: Cow::Borrowed(&self.boot), ns };
        Stamp { time: written(Timestamp::now()), mono }
    }
}

/// RFC 3339, UTC, microseconds.
pub(super) fn written(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// The id as the kernel writes it, however it came: systemd leaves the hyphens out. Anything else is none.
fn boot_id(text: &str) -> Option<String> {
    Some(Uuid::try_parse(text.trim()).ok()?.hyphenated().to_string())
}

fn nanoseconds(since_boot: Timespec) -> u64 {
    let part = |part: i64| u64::try_from(part).unwrap_or(0);
    part(since_boot.tv_sec).saturating_mul(1_000_000_000).saturating_add(part(since_boot.tv_nsec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_runs_since_boot_and_not_since_start() {
        let uptime = fs::read_to_string("/proc/uptime").unwrap();
        let seconds: u64 = uptime.split('.').next().unwrap().parse().unwrap();
        let now = StampClock::here().stamp().mono.ns / 1_000_000_000;
        assert!((seconds..seconds + 60).contains(&now), "{now} after {seconds}");
    }

    #[test]
    fn the_boot_is_written_as_the_kernel_does_whoever_says_it() {
        let written = "0a692cae-f595-4d88-b0f0-8c81ab20103f";
        assert_eq!(boot_id(&format!("{written}\n")).as_deref(), Some(written));
        assert_eq!(boot_id("0a692caef5954d88b0f08c81ab20103f").as_deref(), Some(written));
        for none in ["", "%b", "0a692cae", "0a692cae-f595-4d88-b0f0-8c81ab20103f x"] {
            assert_eq!(boot_id(none), None, "{none}");
        }
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
