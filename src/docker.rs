//! What is asked (L0): the request made typed, or refused because it can be read in two ways.
//!
//! Everything here is pure: no IO, no clock, no async. [`classify()`] turns a request head into a
//! [`CallHead`] by the [`ROUTES`] table; [`body::read`] turns the body's bytes into a typed
//! [`body::Body`]; [`Outbound`] is the request as the daemon will get it, written by us from the
//! typed values alone.

pub mod archive;
pub mod body;
pub mod call;
pub mod classify;
pub mod credentials;
pub mod headers;
pub mod image;
pub mod json;
pub mod left_out;
pub mod malformed;
pub mod mentions;
pub mod outbound;
pub mod path;
pub mod query;
mod request;
pub mod route;
pub mod routes;
pub mod verb;
pub mod version;

pub use call::{ApiCall, CallHead, Framing};
pub use classify::classify;
pub use malformed::{Flaw, Malformed};
pub use mentions::{Mention, Object, Spot, Use};
pub use outbound::{Outbound, OutboundBody, check_target};
pub use request::{Accepted, RequestHead};
pub use route::{BodyKind, Hijack, Life, Method, Route};
pub use routes::ROUTES;
pub use verb::{Group, Resource, Verb};
pub use version::ApiVersion;
