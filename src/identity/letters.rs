//! Letters that have one reading: which may be shown as they are, and bytes as digits.

/// Whether a character has one visible reading: ASCII from space to `~`, or a letter or digit of any
/// script that is not drawn as nothing. An allow-list, so that control, bidi, zero-width and
/// separator characters need no list of their own.
pub(crate) fn is_printable(c: char) -> bool {
    const DRAWN_AS_NOTHING: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
    match c.is_ascii() {
        true => matches!(c, ' '..='~'),
        false => c.is_alphanumeric() && !DRAWN_AS_NOTHING.contains(&c),
    }
}

/// Lower-case hexadecimal digits of the bytes.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
