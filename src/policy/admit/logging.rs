//! Logging: where output goes, and by which options, each within what the daemon can bear. The key alone says
//! little: a driver keeps in the daemon's own memory what its options let it keep.

use super::labels::masked;
use super::{Judge, StringMap};
use crate::docker::body::create::LogConfig;
use crate::policy::Reason;

/// What the value of an option may be where the profile lists its key. One that is not here is text for the driver.
enum LogValue {
    /// A number of bytes, from and to, with a unit or without.
    Size(u64, u64),
    /// A number of files.
    Files,
    /// `true` or `false`.
    Flag,
    /// This word.
    Word(&'static str),
}

/// What a rotation may leave at the least, in bytes: with less the daemon does nothing else.
const LEAST_FILE: u64 = 4 << 10;
/// What may wait in the daemon's memory, in bytes.
const MOST_WAITING: u64 = 16 << 20;
/// Files of one container's log: each rotation renames them all.
const MOST_FILES: u64 = 100;

/// Options that are read by `daemon/logger` of moby, its drivers and its cache of what others send away.
/// `non-blocking` is kept from containers whatever the size: the daemon counts the bytes of waiting lines and
/// not the lines (`messageRing` in `ring.go`), and an empty one has none, so that its memory has no end.
const VALUES: [(&str, LogValue); 10] = [
    ("max-size", LogValue::Size(LEAST_FILE, i64::MAX.unsigned_abs())),
    ("max-file", LogValue::Files),
    ("compress", LogValue::Flag),
    ("mode", LogValue::Word("blocking")),
    ("max-buffer-size", LogValue::Size(1, MOST_WAITING)),
    ("cache-disabled", LogValue::Flag),
    ("cache-max-size", LogValue::Size(LEAST_FILE, i64::MAX.unsigned_abs())),
    ("cache-max-file", LogValue::Files),
    ("cache-compress", LogValue::Flag),
    ("fluentd-buffer-limit", LogValue::Size(1, MOST_WAITING)),
];

impl LogValue {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Size(least, most) => bytes(text).is_some_and(|n| (*least..=*most).contains(&n)),
            Self::Files => number(text).is_some_and(|n| (1..=MOST_FILES).contains(&n)),
            Self::Flag => matches!(text, "true" | "false"),
            Self::Word(word) => text == *word,
        }
    }

    /// What may be written, in words.
    fn words(&self) -> String {
        match self {
            Self::Size(least, most) if *most > MOST_WAITING => {
                format!("a size from {}k, such as 10m", least >> 10)
            }
            Self::Size(_, most) => format!("a size up to {}m", most >> 20),
            Self::Files => format!("1 to {MOST_FILES}"),
            Self::Flag => "true or false".to_owned(),
            Self::Word(word) => (*word).to_owned(),
        }
    }
}

/// A number of few plain digits.
fn number(text: &str) -> Option<u64> {
    let plain = text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// A size as it is always read: digits, perhaps a unit, perhaps a `b`. A thousand counts as 1024, which
/// is the more of the two that drivers take it for (`github.com/docker/go-units`, size.go).
fn bytes(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let plain = lower.strip_suffix('b').unwrap_or(&lower);
    let units = [('k', 10_u32), ('m', 20), ('g', 30)];
    let of_unit = |(unit, shift)| Some((plain.strip_suffix(unit)?, shift));
    let (digits, shift) = units.into_iter().find_map(of_unit).unwrap_or((plain, 0));
    number(digits)?.checked_mul(1 << shift)
}

impl Judge<'_> {
    /// `HostConfig.LogConfig`.
    pub(super) fn logging(&mut self, log: Option<&LogConfig<'_>>) {
        let Some(LogConfig { driver, config, borrow: _ }) = log else { return };
        let (at, options) = (self.host("LogConfig.Type"), self.host("LogConfig.Config"));
        self.log_driver((&at, driver.text()), (&options, config));
    }

    /// A driver of logs and its options, each with its place. An empty driver is the daemon's own, whose
    /// options could then be anything, so they are judged by key and value.
    pub(super) fn log_driver(
        &mut self,
        (at, driver): (&str, &str),
        (options_at, options): (&str, &StringMap<'_>),
    ) {
        let rules = self.profile.logging();
        if !driver.is_empty() && !rules.drivers.has(driver) {
            self.refuse(Reason::LogDriver, at, driver, "use log driver");
            self.allowing_listed("drivers", &rules.drivers);
        }
        for (key, value) in options.entries() {
            let field = format!("{options_at}.{key}");
            let kind = VALUES.iter().find(|(name, _)| *name == key).map(|(_, kind)| kind);
            if rules.options.has(&format!("{key}={value}")) {
                // somebody wrote just this
            } else if !rules.options.has(key) {
                let what = format!("set log option {key:?}");
                self.deny(Reason::LogOption, field, masked(value), what);
                self.allowing_listed("options", &rules.options);
            } else if let Some(kind) = kind.filter(|kind| !kind.holds(value)) {
                let what = format!("set log option {key:?} so");
                self.deny(Reason::LogValue, field, masked(value), what);
                self.allowing(format!("allowed for {key}: {}", kind.words()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_size_has_few_spellings() {
        for (text, size) in [
            ("0", 0),
            ("1024", 1024),
            ("10b", 10),
            ("10k", 10 << 10),
            ("10KB", 10 << 10),
            ("16m", 16 << 20),
            ("1G", 1 << 30),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for text in [
            "",
            "b",
            "m",
            "-1",
            "+1",
            "1t",
            "1.5m",
            "1 m",
            "1mib",
            "1e3",
            "9999999999999999",
            "１m",
        ] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}
