//! A tunnel behind hyper and TLS: the ends must arrive as close_notify, not as a cut.

use super::super::fake_daemon::{Reply, Script};
use super::{send, start, write};
use crate::daemon::tunnel::TunnelOutcome;
use crate::daemon::{Cancel, Daemon, TunnelEnd};
use crate::docker::{Hijack, Outbound};
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

async fn tls() -> (client::TlsStream<DuplexStream>, server::TlsStream<DuplexStream>) {
    let made = rcgen::generate_simple_self_signed(["gate".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder().with_root_certificates(roots);
    let client = TlsConnector::from(Arc::new(client.with_no_client_auth()));
    let server = rustls::ServerConfig::builder().with_no_client_auth();
    let server = server.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from("gate").unwrap();
    let server = TlsAcceptor::from(Arc::new(server));
    let (near, far) = tokio::join!(client.connect(name, near), server.accept(far));
    (near.unwrap(), far.unwrap())
}

/// What the gate does with a hijack: the daemon's 101 first, then its own, then the tunnel.
async fn hijacked(
    mut request: Request<Incoming>,
    daemon: Daemon,
    ends: mpsc::Sender<TunnelOutcome>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let attach = Outbound { hijack: Hijack::Attach, ..write("/containers/a/attach") };
    let tunnel = send(&daemon, &attach).await.unwrap().tunnel.unwrap();
    let client = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let client = TokioIo::new(client.await.unwrap());
        ends.send(tunnel.run(client, &Cancel::new()).await).await.unwrap();
    });
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [("connection", "Upgrade"), ("upgrade", "tcp")] {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    Ok(response)
}

/// A client over TLS whose attach was answered with 101 and who sent `early` along with it.
async fn attached(
    daemon: Daemon,
    early: &str,
) -> (client::TlsStream<DuplexStream>, mpsc::Receiver<TunnelOutcome>) {
    let (mut client, server) = tls().await;
    let (ends, ended) = mpsc::channel(1);
    let service =
        hyper::service::service_fn(move |request| hijacked(request, daemon.clone(), ends.clone()));
    tokio::spawn(async move {
        let builder = hyper::server::conn::http1::Builder::new();
        builder.serve_connection(TokioIo::new(server), service).with_upgrades().await.unwrap();
    });
    let head = "POST /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
    client.write_all(format!("{head}{early}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    (client, ended)
}

fn script(reply: Reply) -> Script {
    Script::new("1.41").on("POST /containers/a/attach", reply)
}

#[tokio::test]
async fn a_half_close_passes_both_ways_as_close_notify() {
    let (fake, daemon) = start(script(Reply::Hijack(Vec::new())));
    let (mut client, mut ended) = attached(daemon, "EARLY").await;
    client.write_all(b" LATE").await.unwrap();
    client.shutdown().await.unwrap();
    let mut output = String::new();
    // A cut stream would be an error here.
    client.read_to_string(&mut output).await.unwrap();
    assert_eq!(output, "EARLY LATEEOF\n");
    let end = TunnelOutcome { bytes_in: 10, bytes_out: 14, ended: TunnelEnd::Done };
    assert_eq!(ended.recv().await, Some(end));
    assert!(fake.log().requests[0].stdin_closed);
}

#[tokio::test]
async fn a_cut_half_of_a_client_still_gets_the_output() {
    let (_fake, daemon) = start(script(Reply::Hijack(Vec::new())));
    let (mut client, mut ended) = attached(daemon, "in").await;
    // What Python's `shutdown` does: the transport ends, TLS says nothing.
    client.get_mut().0.shutdown().await.unwrap();
    let mut output = String::new();
    client.read_to_string(&mut output).await.unwrap();
    assert_eq!(output, "inEOF\n");
    assert_eq!(ended.recv().await.unwrap().ended, TunnelEnd::Done);
}

#[tokio::test]
async fn the_daemons_end_reaches_a_client_that_says_nothing() {
    let (_fake, daemon) = start(script(Reply::HijackThenClose(b"bye".to_vec())));
    let (mut client, mut ended) = attached(daemon, "").await;
    let mut output = String::new();
    client.read_to_string(&mut output).await.unwrap();
    assert_eq!(output, "bye");
    assert_eq!(ended.recv().await.unwrap().ended, TunnelEnd::Done);
}
