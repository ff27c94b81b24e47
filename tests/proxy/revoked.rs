//! Taken back while it is in use: a revocation, an expiry or a narrower policy ends what is open, says why,
//! and leaves everybody else alone.

use crate::client::{Client, bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, OURS, soon, until};
use crate::pki::{Pair, Wish};
use crate::tunnels::start;
use serde_json::Value;
use std::time::{Duration, Instant, SystemTime};

const EVENTS: &str = "/v1.41/events";
const LOAD: &str = "/v1.41/images/load";

fn far() -> SystemTime {
    SystemTime::now() + Duration::from_secs(24 * 60 * 60)
}

fn script() -> Script {
    crate::tunnels::on_exec(Reply::Hijack(b"hi".to_vec()))
        .on("GET /events", Reply::Endless)
        .on("GET /images/get", Reply::Huge(1 << 30))
        .on("POST /images/load", Reply::Stalled)
        .on("POST /containers/web/wait", Reply::Stalled)
        .on("GET /containers/json", Reply::json("[]"))
}

/// A gate that looks at a list on which nobody is yet.
async fn gate() -> Gate {
    let gate = Gate::start(script()).await;
    gate.put("crl.pem", &OURS.list(&[], far()));
    gate.reload("client_ca: ca.pem", "client_ca: ca.pem, crl: crl.pem, deny: denied");
    gate.event("a list that is missing is no reload", |e| e["reason"] == "policy.rejected").await;
    gate.loaded(|| gate.put("denied", "# nobody\n")).await;
    gate
}

fn ends(gate: &Gate, reason: &str) -> Vec<Value> {
    let end = |e: &Value| e["stage"] == "session.close" || e["stage"] == "complete";
    let ended = |e: &Value| end(e) && e["reason"] == reason;
    gate.events().into_iter().filter(ended).collect()
}

async fn stream(gate: &Gate, pair: &Pair) -> Client {
    let mut client = soon(Client::with(gate.address(), pair)).await.unwrap();
    client.send(bare("GET", EVENTS, "")).await;
    assert_eq!(client.head().await.0, 200);
    assert!(!client.chunk().await.is_empty());
    client
}

async fn tunnel(gate: &Gate, pair: &Pair) -> Client {
    let mut client = soon(Client::with(gate.address(), pair)).await.unwrap();
    client.send(start(r#"{"Detach":false,"Tty":true}"#)).await;
    assert_eq!(client.head().await.0, 101);
    assert_eq!(client.take(2).await, b"hi");
    client
}

/// Everything that somebody can have open at once.
async fn everything(gate: &Gate, pair: &Pair) -> Vec<Client> {
    let mut idle = soon(Client::with(gate.address(), pair)).await.unwrap();
    assert_eq!(idle.get("/v1.41/containers/json").await.status, 200);
    let mut slow = soon(Client::with(gate.address(), pair)).await.unwrap();
    let length = "Content-Type: application/json\r\nContent-Length: 100\r\n";
    slow.send(bare("POST", "/v1.41/containers/create", length) + "{").await;
    let mut upload = soon(Client::with(gate.address(), pair)).await.unwrap();
    upload.send(bare("POST", LOAD, "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n").await;
    gate.fake.until(|log| log.calls("POST /images/load").len() == 1).await;
    vec![idle, slow, upload, stream(gate, pair).await, tunnel(gate, pair).await]
}

#[tokio::test]
async fn whoever_is_revoked_is_out_and_nobody_else() {
    let gate = gate().await;
    let (stolen, other) = (OURS.issue(&Wish::client("admin")), OURS.issue(&Wish::client("admin")));
    let open = everything(&gate, &stolen).await;
    let (mut others, mut theirs) = (stream(&gate, &other).await, tunnel(&gate, &other).await);
    let revoked = Instant::now();
    gate.put("crl.pem", &OURS.list(&[&stolen], far()));
    for mut client in open {
        soon(client.remains()).await;
    }
    println!("all five ended {} ms after the file was replaced", revoked.elapsed().as_millis());
    let all = || (ends(&gate, "certificate.revoked").len() == 8).then_some(());
    until("five connections and three requests to be said to have ended", all).await;
    for end in ends(&gate, "certificate.revoked") {
        assert!(end["text"].as_str().unwrap().contains("key compromise"), "{end}");
        assert!(end["outcome"].is_null() || end["outcome"]["ended"] == "revoked", "{end}");
    }
    let mut again = soon(Client::with(gate.address(), &stolen)).await.unwrap();
    assert!(soon(again.remains()).await.is_empty());
    // the same name with another key goes on
    gate.fake.tick();
    assert!(!others.chunk().await.is_empty());
    theirs.send("still").await;
    assert_eq!(theirs.take(5).await, b"still");
    assert_eq!(gate.client("admin").await.get("/v1.41/containers/json").await.status, 200);
    drop((others, theirs));
    gate.settle().await;
}

#[tokio::test]
async fn a_denied_key_is_out_at_once() {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let gate = gate().await;
    let stolen = OURS.issue(&Wish::client("dev"));
    let mut client = tunnel(&gate, &stolen).await;
    let chain = stolen.chain();
    let key = X509Certificate::from_der(&chain[0]).unwrap().1.public_key().raw.to_vec();
    gate.put(
        "denied",
        &format!("key:sha256:{} # a laptop\n", dockward::facade::digest::Sha256::of(&key)),
    );
    soon(client.remains()).await;
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "certificate.denied").await;
    gate.settle().await;
}

#[tokio::test]
async fn what_a_narrower_policy_would_refuse_ends_and_the_rest_goes_on() {
    let gate = gate().await;
    let dev = OURS.issue(&Wish::client("dev"));
    let (mut exec, mut events) = (tunnel(&gate, &dev).await, stream(&gate, &dev).await);
    gate.reload(
        r#"allow: { container: ["*"], image: [read, pull]"#,
        r#"allow: { container: [read], image: [read, pull]"#,
    );
    soon(exec.remains()).await;
    let end = gate.event("its end", |e| e["reason"] == "session.narrowed").await;
    assert_eq!(
        (&end["stage"], &end["outcome"]["ended"]),
        (&"session.close".into(), &"revoked".into())
    );
    assert!(end["text"].as_str().unwrap().contains("verb.not-granted"), "{end}");
    gate.fake.tick();
    assert!(!events.chunk().await.is_empty(), "events are granted as before");
    gate.settle().await;
}

#[tokio::test]
async fn who_reads_nothing_is_out_all_the_same() {
    let gate = gate().await;
    let admin = OURS.issue(&Wish::client("admin"));
    let mut stalled = soon(Client::with(gate.address(), &admin)).await.unwrap();
    stalled.send(bare("GET", "/v1.41/images/get?names=busybox", "")).await;
    assert_eq!(stalled.head().await.0, 200);
    let mut other = stream(&gate, &admin).await;
    let admins = r#"allow: { "*": ["*"], image: ["*", import, load]"#;
    gate.reload(admins, r#"allow: { system: [events]"#);
    let narrowed = |e: &Value| e["parent"].is_string() && e["reason"] == "session.narrowed";
    let end = gate.event("its end", narrowed).await;
    assert_eq!((&end["stage"], &end["outcome"]["ended"]), (&"complete".into(), &"revoked".into()));
    gate.fake.tick();
    assert!(!other.chunk().await.is_empty(), "another connection of the same key goes on");
    drop((stalled, other));
    gate.settle().await;
}

#[tokio::test]
async fn who_is_nobody_any_more_is_out() {
    let gate = gate().await;
    let dev = OURS.issue(&Wish::client("dev"));
    let mut exec = tunnel(&gate, &dev).await;
    gate.reload("{ name: dev, match: { cn: dev }", "{ name: dev, match: { cn: developer }");
    soon(exec.remains()).await;
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "identity.unknown").await;
    gate.settle().await;
}

#[tokio::test]
async fn a_session_ends_with_its_certificate() {
    let gate = gate().await;
    let end = SystemTime::now() + Duration::from_secs(8);
    let brief = OURS.issue(&Wish::client("dev").until(end));
    let mut exec = tunnel(&gate, &brief).await;
    soon(exec.remains()).await;
    assert!(SystemTime::now() > end, "not before");
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "certificate.expired")
        .await;
    gate.settle().await;
}

#[tokio::test]
async fn a_session_ends_with_the_time_of_its_identity() {
    let gate = gate().await;
    let end = jiff::Timestamp::now() + Duration::from_secs(8);
    let valid = format!("match: {{ cn: dev }}, valid: {{ until: \"{}\" }}", end.strftime("%FT%TZ"));
    gate.loaded(|| gate.reload("match: { cn: dev }", &valid)).await;
    let dev = OURS.issue(&Wish::client("dev"));
    let mut exec = tunnel(&gate, &dev).await;
    let other = stream(&gate, &OURS.issue(&Wish::client("admin"))).await;
    soon(exec.remains()).await;
    assert!(jiff::Timestamp::now() >= end - Duration::from_secs(1), "not before");
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "identity.closed").await;
    let mut again = soon(Client::with(gate.address(), &dev)).await.unwrap();
    again.get("/v1.41/info").await.assert_refused(403, "identity.closed");
    drop(other);
    gate.settle().await;
}

#[tokio::test]
async fn an_expired_list_lets_nobody_in_and_a_new_one_does() {
    let gate = gate().await;
    let end = SystemTime::now() + Duration::from_secs(8);
    gate.loaded(|| gate.put("crl.pem", &OURS.list(&[], end))).await;
    let mut exec = tunnel(&gate, &OURS.issue(&Wish::client("dev"))).await;
    soon(exec.remains()).await;
    assert!(SystemTime::now() > end, "not before");
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "crl.expired").await;
    assert!(soon(gate.client("dev").await.remains()).await.is_empty());
    gate.loaded(|| gate.put("crl.pem", &OURS.list(&[], far()))).await;
    assert_eq!(gate.client("dev").await.get("/v1.41/containers/json").await.status, 200);
    gate.settle().await;
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_is_said() {
    let gate = gate().await;
    let stolen = OURS.issue(&Wish::client("dev"));
    gate.loaded(|| gate.put("crl.pem", &OURS.list(&[&stolen], far()))).await;
    let mut exec = tunnel(&gate, &OURS.issue(&Wish::client("dev"))).await;
    for (name, text) in [
        ("crl.pem", "nonsense"),
        ("ca.pem", ""),
        ("server.pem", "nonsense"),
        ("denied", "what?"),
        ("dockward.yaml", "version: 2"),
    ] {
        let good = std::fs::read_to_string(gate.path(name)).unwrap();
        gate.put(name, text);
        let told = |e: &Value| {
            let said = e["text"].as_str().unwrap_or_default();
            e["reason"] == "policy.rejected" && said.contains(name)
        };
        gate.event(name, told).await;
        let mut refused = soon(Client::with(gate.address(), &stolen)).await.unwrap();
        assert!(soon(refused.remains()).await.is_empty(), "{name}: revoked as before");
        exec.send("still").await;
        assert_eq!(exec.take(5).await, b"still", "{name}");
        gate.loaded(|| gate.put(name, &good)).await;
    }
    drop(exec);
    gate.settle().await;
}

#[tokio::test]
async fn a_mistake_elsewhere_keeps_nobody_in_who_was_revoked() {
    let gate = gate().await;
    let (stolen, other) = (OURS.issue(&Wish::client("dev")), OURS.issue(&Wish::client("dev")));
    let (mut exec, mut theirs) = (tunnel(&gate, &stolen).await, tunnel(&gate, &other).await);
    gate.put("dockward.yaml", "version: 1\nlisten: [half");
    gate.event("the mistake", |e| e["reason"] == "policy.rejected").await;
    gate.put("crl.pem", &OURS.list(&[&stolen], far()));
    soon(exec.remains()).await;
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "certificate.revoked")
        .await;
    let mut again = soon(Client::with(gate.address(), &stolen)).await.unwrap();
    assert!(soon(again.remains()).await.is_empty());
    theirs.send("still").await;
    assert_eq!(theirs.take(5).await, b"still");
    let list = std::fs::read(gate.path("crl.pem")).unwrap();
    let hash = dockward::facade::digest::Sha256::of(&list).to_string();
    let told = |e: &Value| {
        e["reason"] == "policy.rejected" && e["files"].to_string().contains(hash.as_str())
    };
    gate.event("which list counts", told).await;
    drop(theirs);
    gate.settle().await;
}

#[tokio::test]
async fn a_link_that_is_turned_to_another_directory_is_followed() {
    let gate = gate().await;
    let stolen = OURS.issue(&Wish::client("dev"));
    for (directory, revoked) in [("one", &[][..]), ("two", &[&stolen][..])] {
        std::fs::create_dir(gate.path(directory)).unwrap();
        std::fs::write(gate.path(&format!("{directory}/crl.pem")), OURS.list(revoked, far()))
            .unwrap();
    }
    std::os::unix::fs::symlink("one", gate.path("now")).unwrap();
    gate.loaded(|| gate.reload("crl: crl.pem", "crl: now/crl.pem")).await;
    let mut exec = tunnel(&gate, &stolen).await;
    std::os::unix::fs::symlink("two", gate.path("next")).unwrap();
    std::fs::rename(gate.path("next"), gate.path("now")).unwrap();
    soon(exec.remains()).await;
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "certificate.revoked")
        .await;
    gate.settle().await;
}

#[tokio::test]
async fn a_wait_and_a_read_are_cut_with_their_connection_and_recorded_once() {
    let gate = gate().await;
    let stolen = OURS.issue(&Wish::client("dev"));
    let mut client = soon(Client::with(gate.address(), &stolen)).await.unwrap();
    client.send(json("POST", "/v1.41/containers/web/wait", "")).await;
    gate.event("its decision", |e| e["request"]["operation"] == "ContainerWait").await;
    gate.put("crl.pem", &OURS.list(&[&stolen], far()));
    soon(client.remains()).await;
    gate.event("its end", |e| e["parent"].is_string() && e["reason"] == "certificate.revoked")
        .await;
    gate.settle().await;
}
