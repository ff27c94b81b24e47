//! A document as it is written, which a value of a JSON library could not be: keys given twice,
//! strings that are no Unicode, numbers in any spelling.

use crate::dice::Dice;

/// A JSON value, or what is put in the place of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A scalar, as written; strings with their quotes.
    Scalar(Vec<u8>),
    Array(Vec<Node>),
    /// Keys as written, with their quotes.
    Object(Vec<(Vec<u8>, Node)>),
}

impl Node {
    pub(crate) fn raw(text: &str) -> Self {
        Self::Scalar(text.into())
    }

    pub(crate) fn text(text: &str) -> Self {
        Self::Scalar(quoted(text))
    }

    pub(crate) fn of(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Array(items) => Self::Array(items.iter().map(Self::of).collect()),
            serde_json::Value::Object(entries) => {
                Self::Object(entries.iter().map(|(k, v)| (quoted(k), Self::of(v))).collect())
            }
            scalar => Self::Scalar(scalar.to_string().into_bytes()),
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Scalar(text) if text.first() == Some(&b'"'))
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Scalar(text) if text.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-'))
    }

    pub(crate) fn has_items(&self) -> bool {
        matches!(self, Self::Array(items) if !items.is_empty())
    }

    pub(crate) fn has_entries(&self) -> bool {
        matches!(self, Self::Object(entries) if !entries.is_empty())
    }

    /// One of the nodes that are so, the root among them.
    pub(crate) fn pick(
        &mut self,
        dice: &mut Dice,
        so: impl Fn(&Self) -> bool,
    ) -> Option<&mut Self> {
        let count = self.count(&so);
        (count > 0).then(|| self.nth(&mut dice.below(count), &so)).flatten()
    }

    fn count(&self, so: &impl Fn(&Self) -> bool) -> usize {
        let below: usize = match self {
            Self::Scalar(_) => 0,
            Self::Array(items) => items.iter().map(|item| item.count(so)).sum(),
            Self::Object(entries) => entries.iter().map(|(_, value)| value.count(so)).sum(),
        };
        usize::from(so(self)) + below
    }

    fn nth(&mut self, left: &mut usize, so: &impl Fn(&Self) -> bool) -> Option<&mut Self> {
        if so(self) {
            if *left == 0 {
                return Some(self);
            }
            *left -= 1;
        }
        match self {
            Self::Scalar(_) => None,
            Self::Array(items) => items.iter_mut().find_map(|item| item.nth(left, so)),
            Self::Object(entries) => entries.iter_mut().find_map(|(_, value)| value.nth(left, so)),
        }
    }

    /// The entries of one of the objects that have some.
    pub(crate) fn pick_entries(&mut self, dice: &mut Dice) -> Option<&mut Vec<(Vec<u8>, Self)>> {
        match self.pick(dice, Self::has_entries) {
            Some(Self::Object(entries)) => Some(entries),
            _ => None,
        }
    }
}

/// The plain spelling of a string.
pub(crate) fn quoted(text: &str) -> Vec<u8> {
    serde_json::to_vec(text).unwrap()
}

/// What a string says, where it says something that is Unicode.
pub(crate) fn said(literal: &[u8]) -> Option<String> {
    serde_json::from_slice(literal).ok()
}

/// A whole text: a value with what stands before, between and after.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) root: Node,
    pub(crate) before: Vec<u8>,
    pub(crate) after: Vec<u8>,
    /// White space between the tokens, by turns; none where empty.
    pub(crate) between: Vec<u8>,
}

impl Document {
    pub(crate) const fn new(root: Node) -> Self {
        Self { root, before: Vec::new(), after: Vec::new(), between: Vec::new() }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.before.clone();
        self.write(&self.root, &mut out);
        out.extend_from_slice(&self.after);
        out
    }

    fn write(&self, node: &Node, out: &mut Vec<u8>) {
        match node {
            Node::Scalar(text) => out.extend_from_slice(text),
            Node::Array(items) => {
                self.token(b'[', out);
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.token(b',', out);
                    }
                    self.write(item, out);
                }
                self.token(b']', out);
            }
            Node::Object(entries) => {
                self.token(b'{', out);
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        self.token(b',', out);
                    }
                    out.extend_from_slice(key);
                    self.token(b':', out);
                    self.write(value, out);
                }
                self.token(b'}', out);
            }
        }
    }

    fn token(&self, token: u8, out: &mut Vec<u8>) {
        let blank = |out: &mut Vec<u8>| {
            if !self.between.is_empty() {
                out.push(self.between[out.len() % self.between.len()]);
            }
        };
        blank(out);
        out.push(token);
        blank(out);
    }
}
