//! TLS towards clients: 1.3, a client certificate under our own authority or no conversation.
//! dockerd once accepted every authority of the system (CVE-2018-12608); the file named here is the
//! only one that counts.

use super::trust::{Trust, Verifier};
use crate::digest::Sha256;
use crate::identity::expiry::{Dated, What};
use crate::problem::{Actionable, Problem};
use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sessions that can be resumed, over all clients of a listener.
const SESSIONS: usize = 512;

/// The files behind one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Our certificate chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authority, or authorities, of client certificates, PEM.
    pub client_ca: PathBuf,
    /// What they have revoked, PEM; without it nobody is asked.
    pub crl: Option<PathBuf>,
    /// Whether a revocation list still counts when it has ended.
    pub accept_expired_crl: bool,
    /// Serials, certificates and keys that are refused, one a line.
    pub deny: Option<PathBuf>,
    /// Whether TLS 1.2 is accepted too.
    pub tls12: bool,
}

impl Credentials {
    /// Every file, in a fixed order.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let always = [&self.certificate, &self.key, &self.client_ca];
        always.into_iter().chain(&self.crl).chain(&self.deny).map(PathBuf::as_path)
    }
}

/// A file as it was read, once.
#[derive(Debug)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl SourceFile {
    pub(super) fn read(path: &Path) -> Result<Self, TlsError> {
        let bytes = fs::read(path).map_err(|error| TlsError::Unreadable(path.to_owned(), error))?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// A file that says something else than it must.
    pub(super) fn damaged(&self, why: Problem) -> TlsError {
        TlsError::Damaged(self.path.clone(), why)
    }

    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let found = self.items()?;
        if found.is_empty() { Err(TlsError::NoCertificate(self.path.clone())) } else { Ok(found) }
    }

    /// Each of its PEM blocks that is of this kind.
    pub(super) fn items<T: PemObject>(&self) -> Result<Vec<T>, TlsError> {
        let found = T::pem_slice_iter(&self.bytes).collect::<Result<_, _>>();
        found.map_err(|_| TlsError::NotPem(self.path.clone()))
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            PemError::NoItemsFound => TlsError::NoKey(self.path.clone()),
            _ => TlsError::NotPem(self.path.clone()),
        })
    }

    /// Which file it was, and what stood in it.
    fn known(&self) -> (PathBuf, Sha256) {
        (self.path.clone(), Sha256::of(&self.bytes))
    }
}

/// The files that say whom a listener believes, as they were read.
#[derive(Debug)]
pub(super) struct TrustFiles {
    pub(super) authorities: SourceFile,
    pub(super) crl: Option<SourceFile>,
    pub(super) deny: Option<SourceFile>,
    pub(super) accept_expired_crl: bool,
}

impl TrustFiles {
    pub(super) fn read(files: &Credentials) -> Result<Self, TlsError> {
        Ok(Self {
            authorities: SourceFile::read(&files.client_ca)?,
            crl: files.crl.as_deref().map(SourceFile::read).transpose()?,
            deny: files.deny.as_deref().map(SourceFile::read).transpose()?,
            accept_expired_crl: files.accept_expired_crl,
        })
    }

    /// The revocation lists and the deny-list.
    fn lists(&self) -> impl Iterator<Item = &SourceFile> {
        self.crl.iter().chain(&self.deny)
    }
}

/// What the files of a listener said together at one moment.
#[derive(Debug)]
pub struct Secured {
    pub(super) server: Arc<ServerConfig>,
    pub(super) trust: Arc<Trust>,
    own: Vec<Dated>,
    files: Vec<(PathBuf, Sha256)>,
}

impl Secured {
    /// Reads the files; `now` is seconds since 1970. Also returns what an operator should be warned of.
    ///
    /// # Errors
    /// Names the file and what to do.
    pub fn load(files: &Credentials, now: i64) -> Result<(Self, Vec<String>), TlsError> {
        let certificate = SourceFile::read(&files.certificate)?;
        let key = SourceFile::read(&files.key)?;
        let believed = TrustFiles::read(files)?;
        let trust = Arc::new(Trust::load(&believed, now)?);
        let chain = certificate.certificates()?;
        let own = |der: &CertificateDer<'_>| {
            let path = Some(certificate.path.clone());
            Dated::of_certificate(What::ServerCertificate, path, der)
                .map_err(|_| TlsError::NotPem(certificate.path.clone()))
        };
        let own = chain.iter().map(own).collect::<Result<_, _>>()?;
        let server = Arc::new(configure(files, &trust, chain, key.key()?)?);
        let shown = [&certificate, &believed.authorities].into_iter().chain(believed.lists());
        let known = shown.map(SourceFile::known).collect();
        Ok((Self { server, trust, own, files: known }, warnings(files)))
    }

    /// The same with the revocation lists and the deny-list as they are now, and nothing else: `None` if there
    /// are none, if they cannot be read, or if the authorities are others than these.
    #[must_use]
    pub fn with_lists(&self, files: &Credentials, now: i64) -> Option<Self> {
        let believed = TrustFiles::read(files).ok()?;
        let is_known = |file: &(PathBuf, Sha256)| self.files.contains(file);
        let read: Vec<_> = believed.lists().map(SourceFile::known).collect();
        if !is_known(&believed.authorities.known()) || read.iter().all(is_known) {
            return None; // other authorities, or nothing new
        }
        let trust = Arc::new(Trust::load(&believed, now).ok()?);
        let others = self.files.iter().filter(|(path, _)| read.iter().all(|(new, _)| new != path));
        let files = others.cloned().chain(read.iter().cloned()).collect();
        Some(Self { server: Arc::clone(&self.server), trust, own: self.own.clone(), files })
    }

    /// The files and their SHA-256; the private key is not among them.
    #[must_use]
    pub fn files(&self) -> &[(PathBuf, Sha256)] {
        &self.files
    }

    /// Everything that ends some day: our own chain, the authorities, their lists.
    pub fn dated(&self) -> impl Iterator<Item = Dated> {
        self.own.iter().cloned().chain(self.trust.dated())
    }
}

/// The TLS side of a listener. What it has can be replaced: the next handshakes use the new, and whoever
/// is connected can be asked about again.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ArcSwap<Secured>>);

impl Tls {
    /// A side that begins with this.
    #[must_use]
    pub fn new(secured: Secured) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(secured)))
    }

    /// Takes what was loaded, for all handshakes from now on: this cannot fail, so that several listeners
    /// change together or not at all.
    pub fn adopt(&self, loaded: Secured) {
        self.0.store(Arc::new(loaded));
    }

    /// What is in force.
    #[must_use]
    pub fn secured(&self) -> Arc<Secured> {
        self.0.load_full()
    }
}

/// Why a listener cannot have TLS.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum TlsError {
    /// The file cannot be read.
    Unreadable(PathBuf, #[source] io::Error),
    /// The file is not PEM.
    NotPem(PathBuf),
    /// No certificate in the file.
    NoCertificate(PathBuf),
    /// No private key in the file.
    NoKey(PathBuf),
    /// A certificate of the file that cannot be an authority.
    NotAnAuthority(PathBuf, String),
    /// The key is not the one of the certificate.
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The TLS library does not take the certificate and key.
    Unusable(PathBuf, #[source] rustls::Error),
    /// The file says something else than it must.
    Damaged(PathBuf, Problem),
}

impl Actionable for TlsError {
    fn problem(&self) -> Problem {
        let of = |path: &PathBuf, what: String, next: &'static str| {
            Problem::new(what, next).at(path.display())
        };
        match self {
            Self::Unreadable(path, error) if error.kind() == io::ErrorKind::NotFound => {
                of(path, "no such file".into(), "create it or correct the path")
            }
            Self::Unreadable(path, error) => of(
                path,
                format!("cannot be read ({error})"),
                "let the user that dockward runs as read it",
            ),
            Self::NotPem(path) => of(path, "damaged or not PEM".into(), "write it again as PEM"),
            Self::NoCertificate(path) => of(
                path,
                "no certificate inside".into(),
                "it needs at least one `BEGIN CERTIFICATE` block",
            ),
            Self::NoKey(path) => of(
                path,
                "no private key inside".into(),
                "it needs an unencrypted `BEGIN PRIVATE KEY` block",
            ),
            Self::NotAnAuthority(path, error) => of(
                path,
                format!("holds a certificate that cannot be an authority ({error})"),
                "remove it",
            ),
            Self::KeyMismatch { certificate, key } => of(
                key,
                format!("not the private key of {}", certificate.display()),
                "put the pair that belongs together",
            ),
            Self::Unusable(path, error) => {
                of(path, format!("cannot be used ({error})"), "issue it again")
            }
            Self::Damaged(path, why) => why.clone().at(path.display()),
        }
    }
}

fn configure(
    files: &Credentials,
    trust: &Arc<Trust>,
    certificate: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    const WITH_12: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
    const ONLY_13: &[&SupportedProtocolVersion] = &[&version::TLS13];
    let unusable = |error| TlsError::Unusable(files.certificate.clone(), error);
    let verifier = Arc::new(Verifier(Arc::clone(trust)));
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(if files.tls12 { WITH_12 } else { ONLY_13 })
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificate, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            },
            other => unusable(other),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session calls no verifier: whoever comes by one is asked about after the handshake, and
    // what was loaded anew has a store of its own. 0-RTT could be replayed.
    config.session_storage = ServerSessionMemoryCache::new(SESSIONS);
    config.send_tls13_tickets = 1;
    config.max_early_data_size = 0;
    Ok(config)
}

/// The certificates of a PEM file, in order; one at least.
///
/// # Errors
/// Names the file and what to do.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    SourceFile::read(path)?.certificates()
}

fn warnings(files: &Credentials) -> Vec<String> {
    let others = fs::metadata(&files.key).map_or(0, |meta| meta.permissions().mode() & 0o077);
    if others == 0 {
        return Vec::new();
    }
    let path = files.key.display();
    vec![format!("{path}: the private key is open to others than its owner, chmod 600 it")]
}
