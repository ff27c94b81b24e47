//! What is said of containers that were left running after a revocation.

use serde::{Deserialize, Serialize};

/// Whose containers are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftWanted {
    /// Serial numbers of certificates, hexadecimal.
    pub serials: Vec<String>,
    /// Whether what the same name made under other certificates counts too.
    pub of_the_name: bool,
    /// Whether what is found is stopped.
    pub stop: bool,
    /// Why.
    pub reason: String,
}

/// What somebody left running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftView {
    /// Each container.
    pub running: Vec<Left>,
    /// Why the gate could not load all that its files say; the lists count as far as they can be read.
    pub not_loaded: Option<String>,
}

/// A container that somebody left running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its image, as it was asked for.
    pub image: String,
    /// Whether it was stopped.
    pub stopped: bool,
    /// Why it was not, if it should have been.
    pub error: Option<String>,
}
