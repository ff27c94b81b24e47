//! Heads: too slow, too many fields, too large, not HTTP/1.1; and connections at rest.

use crate::house::House;
use dockward::facade::config::FrontLimits;
use dockward::facade::proxy::RefusedKind;
use std::fmt::Write as _;
use std::time::Duration;

const SHORT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_head_that_never_comes_or_never_ends_is_given_up() {
    for begun in ["", "GET / HTTP/1.1\r\nHost: do"] {
        let house =
            House::open(FrontLimits { head_timeout: SHORT, ..FrontLimits::default() }).await;
        let mut client = house.client().await;
        client.send(begun).await;
        let (bytes, _) = client.rest().await;
        assert_eq!(bytes, b"");
        house.ledger.refused(RefusedKind::HeadTimeout).await;
    }
}

#[tokio::test]
async fn a_pooled_connection_outlives_the_head_timeout_and_a_begun_head_does_not() {
    let house = House::open(FrontLimits { head_timeout: SHORT, ..FrontLimits::default() }).await;
    let mut client = house.client().await;
    assert_eq!(client.get("/").await.status, 200);
    // The time itself is what is tested here: at rest for longer than a head may take.
    tokio::time::sleep(SHORT * 3).await;
    assert_eq!(client.get("/").await.status, 200);
    client.send("GET / HT").await;
    let (bytes, _) = client.rest().await;
    assert_eq!(bytes, b"");
    house.ledger.refused(RefusedKind::HeadTimeout).await;
}

#[tokio::test]
async fn a_connection_at_rest_ends_quietly_in_the_end() {
    let house = House::open(FrontLimits { idle_timeout: SHORT, ..FrontLimits::default() }).await;
    let mut client = house.client().await;
    assert_eq!(client.get("/").await.status, 200);
    client.assert_closed().await;
    drop(client);
    house.empty().await;
    assert_eq!(house.ledger.entries(0).await, []);
}

#[tokio::test]
async fn a_request_may_take_longer_than_any_head() {
    let limits = FrontLimits { head_timeout: SHORT, idle_timeout: SHORT, ..FrontLimits::default() };
    let house = House::open(limits).await;
    let mut client = house.client().await;
    client.send("GET /hold HTTP/1.1\r\nHost: docker\r\n\r\n").await;
    house.event("held").await;
    // The time itself is what is tested here.
    tokio::time::sleep(SHORT * 3).await;
    house.clerk.release.notify_one();
    assert_eq!(client.answer().await.body, "released");
}

#[tokio::test]
async fn too_many_fields_or_too_large_a_head_is_a_431() {
    let house = House::open(FrontLimits::default()).await;
    let fields = |count: usize, size: usize| {
        let mut head = String::from("GET / HTTP/1.1\r\nHost: docker\r\n");
        for n in 1..count {
            write!(head, "X-Field-{n}: {}\r\n", "x".repeat(size)).unwrap();
        }
        head + "\r\n"
    };
    let mut client = house.client().await;
    client.send(fields(64, 10)).await;
    assert_eq!(client.answer().await.status, 200, "64 fields are fine");
    client.send(fields(33, 1900)).await;
    assert_eq!(client.answer().await.status, 200, "60 KiB are fine");
    for head in [fields(65, 10), fields(60, 2400)] {
        let mut client = house.client().await;
        client.send(head).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (431, ""));
        client.assert_closed().await;
    }
    house.ledger.entries(2).await;
    house.ledger.refused(RefusedKind::Head).await;
}

#[tokio::test]
async fn what_hyper_cannot_parse_is_a_bare_400_on_record() {
    let house = House::open(FrontLimits::default()).await;
    for head in ["GET / HTTP/1.1\r\nHost : docker\r\n\r\n", "GET\t/ HTTP/1.1\r\n\r\n", "\0\r\n\r\n"]
    {
        let mut client = house.client().await;
        client.send(head).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{head:?}");
        client.assert_closed().await;
    }
    house.ledger.entries(3).await;
    let detail = house.ledger.refused(RefusedKind::Head).await;
    assert!(!detail.contains("docker"), "no byte of the client's: {detail}");
}

#[tokio::test]
async fn http_2_is_closed_without_a_byte() {
    let house = House::open(FrontLimits::default()).await;
    let mut client = house.client().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(client.rest().await.0, b"");
    house.ledger.refused(RefusedKind::Head).await;
}
