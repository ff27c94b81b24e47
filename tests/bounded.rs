//! A body of a few megabytes can be at fault in very many places, and at length. What is said of it
//! stays small, and what decides is never what was left out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

use dockward::facade::docker::{Accepted, ApiVersion, RequestHead, classify, json as strict};
use dockward::facade::identity::supposed;
use dockward::facade::policy::glob::{Glob, MAX_PATTERNS, MAX_STARS};
use dockward::facade::policy::{Decision, Denial, Facts, Reason, hear};
use http::{HeaderMap, HeaderValue, Method, Version};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

const POLICY: &str = r#"
version: 1
listen: [{ tls: "127.0.0.1:0", certificate: c, key: k, client_ca: a }]
daemon: { socket: /run/docker.sock }
audit: { directory: /var/log/dockward }
identities:
  - { name: ci, match: { cn: ci }, roles: [ci] }
  - { name: trial, match: { cn: trial }, roles: [ci], mode: observe, until: 2027-01-15 }
roles:
  ci:
    scope: any
    admission: ci
    allow: { container: [run, exec] }
    images: { run: ["**"] }
admission:
  ci: { extends: baseline, labels: { allow: [] } }
"#;

fn denied(name: &str, create: &Value) -> Denial {
    denied_at("/v1.41/containers/create", name, create)
}

fn denied_at(target: &str, name: &str, body: &Value) -> Denial {
    match decided(target, name, body) {
        Decision::Deny(denial) => denial,
        Decision::Allow(permit) => panic!("allowed, would: {}", permit.would().len()),
    }
}

fn decided(target: &str, name: &str, body: &Value) -> Decision {
    let now = "2026-12-20T00:00:00Z".parse().unwrap();
    let policy = dockward::facade::config::parse(POLICY, Path::new("/"), now).unwrap().policy;
    let mut identity = supposed(&policy.identities, &name.parse().unwrap()).unwrap();
    identity.mode = identity.mode.at(now.as_second());
    let bytes = serde_json::to_vec(body).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("docker"));
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("content-length", HeaderValue::from(bytes.len()));
    let uri = target.parse().unwrap();
    let request = RequestHead {
        method: &Method::POST,
        uri: &uri,
        version: Version::HTTP_11,
        headers: &headers,
    };
    let accepted = Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::new(41) };
    let head = classify(&request, accepted).unwrap();
    let asking = hear(&identity, &head, &policy).unwrap().read(&bytes).unwrap();
    asking.settle(|_| Facts::default()).unwrap().decide()
}

/// Whether a body is refused for what it has the daemon keep.
fn is_too_heavy(target: &str, body: &Value) -> bool {
    match decided(target, "ci", body) {
        Decision::Deny(denial) => denial.findings.iter().any(|f| f.reason == Reason::Weight),
        Decision::Allow(_) => false,
    }
}

#[test]
fn what_the_daemon_keeps_of_one_object_has_a_bound() {
    let (half, most) = ("x".repeat(64 << 10), 128 << 10);
    let (exec, create) = ("/v1.41/containers/web/exec", "/v1.41/containers/create");
    for target in [exec, create] {
        let body = |more: &str| json!({ "Cmd": [half], "Env": [half, more] });
        assert!(!is_too_heavy(target, &body("")), "{target}");
        assert!(is_too_heavy(target, &body("x")), "{target}");
        let many = vec!["SETTING=value"; 9000];
        assert!(!is_too_heavy(target, &json!({ "Env": many })), "{target}");
    }
    assert!(is_too_heavy(exec, &json!({ "Cmd": ["sh"], "DetachKeys": "x".repeat(most) })));
    let check = |length| json!({ "Healthcheck": { "Test": ["CMD", "x".repeat(length)] } });
    assert!(is_too_heavy(create, &check(most)) && !is_too_heavy(create, &check(most - 3)));
    let labelled = |length| json!({ "Labels": { "l": "x".repeat(length) } });
    assert!(is_too_heavy(create, &labelled(most)) && !is_too_heavy(create, &labelled(most - 1)));
}

/// Bytes that the findings hold.
fn told(denial: &Denial) -> usize {
    let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let each = denial.findings.iter();
    each.map(|f| f.field.len() + f.value.len() + f.what.len() + of(&f.allowed)).sum()
}

fn labels(count: usize) -> Value {
    (0..count)
        .map(|i| (format!("l{i}"), Value::from("v")))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn many_faults_and_long_ones_are_told_in_little() {
    let long = format!("/proc/{}", "x".repeat(1 << 20));
    let key = long.get(..strict::MAX_KEY).unwrap();
    let many = vec![Value::from("SYS_ADMIN"); 16_000];
    let bodies = [
        json!({ "Image": "x", "HostConfig": { "CapAdd": many } }),
        json!({ "Image": "x", "HostConfig": { "Tmpfs": { key: "a,".repeat(1 << 20) } } }),
        json!({ "Image": "x", "HostConfig": { "Binds": vec![long.as_str(); 3] } }),
        json!({ "Image": "x", "HostConfig": { "PortBindings":
            { key: vec![json!({ "HostPort": "1" }); 16_000] } } }),
        json!({ "Image": "x", "NetworkingConfig": { "EndpointsConfig":
            { key: { "Aliases": vec!["\u{e9}\u{e9}\u{e9}\u{e9}"; 16_000] } } } }),
    ];
    for body in bodies {
        let denial = denied("ci", &body);
        assert!((1..=257).contains(&denial.findings.len()), "{}", denial.findings.len());
        assert!(told(&denial) < 1 << 20, "{} bytes", told(&denial));
    }
}

#[test]
fn what_amounts_to_root_is_not_lost_behind_what_does_not() {
    let host = json!({ "Privileged": true, "CapAdd": ["SYS_ADMIN"] });
    let body = json!({ "Image": "x", "Labels": labels(1000), "HostConfig": host });
    let denial = denied("trial", &body);
    let roots: Vec<_> = denial.findings.iter().filter(|f| f.reason.rule().root).collect();
    assert_eq!((denial.findings.len(), roots.len()), (256, 1)); // the image was not looked up, and is not told of
    assert_eq!(roots[0].reason, Reason::Privileged);
}

#[test]
fn what_would_be_allowed_stays_with_its_own_reason() {
    let body = json!({ "Image": "x", "Labels": labels(1000), "HostConfig": { "IpcMode": "x" } });
    let denial = denied("ci", &body);
    let hints = denial.findings.iter().filter(|f| f.reason == Reason::Label && f.allowed.is_some());
    assert_eq!(hints.count(), 0);
}

/// The quickest of three, since others run beside it.
fn quickest(what: impl Fn()) -> Duration {
    let times = (0..3).map(|_| {
        let began = Instant::now();
        what();
        began.elapsed()
    });
    times.min().unwrap()
}

#[test]
fn patterns_and_names_at_their_limits_cost_little() {
    let most = Duration::from_millis(if cfg!(debug_assertions) { 200 } else { 20 });
    let stars = "**x*".repeat(MAX_STARS / 3);
    for name in ["x".repeat(strict::MAX_KEY), "x/".repeat(strict::MAX_KEY / 2)] {
        for pattern in [format!("{stars}y"), "*x".repeat(MAX_STARS) + "y"] {
            let glob = Glob::new(pattern);
            let took = quickest(|| assert!(!glob.matches(&name)));
            println!("{glob}: {took:?}");
            assert!(took < most, "{glob}: {took:?}");
        }
    }
    // what is judged where it came in is never longer than this
    let globs: Vec<_> = (0..MAX_PATTERNS).map(|nth| Glob::new(format!("label-{nth}.*"))).collect();
    let names: Vec<_> = (0..500).map(|nth| format!("label-{nth}")).collect();
    let took = quickest(|| {
        let hits = names.iter().filter(|name| globs.iter().any(|glob| glob.matches(name)));
        assert_eq!(hits.count(), 0);
    });
    println!("{} names by {} patterns: {took:?}", names.len(), globs.len());
    assert!(took < 4 * most, "{took:?}");
}
