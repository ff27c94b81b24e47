//! YAML text to a tree that remembers where everything stands. A policy must read the same to
//! everybody, so what different readers see differently is refused: duplicate keys, anchors,
//! aliases, merge keys, tags, a second document. Built on the parser's events and not on serde,
//! which stops at the first mistake.

use super::mistake::{MistakeLedger, SourcePlace};
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput};

/// How deep sections may stand in one another; the format needs six.
const DEPTH: usize = 16;

/// One value of the file.
#[derive(Clone, Debug)]
pub(super) struct YamlNode {
    pub(super) at: SourcePlace,
    pub(super) value: YamlValue,
}

#[derive(Clone, Debug)]
pub(super) enum YamlValue {
    Scalar(Scalar),
    List(Vec<YamlNode>),
    Map(Vec<YamlEntry>),
    /// Refused already; nothing more is said about it.
    Refused,
}

#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Without quotes, so that other readers may see a number, a truth value or nothing.
    pub(super) plain: bool,
}

impl Scalar {
    /// Whether nothing is written.
    pub(super) fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    /// Whether every reader takes it for text: not for a number, a truth value (YAML 1.1 has `yes`,
    /// `no`, `on`, `off` too) or nothing.
    pub(super) fn is_text(&self) -> bool {
        let word = self.text.to_ascii_lowercase();
        let truth = matches!(word.as_str(), "true" | "false" | "yes" | "no" | "on" | "off");
        let number = word.parse::<f64>().is_ok() || word.starts_with("0x") || word == ".inf";
        !self.plain || !(self.is_null() || truth || number)
    }
}

#[derive(Clone, Debug)]
pub(super) struct YamlEntry {
    pub(super) key: String,
    pub(super) at: SourcePlace,
    pub(super) value: YamlNode,
}

impl YamlNode {
    /// The value under a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[YamlEntry] {
        if let YamlValue::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        if let YamlValue::List(items) = &self.value { items } else { &[] }
    }

    /// The text of a scalar that is not null.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    /// The texts of a list of scalars.
    pub(super) fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(Self::text).map(str::to_owned).collect()
    }

    /// Whether a flag is set.
    pub(super) fn flag(&self) -> bool {
        self.text() == Some("true")
    }

    /// The text under a key of a mapping.
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The items of the list under a key of a mapping.
    pub(super) fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::items).unwrap_or_default()
    }

    /// The texts of the list under a key of a mapping.
    pub(super) fn texts_of(&self, key: &str) -> Vec<String> {
        self.get(key).map(Self::texts).unwrap_or_default()
    }

    /// Whether a flag is set under a key of a mapping.
    pub(super) fn has_flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(Self::flag)
    }

    /// What is read from under a key that may be left out; `None` where it is there and cannot be read.
    pub(super) fn optional<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Self) -> Option<T>,
    ) -> Option<Option<T>> {
        self.get(key).map_or(Some(None), |node| read(node).map(Some))
    }
}

/// Reads one file of the ledger. `None` where it cannot be read at all: a mistake says why.
pub(super) fn read(file: usize, text: &str, ledger: &mut MistakeLedger) -> Option<YamlNode> {
    let mut composer = Composer { events: Parser::new_from_str(text), file, ledger };
    let root = composer.document();
    composer.rest();
    root
}

struct Composer<'t, 'l> {
    events: Parser<'t, StrInput<'t>>,
    file: usize,
    ledger: &'l mut MistakeLedger,
}

impl<'t> Composer<'t, '_> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        match self.events.next()? {
            Ok(event) => Some(event),
            Err(error) => {
                let at = self.place(error.marker(), error.marker());
                let what = format!("this is not YAML: {}", error.info());
                self.ledger.mistake(at, what, "correct it; what follows was not read");
                None
            }
        }
    }

    fn document(&mut self) -> Option<YamlNode> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => {
                    let at = SourcePlace::whole(self.file);
                    self.ledger.mistake(at, "the file is empty", "begin with `version: 1`");
                    return None;
                }
                (event, span) if event.is_node() => return self.node(event, &span, 0),
                _ => {}
            }
        }
    }

    /// Nothing may follow the document.
    fn rest(&mut self) {
        while let Some((event, span)) = self.next() {
            if let Event::DocumentStart(..) = event {
                let at = self.place(&span.start, &span.end);
                self.ledger.mistake(at, "a second document", "keep one document in a file");
                return;
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Option<YamlNode> {
        let at = self.place(&span.start, &span.end);
        self.refuse_properties(&event, at);
        let value = match event {
            Event::Scalar(text, style, ..) => {
                let plain = style == ScalarStyle::Plain;
                YamlValue::Scalar(Scalar { text: text.into_owned(), plain })
            }
            Event::SequenceStart(..) => YamlValue::List(self.list(at, depth)?),
            Event::MappingStart(..) => YamlValue::Map(self.map(at, depth)?),
            _ => YamlValue::Refused,
        };
        Some(YamlNode { at, value })
    }

    fn refuse_properties(&mut self, event: &Event<'t>, at: SourcePlace) {
        if event.is_alias() {
            self.ledger.mistake(at, "an alias", "write the value out");
        }
        if event.anchor_id().is_some() {
            self.ledger.mistake(at, "an anchor", "remove it; aliases are not read");
        }
        if let Some(tag) = event.tag() {
            self.ledger.mistake(at, format!("a tag, {:?}", tag.original()), "remove it");
        }
    }

    fn list(&mut self, at: SourcePlace, depth: usize) -> Option<Vec<YamlNode>> {
        self.bound(at, depth)?;
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(items),
                (event, span) if event.is_node() => {
                    items.push(self.node(event, &span, depth + 1)?);
                }
                _ => {}
            }
        }
    }

    fn map(&mut self, at: SourcePlace, depth: usize) -> Option<Vec<YamlEntry>> {
        self.bound(at, depth)?;
        let mut entries: Vec<YamlEntry> = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => return Some(entries),
                (event, span) if event.is_node() => {
                    let key = self.node(event, &span, depth + 1)?;
                    let value = self.value(depth)?;
                    self.entry(&mut entries, key, value);
                }
                _ => {}
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<YamlNode> {
        loop {
            let (event, span) = self.next()?;
            if event.is_node() {
                return self.node(event, &span, depth + 1);
            }
        }
    }

    fn entry(&mut self, entries: &mut Vec<YamlEntry>, key: YamlNode, value: YamlNode) {
        let at = key.at;
        let YamlValue::Scalar(scalar) = key.value else {
            return self.ledger.mistake(at, "a key that is not text", "write a name");
        };
        if scalar.plain && scalar.text == "<<" {
            return self.ledger.mistake(at, "a merge key", "write the keys out, or use `extends`");
        }
        if let Some(first) = entries.iter().find(|entry| entry.key == scalar.text) {
            let next = format!("keep one; the first is on line {}", first.at.line);
            return self.ledger.mistake(at, format!("the key {:?} twice", scalar.text), next);
        }
        entries.push(YamlEntry { key: scalar.text, at, value });
    }

    fn bound(&mut self, at: SourcePlace, depth: usize) -> Option<()> {
        if depth < DEPTH {
            return Some(());
        }
        self.ledger.mistake(at, format!("nested deeper than {DEPTH} levels"), "flatten it");
        None
    }

    fn place(&self, start: &Marker, end: &Marker) -> SourcePlace {
        let one_line = end.line() == start.line();
        let width = if one_line { end.col().saturating_sub(start.col()).max(1) } else { 1 };
        SourcePlace { file: self.file, line: start.line(), column: start.col() + 1, width }
    }
}
