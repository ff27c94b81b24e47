//! Of what is refused, nothing reaches the daemon; of what stands next to it and is allowed, one request.

use crate::client::{UPGRADE, bare, json};
use crate::fake_daemon::Script;
use crate::gate::{AUTH, Gate, SECRET};

const EXEC: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Case {
    who: &'static str,
    request: Vec<u8>,
    status: u16,
    reason: &'static str,
}

fn case(who: &'static str, request: impl Into<Vec<u8>>, status: u16, reason: &'static str) -> Case {
    Case { who, request: request.into(), status, reason }
}

fn get(target: &str, status: u16, reason: &'static str) -> Case {
    case("dev", bare("GET", target, ""), status, reason)
}

fn list(headers: &str, reason: &'static str) -> Case {
    case("dev", bare("GET", "/v1.41/containers/json", headers), 400, reason)
}

fn create(body: &str, status: u16, reason: &'static str) -> Case {
    case("dev", json("POST", "/v1.41/containers/create", body), status, reason)
}

fn typed(kind: &str, reason: &'static str) -> Case {
    let head = format!("Content-Type: {kind}\r\nContent-Length: 19\r\n");
    let request = bare("POST", "/v1.41/containers/create", &head) + "{\"Image\":\"busybox\"}";
    case("dev", request, 400, reason)
}

/// A target of which each letter becomes three, as it would be sent on.
fn growing(letters: usize) -> String {
    format!("/v1.41/containers/web/top?ps_args={}", "(".repeat(letters))
}

fn heads() -> Vec<Case> {
    vec![
        get("/v1.41//containers/json", 400, "path.canonical"),
        get("/v1.41/containers/./json", 400, "path.canonical"),
        get("/v1.41/containers/x/../json", 400, "path.canonical"),
        get("/v1.41/containers%2fjson", 400, "path.canonical"),
        get("/v1.41/containers/%6ason", 400, "path.canonical"),
        get("/v1.41/containers/json/", 400, "path.canonical"),
        get("/v1.41/containers/x%00/json", 400, "path.canonical"),
        get("http://docker/v1.41/containers/json", 400, "path.canonical"),
        get("/v1.041/containers/json", 400, "version.spelling"),
        get("/v1.41.0/containers/json", 400, "version.spelling"),
        get("/V1.41/containers/json", 400, "version.spelling"),
        get("/v1.37/containers/json", 400, "version.range"),
        get("/v1.42/containers/json", 400, "version.range"),
        get("/v1.41/nothing/here", 403, "route.unknown"),
        get("/metrics", 403, "route.never"),
        get("/v1.41/containers/json?all=1&all=0", 400, "query.duplicate"),
        get("/v1.41/containers/json?ALL=1", 400, "query.unknown"),
        get("/v1.41/containers/json?all=%zz", 400, "query.syntax"),
        get("/v1.41/containers/json?all=1;limit=2", 400, "query.syntax"),
        get(&growing(22_000), 414, "target.too-long"),
        case("dev", bare("OPTIONS", "/v1.41/containers/json", ""), 403, "route.never"),
        case("dev", bare("get", "/v1.41/containers/json", ""), 400, "http.method"),
        case("dev", bare("CONNECT", "docker:2375", ""), 400, "path.canonical"),
        case("dev", "GET /v1.41/containers/json HTTP/1.1\r\n\r\n", 400, "http.host"),
        case("dev", "GET /v1.41/containers/json HTTP/1.0\r\nHost: a\r\n\r\n", 400, "http.version"),
        list("Host: again\r\n", "http.host"),
        list("Expect: the-unexpected\r\n", "http.expect"),
        list("Content-Encoding: gzip\r\n", "http.header"),
        list("X-Odd: \u{e9}\r\n", "http.header"),
        list("Trailer: X-Late\r\n", "body.trailers"),
        list("Content-Length: 05\r\n\r\nhello", "http.framing"),
        list("Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "body.unexpected"),
        list("Transfer-Encoding: chunked\r\n\r\n0\r\n", "body.unexpected"),
    ]
}

fn bodies() -> Vec<Case> {
    let chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
    let trailers = "13\r\n{\"Image\":\"busybox\"}\r\n0\r\nX-Late: 1\r\n\r\n";
    let oversized = "Content-Type: application/json\r\nContent-Length: 4194305\r\n";
    let create_at = "/v1.41/containers/create";
    vec![
        create("{", 400, "json.syntax"),
        create("{\"Image\":\"busybox\"} x", 400, "json.trailing"),
        create(r#"{"Image":"busybox","Image":"evil"}"#, 400, "json.duplicate-key"),
        create(r#"{"Image":"busybox","image":"evil"}"#, 400, "json.duplicate-key"),
        create(r#"{"HostConfig":{},"HoſtConfig":{"Privileged":true}}"#, 400, "json.duplicate-key"),
        create(r#"{"Image":"busybox","Privileged":true}"#, 400, "json.unknown-key"),
        create(r#"{"Image":7}"#, 400, "json.type"),
        create(&format!("{}{}", "[".repeat(80), "]".repeat(80)), 400, "json.depth"),
        case("dev", bare("POST", create_at, "Content-Length: 0\r\n"), 400, "body.missing"),
        case("dev", bare("POST", create_at, chunked) + trailers, 400, "body.trailers"),
        case("dev", bare("POST", create_at, oversized), 413, "body.too-large"),
        typed("application/x-www-form-urlencoded", "body.type"),
        typed("multipart/form-data; boundary=x", "body.type"),
        typed("text/plain", "body.type"),
        typed("application/json; charset=utf-16", "body.type"),
    ]
}

fn denials() -> Vec<Case> {
    let host = |config: &str| {
        format!(r#"{{"Image":"busybox","Env":["TOKEN={SECRET}"],"HostConfig":{{{config}}}}}"#)
    };
    let auth = format!("X-Registry-Auth: {AUTH}\r\nContent-Length: 0\r\n");
    let exec = format!(r#"{{"Cmd":["sh"],"Env":["TOKEN={SECRET}"],"Privileged":true}}"#);
    let value = format!("%7B%22T%22%3A%22{SECRET}%22%7D");
    let build = format!("/v1.41/build?buildargs={value}&labels={value}");
    vec![
        create(&host(r#""Privileged":true"#), 403, "privilege.privileged"),
        create(&host(r#""Binds":["/:/h"]"#), 403, "mount.host-path"),
        create(&host(r#""PidMode":"host""#), 403, "namespace.pid"),
        create(&host(&format!(r#""Sysctls":{{"kernel.x":"{SECRET}"}}"#)), 403, "resource.sysctl"),
        create(
            &host(&format!(r#""Annotations":{{"x":"{SECRET}"}}"#)),
            403,
            "annotation.not-allowed",
        ),
        create(
            &host(&format!(r#""LogConfig":{{"Type":"","Config":{{"labels":"{SECRET}"}}}}"#)),
            403,
            "logging.option",
        ),
        create(&host(r#""NetworkMode":"host""#), 403, "namespace.network"),
        create(&host(r#""CapAdd":["ALL"]"#), 403, "privilege.capability"),
        create(&host(r#""SecurityOpt":["seccomp=unconfined"]"#), 403, "privilege.security-option"),
        case("dev", json("POST", "/v1.41/containers/web/exec", &exec), 403, "privilege.privileged"),
        case("dev", json("POST", "/v1.41/volumes/create", "{}"), 403, "verb.not-granted"),
        case("dev", bare("POST", &build, ""), 403, "verb.not-granted"),
        case("dev", bare("POST", "/v1.41/images/busybox/push", &auth), 403, "verb.not-granted"),
        case("reader", bare("POST", "/v1.41/containers/web/start", ""), 403, "verb.not-granted"),
        case("reader", bare("DELETE", "/v1.41/containers/web", ""), 403, "verb.not-granted"),
        case("reader", bare("POST", "/v1.41/session", UPGRADE), 400, "hijack.protocol"),
        case(
            "dev",
            bare("POST", "/v1.41/session", "Connection: Upgrade\r\nUpgrade: h2c\r\n"),
            403,
            "verb.not-granted",
        ),
    ]
}

fn upgrades() -> Vec<Case> {
    let other = "Connection: Upgrade\r\nUpgrade: h2c\r\n";
    let attach = "/v1.41/containers/web/attach?stream=1";
    vec![
        case("dev", bare("POST", attach, other), 400, "hijack.protocol"),
        case("dev", bare("POST", attach, "Upgrade: \r\n"), 400, "hijack.protocol"),
        case("dev", bare("POST", &format!("{attach}&stdin=1"), ""), 400, "hijack.upgrade-required"),
        case(
            "dev",
            bare("GET", "/v1.41/containers/web/attach/ws", UPGRADE),
            400,
            "hijack.protocol",
        ),
        case(
            "dev",
            bare("GET", "/v1.41/containers/web/attach/ws", ""),
            400,
            "hijack.upgrade-required",
        ),
        case("admin", bare("POST", "/v1.41/session", UPGRADE), 400, "hijack.protocol"),
        case("admin", bare("POST", "/v1.41/grpc", UPGRADE), 400, "hijack.protocol"),
        case(
            "admin",
            json("POST", &format!("/v1.41/exec/{}/start", &EXEC[..63]), "{}"),
            400,
            "path.canonical",
        ),
    ]
}

async fn check(cases: Vec<Case>) {
    let gate = Gate::start(Script::new("1.41")).await;
    assert_eq!(gate.client("dev").await.get("/_ping").await.status, 200);
    // what the gate asks for itself, once
    let mount = r#"{"Image":"busybox","HostConfig":{"Binds":["/:/h"]}}"#;
    let mount = json("POST", "/v1.41/containers/create", mount);
    assert_eq!(gate.client("dev").await.ask(mount).await.status, 403);
    let before = (gate.fake.log().bytes, gate.events().len());
    for Case { who, request, status, reason } in &cases {
        println!("{who}: {:.200}", String::from_utf8_lossy(request));
        let answer = gate.client(who).await.ask(request).await;
        answer.assert_refused(*status, reason);
        assert_eq!(gate.fake.log().bytes, before.0, "it reached the daemon");
    }
    let denied = |e: &&serde_json::Value| e["decision"]["verdict"] == "deny";
    let events = gate.settle().await;
    let denials: Vec<_> = events.iter().skip(before.1).filter(denied).collect();
    assert_eq!(denials.len(), cases.len(), "every refusal is a decision");
    for (denial, case) in denials.iter().zip(&cases) {
        let reasons = denial["decision"]["reasons"].as_array().unwrap();
        assert!(reasons.iter().any(|r| r["id"] == case.reason), "{denial} has not {}", case.reason);
    }
}

#[tokio::test]
async fn heads_that_can_be_read_in_two_ways() {
    check(heads()).await;
}

#[tokio::test]
async fn bodies_that_can_be_read_in_two_ways() {
    check(bodies()).await;
}

#[tokio::test]
async fn what_policy_denies() {
    check(denials()).await;
}

#[tokio::test]
async fn upgrades_that_lead_nowhere() {
    check(upgrades()).await;
}

#[tokio::test]
async fn a_refusal_names_every_reason() {
    let gate = Gate::start(Script::new("1.41")).await;
    let body = r#"{"Image":"busybox","HostConfig":{"Privileged":true,"PidMode":"host","CapAdd":["ALL"],"Devices":[{"PathOnHost":"/dev/sda"}]}}"#;
    let answer = gate.client("dev").await.ask(json("POST", "/v1.41/containers/create", body)).await;
    let wanted = ["privilege.privileged", "namespace.pid", "privilege.capability", "device.node"];
    let message = answer.message();
    let events = gate.settle().await;
    let denial = events.iter().find(|e| e["decision"]["verdict"] == "deny").unwrap();
    let reasons = denial["decision"]["reasons"].as_array().unwrap();
    for reason in wanted {
        assert!(message.contains(reason), "{reason} is not in {message}");
        let logged = reasons.iter().find(|logged| logged["id"] == reason);
        assert!(logged.is_some_and(|logged| !logged["field"].is_null()), "{reason}: {denial}");
    }
    assert!(message.contains(denial["id"].as_str().unwrap()), "{message}");
}

#[tokio::test]
async fn a_certificate_that_is_nobodys() {
    let gate = Gate::start(Script::new("1.41")).await;
    let mut nobody = gate.client("nobody").await;
    let answer = nobody.get("/v1.41/containers/json").await;
    answer.assert_refused(403, "identity.unknown");
    assert_eq!(answer.header("connection").as_deref(), Some("close"));
    assert_eq!(nobody.rest().await, b"");
    assert_eq!(gate.fake.log().bytes, 0);
    let events = gate.settle().await;
    assert!(events.iter().any(|e| e["stage"] == "connection.refused"), "{events:#?}");
}

#[tokio::test]
async fn exec_that_takes_input_without_an_upgrade() {
    let exec = format!("/exec/{EXEC}/json");
    let inspect = r#"{"ContainerID":"web","OpenStdin":true,"ProcessConfig":{"privileged":false}}"#;
    let gate = Gate::start(Script::new("1.41").knows(&exec, Some(inspect))).await;
    let start = json("POST", &format!("/v1.41/exec/{EXEC}/start"), r#"{"Detach":false}"#);
    let answer = gate.client("dev").await.ask(start).await;
    answer.assert_refused(400, "hijack.upgrade-required");
    let calls: Vec<_> = gate.fake.log().requests.iter().map(|r| r.call()).collect();
    assert_eq!(calls, ["GET /version"], "beside what the gate looks up");
    gate.settle().await;
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_on_record_with_whose_it_was() {
    let gate = Gate::start(Script::new("1.41")).await;
    for name in ["dev", "reader"] {
        let mut client = gate.client(name).await;
        client.send("GET /_ping HTTP/1.1\r\nHost: gate\r\nname : value\r\n\r\n").await;
        assert_eq!(client.answer().await.status, 400);
    }
    let events = gate.settle().await;
    let unreadable = events.iter().filter(|e| e["reason"] == "head.unreadable");
    let mut names: Vec<_> = unreadable.map(|e| e["identity"]["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["dev", "reader"]);
}
