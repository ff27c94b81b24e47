//! What may never be mounted into a container, whatever a profile says: what makes the gate a gate and
//! the daemon the daemon. Who can write there decides for himself, and who can read there holds keys.

use super::mounts::{Location, Mounts};
use crate::config::{Config, DAEMON_PLACES};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The gate's own places, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatePaths {
    /// The directories of the policy's files, issuers' keys among them.
    pub config: Vec<PathBuf>,
    /// The audit log's directory.
    pub audit: PathBuf,
    /// The directories of keys, certificates, authorities and lists.
    pub pki: Vec<PathBuf>,
    /// The gate's own socket.
    pub control: Option<PathBuf>,
    /// Links on the way to all those files: whoever turns one of them chooses the file.
    pub links: Vec<PathBuf>,
}

impl GatePaths {
    /// Those of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        fn parents<'f>(files: impl Iterator<Item = &'f PathBuf>) -> Vec<PathBuf> {
            files.flat_map(|file| directories(file)).collect::<BTreeSet<_>>().into_iter().collect()
        }
        let issuers = config.key_sets.iter().map(|set| &set.path);
        let keys = config.listen.iter().filter_map(|listen| listen.tls()).flat_map(|tls| {
            let always = [&tls.certificate, &tls.key, &tls.client_ca];
            always.into_iter().chain(&tls.crl).chain(&tls.deny)
        });
        let (keys, policy) = (keys.collect::<Vec<_>>(), config.files.iter().chain(issuers));
        let policy: Vec<_> = policy.collect();
        let links: BTreeSet<_> =
            keys.iter().chain(&policy).flat_map(|file| links_to(file)).collect();
        Self {
            config: parents(policy.into_iter()),
            audit: config.audit.directory.clone(),
            pki: parents(keys.into_iter()),
            control: config.control.clone(),
            links: links.into_iter().collect(),
        }
    }
}

/// The directory of a file, and where the file is a link that leads out of it, the one that it leads to.
fn directories(file: &Path) -> Vec<PathBuf> {
    let Some(named) = file.parent() else { return Vec::new() };
    let within = fs::canonicalize(named).unwrap_or_else(|_| named.to_owned());
    let real = fs::canonicalize(file).ok();
    let real = real.as_deref().and_then(Path::parent).filter(|real| !real.starts_with(&within));
    [Some(named), real].into_iter().flatten().map(Path::to_owned).collect()
}

/// How many links Linux follows on the way to one file (path_resolution(7)).
const LINKS_MAX: usize = 40;

/// Each link on the way to a file, where it really lies; as far as can be seen.
fn links_to(file: &Path) -> Vec<PathBuf> {
    let (mut links, mut here) = (Vec::new(), PathBuf::from("/"));
    let parts = |path: &Path| -> Vec<OsString> { path.iter().rev().map(OsString::from).collect() };
    let mut ahead = parts(file);
    while let Some(name) = ahead.pop() {
        if name == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&name); // of `/` the root itself
        match fs::read_link(&next) {
            Ok(leads) if links.len() < LINKS_MAX => {
                ahead.extend(parts(&leads));
                links.push(next);
            }
            _ => here = next,
        }
    }
    links
}

/// Every path that may not be mounted, nor anything in it, nor anything that holds it. `data_root` is
/// `DockerRootDir` of the daemon's `/info`, where it is known. Each is listed as written and, where
/// that differs, as it is once links are followed.
#[must_use]
pub fn protected(gate: &GatePaths, daemon_socket: &Path, data_root: Option<&Path>) -> Vec<PathBuf> {
    let files = gate.config.iter().chain(&gate.pki).map(PathBuf::as_path);
    let links = gate.links.iter().cloned();
    let gate = files.chain([gate.audit.as_path()]).chain(gate.control.as_deref());
    let daemon = data_root.into_iter().chain([daemon_socket]);
    let written = gate.chain(daemon).chain(DAEMON_PLACES.iter().map(Path::new));
    let mut all: Vec<PathBuf> = written.flat_map(spellings).chain(links).collect();
    all.sort();
    all.dedup();
    all
}

/// A path that is asked for, with all that tells what a mount of it would show.
pub(super) struct MountedPath<'a> {
    path: &'a Path,
    /// Where it is, and where everything is that is mounted under it.
    locations: Vec<Location>,
    /// It, then each directory that holds it.
    chain: Vec<Inode>,
}

type Inode = (u64, u64);

impl<'a> MountedPath<'a> {
    pub(super) fn at(path: &'a Path, daemon: &Mounts) -> Self {
        let locations = daemon.location(path).into_iter().chain(daemon.beneath(path)).collect();
        Self { path, locations, chain: chain(path) }
    }

    /// Whether the two are one, or one holds the other: by name, by place, or by inode.
    pub(super) fn shows(&self, kept: &Path, views: [&Mounts; 2]) -> bool {
        let by_name = self.path.starts_with(kept) || kept.starts_with(self.path);
        by_name || self.is_in_place_of(kept, views) || self.is_inode_of(kept)
    }

    fn is_in_place_of(&self, kept: &Path, views: [&Mounts; 2]) -> bool {
        let mut places = views.into_iter().filter_map(|view| view.location(kept));
        places.any(|place| self.locations.iter().any(|location| location.overlaps(&place)))
    }

    /// The same node under another name: it is (in) the kept one, or the kept one is in it.
    fn is_inode_of(&self, kept: &Path) -> bool {
        let kept = chain(kept);
        let is_in =
            |inner: &[Inode], outer: &[Inode]| outer.first().is_some_and(|o| inner.contains(o));
        is_in(&self.chain, &kept) || is_in(&kept, &self.chain)
    }
}

/// The inodes of a path and of what holds it; empty where the path itself cannot be seen.
fn chain(path: &Path) -> Vec<Inode> {
    let nodes = path.ancestors().map(|p| fs::symlink_metadata(p).map(|m| (m.dev(), m.ino())).ok());
    nodes.collect::<Option<_>>().unwrap_or_default()
}

fn spellings(path: &Path) -> [PathBuf; 2] {
    let clean: PathBuf = path.components().collect();
    let real = fs::canonicalize(path).unwrap_or_else(|_| clean.clone());
    [clean, real]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Vec<PathBuf> {
        let config = [PathBuf::from("/etc/dockward/")];
        let pki = [PathBuf::from("/etc/dockward/pki")];
        let gate = GatePaths {
            config: config.to_vec(),
            audit: PathBuf::from("/var/log/dockward"),
            pki: pki.to_vec(),
            control: Some(PathBuf::from("/srv/gate/control.sock")),
            links: vec![PathBuf::from("/mid/key")],
        };
        protected(&gate, Path::new("/run/other.sock"), Some(Path::new("/data/docker")))
    }

    fn touched(path: &str, mounts: &Mounts) -> Option<PathBuf> {
        let kept = kept();
        let seen = MountedPath::at(Path::new(path), mounts);
        kept.into_iter().find(|kept| seen.shows(kept, [mounts, mounts]))
    }

    #[test]
    fn where_a_link_leads_out_of_its_directory_both_are_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().canonicalize().unwrap().join(name);
        for directory in ["etc", "etc/v1", "store"] {
            fs::create_dir(at(directory)).unwrap();
        }
        for file in ["store/policy", "etc/v1/key"] {
            fs::write(at(file), "").unwrap();
        }
        std::os::unix::fs::symlink(at("store/policy"), at("etc/policy")).unwrap();
        std::os::unix::fs::symlink("v1/key", at("etc/key")).unwrap();
        assert_eq!(directories(&at("etc/policy")), [at("etc"), at("store")]);
        assert_eq!(directories(&at("etc/key")), [at("etc")], "a link that turns within stays one");
        assert_eq!(directories(&at("etc/absent")), [at("etc")]);
    }

    #[test]
    fn every_link_on_the_way_to_a_file_is_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().canonicalize().unwrap().join(name);
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        for directory in ["etc", "mid", "real"] {
            fs::create_dir(at(directory)).unwrap();
        }
        fs::write(at("real/key"), "").unwrap();
        link("../mid/key", "etc/key");
        link(at("way").join("key").to_str().unwrap(), "mid/key");
        link("real", "way");
        assert_eq!(links_to(&at("etc/key")), [at("etc/key"), at("mid/key"), at("way")]);
        assert_eq!(links_to(&at("real/key")), Vec::<PathBuf>::new());
        link("self", "self");
        assert_eq!(links_to(&at("self")).len(), LINKS_MAX, "a circle has an end");
    }

    const PLAIN: &str = "22 1 999:1 / / rw - ext4 /dev/x rw\n";

    fn mounts(more: &str) -> Mounts {
        Mounts::parse(format!("{PLAIN}{more}").as_bytes()).unwrap()
    }

    #[test]
    fn the_gates_and_the_daemons_places_are_listed_once_each() {
        let kept = kept();
        let wanted = ["/etc/dockward", "/etc/dockward/pki", "/var/log/dockward", "/run/other.sock"];
        for wanted in wanted.into_iter().chain(["/data/docker"]).chain(DAEMON_PLACES) {
            let times = kept.iter().filter(|path| path.as_os_str() == wanted).count();
            assert_eq!(times, 1, "{wanted}");
        }
    }

    #[test]
    fn by_name_a_mount_may_neither_hold_nor_lie_in_a_protected_path() {
        let plain = mounts("");
        let refused = ["/", "/var", "/var/lib", "/var/lib/docker", "/var/lib/docker/volumes/x"];
        for path in refused.into_iter().chain(["/run", "/etc", "/data", "/data/docker/x"]) {
            assert!(touched(path, &plain).is_some(), "{path}");
        }
        for path in ["/srv", "/srv/gate", "/srv/gate/control.sock"] {
            assert!(touched(path, &plain).is_some(), "{path}");
        }
        for path in ["/srv/gate2", "/var/lib/docker2", "/var/lib/dockerx/docker", "/data2", "/etc2"]
        {
            assert_eq!(touched(path, &plain), None, "{path}");
        }
    }

    #[test]
    fn another_name_for_the_same_place_is_found_in_the_mounts() {
        let alias = mounts("30 22 999:1 /var /mnt/alias rw - ext4 /dev/x rw\n");
        for path in ["/mnt/alias", "/mnt", "/mnt/alias/lib", "/mnt/alias/lib/docker/x"] {
            assert!(touched(path, &alias).is_some(), "{path}");
        }
        for path in ["/mnt/alias/www", "/mnt/other", "/srv/www"] {
            assert_eq!(touched(path, &alias), None, "{path}");
        }
        let own_disk = mounts(
            "30 22 999:2 / /var/lib/docker rw - xfs /dev/y rw\n\
             31 22 999:2 / /mnt/disk rw - xfs /dev/y rw\n",
        );
        assert!(touched("/mnt/disk/volumes", &own_disk).is_some());
        assert!(touched("/mnt", &own_disk).is_some());
    }

    #[test]
    fn the_same_inode_under_a_name_that_the_mounts_do_not_tell_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().canonicalize().unwrap();
        // As if the two paths were apart: only the inodes tell that they are not.
        let dot = PathBuf::from(format!("/proc/self/root{}", real.display()));
        assert_eq!(chain(&dot).first(), chain(&real).first());
        let nowhere = Mounts::parse(b"").unwrap();
        let seen = MountedPath::at(&dot, &nowhere);
        assert!(seen.shows(&real, [&nowhere, &nowhere]));
        assert!(!seen.shows(Path::new("/usr"), [&nowhere, &nowhere]));
    }
}
