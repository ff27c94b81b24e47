//! A certificate that ends while its connection is open.

use crate::client::{Client, bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, OURS, soon, until};
use crate::pki::Wish;
use serde_json::Value;
use std::time::{Duration, SystemTime};

const CREATE: &str = "/v1.41/containers/create";
const BODY: &str = r#"{"Image":"busybox"}"#;

/// Waits until a moment has passed by the clock that the gate reads too.
async fn past(moment: SystemTime) {
    while SystemTime::now() <= moment + Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_slow_body_does_not_outlive_its_key() {
    let created = Reply::status("201 Created", "", r#"{"Id":"1"}"#);
    let script = Script::new("1.41").on("POST /containers/create", created);
    let gate = Gate::start(script).await;
    let end = SystemTime::now() + Duration::from_secs(3);
    let pair = OURS.issue(&Wish::client("dev").until(end));
    let mut quick = soon(Client::with(gate.address(), &pair)).await.unwrap();
    let mut slow = soon(Client::with(gate.address(), &pair)).await.unwrap();
    assert_eq!(quick.ask(json("POST", CREATE, BODY)).await.status, 201, "while it is good");
    let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", BODY.len());
    let (first, _) = BODY.split_at(1);
    slow.send(bare("POST", CREATE, &length) + first).await;
    past(end).await;
    assert_eq!((soon(slow.remains()).await, soon(quick.remains()).await), (vec![], vec![]));
    let mut again = soon(Client::with(gate.address(), &pair)).await.unwrap();
    assert!(soon(again.remains()).await.is_empty(), "TLS 1.3 says so only now");
    let ended = |e: &Value| e["stage"] == "session.close" && e["reason"] == "certificate.expired";
    let both = || (gate.events().iter().filter(|e| ended(e)).count() == 2).then_some(());
    until("both are said to have ended", both).await;
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 1);
    gate.settle().await;
}
