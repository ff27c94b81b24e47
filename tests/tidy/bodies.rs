//! Every documented field of a typed body is one that we know, or one that only answers have.

use dockward::docker::body::{self};
use dockward::docker::{Accepted, ApiVersion, RequestHead, classify};
use serde_json::{Value, json};

/// Documented with the type of an answer (`container.CreateRequest` shares `network.EndpointSettings`
/// with inspect): read, and never sent on.
const ANSWER_ONLY: [&str; 9] = [
    "DNSNames",
    "EndpointID",
    "Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "NetworkID",
];

fn read_back(target: &str, sent: &Value) -> Option<Value> {
    let bytes = serde_json::to_vec(sent).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.append("host", "docker".parse().unwrap());
    headers.append("content-type", "application/json".parse().unwrap());
    headers.append("content-length", bytes.len().into());
    let (method, uri) = (http::Method::POST, target.parse().unwrap());
    let head = RequestHead {
        method: &method,
        uri: &uri,
        version: http::Version::HTTP_11,
        headers: &headers,
    };
    let accepted = Accepted { floor: ApiVersion::LOWEST, ceiling: ApiVersion::NEWEST };
    let head = classify(&head, accepted).unwrap();
    let body = body::read(&head, &bytes).ok()?;
    Some(serde_json::from_slice(&body.serialise().unwrap()).unwrap())
}

/// A body with null at this path: a known field keeps its null, an unknown one is left out.
fn with_null_at(path: &str) -> Value {
    path.rsplit('.').fold(Value::Null, |inner, step| {
        let name = step.trim_end_matches(['[', ']', '{', '}']);
        let wrapped =
            step.as_bytes()[name.len()..].chunks(2).rev().fold(inner, |inner, by| match by {
                b"[]" => json!([inner]),
                _ => json!({ "key": inner }),
            });
        json!({ name: wrapped })
    })
}

#[test]
fn every_documented_field_is_named() {
    let targets = [
        ("create", "/v1.55/containers/create".to_owned()),
        ("exec", "/v1.55/containers/web/exec".to_owned()),
        ("start", format!("/v1.55/exec/{}/start", "a".repeat(64))),
    ];
    let (mut count, mut unnamed) = (0, Vec::new());
    for line in
        include_str!("../fixtures/create_fields.txt").lines().filter(|l| !l.starts_with('#'))
    {
        let [body, path, _versions] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (_, target) = targets.iter().find(|(name, _)| *name == body).unwrap();
        let sent = with_null_at(path);
        let named = read_back(target, &sent).as_ref() == Some(&sent);
        let answer = path
            .strip_prefix("NetworkingConfig.EndpointsConfig{}.")
            .is_some_and(|f| ANSWER_ONLY.contains(&f));
        if named == answer {
            unnamed.push(line);
        }
        count += 1;
    }
    assert!(count > 180, "{count} fields");
    assert!(
        unnamed.is_empty(),
        "decide about these in src/docker/body and src/policy/admit: {unnamed:#?}"
    );
}

#[test]
fn a_field_that_nobody_named_would_be_seen() {
    assert_ne!(
        read_back("/v1.55/containers/create", &with_null_at("HostConfig.Mounts[].New")).unwrap(),
        with_null_at("HostConfig.Mounts[].New")
    );
}
