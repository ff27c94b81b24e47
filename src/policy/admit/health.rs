//! How often a container's health is checked, wherever that is said: in the body, by the image, by an instruction of a
//! commit, or in the container that is started.

use super::Judge;
use super::amount;
use crate::docker::body::create::Healthcheck;
use crate::policy::Reason;
use crate::policy::facts::{HealthFact, Seen};

impl HealthFact {
    /// What a body says. `NONE` switches a check off.
    fn of(check: &Healthcheck<'_>) -> Self {
        let Healthcheck {
            test,
            interval,
            timeout,
            retries: _,
            start_period: _,
            start_interval,
            borrow: _,
        } = check;
        Self {
            off: test.0.items().first().is_some_and(|word| word == "NONE"),
            interval: interval.or_zero(),
            start_interval: start_interval.or_zero(),
            timeout: timeout.or_zero(),
        }
    }
}

impl Judge<'_> {
    /// `Healthcheck` of a body.
    pub(super) fn healthcheck(&mut self, at: &str, check: Option<&Healthcheck<'_>>) {
        if let Some(check) = check {
            self.health(at, &HealthFact::of(check));
        }
    }

    /// Durations in nanoseconds, 0 is the daemon's default (30 s, start interval 5 s).
    pub(super) fn health(&mut self, at: &str, check: &HealthFact) {
        let HealthFact { off, interval, start_interval, timeout } = *check;
        if off {
            return;
        }
        let field = |name: &str| match at.ends_with('.') {
            true => format!("{at}{name}"),
            false => at.to_owned(),
        };
        let least = self.profile.health().min_interval;
        for (name, nanos) in [("Interval", interval), ("StartInterval", start_interval)] {
            if nanos != 0 && nanos < least {
                let what = format!("check health every {}", amount::nanos(nanos));
                self.deny(Reason::HealthInterval, field(name), nanos.to_string(), what);
                self.allowing(format!("at least {}", amount::nanos(least)));
            }
        }
        if timeout < 0 {
            let what = "check health with a negative timeout";
            self.deny(Reason::HealthInterval, field("Timeout"), timeout.to_string(), what);
        }
    }

    /// What the image brings where the body leaves it open, each field by itself (`merge` in `daemon/commit.go`).
    pub(super) fn image_health(&mut self, image: &str, own: Option<&Healthcheck<'_>>) {
        let seen = self.facts.images.get(image).and_then(Seen::found);
        let Some(its) = seen.and_then(|image| image.health) else { return };
        let tests = own.is_some_and(|own| !own.test.0.items().is_empty());
        let own = own.map(HealthFact::of).unwrap_or_default();
        let open = |own: i64, its: i64| if own == 0 { its } else { 0 };
        let left = HealthFact {
            off: own.off || its.off && !tests,
            interval: open(own.interval, its.interval),
            start_interval: open(own.start_interval, its.start_interval),
            timeout: open(own.timeout, its.timeout),
        };
        self.health("Image.Healthcheck.", &left);
    }

    /// `HEALTHCHECK` as an instruction of a commit or an import: its options come before `CMD` or `NONE`
    /// (`parseHealthConfig` in `builder/dockerfile/instructions/parse.go` of `BuildKit`).
    pub(super) fn health_instruction(&mut self, rest: &str) {
        let mut check = HealthFact::default();
        let options = rest.split(char::is_whitespace).filter(|word| !word.is_empty());
        for option in options.take_while(|word| word.starts_with('-')) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let field = match name {
                "--interval" => &mut check.interval,
                "--start-interval" => &mut check.start_interval,
                "--timeout" => &mut check.timeout,
                // a flag without a value could take the next word for it
                _ if value.is_empty() => return self.unread_health(option),
                "--start-period" => continue, // a grace period only makes it check less
                "--retries" if value.bytes().all(|b| b.is_ascii_digit()) => continue,
                _ => return self.unread_health(option),
            };
            match nanos(value) {
                Some(nanos) => *field = nanos,
                None => return self.unread_health(option),
            }
        }
        self.health("query changes", &check);
    }

    fn unread_health(&mut self, option: &str) {
        self.refuse(Reason::HealthInterval, "query changes", option, "check health by option");
        self.allowing(
            "--interval, --timeout and --start-interval, with whole numbers such as 30s or 1m30s",
        );
    }
}

/// A duration of Go's `time.ParseDuration` in whole numbers, in nanoseconds.
fn nanos(text: &str) -> Option<i64> {
    let units = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
    let longer = [("m", 60_000_000_000), ("h", 3_600_000_000_000)];
    let (mut rest, mut sum) = (text, 0_i64);
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let each = units.iter().chain(&longer).find(|(name, _)| *name == unit.0)?.1;
        sum = sum.checked_add(digits.parse::<i64>().ok()?.checked_mul(each)?)?;
        rest = unit.1;
    }
    if text.is_empty() { None } else { Some(sum) }
}

#[cfg(test)]
mod tests {
    use super::nanos;

    #[test]
    fn durations_are_read_where_they_are_plain() {
        for (text, is) in [
            ("30s", 30_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1ms", 1_000_000),
            ("500us", 500_000),
            ("1h", 3_600_000_000_000),
            ("0s", 0),
        ] {
            assert_eq!(nanos(text), Some(is), "{text}");
        }
        for text in ["", "1", "s", "1.5s", "-1s", "+1s", "1 s", "1d", "1µs", "9999999h", "\"1s\""]
        {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
