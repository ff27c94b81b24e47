//! The gate's own socket (L4): for root on the gate's host, to see what goes on and to step in. It can end
//! sessions and give away roles, so it is careful of whom it believes, keeps out of the way of serving, and
//! changes nothing that is not on record first.

mod belief;
pub mod client;
mod desk;
mod listen;
mod not_heard;
mod peer;
mod socket;
mod status;
pub(crate) mod verdict;
pub mod wire;

pub use desk::{Desk, Reload};
pub use listen::serve;
pub(crate) use not_heard::NotHeard;
pub use socket::{ControlError, ControlSocket};
pub(crate) use status::moment;
pub use status::{House, Loads};

/// Where the socket is when nobody says otherwise.
pub const SOCKET: &str = "/run/dockward/control.sock";
