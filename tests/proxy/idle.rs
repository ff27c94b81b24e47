//! Connections that do nothing, and what is left of them when they have gone.

use crate::client::Client;
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, Setup, until};

/// Connections at once: what they take is many times what a gate takes that nobody uses.
const IDLE: usize = 2000;
/// All of them may be one user's.
const FRONT: &str =
    "connections: 2048, connections_per_address: 2048, connections_per_identity: 2048";

#[tokio::test]
async fn what_idle_connections_took_is_given_back_when_they_have_gone() {
    allow_descriptors();
    let script = Script::new("1.41").on("GET /_ping", Reply::status("200 OK", "", "OK"));
    let gate = Gate::with(Setup { front: FRONT, ..Setup::new(script) }).await;
    let mut before = gate.client("reader").await;
    assert_eq!(before.get("/_ping").await.status, 200);
    let alone = gate.memory("VmRSS");
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        let mut client = gate.client("reader").await;
        assert_eq!(client.get("/_ping").await.status, 200);
        idle.push(client);
    }
    let crowded = gate.memory("VmRSS");
    drop::<Vec<Client>>(idle);
    let kept = |held: u64| held.saturating_sub(alone);
    let left = until("what the connections took", || {
        let held = gate.memory("VmRSS");
        (kept(held) < kept(crowded) / 4).then_some(held)
    });
    let left = left.await;
    println!(
        "{} MiB with one connection, {} with {IDLE} more, {} when they had gone",
        alone >> 20,
        crowded >> 20,
        left >> 20
    );
    assert_eq!(before.get("/_ping").await.status, 200);
    drop(before);
    gate.settle().await;
}

/// The gate inherits how many files it may open.
fn allow_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Some(limit.maximum.map_or(8192, |most| most.min(8192)));
    if limit.current < wanted {
        setrlimit(Resource::Nofile, Rlimit { current: wanted, ..limit }).unwrap();
    }
}
