//! Raw connections: only after the daemon's 101, and with both ends passed on.

use super::super::fake_daemon::{FakeDaemon, Reply, Script};
use super::{read, send, start, text, write};
use crate::daemon::tunnel::TunnelOutcome;
use crate::daemon::{Cancel, Daemon, TunnelEnd};
use crate::docker::{Hijack, Outbound, OutboundBody};
use bytes::Bytes;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;

fn exec(reply: Reply) -> (FakeDaemon, Daemon) {
    start(Script::new("1.41").on("POST /exec/1/start", reply))
}

fn start_exec() -> Outbound {
    let body = OutboundBody::Json(Bytes::from_static(b"{\"Detach\":false}"));
    Outbound { hijack: Hijack::ExecStart, body, ..write("/exec/1/start") }
}

/// A tunnel with a client at its end.
async fn tunnel(daemon: &Daemon, cancel: &Cancel) -> (DuplexStream, JoinHandle<TunnelOutcome>) {
    let answer = send(daemon, &start_exec()).await.unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.headers["content-type"], "application/vnd.docker.raw-stream");
    assert!(!answer.headers.contains_key("upgrade") && !answer.headers.contains_key("connection"));
    let (client, ours) = tokio::io::duplex(1024);
    let (tunnel, cancel) = (answer.tunnel.unwrap(), cancel.clone());
    (client, tokio::spawn(async move { tunnel.run(ours, &cancel).await }))
}

async fn rest(client: &mut DuplexStream) -> String {
    let mut output = String::new();
    client.read_to_string(&mut output).await.unwrap();
    output
}

#[tokio::test]
async fn a_tunnel_keeps_early_bytes_and_half_closes() {
    let (fake, daemon) = exec(Reply::Hijack(b"EARLY\n".to_vec()));
    let (mut client, run) = tunnel(&daemon, &Cancel::new()).await;
    client.write_all(b"hello\n").await.unwrap();
    let mut both = [0; 12];
    client.read_exact(&mut both).await.unwrap();
    assert_eq!(&both, b"EARLY\nhello\n");
    assert!(!fake.log().requests[0].stdin_closed);
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, "EOF\n");
    let end = TunnelOutcome { bytes_in: 6, bytes_out: 16, ended: TunnelEnd::Done };
    assert_eq!(run.await.unwrap(), end);
    let request = fake.log().requests[0].clone();
    assert_eq!(request.stdin, b"hello\n");
    assert_eq!(
        (request.header("connection"), request.header("upgrade")),
        (vec!["Upgrade".to_owned()], vec!["tcp".to_owned()])
    );
}

#[tokio::test]
async fn large_streams_pass_both_ways_at_once() {
    let (_fake, daemon) = exec(Reply::Hijack(Vec::new()));
    let (client, run) = tunnel(&daemon, &Cancel::new()).await;
    let (mut reader, mut writer) = tokio::io::split(client);
    let writing = tokio::spawn(async move {
        for _ in 0..512 {
            writer.write_all(&[b'i'; 16 * 1024]).await.unwrap();
        }
        writer.shutdown().await.unwrap();
    });
    let mut output = Vec::new();
    reader.read_to_end(&mut output).await.unwrap();
    writing.await.unwrap();
    assert_eq!(output.len(), (8 << 20) + 4);
    assert!(output.ends_with(b"iEOF\n"));
    assert_eq!(run.await.unwrap().bytes_in, 8 << 20);
}

#[tokio::test]
async fn a_daemon_that_closes_ends_the_tunnel_after_its_last_byte() {
    let (_fake, daemon) = exec(Reply::HijackThenClose(b"bye".to_vec()));
    let (mut client, run) = tunnel(&daemon, &Cancel::new()).await;
    assert_eq!(rest(&mut client).await, "bye");
    // The client says nothing and does not leave: the tunnel ends all the same, and at once.
    let end = TunnelOutcome { bytes_in: 0, bytes_out: 3, ended: TunnelEnd::Done };
    let ended = tokio::time::timeout(Duration::from_secs(5), run).await;
    assert_eq!(ended.unwrap().unwrap(), end);
}

#[tokio::test]
async fn a_daemon_that_closes_its_half_still_listens_for_a_while() {
    let (fake, daemon) = exec(Reply::HijackThenShut(b"bye".to_vec()));
    let (mut client, run) = tunnel(&daemon, &Cancel::new()).await;
    assert_eq!(rest(&mut client).await, "bye");
    client.write_all(b"late").await.unwrap();
    fake.until(|log| log.requests[0].stdin == b"late").await;
    assert!(!run.is_finished());
    drop(client);
    let end = TunnelOutcome { bytes_in: 4, bytes_out: 3, ended: TunnelEnd::Done };
    assert_eq!(run.await.unwrap(), end);
}

#[tokio::test]
async fn a_client_that_does_not_leave_after_the_daemons_last_byte_is_closed() {
    let (fake, daemon) = exec(Reply::HijackThenShut(b"bye".to_vec()));
    let mut tunnel = send(&daemon, &start_exec()).await.unwrap().tunnel.unwrap();
    tunnel.linger = Duration::from_millis(20);
    let (_client, ours) = tokio::io::duplex(1024);
    assert_eq!(tunnel.run(ours, &Cancel::new()).await.ended, TunnelEnd::Done);
    fake.until(|log| log.closed == 1).await;
}

#[tokio::test]
async fn what_a_daemon_said_before_it_closed_survives_a_late_keystroke() {
    let (fake, daemon) = exec(Reply::HijackThenClose(vec![b'o'; 100_000]));
    let (mut client, run) = tunnel(&daemon, &Cancel::new()).await;
    fake.until(|log| log.closed == 1).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(rest(&mut client).await.len(), 100_000);
    assert_eq!(run.await.unwrap().ended, TunnelEnd::Done);
}

#[tokio::test]
async fn a_client_that_breaks_ends_the_daemons_side() {
    let (fake, daemon) = exec(Reply::Hijack(vec![b'o'; 100_000]));
    let (client, run) = tunnel(&daemon, &Cancel::new()).await;
    drop(client);
    assert_eq!(run.await.unwrap().ended, TunnelEnd::ClientGone);
    fake.until(|log| log.closed == 1).await;
}

#[tokio::test]
async fn a_tunnel_can_be_ended_by_us() {
    let (fake, daemon) = exec(Reply::Hijack(Vec::new()));
    let cancel = Cancel::new();
    let (mut client, run) = tunnel(&daemon, &cancel).await;
    cancel.cancel();
    assert_eq!(rest(&mut client).await, "");
    assert_eq!(run.await.unwrap().ended, TunnelEnd::Limit);
    fake.until(|log| log.closed == 1).await;
}

#[tokio::test]
async fn a_hijack_answered_with_200_is_an_ordinary_body() {
    let (fake, daemon) = exec(Reply::RawThenClose(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nout".to_vec(),
    ));
    let answer = send(&daemon, &start_exec()).await.unwrap();
    assert!(answer.tunnel.is_none() && answer.status == 200);
    assert!(!answer.headers.contains_key("content-length"));
    assert_eq!(text(answer).await, "out");
    assert_eq!(fake.log().requests[0].stdin, b"");
}

#[tokio::test]
async fn a_hijack_connection_is_never_used_again() {
    let refused = Reply::status("404 Not Found", "", "{}");
    let (fake, daemon) =
        start(Script::new("1.41").on("POST /exec/1/start", refused).on("GET /a", Reply::json("1")));
    assert_eq!(text(send(&daemon, &read("/a")).await.unwrap()).await, "1");
    let answer = send(&daemon, &start_exec()).await.unwrap();
    assert!(answer.tunnel.is_none() && answer.status == 404);
    assert_eq!(text(answer).await, "{}");
    assert_eq!(text(send(&daemon, &read("/a")).await.unwrap()).await, "1");
    let used: Vec<usize> = fake.log().requests.iter().map(|r| r.connection).collect();
    assert_eq!(used, [0, 1, 0]);
}
