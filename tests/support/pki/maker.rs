//! Makes what is wished for, byte by byte: no library makes bad ones.

use super::der::{
    bits, boolean, constructed, content, element, hex, integer, named_bits, octets, oid, primitive,
    sequence, set,
};
use super::keys::{Key, Keys, algorithm};
use super::pem;
use super::wish::{AuthorityWish, Damage, Moment, Name, Rdn, Text, Wish};
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Whose key a leaf has.
const CLIENT: &str = "the client";

/// A certificate that is there, and the key it speaks of.
#[derive(Clone)]
pub struct Made {
    pub der: Vec<u8>,
    pub key: Arc<Key>,
    /// Who signed it; none if itself.
    pub signed_by: Option<String>,
    /// Its subject, DER.
    pub subject: Vec<u8>,
    /// The content of its serial number.
    pub serial: Vec<u8>,
}

/// The authorities of a table, and all their keys.
pub struct Maker {
    keys: Keys,
    authorities: HashMap<String, Made>,
    trusted: Vec<String>,
    serial: u32,
}

impl Maker {
    /// Makes all authorities, in their order: an issuer first, or later if only its name is used.
    pub fn new(wishes: &[AuthorityWish]) -> Self {
        let (keys, authorities) = (Keys::default(), HashMap::new());
        let mut maker = Self { keys, authorities, trusted: Vec::new(), serial: 1 << 30 };
        for wish in wishes {
            maker.establish(wish);
        }
        maker
    }

    /// The certificates that a gate trusts.
    pub fn trusted_pem(&self) -> String {
        let trusted = self.trusted.iter().map(|name| &self.authority(name).der);
        trusted.map(|der| pem("CERTIFICATE", der)).collect()
    }

    pub fn authority(&self, name: &str) -> &Made {
        self.authorities.get(name).unwrap_or_else(|| panic!("no authority is called {name}"))
    }

    /// The SubjectPublicKeyInfo of an authority, or of `the leaf` with the usual key.
    pub fn public_key(&self, name: &str) -> Vec<u8> {
        match name {
            "the leaf" => self.keys.made("p256", CLIENT).public.clone(),
            name => self.authority(name).key.public.clone(),
        }
    }

    /// What is sent after the leaf, as the table names it.
    pub fn chain(&self, names: &[String], leaf: &Made) -> Vec<Vec<u8>> {
        let mut chain = Vec::new();
        for name in names {
            if let Some(bytes) = name.strip_prefix("0x") {
                chain.push(hex(bytes));
            } else if let Some(family) = name.strip_suffix('*') {
                let numbered = (1..).map(|number| format!("{family}{number}"));
                let there = numbered.map_while(|name| self.authorities.get(&name));
                chain.extend(there.map(|made| made.der.clone()));
            } else if name == "the leaf" {
                chain.push(leaf.der.clone());
            } else {
                chain.push(self.authority(name).der.clone());
            }
        }
        chain
    }

    /// The authorities between what one has signed and a root, lowest first.
    pub fn way_up(&self, signed_by: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut next = Some(signed_by.to_owned());
        while let Some(name) = next {
            next = self.authority(&name).signed_by.clone();
            if next.is_none() || names.contains(&name) {
                break;
            }
            names.push(name);
        }
        names
    }

    /// A client's certificate.
    pub fn leaf(&mut self, wish: &Wish) -> Made {
        let key = self.keys.of(wish.key.as_deref().unwrap_or("p256"), CLIENT);
        let signed_by = wish.signed_by.clone().unwrap_or_else(|| "ours".to_owned());
        self.make(wish, key, (signed_by != "itself").then_some(signed_by), &Usual::CLIENT)
    }

    /// A certificate for a key of its own.
    pub fn issue(&mut self, wish: &Wish, by: &str) -> Made {
        let key = Arc::new(Key::new(wish.key.as_deref().unwrap_or("p256")));
        self.make(wish, key, Some(by.to_owned()), &Usual::CLIENT)
    }

    /// A key that is nobody's.
    pub fn another_key(&mut self, kind: &str) -> Arc<Key> {
        self.keys.of(kind, "a stranger")
    }

    pub fn establish(&mut self, wish: &AuthorityWish) {
        let mut above = wish.says.signed_by.clone();
        for (name, place) in places(wish) {
            let mut says = wish.says.clone();
            let subject = if wish.copies > 0 { &wish.name } else { &name };
            if says.subject.is_none() && says.cn.is_none() {
                says.cn = Some(Text::Plain(subject.clone()));
            }
            let owner = wish.key_of.as_ref().unwrap_or(&name);
            let key = self.keys.of(says.key.as_deref().unwrap_or("p256"), owner);
            let made = self.make(&says, key, above.clone(), &Usual::AUTHORITY);
            if wish.ladder > 0 {
                above = Some(name.clone());
            }
            self.authorities.insert(name.clone(), made);
            if wish.trusted && place == 0 {
                self.trusted.push(name);
            }
        }
    }

    fn make(&mut self, wish: &Wish, key: Arc<Key>, by: Option<String>, usual: &Usual) -> Made {
        self.serial += 1;
        let subject = wish.subject_der();
        let (signer, above) = match &by {
            None => (Arc::clone(&key), subject.clone()),
            Some(name) => match self.authorities.get(name) {
                Some(authority) => (Arc::clone(&authority.key), authority.subject.clone()),
                // one that is only made later: two that sign each other
                None => (self.keys.of("p256", name), common_name(&Text::Plain(name.clone()))),
            },
        };
        let issuer = wish.issuer.as_deref().map_or(above, distinguished_name);
        let signature = wish.signature.as_deref().unwrap_or(signer.usual());
        let inside = wish.signature_inside.as_deref().unwrap_or(signature);
        let mut parts = Vec::new();
        let version = wish.version.unwrap_or(3);
        if version > 1 {
            parts.push(constructed(0, &integer(&[version - 1])));
        }
        let serial = wish.serial.as_deref().map(hex);
        // 2^30 and more: four bytes, the first of which needs no zero before it
        let serial = serial.unwrap_or_else(|| self.serial.to_be_bytes().to_vec());
        parts.push(integer(&serial));
        parts.extend([
            algorithm(inside),
            issuer,
            validity(wish),
            subject.clone(),
            key.public.clone(),
        ]);
        if version == 3 {
            let extensions = self.extensions(wish, usual);
            parts.push(constructed(3, &sequence(&extensions)));
        }
        let der = signed(sequence(&parts), algorithm(signature), &wish.damage, |message| {
            signer.sign(signature, message)
        });
        Made { der, key, signed_by: by, subject, serial }
    }

    fn extensions(&self, wish: &Wish, usual: &Usual) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut put =
            |id: &str, critical, value: Vec<u8>| all.push(extension(id, critical, &value));
        let ca = wish.ca.or(usual.ca);
        if let Some(ca) = ca {
            let mut parts = Vec::new();
            if ca {
                parts.push(boolean(true));
            }
            parts.extend(wish.path_length.map(|length| integer(&[length])));
            put("2.5.29.19", true, sequence(&parts));
        }
        let listed = |listed: &Option<Vec<String>>, usual: &[&str]| match listed {
            Some(listed) => listed.clone(),
            None => usual.iter().map(|word| (*word).to_owned()).collect(),
        };
        let uses = listed(&wish.key_usage, usual.key_usage);
        if !uses.is_empty() {
            let bits: Vec<u8> = uses.iter().filter_map(|word| key_usage(word)).collect();
            put("2.5.29.15", true, named_bits(&bits));
        }
        let purposes = listed(&wish.purpose, usual.purpose);
        if !purposes.is_empty() {
            let ids: Vec<_> = purposes.iter().filter_map(|word| purpose(word)).map(oid).collect();
            put("2.5.29.37", false, sequence(&ids));
        }
        if !wish.san.is_empty() {
            put("2.5.29.17", wish.san_critical, element(0x30, &general_names(&wish.san)));
        }
        if !wish.permit.is_empty() || !wish.exclude.is_empty() {
            let subtrees = [(0, &wish.permit), (1, &wish.exclude)];
            let subtrees = subtrees.into_iter().filter(|(_, names)| !names.is_empty());
            let subtrees: Vec<_> = subtrees.map(|(number, names)| trees(number, names)).collect();
            put("2.5.29.30", true, sequence(&subtrees));
        }
        if let Some(name) = &wish.authority_key {
            let id = key_id(&self.authority(name).key);
            put("2.5.29.35", false, sequence(&[primitive(0, &id)]));
        }
        let raw = wish.extensions.iter();
        all.extend(raw.map(|raw| extension(&raw.oid, raw.critical, &hex(&raw.value))));
        all
    }
}

/// What a certificate says where its wish does not.
struct Usual {
    ca: Option<bool>,
    key_usage: &'static [&'static str],
    purpose: &'static [&'static str],
}

impl Usual {
    const CLIENT: Self = Self { ca: None, key_usage: &["digital-signature"], purpose: &["client"] };
    const AUTHORITY: Self =
        Self { ca: Some(true), key_usage: &["sign-certificates", "sign-crls"], purpose: &[] };
}

impl Wish {
    fn subject_der(&self) -> Vec<u8> {
        match (&self.subject, &self.cn) {
            (Some(subject), None) => distinguished_name(subject),
            (None, Some(text)) => common_name(text),
            (None, None) => common_name(&Text::Plain("dev".to_owned())),
            (Some(_), Some(_)) => panic!("either a subject or a cn"),
        }
    }
}

/// Signs what is to be signed, and puts it together with its damage.
pub fn signed(
    mut to_sign: Vec<u8>,
    algorithm: Vec<u8>,
    damage: &[Damage],
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Vec<u8> {
    let mut signature = sign(&to_sign);
    for damage in damage {
        match damage {
            Damage::SignatureByte => *signature.last_mut().unwrap() ^= 1,
            Damage::NoSignature => signature.clear(),
            Damage::Replace(old, new) => replace(&mut to_sign, old.as_bytes(), new.as_bytes()),
            _ => {}
        }
    }
    let mut der = sequence(&[to_sign, algorithm, bits(&signature)]);
    for damage in damage {
        match damage {
            Damage::Truncate(count) => der.truncate(der.len() - count),
            Damage::Append(bytes) => der.extend(hex(bytes)),
            Damage::LongLength => der = lengthened(&der),
            Damage::Instead(bytes) => der = hex(bytes),
            Damage::SignatureByte | Damage::NoSignature | Damage::Replace(..) => {}
        }
    }
    der
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    assert_eq!(old.len(), new.len());
    let at = bytes.windows(old.len()).position(|window| window == old).unwrap();
    bytes[at..at + new.len()].copy_from_slice(new);
}

fn lengthened(der: &[u8]) -> Vec<u8> {
    let inside = content(der);
    let length = u32::try_from(inside.len()).unwrap().to_be_bytes();
    [&[der[0], 0x83], &length[1..], inside].concat()
}

fn places(wish: &AuthorityWish) -> Vec<(String, usize)> {
    match wish.ladder.max(wish.copies) {
        0 => vec![(wish.name.clone(), 0)],
        many => (1..=many).map(|number| (format!("{}-{number}", wish.name), number)).collect(),
    }
}

pub fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(id)];
    if critical {
        parts.push(boolean(true));
    }
    parts.push(octets(value));
    sequence(&parts)
}

/// The number of a keyUsage bit; `nothing` is an extension without any.
fn key_usage(word: &str) -> Option<u8> {
    match word {
        "digital-signature" => Some(0),
        "key-encipherment" => Some(2),
        "key-agreement" => Some(4),
        "sign-certificates" => Some(5),
        "sign-crls" => Some(6),
        "nothing" => None,
        other => panic!("no key usage is called {other}"),
    }
}

/// The id of an extendedKeyUsage; `nothing` is an extension without any.
fn purpose(word: &str) -> Option<&'static str> {
    match word {
        "server" => Some("1.3.6.1.5.5.7.3.1"),
        "client" => Some("1.3.6.1.5.5.7.3.2"),
        "code" => Some("1.3.6.1.5.5.7.3.3"),
        "any" => Some("2.5.29.37.0"),
        "nothing" => None,
        other => panic!("no purpose is called {other}"),
    }
}

/// SHA-1 is what most do; any bytes that differ by key serve as well (RFC 5280, 4.2.1.2).
pub fn key_id(key: &Key) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &key.public);
    digest.as_ref()[..20].to_vec()
}

fn common_name(text: &Text) -> Vec<u8> {
    distinguished_name(&[Rdn::One(BTreeMap::from([("CN".to_owned(), text.clone())]))])
}

pub fn distinguished_name(rdns: &[Rdn]) -> Vec<u8> {
    let values = |map: &BTreeMap<String, Text>| -> Vec<Vec<u8>> {
        map.iter().map(|(kind, text)| attribute(kind, text)).collect()
    };
    let rdns: Vec<Vec<u8>> = rdns
        .iter()
        .map(|rdn| match rdn {
            Rdn::One(map) => set(&values(map)),
            Rdn::Several(maps) => set(&maps.iter().flat_map(values).collect::<Vec<_>>()),
        })
        .collect();
    sequence(&rdns)
}

fn attribute(kind: &str, text: &Text) -> Vec<u8> {
    let id = match kind {
        "CN" => "2.5.4.3",
        "O" => "2.5.4.10",
        "OU" => "2.5.4.11",
        "emailAddress" => "1.2.840.113549.1.9.1",
        other => panic!("no attribute is called {other}"),
    };
    let (tag, bytes) = text.encoded();
    sequence(&[oid(id), element(tag, &bytes)])
}

fn trees(number: u8, names: &[Name]) -> Vec<u8> {
    let trees: Vec<Vec<u8>> = names
        .iter()
        .map(|name| element(0x30, &general_names(std::slice::from_ref(name))))
        .collect();
    constructed(number, &trees.concat())
}

fn general_names(names: &[Name]) -> Vec<u8> {
    names.iter().flat_map(general_name).collect()
}

fn general_name(name: &Name) -> Vec<u8> {
    match name {
        Name::Email(text) => primitive(1, &text.encoded().1),
        Name::Dns(text) => primitive(2, &text.encoded().1),
        Name::Directory(name) => constructed(4, &distinguished_name(name)),
        Name::Uri(text) => primitive(6, &text.encoded().1),
        Name::Ip(text) => primitive(7, &address(text)),
        Name::Other(id, text) => {
            let value = constructed(0, &element(0x0c, text.as_bytes()));
            constructed(0, &[oid(id), value].concat())
        }
        Name::ManyDns(count) => (0..*count)
            .flat_map(|number| primitive(2, format!("n{number:06}.example.org").as_bytes()))
            .collect(),
        Name::Der(bytes) => hex(bytes),
    }
}

fn address(text: &str) -> Vec<u8> {
    if let Some(bytes) = text.strip_prefix("0x") {
        return hex(bytes);
    }
    let octets = |text: &str| match text.parse().unwrap() {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    text.split('/').flat_map(octets).collect()
}

fn validity(wish: &Wish) -> Vec<u8> {
    let usual = |days: &str| Moment::Days(days.to_owned());
    let from = wish.from.clone().unwrap_or_else(|| usual("-1d"));
    let until = wish.until.clone().unwrap_or_else(|| usual("+30d"));
    sequence(&[moment(&from), moment(&until)])
}

pub fn moment(moment: &Moment) -> Vec<u8> {
    match moment {
        Moment::Days(days) => {
            let days: i64 = days.strip_suffix('d').unwrap().parse().unwrap();
            let then = Timestamp::now() + (days * 24).hours();
            let text = TimeZone::UTC.to_datetime(then).strftime("%y%m%d%H%M%SZ").to_string();
            element(0x17, text.as_bytes())
        }
        Moment::Text(text) => match text.first_key_value().unwrap() {
            (kind, text) if kind == "utc" => element(0x17, text.as_bytes()),
            (kind, text) if kind == "generalized" => element(0x18, text.as_bytes()),
            (other, _) => panic!("no time is called {other}"),
        },
    }
}
