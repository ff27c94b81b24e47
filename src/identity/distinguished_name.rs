//! A distinguished name as one line of text for people and for the record. Two names that differ must
//! not look alike there, so whatever could hide or forge a part of the line is escaped.

use super::letters::{hex, is_printable};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Short names of attribute types (RFC 4514, section 3); others are written as dotted numbers.
const SHORT_NAMES: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// Writes a name in the order and with the escapes of RFC 4514, the last RDN first. Stricter than the
/// RFC in one place: every character that is not plainly visible becomes `\xx` per byte.
pub(crate) fn display(name: &X509Name<'_>) -> String {
    let mut rdns: Vec<String> = name
        .iter_rdn()
        .map(|rdn| rdn.iter().map(attribute).collect::<Vec<_>>().join("+"))
        .collect();
    rdns.reverse();
    rdns.join(",")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let key = SHORT_NAMES.iter().find(|(dotted, _)| *dotted == oid).map_or(&*oid, |(_, key)| *key);
    match attribute.as_str() {
        Ok(text) => format!("{key}={}", escape(text)),
        Err(_) => format!("{key}=#{}", hex(attribute.as_slice())),
    }
}

fn escape(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => line.extend(['\\', c]),
            '#' if at == 0 => line.push_str("\\#"),
            ' ' if at == 0 || at == last => line.push_str("\\ "),
            c if is_printable(c) => line.push(c),
            c => line.extend(c.to_string().bytes().map(|byte| format!("\\{byte:02x}"))),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_in_a_value_can_pass_for_structure() {
        assert_eq!(escape("a,CN=root"), "a\\,CN\\=root");
        assert_eq!(escape(" a b "), "\\ a b\\ ");
        assert_eq!(escape("#1"), "\\#1");
        assert_eq!(escape(" "), "\\ ");
        assert_eq!(escape("a\0b\n"), "a\\00b\\0a");
    }

    #[test]
    fn a_reversed_or_invisible_character_is_shown_as_bytes() {
        assert_eq!(escape("a\u{202e}b"), "a\\e2\\80\\aeb");
        assert_eq!(escape("Jörg"), "Jörg");
    }
}
