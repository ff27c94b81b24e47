//! The query: each known key read once, in Go's reading, and written again by us.
/// The typed query of a request.
#[derive(Clone, Debug, Default)]
pub struct Query;
