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

/// How long an answer may take. A stream without an end is cut here, which is no fault.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long an answer may be silent once it has begun.
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

    /// Sends the bytes on a connection of their own and reads one answer.
    pub(crate) fn send(&self, request: &[u8]) -> Came {
        match self {
            Self::Gate(port, config) => {
                let socket = TcpStream::connect(("127.0.0.1", *port)).unwrap();
                socket.set_read_timeout(Some(SILENCE)).unwrap();
                let name = ServerName::try_from("127.0.0.1").unwrap();
                let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
                answer(StreamOwned::new(tls, socket), request)
            }
            Self::Daemon(path) => {
                let socket = UnixStream::connect(path).unwrap();
                socket.set_read_timeout(Some(SILENCE)).unwrap();
                answer(socket, request)
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

fn answer(mut stream: impl Read + Write, request: &[u8]) -> Came {
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
            Err(error) if is_silence(&error) && bytes.is_empty() && began.elapsed() < PATIENCE => {}
            _ => return parts(&bytes).unwrap_or_default(),
        }
        if began.elapsed() > PATIENCE {
            return parts(&bytes).unwrap_or_default();
        }
    }
}

fn is_silence(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

/// The head, and what of the body is there.
fn parts(bytes: &[u8]) -> Option<Came> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parts(body.as_bytes());
    }
    Some(Came { status, head: head.to_owned(), body: body.to_owned() })
}

/// The answer, where its own framing says that it is whole.
fn whole(bytes: &[u8], to_head: bool) -> Option<Came> {
    let mut came = parts(bytes)?;
    let fields = came.head.to_ascii_lowercase();
    let length = fields.lines().find_map(|line| line.strip_prefix("content-length:"));
    let bodiless = to_head || matches!(came.status, 101 | 204 | 304);
    if bodiless {
        return Some(came);
    }
    if let Some(length) = length {
        return (came.body.len() >= length.trim().parse().ok()?).then_some(came);
    }
    if fields.contains("transfer-encoding: chunked") {
        came.body = unchunked(&came.body)?;
        return Some(came);
    }
    None
}

fn unchunked(mut text: &str) -> Option<String> {
    let mut out = String::new();
    loop {
        let (size, rest) = text.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(out);
        }
        out.push_str(rest.get(..size)?);
        text = rest.get(size + 2..)?;
    }
}
