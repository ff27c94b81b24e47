//! What is allowed arrives once, in our own words: method, target, host, framing and the few headers
//! of the route's list, whatever else the client sent.

use crate::client::{bare, json};
use crate::fake_daemon::{Recorded, Reply, Script};
use crate::gate::{AUTH, Gate};

/// Headers that say nothing to the daemon, and must not reach it.
const NOISE: &str = "User-Agent: Docker-Client/28.0\r\nX-Forwarded-For: 10.0.0.1\r\nConnection: \
    keep-alive, X-Meta\r\nX-Meta: 1\r\nProxy-Authorization: x\r\nX-HTTP-Method-Override: DELETE\r\n\
    Content_Length: 9\r\nTransfer_Encoding: chunked\r\nUpgrade: websocket\r\nAccept-Encoding: gzip\r\n";

struct Case {
    who: &'static str,
    request: String,
    /// What arrives.
    head: String,
    body: &'static str,
}

fn case(
    who: &'static str,
    request: impl Into<String>,
    head: impl Into<String>,
    body: &'static str,
) -> Case {
    Case { who, request: request.into(), head: head.into(), body }
}

fn head(first: &str, more: &str) -> String {
    format!("{first} HTTP/1.1\r\nhost: docker\r\n{more}\r\n")
}

fn reads() -> Vec<Case> {
    let list = |query: &str| bare("GET", &format!("/v1.41/containers/json{query}"), NOISE);
    vec![
        case("dev", list(""), head("GET /v1.41/containers/json", ""), ""),
        case("dev", list("?all=TRUE"), head("GET /v1.41/containers/json?all=1", ""), ""),
        case(
            "dev",
            bare("GET", "/containers/json", "Content-Length: 0\r\n"),
            head("GET /v1.41/containers/json", ""),
            "",
        ),
        case("reader", bare("GET", "/_ping", NOISE), head("GET /v1.41/_ping", ""), ""),
        case("reader", bare("HEAD", "/_ping", NOISE), head("HEAD /v1.41/_ping", ""), ""),
        case(
            "dev",
            bare("GET", "/v1.38/images/busybox%40sha256:0000/json", ""),
            head("GET /v1.38/images/busybox@sha256:0000/json", ""),
            "",
        ),
    ]
}

fn writes() -> Vec<Case> {
    let start = "/v1.41/containers/web/start";
    let create = "/v1.41/containers/create?name=web";
    let empty = |first: &str| head(first, "content-length: 0\r\n");
    let typed = |first: &str, length: usize| {
        head(first, &format!("content-length: {length}\r\ncontent-type: application/json\r\n"))
    };
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let exec = r#"{"Cmd":["true"]}"#;
    vec![
        case("dev", bare("POST", start, NOISE), empty(&format!("POST {start}")), ""),
        case(
            "dev",
            bare("DELETE", "/v1.41/containers/web", ""),
            head("DELETE /v1.41/containers/web", ""),
            "",
        ),
        case(
            "dev",
            json("POST", "/v1.41/containers/web/exec", " { \"Cmd\" : [ \"true\" ] } "),
            typed("POST /v1.41/containers/web/exec", exec.len()),
            exec,
        ),
        case(
            "dev",
            bare("POST", "/v1.41/containers/web/exec", chunked)
                + "5;ext=\"a\r\n{\"Cmd\r\nb\r\n\":[\"true\"]}\r\n0\r\n\r\n",
            typed("POST /v1.41/containers/web/exec", exec.len()),
            exec,
        ),
        case(
            "admin",
            json("POST", create, r#" {"Image":"busybox", "Tty":null}"#),
            typed(&format!("POST {create}"), 30),
            r#"{"Tty":null,"Image":"busybox"}"#,
        ),
        case(
            "dev",
            bare(
                "POST",
                "/v1.41/images/create?tag=latest&fromImage=busybox",
                &format!("{NOISE}X-Registry-Auth: {AUTH}\r\nContent-Length: 0\r\n"),
            ),
            head(
                "POST /v1.41/images/create?fromImage=busybox&tag=latest",
                &format!("x-registry-auth: {AUTH}\r\ncontent-length: 0\r\n"),
            ),
            "",
        ),
        case(
            "admin",
            bare(
                "POST",
                "/v1.41/images/load?quiet=1",
                "Content-Type: text/plain\r\nContent-Length: 5\r\n",
            ) + "hello",
            head(
                "POST /v1.41/images/load?quiet=1",
                "content-length: 5\r\ncontent-type: application/x-tar\r\n",
            ),
            "hello",
        ),
        case(
            "admin",
            bare(
                "PUT",
                "/v1.41/containers/web/archive?path=/tmp",
                "Transfer-Encoding: chunked\r\n",
            ) + "3;x\r\nabc\r\n02\r\nde\r\n0\r\n\r\n",
            head(
                "PUT /v1.41/containers/web/archive?path=%2Ftmp",
                "transfer-encoding: chunked\r\ncontent-type: application/x-tar\r\n",
            ),
            "abcde",
        ),
    ]
}

fn script() -> Script {
    let mut script = Script::new("1.41");
    for call in [
        "GET /containers/json",
        "GET /images/busybox@sha256:0000/json",
        "POST /containers/web/start",
        "DELETE /containers/web",
        "POST /containers/web/exec",
        "POST /containers/create",
        "POST /images/create",
        "POST /images/load",
        "PUT /containers/web/archive",
    ] {
        script = script.on(call, Reply::json("{}"));
    }
    script
}

async fn check(cases: Vec<Case>) {
    let gate = Gate::start(script()).await;
    let mut before = 1;
    for Case { who, request, head, body } in cases {
        println!("{request}");
        let mut client = gate.client(who).await;
        client.send(&request).await;
        let (status, answered) = client.head().await;
        assert_eq!(status, 200, "{request} {answered}");
        before += 1;
        let log = gate.fake.until(|log| log.requests.len() >= before).await;
        assert_eq!(log.requests.len(), before, "{request} arrived more than once");
        let Recorded { head: arrived, body: bytes, whole, .. } = log.requests.last().unwrap();
        assert_eq!(String::from_utf8_lossy(arrived), head);
        assert_eq!((String::from_utf8_lossy(bytes).as_ref(), *whole), (body, true));
    }
    gate.settle().await;
}

#[tokio::test]
async fn reads_arrive_once_and_in_our_words() {
    check(reads()).await;
}

#[tokio::test]
async fn writes_arrive_once_and_reframed() {
    check(writes()).await;
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_go_on_is_told_by_us() {
    let gate = Gate::start(script()).await;
    let mut client = gate.client("dev").await;
    let head = "Content-Type: application/json\r\nContent-Length: 16\r\nExpect: 100-continue\r\n";
    client.send(bare("POST", "/v1.41/containers/web/exec", head)).await;
    let (status, _) = client.head().await;
    assert_eq!(status, 100);
    assert_eq!(gate.fake.log().calls("POST /containers/web/exec").len(), 0);
    let answer = client.ask(r#"{"Cmd":["true"]}"#).await;
    assert_eq!(answer.status, 200);
    let arrived = gate.fake.log().calls("POST /containers/web/exec");
    assert_eq!((arrived.len(), arrived[0].header("expect").len()), (1, 0));
    gate.settle().await;
}

#[tokio::test]
async fn many_requests_on_one_connection_keep_their_order() {
    let gate = Gate::start(script()).await;
    let mut client = gate.client("dev").await;
    let list = bare("GET", "/v1.41/containers/json", "");
    let denied = bare("DELETE", "/v1.41/volumes/data", "");
    client.send([list.clone(), denied, list].concat()).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.answer().await.status);
    }
    assert_eq!(statuses, [200, 403, 200]);
    assert_eq!(gate.fake.log().calls("GET /containers/json").len(), 2);
    assert_eq!(gate.fake.log().calls("DELETE /volumes/data").len(), 0);
    gate.settle().await;
}
