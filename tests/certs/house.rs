//! A directory with an authority in it, and the binary that works on it.

use dockward::facade::identity::CertificateFacts;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) struct House {
    scratch: tempfile::TempDir,
}

impl House {
    /// An empty place.
    pub(crate) fn empty() -> Self {
        Self { scratch: tempfile::tempdir().unwrap() }
    }

    /// With an authority for `gate.example` and 192.0.2.1, made with these arguments too.
    pub(crate) fn with(more: &[&str]) -> Self {
        let house = Self::empty();
        let hosts = ["init", "--host", "gate.example", "--host", "192.0.2.1"];
        house.does(&[&hosts, more].concat());
        house
    }

    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// A file of the authority.
    pub(crate) fn ca(&self, name: &str) -> PathBuf {
        self.path("pki").join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
        command.current_dir(self.scratch.path()).arg("certs").args(args);
        command.env_remove("DOCKWARD_CA_PASSPHRASE");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What it prints, and it must be done.
    pub(crate) fn does(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it complains of; nothing in the place may have changed.
    pub(crate) fn refuses(&self, args: &[&str]) -> String {
        let before = self.everything();
        let refused = self.refuses_after(args);
        assert_eq!(self.everything(), before, "{args:?}");
        refused
    }

    /// What it complains of, after it has put in order what a crash left.
    pub(crate) fn refuses_after(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Every file with its text, the lock left out.
    pub(crate) fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        walk(self.scratch.path(), &mut files);
        files.retain(|(path, _)| !path.ends_with(".lock"));
        files.sort();
        files
    }

    pub(crate) fn index(&self) -> Value {
        serde_json::from_slice(&fs::read(self.ca("index.json")).unwrap()).unwrap()
    }

    pub(crate) fn list(&self, more: &[&str]) -> Vec<Value> {
        let text = self.does(&[&["list", "--format", "json"], more].concat());
        serde_json::from_str(&text).unwrap()
    }

    /// The states of a client's certificates, oldest first.
    pub(crate) fn states(&self, name: &str) -> Vec<String> {
        let all = self.list(&["--all"]);
        let named = all.iter().filter(|entry| entry["name"] == name);
        named.map(|entry| entry["state"].as_str().unwrap().to_owned()).collect()
    }
}

fn walk(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, files),
            false => files.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The certificates of a PEM file.
pub(crate) fn chain(path: &Path) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_file_iter(path).unwrap().map(Result::unwrap).collect()
}

pub(crate) fn facts(path: &Path) -> CertificateFacts {
    CertificateFacts::read(&chain(path)[0]).unwrap()
}

/// What openssl prints; it must be content.
pub(crate) fn openssl(args: &[&str]) -> String {
    let output = Command::new("openssl").args(args).output().expect("openssl is there");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
