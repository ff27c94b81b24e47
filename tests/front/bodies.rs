//! Bodies: whole within bounds or not at all; and a refusal that the uploading client can read.

use crate::house::{Answer, Client, House, soon};
use dockward::facade::config::FrontLimits;
use std::time::Duration;

const SHORT: Duration = Duration::from_secs(1);

fn small() -> FrontLimits {
    FrontLimits { body_max: 10_000, ..FrontLimits::default() }
}

fn post(path: &str, framing: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: docker\r\n{framing}\r\n\r\n{body}")
}

fn sized(path: &str, size: usize) -> String {
    post(path, &format!("Content-Length: {size}"), &"x".repeat(size))
}

fn chunked(path: &str, size: usize, end: &str) -> String {
    let data = "x".repeat(size);
    post(path, "Transfer-Encoding: chunked", &format!("{size:x}\r\n{data}\r\n0\r\n{end}\r\n"))
}

async fn ask(client: &mut Client, request: String) -> Answer {
    client.send(request).await;
    client.answer().await
}

#[tokio::test]
async fn a_body_within_the_bound_is_in_hand_whole() {
    let house = House::open(small()).await;
    let mut client = house.client().await;
    for size in [0, 1, 4096, 4097, 9_999, 10_000] {
        let answer = ask(&mut client, sized("/inspect", size)).await;
        assert_eq!((answer.status, answer.body), (200, size.to_string()));
        if size > 0 {
            let answer = ask(&mut client, chunked("/inspect", size, "")).await;
            assert_eq!((answer.status, answer.body), (200, size.to_string()));
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_a_413() {
    let house = House::open(small()).await;
    let announced = post("/inspect", "Content-Length: 10001", "");
    for request in [announced, sized("/inspect", 10_001), chunked("/inspect", 10_001, "")] {
        let mut client = house.client().await;
        let answer = ask(&mut client, request).await;
        assert_eq!(answer.status, 413);
        assert_eq!(
            answer.message(),
            "dockward: the body is larger than the 10000 bytes that are inspected [body.too-large]"
        );
        assert!(answer.head.contains("connection: close"));
    }
}

#[tokio::test]
async fn trailers_are_a_400() {
    let house = House::open(small()).await;
    for path in ["/inspect", "/opaque"] {
        let mut client = house.client().await;
        let answer = ask(&mut client, chunked(path, 5, "Content-Length: 3\r\n")).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.message().ends_with("[body.trailers]"), "{path}");
    }
    let mut client = house.client().await;
    assert_eq!(ask(&mut client, chunked("/opaque", 5, "")).await.body, "5");
}

#[tokio::test]
async fn a_body_that_does_not_come_or_cannot_be_read_is_a_400() {
    let house = House::open(FrontLimits { body_timeout: SHORT, ..small() }).await;
    let late = post("/inspect", "Content-Length: 5", "{}");
    let broken = post("/inspect", "Transfer-Encoding: chunked", "2\r\n{}\r\nZZ\r\n");
    for (request, why) in [(late, "did not arrive in time"), (broken, "cannot be read")] {
        let mut client = house.client().await;
        let answer = ask(&mut client, request).await;
        assert_eq!(answer.status, 400);
        let message = answer.message();
        assert!(message.contains(why) && message.ends_with("[body.incomplete]"), "{message}");
    }
}

/// One body of 100,000 bytes and a little more; each body's first 8 KiB are its own.
fn tight() -> FrontLimits {
    FrontLimits { body_max: 100_000, bodies_total: 100 << 10, ..FrontLimits::default() }
}

#[tokio::test]
async fn all_bodies_in_hand_share_one_budget() {
    let house = House::open(FrontLimits { body_timeout: SHORT, ..tight() }).await;
    let (mut first, mut second) = (house.client().await, house.client().await);
    first.send(sized("/inspect?keep", 100_000)).await;
    house.event("kept").await;
    assert_eq!(ask(&mut second, sized("/inspect", 16_000)).await.status, 200, "what is left");
    let answer = ask(&mut second, sized("/inspect", 90_000)).await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: 1"));
    assert!(answer.message().contains("too many request bodies"));
    house.clerk.release.notify_one();
    assert_eq!(first.answer().await.body, "100000");
    let mut third = house.client().await;
    assert_eq!(ask(&mut third, sized("/inspect", 90_000)).await.status, 200, "given back");
}

#[tokio::test]
async fn large_bodies_keep_no_small_one_waiting() {
    let house = House::open(tight()).await;
    let (mut first, mut second) = (house.client().await, house.client().await);
    first.send(sized("/inspect?keep", 100_000)).await;
    house.event("kept").await;
    // one more that waits for memory, ahead of everybody who comes after it
    second.send(sized("/inspect", 90_000)).await;
    for _ in 0..3 {
        let mut client = house.client().await;
        assert_eq!(ask(&mut client, sized("/inspect", 8 << 10)).await.status, 200);
        assert_eq!(ask(&mut client, chunked("/inspect", 8 << 10, "")).await.status, 200);
    }
    house.clerk.release.notify_one();
    assert_eq!(first.answer().await.body, "100000");
    assert_eq!(second.answer().await.body, "90000");
}

#[tokio::test]
async fn announcing_much_takes_nothing_from_others() {
    let house = House::open(FrontLimits { bodies_total: 12 << 10, ..small() }).await;
    let mut announcers = Vec::new();
    for _ in 0..4 {
        let mut client = house.client().await;
        client.send(post("/inspect", "Content-Length: 10000", "")).await;
        announcers.push(client);
    }
    let mut client = house.client().await;
    assert_eq!(ask(&mut client, sized("/inspect", 10_000)).await.status, 200);
}

/// Two of these bodies are in hand at once, and each needs more than is left beside another.
#[tokio::test]
async fn many_large_bodies_at_once_all_end() {
    let limits = FrontLimits { bodies_total: 200 << 10, ..tight() };
    let house = House::open(limits).await;
    let mut clients = Vec::new();
    for _ in 0..60 {
        let mut client = house.client().await;
        // enough to have all of them ask for memory, before any can end
        client.send(post("/inspect", "Content-Length: 100000", &"x".repeat(60_000))).await;
        clients.push(client);
    }
    for client in &mut clients {
        client.send("x".repeat(40_000)).await;
    }
    for client in &mut clients {
        assert_eq!(client.answer().await.body, "100000");
    }
}

#[tokio::test]
async fn one_identity_has_a_share_of_the_memory_for_bodies() {
    let limits = FrontLimits {
        bodies_total: 400 << 10,
        bodies_per_identity: 200 << 10,
        body_max: 100_000,
        ..FrontLimits::default()
    };
    let house = House::open(limits).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut client = house.client().await;
        client.send(post("/inspect", "Content-Length: 100000", &"x".repeat(60_000))).await;
        slow.push(client);
    }
    // one that came before and does not end keeps nobody else waiting
    let mut other = house.client_of("dev").await;
    assert_eq!(ask(&mut other, sized("/inspect", 100_000)).await.body, "100000");
    for client in &mut slow {
        client.send("x".repeat(40_000)).await;
    }
    for client in &mut slow {
        assert_eq!(client.answer().await.body, "100000");
    }
}

#[tokio::test]
async fn a_client_in_the_middle_of_its_upload_reads_our_words() {
    let house = House::open(FrontLimits::default()).await;
    for framing in ["sized", "chunked"] {
        let mut client = house.client().await;
        // All of it is written before a byte is read, as simple clients do.
        let request = match framing {
            "sized" => sized("/refuse", 4 << 20),
            _ => chunked("/refuse", 4 << 20, ""),
        };
        let answer = ask(&mut client, request).await;
        assert_eq!((answer.status, answer.message().as_str()), (403, "not you"), "{framing}");
        assert!(answer.head.contains("connection: close"));
        client.assert_closed().await;
    }
}

#[tokio::test]
async fn an_upload_without_end_is_not_read_for_ever() {
    use tokio::io::AsyncWriteExt as _;
    let house = House::open(FrontLimits::default()).await;
    let mut client = house.client().await;
    client.send(post("/refuse", "Transfer-Encoding: chunked", "")).await;
    assert_eq!(client.answer().await.status, 403, "the refusal does not wait for the body");
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65536));
    let upload = async {
        let mut sent = 0_usize;
        while client.0.write_all(chunk.as_bytes()).await.is_ok() {
            sent += 65536;
            assert!(sent < 64 << 20, "still read after 64 MiB");
        }
    };
    soon(upload).await;
}

#[tokio::test]
async fn who_waits_for_a_100_is_refused_without_one() {
    let house = House::open(FrontLimits::default()).await;
    let mut client = house.client().await;
    let framing = "Content-Length: 5\r\nExpect: 100-continue";
    assert_eq!(ask(&mut client, post("/refuse", framing, "")).await.status, 403);
    client.assert_closed().await;
    let mut client = house.client().await;
    assert_eq!(ask(&mut client, post("/inspect", framing, "")).await.status, 100);
    client.send("hello").await;
    assert_eq!(client.answer().await.body, "5");
}
