//! Making an authority: all of its files at once, or none.

use super::super::bundle::private_directory;
use super::super::error::PkiError;
use super::authority::{Authority, Which};
use super::index::{CertificateKind, CrlNumbers, Index, VERSION};
use super::issue::{Leaf, entry};
use super::keys::{self, KeyKind};
use super::layout;
use super::lists;
use super::names::{self, PermittedNames, with_local};
use super::sealed::Passphrase;
use super::store::{NewFile, Store};
use jiff::Timestamp;
use std::path::Path;

/// What the authority is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How clients reach the gate: names and addresses, the first of them first. The local ones are
    /// added.
    pub hosts: Vec<String>,
    /// More DNS names, with all below them, that may be signed for.
    pub permit_dns: Vec<String>,
    /// The kind of keys.
    pub key: KeyKind,
    /// What stands behind `spiffe://` in the URI of a client.
    pub trust_domain: String,
    /// How long a revocation list is good, in days.
    pub crl_days: u32,
    /// `HOST:PORT` by which clients reach the gate.
    pub endpoint: String,
    /// The policy to start with, for a directory that has none; left out: it stands elsewhere.
    pub policy: Option<String>,
}

/// An authority that is there now.
#[derive(Debug)]
pub struct Made {
    /// Its index.
    pub index: Index,
    /// Whether this finished what another `init` had begun, with the plan of that one.
    pub finished: bool,
}

/// Makes an authority in a directory. With a passphrase, the keys of the authorities are encrypted; the
/// server's is not, since the gate reads it.
///
/// # Errors
/// There is one, or a file by the name of one of its files: nothing is changed.
pub fn init(
    directory: &Path,
    plan: &Plan,
    passphrase: Option<&Passphrase>,
    now: Timestamp,
) -> Result<Made, PkiError> {
    let now = Timestamp::from_second(now.as_second()).map_err(|_| PkiError::Clock)?;
    let trust_domain = names::trust_domain(&plan.trust_domain)?;
    let permitted = PermittedNames::of(&plan.hosts, &plan.permit_dns)?;
    let index = Index {
        version: VERSION,
        trust_domain,
        endpoint: plan.endpoint.clone(),
        key: plan.key,
        permitted,
        crl_days: plan.crl_days,
        crl_number: CrlNumbers::default(),
        certificates: Vec::new(),
    };
    private_directory(directory)?;
    let was_there = directory.join(layout::INDEX).exists();
    let store = Store::lock(directory)?;
    if let Some(index) = store.index()? {
        return match was_there {
            true => Err(PkiError::Exists(store.path(layout::INDEX))),
            false => Ok(Made { index, finished: true }),
        };
    }
    if let Some(there) = layout::OURS.iter().map(|name| store.path(name)).find(|p| p.exists()) {
        return Err(PkiError::Exists(there));
    }
    let (index, files) = make(&store, index, plan, passphrase, now)?;
    store.commit(&index, files)?;
    Ok(Made { index, finished: false })
}

fn make(
    store: &Store,
    mut index: Index,
    plan: &Plan,
    passphrase: Option<&Passphrase>,
    now: Timestamp,
) -> Result<(Index, Vec<NewFile>), PkiError> {
    let root = Authority::root(now, plan.key.generate()?)?;
    let (issuing, certificate) = root.issuing(now, plan.key.generate()?, &index.permitted)?;
    index.certificates.push(entry(CertificateKind::Authority, &certificate, now)?);
    let leaf = Leaf::server(&with_local(&plan.hosts), &index.permitted)?;
    let (_, server) = leaf.certify_server(&mut index, now, None, &issuing)?;
    let (of_issuing, _) = lists::sign(&mut index, &issuing, Which::Issuing, now)?;
    let (of_root, _) = lists::sign(&mut index, &root, Which::Root, now)?;
    let mut files = vec![
        NewFile::public(layout::ROOT, root.pem.clone()),
        NewFile::secret(layout::ROOT_KEY, keys::text(root.issuer.key(), passphrase)?),
        NewFile::public(layout::ISSUING, issuing.pem.clone()),
        NewFile::secret(layout::ISSUING_KEY, keys::text(issuing.issuer.key(), passphrase)?),
        NewFile::public(layout::CLIENT_CA, issuing.pem.clone() + &root.pem),
        NewFile::public(layout::CRL, of_issuing + &of_root),
    ];
    files.extend(server);
    let policy = plan.policy.clone().map(|text| NewFile::public(layout::POLICY, text));
    let kept = policy.into_iter().chain([NewFile::public(layout::GITIGNORE, "*\n".to_owned())]);
    files.extend(kept.filter(|file| !store.path(file.name).exists()));
    Ok((index, files))
}
