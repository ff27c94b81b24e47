//! A clock that nobody has set. A machine without a battery begins in 1970, where every certificate is
//! still to come and every end that a policy names lies ahead again: what was over would open doors.

use super::Failure;
use jiff::Timestamp;

/// 2024-01-01T00:00:00Z. This program is younger, so no clock that is right shows an earlier moment.
const OLDEST: i64 = 1_704_067_200;

/// The moment that the clock shows.
///
/// # Errors
/// It was not set. That is no warning: refusing is the one answer that cannot be wrong.
pub(super) fn now() -> Result<Timestamp, Failure> {
    credible(Timestamp::now())
}

fn credible(now: Timestamp) -> Result<Timestamp, Failure> {
    match now.as_second() < OLDEST {
        false => Ok(now),
        true => Err(Failure::new(
            format!("the clock says {now:.0}"),
            "set it: certificates, `until` and `valid` cannot be judged before",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_at_its_beginning_is_told_from_one_that_was_set() {
        let at = |text: &str| credible(text.parse().unwrap()).map_err(|why| why.0.to_string());
        let why = at("1970-01-01T00:00:12.5Z").unwrap_err();
        assert!(why.starts_with("the clock says 1970-01-01T00:00:12Z, set it"), "{why}");
        assert!(at("2023-12-31T23:59:59Z").is_err());
        assert_eq!(at("2024-01-01T00:00:00Z"), Ok("2024-01-01T00:00:00Z".parse().unwrap()));
        assert!(now().is_ok());
    }
}
