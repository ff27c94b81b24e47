//! TLS towards clients: 1.3, a client certificate under our own authority or no conversation.
//! dockerd once accepted every authority of the system (CVE-2018-12608); the file named here is the
//! only one that counts.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};

/// The files behind one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Our certificate chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The authority, or authorities, of client certificates, PEM.
    pub client_ca: PathBuf,
    /// Whether TLS 1.2 is accepted too.
    pub tls12: bool,
}

/// The TLS side of a listener. A reload replaces what the next handshakes use; connections that are
/// there keep what they have.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// Reads the files. Also returns what an operator should be warned of.
    ///
    /// # Errors
    /// Names the file and what to do.
    pub fn load(files: &Credentials) -> Result<(Self, Vec<String>), TlsError> {
        let config = configure(files)?;
        Ok((Self(Arc::new(ArcSwap::from_pointee(config))), warnings(files)))
    }

    /// Reads the files again, or others, for all handshakes from now on. Also returns warnings.
    ///
    /// # Errors
    /// As [`Tls::load`]; then everything stays as it was.
    pub fn reload(&self, files: &Credentials) -> Result<Vec<String>, TlsError> {
        self.0.store(Arc::new(configure(files)?));
        Ok(warnings(files))
    }

    /// Takes what another has loaded, for all handshakes from now on: this cannot fail, so that several
    /// listeners change together or not at all.
    pub fn adopt(&self, loaded: &Self) {
        self.0.store(loaded.config());
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.0.load_full()
    }
}

/// Why a listener cannot have TLS.
#[derive(Debug)]
pub enum TlsError {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// The file is not PEM.
    NotPem(PathBuf),
    /// No certificate in the file.
    NoCertificate(PathBuf),
    /// No private key in the file.
    NoKey(PathBuf),
    /// A certificate of the file that cannot be an authority.
    NotAnAuthority(PathBuf, rustls::Error),
    /// The key is not the one of the certificate.
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The TLS library does not take the certificate and key.
    Unusable(PathBuf, rustls::Error),
    /// The TLS library does not take the authorities.
    Verifier(PathBuf, String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) if error.kind() == io::ErrorKind::NotFound => {
                write!(f, "{}: no such file, create it or correct the path", path.display())
            }
            Self::Unreadable(path, error) => write!(
                f,
                "{}: cannot be read ({error}), let the user that dockward runs as read it",
                path.display()
            ),
            Self::NotPem(path) => {
                write!(f, "{}: damaged or not PEM, write it again as PEM", path.display())
            }
            Self::NoCertificate(path) => write!(
                f,
                "{}: no certificate inside, it needs at least one `BEGIN CERTIFICATE` block",
                path.display()
            ),
            Self::NoKey(path) => write!(
                f,
                "{}: no private key inside, it needs an unencrypted `BEGIN PRIVATE KEY` block",
                path.display()
            ),
            Self::NotAnAuthority(path, error) => write!(
                f,
                "{}: holds a certificate that cannot be an authority ({error}), remove it",
                path.display()
            ),
            Self::KeyMismatch { certificate, key } => write!(
                f,
                "{}: not the private key of {}, put the pair that belongs together",
                key.display(),
                certificate.display()
            ),
            Self::Unusable(path, error) => {
                write!(f, "{}: cannot be used ({error}), issue it again", path.display())
            }
            Self::Verifier(path, error) => write!(
                f,
                "{}: client certificates cannot be verified with it ({error}), put the certificate \
                 of the authority that issues them",
                path.display()
            ),
        }
    }
}

impl std::error::Error for TlsError {}

fn configure(files: &Credentials) -> Result<ServerConfig, TlsError> {
    const WITH_12: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
    const ONLY_13: &[&SupportedProtocolVersion] = &[&version::TLS13];
    let provider = Arc::new(aws_lc_rs::default_provider());
    let unusable = |error| TlsError::Unusable(files.certificate.clone(), error);
    let roots = Arc::new(authorities(&files.client_ca)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider))
        .build()
        .map_err(|error| TlsError::Verifier(files.client_ca.clone(), error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(if files.tls12 { WITH_12 } else { ONLY_13 })
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates(&files.certificate)?, key(&files.key)?)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            },
            other => unusable(other),
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // No resumption: a resumed session calls no verifier, so a certificate that has expired since
    // would still open the door. 0-RTT could be replayed.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority).map_err(|error| TlsError::NotAnAuthority(path.to_owned(), error))?;
    }
    Ok(roots)
}

/// The certificates of a PEM file, in order; one at least.
///
/// # Errors
/// Names the file and what to do.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|_| TlsError::NotPem(path.to_owned()))?;
    if found.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(found) }
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        PemError::NoItemsFound => TlsError::NoKey(path.to_owned()),
        _ => TlsError::NotPem(path.to_owned()),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Unreadable(path.to_owned(), error))
}

fn warnings(files: &Credentials) -> Vec<String> {
    let others = fs::metadata(&files.key).map_or(0, |meta| meta.permissions().mode() & 0o077);
    if others == 0 {
        return Vec::new();
    }
    let path = files.key.display();
    vec![format!("{path}: the private key is open to others than its owner, chmod 600 it")]
}
