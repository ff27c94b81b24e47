//! The fields of a certificate that a rule can name: what reads certificates, what asks for fields, and what
//! says that one is wrong all mean these.

use std::fmt;

/// A field of the certificate that a rule can name. The order is the order in which captures are
/// counted when several fields of one rule have a `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateField {
    /// URI subject alternative name.
    Uri,
    /// DNS subject alternative name.
    Dns,
    /// Email subject alternative name.
    Email,
    /// Common name of the subject.
    Cn,
    /// Organisational unit of the subject.
    Ou,
}

impl CertificateField {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Uri, Self::Dns, Self::Email, Self::Cn, Self::Ou];
}

impl fmt::Display for CertificateField {
    /// The key of the policy file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uri => "uri",
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Cn => "cn",
            Self::Ou => "ou",
        })
    }
}
