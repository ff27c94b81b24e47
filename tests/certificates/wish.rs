//! What the tables may say of a certificate. README.md beside them explains each word.

use super::crl::ListWish;
use super::der::hex;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What differs from a good client certificate, or from a good authority.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Wish {
    pub version: Option<u8>,
    pub serial: Option<String>,
    pub key: Option<String>,
    pub signed_by: Option<String>,
    pub signature: Option<String>,
    pub signature_inside: Option<String>,
    pub cn: Option<Text>,
    pub subject: Option<Vec<Rdn>>,
    pub issuer: Option<Vec<Rdn>>,
    pub from: Option<Moment>,
    pub until: Option<Moment>,
    pub san: Vec<Name>,
    pub san_critical: bool,
    pub key_usage: Option<Vec<String>>,
    pub purpose: Option<Vec<String>>,
    pub ca: Option<bool>,
    pub path_length: Option<u8>,
    pub permit: Vec<Name>,
    pub exclude: Vec<Name>,
    pub authority_key: Option<String>,
    pub extensions: Vec<Extension>,
    pub damage: Vec<Damage>,
}

/// An authority of the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthorityWish {
    pub name: String,
    #[serde(default)]
    pub trusted: bool,
    /// Whose key it has, if not one of its own.
    pub key_of: Option<String>,
    /// So many, each below the one before: `name-1`, `name-2`, ...
    #[serde(default)]
    pub ladder: usize,
    /// So many beside each other, each with a key of its own.
    #[serde(default)]
    pub copies: usize,
    #[serde(default)]
    pub says: Wish,
}

/// Text of a name: a UTF8String if nothing else is said.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Text {
    Plain(String),
    Typed(BTreeMap<String, String>),
    Repeated { repeat: String, times: usize },
}

/// One part of a distinguished name: `{CN: dev}`, or a list of such for one of several values.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Rdn {
    One(BTreeMap<String, Text>),
    Several(Vec<BTreeMap<String, Text>>),
}

/// A GeneralName.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Name {
    Uri(Text),
    Dns(Text),
    Email(Text),
    /// An address, `address/mask` in a constraint, or hexadecimal bytes after `0x`.
    Ip(String),
    Directory(Vec<Rdn>),
    /// Type and text of an otherName.
    Other(String, String),
    /// So many DNS names of about twenty bytes.
    ManyDns(usize),
    /// Whole DER in hexadecimal.
    Der(String),
}

/// A moment: `+30d`, `-1d`, or the text of a UTCTime or GeneralizedTime.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    Days(String),
    Text(BTreeMap<String, String>),
}

/// An extension as raw as it gets.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    pub oid: String,
    #[serde(default)]
    pub critical: bool,
    /// What is in the OCTET STRING, hexadecimal.
    pub value: String,
}

/// What is done to the certificate when it is signed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Damage {
    /// The last byte of the signature is another.
    SignatureByte,
    /// The signature has no bytes.
    NoSignature,
    /// This text of the signed part is replaced by another of its length.
    Replace(String, String),
    /// So many bytes at the end are missing.
    Truncate(usize),
    /// These bytes (hexadecimal) follow.
    Append(String),
    /// The outermost length takes a byte more than it needs.
    LongLength,
    /// These bytes (hexadecimal) stand for the whole.
    Instead(String),
}

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

impl Text {
    /// The string type's tag and the bytes.
    pub fn encoded(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Plain(text) => (0x0c, text.clone().into_bytes()),
            Self::Repeated { repeat, times } => (0x0c, repeat.repeat(*times).into_bytes()),
            Self::Typed(typed) => {
                let (kind, text) = typed.first_key_value().unwrap();
                encoded_as(kind, text)
            }
        }
    }
}

fn encoded_as(kind: &str, text: &str) -> (u8, Vec<u8>) {
    let plain = text.as_bytes().to_vec();
    match kind {
        "printable" => (0x13, plain),
        "teletex" => (0x14, plain),
        "ia5" => (0x16, plain),
        "universal" => (0x1c, text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
        "bmp" => (0x1e, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        // any bytes under the tag of UTF8String
        "bytes" => (0x0c, hex(text)),
        other => panic!("no string type is called {other}"),
    }
}
