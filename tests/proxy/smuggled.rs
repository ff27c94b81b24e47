//! One request that two readers could take for two: the daemon sees one, well framed, or none.

use crate::client::bare;
use crate::fake_daemon::{Reply, Script};
use crate::gate::Gate;

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
    gate.settle().await;
}
