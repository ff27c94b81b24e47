//! Every key of the policy file, in one table. A key that is not here is an error, so that what a
//! later version will understand is never accepted and ignored by this one.

mod profile;

pub(super) use profile::fill;

use super::front::FRONT;
use super::shape::{Notation, Section, Shape, key, required};
use super::{compile, units};

const TEXT: Shape = Shape::Text;
const TEXTS: Shape = Shape::List(&TEXT);
const FLAG: Shape = Shape::Flag;

/// Scalars in a notation of their own: what each is, what reads it, and the same as a regular expression.
macro_rules! notations {
    ($( $name:ident = $what:literal, $read:expr, $pattern:literal; )*) => {
        $( pub(super) const $name: Shape = Shape::Notation(&Notation {
            what: $what,
            check: |text| $read(text).map(drop),
            pattern: $pattern,
        }); )*
    };
}
use notations;

notations! {
    VERSION = "a version of this format that is known", version, "^1$";
    SIZE = "a size", units::size, "^(0|[1-9][0-9]*)([KMGT]i)?B?$";
    DURATION = "a time", units::duration, "^[1-9][0-9]*(ms|s|m|h)$";
    COUNT = "a whole number", units::count, "^(0|[1-9][0-9]*)$";
    CPUS = "a number of CPUs", units::cpus, r"^(0|[1-9][0-9]*)(\.[0-9]{1,9})?$";
    RATE = "a number in a second", units::rate, "^[1-9][0-9]*/s$";
    MOMENT = "a date or a time with its zone", compile::moment,
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.+(Z|[+-][0-9]{2}:[0-9]{2}))?$";
    DAYS = "days of the week", compile::days,
        "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?(, *(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?)*$";
    HOURS = "hours of the day", compile::hours,
        "^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$";
    ZONE = "a time zone that is known here", compile::zone,
        "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$";
    BIND = "an address to listen on", compile::bind, "^(systemd|.+:[0-9]+)$";
    ACCOUNT = "a name or number of this host", compile::is_account, "^[^:]+$";
    HEADER = "a header for tokens", compile::header, "^[Xx]-[A-Za-z0-9-]+$";
}

fn version(text: &str) -> Result<(), String> {
    if text == "1" { Ok(()) } else { Err("write 1".into()) }
}

/// The whole file, and each file that it includes.
pub(super) const FILE: Section = Section {
    what: "the file",
    keys: &[
        key("version", VERSION, "1, the version of this format"),
        key("include", TEXTS, "more files with the same keys; the last part may hold *"),
        key("contact", TEXT, "whom to ask, told at the end of what roles and limits refuse"),
        key("listen", Shape::List(&Shape::Section(&LISTEN)), "where clients come in"),
        key("daemon", Shape::Section(&DAEMON), "the Docker daemon behind"),
        key("audit", Shape::Section(&AUDIT), "the log of decisions"),
        key("front", Shape::Section(&FRONT), "limits before and after authentication"),
        key(
            "tokens",
            Shape::Section(&TOKENS),
            "ID tokens of CI jobs, a second proof beside the certificate",
        ),
        key("control", Shape::Section(&CONTROL), "the gate's own socket, for root on its host"),
        key("identities", Shape::List(&Shape::Section(&IDENTITY)), "who is who"),
        key("roles", Shape::Named(&Shape::Section(&ROLE)), "what they may, by name"),
        key(
            "admission",
            Shape::Named(&Shape::Section(&profile::PROFILE)),
            "what a body may ask for, by name",
        ),
        key(
            "limits",
            Shape::Named(&Shape::Section(&LIMITS)),
            "what identities may have at once, by name",
        ),
        key(
            "adopt",
            Shape::List(&Shape::Section(&ADOPTION)),
            "who owns what was there before the gate, or is made beside it",
        ),
    ],
};

const LISTEN: Section = Section {
    what: "an entry of listen",
    keys: &[
        key("tls", BIND, "an address such as 0.0.0.0:2376, or systemd; this or unix"),
        key("certificate", TEXT, "the server's certificate chain, PEM"),
        key("key", TEXT, "its private key, PEM"),
        key("client_ca", TEXT, "the authority that signs client certificates, PEM"),
        key("crl", TEXT, "what the authorities of client_ca have revoked, a list of each, PEM"),
        key(
            "danger_accept_expired_crl",
            FLAG,
            "whether a revocation list still counts when it has ended; left out: nobody comes in",
        ),
        key("deny", TEXT, "a file of serials, certificates and keys that are refused, one a line"),
        key("tls_min", Shape::Word(&["1.2", "1.3"]), "the oldest TLS version; left out: 1.3"),
        key(
            "unix",
            TEXT,
            "the path of a socket, or systemd: clients are users of this host, known by uid and gid",
        ),
        key("mode", Shape::Quoted, "the socket's mode, nothing for others; left out: \"0660\""),
        key("group", ACCOUNT, "the socket's group; left out: the gate's own"),
        key("identities", TEXTS, "which identities may come in here; left out: all"),
    ],
};

const DAEMON: Section = Section {
    what: "daemon",
    keys: &[
        required("socket", TEXT, "the daemon's socket, such as /run/docker.sock"),
        key(
            "api_min",
            Shape::Quoted,
            "the oldest API version, \"1.24\" to \"1.56\"; left out: \"1.38\"",
        ),
    ],
};

const AUDIT: Section =
    Section { what: "audit", keys: &[required("directory", TEXT, "where the log is written")] };

const CONTROL: Section = Section {
    what: "control",
    keys: &[required("socket", TEXT, "where it is made, such as /run/dockward/control.sock")],
};

const TOKENS: Section = Section {
    what: "tokens",
    keys: &[
        key("header", HEADER, "the header that holds the token; left out: X-Dockward-Token"),
        required(
            "issuers",
            Shape::List(&Shape::Section(&ISSUER)),
            "whose tokens count, each with its keys",
        ),
    ],
};

const ISSUER: Section = Section {
    what: "an entry of issuers",
    keys: &[
        required("issuer", TEXT, "the token's iss, exactly, an https:// address"),
        required("audience", TEXT, "what the token's aud must name: this gate"),
        required("keys", TEXT, "a file of the issuer's keys, a JWK set"),
        key("log", TEXTS, "claims that are kept in the log; left out: sub"),
    ],
};

const IDENTITY: Section = Section {
    what: "an entry of identities",
    keys: &[
        required("name", TEXT, "the name; {1} is what the first * of match caught"),
        required(
            "match",
            Shape::Section(&MATCH),
            "conditions on the certificate, and on a token besides, or on the user at a Unix socket; all must hold",
        ),
        required("roles", TEXTS, "the roles held, tried in this order"),
        key(
            "owner",
            TEXT,
            "as whom it owns what it makes, a team such as team-shop; left out: as itself",
        ),
        key(
            "limits",
            TEXT,
            "how much it, or all who own as it does, may have at once; left out: no limit",
        ),
        key("sees", TEXTS, "owners whose objects it sees besides, as far as its roles share"),
        key(
            "mode",
            Shape::Word(&["enforce", "observe"]),
            "observe: let through and record what would be denied",
        ),
        key("until", MOMENT, "when observing ends, 30 days from now at most"),
        key("danger_observe_root", FLAG, "let even root on the host through while observing"),
        key(
            "valid",
            Shape::Section(&VALID),
            "when it may come in; outside it is refused as if unknown",
        ),
    ],
};

const VALID: Section = Section {
    what: "valid",
    keys: &[
        key(
            "days",
            Shape::Either(&DAYS, &Shape::List(&DAYS)),
            "days of the week, such as mon-fri or [sat, sun]; left out: every day",
        ),
        key(
            "hours",
            HOURS,
            "by the wall clock, such as 08:00-18:00; over midnight they belong to the day they begin on",
        ),
        key("zone", ZONE, "the wall clock's IANA zone, such as Europe/Berlin; left out: UTC"),
        key("until", MOMENT, "the end; a date is its first moment in the zone"),
    ],
};

const MATCH: Section = Section {
    what: "match",
    keys: &[
        key("uri", TEXT, "URI subject alternative name"),
        key("dns", TEXT, "DNS subject alternative name"),
        key("email", TEXT, "email subject alternative name"),
        key("cn", TEXT, "common name"),
        key("ou", TEXT, "organisational unit"),
        key("fingerprint", TEXT, "sha256: and 64 hexadecimal digits"),
        key("uid", ACCOUNT, "the user at a Unix socket, by name or number"),
        key("gid", ACCOUNT, "a group of the user at a Unix socket, by name or number"),
        key(
            "token",
            Shape::Named(&TEXT),
            "claims of a token that is asked for besides; {1} is what the certificate's first * caught",
        ),
    ],
};

const VERBS: Shape = Shape::Named(&TEXTS);

const ROLE: Section = Section {
    what: "a role",
    keys: &[
        key("extends", TEXT, "the role that this one builds on"),
        key(
            "scope",
            Shape::Either(&SCOPE, &Shape::Section(&SCOPES)),
            "whose objects: own is what the identity has made, team what its owner owns, any is all; one for all kinds, or by kind",
        ),
        key("shared", VERBS, "verbs by resource, of objects whose owners the identity sees"),
        key(
            "only",
            Shape::Section(&ONLY),
            "of the containers and services in scope, those that bear these labels",
        ),
        key(
            "network",
            Shape::Either(&Shape::Word(&["own", "daemon"]), &Shape::Section(&BRIDGE)),
            "own: a bridge of the owner's own in the place of the daemon's default one, made on first use; left out: the daemon's",
        ),
        key("unknown", Shape::Word(&["refuse", "drop"]), "keys that no daemon reads"),
        key(
            "own_as",
            Shape::Word(&["keep"]),
            "keep: what is made anew keeps the owner that its labels name; for updaters",
        ),
        key(
            "admission",
            TEXT,
            "a profile of admission, baseline, restricted or unrestricted; left out: restricted",
        ),
        key("allow", VERBS, "verbs by resource"),
        key("deny", VERBS, "verbs by resource that no other role can allow"),
        key("images", Shape::Section(&IMAGES), "images by what is done with them; left out: none"),
        key(
            "delete",
            Shape::Section(&DELETE),
            "how containers may be deleted; left out: in every way",
        ),
        key(
            "exec",
            Shape::Section(&EXEC),
            "how something may be run in containers; left out: in every way that admission has",
        ),
    ],
};

const LIMITS: Section = Section {
    what: "limits",
    keys: &[
        key("containers", COUNT, "containers, running or not"),
        key("running", COUNT, "containers that run"),
        key(
            "memory",
            SIZE,
            "memory of containers that run, such as 64GiB; one without a bound takes all",
        ),
        key("cpus", CPUS, "CPUs of containers that run, such as 16; one without a bound takes all"),
        key("pids", COUNT, "processes of containers that run; one without a bound has all"),
        key("ports", COUNT, "ports of the host that running containers publish"),
        key("volumes", COUNT, "volumes"),
        key("networks", COUNT, "networks"),
        key("requests", RATE, "requests in a second, such as 50/s"),
        key("streams", COUNT, "requests and sessions at once"),
        key("connections", COUNT, "connections at once"),
        key("execs", COUNT, "sessions of execs at once"),
        key("builds", COUNT, "builds at once"),
    ],
};

const BRIDGE: Section = Section {
    what: "network",
    keys: &[required(
        "external",
        FLAG,
        "whether what is outside of the bridge of one's own is reached",
    )],
};

const SCOPE: Shape = Shape::Word(&["own", "team", "any"]);

const SCOPES: Section = Section {
    what: "scope",
    keys: &[
        key("container", SCOPE, "containers, and execs in them"),
        key(
            "image",
            SCOPE,
            "images that are built, committed and imported; those that are pulled are nobody's",
        ),
        key("volume", SCOPE, "volumes"),
        key("network", SCOPE, "networks"),
        key("service", SCOPE, "services, and their tasks"),
        key("secret", SCOPE, "secrets"),
        key("config", SCOPE, "configs"),
    ],
};

const LABELS: Shape = Shape::Named(&TEXT);

const ONLY: Section = Section {
    what: "only",
    keys: &[required("labels", LABELS, "labels with patterns of their values")],
};

const ADOPTION: Section = Section {
    what: "an entry of adopt",
    keys: &[
        required("owner", TEXT, "the owner"),
        key("labels", LABELS, "labels that it bears, with patterns of their values"),
        key("containers", TEXTS, "patterns of names of containers"),
        key("volumes", TEXTS, "patterns of names of volumes"),
        key("networks", TEXTS, "patterns of names of networks"),
        key("services", TEXTS, "patterns of names of services"),
    ],
};

const DELETE: Section = Section {
    what: "delete",
    keys: &[
        key("force", FLAG, "whether one may be deleted that runs"),
        key("volumes", FLAG, "whether its anonymous volumes may go along"),
        key("link", FLAG, "whether links may be deleted"),
    ],
};

const EXEC: Section = Section {
    what: "exec",
    keys: &[
        key(
            "users",
            TEXTS,
            "users as they are written, image for the container's own; left out: any, beside commands image",
        ),
        key(
            "commands",
            TEXTS,
            "commands, word by word: * is any run in one word but /, ** any, {rest} at the end any words; left out: any",
        ),
        key(
            "env",
            TEXTS,
            "patterns of variables that may be set; left out: any, beside commands none",
        ),
        key(
            "working_dir",
            TEXTS,
            "patterns of directories that it may begin in; left out: any, beside commands the container's own",
        ),
        key("stdin", FLAG, "whether it may be spoken to; left out: yes, beside commands no"),
        key("tty", FLAG, "whether it may have a terminal; left out: yes, beside commands no"),
        key("privileged", FLAG, "whether it may be privileged; left out: no"),
    ],
};

const IMAGES: Section = Section {
    what: "images",
    keys: &[
        key(
            "run",
            TEXTS,
            "patterns of images that may be run, by where they came from; local:NAME trusts a name here",
        ),
        key("pull", TEXTS, "patterns of images that may be pulled"),
        key("push", TEXTS, "patterns of images that may be pushed"),
        key("write", TEXTS, "patterns of names that may be given to images on this host"),
    ],
};
