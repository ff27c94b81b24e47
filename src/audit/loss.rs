//! How a file of the log can be lost while it is written to: a descriptor outlives its name.

/// What became of a file under whoever writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It has no name any more.
    Removed,
    /// Under its name there is nothing, or something else.
    Moved,
    /// It has another length than was written.
    Cut,
}

impl Loss {
    /// In words, after the file's name.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::Removed => "was removed",
            Self::Moved => "was moved or replaced",
            Self::Cut => "was cut short or written to by others",
        }
    }
}
