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

/// Declares what begins a row, by its method.
macro_rules! methods {
    ($($name:ident = $method:ident,)*) => { $(
        pub(super) const fn $name(
            path: &'static str,
            id: &'static str,
            of: Resource,
            verb: Verb,
        ) -> Route {
            row(Method::$method, path, id, of, verb)
        }
    )* };
}

methods! { get = Get, head = Head, post = Post, put = Put, delete = Delete, }

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
    Param { name, kind, repeat: false, guard: Guard::Open, since: 0 }
}

/// Declares the short names of plain keys.
macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident = $kind:ident,)*) => { $(
        $(#[$doc])*
        pub(super) const fn $name(name: &'static str) -> Param {
            param(name, ParamKind::$kind)
        }
    )* };
}

keys! {
    text = Text,
    /// A boolean that is off where absent.
    flag = Bool,
    /// A boolean that is on where absent.
    switch = Switch,
    int = Int,
    /// A word without blanks and the like.
    word = Word,
    /// A time in seconds.
    moment = Moment,
    /// A number of lines, or `all`.
    tail = Tail,
    /// The name or id of an object.
    object = Object,
}

/// Lines of text, each a value.
pub(super) const fn lines(name: &'static str) -> Param {
    Param { repeat: true, ..param(name, ParamKind::Lines) }
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

    /// Read from this minor version on; below, it is text that nobody reads.
    pub(super) const fn from(self, since: u8) -> Self {
        Self { since, ..self }
    }

    /// Judged by its value.
    pub(super) const fn judged(self) -> Self {
        self.under(Guard::Judged)
    }

    /// Only for a role without typed admission.
    pub(super) const fn guarded(self) -> Self {
        self.under(Guard::Unrestricted)
    }

    pub(super) const fn under(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }
}
