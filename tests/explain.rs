//! `dockward explain`: the judgement that serves, offline; exit 0 allowed, 1 refused, 2 not to be told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests fail by panicking"
)]

use dockward::facade::audit::event::{
    DecisionRecord, IdentityRecord, Proof, ReasonRecord, RequestRecord,
};
use dockward::facade::audit::{Durability, Event, GateInstance, Stage, Writer};
use dockward::facade::digest::Sha256;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const POLICY: &str = r#"version: 1
listen: [{ tls: "127.0.0.1:1", certificate: c.pem, key: k.pem, client_ca: a.pem }]
daemon: { socket: docker.sock }
audit: { directory: log }
identities:
  - { name: "ci-{1}", match: { uri: "spiffe://x/ci/*" }, roles: [ci] }
  - { name: mover, match: { cn: mover }, roles: [ci], mode: observe, until: "UNTIL" }
roles:
  ci:
    scope: any
    admission: ci
    allow: { container: [read, run] }
    images: { run: ["docker.io/library/*"] }
admission:
  ci: { extends: baseline, memory: { default: 512MiB, max: 1GiB } }
"#;

const PRIVILEGED: &str = r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#;

struct House(tempfile::TempDir);

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for file in ["c.pem", "k.pem", "a.pem"] {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let text =
                if file == "k.pem" { made.signing_key.serialize_pem() } else { made.cert.pem() };
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        std::fs::create_dir(dir.path().join("log")).unwrap();
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let policy = POLICY.replace("UNTIL", &soon.to_string());
        std::fs::write(dir.path().join("policy.yaml"), policy).unwrap();
        Self(dir)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn explain(&self, args: &[&str], body: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
        command.arg("explain").arg("--config").arg(self.path().join("policy.yaml")).args(args);
        if !body.is_empty() {
            command.args(["--body", "-"]);
        }
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap();
        child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        let text = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
        (status.code().unwrap(), text)
    }
}

#[track_caller]
fn says(result: &(i32, String), code: i32, words: &[&str]) {
    assert_eq!(result.0, code, "{}", result.1);
    for word in words {
        assert!(result.1.contains(word), "{word:?} is not in: {}", result.1);
    }
}

#[test]
fn a_request_is_judged_as_when_served() {
    let house = House::new();
    let create = ["--as", "ci-7", "POST /v1.41/containers/create"];
    let allowed = house.explain(&create, r#"{"Image":"busybox"}"#);
    says(&allowed, 0, &["allowed: ci-7 by ci", "HostConfig.Memory=536870912"]);
    let refused = house.explain(&create, PRIVILEGED);
    says(&refused, 1, &["[privilege.privileged]", "(HostConfig.Privileged)", "why:", "instead:"]);
    let twice = house.explain(&create, r#"{"Image":"a","Image":"b"}"#);
    says(&twice, 1, &["[json.duplicate-key]"]);
    let verb = house.explain(&["--as", "ci-7", "POST /v1.41/volumes/prune"], "");
    says(&verb, 1, &["[verb.not-granted]", "volume.prune"]);
}

#[test]
fn what_is_observed_is_said_to_be_observed() {
    let house = House::new();
    let create = ["--as", "mover", "POST /v1.41/containers/create"];
    let softened = house.explain(&create, r#"{"Image":"quay.io/a/b"}"#);
    says(&softened, 0, &["allowed: mover", "observed only", "[image.not-allowed]"]);
    says(&house.explain(&create, PRIVILEGED), 1, &["[privilege.privileged]"]);
}

#[test]
fn what_cannot_be_told_is_said_with_what_to_do() {
    let house = House::new();
    says(&house.explain(&["GET /v1.41/info"], ""), 2, &["--as NAME"]);
    says(&house.explain(&["--as", "nobody", "GET /v1.41/info"], ""), 2, &["ci-{1}"]);
    says(&house.explain(&["--as", "ci-7", "nonsense"], ""), 2, &["METHOD /path"]);
    let unknown = dockward::facade::audit::EventId::new().to_string();
    says(&house.explain(&[&unknown], ""), 2, &["no event"]);
}

#[test]
fn a_recorded_decision_is_told_and_judged_again() {
    let house = House::new();
    let mut event = Event::new(Stage::Decision);
    let id = event.id.to_string();
    event.identity = Some(IdentityRecord {
        name: "ci-7".to_owned(),
        roles: vec!["ci".to_owned()],
        proven: Proof::Certificate,
        subject: None,
        issuer: None,
        serial: None,
        sans: Vec::new(),
        fingerprint: None,
        unix: None,
        claims: serde_json::Map::new(),
    });
    event.request = Some(RequestRecord {
        method: "POST".to_owned(),
        path: "/v1.41/containers/create".to_owned(),
        body_sha256: Some(Sha256::of(PRIVILEGED.as_bytes())),
        ..RequestRecord::default()
    });
    event.decision = Some(DecisionRecord::deny([ReasonRecord {
        id: "privilege.privileged".to_owned(),
        field: Some("HostConfig.Privileged".to_owned()),
        value: Some("true".to_owned()),
    }]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let log = Writer::open(&house.path().join("log"), GateInstance::here(), 0).unwrap();
        log.record(event, Durability::Synced).await.unwrap();
        log.close().await.unwrap();
    });
    let told = house.explain(&[&id], "");
    says(&told, 1, &["ci-7 asked POST", "deny", "[privilege.privileged]", "give it with --body"]);
    says(&house.explain(&[&id], PRIVILEGED), 1, &["now: refused: ci-7 may not be privileged"]);
    says(&house.explain(&[&id], "{}"), 2, &["SHA-256 differs"]);
}
