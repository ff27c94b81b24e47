//! Amounts as people write them: the daemon counts in bytes, billionths and nanoseconds.

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Bytes, of what follows.
    Bytes(&'static str),
    /// Billionths of a CPU.
    NanoCpus,
    /// Processes and threads.
    Processes,
}

impl Unit {
    /// An amount by itself: `512 MiB`, `1.5`.
    pub(super) fn amount(self, number: i64) -> String {
        match self {
            Self::Bytes(_) => bytes(number),
            Self::NanoCpus => decimal(number, 1_000_000_000),
            Self::Processes => number.to_string(),
        }
    }

    /// With what it is of: `512 MiB of memory`.
    pub(super) fn of(self, amount: &str) -> String {
        match self {
            Self::Bytes(of) => format!("{amount} of {of}"),
            Self::NanoCpus => format!("{amount} CPUs"),
            Self::Processes => format!("{amount} processes"),
        }
    }

    /// Without a bound.
    pub(super) fn unlimited(self) -> String {
        match self {
            Self::Bytes(of) => format!("unlimited {of}"),
            Self::NanoCpus => "unlimited CPUs".to_owned(),
            Self::Processes => "unlimited processes".to_owned(),
        }
    }
}

/// A size, in the largest unit of which it has at least one: `1.5 GiB`.
pub(super) fn bytes(number: i64) -> String {
    let units = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1_i64 << 10)];
    match units.into_iter().find(|(_, size)| number.abs() >= *size) {
        Some((name, size)) => format!("{} {name}", decimal(number, size)),
        None => format!("{number} bytes"),
    }
}

/// A time given in nanoseconds: `1.5 s`.
pub(super) fn nanos(number: i64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    match units.into_iter().find(|(_, size)| number.abs() >= *size) {
        Some((name, size)) => format!("{} {name}", decimal(number, size)),
        None => format!("{number} ns"),
    }
}

/// How many of a unit, with so many decimals that two amounts that differ are seldom told alike.
fn decimal(number: i64, unit: i64) -> String {
    let (whole, rest) = (number / unit, i128::from((number % unit).abs()));
    let thousandths = rest * 1000 / i128::from(unit);
    match (rest, thousandths) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("a little over {whole}"),
        _ => format!("{whole}.{thousandths:03}").trim_end_matches('0').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Unit, bytes, nanos};

    #[test]
    fn amounts_are_as_people_write_them() {
        assert_eq!(bytes(1 << 30), "1 GiB");
        assert_eq!(bytes((1 << 30) + (1 << 29)), "1.5 GiB");
        assert_eq!(bytes((1 << 30) + 1), "a little over 1 GiB");
        assert_eq!(bytes(i64::MAX), "8388607.999 TiB");
        assert_eq!(
            (bytes(0), bytes(512), bytes(-1)),
            ("0 bytes".into(), "512 bytes".into(), "-1 bytes".into())
        );
        assert_eq!(nanos(1_000_000), "1 ms");
        assert_eq!(nanos(30_000_000_000), "30 s");
        assert_eq!(nanos(1), "1 ns");
        assert_eq!(Unit::NanoCpus.of(&Unit::NanoCpus.amount(2_500_000_000)), "2.5 CPUs");
        assert_eq!(Unit::Bytes("memory").of("1 GiB"), "1 GiB of memory");
    }
}
