//! The files behind a listener, as they are read: certificate, key, authorities, revocation lists, deny-list.
//! Each is read once, so that what is told of it is what counted.

use crate::digest::Sha256;
use crate::problem::{Actionable, Problem};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use x509_parser::prelude::{FromDer as _, X509Certificate};

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

    /// The chain that we show: its first certificate must be one that clients take for a server's.
    pub(super) fn of_server(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let chain = self.certificates()?;
        match chain.first().is_some_and(|leaf| is_for_servers(leaf)) {
            true => Ok(chain),
            false => Err(TlsError::NotForServers(self.path.clone())),
        }
    }

    /// Each of its PEM blocks that is of this kind.
    pub(super) fn items<T: PemObject>(&self) -> Result<Vec<T>, TlsError> {
        let found = T::pem_slice_iter(&self.bytes).collect::<Result<_, _>>();
        found.map_err(|_| TlsError::NotPem(self.path.clone()))
    }

    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| match error {
            PemError::NoItemsFound => TlsError::NoKey(self.path.clone()),
            _ => TlsError::NotPem(self.path.clone()),
        })
    }

    /// Which file it was, and what stood in it.
    pub(super) fn known(&self) -> (PathBuf, Sha256) {
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
    pub(super) fn lists(&self) -> impl Iterator<Item = &SourceFile> {
        self.crl.iter().chain(&self.deny)
    }
}

/// The certificates of a PEM file, in order; one at least.
///
/// # Errors
/// Names the file and what to do.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    SourceFile::read(path)?.certificates()
}

/// Whether it says that it is for servers, or nothing of what it is for. What cannot be read is refused elsewhere, with
/// better words.
fn is_for_servers(leaf: &[u8]) -> bool {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else { return true };
    let purposes = leaf.extended_key_usage();
    purposes.is_ok_and(|said| said.is_none_or(|said| said.value.server_auth))
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
    /// Our own certificate says that it is for something else than servers.
    NotForServers(PathBuf),
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
            Self::NotForServers(path) => of(
                path,
                "its first certificate is not for servers, and clients refuse it".into(),
                "issue one with the extended key usage serverAuth",
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
