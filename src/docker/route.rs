//! What a row of the route table says: enough to classify, to judge and to forward a request.

use super::body::BodyType;
use super::verb::words;
use super::{Group, Resource, Verb};

words! {
    /// Methods that the API uses. `Any` is whatever the method, for rows that nobody may use.
    Method {
        Get = "GET", Head = "HEAD", Post = "POST", Put = "PUT", Delete = "DELETE",
        Options = "OPTIONS", Any = "ANY",
    }
}

/// What the body of a request to this route is. It follows from the route, never from its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// None; a `Content-Length: 0` is fine.
    None,
    /// JSON, read strictly into a type of its own.
    Json {
        /// Which type.
        kind: BodyType,
        /// Whether the endpoint also works without a body.
        optional: bool,
    },
    /// A tar that is put into a container: a stream that a role must be granted by name, of which the
    /// first block is looked at.
    Archive,
    /// An opaque stream (tar) that a role must be granted by name.
    Opaque,
}

impl BodyKind {
    /// Whether the client's own bytes are passed on.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Archive | Self::Opaque)
    }
}

/// Whether the connection is taken over after the daemon's 101.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hijack {
    /// Never.
    No,
    /// Attach: `Upgrade: tcp`, raw both ways. Input is meant when the query says `stdin`.
    Attach,
    /// Exec start: as attach, unless the body says `Detach`.
    ExecStart,
    /// `GET /containers/{}/attach/ws`.
    WebSocket,
    /// `/session` and `/grpc`: `Upgrade: h2c`, opaque.
    H2c,
}

impl Hijack {
    /// Whether what follows the 101 is a protocol that nobody looks into and that drives more than
    /// one container's streams (or escapes the rules of attach), so that `*` does not grant it.
    #[must_use]
    pub const fn is_opaque(self) -> bool {
        matches!(self, Self::WebSocket | Self::H2c)
    }

    /// The protocol that we write into `Upgrade` towards the daemon.
    #[must_use]
    pub const fn protocol(self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::Attach | Self::ExecStart => Some("tcp"),
            Self::WebSocket => Some("websocket"),
            Self::H2c => Some("h2c"),
        }
    }
}

/// How long an exchange lives and what it does, for forwarding and for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// A read that ends by itself: sent again once on a stale connection, cancelled with its client.
    Read,
    /// A state-changing call that runs to its end even when its client is gone.
    Write,
    /// A read that may last for ever (events, logs, stats, wait): cancelled with its client.
    Stream,
    /// A state-changing stream (build, pull, push, load, attach): cancelled with its client.
    WriteStream,
}

impl Life {
    /// Whether the daemon's state may change, so that the decision is synced to disk first.
    #[must_use]
    pub const fn changes_state(self) -> bool {
        matches!(self, Self::Write | Self::WriteStream)
    }

    /// Whether a client that has closed its own side alone ends the exchange, as it does for dockerd, whose
    /// server takes that for a client that went away. What ends by itself is answered.
    #[must_use]
    pub const fn ends_with_input(self) -> bool {
        matches!(self, Self::Stream | Self::WriteStream)
    }

    /// Whether a client that went away ends the exchange.
    #[must_use]
    pub const fn ends_with_client(self) -> bool {
        !matches!(self, Self::Write)
    }
}

/// How the daemon reads a query value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Text, passed on as it is.
    Text,
    /// Text of which each line is a value of its own, as bollard joins `changes`; given on one by one.
    Lines,
    /// A word that names something: letters, digits and `._/:@+,=-` only.
    Word,
    /// A boolean in moby's reading (`httputils.BoolValue`): false is `""`, `0`, `no`, `false`,
    /// `none`, trimmed and in any case; everything else is true. Forwarded as `1` or `0`.
    Bool,
    /// A boolean that the daemon takes as true where it is absent (`stream`, `rm`, `pause`,
    /// `quiet`). Its endpoints disagree about an empty value, so that is refused.
    Switch,
    /// A decimal integer; forwarded canonically. An empty value is as if absent.
    Int,
    /// Seconds since 1970, with up to nine decimals (`timetypes.ParseTimestamps`).
    Moment,
    /// `all`, or a number of lines.
    Tail,
    /// The name of an object, or its id or the beginning of one.
    Object,
    /// JSON inside the query, of one type: strictly read, re-built.
    Json(QueryJson),
    /// `filters`, by these keys alone, each with a value: strictly read, re-built.
    Filters(&'static [&'static str]),
}

/// The types of JSON that stand in a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryJson {
    /// An array of strings (`cachefrom`).
    Texts,
    /// An object of strings (`labels`).
    TextMap,
    /// An object of strings or null (`buildargs`).
    OptionalTextMap,
    /// An array of [`crate::docker::body::create::Ulimit`].
    Ulimits,
    /// An OCI platform.
    Platform,
    /// An array of BuildKit outputs.
    Outputs,
}

/// Who may use a query key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Whoever was granted the verb: the value steers nothing beyond it.
    Open,
    /// Judged by value in `policy/admit`, as a field of a body is.
    Judged,
    /// Only a role with `admission: unrestricted`, unless the value says nothing (empty, false, 0,
    /// `{}`, `[]`): no value of it is safe.
    Unrestricted,
    /// As `Unrestricted`, but this one value is open too: what clients send when nothing was asked
    /// for (`version=1`).
    UnrestrictedBut(&'static str),
}

/// A query key of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// The key, exactly.
    pub name: &'static str,
    /// How its value is read.
    pub kind: ParamKind,
    /// Whether it may be given more than once (`t`, `names`, `changes`).
    pub repeat: bool,
    /// Who may use it.
    pub guard: Guard,
    /// First API minor version at which the daemon reads it (0: always); below, it is left out.
    pub since: u8,
}

/// Which of several rows with one method and path a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The only row of its method and path, or the one that is left when no other holds.
    Always,
    /// The query has this key with a value that is not empty.
    QuerySet(&'static str),
    /// The query has this key with exactly this value.
    QueryIs(&'static str, &'static str),
}

/// One row of [`super::ROUTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Docker's own operation id, such as `ContainerCreate`.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The path without version: `{name}` is one segment, `{exec}` a full exec id; `{name...}` in
    /// image, plugin and distribution routes may contain `/` (reference characters only).
    pub path: &'static str,
    /// Which of the rows with this method and path.
    pub when: When,
    /// What kind of object.
    pub resource: Resource,
    /// What is done.
    pub verb: Verb,
    /// What the body is.
    pub body: BodyKind,
    /// Whether the connection is taken over.
    pub hijack: Hijack,
    /// How the exchange lives.
    pub life: Life,
    /// The query keys that the daemon knows here, in any version.
    pub query: &'static [Param],
    /// Request headers passed on besides the framing that we write ourselves, lower-case.
    pub headers: &'static [&'static str],
    /// First API minor version that documents the endpoint (0: always).
    pub since: u8,
    /// Granted only by spelling the verb out: never by `*` (the dagger of the verb table).
    pub dagger: bool,
    /// With which others the verb is granted by one word.
    pub group: Option<Group>,
    /// Whether holding this grant amounts to root on the host.
    pub root: bool,
    /// Open only to a role with `admission: unrestricted`: no profile can judge what it does.
    pub reserved: bool,
}

impl Route {
    /// Whether it passes on a stream that nobody looks into, which `*` does not grant.
    #[must_use]
    pub const fn is_opaque(&self) -> bool {
        self.body.is_stream() || self.hijack.is_opaque()
    }
}
