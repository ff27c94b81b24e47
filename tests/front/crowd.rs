//! Strangers who crowd the door: they put each other out, and somebody who shows a certificate gets in.

use crate::house::{Client, House, OURS, client_config, soon};
use crate::pki::Wish;
use dockward::facade::config::FrontLimits;
use dockward::facade::proxy::RefusedKind;
use rustls::pki_types::ServerName;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

const ADDRESSES: u8 = 16;
const SILENT: u32 = 2000;
/// How long a stranger who was put out waits before he comes again.
const AGAIN: Duration = Duration::from_secs(2);
const REQUESTS: usize = 100;
/// What a request may take longer because of them. It takes a few milliseconds; this is for a machine that does
/// much else, strangers included.
const LONGER: Duration = Duration::from_secs(10);

async fn from(address: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(address.into(), 0))?;
    socket.connect(to).await
}

/// Strangers on a thread of their own, until they are dropped.
struct Crowd(Option<Runtime>);

impl Crowd {
    fn gathers(at: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        for (number, host) in (0..SILENT).zip((2..2 + ADDRESSES).cycle()) {
            // one after the other, so that they come again one after the other too
            let turn = AGAIN * number / SILENT;
            runtime.spawn(stays_silent(turn, Ipv4Addr::new(127, 0, 0, host), at));
        }
        Self(Some(runtime))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.0.take().unwrap().shutdown_background();
    }
}

/// Comes, says nothing, and comes again when he is put out.
async fn stays_silent(turn: Duration, address: Ipv4Addr, to: SocketAddr) {
    tokio::time::sleep(turn).await;
    loop {
        if let Ok(mut stream) = from(address, to).await {
            let _ = stream.read(&mut [0; 1]).await;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// So many requests, each on a connection of its own; the time of the slowest but one.
async fn asked(house: &House) -> Duration {
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        let began = Instant::now();
        assert_eq!(house.client().await.get("/").await.body, "ci");
        times.push(began.elapsed());
    }
    times.sort();
    times[REQUESTS * 99 / 100 - 1]
}

/// Sockets of both sides are in this process.
fn allow_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Some(limit.maximum.map_or(8192, |most| most.min(8192)));
    if limit.current < wanted {
        setrlimit(Resource::Nofile, Rlimit { current: wanted, ..limit }).unwrap();
    }
}

#[tokio::test]
async fn two_thousand_silent_strangers_keep_nobody_out() {
    allow_descriptors();
    let house = House::open(FrontLimits::default()).await;
    let alone = asked(&house).await;
    let crowd = Crowd::gathers(house.address);
    // the hall is full and stays so
    soon(async {
        while house.front.connections() < FrontLimits::default().handshakes {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    house.ledger.refused(RefusedKind::CrowdedOut).await;
    let crowded = asked(&house).await;
    println!("99 of 100 within {alone:?}, and within {crowded:?} with {SILENT} silent strangers");
    assert!(crowded < alone + LONGER, "{alone:?} alone, {crowded:?} in the crowd");
    let most = FrontLimits::default().handshakes + 1;
    assert!(house.front.connections() <= most, "and the hall holds no more");
    // somebody far away, whose handshake takes its time, is not put out for those who come meanwhile
    let slow = from(Ipv4Addr::new(127, 0, 1, 1), house.address).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let dev = OURS.issue(&Wish::client("dev"));
    let connector = TlsConnector::from(Arc::new(client_config(Some(&dev))));
    let name = ServerName::try_from("localhost").unwrap();
    let mut slow = Client(soon(connector.connect(name, slow)).await.unwrap());
    assert_eq!(slow.get("/").await.body, "dev");
    drop(crowd);
}

#[tokio::test]
async fn the_oldest_goes_whatever_he_has_shown_that_is_nobodys() {
    let house = House::open(FrontLimits { handshakes: 1, ..FrontLimits::default() }).await;
    let mut known = house.client().await;
    assert_eq!(known.get("/").await.status, 200);
    // one who shows nothing, and one whose certificate is good and nobody's
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    let nobody = OURS.issue(&Wish::client("nobody"));
    let mut nobody = house.connect(client_config(Some(&nobody))).await.unwrap();
    assert_eq!(soon(silent.read(&mut [0; 1])).await.unwrap(), 0, "closed without a byte");
    house.ledger.refused(RefusedKind::CrowdedOut).await;
    let mut next = house.client().await;
    assert_eq!(next.get("/").await.status, 200);
    let _ = nobody.rest().await;
    assert_eq!(known.get("/").await.status, 200, "whoever is known is not disturbed");
    drop((known, next, nobody, silent));
    house.empty().await;
}
