//! How long a certificate shall be good: `90m`, `8h`, `30d`.

use super::super::error::PkiError;
use std::str::FromStr;

const MINUTE: u64 = 60;
pub(super) const DAY: u64 = 24 * 60 * MINUTE;

/// A lifetime in seconds, more than none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lifetime(u64);

impl Lifetime {
    /// So many days; at least one.
    #[must_use]
    pub fn days(days: u32) -> Self {
        Self(u64::from(days.max(1)).saturating_mul(DAY))
    }

    pub(super) const fn of_seconds(seconds: u64) -> Self {
        Self(if seconds == 0 { MINUTE } else { seconds })
    }

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl FromStr for Lifetime {
    type Err = PkiError;

    /// Reads a whole number above 0 and its unit: m, h or d.
    fn from_str(text: &str) -> Result<Self, PkiError> {
        let units = [("m", MINUTE), ("h", 60 * MINUTE), ("d", DAY)];
        let read = units.into_iter().find_map(|(unit, seconds)| {
            let digits = text.strip_suffix(unit)?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            let number: u64 = digits.parse().ok().filter(|number| plain && *number > 0)?;
            number.checked_mul(seconds)
        });
        read.map(Self).ok_or_else(|| PkiError::Lifetime(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_number_and_a_unit() {
        for (text, seconds) in [("90m", 5_400), ("8h", 28_800), ("30d", 2_592_000)] {
            assert_eq!(text.parse::<Lifetime>().unwrap().seconds(), seconds);
        }
        for bad in ["", "8", "h", "0h", "+8h", "-8h", "8 h", "1w", "8hh", "99999999999999999999d"] {
            assert!(bad.parse::<Lifetime>().is_err(), "{bad}");
        }
        assert_eq!(Lifetime::days(30), "30d".parse().unwrap());
    }
}
