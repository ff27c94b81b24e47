//! The facts of a client certificate, read once when a connection is made. Nothing is chosen here: a
//! field with several values keeps them all, so that the rules can refuse instead of picking one.

use super::distinguished_name;
use super::field::CertificateField;
use super::letters::hex;
use super::pattern::PatternError;
use crate::digest::Sha256;
use crate::problem::{Actionable, Problem};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use x509_parser::extensions::{GeneralName, SubjectAlternativeName};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::AttributeTypeAndValue;

/// A certificate of which something cannot be read. Reading stops there: a value that we cannot read
/// is not a value that is absent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem())]
pub enum IdentityError {
    /// The bytes are no DER certificate, or more than one.
    NotACertificate,
    /// The subject alternative name extension is malformed or there twice (RFC 5280, 4.2: an
    /// extension appears once).
    SubjectAltName,
    /// A CN or OU is not in a string type that has one reading (UTF8String, PrintableString,
    /// IA5String, NumericString).
    UnreadableName(CertificateField),
}

impl Actionable for IdentityError {
    fn problem(&self) -> Problem {
        match self {
            Self::NotACertificate => {
                Problem::new("the client certificate cannot be read", "issue it again")
            }
            Self::SubjectAltName => Problem::new(
                "the subject alternative names of the certificate cannot be read",
                "issue it again",
            ),
            Self::UnreadableName(field) => Problem::new(
                format!("the {field} of the certificate is in a string type that is not read"),
                "issue it again with UTF8String",
            ),
        }
    }
}

/// What a leaf certificate says, as plain data. Text is kept as it stands in the certificate and may
/// hold anything: escape it before showing it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject in the manner of RFC 4514, escaped, safe to show.
    pub subject: String,
    /// The issuer in the manner of RFC 4514, escaped, safe to show.
    pub issuer: String,
    /// The serial number, lower-case hexadecimal without separators.
    pub serial: String,
    /// SHA-256 of the whole DER.
    pub sha256: Fingerprint,
    /// First moment of validity, seconds since 1970 (UTC).
    pub not_before: i64,
    /// Last moment of validity, seconds since 1970 (UTC).
    pub not_after: i64,
    /// URI subject alternative names, in order.
    pub uris: Vec<String>,
    /// DNS subject alternative names, in order.
    pub dns: Vec<String>,
    /// Email (rfc822Name) subject alternative names, in order; never the subject's emailAddress.
    pub emails: Vec<String>,
    /// IP address subject alternative names, in order.
    pub ips: Vec<String>,
    /// Every common name of the subject, also those inside a multi-valued RDN.
    pub common_names: Vec<String>,
    /// Every organisational unit of the subject, also those inside a multi-valued RDN.
    pub organizational_units: Vec<String>,
}

impl CertificateFacts {
    /// Reads the leaf that the TLS layer has verified.
    ///
    /// # Errors
    /// Whatever cannot be read whole, bytes after the certificate included. A subject alternative
    /// name of a kind that no rule can name (otherName, directoryName) is passed over.
    pub fn read(der: &[u8]) -> Result<Self, IdentityError> {
        let leaf = parse(der)?;
        if !is_integer(leaf.raw_serial()) {
            return Err(IdentityError::NotACertificate);
        }
        let subject = leaf.subject();
        let mut facts = Self {
            subject: distinguished_name::display(subject),
            issuer: distinguished_name::display(leaf.issuer()),
            serial: hex(leaf.raw_serial()),
            sha256: Fingerprint::of(der),
            not_before: leaf.validity().not_before.timestamp(),
            not_after: leaf.validity().not_after.timestamp(),
            common_names: texts(subject.iter_common_name(), CertificateField::Cn)?,
            organizational_units: texts(subject.iter_organizational_unit(), CertificateField::Ou)?,
            ..Self::default()
        };
        facts.read_alt_names(&leaf)?;
        Ok(facts)
    }

    /// The fields that it has a value of.
    #[must_use]
    pub fn fields(&self) -> Vec<CertificateField> {
        let all = CertificateField::ALL.into_iter();
        all.filter(|field| !self.values(*field).is_empty()).collect()
    }

    /// The values that a rule may ask for under this field.
    #[must_use]
    pub fn values(&self, field: CertificateField) -> &[String] {
        match field {
            CertificateField::Uri => &self.uris,
            CertificateField::Dns => &self.dns,
            CertificateField::Email => &self.emails,
            CertificateField::Cn => &self.common_names,
            CertificateField::Ou => &self.organizational_units,
        }
    }

    fn read_alt_names(&mut self, leaf: &X509Certificate<'_>) -> Result<(), IdentityError> {
        let extension = leaf
            .get_extension_unique(&OID_X509_EXT_SUBJECT_ALT_NAME)
            .map_err(|_| IdentityError::SubjectAltName)?;
        let Some(extension) = extension else { return Ok(()) };
        match SubjectAlternativeName::from_der(extension.value) {
            Ok(([], names)) => names.general_names.iter().try_for_each(|name| self.take(name)),
            _ => Err(IdentityError::SubjectAltName),
        }
    }

    fn take(&mut self, name: &GeneralName<'_>) -> Result<(), IdentityError> {
        match name {
            GeneralName::URI(uri) => self.uris.push(ia5(uri)?),
            GeneralName::DNSName(dns) => self.dns.push(ia5(dns)?),
            GeneralName::RFC822Name(email) => self.emails.push(ia5(email)?),
            GeneralName::IPAddress(bytes) => self.ips.push(address(bytes)?),
            GeneralName::Invalid(..) => return Err(IdentityError::SubjectAltName),
            GeneralName::OtherName(..)
            | GeneralName::X400Address(_)
            | GeneralName::DirectoryName(_)
            | GeneralName::EDIPartyName(_)
            | GeneralName::RegisteredID(_) => {}
        }
        Ok(())
    }
}

/// SHA-256 of a certificate's DER. Written and shown as `sha256:` and 64 lower-case digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// The fingerprint of a DER certificate.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::of(der))
    }
}

impl Default for Fingerprint {
    /// That of no certificate at all.
    fn default() -> Self {
        Self(Sha256::ZERO)
    }
}

impl FromStr for Fingerprint {
    type Err = PatternError;

    /// Accepts `sha256:` and 64 hexadecimal digits of either case, plain or with a colon after each
    /// pair, as `openssl x509 -fingerprint -sha256` prints them.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        let digits = text.strip_prefix("sha256:").ok_or(PatternError::Fingerprint)?;
        let in_pairs = digits.split(':').all(|pair| pair.len() == 2);
        let plain = if in_pairs { digits.replace(':', "") } else { digits.to_owned() };
        let hash = plain.to_ascii_lowercase().parse().map_err(|_| PatternError::Fingerprint)?;
        Ok(Self(hash))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::custom("not a SHA-256 fingerprint"))
    }
}

/// Whether this is what a DER INTEGER holds: a byte at least, and none too many (X.690, 8.3). A serial
/// number in another form could be revoked in its own and pass.
#[must_use]
pub const fn is_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0, next, ..] => *next >= 0x80,
        [0xff, next, ..] => *next < 0x80,
        _ => true,
    }
}

/// A certificate and nothing after it.
pub(super) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, IdentityError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(IdentityError::NotACertificate),
    }
}

fn texts<'a>(
    attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>,
    field: CertificateField,
) -> Result<Vec<String>, IdentityError> {
    attributes
        .map(|a| a.as_str().map(str::to_owned).map_err(|_| IdentityError::UnreadableName(field)))
        .collect()
}

/// IA5String is ASCII; the parser lets UTF-8 pass under that tag.
fn ia5(text: &str) -> Result<String, IdentityError> {
    if text.is_ascii() { Ok(text.to_owned()) } else { Err(IdentityError::SubjectAltName) }
}

fn address(bytes: &[u8]) -> Result<String, IdentityError> {
    let four = <[u8; 4]>::try_from(bytes).map(|ip| Ipv4Addr::from(ip).to_string());
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|ip| Ipv6Addr::from(ip).to_string());
    four.or_else(|_| sixteen()).map_err(|_| IdentityError::SubjectAltName)
}

#[cfg(test)]
mod tests;
