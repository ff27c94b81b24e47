//! Bodies that cost the most of what is taken: as many values, keys, objects, escapes as there may be, each near a
//! bound, and beside some of them what lies beyond it.

use std::fmt::Write as _;

/// The most bytes of a body.
const MOST: usize = 4 << 20;
const CREATE: &str = "/v1.41/containers/create";

/// One kind of body.
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    pub target: &'static str,
    pub body: fn() -> String,
    /// What may come of it, of who may do little and who may do everything.
    pub answers: &'static [u16],
}

/// All of them.
pub const SHAPES: [Shape; 16] = [
    create(
        "labels, as many as there may be",
        || create_with("Labels", &keys(16_384, r#""""#)),
        &[201],
    ),
    create(
        "more labels than there may be",
        || create_with("Labels", &keys(290_000, r#""""#)),
        &[400],
    ),
    create("ports, as many as there may be", ports, &[201, 403]),
    create("a million small values", || format!("[{}0]", "0,".repeat(MOST / 2 - 8)), &[400]),
    create("one long text", || create_with("Hostname", &text("x", 3 << 20)), &[201, 400, 403]),
    create(
        "one text of escapes",
        || create_with("Hostname", &text(r"\n", (2 << 20) - 64)),
        &[201, 400, 403],
    ),
    create(
        "one text of long escapes",
        || create_with("Hostname", &text(r"\u20ac", 600_000)),
        &[201, 400, 403],
    ),
    create(
        "a long environment of escapes",
        || create_with("Env", &list(16_384, r#""A\n=1234567890""#)),
        &[201],
    ),
    create("keys of escapes", || create_with("Labels", &escaped_keys(16_384)), &[201, 403]),
    create(
        "mounts, as many as there may be",
        || host_with("Mounts", &list(1024, "{}")),
        &[201, 400, 403],
    ),
    create("more mounts than there may be", || host_with("Mounts", &list(16_000, "{}")), &[400]),
    create(
        "binds of the host",
        || host_with("Binds", &list(16_384, r#""/proc/1:/a""#)),
        &[201, 403],
    ),
    create("keys that nobody knows and that say nothing", unknown, &[201]),
    create(
        "nothing but space",
        || format!("{}{}", r#"{"Image":"busybox"}"#, " ".repeat(MOST - 64)),
        &[201],
    ),
    Shape {
        name: "a long secret",
        target: "/v1.41/secrets/create",
        body: || format!(r#"{{"Name":"s","Data":{}}}"#, text("QUJD", 1_000_000)),
        answers: &[201, 403],
    },
    Shape {
        name: "a long command",
        target: "/v1.41/containers/1/exec",
        body: || format!(r#"{{"Cmd":{}}}"#, list(16_384, r#""--password=x -p y""#)),
        answers: &[201, 403],
    },
];

const fn create(name: &'static str, body: fn() -> String, answers: &'static [u16]) -> Shape {
    Shape { name, target: CREATE, body, answers }
}

fn create_with(key: &str, value: &str) -> String {
    format!(r#"{{"Image":"busybox","{key}":{value}}}"#)
}

fn host_with(key: &str, value: &str) -> String {
    create_with("HostConfig", &format!(r#"{{"{key}":{value}}}"#))
}

fn text(piece: &str, count: usize) -> String {
    format!("\"{}\"", piece.repeat(count))
}

fn list(count: usize, item: &str) -> String {
    format!("[{}]", vec![item; count].join(","))
}

fn object(count: usize, entry: impl Fn(usize, &mut String)) -> String {
    let mut text = "{".to_owned();
    for nth in 0..count {
        text.push_str(if nth == 0 { "" } else { "," });
        entry(nth, &mut text);
    }
    text + "}"
}

fn keys(count: usize, value: &str) -> String {
    object(count, |nth, text| write!(text, r#""k{nth}":{value}"#).unwrap())
}

fn escaped_keys(count: usize) -> String {
    let piece = r"\u006b".repeat(30);
    object(count, |nth, text| write!(text, r#""{piece}{nth}":"\u0061""#).unwrap())
}

fn ports() -> String {
    let exposed =
        object(16_000, |nth, text| write!(text, r#""{}/udp":{{}}"#, nth + 49_152).unwrap());
    let bound = object(16_000, |nth, text| {
        write!(text, r#""{0}/udp":[{{"HostIp":"","HostPort":"{0}"}}]"#, nth + 49_152).unwrap();
    });
    let host = format!(r#"{{"PortBindings":{bound}}}"#);
    format!(r#"{{"Image":"busybox","ExposedPorts":{exposed},"HostConfig":{host}}}"#)
}

/// Objects of keys of letters that fold to others.
fn unknown() -> String {
    let inner = object(16_000, |nth, text| write!(text, "\"\u{212a}\u{17f}{nth}\":0").unwrap());
    format!(r#"{{"Image":"busybox","HostConfig":{inner},"New":{inner}}}"#)
}
