//! Who asks. A verified certificate, or the user at a Unix socket, becomes one identity or a refusal with
//! a reason, never a guess.
//!
//! Everything here is pure: the certificate arrives as bytes that the TLS layer has already verified
//! against the client CA, the rules arrive compiled, and no clock is read: "now" is an argument. So the
//! same code serves the listener, the offline commands and the fuzzer.
//!
//! - [`certificate`] reads the facts out of a leaf and decides nothing; [`peer`] is the user at a socket.
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
mod error;
mod evidence;
pub mod expiry;
mod field;
mod key_usage;
mod letters;
mod matching;
mod nobody;
pub mod pattern;
pub mod peer;
pub mod rule;
mod rule_error;
mod sequence;
pub mod token;
pub mod validity;

pub use certificate::{CertificateFacts, Fingerprint, is_integer};
pub use claim::ClaimPattern;
pub(crate) use distinguished_name::display as shown_name;
pub use error::Unidentified;
pub use evidence::Evidence;
pub use field::CertificateField;
pub use key_usage::{KeyUsageError, check_issues, check_key_usage};
pub(crate) use letters::is_printable;
pub use matching::Match;
pub use nobody::Nobody;
pub use pattern::IdentityName;
pub use peer::{Foreign, PeerFacts, PeerMatch};
pub use rule::{
    Conflict, Identity, IdentityRule, Mode, awaits_a_token, conflicts, identify, supposed,
};
pub use token::{Claims, Issuer, Issuers, KeySet, Tokens, Worthless};
pub use validity::{Validity, ValidityError};
