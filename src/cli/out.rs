//! Standard output and error.
use std::io::Write as _;
/// Writes a line to standard output; a reader that is gone is no error.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
/// Writes a line to standard error.
pub fn error(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
