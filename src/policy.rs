//! May they (L1): the pure core. No IO, no clock, no async, no logging.
//!
//! [`authorize()`] looks at the head alone, so that nobody's body is read for a verb that was never
//! granted; [`needs`] says what must be looked up; [`decide()`] gives the [`Decision`], with all
//! reasons, or with the request to be sent as the daemon will get it.

pub mod admit;
pub mod authorize;
pub mod decide;
pub mod decision;
pub mod facts;
pub mod grants;
pub mod model;
pub mod pattern;
pub mod profile;
pub mod reason;

pub use authorize::authorize;
pub use decide::{decide, needs};
pub use decision::{Decision, Denial, Finding, Permit};
pub use facts::{Facts, Needs, PathFact, Seen};
pub use model::{Admission, Policy, Role};
pub use profile::Profile;
pub use reason::Reason;
