//! A client that writes bytes over TLS, or to a Unix socket, and takes answers apart by hand.

use crate::gate::{OURS, soon};
use crate::pki::{Pair, Wish};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

static PAIRS: LazyLock<Mutex<HashMap<String, Arc<Pair>>>> = LazyLock::new(Mutex::default);

fn pair(name: &str) -> Arc<Pair> {
    let mut pairs = PAIRS.lock().unwrap();
    let issue = || Arc::new(OURS.issue(&Wish::client(name)));
    Arc::clone(pairs.entry(name.to_owned()).or_insert_with(issue))
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(OURS.der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    builder.with_client_auth_cert(chain, key).unwrap()
}

/// A connection of somebody.
pub struct Client<S = TlsStream<TcpStream>> {
    stream: S,
    /// Read and not yet taken.
    ahead: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The words in Docker's `{"message": ..}`.
    pub fn message(&self) -> String {
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        json["message"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    /// It was refused for this.
    pub fn assert_refused(&self, status: u16, reason: &str) {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        assert!(text.contains(&format!("[{reason}]")), "not {reason}: {text}");
    }
}

/// A whole request with a JSON body.
pub fn json(method: &str, target: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// A whole request without a body, with more headers, each ended by CRLF.
pub fn bare(method: &str, target: &str, headers: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: gate\r\n{headers}\r\n")
}

/// The headers of a client that wants the connection.
pub const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: tcp\r\n";

impl Client {
    pub async fn connect(address: SocketAddr, name: &str) -> io::Result<Self> {
        Self::with(address, &pair(name)).await
    }

    /// With a certificate of one's own.
    pub async fn with(address: SocketAddr, pair: &Pair) -> io::Result<Self> {
        Self::over(TcpStream::connect(address).await?, pair).await
    }

    /// From another address of this machine.
    pub async fn from(source: &str, address: SocketAddr, name: &str) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0))?;
        Self::over(socket.connect(address).await?, &pair(name)).await
    }

    /// From another address of this machine, with more certificates than one's own.
    #[allow(dead_code, reason = "for the test of the heaviest bodies, which is elsewhere")]
    pub async fn with_chain(
        source: &str,
        address: SocketAddr,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0))?;
        Self::shown(socket.connect(address).await?, config(chain, key)).await
    }

    async fn over(tcp: TcpStream, pair: &Pair) -> io::Result<Self> {
        Self::shown(tcp, config(pair.chain(), pair.key())).await
    }

    async fn shown(tcp: TcpStream, config: ClientConfig) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        let server = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = soon(connector.connect(server, tcp)).await?;
        Ok(Self { stream, ahead: Vec::new() })
    }

    /// Says that no more comes, in TLS only: the connection itself stays open both ways.
    pub async fn close_notify(&mut self) {
        self.stream.get_mut().1.send_close_notify();
        soon(self.stream.flush()).await.unwrap();
    }

    /// Sends, and says in TLS and in TCP that no more comes, in one go.
    pub async fn send_and_half_close(&mut self, bytes: impl AsRef<[u8]>) {
        let (tcp, tls) = self.stream.get_mut();
        std::io::Write::write_all(&mut tls.writer(), bytes.as_ref()).unwrap();
        tls.send_close_notify();
        let mut sealed = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut sealed).unwrap();
        }
        soon(tcp.write_all(&sealed)).await.unwrap();
        rustix::net::shutdown(&*tcp, rustix::net::Shutdown::Write).unwrap();
    }

    /// Breaks the connection, as a client does that crashes with something unread.
    pub fn reset(self) {
        let tcp = self.stream.get_ref().0;
        rustix::net::sockopt::set_socket_linger(tcp, Some(Duration::ZERO)).unwrap();
    }

    /// Closes our half of the connection without a word of TLS, as Python's `shutdown` does.
    pub fn cut_half(&mut self) {
        let tcp = self.stream.get_ref().0;
        rustix::net::shutdown(tcp, rustix::net::Shutdown::Write).unwrap();
    }
}

impl Client<UnixStream> {
    /// As the user that runs the tests.
    pub async fn at(socket: &Path) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(socket).await?, ahead: Vec::new() })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
        soon(self.stream.flush()).await.unwrap();
    }

    /// Sends to a gate that may have hung up.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        soon(self.stream.write_all(bytes.as_ref())).await?;
        soon(self.stream.flush()).await
    }

    /// Sends one byte after another, slowly, until the gate takes no more. An attacker's pace, which
    /// no condition can stand for; each byte is well within every timeout of its own.
    pub async fn trickle(&mut self, bytes: impl Iterator<Item = u8>) -> usize {
        let mut sent = 0;
        for byte in bytes {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
                read = self.stream.read_buf(&mut self.ahead) => {
                    if !read.is_ok_and(|count| count > 0) {
                        return sent;
                    }
                }
            }
            if self.try_send([byte]).await.is_err() {
                return sent;
            }
            sent += 1;
            assert!(sent < 1000, "taken for ever");
        }
        sent
    }

    pub async fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    pub async fn get(&mut self, target: &str) -> Answer {
        self.ask(bare("GET", target, "")).await
    }

    /// As [`Self::get`], from a gate that may have hung up.
    #[allow(dead_code, reason = "for the test of a thousand reloads, which is elsewhere")]
    pub async fn try_get(&mut self, target: &str) -> io::Result<Answer> {
        self.try_send(bare("GET", target, "")).await?;
        while !self.ahead.windows(4).any(|window| window == b"\r\n\r\n") {
            if self.fill().await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.answer().await)
    }

    /// One response, whole.
    pub async fn answer(&mut self) -> Answer {
        let (status, head) = self.head().await;
        let body = match framing(&head) {
            Framing::Length(length) => self.take(length).await,
            Framing::Chunked => self.chunks().await,
        };
        Answer { status, head, body }
    }

    /// The head of a response, in lower case.
    pub async fn head(&mut self) -> (u16, String) {
        let head = self.up_to(b"\r\n\r\n").await;
        let head = String::from_utf8(head).unwrap().to_lowercase();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head)
    }

    /// One chunk of a body; empty at its end.
    pub async fn chunk(&mut self) -> Vec<u8> {
        let line = String::from_utf8(self.up_to(b"\r\n").await).unwrap();
        let size = usize::from_str_radix(line.trim_end(), 16).expect("a plain chunk size");
        let chunk = self.take(size).await;
        assert_eq!(self.take(2).await, b"\r\n");
        chunk
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut whole = Vec::new();
        loop {
            let chunk = self.chunk().await;
            if chunk.is_empty() {
                return whole;
            }
            whole.extend_from_slice(&chunk);
        }
    }

    /// The next bytes, so many.
    pub async fn take(&mut self, count: usize) -> Vec<u8> {
        while self.ahead.len() < count {
            assert!(self.fill().await.unwrap() > 0, "ended after {:?}", self.ahead);
        }
        self.ahead.drain(..count).collect()
    }

    /// Reads a body of this length and forgets it.
    pub async fn skip(&mut self, mut left: u64) {
        while left > 0 {
            if self.ahead.is_empty() {
                assert!(self.fill().await.unwrap() > 0, "ended {left} bytes early");
            }
            let count = self.ahead.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.ahead.drain(..count);
            left -= count as u64;
        }
    }

    /// Everything until the server's end.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.fill().await.unwrap() > 0 {}
        std::mem::take(&mut self.ahead)
    }

    /// Everything until the connection ends in whatever way.
    pub async fn remains(&mut self) -> Vec<u8> {
        while self.fill().await.is_ok_and(|count| count > 0) {}
        std::mem::take(&mut self.ahead)
    }

    /// Closes our half.
    pub async fn half_close(&mut self) {
        soon(self.stream.shutdown()).await.unwrap();
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.ahead.reserve(64 * 1024);
        soon(self.stream.read_buf(&mut self.ahead)).await
    }

    async fn up_to(&mut self, pattern: &[u8]) -> Vec<u8> {
        loop {
            let found = self.ahead.windows(pattern.len()).position(|window| window == pattern);
            if let Some(at) = found {
                return self.ahead.drain(..at + pattern.len()).collect();
            }
            let read = self.fill().await;
            let so_far = String::from_utf8_lossy(&self.ahead).into_owned();
            assert!(read.is_ok_and(|count| count > 0), "ended after {so_far:?}");
        }
    }
}

enum Framing {
    Length(usize),
    Chunked,
}

fn framing(head: &str) -> Framing {
    if head.contains("\r\ntransfer-encoding: chunked\r\n") {
        return Framing::Chunked;
    }
    let length = head.split("\r\ncontent-length: ").nth(1);
    let length = length.map_or(Ok(0), |rest| rest.split("\r\n").next().unwrap().parse());
    Framing::Length(length.unwrap())
}
