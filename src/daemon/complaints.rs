//! One line for an operator where a thousand would say the same: a daemon that is away is asked for by every client.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is said at most.
const INTERVAL: Duration = Duration::from_secs(10);

/// Counts what there is to complain of between two times that it is said.
#[derive(Debug, Default)]
pub(super) struct Complaints(Mutex<Unsaid>);

#[derive(Debug, Default)]
struct Unsaid {
    count: u64,
    said: Option<Instant>,
}

impl Complaints {
    /// One more. It is to be said now, and how many there were since it was said, or is counted only.
    pub(super) fn add(&self, now: Instant) -> Option<u64> {
        let mut unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.count = unsaid.count.saturating_add(1);
        let due = unsaid.said.is_none_or(|said| now.saturating_duration_since(said) >= INTERVAL);
        due.then(|| {
            unsaid.said = Some(now);
            std::mem::take(&mut unsaid.count)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaints, INTERVAL};
    use std::time::Instant;

    #[test]
    fn the_first_is_said_and_the_rest_counted_until_it_is_time() {
        let (complaints, now) = (Complaints::default(), Instant::now());
        assert_eq!(complaints.add(now), Some(1));
        assert!((0..40).all(|_| complaints.add(now).is_none()));
        assert_eq!(complaints.add(now + INTERVAL), Some(41));
        assert_eq!(complaints.add(now + INTERVAL), None);
    }
}
