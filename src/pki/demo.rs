//! The demo authority: one CA, a server, a few clients, thirty days. Run again, it keeps what is good
//! and makes anew only what has run out or no longer says what is asked, so that the certificates in
//! somebody's shell go on working.

use super::bundle::{Bundle, Pems, private_directory, write_private};
use super::error::PkiError;
use super::say;
use crate::identity::{CertificateFacts, IdentityName};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// How long a demo certificate is good.
pub const VALIDITY: Duration = Duration::from_secs(30 * DAY);

const DAY: u64 = 24 * 60 * 60;
const CA_NAME: &str = "dockward demo CA";
const SERVER_NAME: &str = "dockward demo server";

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPki {
    /// The authority; its key stays in this bundle and is asked for when a certificate runs out.
    pub authority: Bundle,
    /// The server's bundle: `ca.pem` there is what its clients are verified with.
    pub server: Bundle,
    /// Each client's name and bundle, in the order asked for.
    pub clients: Vec<(IdentityName, Bundle)>,
}

/// The name by which the demo knows a client: `spiffe://dockward.demo/<role>/<name>`.
#[must_use]
pub fn client_uri(role: &str, name: &str) -> String {
    format!("spiffe://dockward.demo/{role}/{name}")
}

/// Makes a demo PKI in `directory`, or keeps the one that is there. A bundle is kept while it has
/// more than a day left, comes from the CA that is there, and names the same hosts or the same URI.
/// `clients` are pairs of a name and a URI.
///
/// # Errors
/// What cannot be written, a name or host that is none, and a bundle that was changed by hand: that
/// one is left alone and named.
pub fn make(
    directory: &Path,
    listen_hosts: &[String],
    clients: &[(&str, &str)],
) -> Result<DemoPki, PkiError> {
    let now = UNIX_EPOCH.elapsed().map_err(|_| PkiError::Clock)?.as_secs();
    make_at(now, directory, listen_hosts, clients)
}

fn make_at(
    now: u64,
    directory: &Path,
    listen_hosts: &[String],
    clients: &[(&str, &str)],
) -> Result<DemoPki, PkiError> {
    let server = Leaf::server(listen_hosts)?;
    let clients =
        clients.iter().map(|(name, uri)| client(name, uri)).collect::<Result<Vec<_>, _>>()?;
    private_directory(directory)?;
    keep_out_of_git(directory)?;
    let authority = Authority::open(now, directory.join("ca"))?;
    let server = authority.keep_or_issue(directory.join("server"), &server)?;
    let client_directory = directory.join("clients");
    private_directory(&client_directory)?;
    let clients = clients.into_iter().map(|(name, leaf)| {
        let bundle = authority.keep_or_issue(client_directory.join(name.as_str()), &leaf)?;
        Ok((name, bundle))
    });
    let clients = clients.collect::<Result<Vec<_>, PkiError>>()?;
    Ok(DemoPki { authority: authority.bundle, server, clients })
}

/// What a certificate shall say.
struct Leaf {
    common_name: String,
    alt_names: Vec<SanType>,
    usage: ExtendedKeyUsagePurpose,
}

impl Leaf {
    fn server(hosts: &[String]) -> Result<Self, PkiError> {
        let alt_names = hosts.iter().map(|host| say::host(host)).collect::<Result<_, _>>()?;
        let usage = ExtendedKeyUsagePurpose::ServerAuth;
        Ok(Self { common_name: SERVER_NAME.to_owned(), alt_names, usage })
    }

    fn client(name: &IdentityName, uri: &str) -> Result<Self, PkiError> {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        Ok(Self { common_name: name.to_string(), alt_names: vec![say::uri(uri)?], usage })
    }

    fn params(&self, now: u64, last: u64) -> CertificateParams {
        let mut params = params(now, last, &self.common_name);
        params.subject_alt_names.clone_from(&self.alt_names);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params.use_authority_key_identifier_extension = true;
        params
    }

    /// Whether a certificate says just this.
    fn is_said_by(&self, facts: &CertificateFacts) -> bool {
        let (mut uris, mut dns, mut ips) = (Vec::new(), Vec::new(), Vec::new());
        for name in &self.alt_names {
            match name {
                SanType::URI(uri) => uris.push(uri.to_string()),
                SanType::DnsName(name) => dns.push(name.to_string()),
                SanType::IpAddress(ip) => ips.push(ip.to_string()),
                _ => {}
            }
        }
        facts.common_names == [self.common_name.as_str()]
            && (&facts.uris, &facts.dns, &facts.ips) == (&uris, &dns, &ips)
    }
}

struct Authority {
    bundle: Bundle,
    certificate: String,
    /// Last second of its validity, since 1970.
    last: u64,
    now: u64,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn open(now: u64, directory: PathBuf) -> Result<Self, PkiError> {
        let bundle = Bundle { directory };
        if let Some(pems) = Pems::read(&bundle.directory)? {
            let (facts, key) = pems.parse(&bundle.directory)?;
            if !runs_out(now, &facts) {
                let last = facts.not_after.unsigned_abs();
                return Ok(Self::new(now, last, bundle, pems.certificate, key));
            }
        }
        Self::create(now, bundle)
    }

    fn create(now: u64, bundle: Bundle) -> Result<Self, PkiError> {
        let key = KeyPair::generate()?;
        let last = now.saturating_add(VALIDITY.as_secs());
        let certificate = authority_params(now, last).self_signed(&key)?.pem();
        let ca = certificate.clone();
        let pems = Pems { ca, certificate: certificate.clone(), key: key.serialize_pem() };
        pems.write(&bundle.directory)?;
        Ok(Self::new(now, last, bundle, certificate, key))
    }

    fn new(now: u64, last: u64, bundle: Bundle, certificate: String, key: KeyPair) -> Self {
        let issuer = Issuer::new(authority_params(now, last), key);
        Self { bundle, certificate, last, now, issuer }
    }

    fn keep_or_issue(&self, directory: PathBuf, leaf: &Leaf) -> Result<Bundle, PkiError> {
        let bundle = Bundle { directory };
        if let Some(pems) = Pems::read(&bundle.directory)? {
            let (facts, _) = pems.parse(&bundle.directory)?;
            let ours = pems.ca == self.certificate;
            if ours && leaf.is_said_by(&facts) && !runs_out(self.now, &facts) {
                return Ok(bundle);
            }
        }
        self.issue(leaf)?.write(&bundle.directory)?;
        Ok(bundle)
    }

    fn issue(&self, leaf: &Leaf) -> Result<Pems, PkiError> {
        let key = KeyPair::generate()?;
        let certificate = leaf.params(self.now, self.last).signed_by(&key, &self.issuer)?;
        let ca = self.certificate.clone();
        Ok(Pems { ca, certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

fn client(name: &str, uri: &str) -> Result<(IdentityName, Leaf), PkiError> {
    let parsed: IdentityName = name.parse().map_err(|_| PkiError::ClientName(name.to_owned()))?;
    let leaf = Leaf::client(&parsed, uri)?;
    Ok((parsed, leaf))
}

fn authority_params(now: u64, last: u64) -> CertificateParams {
    let mut params = params(now, last, CA_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A certificate for [`VALIDITY`], but not beyond `last`.
fn params(now: u64, last: u64, common_name: &str) -> CertificateParams {
    say::params(now, now.saturating_add(VALIDITY.as_secs()).min(last), common_name)
}

/// Whether it has run out or will within a day.
fn runs_out(now: u64, facts: &CertificateFacts) -> bool {
    i64::try_from(now.saturating_add(DAY)).map_or(true, |soon| facts.not_after <= soon)
}

/// A directory of keys inside somebody's working tree must not be committed by accident.
fn keep_out_of_git(directory: &Path) -> Result<(), PkiError> {
    let path = directory.join(".gitignore");
    if path.exists() { Ok(()) } else { write_private(&path, "*\n") }
}

#[cfg(test)]
mod tests;
