//! The gate's own reading of JSON: the same functions that serve.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use dockward::facade::docker::LeftOut;
use dockward::facade::docker::route::{Param, ParamKind, When};
use dockward::facade::docker::{
    Accepted, ApiVersion, BodyKind, CallHead, Malformed, ROUTES, RequestHead, Route, body, classify,
};
use serde::Deserialize;
use std::path::Path;

/// A place of a request that takes JSON, with a request that has it.
pub(crate) struct Door {
    /// As the oracle calls it: the operation of a body, `?key` of a query, the name of a header.
    pub(crate) name: String,
    pub(crate) way: Way,
    method: &'static str,
    target: String,
    head: CallHead,
}

/// How JSON comes in.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Way {
    Body,
    Query(&'static Param),
    Header(&'static str),
}

/// One for the body of each route that takes JSON, and one for each key of a query and each header
/// whose value is JSON.
pub(crate) fn doors() -> Vec<Door> {
    let mut doors: Vec<Door> = Vec::new();
    // Rows that a query decides about have a twin that is found without one.
    for route in ROUTES.iter().filter(|route| route.when == When::Always) {
        let body = matches!(route.body, BodyKind::Json { .. });
        let json =
            |param: &&Param| matches!(param.kind, ParamKind::Json(_) | ParamKind::Filters(_));
        let ways = body
            .then(|| (route.operation.to_owned(), Way::Body))
            .into_iter()
            .chain(route.query.iter().filter(json).map(|p| (format!("?{}", p.name), Way::Query(p))))
            .chain(
                route
                    .headers
                    .iter()
                    .filter(|name| name.starts_with("x-registry-"))
                    .map(|name| ((*name).to_owned(), Way::Header(name))),
            );
        for (name, way) in ways {
            if doors.iter().all(|door| door.name != name) {
                doors.push(door(route, name, way));
            }
        }
    }
    doors
}

fn door(route: &'static Route, name: String, way: Way) -> Door {
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
    let method = route.method.as_str();
    let typed = if way == Way::Body { JSON } else { &[] };
    let head = request(method, &target, typed).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(std::ptr::eq(head.route, route), "{path}");
    Door { name, way, method, target, head }
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json"), ("content-length", "2")];

/// The head of a request with these fields.
fn request(
    method: &str,
    target: &str,
    fields: &[(&'static str, &str)],
) -> Result<CallHead, Malformed> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in [("host", "docker")].iter().chain(fields) {
        headers.append(*name, value.parse().unwrap());
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
            if let Ok(head) = request(&method, &target, JSON) {
                bodies.push((head.route.operation, body));
            }
        }
    }
    assert!(bodies.len() > 50, "{} recorded bodies", bodies.len());
    bodies
}

impl Door {
    /// What the gate would write for this text, or why it refuses it. No text is nothing at all.
    pub(crate) fn rewritten(&self, text: &[u8]) -> Result<Vec<u8>, Malformed> {
        match self.way {
            Way::Body => Ok(body::read(&self.head, text, &mut LeftOut::default())?
                .serialise()
                .unwrap_or_default()),
            Way::Query(param) => {
                let escaped = text.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
                let target = format!("{}?{}={escaped}", self.target, param.name);
                let head = request(self.method, &target, &[])?;
                Ok(head.query.text(param.name).unwrap_or_default().into())
            }
            Way::Header(name) => {
                let head = request(self.method, &self.target, &[(name, &URL_SAFE.encode(text))])?;
                let written = head.headers.iter().find(|(other, _)| other == name);
                Ok(written.map(|(_, value)| URL_SAFE.decode(value).unwrap()).unwrap_or_default())
            }
        }
    }
}
