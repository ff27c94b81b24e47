//! The chain: each line carries the hash of the line before it and, last of all, its own. The
//! hash is over the bytes as they stand in the file, so checking needs no canonical form and no
//! agreement about JSON: cut off the end, hash the rest.

use super::clock::Stamp;
use super::error::AuditError;
use super::escape;
use super::event::{Event, GateInstance};
use crate::digest::Sha256;
use serde::Serialize;

/// The longest line the log takes, in bytes. What callers put into an event is bounded by the
/// limits on heads; this is the backstop that lets a reader know when to give up.
pub(super) const LINE_MAX: usize = 1 << 20;

/// The end of a chain: the number and hash of its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) hash: Sha256,
}

/// One line as it goes to the file, and the end of the chain after it.
pub(super) struct Sealed {
    pub(super) line: Vec<u8>,
    pub(super) tip: Tip,
}

#[derive(Serialize)]
struct LineBody<'a> {
    v: u8,
    seq: u64,
    #[serde(flatten)]
    stamp: &'a Stamp<'a>,
    gate: &'a GateInstance,
    #[serde(flatten)]
    event: &'a Event,
    prev: Sha256,
}

/// Makes the line that follows `tip`.
pub(super) fn seal(
    tip: Tip,
    stamp: &Stamp<'_>,
    gate: &GateInstance,
    event: &Event,
) -> Result<Sealed, AuditError> {
    let seq = tip.seq.saturating_add(1);
    let body = LineBody { v: 1, seq, stamp, gate, event, prev: tip.hash };
    let mut line =
        escape::to_line(&body).map_err(|error| AuditError::Unserialisable(error.to_string()))?;
    if line.len() >= LINE_MAX {
        return Err(AuditError::TooLarge(line.len()));
    }
    line.pop();
    let hash = Sha256::of(&line);
    line.extend_from_slice(format!("{HASH_KEY}{hash}\"}}\n").as_bytes());
    Ok(Sealed { line, tip: Tip { seq, hash } })
}

const HASH_KEY: &str = ",\"hash\":\"";
/// `,"hash":"` and 64 digits and `"}`.
const HASH_LEN: usize = 9 + 64 + 2;

/// The hash that this line (without its newline) carries, if it is the hash of what it stands on.
pub(super) fn whole(line: &[u8]) -> Option<Sha256> {
    let (body, end) = line.split_at_checked(line.len().checked_sub(HASH_LEN)?)?;
    let digits = end.strip_prefix(HASH_KEY.as_bytes())?.strip_suffix(b"\"}")?;
    let hash: Sha256 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (hash == Sha256::of(body)).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::super::clock::StampClock;
    use super::super::event::Stage;
    use super::*;

    fn sealed(event: &Event) -> Result<Sealed, AuditError> {
        let clock = StampClock::here();
        seal(Tip { seq: 6, hash: Sha256::of(b"x") }, &clock.stamp(), &GateInstance::here(), event)
    }

    #[test]
    fn a_line_says_what_came_before_and_its_hash_last() {
        let sealed = sealed(&Event::new(Stage::Decision)).unwrap();
        let text = String::from_utf8(sealed.line.clone()).unwrap();
        let (body, end) = text.split_once(",\"hash\":").unwrap();
        assert!(text.starts_with(r#"{"v":1,"seq":7,"time":"2"#), "{text}");
        assert!(body.ends_with(&format!(r#","prev":"{}""#, Sha256::of(b"x"))), "{text}");
        assert_eq!(end, format!("\"{}\"}}\n", Sha256::of(body.as_bytes())));
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
        assert!(matches!(sealed(&event), Err(AuditError::TooLarge(_))));
    }
}
