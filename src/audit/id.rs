//! The name of an event. It is made before the event is written, because a refusal quotes it.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::{Builder, Uuid};

/// A UUIDv7 (RFC 9562, section 5.7): sorts by the millisecond it was made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(Uuid);

impl EventId {
    /// A new id of now.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each id is another one; a default would lie")]
    pub fn new() -> Self {
        let millis = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random()).into_uuid())
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for EventId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::parse_str(text).map(Self)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Ten random bytes. An id must be unique, not secret: without a random source, a counter does.
fn random() -> [u8; 10] {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 10];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().rev().zip(count.iter().rev()).for_each(|(to, from)| *to = *from);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_7_uuid_that_reads_back() {
        let id = EventId::new();
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        assert_ne!(id, EventId::new());
    }
}
