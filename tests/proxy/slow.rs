//! Slow attackers: who takes his time holds a place of his own, for as long as the policy says or, where
//! time has no bound by nature (an upload, a stream, a session), one of the few that his identity has.
//! Everybody else is served meanwhile, and memory stays flat.

use crate::client::{Client, UPGRADE, bare};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, Setup, soon, until};
use crate::tunnels::ATTACH;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CREATE: &str = "/v1.41/containers/create";
const LOAD: &str = "/v1.41/images/load";
/// More than all buffers on the way can hold.
const BIG: u64 = 1 << 30;
/// What the gate may hold for one who does not read.
const SPARE: u64 = 2 << 20;

async fn gate(front: &'static str, script: Script) -> Gate {
    let gate = Gate::with(Setup { front, ..Setup::new(script) }).await;
    others_are_served(&gate).await;
    gate
}

/// Somebody else, on a connection of his own.
async fn others_are_served(gate: &Gate) {
    let mut other = gate.client("reader").await;
    for _ in 0..3 {
        assert_eq!(other.get("/_ping").await.status, 200, "others are served");
    }
}

/// How often this was counted at the door.
fn counted(events: &[Value], reason: &str) -> u64 {
    let of = events.iter().filter(|e| e["reason"] == reason);
    of.map(|e| e["folded"]["count"].as_u64().unwrap_or(1)).sum()
}

/// A handshake that comes byte by byte, or not at all.
#[tokio::test]
async fn a_handshake_has_its_time() {
    let gate = gate("handshake_timeout: 3s", Script::new("1.41")).await;
    let mut silent = TcpStream::connect(gate.address).await.unwrap();
    let mut slow = TcpStream::connect(gate.address).await.unwrap();
    // a TLS record of 512 bytes with a ClientHello of 508 in it, which never gets there
    let hello = [&[22, 3, 1, 2, 0, 1, 0, 1, 252][..], &[0; 500]].concat();
    let trickled = async {
        for byte in hello {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            if slow.write_all(&[byte]).await.is_err() {
                return;
            }
        }
        panic!("a handshake was taken for ever");
    };
    let ended = async { soon(silent.read(&mut [0; 1])).await.unwrap_or(0) };
    let ((), silence, ()) = tokio::join!(soon(trickled), ended, others_are_served(&gate));
    assert_eq!(silence, 0, "not a byte");
    let events = gate.settle().await;
    assert_eq!(counted(&events, "handshake.timeout"), 2);
}

/// A first head, and a later one on a connection that was at rest.
#[tokio::test]
async fn a_head_has_its_time() {
    let gate = gate("head_timeout: 3s", Script::new("1.41")).await;
    let head = b"GET /_ping HTTP/1.1\r\nHost: gate\r\nX-Slow: ";
    let endless = || head.iter().copied().chain(std::iter::repeat(b'x'));
    let (mut first, mut later) = (gate.client("dev").await, gate.client("dev").await);
    assert_eq!(later.get("/_ping").await.status, 200);
    let before = gate.fake.log().calls("GET /_ping").len();
    tokio::join!(first.trickle(endless()), later.trickle(endless()), others_are_served(&gate));
    assert_eq!((first.remains().await, later.remains().await), (Vec::new(), Vec::new()));
    assert_eq!(gate.fake.log().calls("GET /_ping").len(), before + 3, "those of the others");
    let events = gate.settle().await;
    assert_eq!(counted(&events, "head.timeout"), 2);
}

/// The start of a head that came together with the request before it counts as a connection at rest
/// until more of it comes.
#[tokio::test]
async fn a_head_that_began_behind_another_request_has_its_time() {
    for (front, offences) in
        [("head_timeout: 10m, idle_timeout: 3s", 0), ("head_timeout: 3s, idle_timeout: 10m", 1)]
    {
        let gate = gate(front, Script::new("1.41")).await;
        let mut client = gate.client("dev").await;
        client.send(bare("GET", "/_ping", "") + "GET /_ping HTT").await;
        assert_eq!(client.answer().await.status, 200);
        if offences > 0 {
            client.trickle(std::iter::repeat(b'P')).await;
        }
        assert_eq!(client.remains().await, b"");
        let events = gate.settle().await;
        assert_eq!(counted(&events, "head.timeout"), offences);
    }
}

#[tokio::test]
async fn an_inspected_body_has_its_time() {
    let gate = gate("body_timeout: 3s", Script::new("1.41")).await;
    let head = |framing: &str| {
        bare("POST", CREATE, &format!("Content-Type: application/json\r\n{framing}\r\n"))
    };
    let sized = head("Content-Length: 1000000");
    let chunked = head("Transfer-Encoding: chunked");
    let before = gate.fake.log().bytes;
    let body = || b"{".iter().copied().chain(std::iter::repeat(b' '));
    let chunks = || b"10000\r\n{".iter().copied().chain(std::iter::repeat(b' '));
    // a size of very many digits is no chunk at all
    let extension = || b"1;".iter().copied().chain(std::iter::repeat(b'x'));
    let attack = async |head: &str, mut body: Box<dyn Iterator<Item = u8>>| {
        let mut client = gate.client("dev").await;
        client.send(head).await;
        client.trickle(&mut *body).await;
        client.answer().await.assert_refused(400, "body.incomplete");
        assert_eq!(client.remains().await, b"");
    };
    tokio::join!(
        attack(&sized, Box::new(body())),
        attack(&chunked, Box::new(chunks())),
        attack(&chunked, Box::new(extension())),
    );
    let log = gate.fake.log();
    assert_eq!(log.bytes, before, "nothing of a body that was not judged");
    gate.settle().await;
}

#[tokio::test]
async fn a_connection_at_rest_has_its_time() {
    let gate = gate("idle_timeout: 3s", Script::new("1.41")).await;
    let mut client = gate.client("dev").await;
    assert_eq!(client.get("/_ping").await.status, 200);
    assert_eq!(client.rest().await, b"", "a proper end");
    let events = gate.settle().await;
    assert!(!events.iter().any(|e| e["stage"] == "connection.refused"), "no offence");
}

/// Whoever opens very many connections from one address puts himself out; who is known stays, and who comes with a
/// certificate gets in, from that address too.
#[tokio::test]
async fn an_address_has_its_share_of_connections() {
    let front = "handshakes_per_address: 3, handshake_timeout: 10m";
    let gate = Gate::with(Setup { front, ..Setup::new(Script::new("1.41")) }).await;
    let mut held = gate.client("dev").await;
    assert_eq!(held.get("/_ping").await.status, 200);
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let mut silent = tokio::task::JoinSet::new();
    for number in 0..22 {
        let (mut stream, ended) = (TcpStream::connect(gate.address).await.unwrap(), ended.clone());
        silent.spawn(async move {
            assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed without a byte");
            ended.send(number).unwrap();
        });
    }
    let mut gone = Vec::new();
    for _ in 0..19 {
        gone.push(soon(ends.recv()).await.unwrap());
    }
    gone.sort_unstable();
    assert_eq!(gone, (0..19).collect::<Vec<_>>(), "the oldest");
    let mut other = Client::from("127.0.0.2", gate.address, "reader").await.unwrap();
    assert_eq!(other.get("/_ping").await.status, 200, "others are served");
    assert_eq!(held.get("/_ping").await.status, 200, "and who was there");
    assert!(ends.try_recv().is_err(), "three of them found a place");
    let mut again = gate.client("dev").await;
    assert_eq!(
        again.get("/_ping").await.status,
        200,
        "and who comes from there with a certificate"
    );
    assert_eq!(soon(ends.recv()).await, Some(19), "for whom the next one went");
    silent.shutdown().await;
    drop((held, other, again));
    let events = gate.settle().await;
    assert_eq!(counted(&events, "connections.crowded-out"), 20);
}

/// What a slow reader does not take is left with the daemon. Nothing bounds how long: an answer may be an
/// image of many gigabytes on a slow line. He holds a place of his identity, as many as it has.
#[tokio::test]
async fn a_slow_reader_holds_a_place_and_no_memory() {
    let script = Script::new("1.41").on("GET /images/get", Reply::Huge(BIG));
    let gate = gate("streams_per_identity: 4", script).await;
    let before = gate.memory("VmRSS");
    let mut readers = Vec::new();
    for _ in 0..4 {
        let mut reader = gate.client("admin").await;
        reader.send(bare("GET", "/v1.41/images/get?names=busybox", "")).await;
        assert_eq!(reader.head().await.0, 200);
        readers.push(reader);
    }
    let mut fifth = gate.client("admin").await;
    assert_eq!(fifth.get("/_ping").await.status, 429);
    others_are_served(&gate).await;
    let peak = gate.memory("VmHWM");
    println!("{} bytes for four", peak - before);
    assert!(peak < before + 4 * SPARE, "{before} before, {peak} at the most");
    drop(readers);
    let ended = |e: &&Value| e["outcome"]["ended"] == "client-gone";
    until("four ends", || (gate.events().iter().filter(ended).count() == 4).then_some(())).await;
    until("a place", || (gate.fake.log().closed >= 4).then_some(())).await;
    assert_eq!(fifth.get("/_ping").await.status, 200, "the places are given back");
    gate.settle().await;
}

/// Nothing bounds how long an upload takes that a role was granted unseen. It holds a place of its
/// identity and a connection to the daemon, and goes with its client.
#[tokio::test]
async fn a_trickling_upload_holds_a_place() {
    let script = Script::new("1.41").on("POST /images/load", Reply::json("{}"));
    let front = "streams_per_identity: 2, head_timeout: 1s, body_timeout: 1s, idle_timeout: 1s";
    let gate = gate(front, script).await;
    let (mut sized, mut chunked) = (gate.client("admin").await, gate.client("admin").await);
    sized.send(bare("POST", LOAD, "Content-Length: 1000000\r\n") + "t").await;
    chunked.send(bare("POST", LOAD, "Transfer-Encoding: chunked\r\n") + "1\r\nt\r\n").await;
    gate.fake.until(|log| log.calls("POST /images/load").len() == 2).await;
    // longer than any time that the policy gives to something else
    for _ in 0..150 {
        sized.send("a").await;
        chunked.send("1\r\na\r\n").await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let arrived = |call: &crate::fake_daemon::Recorded| call.body_bytes == 151;
    gate.fake.until(|log| log.calls("POST /images/load").iter().all(arrived)).await;
    assert_eq!(gate.client("admin").await.get("/_ping").await.status, 429);
    others_are_served(&gate).await;
    drop(sized);
    chunked.send("0\r\n\r\n").await;
    assert_eq!(chunked.answer().await.status, 200);
    until("both ends", || {
        let events = gate.events();
        let ends = events.iter().filter(|e| !e["outcome"].is_null());
        (ends.filter(|e| e["outcome"]["bytes_in"] == 151).count() == 2).then_some(())
    })
    .await;
    let whole = gate.fake.log().calls("POST /images/load");
    assert_eq!(whole.iter().filter(|call| call.whole).count(), 1, "the other was cut");
    gate.settle().await;
}

/// A session whose client reads nothing: the daemon is held up, and nobody else.
#[tokio::test]
async fn a_session_that_is_not_read_holds_a_place_and_no_memory() {
    let endless = Reply::Hijack(vec![b'o'; 64 << 20]);
    let script = Script::new("1.41").on("POST /containers/web/attach", endless);
    let mut gate = gate("streams_per_identity: 2", script).await;
    let before = gate.memory("VmRSS");
    let mut sessions = Vec::new();
    for _ in 0..2 {
        let mut client = gate.client("dev").await;
        client.send(bare("POST", ATTACH, UPGRADE)).await;
        assert_eq!(client.head().await.0, 101);
        client.send("input ").await;
        sessions.push(client);
    }
    let mut third = gate.client("dev").await;
    let answer = third.ask(bare("POST", ATTACH, UPGRADE)).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    others_are_served(&gate).await;
    let peak = gate.memory("VmHWM");
    println!("{} bytes for two", peak - before);
    assert!(peak < before + 2 * SPARE, "{before} before, {peak} at the most");
    drop(sessions.remove(0));
    gate.outcome("ContainerAttach").await;
    assert_eq!(third.get("/_ping").await.status, 200, "the place is given back");
    // the end does not wait for him
    gate.signal(rustix::process::Signal::TERM);
    gate.ended().await;
    let events = gate.settle().await;
    let how: Vec<_> = events.iter().filter(|e| e["stage"] == "session.close").collect();
    let how: Vec<_> = how.iter().map(|e| e["outcome"]["ended"].as_str().unwrap()).collect();
    assert_eq!(how, ["client-gone", "limit"]);
}

/// A client that takes neither our refusal nor the end of its connection.
#[tokio::test]
async fn who_does_not_read_a_refusal_is_let_go() {
    let front = "idle_timeout: 5s, head_timeout: 5s, connections_per_identity: 1";
    let gate = gate(front, Script::new("1.41")).await;
    let mut client = gate.client("dev").await;
    let refused = bare("POST", "/v1.41/volumes/create", "Content-Length: 100000000\r\n");
    client.send(refused).await;
    let mut next = gate.client("dev").await;
    assert_eq!(next.get("/_ping").await.status, 429, "one is all there is");
    let free = async {
        loop {
            let mut next = gate.client("dev").await;
            if next.get("/_ping").await.status == 200 {
                return;
            }
        }
    };
    soon(free).await;
    gate.settle().await;
}
