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
use pki::{Authority, Wish};
use shapes::{SHAPES, Shape};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
/// Requests at once that stand on long answers.
const ANSWERED_AT_ONCE: usize = 16;
/// How long a ping may take for all but one of a hundred while they are: without optimisation a body takes twenty
/// times as long, and everything else runs beside it.
const PING: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 50 });

/// One after the other: each is told how long others waited meanwhile.
static ALONE: Mutex<()> = Mutex::new(());

/// A gate before a daemon that says this of the image.
async fn gate(memory: &Option<Cgroup>, image: &str) -> Gate {
    let script = Script::new("1.41")
        .on("GET /_ping", Reply::status("200 OK", "", "OK"))
        .knows("/images/busybox/json", Some(image))
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

/// Four who come again and again, each with as many certificates as are looked at, of authorities that are called as
/// the gate's own, from an address of his own; how many were turned away. A moment passes before each, so that their own work is not all there is.
fn strangers(address: SocketAddr, over: Arc<AtomicBool>) -> std::thread::JoinHandle<usize> {
    std::thread::spawn(move || {
        let authorities: Vec<_> = (0..7).map(|_| Authority::new("ours")).collect();
        let leaf = authorities[0].issue(&Wish::client("dev"));
        let chain: Vec<_> =
            leaf.chain().into_iter().chain(authorities.iter().map(Authority::der)).collect();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut coming = JoinSet::new();
            for source in ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"] {
                let (chain, key, over) = (chain.clone(), leaf.key(), Arc::clone(&over));
                coming.spawn(async move {
                    let mut turned_away = 0;
                    while !over.load(Ordering::SeqCst) {
                        let came =
                            Client::with_chain(source, address, chain.clone(), key.clone_key())
                                .await;
                        if let Ok(mut client) = came {
                            assert_eq!(client.remains().await, b"");
                        }
                        turned_away += 1;
                        tokio::time::sleep(Duration::from_millis(5)).await; // a pace, not a wait
                    }
                    turned_away
                });
            }
            coming.join_all().await.into_iter().sum()
        })
    })
}

fn percentile(took: &mut [Duration], percent: usize) -> Duration {
    took.sort_unstable();
    took[(took.len() - 1) * percent / 100]
}

#[test]
fn the_heaviest_bodies_stay_within_bounds_and_keep_nobody_waiting() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(heaviest());
}

async fn heaviest() {
    let memory = Cgroup::limited(MEMORY);
    let gate = gate(&memory, r#"{"Id":"sha256:1"}"#).await;
    let bodies: Vec<_> = SHAPES.iter().map(|shape| Arc::new((*shape, (shape.body)()))).collect();
    let chosen = |at: usize| (WHO[at % WHO.len()], Arc::clone(&bodies[at * 5 % bodies.len()]));
    let answers = loaded(&gate, (0..AT_ONCE).map(chosen)).await;
    println!("{answers:?}");
    for (shape, statuses) in SHAPES.iter().map(|shape| (shape, &answers[shape.name])) {
        let expected = |status: &u16| shape.answers.contains(status);
        assert!(statuses.iter().all(expected), "{}: {statuses:?}", shape.name);
    }
    gate.settle().await;
}

/// What the daemon says can be long as well: whoever made an image chose its labels.
#[test]
fn the_longest_answers_stay_within_bounds_and_keep_nobody_waiting() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(longest());
}

async fn longest() {
    let shape = Shape {
        name: "a container of an image with many labels",
        target: "/v1.41/containers/create",
        body: || r#"{"Image":"busybox"}"#.to_owned(),
        answers: &[201],
    };
    let body = Arc::new((shape, (shape.body)()));
    for (bytes, expected) in [(500 << 10, 201), (600 << 10, 403)] {
        let memory = Cgroup::limited(MEMORY);
        let gate = gate(&memory, &labelled(bytes)).await;
        let who = (0..ANSWERED_AT_ONCE).map(|_| ("dev", Arc::clone(&body)));
        let answers = loaded(&gate, who).await;
        assert_eq!(answers[shape.name], vec![expected; ANSWERED_AT_ONCE], "{bytes} bytes");
        gate.settle().await;
    }
}

/// An image with so many bytes of labels, each as short as can be.
fn labelled(bytes: usize) -> String {
    let labels: Vec<_> = (0..bytes / 12).map(|nth| format!(r#""k{nth:05x}":"""#)).collect();
    let labels = labels.join(",");
    format!(r#"{{"Id":"sha256:1","Config":{{"Labels":{{{labels}}}}}}}"#)
}

/// Sends all of it at once while somebody else pings; what was answered, by name. Neither memory nor the pings may
/// suffer.
async fn loaded(
    gate: &Gate,
    what: impl Iterator<Item = (&'static str, Arc<(Shape, String)>)>,
) -> BTreeMap<&'static str, Vec<u16>> {
    let over = Arc::new(AtomicBool::new(false));
    let pinging = pings(gate.address(), Arc::clone(&over));
    let coming = strangers(gate.address(), Arc::clone(&over));
    let mut answers: BTreeMap<&str, Vec<u16>> = BTreeMap::new();
    let began = Instant::now();
    let mut sending = JoinSet::new();
    for (who, shape) in what {
        sending.spawn(sends(gate.address(), who, shape));
    }
    while let Some(sent) = sending.join_next().await {
        let (name, status) = sent.unwrap();
        answers.entry(name).or_default().push(status);
    }
    over.store(true, Ordering::SeqCst);
    let mut took = pinging.join().unwrap();
    let turned_away = coming.join().unwrap();
    assert!(turned_away > 0, "no stranger came");
    let (half, most) = (percentile(&mut took, 50), percentile(&mut took, 99));
    let (held, said) = (gate.memory("VmHWM"), gate.bound());
    println!(
        "{} bodies in {:.1} s; {turned_away} strangers with long chains; {} pings: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms; {} MiB held, {} MiB said",
        answers.values().map(Vec::len).sum::<usize>(),
        began.elapsed().as_secs_f64(),
        took.len(),
        half.as_secs_f64() * 1e3,
        most.as_secs_f64() * 1e3,
        took[took.len() - 1].as_secs_f64() * 1e3,
        held >> 20,
        said >> 20,
    );
    assert!(held < said && held < MEMORY, "{held} bytes were held");
    assert!(most < PING, "a ping took {most:?}");
    answers
}
