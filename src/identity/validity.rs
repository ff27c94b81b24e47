//! When an identity may come in: days, hours, an end. What counts is what a clock on the wall of the
//! zone shows, so that everybody can tell by looking at one, and nights on which it is set are no
//! puzzle. Whoever asks is told until when it stays so, since a session must end with its time.

use crate::problem::{Actionable, Problem};
use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use std::fmt;
use std::str::FromStr;

const DAY: i64 = 24 * 60 * 60;
const MINUTES_OF_A_DAY: i64 = 24 * 60;

/// How many moments are looked at for the first that is closed. A week of open days has at most 18
/// of them; see [`Validity::open`] for what is said beyond.
const MOST_TURNS: usize = 64;

/// The days in order: what a day is from here on is its place among them.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A `valid` of the policy file that means nothing, found at load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum ValidityError {
    /// Not days of the week.
    Days,
    /// Not two times of the day.
    Hours,
    /// Hours that end when they begin.
    NoHours,
    /// It restricts nothing.
    Always,
}

impl Actionable for ValidityError {
    fn problem(&self) -> Problem {
        let (what, next) = match self {
            Self::Days => (
                "not days",
                "write mon-fri, or [sat, sun] with any of mon, tue, wed, thu, fri, sat, sun",
            ),
            Self::Hours => ("not hours", "write 08:00-18:00, or 22:00-06:00 for a night"),
            Self::NoHours => (
                "hours that end when they begin",
                "write 08:00-18:00, or 00:00-24:00 for a whole day",
            ),
            Self::Always => ("valid restricts nothing", "name days, hours or until"),
        };
        Problem::new(what, next)
    }
}

/// Days of the week, one at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// The whole week.
    pub const EVERY: Self = Self(0b111_1111);

    fn has(self, day: Weekday) -> bool {
        self.0 & 1 << day.to_monday_zero_offset() != 0
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromStr for Days {
    type Err = ValidityError;

    /// Days and ranges of them with commas between: `mon-fri`, `sat,sun`. A range may go over the end
    /// of the week: `fri-mon`.
    fn from_str(text: &str) -> Result<Self, ValidityError> {
        let mut days = 0;
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (weekday(first)?, weekday(last)?);
            let end = if first <= last { last } else { last + NAMES.len() };
            (first..=end).for_each(|day| days |= 1 << (day % NAMES.len()));
        }
        Ok(Self(days))
    }
}

fn weekday(name: &str) -> Result<usize, ValidityError> {
    NAMES.iter().position(|known| *known == name).ok_or(ValidityError::Days)
}

impl fmt::Display for Days {
    /// As it is written in the file, with what is in a row as a range.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held: Vec<_> =
            NAMES.iter().zip(0..).map(|(name, day)| (*name, self.0 & 1 << day != 0)).collect();
        let runs = held.chunk_by(|a, b| a.1 == b.1).filter(|run| run.iter().all(|day| day.1));
        for (nth, run) in runs.enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            match run {
                [(only, _)] => write!(f, "{comma}{only}")?,
                [(first, _), .., (last, _)] => write!(f, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

/// From one time of the day until just before another, in minutes since midnight. An end that does
/// not lie after the beginning is one of the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: i64,
    to: i64,
}

impl FromStr for Hours {
    type Err = ValidityError;

    /// `08:00-18:00`; over midnight `22:00-06:00`; to the end of the day `08:00-24:00`.
    fn from_str(text: &str) -> Result<Self, ValidityError> {
        let (from, to) = text.split_once('-').ok_or(ValidityError::Hours)?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        match from == to || from == MINUTES_OF_A_DAY {
            true => Err(ValidityError::NoHours),
            false => Ok(Self { from, to }),
        }
    }
}

/// `HH:MM`, up to `24:00`.
fn minutes(text: &str) -> Result<i64, ValidityError> {
    let two = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (hour, minute) = text.split_once(':').ok_or(ValidityError::Hours)?;
    match (two(hour), two(minute)) {
        (Some(hour @ 0..=23), Some(minute @ 0..=59)) => Ok(hour * 60 + minute),
        (Some(24), Some(0)) => Ok(MINUTES_OF_A_DAY),
        _ => Err(ValidityError::Hours),
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// When an identity may come in; all that is written must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validity {
    days: Days,
    hours: Option<Hours>,
    zone: TimeZone,
    until: Option<i64>,
}

/// Why an identity may not come in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Not on this day or at this hour.
    Now,
    /// Its end has come.
    Ended,
}

impl Validity {
    /// The first moment at which it is over, seconds since 1970 (UTC), if there is one.
    #[must_use]
    pub const fn until(&self) -> Option<i64> {
        self.until
    }

    /// Puts a validity together. `days` and `hours` are those of `zone`; hours that go over midnight
    /// belong to the day they begin on. `until` is in seconds since 1970 (UTC), the first moment at
    /// which it is over.
    ///
    /// # Errors
    /// It would always hold.
    pub fn new(
        days: Days,
        hours: Option<Hours>,
        zone: TimeZone,
        until: Option<i64>,
    ) -> Result<Self, ValidityError> {
        match (days, hours, until) {
            (Days::EVERY, None, None) => Err(ValidityError::Always),
            _ => Ok(Self { days, hours, zone, until }),
        }
    }

    /// Whether it holds at this moment (seconds since 1970, UTC), and the first moment at which it
    /// does not any more; `None` if there is none. Should that moment lie beyond all reason, an earlier
    /// one is given at which it still holds: ask again then.
    ///
    /// # Errors
    /// It does not hold.
    pub fn open(&self, now: i64) -> Result<Option<i64>, Closed> {
        if self.until.is_some_and(|until| now >= until) {
            return Err(Closed::Ended);
        }
        if !self.holds(now) {
            return Err(Closed::Now);
        }
        if (self.days, self.hours) == (Days::EVERY, None) {
            return Ok(self.until);
        }
        let mut at = now;
        for _ in 0..MOST_TURNS {
            at = self.turn(at);
            if self.until.is_some_and(|until| at >= until) {
                return Ok(self.until);
            }
            if !self.holds(at) {
                break;
            }
        }
        Ok(Some(at))
    }

    /// Whether the wall clock shows a day and an hour that are held.
    fn holds(&self, now: i64) -> bool {
        let Ok(moment) = Timestamp::from_second(now) else { return false };
        let local = self.zone.to_datetime(moment);
        let today = local.weekday();
        let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
        match self.hours {
            None => self.days.has(today),
            Some(Hours { from, to }) if from < to => {
                self.days.has(today) && (from..to).contains(&minute)
            }
            Some(Hours { from, to }) => {
                (self.days.has(today) && minute >= from)
                    || (self.days.has(today.previous()) && minute < to)
            }
        }
    }

    /// The next moment at which the answer could be another: the wall clock comes to midnight or to an
    /// end of the hours, or is set.
    fn turn(&self, now: i64) -> i64 {
        let Ok(moment) = Timestamp::from_second(now) else { return i64::MAX };
        let local = now + i64::from(self.zone.to_offset(moment).seconds());
        let (from, to) = self.hours.map_or((0, 0), |hours| (hours.from, hours.to));
        let waits = [0, from * 60, to * 60].map(|time| DAY - (local - time).rem_euclid(DAY));
        let shown = waits.into_iter().fold(DAY, i64::min).saturating_add(now);
        let set = self.zone.following(moment).next().map(|change| change.timestamp().as_second());
        set.map_or(shown, |set| set.min(shown))
    }
}

impl fmt::Display for Validity {
    /// `mon-fri 08:00-18:00 Europe/Berlin until 2027-06-29T22:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.days != Days::EVERY || self.hours.is_some() {
            parts.push(self.days.to_string());
            parts.extend(self.hours.map(|hours| hours.to_string()));
            parts.push(self.zone.iana_name().unwrap_or("UTC").to_owned());
        }
        let end = self.until.and_then(|until| Timestamp::from_second(until).ok());
        parts.extend(end.map(|end| format!("until {end}")));
        f.write_str(&parts.join(" "))
    }
}

#[cfg(test)]
mod tests;
