//! Why a request cannot be read in exactly one way: the refusals that no policy can soften.

use crate::problem::{Actionable, Problem};
use crate::rule::rules;
use std::borrow::Cow;

rules! {
    /// A kind of unreadability.
    pub enum Flaw in "Not readable in exactly one way",
        "400; 413 for `body.too-large`; 414 for `target.too-long`; 403 for `route.unknown`; 404 for `name.absent`. No policy softens these." {
        PathCanonical = "path.canonical", "a path in another spelling than the one we accept",
            "the daemon decodes and cleans paths in its own way", "send the path as Docker's own clients do", [];
        TargetTooLong = "target.too-long", "a path and query that are too long, as they would be sent on",
            "what cannot be sent on whole is not sent", "ask for less at once, in several requests", [];
        RouteUnknown = "route.unknown", "a path that is no endpoint of the API",
            "what is unknown cannot be judged", "check the method and path", [];
        NameAbsent = "name.absent", "a name to look at that nothing of its kind can have",
            "the daemon's router reads such a name over path segments", "none is needed: clients go on to the kind that can", [];
        VersionSpelling = "version.spelling", "a version prefix other than /v1.NN",
            "the daemon reads /v01.041 as a version too", "write /v1.41", [];
        VersionRange = "version.range", "an API version outside the accepted range",
            "older versions mean other things, newer ones have fields nobody has judged", "set DOCKER_API_VERSION to a version within the range; where a client pins an older one, `api_min: \"1.24\"` under `daemon` lets it in", [];
        VersionEndpoint = "version.endpoint", "an endpoint that this API version does not have",
            "daemons serve endpoints below their documented version", "use a newer version", [];
        QuerySyntax = "query.syntax", "a query string that cannot be decoded in one way",
            "daemons of different age split it differently", "percent-encode the values", [];
        QueryUnknown = "query.unknown", "a query key in another letter case than the endpoint has it, or too many that it has not",
            "the daemon would not read it, and whoever wrote it meant something", "write it in its own case, or leave it out", [];
        QueryDuplicate = "query.duplicate", "a query key given twice",
            "which one counts depends on the endpoint", "give it once", [];
        QueryValue = "query.value", "a query value of another kind than the key has",
            "the daemon would read it otherwise than it looks", "correct the value", [];
        QueryFilter = "query.filter", "a filter that the endpoint does not have, or one without a value",
            "the daemon takes it for none, and a prune then removes everything", "leave the key out, or give it a value", [];
        HttpVersion = "http.version", "a request that is not HTTP/1.1",
            "framing differs between versions", "use HTTP/1.1", [];
        HttpMethod = "http.method", "a method in another spelling, or CONNECT",
            "the API has GET, HEAD, POST, PUT and DELETE", "use the method that the API documents", [];
        HttpHost = "http.host", "no Host header, or several",
            "HTTP/1.1 asks for exactly one", "send one Host header", [];
        HttpFraming = "http.framing", "a length or transfer coding that can be read in two ways",
            "where a body ends decides what the next request is (request smuggling)", "send one Content-Length, or Transfer-Encoding: chunked", [];
        HttpExpect = "http.expect", "an Expect header other than 100-continue",
            "the daemon answers 417", "leave it out", [];
        HttpHeader = "http.header", "a header given twice or with bytes that are not printable ASCII",
            "which one counts differs", "send it once, in ASCII", [];
        HeaderCredentials = "header.credentials", "registry credentials that cannot be read in one way",
            "the daemon goes on without them, or with others", "send base64url of the JSON that Docker documents", [];
        BodyUnexpected = "body.unexpected", "a body on a request that has none, but for JSON in a POST",
            "old daemons read it where new ones do not", "send no body", [];
        BodyMissing = "body.missing", "no body where one is needed",
            "nothing can be judged", "send the JSON body", [];
        BodyType = "body.type", "a content type that this endpoint does not take",
            "the daemon merges form fields into the query", "send application/json, or a tar stream where one belongs", [];
        BodyTooLarge = "body.too-large", "a body larger than what is inspected whole (CVE-2024-41110, CVE-2026-34040)",
            "a body is never judged in part", "send a smaller body", [];
        BodyIncomplete = "body.incomplete", "a body that ended early or did not arrive in time",
            "a body is never judged in part", "send it again", [];
        BodyTrailers = "body.trailers", "trailer fields after a body",
            "they can overwrite headers", "send none", [];
        JsonSyntax = "json.syntax", "a body that is not JSON",
            "it cannot be read", "correct it at the place named", [];
        JsonNul = "json.nul", "a JSON text or key with a NUL character",
            "a path, name or argument ends there for the kernel, and not for the daemon", "leave it out", [];
        JsonTrailing = "json.trailing", "more after the JSON value",
            "old daemons ignore it, new ones do not", "send one value", [];
        JsonDepth = "json.depth", "JSON nested deeper than 64 levels",
            "no request needs it", "send a flatter body", [];
        JsonValues = "json.too-many-values", "JSON with more values, or more of one kind, than a text of its size has in any request",
            "small texts could take much memory", "send only what Docker documents", [];
        JsonDuplicate = "json.duplicate-key", "a JSON key given twice, in one spelling or in two",
            "the daemon merges the two", "give it once", [];
        JsonUnknown = "json.unknown-key", "a JSON key that some engines read at this place and others elsewhere, more that nobody reads than anybody sends, or one in credentials or the query",
            "what is read in two ways cannot be judged", "put it where it belongs, or leave it out", [];
        JsonType = "json.type", "a JSON value of another type than the field has",
            "it cannot be judged", "correct it", [];
        JsonNumber = "json.number", "a number that is no exact integer in range",
            "the daemon refuses or rounds it", "write a plain integer", [];
        JsonContradiction = "json.contradiction", "a body that names another object than the path",
            "the two could be judged apart", "send it to the object's own path", [];
        UpgradeRequired = "hijack.upgrade-required", "a stream with input that does not ask to upgrade",
            "without an upgrade only output can be streamed", "send Connection: Upgrade and Upgrade: tcp", [];
        UpgradeProtocol = "hijack.protocol", "an upgrade to a protocol that the route does not have",
            "a tunnel is opened for what was judged alone", "send the protocol that the API documents", [];
    }
}

/// A request that is refused because it cannot be read in exactly one way. Whoever answers with it says by
/// its rule what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.problem().what)]
pub struct Malformed {
    /// What kind.
    pub flaw: Flaw,
    /// Where: a field path, a query key, a header name; empty where the place says itself.
    pub at: String,
    /// What is wrong, for a person: lower-case, no full stop.
    pub why: Cow<'static, str>,
}

impl Malformed {
    /// A refusal at a place.
    #[must_use]
    pub fn new(flaw: Flaw, at: impl Into<String>, why: impl Into<Cow<'static, str>>) -> Self {
        Self { flaw, at: at.into(), why: why.into() }
    }
}

impl Actionable for Malformed {
    fn problem(&self) -> Problem {
        let (why, rule) = (&self.why, self.flaw.rule());
        let what = match self.at.as_str() {
            "" => format!("{why} [{}]", rule.id),
            at => format!("{why} ({at}) [{}]", rule.id),
        };
        Problem::new(what, rule.remedy)
    }
}
