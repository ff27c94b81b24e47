//! Every endpoint of the API, one row each.
use super::Route;
/// The table.
pub const ROUTES: &[Route] = &[];
