//! Why a certificate was revoked: the words of the command line, the index and the list.

use super::super::error::PkiError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// When and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// When it was revoked.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// A reason of RFC 5280, 5.3.1; those that make sense for this authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevocationReason {
    /// Somebody else may have the key.
    KeyCompromise,
    /// Another certificate took its place.
    Superseded,
    /// What had it is no more.
    Cessation,
    /// Who had it has moved on.
    AffiliationChanged,
    /// Not said.
    Unspecified,
    /// Who has it may no longer come.
    PrivilegeWithdrawn,
}

impl RevocationReason {
    /// Its code in a list; none for unspecified, as RFC 5280 asks for.
    pub(super) const fn code(self) -> Option<rcgen::RevocationReason> {
        match self {
            Self::KeyCompromise => Some(rcgen::RevocationReason::KeyCompromise),
            Self::Superseded => Some(rcgen::RevocationReason::Superseded),
            Self::Cessation => Some(rcgen::RevocationReason::CessationOfOperation),
            Self::AffiliationChanged => Some(rcgen::RevocationReason::AffiliationChanged),
            Self::Unspecified => None,
            Self::PrivilegeWithdrawn => Some(rcgen::RevocationReason::PrivilegeWithdrawn),
        }
    }
}

impl FromStr for RevocationReason {
    type Err = PkiError;

    fn from_str(text: &str) -> Result<Self, PkiError> {
        serde_json::from_value(text.into()).map_err(|_| PkiError::Reason(text.to_owned()))
    }
}

impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
