//! What may be wished for of a certificate, in the words of the tables in `tests/certificates`, whose README.md
//! explains each, and in short for those who only want a good one.

use super::der::hex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

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

/// An authority.
#[derive(Clone, Debug, Default, Deserialize)]
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

impl Wish {
    /// A good client certificate with this common name.
    pub fn client(common_name: &str) -> Self {
        Self { cn: Some(Text::Plain(common_name.to_owned())), ..Self::default() }
    }

    /// A good server certificate for `localhost` and 127.0.0.1.
    pub fn server() -> Self {
        Self::client("localhost").for_servers().dns("localhost").ip([127, 0, 0, 1])
    }

    /// With this URI.
    pub fn uri(mut self, uri: &str) -> Self {
        self.san.push(Name::Uri(Text::Plain(uri.to_owned())));
        self
    }

    /// With this DNS name.
    pub fn dns(mut self, name: &str) -> Self {
        self.san.push(Name::Dns(Text::Plain(name.to_owned())));
        self
    }

    /// With this address.
    pub fn ip(mut self, address: impl Into<IpAddr>) -> Self {
        self.san.push(Name::Ip(address.into().to_string()));
        self
    }

    /// Valid between these days from today.
    pub fn days(mut self, first: i32, last: i32) -> Self {
        let day = |days: i32| Some(Moment::Days(format!("{days:+}d")));
        (self.from, self.until) = (day(first), day(last));
        self
    }

    /// Valid until this moment, to the second.
    pub fn until(mut self, moment: SystemTime) -> Self {
        self.until = Some(Moment::of(moment));
        self
    }

    /// Valid between these seconds since 1970.
    pub fn between(mut self, first: i64, last: i64) -> Self {
        (self.from, self.until) = (Some(Moment::second(first)), Some(Moment::second(last)));
        self
    }

    /// With this serial number.
    pub fn serial(mut self, serial: u64) -> Self {
        self.serial = Some(content_of(serial));
        self
    }

    /// For servers only.
    pub fn for_servers(mut self) -> Self {
        self.purpose = Some(vec!["server".to_owned()]);
        self
    }

    /// Itself an authority.
    pub fn authority(mut self) -> Self {
        let uses = ["digital-signature", "sign-certificates"];
        (self.ca, self.key_usage) = (Some(true), Some(uses.map(str::to_owned).to_vec()));
        self
    }
}

/// What is in the INTEGER of a serial number, hexadecimal.
pub fn content_of(serial: u64) -> String {
    let bytes = serial.to_be_bytes().into_iter().skip_while(|byte| *byte == 0);
    let digits: String = bytes.map(|byte| format!("{byte:02x}")).collect();
    match digits.as_bytes().first() {
        Some(b'0'..=b'7') => digits,
        _ => format!("00{digits}"),
    }
}

impl Moment {
    /// This moment, to the second.
    pub fn of(moment: SystemTime) -> Self {
        Self::second(jiff::Timestamp::try_from(moment).unwrap().as_second())
    }

    /// So many seconds after 1970.
    pub fn second(second: i64) -> Self {
        let moment =
            jiff::tz::TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(second).unwrap());
        let text = moment.strftime("%y%m%d%H%M%SZ").to_string();
        Self::Text(BTreeMap::from([("utc".to_owned(), text)]))
    }
}

impl AuthorityWish {
    /// A good one.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
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
