use super::*;
use jiff::tz;
use proptest::prelude::*;

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn validity(days: &str, hours: &str, zone: &str, until: &str) -> Validity {
    let days = if days.is_empty() { Days::EVERY } else { days.parse().unwrap() };
    let hours = (!hours.is_empty()).then(|| hours.parse().unwrap());
    let until = (!until.is_empty()).then(|| at(until));
    Validity::new(days, hours, tz::db().get(zone).unwrap(), until).unwrap()
}

/// What is said at each moment.
fn said(validity: &Validity, moments: &[(&str, Result<Option<&str>, Closed>)]) {
    for (moment, expected) in moments {
        let expected = expected.map(|until| until.map(at));
        assert_eq!(validity.open(at(moment)), expected, "{validity} at {moment}");
    }
}

#[test]
fn days_are_read_in_every_form() {
    let shown = |text: &str| text.parse::<Days>().map(|days| days.to_string());
    for (text, expected) in [
        ("mon-fri", "mon-fri"),
        ("sat,sun", "sat-sun"),
        ("sat, sun", "sat-sun"),
        ("fri-mon", "mon,fri-sun"),
        ("wed", "wed"),
        ("wed-wed", "wed"),
        ("mon-wed,wed,fri", "mon-wed,fri"),
        ("tue-mon", "mon-sun"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
    for wrong in
        ["", "Mon", "monday", "mon-", "-fri", "mon--fri", "mon,", "mon-fri-sun", "1-5", "mon fri"]
    {
        assert_eq!(shown(wrong), Err(ValidityError::Days), "{wrong:?}");
    }
    assert_eq!("mon-sun".parse(), Ok(Days::EVERY));
}

#[test]
fn hours_have_one_spelling() {
    for text in ["08:00-18:00", "22:00-06:00", "00:00-24:00", "22:00-00:00", "23:59-00:00"] {
        assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
    }
    for wrong in [
        "",
        "8:00-18:00",
        "08:00",
        "08:00-18:60",
        "08:00-24:01",
        "08-18",
        "08:00-18:00-19:00",
        "+8:00-18:00",
        "08:00 - 18:00",
        "25:00-26:00",
    ] {
        assert_eq!(wrong.parse::<Hours>(), Err(ValidityError::Hours), "{wrong:?}");
    }
    for empty in ["08:00-08:00", "24:00-08:00", "00:00-00:00"] {
        assert_eq!(empty.parse::<Hours>(), Err(ValidityError::NoHours), "{empty:?}");
    }
}

#[test]
fn what_always_holds_is_not_written() {
    let new = |days, hours, until| Validity::new(days, hours, TimeZone::UTC, until);
    assert_eq!(new(Days::EVERY, None, None), Err(ValidityError::Always));
    assert!(new(Days::EVERY, None, Some(0)).is_ok());
    assert!(new(Days::EVERY, "00:00-24:00".parse().ok(), None).is_ok());
    assert!(new("mon-sat".parse().unwrap(), None, None).is_ok());
}

#[test]
fn office_hours_end_with_the_day_and_the_week() {
    // 2026-11-20 is a Friday; Berlin is an hour ahead of UTC
    said(
        &validity("mon-fri", "08:00-18:00", "Europe/Berlin", ""),
        &[
            ("2026-11-20T06:59:59Z", Err(Closed::Now)),
            ("2026-11-20T07:00:00Z", Ok(Some("2026-11-20T17:00:00Z"))),
            ("2026-11-20T16:59:59Z", Ok(Some("2026-11-20T17:00:00Z"))),
            ("2026-11-20T17:00:00Z", Err(Closed::Now)),
            ("2026-11-21T09:00:00Z", Err(Closed::Now)),
            ("2026-11-23T09:00:00Z", Ok(Some("2026-11-23T17:00:00Z"))),
        ],
    );
}

#[test]
fn whole_days_in_a_row_are_one_time() {
    said(
        &validity("mon-fri", "", "UTC", ""),
        &[
            ("2026-11-16T00:00:00Z", Ok(Some("2026-11-21T00:00:00Z"))),
            ("2026-11-20T23:59:59Z", Ok(Some("2026-11-21T00:00:00Z"))),
            ("2026-11-21T00:00:00Z", Err(Closed::Now)),
        ],
    );
    said(
        &validity("fri-mon", "00:00-24:00", "UTC", ""),
        &[("2026-11-20T12:00:00Z", Ok(Some("2026-11-24T00:00:00Z")))],
    );
}

#[test]
fn after_midnight_it_is_still_the_night_of_the_day_before() {
    said(
        &validity("fri", "22:00-06:00", "UTC", ""),
        &[
            ("2026-11-20T05:00:00Z", Err(Closed::Now)),
            ("2026-11-20T22:00:00Z", Ok(Some("2026-11-21T06:00:00Z"))),
            ("2026-11-21T05:59:59Z", Ok(Some("2026-11-21T06:00:00Z"))),
            ("2026-11-21T06:00:00Z", Err(Closed::Now)),
            ("2026-11-21T22:00:00Z", Err(Closed::Now)),
        ],
    );
}

#[test]
fn the_end_is_the_end_of_everything() {
    let end = "2026-11-20T12:00:00Z";
    said(
        &validity("", "", "UTC", end),
        &[
            ("2026-11-20T11:59:59Z", Ok(Some(end))),
            (end, Err(Closed::Ended)),
            ("2030-01-01T00:00:00Z", Err(Closed::Ended)),
        ],
    );
    said(
        &validity("mon-fri", "08:00-18:00", "UTC", end),
        &[
            ("2026-11-19T09:00:00Z", Ok(Some("2026-11-19T18:00:00Z"))),
            ("2026-11-20T09:00:00Z", Ok(Some(end))),
            ("2026-11-20T07:00:00Z", Err(Closed::Now)),
        ],
    );
    let always = validity("", "00:00-24:00", "UTC", end);
    assert_eq!(always.open(at("2026-11-18T00:00:00Z")), Ok(Some(at(end))));
}

/// The wall clock counts, also on the nights on which it is set.
#[test]
fn the_wall_clock_is_set() {
    // from 02:00 to 03:00 in Berlin at 01:00 UTC
    said(
        &validity("sun", "01:30-02:30", "Europe/Berlin", ""),
        &[
            ("2026-03-29T00:45:00Z", Ok(Some("2026-03-29T01:00:00Z"))),
            ("2026-03-29T01:00:00Z", Err(Closed::Now)),
        ],
    );
    // back from 03:00 to 02:00 at 01:00 UTC: 02:30 is shown twice
    said(
        &validity("sun", "02:30-04:00", "Europe/Berlin", ""),
        &[
            ("2026-10-25T00:45:00Z", Ok(Some("2026-10-25T01:00:00Z"))),
            ("2026-10-25T01:15:00Z", Err(Closed::Now)),
            ("2026-10-25T01:30:00Z", Ok(Some("2026-10-25T03:00:00Z"))),
        ],
    );
    // what is closed from two to three is not closed on the night that has no such hour
    said(
        &validity("", "03:00-02:00", "Europe/Berlin", ""),
        &[("2026-03-28T12:00:00Z", Ok(Some("2026-03-30T00:00:00Z")))],
    );
    // Samoa had no 30 December 2011
    said(
        &validity("mon,tue,wed,thu,sat,sun", "", "Pacific/Apia", ""),
        &[("2011-12-29T12:00:00Z", Ok(Some("2012-01-05T10:00:00Z")))],
    );
}

#[test]
fn a_moment_that_no_clock_shows_is_closed() {
    let validity = validity("mon-fri", "", "UTC", "");
    assert_eq!(validity.open(i64::MAX), Err(Closed::Now));
    assert_eq!(validity.open(i64::MIN), Err(Closed::Now));
}

#[test]
fn it_is_shown_as_it_is_written() {
    let shown = validity("mon-fri", "08:00-18:00", "Europe/Berlin", "2027-06-29T22:00:00Z");
    assert_eq!(shown.to_string(), "mon-fri 08:00-18:00 Europe/Berlin until 2027-06-29T22:00:00Z");
    assert_eq!(
        validity("", "", "UTC", "2027-01-01T00:00:00Z").to_string(),
        "until 2027-01-01T00:00:00Z"
    );
    assert_eq!(validity("", "06:00-07:00", "UTC", "").to_string(), "mon-sun 06:00-07:00 UTC");
}

/// The reading that needs no cleverness: which day and which minute does the wall show?
fn naive(validity: &Validity, now: i64) -> bool {
    if validity.until.is_some_and(|until| now >= until) {
        return false;
    }
    let wall = Timestamp::from_second(now).unwrap().to_zoned(validity.zone.clone());
    let held = |day: Weekday| validity.days.has(day);
    let minute = i64::from(wall.hour()) * 60 + i64::from(wall.minute());
    let (today, yesterday) = (wall.weekday(), wall.date().weekday().previous());
    match validity.hours {
        None => held(today),
        Some(Hours { from, to }) => {
            let over_midnight = to <= from;
            let begun = held(today) && minute >= from && (over_midnight || minute < to);
            begun || (over_midnight && held(yesterday) && minute < to)
        }
    }
}

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Antarctica/Troll",
];

/// A moment of sixty years and a zone; every other moment lies in the hours before the zone's clocks are
/// set, where there is such a night at all.
fn moments() -> impl Strategy<Value = (i64, TimeZone)> {
    let years = at("2000-01-01T00:00:00Z")..at("2060-01-01T00:00:00Z");
    let zone = prop::sample::select(ZONES.to_vec()).prop_map(|name| tz::db().get(name).unwrap());
    (years, zone, prop::option::of(0..9 * 60 * 60i64)).prop_map(|(any, zone, before)| {
        let from = Timestamp::from_second(any).unwrap();
        let set = zone.following(from).next().map(|change| change.timestamp().as_second());
        (set.zip(before).map_or(any, |(set, before)| set - before), zone)
    })
}

fn hours() -> impl Strategy<Value = Option<Hours>> {
    let at_any_time = (0..MINUTES_OF_A_DAY, 0..=MINUTES_OF_A_DAY);
    let when_clocks_are_set = (0i64..20, 0i64..20).prop_map(|(from, to)| (from * 15, to * 15));
    prop::option::of(prop_oneof![at_any_time, when_clocks_are_set]).prop_map(|hours| {
        hours.filter(|(from, to)| from != to).map(|(from, to)| Hours { from, to })
    })
}

prop_compose! {
    fn moments_and_validities()(
        (now, zone) in moments(),
        days in 1..=Days::EVERY.0,
        hours in hours(),
        until in prop::option::of(-DAY..20 * DAY),
    ) -> (i64, Validity) {
        (now, Validity { days: Days(days), hours, zone, until: until.map(|after| now + after) })
    }
}

/// So many hundredths of the usual number of cases.
fn cases(hundredths: u32) -> ProptestConfig {
    let standard = ProptestConfig::default();
    ProptestConfig { cases: standard.cases * hundredths / 100, ..standard }
}

proptest! {
    #![proptest_config(cases(20))]

    /// Over a week, minute by minute: open when the wall says so.
    #[test]
    fn it_agrees_with_a_look_at_the_wall_each_minute((now, validity) in moments_and_validities()) {
        for now in (now - DAY..now + 6 * DAY).step_by(60) {
            prop_assert_eq!(validity.open(now).is_ok(), naive(&validity, now), "{} at {}", validity, now);
        }
    }
}

proptest! {
    #![proptest_config(cases(800))]

    /// The end is the first moment that is closed, to the second. Zones have whole minutes in these
    /// years, and so has every end but `until`.
    #[test]
    fn it_stays_open_just_until_then((now, validity) in moments_and_validities()) {
        let Ok(Some(until)) = validity.open(now) else { return Ok(()) };
        prop_assert!(until > now && validity.open(until).is_err(), "{} at {}", validity, until);
        let last_minute = (until - 60).max(now)..until;
        for at in (now..until).step_by(60).chain(last_minute) {
            prop_assert!(naive(&validity, at), "{} from {} until {}, yet closed at {}", validity, now, until, at);
        }
        prop_assert_eq!(validity.open(until - 1), Ok(Some(until)));
    }
}
