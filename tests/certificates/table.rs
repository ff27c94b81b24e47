//! The tables: what clients show, and what becomes of them. README.md explains each word.

use crate::pki::{AuthorityWish, ListWish, Wish};
use serde::Deserialize;

/// What becomes of a client with such a certificate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    pub name: String,
    /// What is wrong, or what is right with a neighbour.
    pub what: String,
    #[serde(default)]
    pub leaf: Wish,
    /// What it shows instead of the leaf.
    pub shows: Option<Shown>,
    /// What follows the leaf, where it is not the way up to the root.
    pub chain: Option<Vec<String>>,
    /// Whether the client has the private key of what it shows.
    #[serde(default = "yes")]
    pub holds_key: bool,
    /// Which listener it comes to.
    pub at: Option<String>,
    pub expect: Verdict,
    /// The reason id in the log; in a handshake `certificate.unusable` if not said.
    pub reason: Option<String>,
    /// A part of the words in the log.
    pub because: Option<String>,
    /// Whether the TLS library ends such a handshake without an alert.
    #[serde(default)]
    pub silent: bool,
    /// The revocation lists of its listener.
    pub lists: Option<Vec<String>>,
    /// Whether they count when they have ended.
    #[serde(default)]
    pub accept_expired: bool,
    /// The deny-list of its listener.
    pub deny: Option<Vec<Denied>>,
}

/// A line of a deny-list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Denied {
    /// As it stands.
    Line(String),
    /// The certificate of an authority, or `the leaf`.
    Certificate(String),
    /// The key of one.
    Key(String),
}

/// What a client shows instead of a leaf.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Shown {
    Authority(String),
    Nothing,
}

/// What a client meets with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum Verdict {
    /// The end of the handshake.
    Handshake,
    /// A 403 and the end of the connection.
    Nobody,
    /// Its request goes on, under this name.
    Allowed(String),
    /// Nothing: the gate does not start.
    Load,
}

impl TryFrom<serde_json::Value> for Verdict {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        if value == 403 {
            return Ok(Self::Nobody);
        }
        match value.as_str() {
            Some("handshake") => Ok(Self::Handshake),
            Some("load") => Ok(Self::Load),
            Some(text) if text.starts_with("allowed as ") => {
                Ok(Self::Allowed(text["allowed as ".len()..].to_owned()))
            }
            _ => Err(format!("no verdict is called {value}")),
        }
    }
}

const fn yes() -> bool {
    true
}

/// A whole table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub authorities: Vec<AuthorityWish>,
    #[serde(default)]
    pub lists: Vec<ListWish>,
    pub cases: Vec<Case>,
}

impl Table {
    pub fn read(text: &str) -> Self {
        let value: serde_json::Value = serde_saphyr::from_str(text).unwrap();
        serde_json::from_value(value).unwrap()
    }
}
