//! The short words in which the table writes its rows, because a table that is read whole must fit
//! on the screen.

use crate::docker::body::BodyType;
use crate::docker::route::{Guard, Param, ParamKind, QueryJson, When};
use crate::docker::{BodyKind, Group, Hijack, Life, Method, Resource, Route, Verb};

const fn row(
    method: Method,
    path: &'static str,
    operation: &'static str,
    resource: Resource,
    verb: Verb,
) -> Route {
    let (life, group) = match method {
        Method::Get | Method::Head => (Life::Read, Some(Group::Read)),
        _ => (Life::Write, None),
    };
    Route {
        operation,
        method,
        path,
        when: When::Always,
        resource,
        verb,
        body: BodyKind::None,
        hijack: Hijack::No,
        life,
        query: &[],
        headers: &[],
        since: 0,
        dagger: false,
        group,
        root: false,
        reserved: false,
    }
}

pub(super) const fn get(path: &'static str, id: &'static str, of: Resource, verb: Verb) -> Route {
    row(Method::Get, path, id, of, verb)
}

pub(super) const fn head(path: &'static str, id: &'static str, of: Resource, verb: Verb) -> Route {
    row(Method::Head, path, id, of, verb)
}

pub(super) const fn post(path: &'static str, id: &'static str, of: Resource, verb: Verb) -> Route {
    row(Method::Post, path, id, of, verb)
}

pub(super) const fn put(path: &'static str, id: &'static str, of: Resource, verb: Verb) -> Route {
    row(Method::Put, path, id, of, verb)
}

pub(super) const fn delete(
    path: &'static str,
    id: &'static str,
    of: Resource,
    verb: Verb,
) -> Route {
    row(Method::Delete, path, id, of, verb)
}

/// A row that nobody may use, whatever is granted.
pub(super) const fn never(
    method: Method,
    path: &'static str,
    id: &'static str,
    of: Resource,
) -> Route {
    row(method, path, id, of, Verb::Never).apart()
}

impl Route {
    pub(super) const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    pub(super) const fn query(self, query: &'static [Param]) -> Self {
        Self { query, ..self }
    }

    pub(super) const fn headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    const fn body(self, body: BodyKind) -> Self {
        Self { body, ..self }
    }

    /// A JSON body that must be there.
    pub(super) const fn json(self, kind: BodyType) -> Self {
        self.body(BodyKind::Json { kind, optional: false })
    }

    /// A JSON body that may be left out.
    pub(super) const fn perhaps_json(self, kind: BodyType) -> Self {
        self.body(BodyKind::Json { kind, optional: true })
    }

    /// An opaque body: a stream that changes state.
    pub(super) const fn opaque(self) -> Self {
        self.body(BodyKind::Opaque).streams()
    }

    /// A stream that changes state, of which the first block is looked at.
    pub(super) const fn archive(self) -> Self {
        self.body(BodyKind::Archive).streams()
    }

    pub(super) const fn hijack(self, hijack: Hijack) -> Self {
        Self { hijack, life: Life::WriteStream, ..self.apart() }
    }

    /// The exchange may last: as a read, or as what changes state.
    pub(super) const fn streams(self) -> Self {
        let life = if self.life.changes_state() { Life::WriteStream } else { Life::Stream };
        Self { life, ..self }
    }

    /// A POST that only waits.
    pub(super) const fn waits(self) -> Self {
        Self { life: Life::Stream, ..self }
    }

    pub(super) const fn since(self, minor: u8) -> Self {
        Self { since: minor, ..self }
    }

    pub(super) const fn dagger(self) -> Self {
        Self { dagger: true, ..self.apart() }
    }

    /// Open to no profile, and never by `*`.
    pub(super) const fn reserved(self) -> Self {
        Self { reserved: true, ..self.dagger() }
    }

    /// In no group: a GET that shows more than the state of things, or serves a verb that does.
    pub(super) const fn apart(self) -> Self {
        Self { group: None, ..self }
    }

    /// Part of `docker run`.
    pub(super) const fn run(self) -> Self {
        Self { group: Some(Group::Run), ..self }
    }

    pub(super) const fn root(self) -> Self {
        Self { root: true, ..self }
    }
}

const fn param(name: &'static str, kind: ParamKind) -> Param {
    Param { name, kind, repeat: false, guard: Guard::Open }
}

pub(super) const fn text(name: &'static str) -> Param {
    param(name, ParamKind::Text)
}

/// A boolean that is off where absent.
pub(super) const fn flag(name: &'static str) -> Param {
    param(name, ParamKind::Bool)
}

/// A boolean that is on where absent.
pub(super) const fn switch(name: &'static str) -> Param {
    param(name, ParamKind::Switch)
}

pub(super) const fn int(name: &'static str) -> Param {
    param(name, ParamKind::Int)
}

/// Lines of text, each a value.
pub(super) const fn lines(name: &'static str) -> Param {
    Param { repeat: true, ..param(name, ParamKind::Lines) }
}

/// A word without blanks and the like.
pub(super) const fn word(name: &'static str) -> Param {
    param(name, ParamKind::Word)
}

/// A time in seconds.
pub(super) const fn moment(name: &'static str) -> Param {
    param(name, ParamKind::Moment)
}

/// A number of lines, or `all`.
pub(super) const fn tail(name: &'static str) -> Param {
    param(name, ParamKind::Tail)
}

/// The name or id of an object.
pub(super) const fn object(name: &'static str) -> Param {
    param(name, ParamKind::Object)
}

pub(super) const fn json(name: &'static str, of: QueryJson) -> Param {
    param(name, ParamKind::Json(of))
}

/// `filters`, by these keys.
pub(super) const fn filters(keys: &'static [&'static str]) -> Param {
    param("filters", ParamKind::Filters(keys))
}

impl Param {
    /// May be given more than once.
    pub(super) const fn many(self) -> Self {
        Self { repeat: true, ..self }
    }

    /// Judged by its value.
    pub(super) const fn judged(self) -> Self {
        Self { guard: Guard::Judged, ..self }
    }

    /// Only for a role without typed admission.
    pub(super) const fn guarded(self) -> Self {
        Self { guard: Guard::Unrestricted, ..self }
    }

    /// As guarded, but one value is open: what clients send when nothing was asked for.
    pub(super) const fn guarded_but(self, open: &'static str) -> Self {
        Self { guard: Guard::UnrestrictedBut(open), ..self }
    }
}
