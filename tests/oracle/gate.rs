//! The gate's own reading of a body: the same functions that serve.

use dockward::docker::{
    Accepted, ApiVersion, BodyKind, CallHead, Malformed, ROUTES, RequestHead, Route, body, classify,
};

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
    let mut headers = http::HeaderMap::new();
    for (name, value) in
        [("host", "docker"), ("content-type", "application/json"), ("content-length", "2")]
    {
        headers.append(name, value.parse().unwrap());
    }
    let head = RequestHead {
        method: &route.method.as_str().parse().unwrap(),
        uri: &format!("/v{}{path}", ApiVersion::NEWEST).parse().unwrap(),
        version: http::Version::HTTP_11,
        headers: &headers,
    };
    let accepted = Accepted { floor: ApiVersion::LOWEST, ceiling: ApiVersion::NEWEST };
    let head = classify(&head, accepted).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(head.route.operation, route.operation, "{path}");
    head
}

impl Door {
    /// What the gate would write for these bytes, or why it refuses them.
    pub(crate) fn rewritten(&self, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let body = body::read(&self.head, bytes)?;
        // No body at all, where the route can do without, is forwarded as no body at all.
        Ok(body.serialise().unwrap_or_default())
    }
}
