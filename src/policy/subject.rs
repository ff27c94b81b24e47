//! Whose request is judged, and by what.

use super::model::Policy;
use crate::identity::Identity;

/// Whose request it is, and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) identity: &'a Identity,
    pub(super) policy: &'a Policy,
}
