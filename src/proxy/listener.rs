//! Where clients come in: a bound address or a socket that systemd hands over, and a loop that goes
//! on accepting when the process is out of descriptors and stops when it is asked to.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::{TcpListener, TcpStream};

use super::connection::Front;
use super::gate::Gate;
use super::shutdown::Live;
use super::tls::Tls;

/// How long to leave a listener alone that cannot accept for want of descriptors or memory. The
/// connection stays in the backlog, so without a pause the loop would spin.
const PAUSE: Duration = Duration::from_millis(100);

/// Why there is nowhere to come in.
#[derive(Debug)]
pub enum ListenError {
    /// The address cannot be bound.
    Bind(SocketAddr, io::Error),
    /// A socket handed over cannot be listened on.
    Activated(usize, io::Error),
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(address, error) => write!(
                f,
                "{address}: cannot listen ({error}), see who holds the port or choose another"
            ),
            Self::Activated(index, error) => write!(
                f,
                "socket {index} handed over by systemd: cannot listen ({error}), use ListenStream= \
                 with an address and a port"
            ),
        }
    }
}

impl std::error::Error for ListenError {}

/// A socket that listens.
#[derive(Debug)]
pub struct Entrance {
    listener: TcpListener,
    address: SocketAddr,
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
        Ok(Self { listener, address })
    }

    /// The sockets that systemd handed over (`LISTEN_FDS`), in its order; none where this is not an
    /// activated service. To be called once, within the runtime.
    ///
    /// # Errors
    /// When one of them is no TCP socket that listens.
    pub fn activated() -> Result<Vec<Self>, ListenError> {
        let mut handed = ListenFd::from_env();
        (0..handed.len())
            .map(|index| {
                Self::take(&mut handed, index).map_err(|e| ListenError::Activated(index, e))
            })
            .collect()
    }

    fn take(handed: &mut ListenFd, index: usize) -> io::Result<Self> {
        let listener = handed.take_tcp_listener(index)?.ok_or(io::ErrorKind::NotFound)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self { listener: TcpListener::from_std(listener)?, address })
    }

    /// The address that clients come to, with the port that was really bound.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `live` is ending. Each connection is served in a task of its own.
    pub async fn serve<G: Gate>(self, tls: Tls, front: Arc<Front<G>>, live: Live) {
        let welcome = |stream, address| {
            tokio::spawn(Arc::clone(&front).welcome(stream, address, tls.clone(), live.clone()));
        };
        let complain = |error: io::Error| front.watch().accept_failed(self.address, &error);
        accept(&self.listener, live.clone(), welcome, complain).await;
    }
}

/// What accepts: a listener, or a test.
trait Accept {
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send {
        Self::accept(self)
    }
}

async fn accept(
    listener: &impl Accept,
    mut live: Live,
    welcome: impl Fn(TcpStream, SocketAddr),
    complain: impl Fn(io::Error),
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = live.ending() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => welcome(stream, address),
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
    use std::cell::{Cell, RefCell};
    use std::io;
    use std::net::SocketAddr;
    use std::sync::Mutex;

    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::{Duration, Instant};

    use super::{Accept, PAUSE, accept};
    use crate::proxy::Shutdown;

    /// Fails as often as it was told to, then accepts.
    struct Poor {
        listener: TcpListener,
        failures: Mutex<Vec<io::Error>>,
    }

    impl Accept for Poor {
        async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
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
