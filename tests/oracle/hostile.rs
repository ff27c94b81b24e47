//! What is done to a valid document so that two parsers may read it differently.

use crate::dice::Dice;
use crate::document::{Document, Node, quoted, said};
use crate::shape::{Shape, escaped, text};

/// Declares [`Change`] and the list of all.
macro_rules! changes {
    ($( $(#[$doc:meta])* $change:ident, )*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Change { $( $(#[$doc])* $change, )* }

        impl Change {
            pub(crate) const ALL: &'static [Self] = &[ $( Self::$change, )* ];
        }
    };
}

changes! {
    /// A key in other letter case.
    KeyCase,
    /// `s` or `k` of a key as the character outside ASCII that folds to it.
    KeyFold,
    /// A key with escapes, which says the same.
    KeyEscape,
    /// A key with `_` or `-` in it, which a laxer comparison would skip.
    KeyDelimiter,
    /// A key a second time, with another value or null.
    KeyTwice,
    /// A key a second time in another case or spelling.
    KeyTwiceFolded,
    /// An object in two parts under one key.
    ObjectInParts,
    /// An array that is given long, short and long again.
    ArrayShrinkGrow,
    /// Null in the place of something.
    Null,
    /// A value of another type.
    Type,
    /// A number in another spelling, or out of range.
    Number,
    /// An item where a list of it was.
    Unwrap,
    /// Something empty in the place of something.
    Empty,
    /// The fields of an object one level up, as HostConfig's were taken by older engines.
    Hoist,
    /// A field of another object.
    Misplaced,
    /// A key that no body has.
    Unknown,
    /// Very deep nesting.
    Deep,
    /// Something after the value.
    Trailing,
    /// Something before it.
    Leading,
    /// Half a surrogate pair, or a whole one.
    Surrogate,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Control characters, escaped or not.
    Control,
    /// White space between all tokens.
    Blank,
    /// The text cut off.
    Cut,
    /// One byte exchanged.
    Byte,
}

/// Values that say nothing, in every way, and some that say something.
const EMPTY: &[&str] = &["null", "false", "0", "\"\"", "[]", "{}", "0.0", "-0", "0e0"];
const FULL: &[&str] = &["true", "1", "\"x\"", "[\"x\"]", "{\"x\":1}", "[[]]", "[null]", "1.5"];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "0.0",
    "-0.0",
    "0e0",
    "1.0",
    "1e3",
    "1E+2",
    "1e-1",
    "10e-1",
    "01",
    "+1",
    "1.",
    ".5",
    "0x10",
    "1_000",
    "NaN",
    "Infinity",
    "1e",
    "65535",
    "65536",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "1e-400",
    "0.1",
    "16777217.0000001",
    "123456789012345678901234567890",
    "\"1\"",
];

/// Changes the document, where it has something to change so.
pub(crate) fn change(
    change: Change,
    document: &mut Document,
    shape: &Shape,
    dice: &mut Dice,
) -> bool {
    apply(change, document, shape, dice).is_some()
}

fn apply(change: Change, document: &mut Document, shape: &Shape, dice: &mut Dice) -> Option<()> {
    let root = &mut document.root;
    match change {
        Change::KeyCase => rekey(root, dice, recased),
        Change::KeyFold => rekey(root, dice, refolded),
        Change::KeyEscape => rekey(root, dice, |key, dice| Some(escaped(key, dice))),
        Change::KeyDelimiter => rekey(root, dice, |key, dice| {
            let at = dice.below(key.len() + 1);
            let (head, tail) = key.split_at_checked(at)?;
            Some(quoted(&format!("{head}{}{tail}", dice.of(&["_", "-", ".", " ", "\0"]))))
        }),
        Change::KeyTwice => twice(root, dice, |key, _| Some(quoted(key))),
        Change::KeyTwiceFolded => twice(root, dice, |key, dice| match dice.below(3) {
            0 => Some(escaped(key, dice)),
            1 => refolded(key, dice).or_else(|| recased(key, dice)),
            _ => recased(key, dice),
        }),
        Change::ObjectInParts => in_parts(root, dice),
        Change::ArrayShrinkGrow => shrink_grow(root, dice),
        Change::Null => replace(root, dice, |_| true, |_, _| Node::raw("null")),
        Change::Type => replace(
            root,
            dice,
            |_| true,
            |old, dice| match dice.below(3) {
                0 => Node::Array(vec![old.clone()]),
                1 => Node::Object(vec![(text(dice), old.clone())]),
                _ => Node::raw(dice.of(FULL)),
            },
        ),
        Change::Number => {
            replace(root, dice, Node::is_number, |_, dice| Node::raw(dice.of(NUMBERS)))
        }
        Change::Unwrap => replace(root, dice, Node::has_items, |old, _| match old {
            Node::Array(items) => items[0].clone(),
            other => other.clone(),
        }),
        Change::Empty => replace(
            root,
            dice,
            |_| true,
            |old, dice| match (old, dice.below(3)) {
                (Node::Array(_), 1..) => Node::Array(Vec::new()),
                (Node::Object(_), 1..) => Node::Object(Vec::new()),
                (Node::Scalar(_), 1..) if old.is_text() => Node::text(""),
                _ => Node::raw(dice.of(EMPTY)),
            },
        ),
        Change::Hoist => hoist(root, dice),
        Change::Misplaced => {
            let mut keys = Vec::new();
            shape.keys(&mut keys);
            let key = keys.get(dice.below(keys.len().max(1)))?.clone();
            insert(root, dice, quoted(&key))
        }
        Change::Unknown => {
            let key =
                dice.of(&["X", "", "Unknown", "Privilege", "HostConfigs", "\u{17f}", "a.b", "0"]);
            insert(root, dice, quoted(key))
        }
        Change::Deep => {
            let depth = [2, 3, 62, 63, 64, 65, 66, 200][dice.below(8)];
            let key = dice.of(&["X", "HostConfig", "Labels"]);
            let arrays = dice.one_in(2);
            let mut deep = Node::raw(dice.of(&["{}", "[]", "null", "1"]));
            for _ in 0..depth {
                deep = if arrays {
                    Node::Array(vec![deep])
                } else {
                    Node::Object(vec![(quoted("a"), deep)])
                };
            }
            entries_of(root, dice)?.push((quoted(key), deep));
            Some(())
        }
        Change::Trailing => {
            let tails =
                ["{}", " {\"HostConfig\":{\"Privileged\":true}}", "]", "}", "null", "\0", "x", ","];
            document.after.extend_from_slice(dice.of(&tails).as_bytes());
            Some(())
        }
        Change::Leading => {
            let heads = ["\u{feff}", "\0", "//x\n", "{}", ",", " \n\t\r", "\u{a0}", "\u{c}"];
            document.before.extend_from_slice(dice.of(&heads).as_bytes());
            Some(())
        }
        Change::Surrogate => {
            let escapes = ["\\ud800", "\\udc00", "\\uD83D\\uDC33", "\\udc33\\ud83d", "\\ud800x"];
            within_text(root, dice, &escapes.map(str::as_bytes))
        }
        Change::NotUtf8 => {
            let bytes: [&[u8]; 5] =
                [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x28"];
            within_text(root, dice, &bytes)
        }
        Change::Control => {
            let bytes: [&[u8]; 7] =
                [b"\n", b"\t", b"\0", b"\x7f", b"\\u0000", b"\\n", b"\\u001f\\u007f"];
            within_text(root, dice, &bytes)
        }
        Change::Blank => {
            document.between = dice.of(&[" ", "\n", "\r\n", "\t ", " \n\t\r", "\x0b"]).into();
            document.after.extend_from_slice(b"\n");
            Some(())
        }
        // On the bytes: see `damage`.
        Change::Cut | Change::Byte => Some(()),
    }
}

/// What is done to the text as written.
pub(crate) fn damage(change: Change, bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(bytes.len().max(1));
    match change {
        Change::Cut => bytes.truncate(at),
        Change::Byte => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = if dice.one_in(2) {
                    b"{}[]\":,\\0 9-e."[dice.below(14)]
                } else {
                    *byte ^ (1 << dice.below(8))
                };
            }
        }
        _ => {}
    }
}

fn entries_of<'n>(root: &'n mut Node, dice: &mut Dice) -> Option<&'n mut Vec<(Vec<u8>, Node)>> {
    match root.pick(dice, |node| matches!(node, Node::Object(_)))? {
        Node::Object(entries) => Some(entries),
        _ => None,
    }
}

fn replace(
    root: &mut Node,
    dice: &mut Dice,
    which: impl Fn(&Node) -> bool,
    by: impl FnOnce(&Node, &mut Dice) -> Node,
) -> Option<()> {
    let node = root.pick(dice, which)?;
    *node = by(node, dice);
    Some(())
}

fn rekey(
    root: &mut Node,
    dice: &mut Dice,
    by: impl FnOnce(&str, &mut Dice) -> Option<Vec<u8>>,
) -> Option<()> {
    let entries = root.pick_entries(dice)?;
    let nth = dice.below(entries.len());
    let key = &mut entries[nth].0;
    *key = by(&said(key)?, dice)?;
    Some(())
}

/// The key in another case, where it has letters.
fn recased(key: &str, dice: &mut Dice) -> Option<Vec<u8>> {
    let flip = |c: char| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    let other = match dice.below(4) {
        0 => key.to_ascii_uppercase(),
        1 => key.to_ascii_lowercase(),
        2 => key.chars().enumerate().map(|(i, c)| if i == 0 { flip(c) } else { c }).collect(),
        _ => key.chars().map(|c| if dice.one_in(3) { flip(c) } else { c }).collect(),
    };
    (other != key).then(|| quoted(&other))
}

fn refolded(key: &str, dice: &mut Dice) -> Option<Vec<u8>> {
    let other: String = key
        .chars()
        .map(|c| match c {
            's' | 'S' => '\u{17f}',
            'k' | 'K' => '\u{212a}',
            // Folds to i in Turkish, and nowhere in Go.
            'i' | 'I' if dice.one_in(8) => '\u{131}',
            c => c,
        })
        .collect();
    (other != key).then(|| if dice.one_in(2) { quoted(&other) } else { escaped(&other, dice) })
}

fn twice(
    root: &mut Node,
    dice: &mut Dice,
    spelled: impl FnOnce(&str, &mut Dice) -> Option<Vec<u8>>,
) -> Option<()> {
    let entries = root.pick_entries(dice)?;
    let nth = dice.below(entries.len());
    let (key, value) = &entries[nth];
    let key = spelled(&said(key)?, dice)?;
    let value = match dice.below(4) {
        0 => Node::raw("null"),
        1 => Node::raw(dice.of(FULL)),
        2 => match value {
            Node::Scalar(text) if text == b"true" => Node::raw("false"),
            Node::Scalar(text) if text == b"false" => Node::raw("true"),
            Node::Scalar(_) if value.is_text() => Node::text("/:/host"),
            Node::Scalar(_) => Node::raw("1"),
            Node::Array(_) => Node::Array(Vec::new()),
            Node::Object(_) => Node::Object(Vec::new()),
        },
        _ => value.clone(),
    };
    let at = dice.below(entries.len() + 1);
    entries.insert(at, (key, value));
    Some(())
}

fn in_parts(root: &mut Node, dice: &mut Dice) -> Option<()> {
    let parent = |node: &Node| match node {
        Node::Object(entries) => entries.iter().any(|(_, value)| value.has_entries()),
        _ => false,
    };
    let Node::Object(entries) = root.pick(dice, parent)? else { return None };
    let nth = entries.iter().position(|(_, value)| value.has_entries())?;
    let (key, Node::Object(inner)) = &mut entries[nth] else { return None };
    let (key, second) = (key.clone(), inner.split_off(dice.below(inner.len())));
    entries.push((key, Node::Object(second)));
    Some(())
}

fn shrink_grow(root: &mut Node, dice: &mut Dice) -> Option<()> {
    let parent = |node: &Node| match node {
        Node::Object(entries) => entries.iter().any(|(_, value)| value.has_items()),
        _ => false,
    };
    let Node::Object(entries) = root.pick(dice, parent)? else { return None };
    let (key, value) = entries.iter().find(|(_, value)| value.has_items())?.clone();
    let Node::Array(items) = value else { return None };
    let grown = Node::raw(dice.of(&["{}", "null", "\"\"", "{\"Target\":\"/r\"}"]));
    entries.push((key.clone(), Node::Array(items[..1].to_vec())));
    entries.push((key, Node::Array(vec![items[0].clone(), grown])));
    Some(())
}

/// Entries of an object that stands in another, into that other one.
fn hoist(root: &mut Node, dice: &mut Dice) -> Option<()> {
    let parent = |node: &Node| match node {
        Node::Object(entries) => entries.iter().any(|(_, value)| value.has_entries()),
        _ => false,
    };
    let Node::Object(entries) = root.pick(dice, parent)? else { return None };
    let nth = entries.iter().position(|(_, value)| value.has_entries())?;
    let Node::Object(inner) = entries[nth].1.clone() else { return None };
    // Mostly what says nothing, which is what gets through.
    let empty = !dice.one_in(3);
    for (key, value) in inner {
        let value = match value {
            value if !empty => value,
            Node::Array(_) => Node::Array(Vec::new()),
            Node::Object(_) => Node::Object(Vec::new()),
            value if value.is_text() => Node::text(""),
            value if value.is_number() => Node::raw("0"),
            _ => Node::raw(dice.of(&["false", "null"])),
        };
        entries.push((key, value));
    }
    if dice.one_in(2) {
        entries.remove(nth);
    }
    Some(())
}

fn insert(root: &mut Node, dice: &mut Dice, key: Vec<u8>) -> Option<()> {
    let entries = entries_of(root, dice)?;
    let among = if dice.one_in(3) { FULL } else { EMPTY };
    let value = dice.of(among);
    let at = dice.below(entries.len() + 1);
    entries.insert(at, (key, Node::raw(value)));
    Some(())
}

/// Puts bytes into a string, be it a key or a value.
fn within_text(root: &mut Node, dice: &mut Dice, bytes: &[&[u8]]) -> Option<()> {
    let what = dice.of(bytes);
    let literal = if dice.one_in(2) {
        let entries = root.pick_entries(dice)?;
        let nth = dice.below(entries.len());
        &mut entries[nth].0
    } else {
        match root.pick(dice, Node::is_text)? {
            Node::Scalar(literal) => literal,
            _ => return None,
        }
    };
    // At either end, which splits no escape.
    let at = if dice.one_in(2) { 1 } else { literal.len() - 1 };
    literal.splice(at..at, what.iter().copied());
    Some(())
}
