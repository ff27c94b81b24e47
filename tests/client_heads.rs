//! The heads that real clients send, as recorded, are all classified.
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

use dockward::facade::docker::{Accepted, ApiVersion, RequestHead, classify};
use http::{HeaderMap, HeaderName, HeaderValue};

#[derive(serde::Deserialize)]
struct Recorded {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
}

#[test]
fn every_recorded_head_is_classified() {
    let accepted = Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::NEWEST };
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/clients");
    let mut seen = 0;
    let mut refused = Vec::new();
    for file in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(&file).unwrap();
        for case in serde_saphyr::from_str::<Vec<Recorded>>(&text).unwrap() {
            let mut headers = HeaderMap::new();
            for (name, value) in &case.headers {
                headers.append(
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            let (method, uri) = (case.method.parse().unwrap(), case.target.parse().unwrap());
            let head = RequestHead {
                method: &method,
                uri: &uri,
                version: http::Version::HTTP_11,
                headers: &headers,
            };
            if let Err(flaw) = classify(&head, accepted) {
                refused.push(format!(
                    "{} {}: {} {}: {flaw}",
                    file.display(),
                    case.name,
                    case.method,
                    case.target
                ));
            }
            seen += 1;
        }
    }
    assert!(seen >= 100, "{seen} recorded requests");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
