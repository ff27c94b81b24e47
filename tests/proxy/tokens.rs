//! CI tokens before the running gate: what a token adds to a certificate, for the request that it comes
//! with; that a wrong one is never as if none had been sent; and that what was opened with one ends when
//! it does.

use crate::client::{Answer, Client, bare};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, OURS, Setup, soon, until};
use crate::issuer::{Signer, with};
use crate::pki::{Pair, Wish};
use crate::tunnels::start;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const LIST: &str = "/v1.41/containers/json";
/// What only the protected branch may.
const PULL: &str = "/v1.41/images/create?fromImage=busybox&tag=latest";
const PUSH: &str = "/v1.41/images/busybox/push?tag=latest";

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::new("one"));

const IDENTITIES: &str = r#"tokens:
  issuers:
    - issuer: https://gitlab.example.org
      audience: dockward.example.org
      keys: issuer.json
      log: [project_path, ref]
identities:
  - { name: "ci-{1}", match: { uri: "spiffe://example.org/ci/*" }, roles: [reader] }
  - name: "main-{1}"
    match:
      uri: "spiffe://example.org/ci/*"
      token: { project_path: "acme/{1}", ref_protected: "true" }
    roles: [publisher]
  - name: "only-{1}"
    match:
      uri: "spiffe://example.org/only/*"
      token: { project_path: "acme/{1}" }
    roles: [publisher]
"#;

const ROLES: &str = r#"roles:
  publisher:
    scope: any
    admission: baseline
    allow: { container: [read, exec], image: [read, pull, push], system: [info, events] }
    images: { pull: ["**"], push: ["**"] }
"#;

async fn gate() -> Gate {
    let script = crate::tunnels::on_exec(Reply::Hijack(b"hi".to_vec()))
        .on("GET /events", Reply::Endless)
        .on("GET /containers/json", Reply::json("[]"))
        .on("POST /images/create", Reply::json("{}"))
        .on("POST /images/busybox/push", Reply::json("{}"));
    start_with(script).await
}

async fn start_with(script: Script) -> Gate {
    let edits = vec![("identities:\n", IDENTITIES.to_owned()), ("roles:\n", ROLES.to_owned())];
    let beside = vec![("issuer.json", SIGNER.set())];
    Gate::with(Setup { edits, beside, ..Setup::new(script) }).await
}

/// The certificate of the runner of this project.
fn runner(project: &str) -> Pair {
    OURS.issue(&Wish::client("runner").uri(&format!("spiffe://example.org/{project}")))
}

async fn connect(gate: &Gate, pair: &Pair) -> Client {
    soon(Client::with(gate.address(), pair)).await.unwrap()
}

fn header(token: &str) -> String {
    format!("X-Dockward-Token: {token}\r\n")
}

async fn get(client: &mut Client, target: &str, token: &str) -> Answer {
    client.ask(bare("GET", target, &header(token))).await
}

async fn stream(gate: &Gate, pair: &Pair, headers: &str) -> Client {
    let mut client = connect(gate, pair).await;
    client.send(bare("GET", "/v1.41/events", headers)).await;
    assert_eq!(client.head().await.0, 200);
    assert!(!client.chunk().await.is_empty());
    client
}

async fn tunnel(gate: &Gate, pair: &Pair, token: &str) -> Client {
    let mut client = connect(gate, pair).await;
    let start = start(r#"{"Detach":false,"Tty":true}"#);
    client.send(start.replacen("\r\n", &format!("\r\n{}", header(token)), 1)).await;
    assert_eq!(client.head().await.0, 101);
    assert_eq!(client.take(2).await, b"hi");
    client
}

/// A token that ends in a moment, and when.
fn brief(project: &str, seconds: i64) -> (String, Timestamp) {
    let end = Timestamp::now().as_second() + seconds;
    (SIGNER.sign(&with(project, "exp", end)), Timestamp::from_second(end).unwrap())
}

/// Waits until a moment has passed by the clock that the gate reads too.
async fn past(moment: Timestamp) {
    while Timestamp::now() <= moment {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn decisions(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["stage"] == "decision").collect()
}

fn time(event: &Value) -> Timestamp {
    event["time"].as_str().unwrap().parse().unwrap()
}

/// Nothing of the token is in the log, in what the gate said, or in what the daemon got.
fn assert_untold(gate: &Gate, token: &str) {
    let mut told = vec![gate.said()];
    for file in std::fs::read_dir(&gate.audit).unwrap() {
        told.push(String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into());
    }
    for request in gate.fake.log().requests {
        assert_eq!(request.header("X-Dockward-Token"), Vec::<String>::new());
        assert!(!request.text().to_lowercase().contains("dockward-token"), "{}", request.text());
        let bytes = [request.head, request.body, request.stdin].concat();
        told.push(String::from_utf8_lossy(&bytes).into());
    }
    for text in told {
        for secret in token.split('.').chain(["confidential@example.org"]) {
            assert!(secret.len() < 20 || !text.contains(&secret[..20]), "{secret:?} in {text}");
        }
    }
}

#[tokio::test]
async fn a_token_adds_to_the_request_that_it_comes_with() {
    let gate = gate().await;
    let token = SIGNER.good("acme/7");
    let mut client = connect(&gate, &runner("ci/7")).await;
    let mut ask = async |method, target, token: Option<&str>| {
        client.ask(bare(method, target, &token.map(header).unwrap_or_default())).await
    };
    assert_eq!(ask("GET", LIST, None).await.status, 200);
    ask("POST", PULL, None).await.assert_refused(403, "verb.not-granted");
    assert_eq!(ask("POST", PULL, Some(&token)).await.status, 200);
    assert_eq!(ask("POST", PUSH, Some(&token)).await.status, 200);
    assert_eq!(ask("GET", LIST, Some(&token)).await.status, 200);
    // what was proven before is gone with the request
    ask("POST", PUSH, None).await.assert_refused(403, "verb.not-granted");
    // good, but nobody asks for what it says
    let branch = SIGNER.sign(&with("acme/7", "ref_protected", "false"));
    assert_eq!(ask("GET", LIST, Some(&branch)).await.status, 200);
    ask("POST", PULL, Some(&branch)).await.assert_refused(403, "verb.not-granted");
    assert_eq!(gate.fake.log().calls("POST /images/create").len(), 1);
    assert_eq!(gate.fake.log().calls("POST /images/busybox/push").len(), 1);
    assert_untold(&gate, &token);
    assert_untold(&gate, &branch);

    let events = gate.settle().await;
    let who = |event: &&Value| {
        let who = &event["identity"];
        (who["name"].as_str().unwrap().to_owned(), who["roles"].clone(), who["claims"].clone())
    };
    let told: Vec<_> = decisions(&events).iter().map(who).collect();
    let logged = json!({ "project_path": "acme/7", "ref": "main" });
    let base = ("ci-7".to_owned(), json!(["reader"]), Value::Null);
    let main = ("main-7".to_owned(), json!(["publisher"]), logged.clone());
    let seen = ("ci-7".to_owned(), json!(["reader"]), logged);
    let (b, m, s) = (&base, &main, &seen);
    assert_eq!(told.iter().collect::<Vec<_>>(), [b, b, m, m, m, b, s, s]);
}

/// Headers that prove nothing, with the reason.
fn wrong() -> Vec<(String, &'static str)> {
    let now = Timestamp::now().as_second();
    let of = |name, value: i64| header(&SIGNER.sign(&with("acme/7", name, value)));
    let says = |name, value: &str| header(&SIGNER.sign(&with("acme/7", name, value)));
    let good = SIGNER.good("acme/7");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let other = SIGNER.good("acme/8");
    let swapped = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    let none = format!("eyJhbGciOiJub25lIn0.{}.", signed.split_once('.').unwrap().1);
    vec![
        (header(&swapped), "token.signature"),
        (header(&Signer::new("one").good("acme/7")), "token.signature"),
        (header(&Signer::new("two").good("acme/7")), "token.key-unknown"),
        (header(&none), "token.algorithm"),
        (of("exp", now - 1), "token.expired"),
        (of("iat", now + 600), "token.not-yet"),
        (of("exp", now + 100_000), "token.lifetime"),
        (says("aud", "https://registry.example.org"), "token.audience"),
        (says("iss", "https://elsewhere.example.org"), "token.issuer"),
        (header(&other), "token.unbound"),
        (header(""), "token.malformed"),
        (header(&format!("Bearer {good}")), "token.malformed"),
        (header(&format!("{good}, {good}")), "token.malformed"),
        (header(&format!("{signed}.ü{signature}")), "token.malformed"),
        (header(&good) + &header(&good), "token.twice"),
        (header(&good) + &header(""), "token.twice"),
        (header("") + &header(&good), "token.twice"),
    ]
}

#[tokio::test]
async fn a_wrong_token_is_a_refusal_and_never_none() {
    let gate = gate().await;
    let pair = runner("ci/7");
    let wrong = wrong();
    for (headers, reason) in &wrong {
        let mut client = connect(&gate, &pair).await;
        // what anybody with the certificate may ask
        let answer = client.ask(bare("GET", LIST, headers)).await;
        answer.assert_refused(403, reason);
        assert_eq!(answer.header("connection").as_deref(), Some("close"), "{reason}");
        assert!(soon(client.remains()).await.is_empty(), "{reason}: the connection stays open");
    }
    // on a connection where a good one was proven before, too
    let mut client = connect(&gate, &pair).await;
    let good = SIGNER.good("acme/7");
    assert_eq!(get(&mut client, LIST, &good).await.status, 200);
    let (swapped, reason) = &wrong[0];
    client.ask(bare("GET", LIST, swapped)).await.assert_refused(403, reason);
    assert!(soon(client.remains()).await.is_empty());
    assert_eq!(gate.fake.log().calls("GET /containers/json").len(), 1);
    for (headers, _) in &wrong {
        assert_untold(&gate, headers.trim_end().rsplit(' ').next().unwrap());
    }
    // a token of another project that no rule could ask for is as one of an unprotected branch
    let mut client = connect(&gate, &pair).await;
    assert_eq!(get(&mut client, LIST, &SIGNER.good("evil/7")).await.status, 200);
    assert_eq!(client.get(LIST).await.status, 200);

    let events = gate.settle().await;
    let denied: Vec<_> = decisions(&events)
        .into_iter()
        .filter(|event| event["decision"]["verdict"] == "deny")
        .collect();
    assert_eq!(denied.len(), wrong.len() + 1);
    for (event, (_, reason)) in denied.iter().zip(&wrong) {
        let why = &event["decision"]["reasons"];
        assert_eq!((&why[0]["id"], &why[1]), (&json!(reason), &Value::Null), "{event}");
        assert!(why[0]["value"].as_str().unwrap().contains("token"), "{event}");
        // whose certificate it was is on record, and that it held no role
        let who = &event["identity"];
        assert_eq!((&who["name"], &who["roles"]), (&json!("ci-7"), &json!([])), "{event}");
        assert_eq!(who["sans"], json!(["URI:spiffe://example.org/ci/7"]));
        assert_eq!(event["request"]["path"], LIST);
    }
}

#[tokio::test]
async fn whoever_is_known_by_a_token_alone_is_nobody_without() {
    let gate = gate().await;
    let pair = runner("only/7");
    let token = SIGNER.good("acme/7");
    let mut client = connect(&gate, &pair).await;
    assert_eq!(get(&mut client, LIST, &token).await.status, 200);
    client.get(LIST).await.assert_refused(403, "identity.unknown");
    assert!(soon(client.remains()).await.is_empty());
    let mut client = connect(&gate, &pair).await;
    client.get(LIST).await.assert_refused(403, "identity.unknown");
    assert!(soon(client.remains()).await.is_empty());
    let mut client = connect(&gate, &pair).await;
    get(&mut client, LIST, &SIGNER.good("acme/8")).await.assert_refused(403, "token.unbound");
    assert_eq!(gate.fake.log().calls("GET /containers/json").len(), 1);
    let events = gate.settle().await;
    let told = decisions(&events).into_iter().map(|event| {
        let verdict = (&event["decision"]["verdict"], &event["decision"]["reasons"][0]["id"]);
        let sans = &event["identity"]["sans"];
        assert_eq!(sans, &json!(["URI:spiffe://example.org/only/7"]), "{event}");
        (verdict.0.as_str().unwrap(), verdict.1.as_str().unwrap_or_default())
    });
    let nobody = ("deny", "identity.unknown");
    let wanted = [("allow", ""), nobody, nobody, ("deny", "token.unbound")];
    assert_eq!(told.collect::<Vec<_>>(), wanted);
}

#[tokio::test]
async fn what_a_token_opened_ends_with_it_and_the_rest_goes_on() {
    let gate = gate().await;
    let pair = runner("ci/7");
    let mut base = stream(&gate, &pair, "").await;
    let mut plain = connect(&gate, &pair).await;
    let mut kept = connect(&gate, &pair).await;
    let mut only = connect(&gate, &runner("only/7")).await;
    let (token, end) = brief("acme/7", 5);
    let mut branch = with("acme/7", "exp", end.as_second());
    branch["ref_protected"] = json!("false");
    let unasked = SIGNER.sign(&branch);
    let mut beside = stream(&gate, &pair, &header(&unasked)).await;
    for client in [&mut plain, &mut kept, &mut only] {
        assert_eq!(get(client, LIST, &token).await.status, 200);
    }
    let mut events = stream(&gate, &pair, &header(&token)).await;
    let mut exec = tunnel(&gate, &pair, &token).await;
    assert!(Timestamp::now() < end, "too slow a machine for this test");
    soon(events.remains()).await;
    soon(exec.remains()).await;
    assert!(Timestamp::now() >= end, "ended before its time");
    past(end).await;
    // proven before on this connection, and over now
    get(&mut kept, LIST, &token).await.assert_refused(403, "token.expired");
    get(&mut only, LIST, &token).await.assert_refused(403, "token.expired");
    // the certificate alone goes on, and what a token was not needed for
    assert_eq!(plain.get(LIST).await.status, 200);
    gate.fake.tick();
    assert!(!base.chunk().await.is_empty());
    assert!(!beside.chunk().await.is_empty());
    let ended = |e: &Value| e["parent"].is_string() && e["reason"] == "token.expired";
    let both = || {
        let ends: Vec<_> = gate.events().into_iter().filter(|e| ended(e)).collect();
        (ends.len() == 2).then_some(ends)
    };
    let ends = until("both ends on record", both).await;
    for one in &ends {
        assert_eq!(one["outcome"]["ended"], "revoked", "{one}");
        let late = time(one).duration_since(end);
        assert!(
            late >= SignedDuration::ZERO && late < SignedDuration::from_secs(1),
            "{late}: {one}"
        );
    }
    let mut stages: Vec<_> = ends.iter().map(|e| e["stage"].as_str().unwrap()).collect();
    stages.sort_unstable();
    assert_eq!(stages, ["complete", "session.close"]);
    drop((base, beside, plain));
    gate.settle().await;
}

#[tokio::test]
async fn a_token_that_ends_while_the_body_comes_is_over() {
    let gate = gate().await;
    let (token, end) = brief("acme/7", 2);
    let mut client = connect(&gate, &runner("ci/7")).await;
    let body = r#"{"Detach":false,"Tty":true}"#;
    let whole = start(body).replacen("\r\n", &format!("\r\n{}", header(&token)), 1);
    let (head, tail) = whole.split_at(whole.len() - 1);
    client.send(head).await;
    past(end).await;
    client.send(tail).await;
    client.answer().await.assert_refused(403, "token.expired");
    assert!(gate.fake.log().requests.iter().all(|request| !request.line().contains("/start")));
    let events = gate.settle().await;
    let decision = decisions(&events)[0];
    assert_eq!(decision["decision"]["reasons"][0]["id"], "token.expired");
}

#[tokio::test]
async fn many_tokens_on_one_connection_are_each_their_own() {
    let gate = gate().await;
    let mut client = connect(&gate, &runner("ci/7")).await;
    let tokens: Vec<_> = (0..6).map(|job| with("acme/7", "job_id", job)).collect();
    let tokens: Vec<_> = tokens.iter().map(|claims| SIGNER.sign(claims)).collect();
    for token in tokens.iter().chain(&tokens) {
        let pull = bare("POST", PULL, &header(token));
        assert_eq!(client.ask(pull).await.status, 200);
        client.ask(bare("POST", PULL, "")).await.assert_refused(403, "verb.not-granted");
    }
    gate.settle().await;
}

#[tokio::test]
async fn a_key_that_is_withdrawn_takes_its_tokens_and_their_streams_along() {
    let successors =
        [(Signer::new("two"), "token.key-unknown"), (Signer::new("one"), "token.signature")];
    for (successor, reason) in successors {
        let gate = gate().await;
        let pair = runner("ci/7");
        let (old, new) = (SIGNER.good("acme/7"), successor.good("acme/7"));
        let mut base = stream(&gate, &pair, "").await;
        let mut kept = connect(&gate, &pair).await;
        let mut events = stream(&gate, &pair, &header(&old)).await;
        // half a file changes nothing
        gate.put("issuer.json", &SIGNER.set()[..40]);
        gate.event("the rejection", |e| e["reason"] == "policy.rejected").await;
        assert_eq!(get(&mut kept, LIST, &old).await.status, 200);

        let replaced = Instant::now();
        gate.put("issuer.json", &successor.set());
        let loads = |e: &Value| e["stage"] == "policy.load" && e["reason"].is_null();
        let second = || gate.events().into_iter().filter(|e| loads(e)).nth(1);
        let loaded = until("the new keys", second).await;
        soon(events.remains()).await;
        println!("ended {} ms after the file was replaced", replaced.elapsed().as_millis());
        let is = |e: &Value| e["parent"].is_string() && e["reason"] == reason;
        let end = gate.event("its end", is).await;
        assert_eq!(end["outcome"]["ended"], "revoked", "{end}");
        let after = time(&end).duration_since(time(&loaded));
        assert!(after < SignedDuration::from_secs(1), "{after} after it was known");
        get(&mut kept, LIST, &old).await.assert_refused(403, reason);
        let mut fresh = connect(&gate, &pair).await;
        assert_eq!(get(&mut fresh, LIST, &new).await.status, 200);
        gate.fake.tick();
        assert!(!base.chunk().await.is_empty());
        drop((base, fresh));
        gate.settle().await;
    }
}

#[tokio::test]
async fn a_listener_for_those_with_a_token_awaits_it() {
    let gate = gate().await;
    let narrower = "client_ca: ca.pem, identities: [\"main-*\"]";
    gate.loaded(|| gate.reload("client_ca: ca.pem", narrower)).await;
    let (runner, token) = (runner("ci/shop"), SIGNER.good("acme/shop"));
    let mut client = connect(&gate, &runner).await;
    assert_eq!(get(&mut client, LIST, &token).await.status, 200, "whom the listener is for");
    client.get(LIST).await.assert_refused(403, "identity.wrong-listener");
    assert!(soon(client.remains()).await.is_empty());
    let mut client = connect(&gate, &runner).await;
    client.get(LIST).await.assert_refused(403, "identity.wrong-listener");
    assert_eq!(gate.fake.log().calls("GET /containers/json").len(), 1);
    gate.settle().await;
}
