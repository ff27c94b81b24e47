//! What happened (L2): the log that cannot be quietly edited.

pub mod permitted;

pub use permitted::Permitted;
