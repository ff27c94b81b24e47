//! Bodies by type.
/// A typed body.
#[derive(Debug)]
pub enum Body<'a> {
    /// None.
    None,
    /// placeholder
    Text(&'a str),
}
