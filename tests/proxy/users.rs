//! Users of this host at a Unix socket: who is known by uid and gid, who is nobody, and that everything
//! else is as it is over TLS. Other users and namespaces are those of util-linux (`setpriv`, `unshare`),
//! with curl in them; this needs root, as the container tests do.

use crate::client::{Client, UPGRADE, bare, json};
use crate::fake_daemon::{Reply, Script};
use crate::gate::{Gate, Setup, soon, until};
use crate::tunnels::on_attach;
use rustix::process::Signal;
use serde_json::Value;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::net::UnixStream;

/// Everybody's group here, so that they may open the socket at all.
const SHARED: u32 = 7000;
const LIST: &str = "/v1.41/containers/json";
const CREATE: &str = "/v1.41/containers/create";

fn script() -> Script {
    Script::new("1.41").on("GET /containers/json", Reply::json("[]"))
}

/// A directory that others may enter, with a socket of the gate in it.
struct Place {
    directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), open).unwrap();
        Self { directory }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("docker.sock")
    }

    /// A gate with this entry and these identities more.
    fn setup(&self, script: Script, keys: &str, identities: &str) -> Setup {
        let mut setup = Setup::new(script);
        let entry = format!(
            "client_ca: ca.pem }}\n  - {{ unix: \"{}\", group: {SHARED}{keys} }}",
            self.socket().display()
        );
        setup.edits = vec![
            ("client_ca: ca.pem }", entry),
            ("identities:\n", format!("identities:\n{identities}")),
        ];
        setup
    }

    async fn gate(&self, script: Script, identities: &str) -> Gate {
        Gate::with(self.setup(script, "", identities)).await
    }

    async fn client(&self) -> Client<UnixStream> {
        Client::at(&self.socket()).await.unwrap()
    }
}

const HERE: &str = "  - { name: here, match: { uid: 0 }, roles: [developer] }\n";

/// What curl got, asked for by a command that runs it: its status and its body.
async fn curl(as_whom: &[&str], socket: &Path, path: &str) -> (String, String) {
    let mut words: Vec<String> = as_whom.iter().map(|&word| word.to_owned()).collect();
    words.extend(["curl", "-sS", "-w", "\n%{http_code}", "--unix-socket"].map(str::to_owned));
    words.extend([socket.display().to_string(), format!("http://gate{path}")]);
    let run = move || {
        let mut command = Command::new(&words[0]);
        let output = command.args(&words[1..]).stdin(Stdio::null()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    };
    let said = soon(tokio::task::spawn_blocking(run)).await.unwrap();
    let (body, status) = said.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

/// curl as this user, in this group and others.
async fn as_user(uid: &str, gid: &str, groups: &str, socket: &Path) -> (String, String) {
    let whom = ["setpriv", "--reuid", uid, "--regid", gid, "--groups", groups];
    curl(&whom, socket, LIST).await
}

#[tokio::test]
async fn users_are_known_by_uid_and_by_any_of_their_groups() {
    let place = Place::new();
    let identities = "  - { name: jo, match: { uid: 4001 }, roles: [reader] }\n  \
                        - { name: admins, match: { gid: 4050 }, roles: [reader] }\n";
    let gate = place.gate(script(), identities).await;
    let socket = place.socket();
    let ask = |uid, gid, groups| as_user(uid, gid, groups, &socket);
    assert_eq!(ask("4001", "4001", "7000").await.0, "200");
    assert_eq!(ask("4002", "4050", "7000").await.0, "200");
    assert_eq!(ask("4003", "4003", "7000,4050").await.0, "200");
    let (status, body) = ask("4050", "4001", "7000").await;
    assert_eq!(status, "403", "a uid is no gid: {body}");
    assert!(body.contains("no identity matches the user with uid 4050 [identity.unknown]"));
    let (status, body) = ask("4001", "4001", "7000,4050").await;
    assert_eq!(status, "403", "{body}");
    assert!(body.contains("several identities match the user with uid 4001"), "{body}");
    // a certificate's name is no user's
    assert_eq!(gate.client("dev").await.get(LIST).await.status, 200);
    let events = gate.settle().await;
    let decisions: Vec<_> = events.iter().filter(|e| e["stage"] == "decision").collect();
    let who = |e: &Value| (e["identity"]["name"].clone(), e["identity"]["proven"].clone());
    assert_eq!(
        decisions.iter().map(|e| who(e)).collect::<Vec<_>>(),
        [("jo", "unix"), ("admins", "unix"), ("admins", "unix"), ("dev", "certificate")]
            .map(|(name, proven)| (name.into(), proven.into()))
    );
    let jo = decisions[0];
    assert_eq!(jo["identity"]["unix"]["uid"], 4001);
    assert_eq!(jo["identity"]["unix"]["gid"], 4001);
    assert!(jo["identity"]["unix"]["pid"].as_u64().unwrap() > 1);
    assert_eq!(jo["client"]["address"], "uid:4001");
    assert_eq!(jo["client"]["listener"], format!("unix:{}", socket.display()));
    assert!(jo["identity"].get("subject").is_none() && jo["client"].get("tls").is_none());
    let refused = |uid: &str| {
        let is = |e: &&Value| e["stage"] == "connection.refused" && e["client"]["address"] == uid;
        events.iter().filter(is).map(|e| e["reason"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(refused("uid:4050"), ["identity.unknown"]);
    assert_eq!(refused("uid:4001"), ["identity.ambiguous-match"]);
}

#[tokio::test]
async fn a_stranger_is_told_so_once_and_the_connection_ends() {
    let place = Place::new();
    let gate = place.gate(script(), "").await;
    let mut client = place.client().await;
    let answer = client.ask(json("POST", CREATE, "{}")).await;
    answer.assert_refused(403, "identity.unknown");
    assert_eq!(answer.header("connection").as_deref(), Some("close"));
    assert_eq!(client.rest().await, b"");
    assert!(gate.fake.log().requests.iter().all(|r| r.call().contains("_ping")));
    gate.settle().await;
}

/// Whoever is in a container can be root there and is nobody here.
#[tokio::test]
async fn a_peer_in_another_namespace_is_refused() {
    let place = Place::new();
    let gate = place.gate(script(), HERE).await;
    let socket = place.socket();
    for whom in [
        &["unshare", "-U", "--map-root-user"][..],
        &["unshare", "-U", "--map-root-user", "-p", "-f"],
        &["unshare", "-p", "-f"],
        &["unshare", "-U"],
    ] {
        let (status, body) = curl(whom, &socket, LIST).await;
        assert_eq!(status, "403", "{whom:?}: {body}");
        assert!(body.contains("[peer.namespace]"), "{whom:?}: {body}");
    }
    for whom in [&["env"][..], &["unshare", "-m", "-n", "-i", "-u"]] {
        assert_eq!(curl(whom, &socket, LIST).await.0, "200", "{whom:?}: a user of this host");
    }
    let events = gate.settle().await;
    let refused = events.iter().filter(|e| e["reason"] == "peer.namespace");
    let count: u64 = refused.map(|e| e["folded"]["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 4);
}

/// Links in /proc/PID/ns are root's to read; the gate is not root.
#[tokio::test]
async fn a_gate_without_privileges_sees_namespaces_too() {
    let place = Place::new();
    std::os::unix::fs::chown(place.directory.path(), Some(4242), Some(4242)).unwrap();
    let mut setup = place.setup(script(), "", HERE);
    setup.user = Some(4242);
    for (_, text) in &mut setup.edits {
        *text = text.replace("group: 7000", "group: 4242");
    }
    let gate = Gate::with(setup).await;
    let socket = place.socket();
    assert_eq!(curl(&["env"], &socket, LIST).await.0, "200");
    // of the socket's group, since root there is nobody to the file
    let member = ["setpriv", "--regid", "4242", "--clear-groups"];
    for below in [&["unshare", "-U", "--map-root-user"][..], &["unshare", "-p", "-f"]] {
        let whom = &[&member[..], below].concat();
        let (status, body) = curl(whom, &socket, LIST).await;
        assert_eq!(status, "403", "{whom:?}: {body}");
        assert!(body.contains("[peer.namespace]"), "{whom:?}: {body}");
    }
    gate.settle().await;
}

/// Its number may be somebody else's by now.
#[tokio::test]
async fn a_process_that_has_ended_is_nobody() {
    const PROGRAM: &str = r#"
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
if os.fork(): os._exit(0)
sys.stdin.read()
s.sendall(b"GET /v1.41/containers/json HTTP/1.1\r\nHost: gate\r\n\r\n")
while True:
    said = s.recv(65536)
    if not said: break
    os.write(1, said)
"#;
    let place = Place::new();
    let gate = place.gate(script(), HERE).await;
    gate.signal(Signal::STOP); // so that it connects now and is looked at when it has ended
    let mut parent = Command::new("python3")
        .args(["-c", PROGRAM])
        .arg(place.socket())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (input, mut output) = (parent.stdin.take(), parent.stdout.take().unwrap());
    assert!(parent.wait().unwrap().success());
    gate.signal(Signal::CONT);
    drop(input);
    let mut said = String::new();
    output.read_to_string(&mut said).unwrap();
    assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
    assert!(said.contains("has ended") && said.contains("[peer.namespace]"), "{said}");
    assert_eq!(place.client().await.get(LIST).await.status, 200, "one that lives");
    gate.settle().await;
}

#[tokio::test]
async fn bodies_are_judged_in_the_same_words() {
    let place = Place::new();
    let created = Reply::status("201 Created", "", r#"{"Id":"1"}"#);
    let gate = place.gate(script().on("POST /containers/create", created), HERE).await;
    let body = r#"{"Image":"busybox","HostConfig":{"Privileged":true}}"#;
    let (mut user, mut dev) = (place.client().await, gate.client("dev").await);
    let said = user.ask(json("POST", CREATE, body)).await;
    said.assert_refused(403, "privilege.privileged");
    let other = dev.ask(json("POST", CREATE, body)).await;
    let without_event = |text: String, name: &str| {
        let text = text.replace(name, "NAME");
        text.split("Request ").next().unwrap().to_owned()
    };
    assert_eq!(
        without_event(said.message(), "here"),
        without_event(other.message(), "dev"),
        "one policy, one wording"
    );
    assert_eq!(gate.fake.log().calls("POST /containers/create").len(), 0);
    let good = user.ask(json("POST", CREATE, r#"{"Image":"busybox"}"#)).await;
    assert_eq!(good.status, 201, "{}", good.text());
    gate.settle().await;
}

#[tokio::test]
async fn a_decision_is_on_record_before_anything_is_forwarded() {
    let place = Place::new();
    let bell = std::sync::Arc::new(tokio::sync::Notify::new());
    let started = Reply::status("204 No Content", "", "");
    let held = Reply::Held(std::sync::Arc::clone(&bell), Box::new(started));
    let gate = place.gate(script().on("POST /containers/web/start", held), HERE).await;
    let mut client = place.client().await;
    client.send(bare("POST", "/v1.41/containers/web/start", "")).await;
    gate.fake.until(|log| log.calls("POST /containers/web/start").len() == 1).await;
    let on_record = gate.events().iter().any(|e| {
        e["stage"] == "decision"
            && e["identity"]["unix"]["uid"] == 0
            && e["identity"]["name"] == "here"
    });
    assert!(on_record, "the daemon has it, so it is written");
    bell.notify_one();
    assert_eq!(client.answer().await.status, 204);
    gate.settle().await;
}

#[tokio::test]
async fn a_tunnel_keeps_early_bytes_and_half_closes() {
    let place = Place::new();
    let gate = place.gate(on_attach(Reply::Hijack(b"early ".to_vec())), HERE).await;
    let mut client = place.client().await;
    let target = "/v1.41/containers/web/attach?stream=1&stdin=1&stdout=1";
    client.send(bare("POST", target, UPGRADE) + "one ").await;
    assert_eq!(client.head().await.0, 101);
    assert_eq!(client.take(10).await, b"early one ");
    client.send("two ").await;
    assert_eq!(client.take(4).await, b"two ");
    client.half_close().await;
    assert_eq!(client.rest().await, b"EOF\n");
    let log = gate.fake.until(|log| log.requests.iter().any(|r| r.stdin_closed)).await;
    assert_eq!(log.requests.last().unwrap().stdin, b"one two ");
    let events = gate.settle().await;
    let closed = events.iter().find(|e| e["stage"] == "session.close").unwrap();
    assert_eq!(closed["outcome"]["ended"], "done");
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_stream() {
    let place = Place::new();
    let gate = place.gate(script().on("GET /events", Reply::Endless), HERE).await;
    let mut client = place.client().await;
    client.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(client.head().await.0, 200);
    assert_eq!(client.chunk().await, b"{\"e\":1}\n");
    drop(client);
    assert_eq!(gate.outcome("SystemEvents").await["ended"], "client-gone");
    gate.settle().await;
}

#[tokio::test]
async fn a_reload_that_takes_the_identity_away_ends_what_is_open() {
    let place = Place::new();
    let gate = place.gate(script().on("GET /events", Reply::Endless), HERE).await;
    let mut client = place.client().await;
    client.send(bare("GET", "/v1.41/events", "")).await;
    assert_eq!(client.head().await.0, 200);
    gate.reload("uid: 0 }", "uid: 1 }");
    client.remains().await;
    let ended =
        gate.event("the end", |e| e["stage"] == "session.close" && e["reason"].is_string()).await;
    assert_eq!(ended["reason"], "identity.unknown");
    assert_eq!(ended["identity"]["unix"]["uid"], 0);
    gate.settle().await;
}

#[tokio::test]
async fn each_listener_has_its_identities() {
    let place = Place::new();
    let identities = "  - { name: here, match: { uid: 0 }, roles: [reader] }\n  \
                        - { name: jo, match: { uid: 4001 }, roles: [reader] }\n";
    let mut setup = place.setup(script(), ", identities: [jo]", identities);
    let second = place.directory.path().join("second.sock");
    setup.edits[0].1 += &format!("\n  - {{ unix: \"{}\", identities: [here] }}", second.display());
    let gate = Gate::with(setup).await;
    let mut here = place.client().await;
    here.get(LIST).await.assert_refused(403, "identity.wrong-listener");
    assert_eq!(as_user("4001", "4001", "7000", &place.socket()).await.0, "200");
    let mut client = Client::at(&second).await.unwrap();
    assert_eq!(client.get(LIST).await.status, 200);
    gate.settle().await;
}

#[tokio::test]
async fn users_have_places_each() {
    let place = Place::new();
    let mut setup = place.setup(script(), "", HERE);
    setup.front = "connections_per_address: 1";
    let gate = Gate::with(setup).await;
    let mut first = place.client().await;
    assert_eq!(first.get(LIST).await.status, 200);
    let mut second = place.client().await;
    assert_eq!(second.get(LIST).await.status, 429);
    assert_eq!(second.remains().await, b"", "and closed");
    let (status, _) = as_user("4001", "4001", "7000", &place.socket()).await;
    assert_eq!(status, "403", "another user has a place, be it to be refused");
    let mut dev = gate.client("dev").await;
    assert_eq!(dev.get(LIST).await.status, 200);
    let too_many = |e: &Value| {
        e["reason"] == "connections.too-many-from-address" && e["client"]["address"] == "uid:0"
    };
    let events = gate.settle().await;
    assert!(events.iter().any(too_many));
}

#[tokio::test]
async fn the_socket_has_its_mode_and_goes_with_the_gate() {
    let place = Place::new();
    let socket = place.socket();
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap()); // left of one that was killed
    let gate = Gate::with(place.setup(script(), ", mode: \"0600\"", HERE)).await;
    let is = std::fs::metadata(&socket).unwrap();
    assert_eq!(is.permissions().mode() & 0o7777, 0o600);
    assert_eq!(std::os::unix::fs::MetadataExt::gid(&is), SHARED);
    assert_eq!(place.client().await.get(LIST).await.status, 200);
    gate.settle().await;
    assert!(!socket.exists(), "an orderly end takes it away");
}

#[tokio::test]
async fn where_something_else_is_nothing_starts() {
    let place = Place::new();
    let socket = place.socket();
    std::fs::write(&socket, "precious").unwrap();
    let gate = Gate::with(place.setup(script(), "", HERE));
    let failed = tokio::spawn(gate).await.err().expect("it has started");
    let said = failed.into_panic().downcast::<String>().unwrap();
    assert!(said.contains("something that is no socket is there"), "{said}");
    assert_eq!(std::fs::read_to_string(&socket).unwrap(), "precious");
    let holder = {
        std::fs::remove_file(&socket).unwrap();
        place.gate(script(), HERE).await
    };
    let other = tokio::spawn(Gate::with(place.setup(script(), "", HERE))).await;
    let said = other.err().expect("two on one path").into_panic().downcast::<String>().unwrap();
    assert!(said.contains("somebody listens there already"), "{said}");
    assert_eq!(place.client().await.get(LIST).await.status, 200, "the first is not disturbed");
    holder.settle().await;
}

#[tokio::test]
async fn another_place_takes_a_restart() {
    let place = Place::new();
    let gate = place.gate(script(), HERE).await;
    gate.reload("group: 7000", "group: 7001");
    let event = gate.event("the rejection", |e| e["reason"] == "policy.rejected").await;
    assert!(event["text"].as_str().unwrap().contains("take a restart"), "{event}");
    assert_eq!(place.client().await.get(LIST).await.status, 200);
    let well = || (place.socket().exists()).then_some(());
    until("the socket is there still", well).await;
    gate.settle().await;
}

/// Each kind is taken in its order, whatever the order of the two; the files are systemd's.
#[tokio::test]
async fn systemd_hands_over_both_kinds() {
    let place = Place::new();
    let mut setup = place.setup(script(), "", HERE);
    setup.edits[0].1 = "client_ca: ca.pem }\n  - { unix: systemd }".to_owned();
    setup.edits.push(("tls: \"127.0.0.1:0\"", "tls: systemd".to_owned()));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (path, port) = (place.socket().display().to_string(), free.to_string());
    let words = ["systemd-socket-activate", "-l", &path, "-l", &port];
    setup.by = words.map(str::to_owned).to_vec();
    // it starts the gate when the first client comes
    let first = async {
        let mut client = loop {
            match Client::at(&place.socket()).await {
                Ok(client) => break client,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        client.get(LIST).await
    };
    let (gate, answer) = tokio::join!(Gate::with(setup), soon(first));
    assert_eq!(answer.status, 200);
    assert_eq!(gate.address, free);
    assert_eq!(gate.client("dev").await.get(LIST).await.status, 200);
    let listener = |e: &Value| e["client"]["listener"] == format!("unix:{path}");
    let events = gate.settle().await;
    assert!(events.iter().any(listener));
    assert!(place.socket().exists(), "it is not the gate's to remove");
}

/// What is handed over is of the kind that the policy asks for, or nothing starts.
#[tokio::test]
async fn a_socket_of_another_kind_is_not_taken() {
    let place = Place::new();
    let mut setup = place.setup(script(), "", HERE);
    setup.edits[0].1 = "client_ca: ca.pem }\n  - { unix: systemd }".to_owned();
    let failed = tokio::spawn(Gate::with(setup)).await.err().expect("it has started");
    let said = failed.into_panic().downcast::<String>().unwrap();
    assert!(said.contains("takes more Unix sockets of systemd than were handed over"), "{said}");
}
