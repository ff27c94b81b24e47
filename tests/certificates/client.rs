//! A client that shows whatever it is given, and what it meets with.

use rustls::client::ResolvesClientCert;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What a client met with.
#[derive(Debug, PartialEq, Eq)]
pub enum Met {
    /// The fatal alert of a handshake that failed.
    Alert(String),
    /// The end of the connection, in order and without a word.
    End,
    /// An answer, and whether the connection then ended in order.
    Answer { status: u16, text: String, closed: bool },
    /// Anything else, which is wrong.
    Broken(String),
}

/// Whence, whither, with what.
pub struct Client {
    pub source: Ipv4Addr,
    pub door: SocketAddr,
    pub tls12: bool,
    pub root: CertificateDer<'static>,
    pub shows: Option<Arc<CertifiedKey>>,
}

impl Client {
    /// Connects and asks. In TLS 1.3 the client's side of a handshake is over before the gate has seen
    /// its certificate: a refusal is what it reads first. So it always asks, and then reads.
    pub async fn ask(&self) -> Met {
        let asked = tokio::time::timeout(Duration::from_secs(30), self.connect_and_ask());
        asked.await.unwrap_or_else(|_| Met::Broken("nothing for 30 s".to_owned()))
    }

    async fn connect_and_ask(&self) -> Met {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(self.source.into(), 0)).unwrap();
        let stream = socket.connect(self.door).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connect = TlsConnector::from(Arc::new(self.config())).connect(name, stream);
        let mut stream = match connect.await {
            Ok(stream) => stream,
            Err(error) => return refused(&error),
        };
        let ask = b"GET /_ping HTTP/1.1\r\nHost: gate\r\n\r\n";
        // a gate that has refused may have gone by now: what it said is still to be read
        let _ = stream.write_all(ask).await;
        let _ = stream.flush().await;
        answer(&mut stream).await
    }

    fn config(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let versions = match self.tls12 {
            true => &[&rustls::version::TLS12],
            false => &[&rustls::version::TLS13],
        };
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(Shows(self.shows.clone())))
    }
}

async fn answer(stream: &mut TlsStream<TcpStream>) -> Met {
    let mut bytes = Vec::new();
    loop {
        if let Some((status, text)) = whole(&bytes) {
            // a stranger's connection ends here; that of anybody else stays
            let closed = status == 403 && matches!(stream.read(&mut [0; 1]).await, Ok(0));
            return Met::Answer { status, text, closed };
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) => return Met::Broken(format!("ended after {bytes:?}")),
            Ok(_) => {}
            Err(error) if bytes.is_empty() => return refused(&error),
            Err(error) => return Met::Broken(format!("{error} after {bytes:?}")),
        }
    }
}

/// Status and text of an answer that is there to its last byte.
fn whole(bytes: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length = head.split("\r\ncontent-length: ").nth(1)?.split("\r\n").next()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    (body.len() == length.parse::<usize>().unwrap()).then(|| (status, text.to_owned()))
}

fn refused(error: &io::Error) -> Met {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(alert)) => Met::Alert(format!("{alert:?}")),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => Met::End,
        _ => Met::Broken(error.to_string()),
    }
}

#[derive(Debug)]
struct Shows(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}
