//! The heaviest bodies that are taken, many at once, before the gate as its users start it: it stays below what it
//! said at start, and in a small machine's memory; each body is answered, and nobody else waits for it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "tests fail by panicking"
)]

#[path = "support/fake_daemon.rs"]
mod fake_daemon;
#[path = "support/pki.rs"]
mod pki;

#[path = "proxy/client.rs"]
#[expect(dead_code, reason = "the tests of the wire write more bytes by hand")]
mod client;
#[path = "proxy/gate.rs"]
#[expect(dead_code, reason = "the tests of the wire look closer at the gate")]
mod gate;

#[path = "heavy/cgroup.rs"]
mod cgroup;
#[path = "heavy/shapes.rs"]
mod shapes;

use cgroup::Cgroup;
use client::{Client, json};
use fake_daemon::{Reply, Script};
use gate::{Gate, Setup};
use shapes::{SHAPES, Shape};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime;
use tokio::task::JoinSet;

/// What a small machine gives the gate.
const MEMORY: u64 = 128 << 20;
/// Bodies that are on their way at once.
const AT_ONCE: usize = 60;
/// Who sends them, so many that their shares are all the memory for bodies: one who is judged, one who may do
/// everything, and two who are only observed.
const WHO: [&str; 4] = ["dev", "admin", "brave", "legacy"];
/// How long a ping may take for all but one of a hundred while they are: without optimisation a body takes twenty
/// times as long, and everything else runs beside it.
const PING: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });

async fn gate(memory: &Option<Cgroup>) -> Gate {
    let found = Reply::status("200 OK", "", r#"{"Id":"sha256:1"}"#);
    let script = Script::new("1.41")
        .on("GET /_ping", Reply::status("200 OK", "", "OK"))
        .on("GET /images/busybox/json", found)
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"1"}"#))
        .on("POST /services/create", Reply::status("201 Created", "", r#"{"ID":"1"}"#))
        .on("POST /secrets/create", Reply::status("201 Created", "", r#"{"ID":"1"}"#))
        .on("POST /containers/1/exec", Reply::status("201 Created", "", r#"{"Id":"1"}"#));
    let by = memory.as_ref().map(Cgroup::enter).unwrap_or_default();
    Gate::with(Setup { by, ..Setup::new(script) }).await
}

/// Sends one body, and says what came of it.
async fn sends(
    address: SocketAddr,
    who: &'static str,
    shape: Arc<(Shape, String)>,
) -> (&'static str, u16) {
    let (Shape { name, target, .. }, body) = &*shape;
    let mut client = Client::connect(address, who).await.unwrap();
    let _ = client.try_send(json("POST", target, body)).await; // who is refused need not be listened to
    (name, client.answer().await.status)
}

/// Asks for nothing, again and again, as somebody else on a thread of their own; how long each took.
fn pings(address: SocketAddr, over: Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<Duration>> {
    std::thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut client = Client::connect(address, "reader").await.unwrap();
            let mut took = Vec::new();
            while !over.load(Ordering::SeqCst) {
                let asked = Instant::now();
                assert_eq!(client.get("/_ping").await.status, 200);
                took.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(2)).await; // a pace, not a wait
            }
            took
        })
    })
}

fn percentile(took: &mut [Duration], percent: usize) -> Duration {
    took.sort_unstable();
    took[(took.len() - 1) * percent / 100]
}

#[test]
fn the_heaviest_bodies_stay_within_bounds_and_keep_nobody_waiting() {
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(heaviest());
}

async fn heaviest() {
    let memory = Cgroup::limited(MEMORY);
    let gate = gate(&memory).await;
    let over = Arc::new(AtomicBool::new(false));
    let pinging = pings(gate.address(), Arc::clone(&over));
    let bodies: Vec<_> = SHAPES.iter().map(|shape| Arc::new((*shape, (shape.body)()))).collect();
    let mut answers: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    let began = Instant::now();
    let mut sending = JoinSet::new();
    for at in 0..AT_ONCE {
        let shape = Arc::clone(&bodies[at * 5 % bodies.len()]);
        sending.spawn(sends(gate.address(), WHO[at % WHO.len()], shape));
    }
    while let Some(sent) = sending.join_next().await {
        let (name, status) = sent.unwrap();
        answers.entry(name).or_default().push(status);
    }
    over.store(true, Ordering::SeqCst);
    let mut took = pinging.join().unwrap();
    let (half, most) = (percentile(&mut took, 50), percentile(&mut took, 99));
    let (held, said) = (gate.memory("VmHWM"), gate.bound());
    println!(
        "{} bodies in {:.1} s; {} pings: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms; {} MiB held, {} MiB said",
        AT_ONCE,
        began.elapsed().as_secs_f64(),
        took.len(),
        half.as_secs_f64() * 1e3,
        most.as_secs_f64() * 1e3,
        took[took.len() - 1].as_secs_f64() * 1e3,
        held >> 20,
        said >> 20,
    );
    println!("{answers:?}");
    for (shape, statuses) in SHAPES.iter().map(|shape| (shape, &answers[shape.name])) {
        let expected = |status: &u16| shape.answers.contains(status);
        assert!(statuses.iter().all(expected), "{}: {statuses:?}", shape.name);
    }
    assert!(held < said && held < MEMORY, "{held} bytes were held");
    assert!(most < PING, "a ping took {most:?}");
    gate.settle().await;
}
