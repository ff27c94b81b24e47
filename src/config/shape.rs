//! The form of the file as data: what may stand where. One description has three readers: the check
//! that reports every unknown key and misshapen value at once, the compiler that need not check again,
//! and the JSON Schema for editors.

use super::mistake::{MistakeLedger, SourcePlace, nearest, suggest};
use super::yaml::{Scalar, YamlEntry, YamlNode, YamlValue};

/// What may stand in a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Any text that every reader of YAML takes for text.
    Text,
    /// Text that must stand in quotes, since it reads as a number: `"1.38"`.
    Quoted,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A scalar in a notation of its own.
    Notation(&'static Notation),
    /// A list of these.
    List(&'static Shape),
    /// A mapping with names of the writer's choice.
    Named(&'static Shape),
    /// A mapping with these keys and no others.
    Section(&'static Section),
    /// The first for a scalar, and for a list if it is one; else the second.
    Either(&'static Shape, &'static Shape),
}

/// A scalar in a notation of its own.
#[derive(Debug)]
pub(super) struct Notation {
    /// What it is: `a size`.
    pub(super) what: &'static str,
    /// Whether the text is one; else the next step.
    pub(super) check: fn(&str) -> Result<(), String>,
    /// The same as a regular expression for editors.
    pub(super) pattern: &'static str,
}

/// A form in which a value is written, and how it is taken over from an entry.
pub(super) struct Form<T> {
    pub(super) shape: Shape,
    pub(super) fill: fn(&mut T, &YamlEntry, &mut MistakeLedger),
}

impl<T> Form<T> {
    pub(super) const fn new(
        shape: Shape,
        fill: fn(&mut T, &YamlEntry, &mut MistakeLedger),
    ) -> Self {
        Self { shape, fill }
    }
}

/// A mapping with fixed keys.
#[derive(Debug)]
pub(super) struct Section {
    /// What has these keys: `an entry of listen`.
    pub(super) what: &'static str,
    pub(super) keys: &'static [KeyShape],
}

/// A key of a section.
#[derive(Debug)]
pub(super) struct KeyShape {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
    /// What it says, for editors.
    pub(super) what: &'static str,
}

/// A key that may be left out.
pub(super) const fn key(name: &'static str, shape: Shape, what: &'static str) -> KeyShape {
    KeyShape { name, shape, required: false, what }
}

/// A key that must be there.
pub(super) const fn required(name: &'static str, shape: Shape, what: &'static str) -> KeyShape {
    KeyShape { name, shape, required: true, what }
}

/// Notes every place where the node is not of this shape.
pub(super) fn check(node: &YamlNode, shape: Shape, ledger: &mut MistakeLedger) {
    match (&node.value, shape) {
        (YamlValue::Refused, _) => {}
        (YamlValue::Scalar(_), Shape::Either(first, _))
        | (YamlValue::List(_), Shape::Either(first @ Shape::List(_), _)) => {
            check(node, *first, ledger);
        }
        (_, Shape::Either(_, second)) => check(node, *second, ledger),
        (YamlValue::Scalar(scalar), _) if scalar.is_null() => {
            ledger.mistake(node.at, "a value is missing here", "write one, or remove the key");
        }
        (YamlValue::List(items), Shape::List(item)) => {
            items.iter().for_each(|node| check(node, *item, ledger));
        }
        (YamlValue::Map(entries), Shape::Named(value)) => {
            entries.iter().for_each(|entry| check(&entry.value, *value, ledger));
        }
        (YamlValue::Map(_), Shape::Section(section)) => check_section(node, section, ledger),
        (_, Shape::List(_)) => {
            ledger.mistake(node.at, "a list is expected here", "write it as [a, b]");
        }
        (_, Shape::Named(_) | Shape::Section(_)) => {
            ledger.mistake(node.at, "a mapping is expected here", "write it as `key: value`");
        }
        (YamlValue::Scalar(scalar), _) => check_scalar(scalar, node.at, shape, ledger),
        (YamlValue::List(_) | YamlValue::Map(_), _) => {
            ledger.mistake(node.at, "one value is expected here", "write a single value");
        }
    }
}

fn check_section(node: &YamlNode, section: &Section, ledger: &mut MistakeLedger) {
    for entry in node.entries() {
        match section.keys.iter().find(|key| key.name == entry.key) {
            Some(key) => check(&entry.value, key.shape, ledger),
            None => {
                let what = format!("unknown key {:?} in {}", entry.key, section.what);
                ledger.mistake(entry.at, what, suggest_key(&entry.key, section));
            }
        }
    }
    for key in section.keys.iter().filter(|key| key.required && node.get(key.name).is_none()) {
        let what = format!("{} has no {:?}", section.what, key.name);
        ledger.mistake(first_line(node.at), what, format!("write {}: {}", key.name, key.what));
    }
}

/// A block mapping spans lines: the caret stands at its first character.
const fn first_line(at: SourcePlace) -> SourcePlace {
    SourcePlace { width: 1, ..at }
}

fn suggest_key(key: &str, section: &Section) -> String {
    let names = || section.keys.iter().map(|key| key.name);
    match nearest(key, names()) {
        Some(_) => suggest(key, names()),
        None => format!("remove it; known are: {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn check_scalar(scalar: &Scalar, at: SourcePlace, shape: Shape, ledger: &mut MistakeLedger) {
    let text = scalar.text.as_str();
    let (what, next) = match shape {
        Shape::Text if !scalar.is_text() => {
            (format!("{text} is not text to every reader"), quote(text))
        }
        Shape::Text
            if text.trim() != text || text.is_empty() || text.contains(char::is_control) =>
        {
            let what = "empty, or with blanks or control characters around it";
            (what.to_owned(), "remove them".to_owned())
        }
        Shape::Quoted if scalar.plain => {
            (format!("{text} reads as a number, in which 1.40 is 1.4"), quote(text))
        }
        Shape::Flag if !(scalar.plain && matches!(text, "true" | "false")) => {
            (format!("{text:?} is neither true nor false"), "write true or false".to_owned())
        }
        Shape::Word(words) if !words.contains(&text) => {
            (format!("{text:?} is not known here"), suggest(text, words.iter().copied()))
        }
        Shape::Notation(notation) => match (notation.check)(text) {
            Ok(()) => return,
            Err(next) => (format!("{text:?} is not {}", notation.what), next),
        },
        _ => return,
    };
    ledger.mistake(at, what, next);
}

fn quote(text: &str) -> String {
    format!("put it in quotes: \"{text}\"")
}
