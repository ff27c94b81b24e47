//! The small certificate authority. Trying the gate must not begin with an afternoon of openssl, so
//! `quickstart` and the tests make their own keys here, in the layout that Docker's clients read; and
//! `certs` keeps an authority for use: it issues, renews and revokes.

pub mod bundle;
pub mod ca;
pub mod demo;
pub mod error;
mod say;

pub use bundle::Bundle;
pub use demo::{DemoPki, make};
pub use error::PkiError;
