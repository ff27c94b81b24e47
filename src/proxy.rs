//! The client's side (L3): listeners, TLS, connections, the receiving of bodies, and the one place
//! where an error becomes HTTP. It decides nothing: who somebody is and what a request may do
//! is asked of a [`Gate`], and what never became a request is told to a [`Watch`].
//!
//! hyper is the parser and nothing stands beside it. What this room adds is bounds (places, times,
//! bytes) and a line that shows when the client is gone.

mod address;
mod clock;
pub mod connected;
pub mod connection;
pub mod gate;
pub mod limits;
pub mod listener;
pub mod memory;
pub mod peer;
pub mod receive;
pub mod respond;
pub mod shutdown;
mod socket;
pub mod socket_file;
mod standing;
pub mod tls;
pub mod trust;
mod turned_away;
mod untaken;

pub use address::{Address, ClientOrigin};
pub use connected::{Connection, Ending};
pub use connection::Front;
pub use gate::{ConnectionId, Gate, Peer, RefusedKind, Stranger, Watch};
pub use limits::{Places, StreamPermit, Streams, TooMany};
pub use listener::{Entrance, Handed, ListenError, Way};
pub use receive::{Budget, Opaque, Received, Unreceived};
pub use respond::ResponseBody;
pub use shutdown::{Live, Shutdown};
pub use socket_file::{SocketError, SocketFile};
pub use standing::Standing;
pub use tls::{Credentials, Secured, Tls, TlsError};
pub use trust::{Doubt, Trust, Untrusted};
pub(crate) use turned_away::TurnedAway;
