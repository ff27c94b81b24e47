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
mod credentials;
pub mod gate;
mod hall;
pub mod limits;
pub mod listener;
pub mod memory;
pub mod peer;
pub mod receive;
pub mod respond;
mod seat;
pub mod shutdown;
mod socket;
pub mod socket_file;
mod standing;
mod tls;
pub mod trust;
mod turned_away;
mod turns;
mod unserved;
mod untaken;

pub use address::Address;
pub use connected::{Connection, Ending};
pub use connection::Front;
pub use credentials::{Credentials, TlsError, certificates};
pub use gate::{Allotment, ConnectionId, Gate, Peer, RefusedKind, Stranger, Watch};
pub use limits::{PlacePermit, Places, StreamPermit, Streams};
pub use listener::{Entrance, Handed, ListenError, Way};
pub use receive::{BodyMemory, Budget, Unreceived};
pub use respond::ResponseBody;
pub use shutdown::Shutdown;
pub use socket_file::{SocketError, SocketFile};
pub use tls::{Secured, Tls};
pub use trust::{Doubt, NamedCertificate, Trust, Untrusted};
pub(crate) use turned_away::TurnedAway;
pub use turns::JudgingTurn;
pub(crate) use unserved::Unserved;
