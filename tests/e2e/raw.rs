//! Bytes over TLS, where a test's point is what a connection is good for after an answer, and how its ends
//! are passed on.

use super::gate::Gate;
use super::http::Side;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// What the streamer may not ask, sent behind everything else.
const NEXT: &str = "GET /v1.41/containers/json HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n";
const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: tcp\r\n";
/// What a session is fed: more than any buffer on the way holds.
const INPUT: usize = 4 << 20;

/// The longest that anything may take, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(180);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("waited in vain")
}

/// A connection of that client.
async fn connect(gate: &Gate, name: &str) -> TlsStream<TcpStream> {
    let bundle = gate.bundle(name);
    let read = |file: &str| std::fs::read(bundle.join(file)).unwrap();
    let mut roots = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(&read("ca.pem")) {
        roots.add(authority.unwrap()).unwrap();
    }
    let chain = CertificateDer::pem_slice_iter(&read("cert.pem")).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(&read("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    let tcp = TcpStream::connect(("127.0.0.1", gate.port)).await.unwrap();
    let server = ServerName::try_from("127.0.0.1").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(server, tcp)).await.unwrap()
}

/// A container that runs and does nothing.
pub(crate) fn container(admin: &Side, name: &str) -> String {
    let body = r#"{"Image":"busybox","Cmd":["sleep","600"],"HostConfig":{"NetworkMode":"none"}}"#;
    made(admin, name, body, true)
}

fn made(admin: &Side, name: &str, body: &str, start: bool) -> String {
    let created = admin.send("POST", &format!("/v1.41/containers/create?name={name}"), body);
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.json()["Id"].as_str().unwrap().to_owned();
    if start {
        let started = admin.send("POST", &format!("/v1.41/containers/{id}/start"), "");
        assert_eq!(started.status, 204, "{started:?}");
    }
    id
}

fn exec_of(admin: &Side, container: &str, body: &str) -> String {
    let made = admin.send("POST", &format!("/v1.41/containers/{container}/exec"), body);
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["Id"].as_str().unwrap().to_owned()
}

/// A request that asks to take the connection over, and the answer that does not give it.
pub(crate) struct Attempt {
    name: &'static str,
    /// Each is good for one time.
    requests: [String; 2],
    status: &'static [u16],
}

/// How many there are.
pub(crate) const ATTEMPTS: usize = 7;

fn post(target: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    format!(
        "POST /v1.41{target} HTTP/1.1\r\nHost: gate\r\n{headers}{kind}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// All of them; `web` is there.
pub(crate) fn attempts(admin: &Side) -> [Attempt; ATTEMPTS] {
    let twice = |request: String| [request.clone(), request];
    let detached = || {
        let exec = exec_of(admin, "web", r#"{"Cmd":["true"]}"#);
        post(&format!("/exec/{exec}/start"), UPGRADE, r#"{"Detach":true}"#)
    };
    let unknown = format!("/exec/{}/start", "0123456789abcdef".repeat(4));
    let get = |target: &str, headers: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: gate\r\n{headers}\r\n")
    };
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    [
        Attempt {
            name: "an exec that detaches",
            requests: [detached(), detached()],
            status: &[200],
        },
        Attempt {
            name: "an exec that is not there",
            requests: twice(post(&unknown, UPGRADE, r#"{"Detach":false}"#)),
            status: &[404],
        },
        Attempt {
            name: "a session over tcp",
            requests: twice(post("/session", UPGRADE, "")),
            status: &[400],
        },
        Attempt {
            name: "BuildKit's control over tcp",
            requests: twice(post("/grpc", UPGRADE, "")),
            status: &[400],
        },
        Attempt {
            name: "a websocket to nobody",
            requests: twice(get("/v1.41/containers/nobody/attach/ws?stream=1", websocket)),
            status: &[404],
        },
        Attempt {
            name: "an attach to nobody",
            requests: twice(post("/containers/nobody/attach?stream=1&stdin=1", UPGRADE, "")),
            status: &[404],
        },
        Attempt { name: "a ping", requests: twice(get("/_ping", UPGRADE)), status: &[200] },
    ]
}

/// The next request on the connection is refused by the gate, in one write with the first and after it.
pub(crate) async fn no_tunnel(gate: &Gate, attempt: &Attempt) {
    let Attempt { name, requests, status } = attempt;
    for (pipelined, request) in [true, false].into_iter().zip(requests) {
        let mut client = connect(gate, "streamer").await;
        let mut answers = Vec::new();
        if pipelined {
            client.write_all(format!("{request}{NEXT}").as_bytes()).await.unwrap();
        } else {
            client.write_all(request.as_bytes()).await.unwrap();
            while !has_answer(&answers) {
                let count = soon(client.read_buf(&mut answers)).await.unwrap();
                assert!(count > 0, "{name}: closed after {}", String::from_utf8_lossy(&answers));
            }
            client.write_all(NEXT.as_bytes()).await.unwrap();
        }
        let ended = soon(client.read_to_end(&mut answers)).await;
        let text = String::from_utf8_lossy(&answers);
        assert!(ended.is_ok(), "{name}: {ended:?} after {text}");
        let statuses: Vec<u16> = text
            .match_indices("HTTP/1.1 ")
            .map(|(at, line)| text[at + line.len()..][..3].parse().unwrap())
            .collect();
        println!("{name}: {statuses:?}");
        assert!(matches!(statuses[..], [first, 403] if status.contains(&first)), "{name}: {text}");
        assert!(text.contains("dockward: streamer may not") && text.contains("[verb.not-granted]"));
    }
}

/// Whether one whole answer is there.
fn has_answer(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("\r\ncontent-length: ").nth(1).and_then(|rest| rest.lines().next());
    match length {
        Some(length) => body.len() >= length.parse().unwrap(),
        None => !head.contains("transfer-encoding") || body.ends_with("0\r\n\r\n"),
    }
}

/// How a client says that no more input comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// In TLS alone.
    Notify,
    /// By closing its half of the connection alone.
    Cut,
    /// Both, as Go and OpenSSL do.
    Both,
}

impl End {
    pub(crate) const ALL: [Self; 3] = [Self::Notify, Self::Cut, Self::Both];
}

/// The shell of a session: output that comes only after the end of the input, and all of the input.
const SHELL: &str = r#"["sh","-c","cat; echo the end; echo wrong >&2"]"#;

/// Attaches, starts, writes, ends the input, and holds the output to be whole.
pub(crate) async fn attach(gate: &Gate, admin: &Side, end: End) {
    let body = format!(
        r#"{{"Image":"busybox","Cmd":{SHELL},"OpenStdin":true,"StdinOnce":true,"AttachStdin":true,"AttachStdout":true,"AttachStderr":true,"HostConfig":{{"NetworkMode":"none"}}}}"#
    );
    let id = made(admin, &format!("attach-{end:?}").to_lowercase(), &body, false);
    let target = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1");
    let mut client = connect(gate, "streamer").await;
    client.write_all(post(&target, UPGRADE, "").as_bytes()).await.unwrap();
    switched(&mut client).await;
    let started = admin.send("POST", &format!("/v1.41/containers/{id}/start"), "");
    assert_eq!(started.status, 204, "{started:?}");
    whole(client, end, &format!("attach, {end:?}")).await;
    assert_eq!(admin.send("DELETE", &format!("/v1.41/containers/{id}?force=1"), "").status, 204);
}

/// The same with an exec in `web`.
pub(crate) async fn exec(gate: &Gate, admin: &Side, end: End) {
    let body =
        format!(r#"{{"Cmd":{SHELL},"AttachStdin":true,"AttachStdout":true,"AttachStderr":true}}"#);
    let exec = exec_of(admin, "web", &body);
    let mut client = connect(gate, "streamer").await;
    let start = post(&format!("/exec/{exec}/start"), UPGRADE, r#"{"Detach":false}"#);
    client.write_all(start.as_bytes()).await.unwrap();
    switched(&mut client).await;
    whole(client, end, &format!("exec, {end:?}")).await;
}

const LINE: &[u8] = b"a line of input\n";

/// Input without end to a process that takes one line of it: all of the output comes all the same.
pub(crate) async fn flooded(gate: &Gate, admin: &Side) {
    let body = r#"{"Cmd":["sh","-c","head -n 1; yes o | head -c 3000000"],"AttachStdin":true,"AttachStdout":true}"#;
    let exec = exec_of(admin, "web", body);
    let mut client = connect(gate, "streamer").await;
    let start = post(&format!("/exec/{exec}/start"), UPGRADE, r#"{"Detach":false}"#);
    client.write_all(start.as_bytes()).await.unwrap();
    switched(&mut client).await;
    let (mut reader, mut writer) = tokio::io::split(client);
    // until the gate takes no more
    let flood = async move { while writer.write_all(LINE).await.is_ok() {} };
    let flood = tokio::spawn(flood);
    let mut output = Vec::new();
    let ended = soon(reader.read_to_end(&mut output)).await;
    let (stdout, _) = streams(&output, "flooded");
    assert!(ended.is_ok(), "{ended:?}");
    assert_eq!(stdout.len(), LINE.len() + 3_000_000);
    flood.abort();
}

/// A session of BuildKit's: after 101 the daemon speaks first, as a client of HTTP/2.
pub(crate) async fn session(gate: &Gate) {
    let fields = "Connection: Upgrade\r\nUpgrade: h2c\r\nX-Docker-Expose-Session-Uuid: raw\r\n\
        X-Docker-Expose-Session-Name: raw\r\n";
    let mut client = connect(gate, "streamer").await;
    client.write_all(post("/session", fields, "").as_bytes()).await.unwrap();
    switched(&mut client).await;
    let mut preface = [0; 24];
    soon(client.read_exact(&mut preface)).await.unwrap();
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}

async fn switched(client: &mut TlsStream<TcpStream>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(soon(client.read_u8()).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
}

async fn whole(client: TlsStream<TcpStream>, end: End, name: &str) {
    let input: Vec<u8> = (0..INPUT).map(|at| b"0123456789\n"[at % 11]).collect();
    let (mut reader, mut writer) = tokio::io::split(client);
    let mut output = Vec::new();
    let writing = async {
        writer.write_all(&input).await.unwrap();
        writer.flush().await.unwrap();
    };
    let reading = async {
        // the rest of it is on its way when the input ends
        while output.len() < INPUT - (64 << 10) {
            assert!(reader.read_buf(&mut output).await.unwrap() > 0, "{name}: ended early");
        }
    };
    soon(async { tokio::join!(writing, reading) }).await;
    let mut client = reader.unsplit(writer);
    match end {
        End::Notify => {
            client.get_mut().1.send_close_notify();
            soon(client.flush()).await.unwrap();
        }
        End::Cut => {
            let tcp = client.get_ref().0;
            rustix::net::shutdown(tcp, rustix::net::Shutdown::Write).unwrap();
        }
        End::Both => soon(client.shutdown()).await.unwrap(),
    }
    // fails unless the gate says its own end properly
    soon(client.read_to_end(&mut output)).await.unwrap();
    let (stdout, stderr) = streams(&output, name);
    assert_eq!(stderr, b"wrong\n", "{name}");
    assert_eq!(stdout.len(), INPUT + 8, "{name}");
    assert!(stdout.starts_with(&input) && stdout.ends_with(b"the end\n"), "{name}");
}

/// Takes moby's frames apart: stream, three zeros, length, bytes.
fn streams(mut bytes: &[u8], name: &str) -> (Vec<u8>, Vec<u8>) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let (piece, rest) = rest.split_at_checked(length).expect("a whole frame");
        match head[0] {
            1 => stdout.extend_from_slice(piece),
            2 => stderr.extend_from_slice(piece),
            other => panic!("{name}: stream {other}"),
        }
        bytes = rest;
    }
    assert!(bytes.is_empty(), "{name}: {} bytes of a frame", bytes.len());
    (stdout, stderr)
}
