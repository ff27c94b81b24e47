//! The chain: each line carries the hash of the line before it and, last of all, its own. The
//! hash is over the bytes as they stand in the file, so checking needs no canonical form and no
//! agreement about JSON: cut off the end, hash the rest.

use super::clock::Stamp;
use super::error::AuditError;
use super::escape;
use super::event::{Event, Gate};
use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// The longest line the log takes, in bytes. What callers put into an event is bounded by the
/// limits on heads; this is the backstop that lets a reader know when to give up.
pub(super) const LINE_MAX: usize = 1 << 20;

/// SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What stands before the first line of all.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.iter_mut().zip(digest(&SHA256, bytes).as_ref()).for_each(|(to, from)| *to = *from);
        Self(hash)
    }
}

/// The end of a chain: the number and hash of its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) hash: Hash,
}

/// One line as it goes to the file, and the end of the chain after it.
pub(super) struct Sealed {
    pub(super) line: Vec<u8>,
    pub(super) tip: Tip,
}

#[derive(Serialize)]
struct Body<'a> {
    v: u8,
    seq: u64,
    #[serde(flatten)]
    stamp: &'a Stamp<'a>,
    gate: &'a Gate,
    #[serde(flatten)]
    event: &'a Event,
    prev: Hash,
}

/// Makes the line that follows `tip`.
pub(super) fn seal(
    tip: Tip,
    stamp: &Stamp<'_>,
    gate: &Gate,
    event: &Event,
) -> Result<Sealed, AuditError> {
    let seq = tip.seq.saturating_add(1);
    let body = Body { v: 1, seq, stamp, gate, event, prev: tip.hash };
    let mut line =
        escape::to_line(&body).map_err(|error| AuditError::Unserialisable(error.to_string()))?;
    if line.len() >= LINE_MAX {
        return Err(AuditError::TooLarge { bytes: line.len() });
    }
    line.pop();
    let hash = Hash::of(&line);
    line.extend_from_slice(format!("{HASH_KEY}{hash}\"}}\n").as_bytes());
    Ok(Sealed { line, tip: Tip { seq, hash } })
}

const HASH_KEY: &str = ",\"hash\":\"";
/// `,"hash":"` and 64 digits and `"}`.
const HASH_LEN: usize = 9 + 64 + 2;

/// The hash that this line (without its newline) carries, if it is the hash of what it stands on.
pub(super) fn whole(line: &[u8]) -> Option<Hash> {
    let (body, end) = line.split_at_checked(line.len().checked_sub(HASH_LEN)?)?;
    let digits = end.strip_prefix(HASH_KEY.as_bytes())?.strip_suffix(b"\"}")?;
    let hash: Hash = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (hash == Hash::of(body)).then_some(hash)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAHash;

impl fmt::Display for NotAHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a hash: 64 lower-case hexadecimal digits are expected")
    }
}

impl std::error::Error for NotAHash {}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let mut hash = [0_u8; 32];
        let mut digits = text.bytes().map(digit);
        for byte in &mut hash {
            let (high, low) = (digits.next().flatten(), digits.next().flatten());
            *byte = high.ok_or(NotAHash)? << 4 | low.ok_or(NotAHash)?;
        }
        if digits.next().is_some() { Err(NotAHash) } else { Ok(Self(hash)) }
    }
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'a'..=b'f' => byte.checked_sub(b'a' - 10),
        _ => None,
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(64);
        write!(text, "{self}").map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::Clock;
    use super::super::event::Stage;
    use super::*;

    fn sealed(event: &Event) -> Result<Sealed, AuditError> {
        let clock = Clock::here();
        seal(Tip { seq: 6, hash: Hash::of(b"x") }, &clock.stamp(), &Gate::here(), event)
    }

    #[test]
    fn a_hash_reads_back_and_nothing_else_does() {
        let hash = Hash::of(b"abc");
        let text = hash.to_string();
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text.parse(), Ok(hash));
        for bad in ["", "00", &text.to_uppercase(), &format!("{text}0"), &text.replace('b', "g")] {
            assert_eq!(bad.parse::<Hash>(), Err(NotAHash), "{bad}");
        }
    }

    #[test]
    fn a_line_says_what_came_before_and_its_hash_last() {
        let sealed = sealed(&Event::new(Stage::Decision)).unwrap();
        let text = String::from_utf8(sealed.line.clone()).unwrap();
        let (body, end) = text.split_once(",\"hash\":").unwrap();
        assert!(text.starts_with(r#"{"v":1,"seq":7,"time":"2"#), "{text}");
        assert!(body.ends_with(&format!(r#","prev":"{}""#, Hash::of(b"x"))), "{text}");
        assert_eq!(end, format!("\"{}\"}}\n", Hash::of(body.as_bytes())));
        assert_eq!(whole(text.trim_end().as_bytes()), Some(sealed.tip.hash));
    }

    #[test]
    fn one_changed_byte_is_seen() {
        let line = sealed(&Event::new(Stage::Decision)).unwrap().line;
        let line = line.strip_suffix(b"\n").unwrap();
        for at in 0..line.len() {
            let mut changed = line.to_vec();
            changed[at] ^= 1;
            assert_eq!(whole(&changed), None, "byte {at}");
        }
        assert_eq!(whole(b""), None);
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut event = Event::new(Stage::Decision);
        event.text = Some("x".repeat(LINE_MAX));
        assert!(matches!(sealed(&event), Err(AuditError::TooLarge { .. })));
    }
}
