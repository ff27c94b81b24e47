//! Who asks. A verified certificate becomes one identity or a refusal with a reason, never a guess.
//!
//! Everything here is pure: the certificate arrives as bytes that the TLS layer has already verified
//! against the client CA, the rules arrive compiled, and no clock is read: "now" is an argument. So the same code serves
//! the listener, the offline commands and the fuzzer.
//!
//! - [`certificate`] reads the facts out of a leaf and decides nothing.
//! - [`pattern`] holds the two small languages of the policy file: what a value may look like, and
//!   which name comes out of it.
//! - [`rule`] puts both together.
//! - [`validity`] says when an identity may come in.
//! - [`expiry`] says when a certificate is near its end.
//! - [`token`] proves the ID token of a CI job, which may be asked for beside the certificate; what
//!   is asked of its claims is in [`claim`].

pub mod certificate;
pub mod claim;
mod distinguished_name;
pub mod error;
pub mod expiry;
mod matching;
pub mod pattern;
pub mod rule;
mod sequence;
pub mod token;
pub mod validity;

pub use certificate::{CertificateFacts, Fingerprint};
pub use claim::ClaimPattern;
pub(crate) use distinguished_name::display as shown_name;
pub use error::{IdentityError, PatternError, RuleError, Unidentified, ValidityError};
pub use pattern::{IdentityName, NameTemplate, Pattern};
pub use rule::{Conflict, Field, Identity, Match, Mode, Rule, conflicts, identify, supposed};
pub use token::{Claims, Issuer, Issuers, KeySet, TokenError, Tokens};
pub use validity::{Closed, Validity};
