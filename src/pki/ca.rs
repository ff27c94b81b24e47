//! The authority of `dockward certs`: a root, an issuing CA, an index of what was issued, and the lists of
//! what was revoked, in one directory. Everything that changes it goes through [`Ca`], which holds the
//! directory's lock, so that two commands at once never lose one another's certificate.

mod authority;
mod index;
mod init;
mod issue;
mod keep;
mod keys;
pub mod layout;
mod lifetime;
mod lists;
mod names;
mod open;
mod pem;
mod renew;
mod request;
mod revocation;
mod revoke;
mod sealed;
mod serial;
mod store;

pub use authority::Which;
pub use index::{CertificateKind, CertificateState, Index, IndexEntry};
pub use init::{Made, Plan, init};
pub use issue::{Delivery, Issued, Wish};
pub use keys::KeyKind;
pub use lifetime::Lifetime;
pub use names::with_local;
pub use open::Ca;
pub use renew::Former;
pub use revocation::RevocationReason;
pub use revoke::{Revoked, Selection};
pub use sealed::Passphrase;
pub use serial::Serial;
pub use store::read;

#[cfg(test)]
mod tests;
