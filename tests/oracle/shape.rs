//! The shape of each body, as the oracle lists it from its own structs, and valid documents of it.

use crate::dice::Dice;
use crate::document::{Node, quoted};
use std::collections::BTreeMap;

/// What belongs at a place of a body.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Object(Vec<(String, Shape)>),
    Array(Box<Shape>),
    Map(Box<Shape>),
    /// A list of strings, or one string for a list of it.
    Words,
    Text,
    Base64,
    Bool,
    True,
    Ratio,
    /// An integer between these.
    Int(i128, i128),
}

/// The shapes by operation, from the lines `operation path type`.
pub(crate) fn shapes(listed: &str) -> BTreeMap<String, Shape> {
    let mut places: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for line in listed.lines() {
        let [operation, path, kind] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        places.entry(operation).or_default().push((path, kind));
    }
    let shape = |(operation, places): (&str, Vec<_>)| {
        let (root, kind) = places[0];
        assert_eq!(root, ".", "{operation}");
        (operation.to_owned(), shape(kind, "", &places))
    };
    places.into_iter().map(shape).collect()
}

fn shape(kind: &str, at: &str, places: &[(&str, &str)]) -> Shape {
    let below = |step: &str| {
        let path = format!("{at}{step}");
        let (_, kind) = places.iter().find(|(p, _)| *p == path).unwrap_or_else(|| panic!("{path}"));
        Box::new(shape(kind, &path, places))
    };
    match kind {
        "object" => {
            let prefix = if at.is_empty() { String::new() } else { format!("{at}.") };
            let field = |(path, kind): &(&str, &str)| {
                let key = path.strip_prefix(&prefix)?;
                // The keys of a platform have dots in them.
                let own = key.starts_with("os.")
                    || !key.is_empty() && key != "." && !key.contains(['.', '[', '{']);
                own.then(|| (key.to_owned(), shape(kind, path, places)))
            };
            Shape::Object(places.iter().filter_map(field).collect())
        }
        "array" => Shape::Array(below("[]")),
        "map" => Shape::Map(below("{}")),
        // Which keys there are follows from the route: see `filtered`.
        "filters" => Shape::Object(Vec::new()),
        "words" => Shape::Words,
        "text" => Shape::Text,
        "base64" => Shape::Base64,
        "bool" => Shape::Bool,
        "float32" => Shape::Ratio,
        "int" | "int64" => Shape::Int(i64::MIN.into(), i64::MAX.into()),
        "uint" | "uint64" => Shape::Int(0, u64::MAX.into()),
        "uint32" => Shape::Int(0, u32::MAX.into()),
        "uint16" => Shape::Int(0, u16::MAX.into()),
        _ => panic!("{at}: {kind}"),
    }
}

/// The shape of filters by these keys: lists, or objects of what is on.
pub(crate) fn filtered(keys: &[&str]) -> Shape {
    let lists = keys.iter().map(|key| (*key, Shape::Array(Box::new(Shape::Text))));
    let sets = keys.iter().map(|key| (*key, Shape::Map(Box::new(Shape::True))));
    Shape::Object(lists.chain(sets).map(|(key, shape)| (key.to_owned(), shape)).collect())
}

impl Shape {
    /// Every key of every object, once for each.
    pub(crate) fn keys(&self, found: &mut Vec<String>) {
        match self {
            Self::Object(fields) => {
                for (key, shape) in fields {
                    found.push(key.clone());
                    shape.keys(found);
                }
            }
            Self::Array(inner) | Self::Map(inner) => inner.keys(found),
            _ => {}
        }
    }

    /// Whether the path, as the fixture writes it, is a place of this shape; Go takes a key in any case.
    pub(crate) fn has(&self, path: &str) -> bool {
        let (step, rest) = match self {
            _ if path.is_empty() => return true,
            Self::Array(inner) => return path.strip_prefix("[]").is_some_and(|p| inner.has(p)),
            Self::Map(inner) => return path.strip_prefix("{}").is_some_and(|p| inner.has(p)),
            Self::Object(_) => {
                let path = path.strip_prefix('.').unwrap_or(path);
                path.split_at(path.find(['.', '[', '{']).unwrap_or(path.len()))
            }
            _ => return false,
        };
        matches!(self, Self::Object(fields) if fields.iter().any(|(key, s)| key.eq_ignore_ascii_case(step) && s.has(rest)))
    }

    const fn is_leaf(&self) -> bool {
        !matches!(self, Self::Object(_) | Self::Array(_) | Self::Map(_))
    }

    /// A value that belongs here.
    pub(crate) fn valid(&self, dice: &mut Dice) -> Node {
        match self {
            Self::Object(fields) => {
                let mut entries: Vec<(Vec<u8>, Node)> = Vec::new();
                for _ in 0..dice.below(7).min(fields.len()) {
                    let mut field = &fields[dice.below(fields.len())];
                    if field.1.is_leaf() && dice.one_in(2) {
                        // A second try, so that what has something in it is met more often.
                        field = &fields[dice.below(fields.len())];
                    }
                    let (key, shape) = field;
                    let key = quoted(key);
                    if entries.iter().all(|(other, _)| *other != key) {
                        entries.push((key, shape.valid_or_null(dice)));
                    }
                }
                Node::Object(entries)
            }
            Self::Array(inner) => {
                let items = (0..dice.below(4)).map(|_| inner.valid(dice));
                Node::Array(items.collect())
            }
            Self::Map(inner) => {
                let mut entries: Vec<(Vec<u8>, Node)> = Vec::new();
                for _ in 0..dice.below(4) {
                    let key = text(dice);
                    if entries.iter().all(|(other, _)| *other != key) {
                        entries.push((key, inner.valid(dice)));
                    }
                }
                Node::Object(entries)
            }
            Self::Words if dice.one_in(4) => Node::Scalar(text(dice)),
            Self::Words => {
                Node::Array((0..dice.below(4)).map(|_| Node::Scalar(text(dice))).collect())
            }
            Self::Text => Node::Scalar(text(dice)),
            Self::Base64 => {
                Node::text(dice.of(&["", "aGVsbG8=", "AA==", "bGluZQ\n==", "no base64"]))
            }
            Self::Bool => Node::raw(dice.of(&["true", "false"])),
            Self::True => Node::raw("true"),
            Self::Ratio => Node::Scalar(ratio(dice).into_bytes()),
            Self::Int(least, most) => {
                let candidates = [0, 1, 2, 7, -1, 512, 1 << 20, *least, *most];
                let n = candidates[dice.below(candidates.len())].clamp(*least, *most);
                Node::Scalar(n.to_string().into_bytes())
            }
        }
    }

    fn valid_or_null(&self, dice: &mut Dice) -> Node {
        if dice.one_in(16) { Node::raw("null") } else { self.valid(dice) }
    }
}

/// Strings that mean something to the daemon, or to a parser.
const TEXTS: &[&str] = &[
    "",
    "a",
    "busybox",
    "/",
    "/:/host",
    "host",
    "container:web",
    "80/tcp",
    "80/TCP",
    "front",
    "Front",
    "null",
    "com.example.key",
    "Type",
    "type",
    "A=b",
    "\u{17f}",
    "\u{212a}",
    "s",
    "k",
    "é\u{301}",
    "\u{1f433}",
    "\u{2028}\u{2029}",
    "\u{fffd}",
    "\u{feff}",
    "a\0b",
    "\u{7f}\u{80}",
    "\"\\/\u{8}\u{c}\n\r\t",
    "<script>&",
];

/// A string as written, now and then with escapes where none are needed.
pub(crate) fn text(dice: &mut Dice) -> Vec<u8> {
    let text = dice.of(TEXTS);
    if dice.one_in(5) { escaped(text, dice) } else { quoted(text) }
}

/// A string with some or all characters as `\u`.
pub(crate) fn escaped(text: &str, dice: &mut Dice) -> Vec<u8> {
    let all = dice.one_in(2);
    let mut out = vec![b'"'];
    for c in text.chars() {
        if all || dice.one_in(3) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let escape = format!("{unit:04x}");
                let escape = if dice.one_in(2) { escape.to_uppercase() } else { escape };
                out.extend_from_slice(format!("\\u{escape}").as_bytes());
            }
        } else if c == '/' && dice.one_in(2) {
            out.extend_from_slice(b"\\/");
        } else {
            let plain = quoted(&c.to_string());
            out.extend_from_slice(&plain[1..plain.len() - 1]);
        }
    }
    out.push(b'"');
    out
}

/// A number for a `float32`: plain, with many digits, or just beside the middle of two neighbours,
/// where rounding once and rounding twice differ.
fn ratio(dice: &mut Dice) -> String {
    let digits = |dice: &mut Dice| format!("{}", dice.bits());
    match dice.below(8) {
        0 => "0".to_owned(),
        1 => dice
            .of(&["0.5", "1", "0.25", "1e-3", "-0", "-1.5", "1E2", "16777217", "0.0"])
            .to_owned(),
        2 => format!("0.{}", digits(dice)),
        3 => format!("0.{}{}", digits(dice), digits(dice)),
        4 => format!("{}.{}e-{}", dice.below(10), digits(dice), dice.below(60)),
        5 => format!("{}e{}", digits(dice), dice.below(24)),
        _ => {
            let bits = 0x3000_0000 + dice.below(0x0f80_0000) as u32;
            let (one, next) = (f32::from_bits(bits), f32::from_bits(bits + 1));
            // The middle has an exact spelling; a digit after it lies above.
            let middle = f64::midpoint(one.into(), next.into());
            format!("{middle:.60}{}", dice.of(&["", "1", "0000000001"]))
        }
    }
}
