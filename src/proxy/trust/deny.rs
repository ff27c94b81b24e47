//! The deny-list: certificates and keys that are refused whatever their authority says of them. For the
//! minute before the authority's list is out, and for authorities that publish none.

use super::path::PathStep;
use super::untrusted::Untrusted;
use crate::digest::Sha256;
use crate::problem::Problem;
use crate::proxy::credentials::{SourceFile, TlsError};
use std::collections::HashSet;

/// What the file names. One a line: `serial:` and hexadecimal digits (of whichever authority),
/// `certificate:sha256:` or `key:sha256:` and 64 of them (a key is its SubjectPublicKeyInfo); `#` begins a
/// comment.
#[derive(Debug, Default)]
pub(super) struct DenyList {
    serials: HashSet<Vec<u8>>,
    certificates: HashSet<Sha256>,
    keys: HashSet<Sha256>,
}

impl DenyList {
    pub(super) fn load(file: &SourceFile) -> Result<Self, TlsError> {
        let no_text = |_| file.damaged(Problem::new("is no text", "write it as UTF-8"));
        let text = std::str::from_utf8(&file.bytes).map_err(no_text)?;
        Self::parse(text).map_err(|why| file.damaged(why))
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let mut list = Self::default();
        for (at, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or_default().trim();
            if !entry.is_empty() && list.take(entry).is_none() {
                return Err(Problem::new(
                    format!("line {} is not understood", at.saturating_add(1)),
                    "write serial:HEX, certificate:sha256:HEX or key:sha256:HEX",
                ));
            }
        }
        Ok(list)
    }

    fn take(&mut self, entry: &str) -> Option<()> {
        if let Some(serial) = entry.strip_prefix("serial:") {
            self.serials.insert(significant(&hex(serial)?).to_vec());
        } else if let Some(key) = entry.strip_prefix("key:sha256:") {
            self.keys.insert(hash(key)?);
        } else {
            let certificate = entry.strip_prefix("certificate:sha256:")?;
            self.certificates.insert(hash(certificate)?);
        }
        Some(())
    }

    /// Whether a certificate stands on it by its serial number or as a whole.
    pub(super) fn names(&self, serial: &[u8], sha256: Option<&Sha256>) -> bool {
        self.serials.contains(significant(serial))
            || sha256.is_some_and(|sha256| self.certificates.contains(sha256))
    }

    /// Whether nothing of the path is on the list.
    pub(super) fn check(&self, path: &[PathStep]) -> Result<(), Untrusted> {
        let denied = |step: &PathStep| {
            self.serials.contains(significant(&step.serial))
                || self.certificates.contains(&step.sha256)
                || !self.keys.is_empty() && self.keys.contains(&Sha256::of(&step.key.public_key))
        };
        if path.iter().any(denied) { Err(Untrusted::Denied) } else { Ok(()) }
    }
}

/// A serial without the zeroes before it: DER writes one where the first bit is set, people do not.
fn significant(serial: &[u8]) -> &[u8] {
    let zeroes = serial.iter().take_while(|byte| **byte == 0).count();
    serial.get(zeroes..).unwrap_or_default()
}

fn hash(digits: &str) -> Option<Sha256> {
    <[u8; 32]>::try_from(hex(digits)?).ok().map(Sha256::from)
}

/// Bytes of hexadecimal digits, plain or with colons between them as openssl prints them.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.trim().bytes().filter(|byte| *byte != b':').collect();
    let odd = digits.len() % 2 == 1;
    let padded: Vec<u8> = odd.then_some(b'0').into_iter().chain(digits).collect();
    if padded.is_empty() || !padded.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    padded.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::{DenyList, significant};

    #[test]
    fn a_file_as_people_write_it_is_read() {
        let text = "# stolen laptop\n\nserial:0A:FF  # ci-7\nserial: 7\nkey:sha256:".to_owned()
            + &"ab".repeat(32)
            + "\ncertificate:sha256:"
            + &"CD".repeat(32)
            + "\n";
        let list = DenyList::parse(&text).unwrap();
        assert!(list.serials.contains(&vec![0x0a, 0xff]) && list.serials.contains(&vec![7]));
        assert!(
            list.keys.contains(&[0xab; 32].into())
                && list.certificates.contains(&[0xcd; 32].into())
        );
    }

    #[test]
    fn a_line_that_means_nothing_is_named_and_nothing_is_taken() {
        for bad in
            ["serial:", "serial:xyz", "key:sha256:ab", "ci-7", "key:sha1:00", "certificate:ab"]
        {
            let why = DenyList::parse(&format!("serial:01\n{bad}")).unwrap_err();
            assert!(why.what.contains("line 2"), "{bad}: {why}");
        }
    }

    #[test]
    fn a_serial_is_the_same_with_and_without_its_leading_zero() {
        assert_eq!(significant(&[0, 0x9a]), significant(&[0x9a]));
    }
}
