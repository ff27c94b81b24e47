//! Strict JSON: read in exactly one way, or refused.
//!
//! dockerd reads with Go's decoder, which folds key case, merges duplicates and ignores what
//! follows the first value. Nothing of that is possible here: a key is what it is, given once; the
//! text ends with the value; depth is capped; an integer is an integer. What the daemon gets is
//! written by [`JsonValue::write`] or by the typed bodies, never the client's text.

use super::{Flaw, Malformed};
use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 64;

/// The longest key, in bytes: patterns are matched on keys of maps, and no label needs more.
pub const MAX_KEY: usize = 4096;
/// A text may hold this many values however short it is, ...
const FREE_VALUES: usize = 1024;
/// ... and one more for each so many bytes: `[0,0,0,...]` would take sixteen times its size in memory,
/// and no request of Docker's looks like that.
pub const BYTES_PER_VALUE: usize = 8;

/// Most items of one array, and most keys of one object, that are read: as many as there are ports in the range
/// that systems give out by themselves (49152 to 65535), all of which some media servers publish.
pub const MAX_ITEMS: usize = 16_384;

/// Most values that are read, however long the text is: what publishes [`MAX_ITEMS`] ports has five for each, and
/// nothing that is asked of Docker has more. What a value takes in memory and in time is many times its text.
pub const MAX_VALUES: usize = 6 * MAX_ITEMS;

/// A JSON value with its strings borrowed where they hold no escapes.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonValue<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// An integer that fits 64 bits with sign.
    Int(i64),
    /// An integer above that, in 64 bits.
    Big(u64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<JsonValue<'a>>),
    /// An object, in the order written.
    Object(JsonObject<'a>),
}

/// An object whose keys are all different, compared exactly.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject<'a>(pub Vec<(Cow<'a, str>, JsonValue<'a>)>);

/// Reads one JSON text.
///
/// # Errors
/// [`Flaw::JsonSyntax`], [`Flaw::JsonNul`], [`Flaw::JsonTrailing`], [`Flaw::JsonDepth`],
/// [`Flaw::JsonDuplicate`], [`Flaw::JsonValues`].
pub fn read(bytes: &[u8]) -> Result<JsonValue<'_>, Malformed> {
    let text = std::str::from_utf8(bytes).map_err(|e| {
        let at = format!("byte {}", e.valid_up_to());
        Malformed::new(Flaw::JsonSyntax, at, "the body is not UTF-8")
    })?;
    let flaw = Cell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let left = Cell::new((FREE_VALUES + bytes.len() / BYTES_PER_VALUE).min(MAX_VALUES));
    let value = Seed { depth: 0, flaw: &flaw, left: &left }
        .deserialize(&mut reader)
        .map_err(|e| flaw.take().unwrap_or_else(|| syntax(&e)))?;
    reader.end().map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        Malformed::new(Flaw::JsonTrailing, at, "there is more after the JSON value")
    })?;
    Ok(value)
}

fn syntax(error: &serde_json::Error) -> Malformed {
    let at = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    let why = text.split(" at line ").next().unwrap_or("not JSON").to_owned();
    Malformed::new(Flaw::JsonSyntax, at, why)
}

impl<'a> JsonValue<'a> {
    /// Whether the value says nothing to a Go decoder: `null`, `false`, `0`, `""`, `[]`, `{}`, and an
    /// object of such, which is how a Go client writes a structure that nobody filled.
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(b) => !b,
            Self::Int(n) => *n == 0,
            Self::Big(_) => false,
            Self::Float(n) => *n == 0.0,
            Self::Text(t) => t.is_empty(),
            Self::Array(a) => a.is_empty(),
            Self::Object(o) => o.0.iter().all(|(_, value)| value.says_nothing()),
        }
    }

    /// What kind of value it is, as an error says it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Big(_) => "an integer",
            Self::Float(_) => "a number that is no plain integer",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// Writes the value as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Int(n) => write_plain(out, n),
            Self::Big(n) => write_plain(out, n),
            Self::Float(n) => write_plain(out, n),
            Self::Text(t) => write_text(out, t),
            Self::Array(items) => write_array(out, items, Self::write),
            Self::Object(JsonObject(entries)) => write_object(out, entries, Self::write),
        }
    }
}

/// Whether Go's decoder takes `key` for one of these names of fields (ASCII), and for which: letter case is folded, and
/// the two characters outside ASCII that fold into it are U+017F (s) and U+212A (k).
/// Source: `encoding/json/fold.go`.
#[must_use]
pub fn folds_to(key: &str, mut names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let key = if key.is_ascii() { Cow::Borrowed(key) } else { Cow::Owned(fold(key)) };
    names.find(|name| key.eq_ignore_ascii_case(name))
}

/// The two letters outside of ASCII that fold into it, as these.
fn fold(key: &str) -> String {
    let folded = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c,
    };
    key.chars().map(folded).collect()
}

/// Writes a string with JSON's escapes, the short ones where there are: what is written is never longer than what
/// was read.
pub fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (i, &b) in bytes.iter().enumerate() {
        if b >= 0x20 && b != b'"' && b != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(plain..i).unwrap_or_default());
        plain = i + 1;
        match b {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => out.extend_from_slice(format!("\\u{b:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(bytes.get(plain..).unwrap_or_default());
    out.push(b'"');
}

/// Writes a number.
pub fn write_plain(out: &mut Vec<u8>, number: impl serde::Serialize) {
    if serde_json::to_writer(&mut *out, &number).is_err() {
        out.extend_from_slice(b"null"); // a Vec cannot fail to be written to
    }
}

/// Writes an array, each of its items by `write`.
pub fn write_array<T>(out: &mut Vec<u8>, items: &[T], write: impl Fn(&T, &mut Vec<u8>)) {
    out.push(b'[');
    for (nth, item) in items.iter().enumerate() {
        separate(out, nth);
        write(item, out);
    }
    out.push(b']');
}

/// Writes an object, each of its values by `write`.
pub fn write_object<T>(
    out: &mut Vec<u8>,
    entries: &[(Cow<'_, str>, T)],
    write: impl Fn(&T, &mut Vec<u8>),
) {
    out.push(b'{');
    for (nth, (key, value)) in entries.iter().enumerate() {
        separate(out, nth);
        write_text(out, key);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// Writes a comma before every item but the first.
pub fn separate(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

/// Puts a step before the place of an error.
#[must_use]
pub fn within(mut error: Malformed, step: &str) -> Malformed {
    let dot = if error.at.is_empty() || error.at.starts_with('[') { "" } else { "." };
    error.at = format!("{step}{dot}{}", error.at);
    error
}

#[derive(Clone, Copy)]
struct Seed<'c> {
    depth: usize,
    flaw: &'c Cell<Option<Malformed>>,
    /// How many more values the text may hold.
    left: &'c Cell<usize>,
}

impl Seed<'_> {
    fn fail<E: de::Error>(self, malformed: Malformed) -> E {
        self.flaw.set(Some(malformed));
        E::custom("malformed")
    }

    fn too_many<E: de::Error>(self, why: &'static str) -> E {
        self.fail(Malformed::new(Flaw::JsonValues, "", why))
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth < MAX_DEPTH {
            return Ok(Self { depth: self.depth + 1, ..self });
        }
        Err(self.fail(Malformed::new(Flaw::JsonDepth, "", "nested deeper than 64 levels")))
    }

    fn locate(self, step: impl FnOnce() -> String) {
        if let Some(flaw) = self.flaw.take() {
            self.flaw.set(Some(within(flaw, &step())));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = JsonValue<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<JsonValue<'de>, D::Error> {
        let Some(left) = self.left.get().checked_sub(1) else {
            let why = "more values than a text of this size has in any request of Docker's";
            return Err(self.too_many(why));
        };
        self.left.set(left);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = JsonValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Null)
    }

    fn visit_bool<E: de::Error>(self, b: bool) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Bool(b))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Int(n))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<JsonValue<'de>, E> {
        Ok(i64::try_from(n).map_or(JsonValue::Big(n), JsonValue::Int))
    }

    fn visit_f64<E: de::Error>(self, n: f64) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Float(n))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<JsonValue<'de>, E> {
        Ok(JsonValue::Text(Cow::Borrowed(text)))
    }

    /// A text with an escape: a NUL can stand in no other.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<JsonValue<'de>, E> {
        if text.contains('\0') {
            return Err(self.fail(nul("")));
        }
        Ok(JsonValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonValue<'de>, A::Error> {
        let seed = self.deeper()?;
        let mut items = Vec::new();
        loop {
            match seq.next_element_seed(seed) {
                Ok(Some(_)) if items.len() == MAX_ITEMS => {
                    return Err(self.too_many("an array of more than 16384 items"));
                }
                Ok(Some(item)) => items.push(item),
                Ok(None) => {
                    items.shrink_to_fit();
                    return Ok(JsonValue::Array(items));
                }
                Err(e) => {
                    self.locate(|| format!("[{}]", items.len()));
                    return Err(e);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonValue<'de>, A::Error> {
        let seed = self.deeper()?;
        let mut entries: Vec<(Cow<'de, str>, JsonValue<'de>)> = Vec::new();
        let mut known = KnownKeys::default();
        while let Some(JsonKey(key)) = map.next_key()? {
            if entries.len() == MAX_ITEMS {
                return Err(self.too_many("an object of more than 16384 keys"));
            }
            if key.len() > MAX_KEY {
                return Err(self.too_many("a key longer than 4096 bytes"));
            }
            if key.contains('\0') {
                return Err(self.fail(nul(&key)));
            }
            if known.has(&entries, &key) {
                let why = "this key is given twice";
                return Err(self.fail(Malformed::new(Flaw::JsonDuplicate, key, why)));
            }
            let value = map.next_value_seed(seed).inspect_err(|_| {
                self.locate(|| key.clone().into_owned());
            })?;
            entries.push((key, value));
        }
        entries.shrink_to_fit();
        Ok(JsonValue::Object(JsonObject(entries)))
    }
}

/// The refusal of a text that ends earlier in C than in Go: the daemon hands texts to the kernel, to runc and to
/// plugins, and answers with its own paths where one of them does not take it.
fn nul(at: &str) -> Malformed {
    Malformed::new(Flaw::JsonNul, at, "a text with a NUL character (\\u0000)")
}

/// What the keys of an object are told apart by: few by looking at them, many by a hash that nobody outside can
/// foresee. Keys are not kept a second time.
#[derive(Default)]
struct KnownKeys {
    many: HashSet<u64>,
    hasher: RandomState,
}

impl KnownKeys {
    /// Whether the key is among the entries before it.
    fn has(&mut self, entries: &[(Cow<'_, str>, JsonValue<'_>)], key: &str) -> bool {
        const FEW: usize = 32;
        let given = || entries.iter().any(|(k, _)| k == key);
        if entries.len() < FEW {
            return given();
        }
        if self.many.is_empty() {
            self.many.extend(entries.iter().map(|(k, _)| self.hasher.hash_one(k.as_ref())));
        }
        !self.many.insert(self.hasher.hash_one(key)) && given()
    }
}

/// A key, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct JsonKey<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flaw(text: &str) -> (Flaw, String) {
        let e = read(text.as_bytes()).unwrap_err();
        (e.flaw, e.at)
    }

    #[test]
    fn what_go_would_merge_is_refused_with_its_place() {
        assert_eq!(flaw(r#"{"a":{"b":1,"b":2}}"#), (Flaw::JsonDuplicate, "a.b".into()));
        assert_eq!(
            flaw(r#"{"a":[{},{"b":1,"\u0062":2}]}"#),
            (Flaw::JsonDuplicate, "a[1].b".into())
        );
        assert_eq!(flaw("{}{}").0, Flaw::JsonTrailing);
        assert_eq!(flaw("{} garbage").0, Flaw::JsonTrailing);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "{'a':1}",
            "{\"a\":1,}",
            "\u{feff}{}",
            "NaN",
            "{/**/}",
            "01",
            "+1",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "{\"a\":tru}",
        ] {
            assert_eq!(flaw(text).0, Flaw::JsonSyntax, "{text:?}");
        }
        assert_eq!(read(b"\"\xff\"").unwrap_err().flaw, Flaw::JsonSyntax);
    }

    #[test]
    fn a_number_keeps_its_last_digit() {
        // next to which a reader that is not exact comes out one step off
        for text in ["922854775803372036854775807", "0.12297829382473034", "1.7976931348623157e308"]
        {
            let value = read(text.as_bytes()).unwrap();
            assert_eq!(value, JsonValue::Float(text.parse().unwrap()), "{text}");
            let mut written = Vec::new();
            value.write(&mut written);
            assert_eq!(read(&written).unwrap(), value, "{text}");
        }
    }

    #[test]
    fn depth_is_capped_at_64() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(read(nested(64).as_bytes()).is_ok());
        assert_eq!(flaw(&nested(65)).0, Flaw::JsonDepth);
        assert_eq!(flaw(&nested(100_000)).0, Flaw::JsonDepth);
    }

    #[test]
    fn values_are_bounded_by_size() {
        let zeros = |n: usize| format!("[{}0]", "0,".repeat(n));
        assert!(read(zeros(1000).as_bytes()).is_ok());
        assert_eq!(flaw(&zeros(10_000)).0, Flaw::JsonValues);
        let words = format!("[{}\"\"]", "\"APP_SETTING=1\",".repeat(10_000));
        assert!(read(words.as_bytes()).is_ok());
    }

    #[test]
    fn an_array_has_an_end() {
        let array = |n: usize| format!("{{\"a\":[{}{{}}]}}", "{      },".repeat(n - 1));
        assert!(read(array(MAX_ITEMS).as_bytes()).is_ok());
        assert_eq!(flaw(&array(MAX_ITEMS + 1)), (Flaw::JsonValues, "a".into()));
    }

    #[test]
    fn an_object_has_an_end() {
        let object = |n: usize| {
            let keys: String = (1..n).map(|i| format!("\"k{i}\":\"\",")).collect();
            format!("{{\"a\":{{{keys}\"last\":1}}}}")
        };
        assert!(read(object(MAX_ITEMS).as_bytes()).is_ok());
        assert_eq!(flaw(&object(MAX_ITEMS + 1)), (Flaw::JsonValues, "a".into()));
    }

    #[test]
    fn a_text_has_an_end_of_values_however_long_it_is() {
        // arrays of ten thousand words, and the values that these arrays are
        let words = |n: usize| {
            let left = (n - 1) % 10_000;
            let array = |n: usize| format!("[{}\"A=1234567\"]", "\"A=1234567\",".repeat(n - 2));
            let arrays: Vec<_> = vec![array(10_000); (n - 1) / 10_000];
            format!("[{}]", [arrays, vec![array(left)]].concat().join(","))
        };
        assert!(read(words(MAX_VALUES).as_bytes()).is_ok());
        assert_eq!(flaw(&words(MAX_VALUES + 1)).0, Flaw::JsonValues);
        let one = format!("[\"{}\"]", "x".repeat(3 << 20));
        assert!(read(one.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_written_is_no_longer_than_what_was_read() {
        for text in [r#""\n\t\r\b\f\"\\""#, r#""\u0001\u001f\u007f\u20ac""#, r#""\/é€😀""#] {
            let mut written = Vec::new();
            let value = read(text.as_bytes()).unwrap();
            value.write(&mut written);
            assert!(written.len() <= text.len(), "{text}");
            assert_eq!(read(&written).unwrap(), value);
        }
    }

    #[test]
    fn folding_is_gos() {
        let folds_to = |key| folds_to(key, ["HostConfig", "NetworkMode", "Privileged"].into_iter());
        assert_eq!(folds_to("hostconfig"), Some("HostConfig"));
        assert_eq!(folds_to("Ho\u{17f}tConfig"), Some("HostConfig"));
        assert_eq!(folds_to("Networ\u{212a}Mode"), Some("NetworkMode"));
        assert_eq!(folds_to("HostConfi"), None);
        assert_eq!(folds_to("Pr\u{131}vileged"), None, "Go has no fold for a dotless i");
        assert_eq!(folds_to("Pr\u{130}vileged"), None, "nor for a dotted capital I");
    }

    #[test]
    fn many_keys_are_still_compared() {
        let mut text: String = (0..100).map(|i| format!("\"k{i}\":1,")).collect();
        text = format!("{{{text}\"k77\":2}}");
        assert_eq!(flaw(&text), (Flaw::JsonDuplicate, "k77".into()));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn what_is_written_is_read_back(text in "[^\u{0}]*", n in any::<i64>()) {
            let value = JsonValue::Array(vec![JsonValue::Text(text.into()), JsonValue::Int(n)]);
            let mut out = Vec::new();
            value.write(&mut out);
            prop_assert_eq!(read(&out).unwrap(), value);
        }
    }
}
