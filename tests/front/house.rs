//! A front that runs, a gate without judgement, and clients that write bytes.

use crate::pki::{Authority, Pair, Wish};
use dockward::facade::config::FrontLimits;
use dockward::facade::docker::Malformed;
use dockward::facade::identity::{Evidence, Unidentified};
use dockward::facade::proxy::{
    Address, Budget, Connection, Credentials, Entrance, Front, Gate, Peer, RefusedKind,
    ResponseBody, Secured, Shutdown, Stranger, Tls, Unreceived, Watch, Way, receive, respond,
};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc, watch};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The authority of servers and good clients.
pub static OURS: LazyLock<Authority> = LazyLock::new(|| Authority::new("ours"));
static SERVER: LazyLock<Pair> = LazyLock::new(|| OURS.issue(&Wish::server()));
static CI: LazyLock<Pair> = LazyLock::new(|| OURS.issue(&Wish::client("ci")));

/// Nothing here takes that long.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("took longer than 20 s")
}

/// The files of a listener.
pub struct Files {
    pub directory: tempfile::TempDir,
}

impl Files {
    pub fn new() -> Self {
        let files = Self { directory: tempfile::tempdir().unwrap() };
        files.write("server.pem", &SERVER.certificate);
        files.write("server-key.pem", &SERVER.key);
        files.write("ca.pem", &OURS.certificate);
        files
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(self.path(name), text).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }

    pub fn credentials(&self) -> Credentials {
        Credentials {
            certificate: self.path("server.pem"),
            key: self.path("server-key.pem"),
            client_ca: self.path("ca.pem"),
            crl: None,
            accept_expired_crl: false,
            deny: None,
            tls12: false,
        }
    }
}

/// Remembers what it was told.
#[derive(Debug)]
pub struct Ledger(watch::Sender<Vec<(RefusedKind, String)>>);

impl Ledger {
    /// Waits for so many refusals; more than that fail.
    pub async fn entries(&self, count: usize) -> Vec<(RefusedKind, String)> {
        let mut seen = self.0.subscribe();
        let all = soon(seen.wait_for(|all| all.len() >= count)).await.unwrap().clone();
        assert_eq!(all.len(), count, "{all:?}");
        all
    }

    /// Waits for a refusal of this kind.
    pub async fn refused(&self, kind: RefusedKind) -> String {
        let mut seen = self.0.subscribe();
        let there = |all: &Vec<(RefusedKind, String)>| all.iter().any(|(k, _)| *k == kind);
        let all = soon(seen.wait_for(there)).await.unwrap();
        all.iter().find(|(k, _)| *k == kind).unwrap().1.clone()
    }
}

impl Watch for Ledger {
    fn refused(&self, _: &Peer, _: Option<&str>, kind: RefusedKind, detail: String) {
        self.0.send_modify(|all| all.push((kind, detail)));
    }

    fn accept_failed(&self, listener: &Address, error: &io::Error) {
        panic!("{listener}: {error}");
    }
}

/// Does as the path says. Knows everybody but `nobody`.
pub struct Clerk {
    budget: Budget,
    pub release: Notify,
    pub events: mpsc::UnboundedSender<&'static str>,
}

impl Gate for Clerk {
    type Who = String;

    fn identify(&self, evidence: &Evidence, _: &Peer) -> Result<String, Unidentified> {
        match evidence.certificate().and_then(|facts| facts.common_names.first()) {
            Some(name) if name != "nobody" => Ok(name.clone()),
            _ => Err(Unidentified::Unknown(Vec::new())),
        }
    }

    fn name<'a>(&self, who: &'a String) -> &'a str {
        who
    }

    async fn turn_away(&self, stranger: Arc<Stranger>, _: Parts) -> Response<ResponseBody> {
        respond::stranger(&stranger.why)
    }

    async fn handle(
        &self,
        connection: Arc<Connection<String>>,
        request: Request<Incoming>,
    ) -> Response<ResponseBody> {
        let (head, body) = request.into_parts();
        match head.uri.path() {
            "/inspect" => self.inspect(&connection.who, &head, body).await,
            "/opaque" => opaque(body).await,
            "/refuse" => {
                let refusal = respond::message(StatusCode::FORBIDDEN, "not you");
                receive::answer_unread(refusal, &head.headers, body)
            }
            "/hold" => {
                self.events.send("held").unwrap();
                self.release.notified().await;
                ok("released")
            }
            "/gone" => {
                self.events.send("waiting").unwrap();
                let (events, live) = (self.events.clone(), connection.live.clone());
                tokio::spawn(async move {
                    connection.gone().await;
                    events.send("gone").unwrap();
                    drop(live);
                });
                std::future::pending().await
            }
            "/tunnel" => tunnel(Request::from_parts(head, body)),
            "/tls" => ok(connection.peer.tls),
            _ => ok(&connection.who),
        }
    }
}

impl Clerk {
    async fn inspect(
        &self,
        whose: &str,
        head: &Parts,
        mut body: Incoming,
    ) -> Response<ResponseBody> {
        match self.budget.inspected(whose, &mut body).await {
            Ok(received) if head.uri.query() == Some("keep") => {
                self.events.send("kept").unwrap();
                self.release.notified().await;
                ok(&received.bytes.len().to_string())
            }
            Ok(received) => ok(&received.bytes.len().to_string()),
            Err(error) => {
                receive::answer_unread(respond::unreceived(&error, None), &head.headers, body)
            }
        }
    }
}

async fn opaque(body: Incoming) -> Response<ResponseBody> {
    match receive::opaque(receive::Received::default(), body).collect().await {
        Ok(all) => ok(&all.to_bytes().len().to_string()),
        Err(receive::StreamError::Trailers(flaw)) => refuse(flaw),
        Err(error) => panic!("{error}"),
    }
}

fn refuse(flaw: Malformed) -> Response<ResponseBody> {
    respond::unreceived(&Unreceived::from(flaw), None)
}

fn tunnel(mut request: Request<Incoming>) -> Response<ResponseBody> {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut raw = TokioIo::new(upgrade.await.unwrap());
        let mut all = Vec::new();
        raw.read_to_end(&mut all).await.unwrap();
        raw.write_all(&all).await.unwrap();
        raw.shutdown().await.unwrap();
    });
    let mut response = Response::new(respond::full(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert("connection", "Upgrade".parse().unwrap());
    headers.insert("upgrade", "tcp".parse().unwrap());
    response
}

fn ok(text: &str) -> Response<ResponseBody> {
    Response::new(respond::full(text.to_owned()))
}

/// A front that runs until it is dropped.
pub struct House {
    pub address: SocketAddr,
    pub front: Arc<Front<Clerk>>,
    pub clerk: Arc<Clerk>,
    pub ledger: Arc<Ledger>,
    pub shutdown: Shutdown,
    pub tls: Tls,
    pub files: Files,
    events: Mutex<mpsc::UnboundedReceiver<&'static str>>,
}

impl House {
    pub async fn open(limits: FrontLimits) -> Self {
        Self::with(limits, |_| {}).await
    }

    pub async fn with(limits: FrontLimits, change: impl FnOnce(&mut Credentials)) -> Self {
        let files = Files::new();
        let mut credentials = files.credentials();
        change(&mut credentials);
        let (secured, warnings) = Secured::load(&credentials, now()).unwrap();
        assert_eq!(warnings, Vec::<String>::new());
        let tls = Tls::new(secured);
        let (sender, events) = mpsc::unbounded_channel();
        let budget = Budget::new(&limits);
        let clerk = Arc::new(Clerk { budget, release: Notify::new(), events: sender });
        let ledger = Arc::new(Ledger(watch::Sender::new(Vec::new())));
        let front = Front::new(limits, Arc::clone(&clerk), Arc::clone(&ledger) as Arc<dyn Watch>);
        let entrance = Entrance::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let Address::Tcp(address) = *entrance.address() else { panic!("it is TCP") };
        let shutdown = Shutdown::new();
        tokio::spawn(entrance.serve(Way::Tls(tls.clone()), Arc::clone(&front), shutdown.live()));
        let events = Mutex::new(events);
        Self { address, front, clerk, ledger, shutdown, tls, files, events }
    }

    /// Waits until the gate says so.
    #[expect(clippy::await_holding_lock, reason = "only the test itself takes the lock")]
    pub async fn event(&self, expected: &str) {
        let event = soon(self.events.lock().unwrap().recv()).await.unwrap();
        assert_eq!(event, expected);
    }

    /// A connection of `ci`.
    pub async fn client(&self) -> Client {
        self.connect(client_config(Some(&CI))).await.unwrap()
    }

    /// A connection of somebody else.
    pub async fn client_of(&self, name: &str) -> Client {
        let pair = OURS.issue(&Wish::client(name));
        self.connect(client_config(Some(&pair))).await.unwrap()
    }

    pub async fn connect(&self, config: ClientConfig) -> io::Result<Client> {
        let tcp = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let tls = soon(TlsConnector::from(Arc::new(config)).connect(name, tcp)).await?;
        Ok(Client(tls))
    }

    /// Waits until nobody is connected any more.
    pub async fn empty(&self) {
        let empty = async {
            while self.front.connections() > 0 {
                tokio::task::yield_now().await;
            }
        };
        soon(empty).await;
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap()
}

/// A client's TLS as most have it; without a certificate if there is none.
pub fn client_config(pair: Option<&Pair>) -> ClientConfig {
    client_config_of(pair, &[&rustls::version::TLS13])
}

pub fn client_config_of(
    pair: Option<&Pair>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(OURS.der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    match pair {
        Some(pair) => builder.with_client_auth_cert(pair.chain(), pair.key()).unwrap(),
        None => builder.with_no_client_auth(),
    }
}

/// A client that writes and reads bytes.
pub struct Client(pub TlsStream<TcpStream>);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Client {
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.0.write_all(bytes.as_ref())).await.unwrap();
        soon(self.0.flush()).await.unwrap();
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: docker\r\n\r\n")).await;
        self.answer().await
    }

    /// One response with a Content-Length.
    pub async fn answer(&mut self) -> Answer {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let byte = soon(self.0.read_u8()).await.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&bytes))
            });
            bytes.push(byte);
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .map_or(0, |rest| rest.split("\r\n").next().unwrap().parse::<usize>().unwrap());
        let mut body = vec![0; length];
        soon(self.0.read_exact(&mut body)).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: String::from_utf8(body).unwrap() }
    }

    /// Everything until the end, and how it ended.
    pub async fn rest(&mut self) -> (Vec<u8>, io::Result<usize>) {
        let mut all = Vec::new();
        let ended = soon(self.0.read_to_end(&mut all)).await;
        (all, ended)
    }

    /// The server said its end properly, with nothing more before it.
    pub async fn assert_closed(&mut self) {
        let (rest, ended) = self.rest().await;
        assert_eq!((rest.as_slice(), ended.unwrap()), (&b""[..], 0));
    }
}

impl Answer {
    pub fn message(&self) -> String {
        assert!(self.head.contains("content-type: application/json"), "{self:?}");
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        json["message"].as_str().unwrap().to_owned()
    }
}

/// A directory's path, for messages.
pub fn named(path: &Path) -> String {
    path.display().to_string()
}
