//! Makes revocation lists (RFC 5280, 5), good and odd ones.

use super::der::{constructed, element, hex, integer, primitive, sequence};
use super::keys::algorithm;
use super::maker::{Maker, extension, key_id, moment, signed};
use super::wish::{Damage, Extension, Moment, content_of};
use serde::Deserialize;

/// What differs from a good list: of an authority, from yesterday to in thirty days, that revokes nothing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ListWish {
    pub name: String,
    /// Whose list it says it is.
    pub of: String,
    /// Whose key signed it, if not that authority's.
    pub signed_by: Option<String>,
    pub signature: Option<String>,
    pub version: Option<u8>,
    pub from: Option<Moment>,
    pub until: Option<Moment>,
    /// Whether it says when the next one comes.
    #[serde(default = "yes")]
    pub says_until: bool,
    #[serde(default = "one")]
    pub number: u8,
    #[serde(default)]
    pub revokes: Vec<Revoked>,
    /// It only tells what differs from the list of this number.
    pub delta_of: Option<u8>,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    pub extensions: Vec<Extension>,
    #[serde(default)]
    pub damage: Vec<Damage>,
}

impl Default for ListWish {
    fn default() -> Self {
        Self {
            name: String::new(),
            of: String::new(),
            signed_by: None,
            signature: None,
            version: None,
            from: None,
            until: None,
            says_until: true,
            number: 1,
            revokes: Vec::new(),
            delta_of: None,
            scope: Scope::Everything,
            extensions: Vec::new(),
            damage: Vec::new(),
        }
    }
}

impl ListWish {
    /// That revokes these serial numbers.
    pub fn revokes(mut self, serials: impl IntoIterator<Item = u64>) -> Self {
        self.revokes.extend(serials.into_iter().map(|serial| Revoked::of(content_of(serial))));
        self
    }

    /// Good between these seconds since 1970.
    pub fn between(mut self, first: i64, last: i64) -> Self {
        (self.from, self.until) = (Some(Moment::second(first)), Some(Moment::second(last)));
        self
    }
}

/// One entry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revoked {
    /// The content of the INTEGER, hexadecimal.
    pub serial: Option<String>,
    /// Or the serial number of this authority.
    pub authority: Option<String>,
    /// A CRLReason (5.3.1).
    pub reason: Option<u8>,
    /// The certificate is of this authority, in a list of another (5.3.3).
    pub issuer: Option<String>,
}

impl Revoked {
    /// Of this serial number: the content of the INTEGER, hexadecimal.
    pub fn of(serial: String) -> Self {
        Self { serial: Some(serial), ..Self::default() }
    }
}

/// IssuingDistributionPoint (5.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Scope {
    #[default]
    Everything,
    OnlyClients,
    OnlyAuthorities,
    Indirect,
}

impl Maker {
    /// A list, DER.
    pub fn list(&self, wish: &ListWish) -> Vec<u8> {
        let of = self.authority(&wish.of);
        let signer = wish.signed_by.as_deref().map_or(of, |name| self.authority(name));
        let signature = wish.signature.as_deref().unwrap_or(signer.key.usual());
        let version = wish.version.unwrap_or(2);
        let mut parts = Vec::new();
        if version > 1 {
            parts.push(integer(&[version - 1]));
        }
        let days = |given: &Option<Moment>, usual: &str| {
            moment(&given.clone().unwrap_or_else(|| Moment::Days(usual.to_owned())))
        };
        parts.extend([algorithm(signature), of.subject.clone(), days(&wish.from, "-1d")]);
        if wish.says_until {
            parts.push(days(&wish.until, "+30d"));
        }
        if !wish.revokes.is_empty() {
            let entries: Vec<_> = wish.revokes.iter().map(|entry| self.entry(entry)).collect();
            parts.push(sequence(&entries));
        }
        if version > 1 {
            let id = sequence(&[primitive(0, &key_id(&of.key))]);
            let mut extensions = vec![
                extension("2.5.29.35", false, &id),
                extension("2.5.29.20", false, &integer(&[wish.number])),
            ];
            let base = wish.delta_of.map(|base| extension("2.5.29.27", true, &integer(&[base])));
            extensions.extend(base);
            extensions.extend(wish.scope.extension());
            let raw = wish.extensions.iter();
            extensions.extend(raw.map(|raw| extension(&raw.oid, raw.critical, &hex(&raw.value))));
            parts.push(constructed(0, &sequence(&extensions)));
        }
        signed(sequence(&parts), algorithm(signature), &wish.damage, |message| {
            signer.key.sign(signature, message)
        })
    }

    fn entry(&self, entry: &Revoked) -> Vec<u8> {
        let serial = match (&entry.serial, &entry.authority) {
            (Some(serial), None) => hex(serial),
            (None, Some(name)) => self.authority(name).serial.clone(),
            _ => panic!("either a serial or an authority"),
        };
        let mut parts = vec![integer(&serial), moment(&Moment::Days("-1d".to_owned()))];
        let mut extensions = Vec::new();
        let reason = entry.reason.map(|reason| element(0x0a, &[reason]));
        extensions.extend(reason.map(|reason| extension("2.5.29.21", false, &reason)));
        let issuer = entry.issuer.as_deref().map(|name| self.authority(name));
        let issuer = issuer.map(|made| sequence(&[constructed(4, &made.subject)]));
        extensions.extend(issuer.map(|issuer| extension("2.5.29.29", true, &issuer)));
        if !extensions.is_empty() {
            parts.push(sequence(&extensions));
        }
        sequence(&parts)
    }
}

impl Scope {
    fn extension(self) -> Option<Vec<u8>> {
        let number = match self {
            Self::Everything => return None,
            Self::OnlyClients => 1,
            Self::OnlyAuthorities => 2,
            Self::Indirect => 4,
        };
        Some(extension("2.5.29.28", true, &sequence(&[primitive(number, &[0xff])])))
    }
}

const fn yes() -> bool {
    true
}

const fn one() -> u8 {
    1
}
