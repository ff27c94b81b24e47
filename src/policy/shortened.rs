//! Texts that are told of in a line, and no longer than people read.

/// Bytes of a client's key that name a place.
pub(super) const KEY_MAX: usize = 200;

/// The beginning of a text that is too long to be told whole.
pub(super) fn cut(mut text: String, most: usize) -> String {
    let end = short(&text, most).len();
    if end < text.len() {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

/// At most so many bytes of a text, whole characters.
pub(super) fn short(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    (0..=most).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// A list as part of a term, which is told of in a line.
pub(super) fn shortened(text: String) -> String {
    cut(text, KEY_MAX)
}
