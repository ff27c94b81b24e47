//! Text of others before people's eyes (L0): names, paths and words of certificates come from whoever sends them, and
//! on a terminal or in a log they must neither steer it nor change how the rest is shown.

use std::borrow::Cow;

/// Characters that are not seen as themselves: DEL and the C1 controls, direction marks and
/// overrides (Unicode UAX #9; "Trojan Source", CVE-2021-42574), line and paragraph separators,
/// zero-width and other invisible format characters, letters that are drawn as nothing, tag characters. The C0 controls are not among them.
#[must_use]
pub fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Text as one line: what is no character to be seen is written as `\u{1b}`, a line's end as `\n`.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same with its lines and tabs as they are.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let steers = |c: char| (c.is_control() || misleads(c)) && !stays(c);
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_written_out_and_text_is_left() {
        assert_eq!(line("a\u{1b}[31m\u{202e}b\nä\t容"), "a\\u{1b}[31m\\u{202e}b\\nä\\t容");
        assert_eq!(lines("a\u{1b}]0;x\u{7}\nb\u{9b}\t"), "a\\u{1b}]0;x\\u{7}\nb\\u{9b}\t");
        assert!(matches!(line("größe"), Cow::Borrowed(_)));
    }
}
