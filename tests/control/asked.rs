//! Asking by the binary, and what is seen without changing anything.

use crate::client::bare;
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, soon};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// A daemon with an endless stream and a list.
pub fn script() -> Script {
    Script::new("1.41")
        .on("GET /containers/json", Reply::json("[]"))
        .on("GET /events", Reply::Endless)
        .on("POST /containers/create", Reply::status("201 Created", "", r#"{"Id":"c1"}"#))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command to its end without holding up the daemon, which lives in this process.
pub async fn run(mut command: Command) -> Output {
    soon(tokio::task::spawn_blocking(move || command.output())).await.unwrap().unwrap()
}

/// `dockward` with these arguments, at the gate's own socket.
pub async fn ask(gate: &Gate, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
    run({
        command.args(arguments).arg("--control").arg(gate.path("control.sock"));
        command
    })
    .await
}

/// How the gate is: the exit code, and the answer as JSON.
pub async fn status(gate: &Gate) -> (i32, Value) {
    let output = ask(gate, &["status", "--format", "json"]).await;
    let json = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), json.unwrap_or_else(|_| panic!("{}", text(&output.stderr))))
}

/// The same, well answered, as JSON.
pub async fn told(gate: &Gate, arguments: &[&str]) -> Value {
    let output = ask(gate, &[arguments, &["--format", "json"]].concat()).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same, refused by the gate.
pub async fn refused(gate: &Gate, arguments: &[&str]) -> String {
    let output = ask(gate, arguments).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[tokio::test]
async fn status_says_how_the_gate_is() {
    let gate = Gate::start(script()).await;
    let mut dev = gate.client("dev").await;
    assert_eq!(dev.get("/v1.41/containers/json").await.status, 200);
    assert_eq!(dev.get("/v1.41/images/json?ALL=1").await.status, 400);
    dev.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(dev.head().await.0, 200);
    let nobody = crate::pki::Authority::new("others").issue(&crate::pki::Wish::client("dev"));
    let mut stranger = crate::client::Client::with(gate.address, &nobody).await.unwrap();
    assert_eq!(stranger.remains().await, b"");

    let one_is_left = async {
        loop {
            let status = told(&gate, &["status"]).await;
            if status["connections"] == 1 {
                return status;
            }
        }
    };
    let status = soon(one_is_left).await;
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    let start = &gate.events()[0];
    assert_eq!(status["instance"], start["gate"]["instance"]);
    assert_eq!(status["host"], start["gate"]["host"]);
    let loaded = gate.event("the policy", |e| e["stage"] == "policy.load").await;
    assert_eq!(status["policy"]["hash"], loaded["policy"]);
    assert_eq!(status["listeners"], json!([gate.address.to_string()]));
    assert_eq!(status["open"], json!({ "dev": 1 }));
    assert_eq!(status["identities"][0]["name"], "dev");
    assert!(status["identities"][0]["certificate_until"].as_str().unwrap().ends_with('Z'));
    let wanted = json!({ "allowed": 2, "denied": 1, "handshakes_refused": 1 });
    assert_eq!(status["counters"], wanted);
    assert_eq!(
        status["reloads"],
        json!({ "done": 0, "failed": 0, "last_error": null, "refused_since": null })
    );
    let observed: Vec<_> = status["observing"].as_array().unwrap().iter().collect();
    let names: Vec<_> = observed.iter().map(|o| o["identity"].as_str().unwrap()).collect();
    assert_eq!(names, ["legacy", "brave"], "whose observing has ended is enforced");
    let ends: Vec<&str> =
        status["ends"].as_array().unwrap().iter().map(|e| e["what"].as_str().unwrap()).collect();
    assert!(ends.iter().any(|what| what.starts_with("server certificate (")), "{ends:?}");
    assert!(ends.iter().any(|what| what.starts_with("client authority (")), "{ends:?}");
    assert_eq!((&status["log"]["failing"], &status["log"]["failures"]), (&false.into(), &0.into()));
    assert!(ends.iter().any(|what| what.starts_with("observing of identity legacy")), "{ends:?}");

    let page = ask(&gate, &["status"]).await;
    assert_eq!(page.status.code(), Some(0));
    assert!(text(&page.stdout).contains("2 allowed, 1 denied"), "{}", text(&page.stdout));
    assert!(text(&page.stdout).starts_with("well\n"), "{}", text(&page.stdout));
    drop(dev);
    gate.settle().await;
}

#[tokio::test]
async fn status_counts_what_would_have_been_refused() {
    let gate = Gate::start(script()).await;
    let mut legacy = gate.client("legacy").await;
    for _ in 0..2 {
        assert_eq!(legacy.get("/v1.41/volumes").await.status, 404, "the daemon's word");
    }
    let told = told(&gate, &["status"]).await;
    let wanted = json!([{ "identity": "legacy", "reason": "verb.not-granted", "count": 2 }]);
    assert_eq!(told["would"], wanted, "{told}");
    assert_eq!(told["counters"]["denied"], 0);
    let page = text(&ask(&gate, &["status"]).await.stdout);
    assert!(page.contains("Would have been refused"), "{page}");
    let config = gate.path("dockward.yaml");
    let observe = |name: &str, format: &str| {
        let asked = ["observe", name, "--format", format, "--config", config.to_str().unwrap()];
        Command::new(env!("CARGO_BIN_EXE_dockward")).args(asked).output().unwrap()
    };
    let listed = observe("legacy", "text");
    assert_eq!(listed.status.code(), Some(1));
    let page = text(&listed.stdout);
    assert!(
        page.starts_with(
            "legacy: 2 requests would have been refused, in 1 ways\n\n2 times, last at "
        ),
        "{page}"
    );
    assert!(page.contains("VolumeList: verb.not-granted \"volume.list\"\n  roles: { "), "{page}");
    assert!(page.contains(": { allow: { volume: [list] } } }\n"), "{page}");
    let listed: Value = serde_json::from_slice(&observe("legacy", "json").stdout).unwrap();
    assert_eq!(listed[0]["change"]["role"]["add"], "allow: { volume: [list] }");
    assert_eq!(observe("dev", "text").status.code(), Some(0), "nothing of hers would have been");
    assert_eq!(observe("nobody-of-the-policy", "text").status.code(), Some(2));
    drop(legacy);
    gate.settle().await;
}

#[tokio::test]
async fn sessions_are_listed_by_connection() {
    let gate = Gate::start(script()).await;
    assert_eq!(told(&gate, &["sessions"]).await["connections"], json!([]));
    let mut dev = gate.client("dev").await;
    dev.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(dev.head().await.0, 200);
    let mut idle = gate.client("reader").await;
    assert_eq!(idle.get("/v1.41/containers/json").await.status, 200);
    gate.outcome("ContainerList").await;

    let listed = told(&gate, &["sessions"]).await;
    let [first, second] = listed["connections"].as_array().unwrap().as_slice() else {
        panic!("{listed}")
    };
    assert_eq!((&first["identity"], &second["identity"]), (&"dev".into(), &"reader".into()));
    assert_eq!(first["listener"], gate.address.to_string());
    assert_eq!(second["open"], json!([]));
    let decided =
        |e: &Value| e["stage"] == "decision" && e["request"]["operation"] == "SystemEvents";
    let decision = gate.event("the decision", decided).await;
    assert_eq!(first["open"][0]["id"], decision["id"]);
    assert_eq!(first["open"][0]["operation"], "SystemEvents");
    assert_eq!(first["client"], decision["client"]["address"]);
    assert_eq!(first["connection"].to_string(), decision["client"]["connection"].as_str().unwrap());
    let table = text(&ask(&gate, &["sessions"]).await.stdout);
    assert!(table.starts_with("CONNECTION") && table.contains("SystemEvents"), "{table}");
    drop(dev);
    gate.settle().await;
}

#[tokio::test]
async fn the_policy_says_where_to_ask_and_a_gate_that_is_not_there_is_told_of() {
    let mut gate = Gate::start(script()).await;
    let by_policy = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
        command.args(["status", "--config"]).arg(gate.path("dockward.yaml"));
        command
    };
    assert_eq!(run(by_policy()).await.status.code(), Some(0));
    let socket = gate.path("control.sock");
    gate.signal(rustix::process::Signal::TERM);
    gate.ended().await;
    assert!(!socket.exists(), "the socket goes with the gate");
    let gone = ask(&gate, &["status"]).await;
    assert_eq!(gone.status.code(), Some(2));
    assert!(text(&gone.stderr).contains("start the gate"), "{}", text(&gone.stderr));
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let stale = ask(&gate, &["status"]).await;
    assert!(text(&stale.stderr).contains("nobody listens there"), "{}", text(&stale.stderr));
    gate.settle().await;
}
