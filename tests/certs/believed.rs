//! What `certs revoke` says of a gate that serves: what is in force at each listener, asked of it.

use super::house::{House, text};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};

/// A gate with the house's authority before a daemon with nothing in it.
struct Served {
    process: Child,
    listeners: Vec<String>,
}

impl Served {
    /// With one listener for each of these lines of keys.
    fn start(house: &House, listeners: &[&str]) -> Self {
        let daemon = UnixListener::bind(house.path("docker.sock")).unwrap();
        std::thread::spawn(move || {
            for stream in daemon.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while stream.read(&mut byte).is_ok_and(|read| read == 1) {
                        head.push(byte[0]);
                        if !head.ends_with(b"\r\n\r\n") {
                            continue;
                        }
                        let version = head.windows(8).any(|part| part == b"/version");
                        let body = if version {
                            r#"{"ApiVersion":"1.47","MinAPIVersion":"1.24","Version":"27.0"}"#
                        } else {
                            "[]"
                        };
                        let answer = format!(
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                            body.len()
                        );
                        head.clear();
                        if stream.write_all(answer.as_bytes()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        let listen: String = listeners
            .iter()
            .zip(1..)
            .map(|(keys, host)| {
                format!(
                    "  - {{ tls: '127.0.0.{host}:0', certificate: pki/server.pem, key: pki/server-key.pem, \
                     client_ca: pki/client-ca.pem{keys} }}\n"
                )
            })
            .collect();
        let policy = format!(
            "version: 1
listen:
{listen}daemon: {{ socket: docker.sock }}
audit: {{ directory: log }}
control: {{ socket: pki/control.sock }}
identities: [{{ name: 'x-{{1}}', match: {{ cn: '*' }}, roles: [r] }}]
roles: {{ r: {{ scope: any, allow: {{ container: [list] }} }} }}
"
        );
        fs::write(house.path("dockward.yaml"), policy).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_dockward"))
            .args(["serve", "--config"])
            .arg(house.path("dockward.yaml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let addresses = ready.split(" on ").nth(1).unwrap().split(" (").next().unwrap();
        Self { process, listeners: addresses.split(", ").map(str::to_owned).collect() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Revokes, naming the gate's socket; the exit code, standard output, standard error.
fn revoke(house: &House, who: &[&str]) -> (i32, String, String) {
    let control = house.ca("control.sock");
    revoke_at_once(house, &[who, &["--control", text(&control)]].concat())
}

/// The same without a word of where the gate is.
fn revoke_at_once(house: &House, who: &[&str]) -> (i32, String, String) {
    let output = house.run(&[&["revoke"], who].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn where_a_listener_asks_no_list_it_is_said_that_nothing_is_in_force() {
    let house = House::new();
    for name in ["a", "b", "c"] {
        house.does(&["issue", "--name", name, "--bundle", name]);
    }
    fs::copy(house.ca("crl.pem"), house.path("old.pem")).unwrap();
    let gate = Served::start(&house, &["", ", crl: pki/crl.pem", ", crl: old.pem"]);
    let [without, with, other] = gate.listeners.as_slice() else { panic!("{:?}", gate.listeners) };
    let (code, said, complained) = revoke(&house, &["--name", "a"]);
    assert_eq!(code, 1, "{said}{complained}");
    assert!(said.contains(&format!("In force: refused at {with}.\n")), "{said}");
    let missing = format!("not in force: listener {without} has no crl");
    assert!(complained.contains(&missing), "{complained}");
    let stale = format!("not in force: listener {other} has a crl that does not name it");
    assert!(complained.contains(&stale), "{complained}");
    drop(gate);
    let checked = Command::new(env!("CARGO_BIN_EXE_dockward"))
        .args(["check", "--config"])
        .arg(house.path("dockward.yaml"))
        .output()
        .unwrap();
    let shown = String::from_utf8(checked.stdout).unwrap();
    assert_eq!(
        shown.matches(" has no crl: whoever is revoked is let in there").count(),
        1,
        "{shown}"
    );
}

#[test]
fn where_each_listener_has_the_list_it_is_in_force() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    fs::write(house.path("deny"), "").unwrap();
    let gate = Served::start(&house, &[", crl: pki/crl.pem", ", deny: deny"]);
    let serial = super::house::facts(&house.path("a/cert.pem")).serial;
    fs::write(house.path("deny"), format!("serial:{serial}\n")).unwrap();
    // the gate's socket is where `certs init` has it
    let (code, said, complained) = revoke_at_once(&house, &["--serial", &serial]);
    assert_eq!((code, complained.as_str()), (0, ""), "{said}");
    let at = format!("In force: refused at {}, {}.\n", gate.listeners[0], gate.listeners[1]);
    assert!(said.contains(&at), "{said}");
    let (code, said, complained) = revoke(&house, &["--ca", "issuing"]);
    assert_eq!(
        code, 1,
        "the listener without lists takes the root's word for nothing: {said}{complained}"
    );
}

#[test]
fn without_a_gate_it_is_said_that_none_was_asked() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    let output = house.run(&["revoke", "--name", "a"]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("written; no gate was asked whether the list is in force"), "{said}");
    let (code, _, said) = revoke(&house, &["--name", "a"]);
    assert_eq!(code, 1);
    assert!(said.contains("did not say whether it is in force"), "{said}");
}
