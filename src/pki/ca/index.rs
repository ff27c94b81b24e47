//! What the authority has issued and revoked: `index.json`. The list of revoked certificates is made from
//! it, so a file that does not read whole is never taken for an empty one, and is never written over.

use super::super::error::PkiError;
use super::authority::Which;
use super::keys::KeyKind;
use super::names::PermittedNames;
use super::revocation::Revocation;
use super::serial::Serial;
use crate::identity::{Fingerprint, IdentityName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::path::Path;

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    pub(super) version: u32,
    /// What stands behind `spiffe://` in the URI of a client.
    pub trust_domain: String,
    /// `HOST:PORT` by which clients reach the gate.
    pub endpoint: String,
    /// The kind of the authorities' keys, and of the keys made for others.
    pub key: KeyKind,
    /// The hosts that the issuing CA may sign for.
    pub permitted: PermittedNames,
    /// How long a revocation list is good, in days.
    pub crl_days: u32,
    /// The number of each list that was written last.
    pub crl_number: CrlNumbers,
    /// Everything issued, oldest first; nothing is ever taken out.
    pub certificates: Vec<IndexEntry>,
}

/// The numbers of the two revocation lists, which only rise (RFC 5280, 5.2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrlNumbers {
    /// Of the root's list.
    pub root: u64,
    /// Of the issuing CA's list.
    pub issuing: u64,
}

impl CrlNumbers {
    pub(super) const fn of(&mut self, which: Which) -> &mut u64 {
        match which {
            Which::Root => &mut self.root,
            Which::Issuing => &mut self.issuing,
        }
    }
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateKind {
    /// A client of the gate.
    Client,
    /// The gate itself.
    Server,
    /// The issuing CA, signed by the root.
    Authority,
}

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexEntry {
    /// Its serial number.
    pub serial: Serial,
    /// What it is for.
    pub kind: CertificateKind,
    /// Its common name.
    pub name: String,
    /// URI subject alternative names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uris: Vec<String>,
    /// DNS subject alternative names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<String>,
    /// Email subject alternative names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<String>,
    /// IP address subject alternative names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<IpAddr>,
    /// When it was issued; its validity begins a little earlier.
    pub issued: Timestamp,
    /// Last moment of its validity.
    pub until: Timestamp,
    /// SHA-256 of its DER, `sha256:` and 64 digits.
    pub fingerprint: Fingerprint,
    /// When and why it was revoked, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// How a certificate stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateState {
    /// Good.
    Valid,
    /// Good, with a third of its life or a week left, whichever is less.
    Expiring,
    /// Run out.
    Expired,
    /// Revoked, whether or not it has run out since.
    Revoked,
}

impl IndexEntry {
    /// How it stands.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> CertificateState {
        const WEEK: i64 = 7 * 24 * 60 * 60;
        let left = self.until.as_second().saturating_sub(now.as_second());
        let soon = self.lifetime().checked_div(3).unwrap_or(0).min(WEEK);
        match self.revoked {
            Some(_) => CertificateState::Revoked,
            None if left < 0 => CertificateState::Expired,
            None if left < soon => CertificateState::Expiring,
            None => CertificateState::Valid,
        }
    }

    /// The identity that a client's name is.
    pub(super) fn identity(&self) -> Result<IdentityName, PkiError> {
        self.name.parse().map_err(|_| PkiError::ClientName(self.name.clone()))
    }

    /// The hosts that a server's certificate is for.
    pub(super) fn hosts(&self) -> Vec<String> {
        let ips = self.ips.iter().map(ToString::to_string);
        self.dns.iter().cloned().chain(ips).collect()
    }

    /// For how long it was issued, in seconds.
    #[must_use]
    pub fn lifetime(&self) -> i64 {
        self.until.as_second().saturating_sub(self.issued.as_second())
    }
}

impl Index {
    /// Reads the file's text; `path` is named in the error.
    ///
    /// # Errors
    /// Anything that this version would not have written.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, PkiError> {
        let damaged = |why: String| PkiError::Damaged { path: path.to_owned(), why };
        let index: Self =
            serde_json::from_slice(text).map_err(|error| damaged(error.to_string()))?;
        if index.version != VERSION {
            return Err(damaged(format!("version {} is not known", index.version)));
        }
        let mut serials: Vec<&Serial> =
            index.certificates.iter().map(|entry| &entry.serial).collect();
        serials.sort_unstable();
        match serials.windows(2).find(|pair| pair.first() == pair.last()) {
            Some(pair) => Err(damaged(format!("serial number twice: {pair:?}"))),
            None => Ok(index),
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for what can be read; the error is there so that nothing is written in its place.
    pub fn text(&self, path: &Path) -> Result<String, PkiError> {
        let damaged = |why: String| PkiError::Damaged { path: path.to_owned(), why };
        let text =
            serde_json::to_string_pretty(self).map_err(|error| damaged(error.to_string()))?;
        Ok(text + "\n")
    }

    /// The client certificates of a name, oldest first.
    pub fn clients(&self, name: &str) -> impl DoubleEndedIterator<Item = &IndexEntry> {
        let named =
            move |entry: &&IndexEntry| entry.kind == CertificateKind::Client && entry.name == name;
        self.certificates.iter().filter(named)
    }

    /// The newest certificate of a kind.
    #[must_use]
    pub fn newest(&self, kind: CertificateKind) -> Option<&IndexEntry> {
        self.certificates.iter().rev().find(|entry| entry.kind == kind)
    }

    /// Whether the issuing CA is revoked: then nothing that it signed counts.
    #[must_use]
    pub fn issuing_is_revoked(&self) -> bool {
        self.newest(CertificateKind::Authority).is_some_and(|entry| entry.revoked.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::super::revocation::RevocationReason;
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn entry(serial: Serial, name: &str) -> IndexEntry {
        IndexEntry {
            serial,
            kind: CertificateKind::Client,
            name: name.to_owned(),
            uris: vec![format!("spiffe://x/{name}")],
            dns: Vec::new(),
            emails: Vec::new(),
            ips: Vec::new(),
            issued: at(1_000),
            until: at(4_000),
            fingerprint: Fingerprint::of(name.as_bytes()),
            revoked: None,
        }
    }

    fn index(names: &[String]) -> Index {
        let permitted = PermittedNames { dns: vec!["localhost".into()], ips: Vec::new() };
        let issued = names.iter().map(|name| entry(Serial::random().unwrap(), name));
        Index {
            version: VERSION,
            trust_domain: "x".into(),
            endpoint: "localhost:2376".into(),
            key: KeyKind::Ecdsa,
            permitted,
            crl_days: 90,
            crl_number: CrlNumbers::default(),
            certificates: issued.collect(),
        }
    }

    fn parse(text: &[u8]) -> Result<Index, PkiError> {
        Index::parse(text, Path::new("index.json"))
    }

    #[test]
    fn a_certificate_runs_out_by_and_by() {
        let mut it = entry(Serial::random().unwrap(), "a");
        let states = [1_000, 3_000, 3_001, 4_000, 4_001].map(|now| it.state(at(now)));
        let (valid, soon) = (CertificateState::Valid, CertificateState::Expiring);
        assert_eq!(states, [valid, valid, soon, soon, CertificateState::Expired]);
        it.revoked = Some(Revocation { at: at(2_000), reason: RevocationReason::Superseded });
        assert_eq!(it.state(at(5_000)), CertificateState::Revoked);
    }

    #[test]
    fn one_serial_number_is_there_once() {
        let mut index = index(&["a".to_owned()]);
        let path = Path::new("index.json");
        assert_eq!(parse(index.text(path).unwrap().as_bytes()).unwrap(), index);
        index.certificates.push(index.certificates[0].clone());
        let twice = parse(index.text(path).unwrap().as_bytes()).unwrap_err().to_string();
        assert!(twice.contains("serial number twice"), "{twice}");
        let unknown = index.text(path).unwrap().replace("\"version\": 1", "\"version\": 2");
        assert!(parse(unknown.as_bytes()).unwrap_err().to_string().contains("version 2"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&bytes).is_err());
        }

        #[test]
        fn an_index_is_read_back_whole_and_never_in_part(
            names in prop::collection::vec("[a-z0-9]{1,8}|.{0,8}", 0..5),
            cut in any::<prop::sample::Index>(),
        ) {
            let index = index(&names);
            let text = index.text(Path::new("index.json")).unwrap();
            prop_assert_eq!(&parse(text.as_bytes()).unwrap(), &index);
            // all but the last line end
            let cut = cut.index(text.len() - 1);
            prop_assert!(parse(&text.as_bytes()[..cut]).is_err());
        }
    }
}
