//! How text gets into the log. Names, paths and arguments come from whoever sends a request; in
//! the log they must neither end the line nor change how the rest of it is shown. serde_json
//! escapes what JSON demands; this adds what terminals, editors and eyes are fooled by.

use crate::visible::misleads;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// The value as JSON on one line, every character that does not show as itself as `\uXXXX`.
pub(super) fn to_line<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = Vec::with_capacity(1024);
    value.serialize(&mut Serializer::with_formatter(&mut line, Plain))?;
    Ok(line)
}

/// The longest beginning of the text that takes at most `limit` bytes once escaped.
pub(super) fn clip(text: &str, limit: usize) -> &str {
    let mut used = 0_usize;
    let end = text.char_indices().find_map(|(at, c)| {
        used = used.saturating_add(escaped_len(c));
        (used > limit).then_some(at)
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// Compact JSON in which nothing is invisible.
struct Plain;

impl Formatter for Plain {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        to: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if text.bytes().all(|byte| byte.is_ascii() && byte != 0x7f) {
            return to.write_all(text.as_bytes());
        }
        let mut utf8 = [0; 4];
        for c in text.chars() {
            if misleads(c) {
                write_escape(to, c)?;
            } else {
                to.write_all(c.encode_utf8(&mut utf8).as_bytes())?;
            }
        }
        Ok(())
    }
}

fn write_escape<W: ?Sized + Write>(to: &mut W, c: char) -> io::Result<()> {
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(to, "\\u{unit:04x}"))
}

fn escaped_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        c if misleads(c) => c.len_utf16().saturating_mul(6),
        c => c.len_utf8(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn line(value: &Value) -> String {
        String::from_utf8(to_line(value).unwrap()).unwrap()
    }

    #[test]
    fn what_misleads_is_escaped_and_what_is_text_is_not() {
        assert_eq!(
            line(&json!("a\n\u{7f}\u{85}\u{202e}\u{2028}b")),
            r#""a\n\u007f\u0085\u202e\u2028b""#
        );
        assert_eq!(
            line(&json!("\u{feff}\u{200d}\u{2066}\u{61c}")),
            r#""\ufeff\u200d\u2066\u061c""#
        );
        assert_eq!(line(&json!({"k\u{e0041}": "größe 容器"})), r#"{"k\udb40\udc41":"größe 容器"}"#);
    }

    #[test]
    fn clip_counts_what_is_written() {
        assert_eq!(clip("abc", 3), "abc");
        assert_eq!(clip("abc", 2), "ab");
        assert_eq!(clip("\u{202e}b", 5), "");
        assert_eq!(clip("a\"b", 2), "a");
    }

    /// Texts that are hard to write down.
    pub(in crate::audit) fn strange() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            proptest::collection::vec(
                prop_oneof![
                    any::<char>(),
                    (0_u32..0x2100).prop_filter_map("a char", char::from_u32),
                    Just('\u{2028}'),
                    Just('\u{202e}'),
                    Just('\n'),
                ],
                0..64,
            )
            .prop_map(|chars| chars.into_iter().collect()),
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_one_line_that_reads_back(key in strange(), text in strange()) {
            let value = json!({ key: text });
            let written = line(&value);
            prop_assert!(!written.chars().any(|c| c.is_control() || misleads(c)));
            prop_assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
        }

        #[test]
        fn clip_keeps_to_its_limit(text in strange(), limit in 0_usize..80) {
            let clipped = clip(&text, limit);
            prop_assert!(text.starts_with(clipped));
            prop_assert!(line(&json!(clipped)).len() <= limit + 2);
        }
    }
}
