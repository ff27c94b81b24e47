//! Serial numbers: 16 random bytes, so that nobody can guess the next one and none is given twice.

use super::super::error::PkiError;
use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Bytes of a serial number, at most (RFC 5280, 4.1.2.2).
const MOST: usize = 20;

/// A serial number: lower-case hexadecimal, as the audit log has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Serial(String);

impl Serial {
    /// A new one. Its first byte is between 0x40 and 0x7f: positive, and of one length whatever
    /// encodes it.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn random() -> Result<Self, PkiError> {
        let mut bytes = [0_u8; 16];
        rand::fill(&mut bytes)?;
        if let Some(first) = bytes.first_mut() {
            *first = (*first & 0x7f) | 0x40;
        }
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// As text, as in the audit log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes, most significant first.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let pair = |pair: &[u8]| {
            let pair = std::str::from_utf8(pair).unwrap_or_default();
            u8::from_str_radix(pair, 16).unwrap_or_default()
        };
        self.0.as_bytes().chunks(2).map(pair).collect()
    }
}

impl FromStr for Serial {
    type Err = PkiError;

    /// Reads hexadecimal digits of either case, also with colons between, as openssl prints them.
    fn from_str(text: &str) -> Result<Self, PkiError> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let digits = digits.to_ascii_lowercase();
        let even = if digits.len().is_multiple_of(2) { digits } else { format!("0{digits}") };
        let hexadecimal = even.bytes().all(|byte| byte.is_ascii_hexdigit());
        match hexadecimal && !even.is_empty() && even.len() <= MOST * 2 {
            true => Ok(Self(even)),
            false => Err(PkiError::Serial(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Serial {
    type Error = PkiError;

    fn try_from(text: String) -> Result<Self, PkiError> {
        text.parse()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_one_is_positive_and_of_one_length() {
        for _ in 0..64 {
            let serial = Serial::random().unwrap();
            let bytes = serial.bytes();
            assert_eq!(bytes.len(), 16);
            assert!((0x40..0x80).contains(&bytes[0]), "{serial}");
            assert_eq!(serial.as_str().parse::<Serial>().unwrap(), serial);
        }
        assert_ne!(Serial::random().unwrap(), Serial::random().unwrap());
    }

    #[test]
    fn it_is_read_as_openssl_prints_it() {
        let serial: Serial = "4A:0b:FF".parse().unwrap();
        assert_eq!(serial.as_str(), "4a0bff");
        assert_eq!("A0b".parse::<Serial>().unwrap().bytes(), [0x0a, 0x0b]);
        for bad in ["", "xyz", "4a 0b", "-1", &"00".repeat(21)] {
            assert!(bad.parse::<Serial>().is_err(), "{bad}");
        }
    }
}
