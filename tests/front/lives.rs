//! How it ends: a client that is gone, tunnels, and a shutdown that cuts nobody off.

use crate::house::{House, soon};
use dockward::facade::config::FrontLimits;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

const GONE: &str = "GET /gone HTTP/1.1\r\nHost: docker\r\n\r\n";
const TUNNEL: &str =
    "POST /tunnel HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

#[tokio::test]
async fn a_gone_client_is_seen_even_behind_pipelined_bytes() {
    let house = House::open(FrontLimits::default()).await;
    for pipelined in ["", "G", "GET / HTTP/1.1\r\nHost: docker\r\n\r\n"] {
        let mut client = house.client().await;
        client.send(format!("{GONE}{pipelined}")).await;
        house.event("waiting").await;
        drop(client);
        house.event("gone").await;
    }
}

#[tokio::test]
async fn a_tunnel_keeps_early_bytes_and_half_closes() {
    let house = House::open(FrontLimits::default()).await;
    let mut client = house.client().await;
    client.send(format!("{TUNNEL}early ")).await;
    assert_eq!(client.answer().await.status, 101);
    client.send("late").await;
    client.0.get_mut().1.send_close_notify();
    soon(client.0.flush()).await.unwrap();
    let (bytes, ended) = client.rest().await;
    assert_eq!((bytes.as_slice(), ended.unwrap()), (&b"early late"[..], 10));
    drop(client);
    house.empty().await;
}

#[tokio::test]
async fn a_shutdown_closes_who_rests_and_waits_for_who_works() {
    let house = House::open(FrontLimits::default()).await;
    let mut fresh = house.client().await;
    let mut idle = house.client().await;
    assert_eq!(idle.get("/").await.status, 200);
    let mut busy = house.client().await;
    busy.send("GET /hold HTTP/1.1\r\nHost: docker\r\n\r\n").await;
    house.event("held").await;
    let mut tunnel = house.client().await;
    tunnel.send(TUNNEL).await;
    assert_eq!(tunnel.answer().await.status, 101);

    let drained = house.shutdown.drain(Duration::from_millis(100));
    let (drained, (), ()) = tokio::join!(drained, fresh.assert_closed(), idle.assert_closed());
    assert!(drained.is_err(), "two are still at work");
    drop((fresh, idle));
    assert!(TcpStream::connect(house.address).await.is_err(), "nobody else gets in");

    house.clerk.release.notify_one();
    let answer = busy.answer().await;
    assert_eq!(answer.body, "released");
    assert!(answer.head.contains("connection: close"));
    busy.assert_closed().await;
    drop(busy);
    assert!(house.shutdown.drain(Duration::from_millis(100)).await.is_err(), "the tunnel lives");
    tunnel.send("last words").await;
    tunnel.0.shutdown().await.unwrap();
    let (bytes, _) = tunnel.rest().await;
    assert_eq!(bytes, b"last words");
    drop(tunnel);
    assert_eq!(house.shutdown.drain(Duration::from_secs(10)).await, Ok(()));
}
