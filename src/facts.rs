//! Answers to what policy needs to know of the world and cannot know by itself. Everything here reads,
//! reports as plain data, and decides nothing.

pub mod gather;
pub mod host_path;
mod inside;
pub mod inspected;
pub mod look;
pub mod mounts;
pub mod protected;
mod remembered;
mod usage;

pub use gather::{Gatherer, Unsettled};
pub use protected::{GatePaths, protected};
pub use remembered::{Moment, REMEMBERED};
pub use usage::{Reservation, Unreserved, Usages};
