//! Standard output and error, written to with care: a reader that went away (`| head`) is no error,
//! a full disk is one, and colour is for terminals whose owner wants it. Whatever is printed may hold text of others,
//! so nothing leaves here that steers a terminal or shows otherwise than it is; whoever prints such text within a line
//! has it escaped by [`visible::line`] before.

use super::Failure;
use crate::visible;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// Writes text to standard output. Of what steers a terminal only our own colours leave here.
///
/// # Errors
/// It cannot be written, other than by a reader that went away.
pub fn print(text: &str) -> Result<(), Failure> {
    let text = harmless(text, Paint::stdout());
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => {
            let what = format!("standard output cannot be written: {why}");
            Err(Failure::new(what, "make room, or write it elsewhere"))
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error. Where that is gone too, nobody can be told.
pub fn complain(text: &str) {
    let red = Paint::of(&io::stderr()).red("error");
    let _ = writeln!(io::stderr().lock(), "dockward: {red}: {}", visible::lines(text));
}

/// Writes a line to standard error that is no failure, beside what a program may be reading.
pub fn note(text: &str) {
    let yellow = Paint::of(&io::stderr()).yellow("note");
    let _ = writeln!(io::stderr().lock(), "dockward: {yellow}: {}", visible::lines(text));
}

/// What [`Paint`] writes around words.
const COLOURS: [&str; 5] = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[1m", PLAIN];
/// And behind them.
const PLAIN: &str = "\u{1b}[0m";

/// Text with everything written out that steers a terminal, but for colours where there are some.
fn harmless(text: &str, paint: Paint) -> Cow<'_, str> {
    if paint == Paint::none() {
        return visible::lines(text);
    }
    let mut pieces = text.split('\u{1b}');
    let mut shown = visible::lines(pieces.next().unwrap_or_default()).into_owned();
    for piece in pieces {
        let colour = COLOURS.iter().find_map(|c| Some((c, piece.strip_prefix(c.get(1..)?)?)));
        match colour {
            Some((colour, rest)) => {
                shown.push_str(colour);
                shown.push_str(&visible::lines(rest));
            }
            None => {
                shown.push_str(&visible::line("\u{1b}"));
                shown.push_str(&visible::lines(piece));
            }
        }
    }
    Cow::Owned(shown)
}

/// Standard error for operational messages, in which nothing steers a terminal.
#[derive(Debug)]
pub struct PlainStderr;

impl Write for PlainStderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().lock().write_all(visible::lines(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// Whether words are coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paint(bool);

impl Paint {
    /// For a terminal, unless `NO_COLOR` is set to something (no-color.org) or `TERM` is `dumb`.
    #[must_use]
    pub fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self(stream.is_terminal() && !unwanted && !dumb)
    }

    /// What is printed to standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self::of(&io::stdout())
    }

    /// No colour.
    #[must_use]
    pub const fn none() -> Self {
        Self(false)
    }

    /// What is wrong.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// What is well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What deserves a look.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// A heading.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// Columns as wide as their widest cell, two blanks apart, below their heading, if there is one. A cell is one line.
#[must_use]
pub fn table(heading: &[&str], rows: &[Vec<String>], paint: Paint) -> String {
    let one_line = |cell: &String| cell.replace('\n', "\\n");
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(one_line).collect()).collect();
    let heading: Vec<String> = heading.iter().map(|&cell| cell.to_owned()).collect();
    let mut widths = Vec::new();
    for row in rows.iter().chain([&heading]) {
        widths.resize(widths.len().max(row.len()), 0);
        widths
            .iter_mut()
            .zip(row)
            .for_each(|(width, cell)| *width = cell.chars().count().max(*width));
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heading = (!heading.is_empty()).then(|| paint.bold(&line(&heading)));
    heading.into_iter().chain(rows.iter().map(line)).map(|line| line + "\n").collect()
}

/// JSON, indented, with a line end; characters that are not seen as themselves as `\uXXXX`.
///
/// # Errors
/// It cannot be written.
pub fn json(value: &serde_json::Value) -> Result<(), Failure> {
    let mut text = String::new();
    for c in format!("{value:#}\n").chars() {
        match visible::misleads(c) {
            // such a character stands in a string alone
            true => {
                text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")))
            }
            false => text.push(c),
        }
    }
    print(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_steers_only_our_colours_stay() {
        let (paint, others) = (Paint(true), "a\u{1b}]0;t\u{7}\u{202e}b\u{1b}[2J\u{9b}31m");
        let written = "a\\u{1b}]0;t\\u{7}\\u{202e}b\\u{1b}[2J\\u{9b}31m";
        assert_eq!(
            harmless(&format!("{}\n{others}", paint.red("x")), paint),
            format!("\u{1b}[31mx\u{1b}[0m\n{written}")
        );
        assert_eq!(
            harmless(&format!("\u{1b}[31m{others}\n"), Paint::none()),
            format!("\\u{{1b}}[31m{written}\n")
        );
        assert_eq!(harmless("größe\t1\n", Paint::none()), "größe\t1\n");
    }

    #[test]
    fn a_table_is_aligned_without_trailing_blanks() {
        let rows = [vec!["long".into(), "x".into()]];
        assert_eq!(table(&["A", "B"], &rows, Paint::none()), "A     B\nlong  x\n");
        assert_eq!(table(&[], &rows, Paint::none()), "long  x\n");
        let two_lines = [vec!["a\nOK".into(), "x".into()]];
        assert_eq!(table(&[], &two_lines, Paint::none()), "a\\nOK  x\n");
    }
}
