//! The gate's own reading of a body: the same functions that serve.

use dockward::docker::{
    Accepted, ApiVersion, BodyKind, CallHead, Malformed, ROUTES, RequestHead, Route, body, classify,
};
use serde::Deserialize;
use std::path::Path;

/// A route that takes JSON, with a request to it.
pub(crate) struct Door {
    pub(crate) route: &'static Route,
    head: CallHead,
}

/// One for each route that takes JSON.
pub(crate) fn doors() -> Vec<Door> {
    let json = ROUTES.iter().filter(|route| matches!(route.body, BodyKind::Json { .. }));
    json.map(|route| Door { route, head: head(route) }).collect()
}

fn head(route: &'static Route) -> CallHead {
    let mut path = String::new();
    for (nth, part) in route.path.split('{').enumerate() {
        let (name, literal) =
            if nth == 0 { ("", part) } else { part.split_once('}').expect("a closed name") };
        path.push_str(match name {
            "" => "",
            "exec" => "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            _ => "web",
        });
        path.push_str(literal);
    }
    let target = format!("/v{}{path}", ApiVersion::NEWEST);
    let head = request(route.method.as_str(), &target).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(head.route.operation, route.operation, "{path}");
    head
}

/// The head of a request with a JSON body.
fn request(method: &str, target: &str) -> Result<CallHead, Malformed> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in
        [("host", "docker"), ("content-type", "application/json"), ("content-length", "2")]
    {
        headers.append(name, value.parse().unwrap());
    }
    let head = RequestHead {
        method: &method.parse().unwrap(),
        uri: &target.parse().unwrap(),
        version: http::Version::HTTP_11,
        headers: &headers,
    };
    classify(&head, Accepted { floor: ApiVersion::LOWEST, ceiling: ApiVersion::NEWEST })
}

/// A request as a client really sent it.
#[derive(Deserialize)]
struct Recorded {
    method: String,
    target: String,
    raw: Option<String>,
}

/// The bodies that real clients sent, with their operations.
pub(crate) fn recorded() -> Vec<(&'static str, serde_json::Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clients");
    let mut bodies = Vec::new();
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let entries: Vec<Recorded> =
            serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        for Recorded { method, target, raw } in entries {
            let Some(body) = raw.and_then(|raw| serde_json::from_str(&raw).ok()) else { continue };
            if let Ok(head) = request(&method, &target) {
                bodies.push((head.route.operation, body));
            }
        }
    }
    assert!(bodies.len() > 50, "{} recorded bodies", bodies.len());
    bodies
}

impl Door {
    /// What the gate would write for these bytes, or why it refuses them.
    pub(crate) fn rewritten(&self, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let body = body::read(&self.head, bytes)?;
        // No body at all, where the route can do without, is forwarded as no body at all.
        Ok(body.serialise().unwrap_or_default())
    }
}
