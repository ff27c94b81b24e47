//! The small certificate authority. Trying the gate must not begin with an afternoon of openssl, so
//! `quickstart` and `certs` make one here that issues, renews and revokes, in the layout that Docker's
//! clients read.

pub mod bundle;
pub mod ca;
pub mod error;

pub use bundle::Bundle;
pub use error::PkiError;
