//! Issuing. The index says first what will exist, then it is handed out: whatever a crash cuts short,
//! nothing is in anybody's hands that cannot be found and revoked. What a crash can leave is an entry
//! without a certificate, which harms nobody; issue again.

use super::super::bundle::{Bundle, parent, private_directory};
use super::super::error::PkiError;
use super::authority::{self, Authority, Which, moment, seconds};
use super::index::{CertificateKind, Index, IndexEntry};
use super::layout;
use super::lifetime::{DAY, Lifetime};
use super::names::{self, PermittedNames};
use super::open::Ca;
use super::request;
use super::serial::Serial;
use super::store::{self, NewFile};
use crate::identity::{CertificateFacts, IdentityName};
use jiff::Timestamp;
use rcgen::{
    Certificate, ExtendedKeyUsagePurpose, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use std::path::{Path, PathBuf};

/// How long a client's certificate is good when nobody says otherwise.
const CLIENT_LIFE: Lifetime = Lifetime::of_seconds(30 * DAY);
/// The same of the gate's own.
const SERVER_LIFE: Lifetime = Lifetime::of_seconds(365 * DAY);

/// The common name of the gate's certificate. No client can have it: it is no name of an identity.
const SERVER_NAME: &str = "dockward server";

/// What a client's certificate shall say.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The name: common name, last part of the URI.
    pub name: IdentityName,
    /// The URI; left out: `spiffe://TRUST_DOMAIN/NAME`.
    pub uri: Option<String>,
    /// DNS names.
    pub dns: Vec<String>,
    /// Addresses for mail.
    pub emails: Vec<String>,
    /// How long it is good; left out: 30 days, or as long as the issuing CA.
    pub lifetime: Option<Lifetime>,
}

impl Wish {
    /// A client of this name, and all else as usual.
    #[must_use]
    pub const fn of(name: IdentityName) -> Self {
        Self { name, uri: None, dns: Vec::new(), emails: Vec::new(), lifetime: None }
    }
}

/// How a client gets its certificate.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// With a new key, in a directory for `DOCKER_CERT_PATH`.
    Bundle(PathBuf),
    /// For the key of a signing request.
    Request {
        /// The request, PEM.
        csr: PathBuf,
        /// Where the certificate goes, with that of the issuing CA.
        out: PathBuf,
    },
}

/// A certificate that was issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// What the index says of it.
    pub entry: IndexEntry,
    /// What clients verify the gate with.
    pub ca: PathBuf,
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key, unless that stayed where the request came from.
    pub key: Option<PathBuf>,
    /// What the request asks for and was not given.
    pub not_given: Vec<String>,
}

impl Ca {
    /// Issues a client's certificate.
    ///
    /// # Errors
    /// What cannot be said, signed or written, and a place where something is already.
    pub fn issue(&mut self, wish: &Wish, delivery: &Delivery) -> Result<Issued, PkiError> {
        let leaf = Leaf::client(wish, &self.index.trust_domain, &self.index.permitted)?;
        let place = delivery.place();
        if place.symlink_metadata().is_ok() {
            return Err(PkiError::Exists(place.to_owned()));
        }
        self.deliver(&leaf, wish.lifetime, CLIENT_LIFE, delivery)
    }

    /// Issues the gate's certificate for these hosts and puts it in the place of the one that is there.
    /// `endpoint` is by which of them clients reach it from now on, if that changes.
    ///
    /// # Errors
    /// A host that the issuing CA may not sign for, or what cannot be written.
    pub fn issue_server(
        &mut self,
        hosts: &[String],
        lifetime: Option<Lifetime>,
        endpoint: Option<String>,
    ) -> Result<Issued, PkiError> {
        let leaf = Leaf::server(hosts, &self.index.permitted)?;
        let issuing = self.issuing()?;
        let (entry, files) = leaf.certify_server(&mut self.index, self.now, lifetime, &issuing)?;
        self.index.endpoint = endpoint.unwrap_or_else(|| self.index.endpoint.clone());
        self.store.commit(&self.index, files.into())?;
        Ok(Issued {
            entry,
            ca: self.path(layout::ROOT),
            certificate: self.path(layout::SERVER),
            key: Some(self.path(layout::SERVER_KEY)),
            not_given: Vec::new(),
        })
    }

    /// Signs, records, and only then writes; over what is there, which the caller has looked at.
    pub(super) fn deliver(
        &mut self,
        leaf: &Leaf,
        lifetime: Option<Lifetime>,
        usual: Lifetime,
        delivery: &Delivery,
    ) -> Result<Issued, PkiError> {
        let issuing = self.issuing()?;
        let until = leaf.until(self.now, lifetime, usual, &issuing)?;
        let now = self.now;
        match delivery {
            Delivery::Bundle(directory) => {
                // before anything is recorded: here it fails for want of a right or a directory
                parent(directory).map_or(Ok(()), private_directory)?;
                let key = self.index.key.generate()?;
                let certificate = leaf.sign(now, until, &issuing, &key)?;
                let (entry, chain) = self.record(&certificate, &issuing)?;
                let bundle = Bundle { directory: directory.clone() };
                bundle.write([self.root()?, chain, key.serialize_pem()])?;
                let (ca, certificate, key) =
                    (bundle.ca(), bundle.certificate(), Some(bundle.key()));
                Ok(Issued { entry, ca, certificate, key, not_given: Vec::new() })
            }
            Delivery::Request { csr, out } => {
                let request = request::read(csr)?;
                let certificate = leaf.sign(now, until, &issuing, &request.key)?;
                let (entry, chain) = self.record(&certificate, &issuing)?;
                store::write_public(out, &chain)?;
                let (said, mut not_given) = (leaf.words(), request.asks);
                not_given.retain(|asked| !said.contains(asked));
                let ca = self.path(layout::ROOT);
                Ok(Issued { entry, ca, certificate: out.clone(), key: None, not_given })
            }
        }
    }

    /// Puts a client's certificate in the index; what it says of it, and the chain to hand out.
    fn record(
        &mut self,
        certificate: &Certificate,
        issuing: &Authority,
    ) -> Result<(IndexEntry, String), PkiError> {
        let entry = entry(CertificateKind::Client, certificate, self.now)?;
        self.index.certificates.push(entry.clone());
        self.store.commit(&self.index, Vec::new())?;
        Ok((entry, certificate.pem() + &issuing.pem))
    }

    fn issuing(&self) -> Result<Authority, PkiError> {
        if self.index.issuing_is_revoked() {
            return Err(PkiError::IssuingRevoked);
        }
        let issuing = Authority::load(&self.store, Which::Issuing, self.passphrase.as_ref())?;
        if issuing.until <= self.now { Err(PkiError::IssuingExpired) } else { Ok(issuing) }
    }

    pub(super) fn root(&self) -> Result<String, PkiError> {
        let path = self.path(layout::ROOT);
        std::fs::read_to_string(&path).map_err(PkiError::io(&path))
    }
}

impl Delivery {
    /// What must not be there yet.
    pub(super) fn place(&self) -> &Path {
        match self {
            Self::Bundle(directory) => directory,
            Self::Request { out, .. } => out,
        }
    }
}

/// What a certificate shall say.
pub(super) struct Leaf {
    common_name: String,
    alt_names: Vec<SanType>,
    usage: ExtendedKeyUsagePurpose,
}

impl Leaf {
    pub(super) fn client(
        wish: &Wish,
        trust_domain: &str,
        permitted: &PermittedNames,
    ) -> Result<Self, PkiError> {
        let usual = || format!("spiffe://{trust_domain}/{}", wish.name);
        let mut alt_names = vec![names::uri(&wish.uri.clone().unwrap_or_else(usual))?];
        for name in &wish.dns {
            match permitted.host(name)? {
                SanType::IpAddress(_) => return Err(PkiError::Host(name.clone())),
                name => alt_names.push(name),
            }
        }
        for address in &wish.emails {
            alt_names.push(names::email(address)?);
        }
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        Ok(Self { common_name: wish.name.to_string(), alt_names, usage })
    }

    pub(super) fn server(hosts: &[String], permitted: &PermittedNames) -> Result<Self, PkiError> {
        let alt_names = hosts.iter().map(|host| permitted.host(host)).collect::<Result<_, _>>()?;
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        Ok(Self { common_name: SERVER_NAME.to_owned(), alt_names, usage })
    }

    /// Makes the gate's certificate, puts it in the index, and gives its two files.
    pub(super) fn certify_server(
        &self,
        index: &mut Index,
        now: Timestamp,
        lifetime: Option<Lifetime>,
        issuing: &Authority,
    ) -> Result<(IndexEntry, [NewFile; 2]), PkiError> {
        let until = self.until(now, lifetime, SERVER_LIFE, issuing)?;
        let key = index.key.generate()?;
        let certificate = self.sign(now, until, issuing, &key)?;
        let entry = entry(CertificateKind::Server, &certificate, now)?;
        index.certificates.push(entry.clone());
        let files = [
            NewFile::public(layout::SERVER, certificate.pem() + &issuing.pem),
            NewFile::secret(layout::SERVER_KEY, key.serialize_pem()),
        ];
        Ok((entry, files))
    }

    /// The end of its validity: as asked for, which must be before the authority's, or the usual, cut to
    /// it.
    fn until(
        &self,
        now: Timestamp,
        asked: Option<Lifetime>,
        usual: Lifetime,
        issuing: &Authority,
    ) -> Result<Timestamp, PkiError> {
        let life = asked.unwrap_or(usual).seconds();
        let until = moment(seconds(now)?.saturating_add(life));
        match (asked, until) {
            (_, Ok(until)) if until <= issuing.until => Ok(until),
            (Some(_), _) => Err(PkiError::TooLong(issuing.until)),
            (None, _) => Ok(issuing.until),
        }
    }

    fn sign(
        &self,
        now: Timestamp,
        until: Timestamp,
        issuing: &Authority,
        key: &impl PublicKeyData,
    ) -> Result<Certificate, PkiError> {
        let mut params = authority::named(seconds(now)?, seconds(until)?, &self.common_name);
        params.serial_number = Some(SerialNumber::from_slice(&Serial::random()?.bytes()));
        params.subject_alt_names.clone_from(&self.alt_names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(key, &issuing.issuer)?)
    }

    /// What it says, in the words of a request.
    fn words(&self) -> Vec<String> {
        let names = self.alt_names.iter().map(|name| match name {
            SanType::URI(uri) => format!("URI:{uri}"),
            SanType::DnsName(name) => format!("DNS:{name}"),
            SanType::Rfc822Name(email) => format!("email:{email}"),
            SanType::IpAddress(ip) => format!("IP:{ip}"),
            _ => String::new(),
        });
        names.chain([format!("CN={}", self.common_name)]).collect()
    }
}

/// What the index says of a certificate: read from its DER, so that it is what it says.
pub(super) fn entry(
    kind: CertificateKind,
    certificate: &Certificate,
    now: Timestamp,
) -> Result<IndexEntry, PkiError> {
    let facts = CertificateFacts::read(certificate.der()).map_err(|_| PkiError::Clock)?;
    Ok(IndexEntry {
        serial: facts.serial.parse()?,
        kind,
        name: facts.common_names.into_iter().next().unwrap_or_default(),
        uris: facts.uris,
        dns: facts.dns,
        emails: facts.emails,
        ips: facts.ips.iter().filter_map(|ip| ip.parse().ok()).collect(),
        issued: now,
        until: Timestamp::from_second(facts.not_after).map_err(|_| PkiError::Clock)?,
        fingerprint: facts.sha256,
        revoked: None,
    })
}
