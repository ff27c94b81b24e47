//! May they (L1): the pure core. No IO, no clock, no async, no logging.
//!
//! [`hear`] begins a judgement: it looks at the head alone, so that nobody's body is read for a verb that was never
//! granted; what follows, down to the [`Decision`], can be reached by no other way ([`judgement`]). A decision is a
//! [`Denial`] with all reasons, or a [`Permit`] that holds the request as the daemon will get it.

pub mod admit;
mod alias;
pub mod answer;
mod authorize;
mod bridge;
pub mod change;
mod decide;
pub mod decision;
pub mod facts;
pub mod glob;
pub mod grants;
pub mod judgement;
pub mod manner;
pub mod model;
mod outgoing;
pub mod own;
pub mod owner;
pub mod permit;
pub mod placeholder;
pub mod profile;
pub mod quota;
pub mod reason;
mod redacted;
pub mod scope;
mod shortened;
pub mod sight;
mod spelling;
mod stamp;
mod subject;
pub mod terms;
mod whose;

pub use decision::{Decision, Denial, Finding};
pub use facts::{Facts, Needs, PathFact, Seen};
pub use judgement::{Asking, Heard, Next, Settled, hear};
pub use model::{Admission, Policy, Role};
pub use permit::Permit;
pub use profile::Profile;
pub use reason::Reason;
pub use spelling::place;
