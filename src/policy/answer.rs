//! What is changed of the daemon's answer: decided with the request, as data, and done in one place on its way back
//! (`daemon/filter`).

use crate::docker::Accepted;

/// What is changed of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Rewrite {
    /// The newest version that its `Api-Version` header tells of.
    Header(Accepted),
    /// The same, and the versions that the body of `/version` tells of.
    Versions(Accepted),
}
