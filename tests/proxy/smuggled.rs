//! One request that two readers could take for two: the daemon sees one, well framed, or none, and
//! whichever it is stands in the log once.

use crate::client::bare;
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;
use serde_json::Value;

/// What must never be served: nobody here may stop a container.
const SMUGGLED: &str = "POST /v1.41/containers/victim/stop HTTP/1.1\r\nHost: docker\r\n\r\n";
/// Comes after everything, so that every connection ends.
const LAST: &str = "GET /nowhere HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
const EXEC: &str = r#"{"Cmd":["true"]}"#;

/// An exec create of `dev` with these headers, and what comes after them.
fn exec(headers: &str, rest: &str) -> String {
    bare("POST", "/v1.41/containers/web/exec", &format!("{JSON}{headers}")) + rest
}

fn chunked() -> String {
    format!("{:x}\r\n{EXEC}\r\n0\r\n\r\n", EXEC.len())
}

/// Requests, and whether the daemon sees the exec create, well framed: hyper makes one framing of some.
fn attempts() -> Vec<(&'static str, String, bool)> {
    let length = EXEC.len();
    let long = length + SMUGGLED.len();
    let cl = format!("Content-Length: {length}\r\n");
    let te = "Transfer-Encoding: chunked\r\n";
    let after = |framing: &str| format!("{framing}{SMUGGLED}");
    let folded = "Content-Type:\r\n application/json\r\n";
    let at = "/v1.41/containers/web/exec";
    vec![
        ("CL then TE", exec(&format!("{cl}{te}"), &after(&chunked())), true),
        ("TE then CL", exec(&format!("{te}{cl}"), &after(&chunked())), true),
        ("TE then short CL", exec(&format!("{te}Content-Length: 4\r\n"), &after(&chunked())), true),
        ("two lengths", exec(&format!("{cl}Content-Length: {long}\r\n"), &after(EXEC)), false),
        ("one length twice", exec(&format!("{cl}{cl}"), &after(EXEC)), true),
        (
            "a list of lengths",
            exec(&format!("Content-Length: {length}, {length}\r\n"), &after(EXEC)),
            false,
        ),
        ("a signed length", exec(&format!("Content-Length: +{length}\r\n"), &after(EXEC)), false),
        ("a zero before it", exec(&format!("Content-Length: 0{length}\r\n"), &after(EXEC)), false),
        ("hexadecimal", exec("Content-Length: 0x10\r\n", &after(EXEC)), false),
        ("no length at all", exec("Content-Length:\r\n", &after(EXEC)), false),
        ("negative", exec("Content-Length: -1\r\n", &after(EXEC)), false),
        ("identity", exec("Transfer-Encoding: identity\r\n", &after(EXEC)), false),
        ("gzip, chunked", exec("Transfer-Encoding: gzip, chunked\r\n", &after(&chunked())), false),
        (
            "chunked, chunked",
            exec("Transfer-Encoding: chunked, chunked\r\n", &after(&chunked())),
            false,
        ),
        ("chunked twice", exec(&format!("{te}{te}"), &after(&chunked())), false),
        (
            "chunked, identity",
            exec("Transfer-Encoding: chunked, identity\r\n", &after(&chunked())),
            false,
        ),
        ("xchunked", exec("Transfer-Encoding: xchunked\r\n", &after(&chunked())), false),
        ("ChUnKeD", exec("Transfer-Encoding: ChUnKeD\r\n", &after(&chunked())), false),
        ("a tab before it", exec("Transfer-Encoding:\tchunked\r\n", &after(&chunked())), true),
        ("a vertical tab", exec("Transfer-Encoding: \x0bchunked\r\n", &after(&chunked())), false),
        (
            "a blank before the colon",
            exec(&format!("{cl}Transfer-Encoding : chunked\r\n"), &after(EXEC)),
            false,
        ),
        ("an underscore", exec(&format!("{cl}Transfer_Encoding: chunked\r\n"), &after(EXEC)), true),
        (
            "chunk extensions",
            exec(te, &after(&format!("{length:x};a=b\r\n{EXEC}\r\n0;c\r\n\r\n"))),
            true,
        ),
        (
            "a blank after the size",
            exec(te, &after(&format!("{length:x} \r\n{EXEC}\r\n0\r\n\r\n"))),
            true,
        ),
        (
            "zeros before the size",
            exec(te, &after(&format!("000{length:x}\r\n{EXEC}\r\n0\r\n\r\n"))),
            true,
        ),
        (
            "a size of too many digits",
            exec(te, &after(&format!("10000000000000010\r\n{EXEC}\r\n0\r\n\r\n"))),
            false,
        ),
        ("bare LF in chunks", exec(te, &after(&format!("{length:x}\n{EXEC}\n0\n\n"))), false),
        (
            "bare LF after an extension",
            exec(te, &after(&format!("{length:x};\n{EXEC}\r\n0\r\n\r\n"))),
            false,
        ),
        ("obs-fold", bare("POST", at, &format!("{folded}{cl}")) + &after(EXEC), false),
        (
            "obs-fold in the coding",
            exec("Transfer-Encoding:\r\n chunked\r\n", &after(&chunked())),
            false,
        ),
        ("bare LF in the head", exec(&cl, &after(EXEC)).replacen("\r\n", "\n", 2), true),
        ("NUL in a value", exec(&format!("{cl}X-Odd: a\0b\r\n"), &after(EXEC)), false),
        (
            "a second request in the body",
            exec(&format!("Content-Length: {long}\r\n"), &after(EXEC)),
            false,
        ),
        ("a shorter length", exec("Content-Length: 4\r\n", &after(EXEC)), false),
    ]
}

/// The record of so many requests to this path, and of those that were no request at all.
fn on_record(events: &[Value], path: &str) -> usize {
    let decided = |e: &&Value| {
        e["stage"] == "decision" && e["request"]["path"].as_str().is_some_and(|p| p.ends_with(path))
    };
    let unreadable = events.iter().filter(|e| e["reason"] == "head.unreadable");
    let unreadable: u64 = unreadable.map(|e| e["folded"]["count"].as_u64().unwrap_or(1)).sum();
    events.iter().filter(decided).count() + usize::try_from(unreadable).unwrap()
}

#[tokio::test]
async fn the_daemon_sees_one_request_or_none() {
    let script = Script::new("1.41").on("POST /containers/web/exec", Reply::json("{}"));
    let gate = Gate::start(script).await;
    assert_eq!(gate.client("executor").await.get("/_ping").await.status, 200);
    for (name, request, arrives) in attempts() {
        let before = gate.fake.log();
        let mut client = gate.client("executor").await;
        client.send(request + LAST).await;
        let answered = String::from_utf8_lossy(&client.remains().await).into_owned();
        let log = gate.fake.log();
        let arrived = &log.requests[before.requests.len()..];
        let first = answered.lines().next().unwrap_or_default();
        println!("{name}: {first}: {} arrived", arrived.len());
        assert_eq!(arrived.len(), usize::from(arrives), "{name}: {arrived:#?} {answered}");
        for request in arrived {
            let text = request.text();
            assert_eq!(
                text,
                format!(
                    "POST /v1.41/containers/web/exec HTTP/1.1\r\nhost: docker\r\n\
                 content-length: {}\r\ncontent-type: application/json\r\n\r\n",
                    EXEC.len()
                ),
                "{name}"
            );
            assert_eq!(request.body, EXEC.as_bytes(), "{name}");
        }
        let bytes: usize = arrived.iter().map(|r| r.head.len() + r.body.len()).sum();
        assert_eq!(log.bytes - before.bytes, bytes as u64, "{name}: loose bytes");
        if arrived.is_empty() {
            assert!(first.contains(" 4"), "{name}: {answered}");
        }
    }
    assert!(gate.fake.log().calls("POST /containers/victim/stop").is_empty());
    let events = gate.settle().await;
    // behind the shorter length the rest of the body is taken for a head, which cannot be read
    let recorded = on_record(&events, "/containers/web/exec");
    assert_eq!(recorded, attempts().len() + 1, "each on record");
}

/// What becomes of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It arrives, in our words and nothing of the client's beside them.
    Arrives,
    /// Refused in JSON, for this reason.
    Refused(&'static str),
    /// No request at all: hyper's bare 400 or 431.
    Unreadable,
    /// Closed without a byte.
    Silence,
}

use Fate::{Arrives, Refused, Silence, Unreadable};

const LIST: &str = "/v1.41/containers/json";

/// Heads of a list of containers, each as the bytes that are sent.
fn heads() -> Vec<(&'static str, String, Fate)> {
    let line = |line: &str| format!("{line}\r\nHost: gate\r\n\r\n");
    let with = |fields: &str| bare("GET", LIST, &fields.replace('\n', "\r\n"));
    let hosts = |fields: &str| format!("GET {LIST} HTTP/1.1\r\n{fields}\r\n");
    let plain = with("");
    let fields = |count: usize| (1..count).map(|n| format!("X-{n}: x\n")).collect::<String>();
    let body = format!("Content-Length: {}\n\n{SMUGGLED}", SMUGGLED.len());
    let targets = [
        ("absolute form", format!("http://docker{LIST}"), Refused("path.canonical")),
        ("absolute form, encrypted", format!("https://docker{LIST}"), Refused("path.canonical")),
        ("userinfo", format!("http://u:p@docker{LIST}"), Refused("path.canonical")),
        ("another scheme", format!("unix://{LIST}"), Unreadable),
        ("an asterisk", "*".to_owned(), Refused("path.canonical")),
        ("authority form", "docker:2375".to_owned(), Refused("path.canonical")),
        ("no slash", LIST[1..].to_owned(), Unreadable),
        ("two slashes", format!("/{LIST}"), Refused("path.canonical")),
        ("an escape", "/v1.41/containers%2Fjson".to_owned(), Refused("path.canonical")),
        ("a method as a key", format!("{LIST}?_method=DELETE"), Arrives),
        ("a backslash", format!("{LIST}\\x"), Refused("path.canonical")),
        ("a quote", format!("{LIST}\""), Refused("path.canonical")),
        ("braces", format!("{LIST}{{}}"), Refused("path.canonical")),
        ("a bar", format!("{LIST}|"), Refused("path.canonical")),
        ("a caret", format!("{LIST}^"), Refused("path.canonical")),
        ("angles", format!("{LIST}<>"), Unreadable),
        (
            "letters beyond ASCII",
            "/v1.41/containers/j\u{17f}on".to_owned(),
            Refused("path.canonical"),
        ),
        ("a control character", "/v1.41/containers/\u{7f}json".to_owned(), Unreadable),
        ("a fragment", format!("{LIST}#/../x"), Arrives),
    ];
    let mut all: Vec<_> = targets
        .map(|(name, target, fate)| (name, line(&format!("GET {target} HTTP/1.1")), fate))
        .into();
    all.extend([
        ("HTTP/1.0", line(&format!("GET {LIST} HTTP/1.0")), Refused("http.version")),
        (
            "HTTP/1.0 that stays, with a length and no Host",
            format!("GET {LIST} HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
            Refused("http.version"),
        ),
        (
            "HTTP/1.0 in chunks",
            format!("GET {LIST} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            Unreadable,
        ),
        ("HTTP/1.2", line(&format!("GET {LIST} HTTP/1.2")), Unreadable),
        ("HTTP/2.0", line(&format!("GET {LIST} HTTP/2.0")), Unreadable),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), Silence),
        ("no version", line(&format!("GET {LIST}")), Unreadable),
        ("lower case", line(&format!("get {LIST} HTTP/1.1")), Refused("http.method")),
        ("mixed case", line(&format!("Get {LIST} HTTP/1.1")), Refused("http.method")),
        ("CONNECT to a path", line(&format!("CONNECT {LIST} HTTP/1.1")), Refused("http.method")),
        ("CONNECT", line("CONNECT docker:2375 HTTP/1.1"), Refused("path.canonical")),
        ("OPTIONS of everything", line("OPTIONS * HTTP/1.1"), Refused("path.canonical")),
        ("OPTIONS", line(&format!("OPTIONS {LIST} HTTP/1.1")), Refused("route.never")),
        ("TRACE", line(&format!("TRACE {LIST} HTTP/1.1")), Refused("route.unknown")),
        ("a method of nobody", line(&format!("LIST {LIST} HTTP/1.1")), Refused("http.method")),
        ("a tab in the line", line(&format!("GET\t{LIST} HTTP/1.1")), Unreadable),
        ("two blanks in the line", line(&format!("GET  {LIST} HTTP/1.1")), Unreadable),
        ("no Host", hosts(""), Refused("http.host")),
        ("one Host twice", hosts("Host: a\r\nHost: a\r\n"), Refused("http.host")),
        ("two Hosts", hosts("Host: a\r\nhost: b\r\n"), Refused("http.host")),
        ("an empty Host", hosts("Host:\r\n"), Arrives),
        ("a Host that is a socket", hosts("Host: %2Fvar%2Frun%2Fdocker.sock\r\n"), Arrives),
        ("a Host that is a path", hosts("Host: /var/run/docker.sock\r\n"), Arrives),
        ("CRLF before the line", format!("\r\n{plain}"), Arrives),
        ("LF before the line", format!("\n{plain}"), Arrives),
        ("bare LF", plain.replace("\r\n", "\n"), Arrives),
        ("bare CR", plain.replacen("\r\n", "\r", 1), Unreadable),
        ("a folded field", with("X-Folded: a\n b\n"), Unreadable),
        ("a folded field by tab", with("X-Folded: a\n\tb\n"), Unreadable),
        ("a blank before the colon", with("X-Odd : a\n"), Unreadable),
        ("a blank in a name", with("X Odd: a\n"), Unreadable),
        ("no colon", with("X-Odd\n"), Unreadable),
        ("no name", with(": a\n"), Unreadable),
        ("NUL in a name", with("X\0Odd: a\n"), Unreadable),
        ("NUL in a value", with("X-Odd: a\0b\n"), Unreadable),
        ("a bare CR in a value", with("X-Odd: a\rHost: b\n"), Unreadable),
        ("a tab in a value", with("X-Odd: a\tb\n"), Refused("http.header")),
        ("beyond ASCII", with("X-Odd: \u{e9}\n"), Refused("http.header")),
        ("an underscore", with("Transfer_Encoding: chunked\nContent_Length: 5\n"), Arrives),
        (
            "another method in a field",
            with("X-HTTP-Method-Override: DELETE\nX-Method-Override: POST\nX-HTTP-Method: PUT\n"),
            Arrives,
        ),
        (
            "another place in a field",
            with("X-Original-URL: /info\nX-Rewrite-URL: /info\nX-Forwarded-Host: a\nForwarded: host=b\n"),
            Arrives,
        ),
        (
            "fields of the connection",
            with("Connection: keep-alive, host, x-odd\nKeep-Alive: timeout=9\nProxy-Connection: close\nX-Odd: a\n"),
            Arrives,
        ),
        ("another protocol", with("Connection: Upgrade\nUpgrade: h2c\nHTTP2-Settings: AAMAAABk\n"), Arrives),
        ("a websocket", with("Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Key: eA==\n"), Arrives),
        ("two other protocols", with("Upgrade: h2c\nUpgrade: tcp\n"), Refused("http.header")),
        ("100-continue without a body", with("Expect: 100-continue\n"), Arrives),
        ("another expectation", with("Expect: 200-ok\n"), Refused("http.expect")),
        ("a coded body", with("Content-Encoding: gzip\n"), Refused("http.header")),
        ("trailers announced", with("Trailer: X-Late\n"), Refused("body.trailers")),
        ("trailers taken", with("TE: trailers\n"), Arrives),
        ("a length of nothing", with("Content-Length: 0\n"), Arrives),
        ("a request as the body", with(&body), Refused("body.unexpected")),
        ("64 fields", with(&fields(64)), Arrives),
        ("65 fields", with(&fields(65)), Unreadable),
        ("a long field", with(&format!("X-Long: {}\n", "x".repeat(70_000))), Unreadable),
    ]);
    all
}

#[tokio::test]
async fn a_head_is_read_in_one_way_or_not_at_all() {
    let script = Script::new("1.41").on("GET /containers/json", Reply::json("[]"));
    let gate = Gate::start(script).await;
    assert_eq!(gate.client("reader").await.get("/_ping").await.status, 200);
    let ours = format!("GET {LIST} HTTP/1.1\r\nhost: docker\r\n\r\n");
    let mut wrong = Vec::new();
    for (name, head, fate) in heads() {
        let before = gate.fake.log();
        let mut client = gate.client("reader").await;
        // one that is too long may be refused, and the connection closed, before all of it is sent
        let _ = client.try_send(head + SMUGGLED + LAST).await;
        let answered = String::from_utf8_lossy(&client.remains().await).into_owned();
        let log = gate.fake.log();
        let arrived: Vec<_> =
            log.requests[before.requests.len()..].iter().map(|r| r.text()).collect();
        let first = answered.lines().next().unwrap_or_default();
        let bytes = usize::try_from(log.bytes - before.bytes).unwrap();
        let right = match fate {
            Arrives => arrived == [ours.clone()] && first == "HTTP/1.1 200 OK",
            Refused(reason) => {
                let refusal = answered.split("HTTP/1.1 ").nth(1).unwrap_or_default();
                refusal.contains(&format!("[{reason}]"))
            }
            Unreadable => {
                let bare = answered.to_lowercase().contains("\r\ncontent-length: 0\r\n");
                bare && matches!(first.get(..12), Some("HTTP/1.1 400" | "HTTP/1.1 431"))
            }
            Silence => answered.is_empty(),
        };
        let loose = bytes != arrived.iter().map(String::len).sum::<usize>();
        let more = fate != Arrives && !arrived.is_empty();
        if !right || loose || more {
            wrong.push(format!("{name}: not {fate:?}: {bytes} bytes, {arrived:?}\n{answered}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let events = gate.settle().await;
    // what is no request is told from the list, the next request and the last by their paths
    let others = ["/containers/victim/stop", "/nowhere", "/_ping"];
    let decided = |e: &&Value| {
        let path = e["request"]["path"].as_str().unwrap_or_default();
        e["stage"] == "decision" && !others.iter().any(|other| path.ends_with(other))
    };
    let unreadable = on_record(&events, "/a path of nobody");
    let recorded = events.iter().filter(decided).count() + unreadable;
    assert_eq!(recorded, heads().len(), "each on record, once");
    let allowed = |e: &&Value| decided(e) && e["decision"]["verdict"] == "allow";
    let arrives = heads().iter().filter(|(_, _, fate)| *fate == Arrives).count();
    assert_eq!(events.iter().filter(allowed).count(), arrives);
}

/// A stream that nobody looks into is framed anew as well: what is cut or odd about the client's chunks
/// is not the daemon's to interpret.
#[tokio::test]
async fn an_opaque_stream_is_framed_anew() {
    let load = |framing: &str, rest: &str| {
        bare("POST", "/v1.41/images/load", framing) + rest + SMUGGLED + LAST
    };
    let (te, gzip) = ("Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n");
    // what the daemon gets of the body, whether that is whole, and the status
    let attempts = [
        ("a length", load("Content-Length: 3\r\n", "tar"), Some("tar"), true, 200),
        ("chunks", load(te, "1\r\nt\r\n2\r\nar\r\n0\r\n\r\n"), Some("tar"), true, 200),
        ("extensions", load(te, "3;a=\"\n\"\r\ntar\r\n0\r\n\r\n"), None, false, 400),
        ("plain extensions", load(te, "3;a=b\r\ntar\r\n0;c\r\n\r\n"), Some("tar"), true, 200),
        (
            "both",
            load(&format!("Content-Length: 1\r\n{te}"), "3\r\ntar\r\n0\r\n\r\n"),
            Some("tar"),
            true,
            200,
        ),
        (
            "trailers",
            load(te, "3\r\ntar\r\n0\r\nContent-Length: 9\r\n\r\n"),
            Some("tar"),
            false,
            400,
        ),
        ("bare LF", load(te, "3\r\ntar\r\n0\n\n"), Some("tar"), false, 400),
        ("no size", load(te, "3\r\ntar\r\n\r\n"), Some("tar"), false, 400),
        ("a signed size", load(te, "+3\r\ntar\r\n0\r\n\r\n"), None, false, 400),
        ("a longer chunk", load(te, "3\r\ntarx\r\n0\r\n\r\n"), Some("tar"), false, 400),
        // dockerd reads no such header, and gets none
        ("coded", load(&format!("{gzip}Content-Length: 3\r\n"), "tar"), Some("tar"), true, 200),
        (
            "a type of forms",
            load("Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3\r\n", "tar"),
            None,
            false,
            400,
        ),
    ];
    for (name, request, body, whole, status) in attempts {
        let script = Script::new("1.41").on("POST /images/load", Reply::json("{}"));
        let gate = Gate::start(script).await;
        let mut client = gate.client("loader").await;
        client.send(request).await;
        let answered = String::from_utf8_lossy(&client.remains().await).into_owned();
        assert!(answered.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answered}");
        let log = gate.fake.until(|log| log.closed + 1 >= log.requests.len()).await;
        let loads = log.calls("POST /images/load");
        println!("{name}: {loads:?}");
        if whole {
            assert_eq!(loads.len(), 1, "{name}");
        }
        for load in &loads {
            assert_eq!(load.whole, whole, "{name}");
            let got = String::from_utf8_lossy(&load.body).into_owned();
            assert!(body.unwrap_or_default().starts_with(&got), "{name}: {got}");
            assert!(!whole || got == "tar", "{name}: {got}");
            let head = String::from_utf8_lossy(&load.head).to_ascii_lowercase();
            assert!(!head.contains("content-encoding"), "{name}: {head}");
        }
        assert!(log.calls("POST /containers/victim/stop").is_empty(), "{name}");
        let events = gate.settle().await;
        assert_eq!(on_record(&events, "/images/load"), 1, "{name}");
    }
}
