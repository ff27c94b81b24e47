//! Numbers with a unit, in one spelling each, so that `8G` is never guessed to be 8 or 8.6 billion.

use std::time::Duration;

const SIZES: &[(&str, u64)] =
    &[("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1), ("", 1)];

const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// Bytes: `512MiB`, `8GiB`, `4096`.
pub(super) fn size(text: &str) -> Result<i64, String> {
    let bytes = scaled(text, SIZES).and_then(|bytes| i64::try_from(bytes).ok());
    bytes.ok_or_else(|| "write a whole number of B, KiB, MiB, GiB or TiB, such as 512MiB".into())
}

/// A time: `500ms`, `10s`, `5m`, `1h`.
///
/// # Errors
/// How to write one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let millis = scaled(text, TIMES).filter(|&millis| millis > 0);
    millis
        .map(Duration::from_millis)
        .ok_or_else(|| "write a whole number of ms, s, m or h above 0, such as 10s".into())
}

/// Billionths of a CPU: `2`, `1.5`, `0.25`.
pub(super) fn cpus(text: &str) -> Result<i64, String> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let nanos = (1..=9)
        .contains(&part.len())
        .then(|| format!("{part:0<9}"))
        .and_then(|part| digits(&part).zip(number(whole)))
        .and_then(|(part, whole)| whole.checked_mul(1_000_000_000)?.checked_add(part))
        .and_then(|nanos| i64::try_from(nanos).ok())
        .filter(|&nanos| nanos > 0);
    nanos.ok_or_else(|| "write a number of CPUs above 0, such as 1.5".into())
}

/// How many in a second: `50/s`.
pub(super) fn rate(text: &str) -> Result<i64, String> {
    let count = text.strip_suffix("/s").and_then(number).filter(|number| *number > 0);
    let count = count.and_then(|number| u32::try_from(number).ok()).map(i64::from);
    count.ok_or_else(|| "write a number in a second, such as 50/s".into())
}

/// A whole number without sign.
pub(super) fn count(text: &str) -> Result<i64, String> {
    let count = number(text).and_then(|number| i64::try_from(number).ok());
    count.ok_or_else(|| "write a whole number".into())
}

/// One number or two with `-` between: `8080`, `20000-29999`.
pub(super) fn range<T: TryFrom<u64> + PartialOrd + Copy>(
    text: &str,
) -> Result<std::ops::RangeInclusive<T>, String> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let bound = |text: &str| number(text).and_then(|number| T::try_from(number).ok());
    match (bound(from), bound(to)) {
        (Some(from), Some(to)) if from <= to => Ok(from..=to),
        _ => Err("write a number, or a range such as 20000-29999".into()),
    }
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    units.iter().find_map(|(unit, scale)| {
        number(text.strip_suffix(unit)?).and_then(|number| number.checked_mul(*scale))
    })
}

/// Digits in their one spelling: no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    let canonical = text.len() == 1 || !text.starts_with('0');
    if canonical { digits(text) } else { None }
}

fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_one_spelling() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("8GiB"), Ok(8 << 30));
        assert_eq!(size("1024"), Ok(1024));
        assert_eq!(size("1B"), Ok(1));
        for wrong in ["8G", "8gib", "1.5GiB", "-1", "", "MiB", "8 GiB", "9999999TiB", "0x10", "010"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_duration_needs_its_unit() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["10", "0s", "1d", "s", "1.5s", "-1s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cpus_are_counted_in_billionths() {
        assert_eq!(cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(cpus("2"), Ok(2_000_000_000));
        assert_eq!(cpus("0.000000001"), Ok(1));
        for wrong in ["0", "1.", ".5", "1.0000000001", "-1", "1e3", ""] {
            assert!(cpus(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_of_a_second() {
        assert_eq!(rate("50/s"), Ok(50));
        for wrong in ["0/s", "50", "/s", "5/m", "5000000000/s", "1.5/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_range_goes_upwards() {
        assert_eq!(range::<u16>("20000-29999"), Ok(20000..=29999));
        assert_eq!(range::<u16>("80"), Ok(80..=80));
        for wrong in ["2-1", "1-", "-1", "70000", "1-2-3", "a"] {
            assert!(range::<u16>(wrong).is_err(), "{wrong}");
        }
    }
}
