//! Requests byte for byte, to the gate over TLS and to the daemon's socket: no client in between that would
//! tidy them up.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long an answer that must come may take, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// How much is seen of an answer that has no end: it is cut here, which is no fault.
const GLIMPSE: Duration = Duration::from_secs(1);
/// How long one of these may be silent once it has begun.
const SILENCE: Duration = Duration::from_millis(200);
/// How much of an answer is kept.
const KEPT: usize = 1 << 20;

/// Where requests go.
pub(crate) enum Wire {
    /// The gate, as one client.
    Gate(u16, Arc<ClientConfig>),
    /// A daemon's socket.
    Daemon(PathBuf),
}

/// What came back; status 0 where nothing did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Came {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Wire {
    /// Through the gate, with the certificate in a client's bundle.
    pub(crate) fn gate(port: u16, bundle: &Path) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let mut roots = RootCertStore::empty();
        for ca in CertificateDer::pem_file_iter(bundle.join("ca.pem")).unwrap() {
            roots.add(ca.unwrap()).unwrap();
        }
        let chain = CertificateDer::pem_file_iter(bundle.join("cert.pem")).unwrap();
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(bundle.join("key.pem")).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        Self::Gate(port, Arc::new(config.with_client_auth_cert(chain, key).unwrap()))
    }

    /// Sends the bytes on a connection of their own and reads one answer: all of it, unless it is one that
    /// need not end.
    pub(crate) fn send(&self, request: &[u8]) -> Came {
        self.exchange(request, is_endless(request))
    }

    /// The same for what must be refused: an answer that is there in the end, whatever was asked.
    pub(crate) fn send_in_vain(&self, request: &[u8]) -> Came {
        self.exchange(request, false)
    }

    fn exchange(&self, request: &[u8], endless: bool) -> Came {
        match self {
            Self::Gate(port, config) => {
                let socket = TcpStream::connect(("127.0.0.1", *port)).unwrap();
                socket.set_read_timeout(Some(SILENCE)).unwrap();
                let name = ServerName::try_from("127.0.0.1").unwrap();
                let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
                answer(StreamOwned::new(tls, socket), request, endless)
            }
            Self::Daemon(path) => {
                let socket = UnixStream::connect(path).unwrap();
                socket.set_read_timeout(Some(SILENCE)).unwrap();
                answer(socket, request, endless)
            }
        }
    }

    /// A request with plain framing.
    pub(crate) fn ask(&self, method: &str, target: &str, body: &str) -> Came {
        self.send(&request(method, target, body))
    }
}

/// The bytes of a request with plain framing: JSON where there is a body.
pub(crate) fn request(method: &str, target: &str, body: &str) -> Vec<u8> {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: docker\r\n{kind}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Whether the daemon may go on answering, or not begin, for as long as something does not happen, or for
/// as long as it was asked to.
fn is_endless(request: &[u8]) -> bool {
    let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line).to_lowercase();
    ["/events", "/stats", "/attach", "/wait", "/session", "/grpc", "/pprof/profile", "follow"]
        .iter()
        .any(|word| line.contains(word))
}

fn answer(mut stream: impl Read + Write, request: &[u8], endless: bool) -> Came {
    // a refusal may come before all is sent
    let _ = stream.write_all(request).and_then(|()| stream.flush());
    let (mut bytes, began) = (Vec::new(), Instant::now());
    loop {
        if let Some(came) = whole(&bytes, request.starts_with(b"HEAD ")) {
            return came;
        }
        let mut piece = [0; 64 * 1024];
        match stream.read(&mut piece) {
            Ok(count) if count > 0 && bytes.len() < KEPT => bytes.extend(&piece[..count]),
            Err(error) if is_silence(&error) && (bytes.is_empty() || !endless) => {}
            _ => return parts(&bytes).unwrap_or_default(),
        }
        if began.elapsed() > if endless { GLIMPSE } else { PATIENCE } {
            return parts(&bytes).unwrap_or_default();
        }
    }
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The head, and what of the body is there, as it came.
fn split(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (bytes.get(..end)?, bytes.get(end + 4..)?);
    let status = head.split(|byte| *byte == b' ').nth(1)?;
    let status = std::str::from_utf8(status).ok()?.parse().ok()?;
    if status == 100 { split(body) } else { Some((status, head, body)) }
}

fn came(status: u16, head: &[u8], body: &[u8]) -> Came {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Came { status, head: text(head), body: text(body) }
}

/// What is there of an answer that was cut.
fn parts(bytes: &[u8]) -> Option<Came> {
    split(bytes).map(|(status, head, body)| came(status, head, body))
}

/// The answer, where its own framing says that it is whole.
fn whole(bytes: &[u8], to_head: bool) -> Option<Came> {
    let (status, head, body) = split(bytes)?;
    if to_head || matches!(status, 101 | 204 | 304) {
        return Some(came(status, head, body));
    }
    let fields = String::from_utf8_lossy(head).to_ascii_lowercase();
    if let Some(length) = fields.lines().find_map(|line| line.strip_prefix("content-length:")) {
        return (body.len() >= length.trim().parse().ok()?).then(|| came(status, head, body));
    }
    if fields.contains("transfer-encoding: chunked") {
        return Some(came(status, head, &unchunked(body)?));
    }
    None
}

fn unchunked(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(out);
        }
        out.extend(bytes.get(end + 2..end + 2 + size)?);
        bytes = bytes.get(end + size + 4..)?;
    }
}
