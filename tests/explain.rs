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
    allow: { container: [read, run], build: ["*"] }
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

impl House {
    /// Writes a refusal of `ci-7` into the log; gives its id.
    fn record(&self, request: RequestRecord, id: &str, field: &str, value: &str) -> String {
        let mut event = Event::new(Stage::Decision);
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
        event.request = Some(request);
        event.decision = Some(DecisionRecord::deny([ReasonRecord {
            id: id.to_owned(),
            field: Some(field.to_owned()),
            value: Some(value.to_owned()),
        }]));
        let told = event.id.to_string();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let log = Writer::open(&self.path().join("log"), GateInstance::here(), 0).unwrap();
            log.record(event, Durability::Synced).await.unwrap();
            log.close().await.unwrap();
        });
        told
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
    says(
        &refused,
        1,
        &[
            "[privilege.privileged]",
            "(HostConfig.Privileged: --privileged, in compose privileged)",
            "why:",
            "instead:",
        ],
    );
    let twice = house.explain(&create, r#"{"Image":"a","Image":"b"}"#);
    says(&twice, 1, &["[json.duplicate-key]"]);
    let old = house.explain(&["--as", "ci-7", "GET /v1.20/info"], "");
    says(&old, 1, &["[version.range]", "supposed: the daemon, which does not answer"]);
    let verb = house.explain(&["--as", "ci-7", "POST /v1.41/volumes/prune"], "");
    says(&verb, 1, &["[verb.not-granted]", "volume.prune"]);
    let runtime = r#"{"Image":"busybox","HostConfig":{"Runtime":"kata"}}"#;
    let runtime = house.explain(&create, runtime);
    says(&runtime, 1, &["[runtime.not-allowed]", "the daemon's own default, without --runtime"]);
    let unheld = house.explain(&["--as", "ci-7", "POST /v1.41/build"], "");
    says(&unheld, 1, &["may not use build.create", "roles held: ci"]);
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
    let request = RequestRecord {
        method: "POST".to_owned(),
        path: "/v1.41/containers/create".to_owned(),
        body_sha256: Some(Sha256::of(PRIVILEGED.as_bytes())),
        ..RequestRecord::default()
    };
    let id = house.record(request, "privilege.privileged", "HostConfig.Privileged", "true");
    let told = house.explain(&[&id], "");
    says(&told, 1, &["ci-7 asked POST", "deny", "[privilege.privileged]", "give it with --body"]);
    says(&house.explain(&[&id], PRIVILEGED), 1, &["now: refused: ci-7 may not be privileged"]);
    says(&house.explain(&[&id], "{}"), 2, &["SHA-256 differs"]);
}

/// A gate that is told of its policy by a bare name, in the directory where it is, protects what is there and
/// nothing besides.
#[test]
fn a_policy_named_without_a_directory_leaves_listed_paths_open() {
    let (house, elsewhere) = (House::new(), tempfile::tempdir().unwrap());
    let listed = elsewhere.path().canonicalize().unwrap();
    let own = house.path().canonicalize().unwrap();
    let list = format!(
        "host_paths: [{{ path: {}, danger_movable: true }}, {{ path: {}, read_only: true }}]",
        listed.display(),
        own.display()
    );
    let policy = std::fs::read_to_string(own.join("policy.yaml")).unwrap();
    let policy = policy.replace("extends: baseline,", &format!("extends: baseline, {list},"));
    std::fs::write(own.join("policy.yaml"), policy).unwrap();
    // a daemon that hangs up, whose process is seen all the same
    let daemon = std::os::unix::net::UnixListener::bind(own.join("docker.sock")).unwrap();
    std::thread::spawn(move || daemon.incoming().for_each(drop));
    for name in
        [std::path::PathBuf::from("policy.yaml"), "./policy.yaml".into(), own.join("policy.yaml")]
    {
        let explain = |path: &Path| {
            let body = format!(
                r#"{{"Image":"docker.io/library/busybox","HostConfig":{{"Binds":["{}:/x:ro"]}}}}"#,
                path.display()
            );
            std::fs::write(own.join("body.json"), body).unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
            command.args(["explain", "--as", "ci-7", "POST /v1.41/containers/create"]);
            command.args(["--body", "body.json", "--config"]).arg(&name).current_dir(&own);
            let output = command.output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            (output.status.code().unwrap(), text + &String::from_utf8(output.stderr).unwrap())
        };
        says(&explain(&listed), 0, &["allowed: ci-7"]);
        says(&explain(&own), 1, &["[mount.protected]"]);
    }
}

/// What somebody put into a path, a query or a name steers no terminal when it is looked at later.
#[test]
fn what_others_sent_is_shown_as_text() {
    let house = House::new();
    let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}\u{9b}31m";
    let asked = |path: String| RequestRecord {
        method: "POST".to_owned(),
        path,
        ..RequestRecord::default()
    };
    let path = format!("/v1.41/containers/{hostile}/start");
    let id = house.record(asked(path), "name.reserved", &format!("query {hostile}"), hostile);
    let (_, shown) = house.explain(&[&id], "");
    let steers = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!shown.contains(steers), "{shown:?}");
    assert!(shown.contains("\\u{1b}]0;owned") && shown.contains("\\u{202e}"), "{shown}");
    let path = "/v1.41/containers/json".to_owned();
    let lies = house.record(asked(path), "name.reserved", "x\nnow: allowed: ci-7", "");
    let (_, shown) = house.explain(&[&lies], "");
    assert!(!shown.lines().any(|line| line.starts_with("now: allowed: ci-7")), "{shown}");
    assert!(shown.contains("x\\nnow: allowed"), "{shown}");
}
