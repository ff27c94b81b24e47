//! `dockward certs`: the authority for those who have none. Each command does its work in `pki::ca` and says
//! what comes next; whatever came from elsewhere works the same (`docs/certificates.md`).

pub mod args;
mod crl;
mod init;
mod issue;
mod list;
mod revoke;

use super::{Exit, Failure, clock};
use crate::pki::ca::{Ca, Passphrase};
use args::{AuthorityArgs, CertsCommand};
use std::fs;
use std::path::{Path, PathBuf};

/// The environment variable with the passphrase.
const PASSPHRASE: &str = "DOCKWARD_CA_PASSPHRASE";

/// Runs a subcommand.
///
/// # Errors
/// What keeps it from being run.
pub fn run(command: &CertsCommand) -> Result<Exit, Failure> {
    match command {
        CertsCommand::Init(args) => init::run(args),
        CertsCommand::Issue(args) => issue::issue(args),
        CertsCommand::Renew(args) => issue::renew(args),
        CertsCommand::Revoke(args) => revoke::run(args),
        CertsCommand::List(args) => list::run(args),
        CertsCommand::Crl(args) => crl::run(args),
    }
}

/// The authority, locked until it is dropped.
fn open(authority: &AuthorityArgs) -> Result<Ca, Failure> {
    let passphrase = passphrase(authority.passphrase_file.as_deref())?;
    Ok(Ca::open(&authority.place.dir, passphrase, clock::now()?)?)
}

/// From the file, else from the environment; never from the command line, which everybody can read.
pub(super) fn passphrase(file: Option<&Path>) -> Result<Option<Passphrase>, Failure> {
    if let Some(path) = file {
        let text = fs::read_to_string(path);
        let text =
            text.map_err(|e| Failure::new(format!("{}: {e}", path.display()), "correct the path"))?;
        return Ok(Some(Passphrase::new(&text)?));
    }
    match std::env::var(PASSPHRASE) {
        Ok(text) => Ok(Some(Passphrase::new(&text)?)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Failure::new(format!("{PASSPHRASE}: {error}"), "write it as UTF-8")),
    }
}

/// A path that still leads there from another directory.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error| Failure::new(format!("{}: {error}", path.display()), "correct the path");
    std::path::absolute(path).map_err(failed)
}

/// How this program is called again: by its name where it was found by it, else by its path.
pub(super) fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let by_path = called.to_string_lossy().contains('/');
    match std::env::current_exe() {
        Ok(path) if by_path => super::words::shell_path(&path),
        _ => "dockward".to_owned(),
    }
}
