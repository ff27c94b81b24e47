//! The whole gate against a synthetic daemon: real TLS on loopback, policy, body inspection and log
//! on; and the same requests straight to the daemon's socket, so that one run gives the ratio.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make a public function; a bench stops at what it cannot do"
)]

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use dockward::facade::proxy::Address;
use dockward::facade::server::Server;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use pki::{Authority, Wish};
use rustls::pki_types::ServerName;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;

#[path = "../tests/support/pki.rs"]
mod pki;

const VERSION: &str = r#"{"ApiVersion":"1.47","MinAPIVersion":"1.24"}"#;
const CREATED: &str =
    r#"{"Id":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","Warnings":[]}"#;
/// The image of the create; nothing else is judged of it.
const IMAGE: &str = r#"{"Id":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","RepoDigests":["registry.example.com/team/app@sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"],"GraphDriver":{"Name":"overlay2","Data":{"UpperDir":"/u"}},"Config":{}}"#;

/// Answers every request of a connection: `/version`, images, creates, everything else with an empty list.
async fn serve(mut stream: UnixStream) {
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(_) => continue,
            }
        };
        let head = String::from_utf8_lossy(buffer.get(..end).unwrap()).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let whole = end + 4 + length.map_or(0, |l| l.trim().parse::<usize>().unwrap());
        if buffer.len() < whole {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        }
        let (status, body) = match head.split_once("\r\n").unwrap().0 {
            line if line.contains("/version") => ("200 OK", VERSION),
            line if line.contains("/images/") => ("200 OK", IMAGE),
            line if line.starts_with("post") => ("201 Created", CREATED),
            _ => ("200 OK", "[]"),
        };
        buffer.drain(..whole);
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn policy(dir: &Path) -> String {
    format!(
        r#"version: 1
listen: [{{ tls: "127.0.0.1:0", certificate: cert.pem, key: key.pem, client_ca: ca.pem }}]
daemon: {{ socket: "{}" }}
audit: {{ directory: "{}" }}
identities: [{{ name: ci, match: {{ uri: "spiffe://x/ci" }}, roles: [ci] }}]
roles:
  ci:
    scope: any
    admission: baseline
    allow: {{ container: [read, run] }}
    images: {{ run: ["**"] }}
"#,
        dir.join("docker.sock").display(),
        dir.join("audit").display(),
    )
}

type Client = SendRequest<Full<Bytes>>;

/// An authority, with the files of the gate in `dir`.
fn authority(dir: &Path) -> Authority {
    let authority = Authority::new("ca");
    let server = authority.issue(&Wish::server());
    std::fs::write(dir.join("ca.pem"), &authority.certificate).unwrap();
    std::fs::write(dir.join("cert.pem"), server.certificate).unwrap();
    std::fs::write(dir.join("key.pem"), server.key).unwrap();
    authority
}

async fn over_tls(authority: &Authority, address: std::net::SocketAddr) -> Client {
    let client = authority.issue(&Wish::client("ci").uri("spiffe://x/ci"));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_client_auth_cert(client.chain(), client.key())
        .unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let (client, connection) =
        handshake(TokioIo::new(connector.connect(name, stream).await.unwrap())).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn straight(socket: &Path) -> Client {
    let stream = UnixStream::connect(socket).await.unwrap();
    let (client, connection) = handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn ask(client: &mut Client, request: http::Request<Full<Bytes>>) {
    client.ready().await.unwrap();
    let response = client.send_request(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body().collect().await.unwrap();
}

fn get() -> http::Request<Full<Bytes>> {
    http::Request::get("/v1.47/containers/json?all=1")
        .header("host", "docker")
        .body(Full::default())
        .unwrap()
}

fn create(body: &Bytes) -> http::Request<Full<Bytes>> {
    http::Request::post("/v1.47/containers/create?name=web")
        .header("host", "docker")
        .header("content-type", "application/json")
        .body(Full::new(body.clone()))
        .unwrap()
}

fn create_body() -> Bytes {
    let env: Vec<String> =
        (0..60).map(|i| format!("APP_SETTING_{i}=value-{i}-abcdefghijklmnop")).collect();
    let body = serde_json::json!({
        "Image": "registry.example.com/team/app:1.2.3", "Env": env, "Cmd": ["/app/server"],
        "HostConfig": {"NetworkMode": "bridge", "Memory": 268_435_456, "CapDrop": ["ALL"]}
    });
    serde_json::to_vec(&body).unwrap().into()
}

fn gate(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let authority = authority(dir.path());
    let config = dir.path().join("dockward.yaml");
    std::fs::create_dir(dir.path().join("audit")).unwrap();
    std::fs::write(&config, policy(dir.path())).unwrap();
    let socket = dir.path().join("docker.sock");
    let (mut through, mut direct) = runtime.block_on(async {
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        let server = Server::start(&config, |_| ()).await.unwrap();
        let address = server.addresses().find_map(Address::socket).unwrap();
        tokio::spawn(server.run(|| ()));
        let mut through = over_tls(&authority, address).await;
        ask(&mut through, get()).await; // a first request has ten seconds to come
        (through, straight(&socket).await)
    });
    let body = create_body();
    let mut group = c.benchmark_group("gate");
    group.bench_function("GET straight to the daemon", |b| {
        b.iter(|| runtime.block_on(ask(&mut direct, get())));
    });
    group.bench_function("GET through the gate", |b| {
        b.iter(|| runtime.block_on(ask(&mut through, get())));
    });
    group.bench_function("create straight to the daemon", |b| {
        b.iter(|| runtime.block_on(ask(&mut direct, create(&body))));
    });
    group.bench_function("create through the gate (synced to disk)", |b| {
        b.iter(|| runtime.block_on(ask(&mut through, create(&body))));
    });
    group.finish();
}

criterion_group!(benches, gate);
criterion_main!(benches);
