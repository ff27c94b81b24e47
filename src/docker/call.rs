//! A request made typed: the head first, then the body.

use super::body::Body;
use super::left_out::LeftOut;
use super::query::Query;
use super::{Accepted, ApiVersion, Resource, Route};
use http::{HeaderName, HeaderValue};

/// How the client framed the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, or one of length 0.
    Empty,
    /// `Content-Length`, in bytes, above 0.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
}

/// A classified request head: all that authorization needs.
#[derive(Clone, Debug, PartialEq)]
pub struct CallHead {
    /// The row of the route table.
    pub route: &'static Route,
    /// The version the daemon will be asked in: the client's, or the ceiling for an unversioned one.
    pub version: ApiVersion,
    /// The decoded path parameters, in the order of the template.
    pub params: Vec<String>,
    /// The query, each known key once, typed.
    pub query: Query,
    /// Keys of the query that no daemon reads.
    pub left_out: LeftOut,
    /// The client's headers that this route passes on.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The addresses of registries that credentials in a header are for, as written.
    pub registries: Vec<String>,
    /// How the body is framed.
    pub framing: Framing,
    /// Whether the client asked to upgrade (it matters on hijack routes only).
    pub upgrade: bool,
    /// The versions that are accepted, for what the client is told of them.
    pub accepted: Accepted,
}

impl CallHead {
    /// The object that is meant: the first path parameter, if there is one.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.params.first().map(String::as_str)
    }

    /// The request target as the daemon gets it: canonical version, path and query, all ours.
    #[must_use]
    pub fn target_uri(&self) -> String {
        let mut target =
            if self.route.is_versioned() { format!("/v{}", self.version) } else { String::new() };
        let mut params = self.params.iter();
        for (nth, part) in self.route.path.split('{').enumerate() {
            let literal = if nth == 0 { part } else { part.split_once('}').map_or("", |(_, l)| l) };
            if nth > 0 {
                let param = params.next().map_or("", String::as_str);
                target.extend(
                    param
                        .split(' ')
                        .enumerate()
                        .flat_map(|(nth, word)| [if nth == 0 { "" } else { "%20" }, word]),
                );
            }
            target.push_str(literal);
        }
        let query = self.query.encode();
        if !query.is_empty() {
            target.push('?');
            target.push_str(&query);
        }
        target
    }
}

impl Route {
    /// Whether the daemon is asked under `/v1.NN`: older engines serve `/debug` only without.
    #[must_use]
    pub fn is_versioned(&self) -> bool {
        self.resource != Resource::Debug
    }
}

/// A whole request: head and typed body.
#[derive(Debug)]
pub struct ApiCall<'a> {
    /// The head.
    pub head: &'a CallHead,
    /// The body as it will be judged, and from which the daemon's is written.
    pub body: Body<'a>,
    /// What of query and body no daemon reads.
    pub left_out: LeftOut,
}
