//! SHA-256 (the ground): what the log chains its lines by, and what a file, a body, a certificate or a policy
//! is known again by. It is one type and one call of the library, so that a hash is never compared in two
//! spellings.

use crate::problem::{Actionable, Problem};
use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// What stands where there is nothing to hash: before the first line of all, for one.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        let digest = digest::digest(&digest::SHA256, bytes);
        hash.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Self(hash)
    }
}

impl From<[u8; 32]> for Sha256 {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub struct NotAHash;

impl Actionable for NotAHash {
    fn problem(&self) -> Problem {
        Problem::new("not a hash", "64 lower-case hexadecimal digits are expected")
    }
}

impl FromStr for Sha256 {
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

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_nothing_else_does() {
        let hash = Sha256::of(b"abc");
        let text = hash.to_string();
        assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(serde_json::to_string(&hash).unwrap(), format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Sha256>(&format!("\"{text}\"")).unwrap(), hash);
        for bad in ["", "00", &text.to_uppercase(), &format!("{text}0"), &text.replace('b', "g")] {
            assert_eq!(bad.parse::<Sha256>(), Err(NotAHash), "{bad}");
        }
    }
}
