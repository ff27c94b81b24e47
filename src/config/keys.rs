//! Every key of the policy file, in one table. A key that is not here is an error, so that what a
//! later version will understand is never accepted and ignored by this one.

mod profile;

pub(super) use profile::fill;

use super::shape::{KeyShape, Notation, Section, Shape};
use super::units;

const TEXTS: Shape = Shape::List(&Shape::Text);

const VERSION: Shape = Shape::Notation(&Notation {
    what: "a version of this format that is known",
    check: |text| if text == "1" { Ok(()) } else { Err("write 1".into()) },
    pattern: "^1$",
});

const SIZE: Shape = Shape::Notation(&Notation {
    what: "a size",
    check: |text| units::size(text).map(drop),
    pattern: "^(0|[1-9][0-9]*)([KMGT]i)?B?$",
});

const DURATION: Shape = Shape::Notation(&Notation {
    what: "a time",
    check: |text| units::duration(text).map(drop),
    pattern: "^[1-9][0-9]*(ms|s|m|h)$",
});

const COUNT: Shape = Shape::Notation(&Notation {
    what: "a whole number",
    check: |text| units::count(text).map(drop),
    pattern: "^(0|[1-9][0-9]*)$",
});

const MOMENT: Shape = Shape::Notation(&Notation {
    what: "a date or a time with its zone",
    check: |text| super::compile::moment(text).map(drop),
    pattern: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+(Z|[+-][0-9]{2}:[0-9]{2}))?$",
});

const DAYS: Shape = Shape::Notation(&Notation {
    what: "days of the week",
    check: |text| super::compile::days(text).map(drop),
    pattern: "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?(, *(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?)*$",
});

const HOURS: Shape = Shape::Notation(&Notation {
    what: "hours of the day",
    check: |text| super::compile::hours(text).map(drop),
    pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
});

const ZONE: Shape = Shape::Notation(&Notation {
    what: "a time zone that is known here",
    check: |text| super::compile::zone(text).map(drop),
    pattern: "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
});

const BIND: Shape = Shape::Notation(&Notation {
    what: "an address to listen on",
    check: |text| super::compile::bind(text).map(drop),
    pattern: "^(systemd|.+:[0-9]+)$",
});

const ACCOUNT: Shape = Shape::Notation(&Notation {
    what: "a name or number of this host",
    check: super::compile::is_account,
    pattern: "^[^:]+$",
});

const HEADER: Shape = Shape::Notation(&Notation {
    what: "a header for tokens",
    check: |text| super::compile::header(text).map(drop),
    pattern: "^[Xx]-[A-Za-z0-9-]+$",
});

/// The whole file, and each file that it includes.
pub(super) const FILE: Section = Section {
    what: "the file",
    keys: &[
        KeyShape::new("version", VERSION, "1, the version of this format"),
        KeyShape::new("include", TEXTS, "more files with the same keys; the last part may hold *"),
        KeyShape::new("listen", Shape::List(&Shape::Section(&LISTEN)), "where clients come in"),
        KeyShape::new("daemon", Shape::Section(&DAEMON), "the Docker daemon behind"),
        KeyShape::new("audit", Shape::Section(&AUDIT), "the log of decisions"),
        KeyShape::new("front", Shape::Section(&FRONT), "limits before and after authentication"),
        KeyShape::new(
            "tokens",
            Shape::Section(&TOKENS),
            "ID tokens of CI jobs, a second proof beside the certificate",
        ),
        KeyShape::new(
            "control",
            Shape::Section(&CONTROL),
            "the gate's own socket, for root on its host",
        ),
        KeyShape::new("identities", Shape::List(&Shape::Section(&IDENTITY)), "who is who"),
        KeyShape::new("roles", Shape::Named(&Shape::Section(&ROLE)), "what they may, by name"),
        KeyShape::new(
            "admission",
            Shape::Named(&Shape::Section(&profile::PROFILE)),
            "what a body may ask for, by name",
        ),
    ],
};

const LISTEN: Section = Section {
    what: "an entry of listen",
    keys: &[
        KeyShape::new("tls", BIND, "an address such as 0.0.0.0:2376, or systemd; this or unix"),
        KeyShape::new("certificate", Shape::Text, "the server's certificate chain, PEM"),
        KeyShape::new("key", Shape::Text, "its private key, PEM"),
        KeyShape::new(
            "client_ca",
            Shape::Text,
            "the authority that signs client certificates, PEM",
        ),
        KeyShape::new(
            "crl",
            Shape::Text,
            "what the authorities of client_ca have revoked, a list of each, PEM",
        ),
        KeyShape::new(
            "danger_accept_expired_crl",
            Shape::Flag,
            "whether a revocation list still counts when it has ended; left out: nobody comes in",
        ),
        KeyShape::new(
            "deny",
            Shape::Text,
            "a file of serials, certificates and keys that are refused, one a line",
        ),
        KeyShape::new(
            "tls_min",
            Shape::Word(&["1.2", "1.3"]),
            "the oldest TLS version; left out: 1.3",
        ),
        KeyShape::new(
            "unix",
            Shape::Text,
            "the path of a socket, or systemd: clients are users of this host, known by uid and gid",
        ),
        KeyShape::new(
            "mode",
            Shape::Quoted,
            "the socket's mode, nothing for others; left out: \"0660\"",
        ),
        KeyShape::new("group", ACCOUNT, "the socket's group; left out: the gate's own"),
        KeyShape::new("identities", TEXTS, "which identities may come in here; left out: all"),
    ],
};

const DAEMON: Section = Section {
    what: "daemon",
    keys: &[
        KeyShape::required("socket", Shape::Text, "the daemon's socket, such as /run/docker.sock"),
        KeyShape::new(
            "api_min",
            Shape::Quoted,
            "the oldest API version, \"1.24\" to \"1.56\"; left out: \"1.38\"",
        ),
    ],
};

const AUDIT: Section = Section {
    what: "audit",
    keys: &[KeyShape::required("directory", Shape::Text, "where the log is written")],
};

const CONTROL: Section = Section {
    what: "control",
    keys: &[KeyShape::required(
        "socket",
        Shape::Text,
        "where it is made, such as /run/dockward/control.sock",
    )],
};

const FRONT: Section = Section {
    what: "front",
    keys: &[
        KeyShape::new("connections", COUNT, "connections in all; left out: 1024"),
        KeyShape::new(
            "connections_per_address",
            COUNT,
            "connections of one address; left out: 128",
        ),
        KeyShape::new(
            "connections_per_identity",
            COUNT,
            "connections of one identity; left out: 64",
        ),
        KeyShape::new("streams_per_identity", COUNT, "open streams of one identity; left out: 128"),
        KeyShape::new("body_max", SIZE, "the largest body that is inspected; left out: 4MiB"),
        KeyShape::new(
            "bodies_total",
            SIZE,
            "all inspected bodies in hand, beyond the first 8KiB of each; left out: 64MiB",
        ),
        KeyShape::new("head_max", SIZE, "the largest request head; left out: 64KiB"),
        KeyShape::new("headers_max", COUNT, "headers of a request; left out: 64"),
        KeyShape::new("handshake_timeout", DURATION, "for the TLS handshake; left out: 10s"),
        KeyShape::new(
            "idle_timeout",
            DURATION,
            "for a connection between two requests; left out: 10m",
        ),
        KeyShape::new("head_timeout", DURATION, "for a request head; left out: 10s"),
        KeyShape::new("body_timeout", DURATION, "for an inspected body; left out: 30s"),
    ],
};

const TOKENS: Section = Section {
    what: "tokens",
    keys: &[
        KeyShape::new(
            "header",
            HEADER,
            "the header that holds the token; left out: X-Dockward-Token",
        ),
        KeyShape::required(
            "issuers",
            Shape::List(&Shape::Section(&ISSUER)),
            "whose tokens count, each with its keys",
        ),
    ],
};

const ISSUER: Section = Section {
    what: "an entry of issuers",
    keys: &[
        KeyShape::required("issuer", Shape::Text, "the token's iss, exactly, an https:// address"),
        KeyShape::required("audience", Shape::Text, "what the token's aud must name: this gate"),
        KeyShape::required("keys", Shape::Text, "a file of the issuer's keys, a JWK set"),
        KeyShape::new("log", TEXTS, "claims that are kept in the log; left out: sub"),
    ],
};

const IDENTITY: Section = Section {
    what: "an entry of identities",
    keys: &[
        KeyShape::required(
            "name",
            Shape::Text,
            "the name; {1} is what the first * of match caught",
        ),
        KeyShape::required(
            "match",
            Shape::Section(&MATCH),
            "conditions on the certificate, and on a token besides, or on the user at a Unix socket; all must hold",
        ),
        KeyShape::required("roles", TEXTS, "the roles held, tried in this order"),
        KeyShape::new(
            "mode",
            Shape::Word(&["enforce", "observe"]),
            "observe: let through and record what would be denied",
        ),
        KeyShape::new("until", MOMENT, "when observing ends, 30 days from now at most"),
        KeyShape::new(
            "danger_observe_root",
            Shape::Flag,
            "let even root on the host through while observing",
        ),
        KeyShape::new(
            "valid",
            Shape::Section(&VALID),
            "when it may come in; outside it is refused as if unknown",
        ),
    ],
};

const VALID: Section = Section {
    what: "valid",
    keys: &[
        KeyShape::new(
            "days",
            Shape::Either(&DAYS, &Shape::List(&DAYS)),
            "days of the week, such as mon-fri or [sat, sun]; left out: every day",
        ),
        KeyShape::new(
            "hours",
            HOURS,
            "by the wall clock, such as 08:00-18:00; over midnight they belong to the day they begin on",
        ),
        KeyShape::new(
            "zone",
            ZONE,
            "the wall clock's IANA zone, such as Europe/Berlin; left out: UTC",
        ),
        KeyShape::new("until", MOMENT, "the end; a date is its first moment in the zone"),
    ],
};

const MATCH: Section = Section {
    what: "match",
    keys: &[
        KeyShape::new("uri", Shape::Text, "URI subject alternative name"),
        KeyShape::new("dns", Shape::Text, "DNS subject alternative name"),
        KeyShape::new("email", Shape::Text, "email subject alternative name"),
        KeyShape::new("cn", Shape::Text, "common name"),
        KeyShape::new("ou", Shape::Text, "organisational unit"),
        KeyShape::new("fingerprint", Shape::Text, "sha256: and 64 hexadecimal digits"),
        KeyShape::new("uid", ACCOUNT, "the user at a Unix socket, by name or number"),
        KeyShape::new("gid", ACCOUNT, "a group of the user at a Unix socket, by name or number"),
        KeyShape::new(
            "token",
            Shape::Named(&Shape::Text),
            "claims of a token that is asked for besides; {1} is what the certificate's first * caught",
        ),
    ],
};

const VERBS: Shape = Shape::Named(&TEXTS);

const ROLE: Section = Section {
    what: "a role",
    keys: &[
        KeyShape::new("extends", Shape::Text, "the role that this one builds on"),
        KeyShape::new("scope", Shape::Word(&["any"]), "whose objects; only any is known"),
        KeyShape::new(
            "admission",
            Shape::Text,
            "a profile of admission, baseline, restricted or unrestricted; left out: restricted",
        ),
        KeyShape::new("allow", VERBS, "verbs by resource"),
        KeyShape::new("deny", VERBS, "verbs by resource that no other role can allow"),
        KeyShape::new(
            "images",
            Shape::Section(&IMAGES),
            "images by what is done with them; left out: none",
        ),
    ],
};

const IMAGES: Section = Section {
    what: "images",
    keys: &[
        KeyShape::new(
            "run",
            TEXTS,
            "patterns of images that may be run, by where they came from; local:NAME trusts a name here",
        ),
        KeyShape::new("pull", TEXTS, "patterns of images that may be pulled"),
        KeyShape::new("push", TEXTS, "patterns of images that may be pushed"),
        KeyShape::new("write", TEXTS, "patterns of names that may be given to images on this host"),
    ],
};
