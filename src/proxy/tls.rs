//! TLS towards clients: 1.3, a client certificate under our own authority or no conversation.
//! dockerd once accepted every authority of the system (CVE-2018-12608); the file named here is the
//! only one that counts.

use super::credentials::{Credentials, SourceFile, TlsError, TrustFiles};
use super::trust::{NamedCertificate, Trust, Verifier};
use crate::digest::Sha256;
use crate::identity::expiry::{Dated, What};
use crate::problem::Problem;
use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Sessions that can be resumed, over all clients of a listener.
const SESSIONS: usize = 512;

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
        let chain = certificate.of_server()?;
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

    /// Why the files cannot be loaded at `now` (seconds since 1970): of each of them, and not of the first alone.
    #[must_use]
    pub fn faults(files: &Credentials, now: i64) -> Vec<TlsError> {
        let certificate = SourceFile::read(&files.certificate).and_then(|file| file.of_server());
        let key = SourceFile::read(&files.key).and_then(|file| file.key());
        let trust = Trust::read(files, now);
        let each = [certificate.err(), key.err(), trust.err()];
        let found: Vec<TlsError> = each.into_iter().flatten().collect();
        if found.is_empty() { Self::load(files, now).err().into_iter().collect() } else { found }
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

    /// Why a client would still be let in by this certificate of that issuer (DER) at `now` (seconds since 1970);
    /// `None` if it would be refused.
    #[must_use]
    pub fn still_believes(
        &self,
        issuer: &[u8],
        certificate: &NamedCertificate,
        now: i64,
    ) -> Option<Problem> {
        self.trust.still_believes(issuer, certificate, now)
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

fn warnings(files: &Credentials) -> Vec<String> {
    let Ok(is) = fs::metadata(&files.key) else {
        return Vec::new(); // reading it says so
    };
    let ours = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let advice = key_advice(is.mode(), (is.uid(), is.gid()), ours);
    advice.map(|advice| format!("{}: {advice}", files.key.display())).into_iter().collect()
}

/// What is wrong with who may read or write a private key of that user and group, and what to do so that we, user and
/// group too, can read it then as well.
fn key_advice(mode: u32, of: (u32, u32), ours: (u32, u32)) -> Option<String> {
    const GROUP_AND_OTHERS: u32 = 0o077;
    const MORE_THAN_READ_BY_GROUP: u32 = 0o037;
    // Root's file that a service reads by its group. Root may be looking on behalf of a service, whose group it
    // does not know: the file's is then the one that it was given.
    let given = if ours.0 == 0 { of.1 != 0 } else { of.1 == ours.1 };
    let of_service = of.0 == 0 && given;
    let too_much = if of_service { MORE_THAN_READ_BY_GROUP } else { GROUP_AND_OTHERS };
    if mode & too_much == 0 {
        return None;
    }
    let next = match () {
        () if of_service => "chmod 640 it".to_owned(),
        () if of.0 == ours.0 => "chmod 600 it".to_owned(),
        () => format!("chown it to root and group {}, and chmod 640 it", ours.1),
    };
    Some(format!("the private key is open to more than its owner and the gate, {next}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_on_a_key_leaves_it_readable() {
        const ROOT: (u32, u32) = (0, 0);
        const GATE: (u32, u32) = (998, 997);
        let roots_for_the_gate = (ROOT.0, GATE.1);
        for (mode, of, ours, advice) in [
            // as packaging has it, seen by the gate and by root
            (0o640, roots_for_the_gate, GATE, None),
            (0o640, roots_for_the_gate, ROOT, None),
            (0o440, roots_for_the_gate, GATE, None),
            (0o600, GATE, GATE, None),
            (0o600, ROOT, ROOT, None),
            (0o660, roots_for_the_gate, GATE, Some("chmod 640 it")),
            (0o644, roots_for_the_gate, GATE, Some("chmod 640 it")),
            (0o644, roots_for_the_gate, ROOT, Some("chmod 640 it")),
            (0o640, GATE, GATE, Some("chmod 600 it")),
            (0o640, ROOT, ROOT, Some("chmod 600 it")),
            (0o644, ROOT, ROOT, Some("chmod 600 it")),
            // by another group of ours, which others may be in
            (0o640, (0, 111), GATE, Some("chown it to root and group 997, and chmod 640 it")),
            (0o644, ROOT, GATE, Some("chown it to root and group 997, and chmod 640 it")),
            (0o640, (1000, 997), GATE, Some("chown it to root and group 997, and chmod 640 it")),
        ] {
            let said = key_advice(0o100_000 | mode, of, ours);
            let next =
                said.as_deref().and_then(|said| said.split_once("gate, ")).map(|(_, next)| next);
            assert_eq!(next, advice, "{mode:o} of {of:?} seen by {ours:?}");
        }
    }
}
