//! Where clients come in: a bound address, a Unix socket that we make, or what systemd hands over, and a
//! loop that goes on accepting when the process is out of descriptors and stops when it is asked to.

use super::address::{Address, ClientOrigin};
use super::connection::Front;
use super::gate::Gate;
use super::peer;
use super::shutdown::Live;
use super::socket::Stream;
use super::socket_file::{SocketError, SocketFile};
use super::tls::Tls;
use crate::problem::{Actionable, Problem};
use listenfd::ListenFd;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};

/// How long to leave a listener alone that cannot accept for want of descriptors or memory. The
/// connection stays in the backlog, so without a pause the loop would spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Why there is nowhere to come in.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum ListenError {
    /// The address cannot be bound.
    Bind(SocketAddr, #[source] io::Error),
    /// The Unix socket cannot be made.
    Make(PathBuf, #[source] SocketError),
    /// A socket handed over cannot be listened on.
    Activated(usize, #[source] io::Error),
}

impl Actionable for ListenError {
    fn problem(&self) -> Problem {
        match self {
            Self::Bind(address, error) => Problem::new(
                format!("{address}: cannot listen ({error})"),
                "see who holds the port or choose another",
            ),
            Self::Make(path, error) => error.problem().at(path.display()),
            Self::Activated(index, error) => Problem::new(
                format!("socket {index} handed over by systemd: cannot listen ({error})"),
                "use ListenStream= with an address and a port, or with a path",
            ),
        }
    }
}

/// By what clients of a listener are known.
#[derive(Clone, Debug)]
pub enum Way {
    /// By the certificate that they show in TLS.
    Tls(Tls),
    /// By the user who connected, as the kernel says; without TLS.
    Peer,
}

/// A socket that listens.
#[derive(Debug)]
pub struct Entrance {
    listener: Listener,
    address: Address,
    /// The file that we have made.
    _file: Option<SocketFile>,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The sockets that systemd handed over, each kind in its order.
#[derive(Debug, Default)]
pub struct Handed {
    /// Those with an address and a port.
    pub tcp: VecDeque<Entrance>,
    /// Those with a path.
    pub unix: VecDeque<Entrance>,
}

impl Entrance {
    /// Binds an address. To be called within the runtime.
    ///
    /// # Errors
    /// When it cannot be bound.
    pub async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| ListenError::Bind(address, error))?;
        let address = listener.local_addr().map_err(|error| ListenError::Bind(address, error))?;
        Ok(Self::tcp(listener, address))
    }

    /// Makes a Unix socket with this mode and group; it is removed when the entrance is. To be called
    /// within the runtime.
    ///
    /// # Errors
    /// When it cannot be made, or something else is there.
    pub fn make(path: &Path, mode: u32, group: Option<u32>) -> Result<Self, ListenError> {
        let failed = |error| ListenError::Make(path.to_owned(), error);
        let (listener, file) = SocketFile::listen(path, mode, group).map_err(failed)?;
        let listener = UnixListener::from_std(listener).map_err(|error| failed(error.into()))?;
        let address = Address::Unix(Arc::new(path.to_owned()));
        Ok(Self { listener: Listener::Unix(listener), address, _file: Some(file) })
    }

    const fn tcp(listener: TcpListener, address: SocketAddr) -> Self {
        Self { listener: Listener::Tcp(listener), address: Address::Tcp(address), _file: None }
    }

    /// The address that clients come to, with the port that was really bound.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Accepts until `live` is ending. Each connection is served in a task of its own.
    pub async fn serve<G: Gate>(self, way: Way, front: Arc<Front<G>>, live: Live) {
        let welcome = |stream: Stream, from| {
            // of all the addresses that were bound, the one that this client came to
            let listener = match &stream {
                Stream::Tcp(tcp) => tcp.local_addr().map(Address::Tcp).ok(),
                Stream::Unix(_) => None,
            };
            let listener = listener.unwrap_or_else(|| self.address.clone());
            let (front, way, live) = (Arc::clone(&front), way.clone(), live.clone());
            tokio::spawn(front.welcome(stream, from, listener, way, live));
        };
        let complain = |error: io::Error| {
            front.make_room();
            front.watch().accept_failed(&self.address, &error);
        };
        accept(&self.listener, live.clone(), welcome, complain).await;
    }
}

impl Handed {
    /// The sockets that systemd handed over (`LISTEN_FDS`); none where this is not an activated service.
    /// To be called once, within the runtime.
    ///
    /// # Errors
    /// When one of them is neither a TCP socket nor a Unix socket with a path, or does not listen.
    pub fn over() -> Result<Self, ListenError> {
        let (mut fds, mut handed) = (ListenFd::from_env(), Self::default());
        for index in 0..fds.len() {
            handed.take(&mut fds, index).map_err(|error| ListenError::Activated(index, error))?;
        }
        Ok(handed)
    }

    fn take(&mut self, fds: &mut ListenFd, index: usize) -> io::Result<()> {
        if let Ok(Some(listener)) = fds.take_unix_listener(index) {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            let path = address.as_pathname().ok_or(io::ErrorKind::AddrNotAvailable)?;
            let address = Address::Unix(Arc::new(path.to_owned()));
            let listener = Listener::Unix(UnixListener::from_std(listener)?);
            self.unix.push_back(Entrance { listener, address, _file: None });
            return Ok(());
        }
        let listener = fds.take_tcp_listener(index)?.ok_or(io::ErrorKind::NotFound)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        self.tcp.push_back(Entrance::tcp(TcpListener::from_std(listener)?, address));
        Ok(())
    }
}

/// What accepts: a listener, or a test.
trait Accept {
    fn accept(&self) -> impl Future<Output = io::Result<(Stream, ClientOrigin)>> + Send;
}

impl Accept for Listener {
    async fn accept(&self) -> io::Result<(Stream, ClientOrigin)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                Ok((Stream::Tcp(stream), ClientOrigin::Tcp(from)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let uid = peer::uid(&stream)?;
                Ok((Stream::Unix(stream), ClientOrigin::User(uid)))
            }
        }
    }
}

async fn accept(
    listener: &impl Accept,
    mut live: Live,
    welcome: impl Fn(Stream, ClientOrigin),
    complain: impl Fn(io::Error),
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = live.ending() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => welcome(stream, from),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                complain(error);
                tokio::select! {
                    () = live.ending() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}

/// Errors of a connection that ended in the backlog (accept(2)): the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::{Accept, ClientOrigin, Listener, PAUSE, Stream, accept};
    use crate::proxy::Shutdown;
    use std::cell::{Cell, RefCell};
    use std::io;
    use std::sync::Mutex;
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{Duration, Instant};

    /// Fails as often as it was told to, then accepts.
    struct Poor {
        listener: Listener,
        failures: Mutex<Vec<io::Error>>,
    }

    impl Accept for Poor {
        async fn accept(&self) -> io::Result<(Stream, ClientOrigin)> {
            let failure = self.failures.lock().unwrap().pop();
            match failure {
                Some(error) => Err(error),
                None => self.listener.accept().await,
            }
        }
    }

    #[tokio::test]
    async fn goes_on_without_descriptors_and_does_not_spin() {
        const EMFILE: i32 = 24;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let failures = vec![
            io::ErrorKind::ConnectionAborted.into(),
            io::Error::from_raw_os_error(EMFILE),
            io::Error::from_raw_os_error(EMFILE),
        ];
        let listener = Listener::Tcp(listener);
        let poor = Poor { listener, failures: Mutex::new(failures) };
        let (shutdown, complaints) = (Shutdown::new(), Cell::new(0));
        let (live, started) = (shutdown.live(), Instant::now());
        let served = RefCell::new(None);
        let serve = accept(
            &poor,
            live,
            |_, _| *served.borrow_mut() = Some(started.elapsed()),
            |_| complaints.set(complaints.get() + 1),
        );
        let end = async {
            while served.borrow().is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            shutdown.drain(Duration::from_secs(5)).await
        };
        let both = async { tokio::join!(serve, end) };
        let ((), ended) = tokio::time::timeout(Duration::from_secs(10), both).await.unwrap();
        assert_eq!((complaints.get(), ended), (2, Ok(())));
        assert!(served.take().unwrap() >= PAUSE * 2);
    }
}
