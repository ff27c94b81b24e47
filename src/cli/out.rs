//! Standard output and error, written to with care: a reader that went away (`| head`) is no error,
//! a full disk is one, and colour is for terminals whose owner wants it.

use super::Failure;
use std::io::{self, IsTerminal, Write};

/// Writes text to standard output.
///
/// # Errors
/// It cannot be written, other than by a reader that went away.
pub fn print(text: &str) -> Result<(), Failure> {
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
    let _ = writeln!(io::stderr().lock(), "dockward: {red}: {text}");
}

/// Writes a line to standard error that is no failure, beside what a program may be reading.
pub fn note(text: &str) {
    let yellow = Paint::of(&io::stderr()).yellow("note");
    let _ = writeln!(io::stderr().lock(), "dockward: {yellow}: {text}");
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
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Columns as wide as their widest cell, two blanks apart, below their heading, if there is one.
#[must_use]
pub fn table(heading: &[&str], rows: &[Vec<String>], paint: Paint) -> String {
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

/// JSON, indented, with a line end.
///
/// # Errors
/// It cannot be written.
pub fn json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_without_trailing_blanks() {
        let rows = [vec!["long".into(), "x".into()]];
        assert_eq!(table(&["A", "B"], &rows, Paint::none()), "A     B\nlong  x\n");
        assert_eq!(table(&[], &rows, Paint::none()), "long  x\n");
    }
}
