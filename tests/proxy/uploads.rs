//! Bodies of any size: a client in the middle of one still reads a refusal, and what passes through
//! leaves nothing behind in memory.

use crate::client::bare;
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;

const MIB: usize = 1 << 20;
const LOAD: &str = "/v1.41/images/load";
/// What each transfer carries, and what all of them together may add to the gate's memory at most:
/// a hundredth.
const BIG: u64 = 200 << 20;
const SPARE: u64 = 24 << 20;

/// A client that sends everything before it reads.
async fn refused_in_the_middle(who: &str, script: Script, framing: &str, wanted: (u16, &str)) {
    let gate = Gate::start(script).await;
    let mut client = gate.client(who).await;
    client.send(bare("POST", LOAD, framing)).await;
    let chunked = framing.contains("chunked");
    let piece = vec![b'x'; 64 << 10];
    for _ in 0..4 * MIB / piece.len() {
        if chunked {
            client.send(format!("{:x}\r\n", piece.len())).await;
        }
        client.send(&piece).await;
        if chunked {
            client.send("\r\n").await;
        }
    }
    if chunked {
        client.send("0\r\n\r\n").await;
    }
    let answer = client.answer().await;
    assert_eq!(answer.status, wanted.0, "{}", answer.text());
    assert!(answer.message().contains(wanted.1), "{}", answer.text());
    gate.settle().await;
}

const LENGTH: &str = "Content-Length: 4194304\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

#[tokio::test]
async fn a_refusal_is_read_by_who_still_uploads() {
    for framing in [LENGTH, CHUNKED] {
        let wanted = (403, "verb.not-granted");
        refused_in_the_middle("dev", Script::new("1.41"), framing, wanted).await;
    }
}

#[tokio::test]
async fn the_daemons_early_answer_is_read_by_who_still_uploads() {
    let words = r#"{"message":"not a tar"}"#;
    let early = crate::fake_daemon::response(
        "400 Bad Request",
        "Content-Type: application/json\r\nConnection: close\r\n",
        words,
    );
    for framing in [LENGTH, CHUNKED] {
        let script = Script::new("1.41").on("POST /images/load", Reply::Early(early.clone()));
        refused_in_the_middle("admin", script, framing, (400, "not a tar")).await;
    }
}

/// What follows in a body that nobody wants any more is never taken for a request, while it is still read
/// and after that.
#[tokio::test]
async fn the_rest_of_an_upload_is_no_request() {
    let words = r#"{"message":"not a tar"}"#;
    let json = "Content-Type: application/json\r\nConnection: close\r\n";
    let early = crate::fake_daemon::response("400 Bad Request", json, words);
    for framing in [LENGTH, CHUNKED] {
        let script = Script::new("1.41").on("POST /images/load", Reply::Early(early.clone()));
        let gate = Gate::start(script).await;
        let mut client = gate.client("admin").await;
        let begun = if framing == CHUNKED { "10000\r\nhalf" } else { "half" };
        client.send(bare("POST", LOAD, framing) + begun).await;
        assert_eq!(client.answer().await.status, 400);
        let smuggled = bare("GET", "/v1.41/smuggled", "");
        while client.try_send(&smuggled).await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(client.remains().await, b"", "{framing}");
        let events = gate.settle().await;
        assert!(!events.iter().any(|e| e.to_string().contains("smuggled")), "{events:#?}");
        assert!(events.iter().all(|e| e["stage"] != "connection.refused"), "{events:#?}");
    }
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_cut_and_recorded() {
    let gate = Gate::start(Script::new("1.41").on("POST /images/load", Reply::json("{}"))).await;
    let mut client = gate.client("admin").await;
    client.send(bare("POST", LOAD, LENGTH) + "half").await;
    gate.fake.until(|log| log.calls("POST /images/load").len() == 1).await;
    drop(client);
    gate.outcome("ImageLoad").await;
    let log = gate.fake.until(|log| log.closed == 1).await;
    assert!(!log.calls("POST /images/load")[0].whole);
    gate.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_size_passes_in_flat_memory() {
    let script = Script::new("1.41")
        .on("POST /images/load", Reply::json("{}"))
        .on("GET /images/get", Reply::Huge(BIG));
    let gate = Gate::start(script).await;
    assert_eq!(gate.client("admin").await.get("/_ping").await.status, 200);
    let before = gate.memory("VmRSS");
    for _ in 0..2 {
        tokio::join!(upload(&gate), download(&gate));
    }
    let peak = gate.memory("VmHWM");
    println!("{before} bytes before, {peak} at the most");
    assert!(peak < before + SPARE, "{before} bytes before, {peak} at the most");
    let arrived = gate.fake.log().calls("POST /images/load");
    assert_eq!(arrived.iter().map(|r| r.body_bytes).collect::<Vec<_>>(), [BIG, BIG]);
    let events = gate.settle().await;
    let counted = |key: &str| {
        let bytes = events.iter().filter_map(|e| e["outcome"][key].as_u64());
        bytes.filter(|bytes| *bytes == BIG).count()
    };
    assert_eq!((counted("bytes_in"), counted("bytes_out")), (2, 2));
}

async fn upload(gate: &Gate) {
    let mut client = gate.client("admin").await;
    client.send(bare("POST", LOAD, &format!("Content-Length: {BIG}\r\n"))).await;
    let piece = vec![b'x'; MIB];
    for _ in 0..BIG / MIB as u64 {
        client.send(&piece).await;
    }
    assert_eq!(client.answer().await.status, 200);
}

async fn download(gate: &Gate) {
    let mut client = gate.client("admin").await;
    client.send(bare("GET", "/v1.41/images/get?names=busybox", "")).await;
    let (status, head) = client.head().await;
    assert!(status == 200 && head.contains(&format!("content-length: {BIG}\r\n")), "{head}");
    client.skip(BIG).await;
}

/// The daemon is there; it is the gate that goes.
#[tokio::test]
async fn an_upload_that_the_end_of_the_gate_cuts_is_told_so() {
    let gate = Gate::start(Script::new("1.41").on("POST /images/load", Reply::json("{}"))).await;
    let mut client = gate.client("admin").await;
    client.send(bare("POST", LOAD, LENGTH) + "half").await;
    gate.fake.until(|log| log.calls("POST /images/load").len() == 1).await;
    gate.signal(rustix::process::Signal::TERM);
    let answer = client.answer().await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.message().contains("the gate stops"), "{}", answer.text());
    let events = gate.settle().await;
    let ended = events.iter().find(|e| e["stage"] == "complete").unwrap();
    assert_eq!(ended["outcome"]["ended"], "limit");
}
