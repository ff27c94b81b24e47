//! Places of the host that a policy opens, taken together. Whoever writes in a directory can exchange what lies in
//! it for a link, and the daemon follows links as root when it mounts. So a place that can be written neither holds
//! another nor lies in one, whichever profile lists the other: containers of other identities write there too.

use super::super::mistake::{MistakeLedger, SourcePlace};
use super::super::yaml::{YamlEntry, YamlNode};
use crate::policy::glob::Glob;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The places of Docker and containerd, where they are unless configured otherwise.
pub const DAEMON_PLACES: [&str; 10] = [
    "/etc/docker",
    "/run/containerd",
    "/run/docker",
    "/run/docker.pid",
    "/run/docker.sock",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/run/containerd",
    "/var/run/docker",
    "/var/run/docker.sock",
];

/// A place of the host as a profile lists it.
struct ListedPlace<'f> {
    path: &'f str,
    at: SourcePlace,
    /// Whether a container that it is mounted into may write there.
    writable: bool,
    /// Whether it may be mounted though others can exchange it.
    movable: bool,
    /// Which profile lists it.
    of: usize,
}

/// Notes each listed place that can be written and touches another, or a place of the gate or the daemon.
pub(super) fn apart(
    profiles: &BTreeMap<&str, &YamlEntry>,
    kept: &[PathBuf],
    ledger: &mut MistakeLedger,
) {
    let mut places = Vec::new();
    for (nth, entry) in profiles.values().enumerate() {
        places.extend(listed(&entry.value, nth));
    }
    places.sort_by_key(|place| (place.at.file, place.at.line, place.at.column));
    for (nth, place) in places.iter().enumerate() {
        let touches = |other: &&ListedPlace<'_>| {
            // one that its own profile takes to be movable is told of as root on the host, and whoever moves it has that
            let inner = if place.path.len() > other.path.len() { place } else { *other };
            (place.writable || other.writable)
                && !(inner.movable && place.of == other.of)
                && is_one_in_the_other(place.path, other.path)
        };
        let others = places.get(..nth).unwrap_or_default();
        if let Some(other) = others.iter().find(touches) {
            let what = format!(
                "{} and {} ({}) lie one in the other, and whoever writes in the one can turn the way \
                 to the other into a link",
                place.path,
                other.path,
                ledger.name(other.at)
            );
            let next = "list directories that lie side by side, or both with read_only: true";
            ledger.mistake(place.at, what, next);
        }
        let held = |kept: &&PathBuf| place.writable && touches_kept(place.path, kept);
        if let Some(kept) = kept.iter().find(held) {
            let what = format!(
                "{} can be written, and {} of the gate or the daemon is it, holds it or lies in it",
                place.path,
                kept.display()
            );
            ledger.mistake(place.at, what, "list a directory apart from it, or read_only: true");
        }
    }
}

/// What a profile lists: paths of the host, and what the local driver may be told to mount.
fn listed(profile: &YamlNode, of: usize) -> impl Iterator<Item = ListedPlace<'_>> {
    let exceptions = profile.items_of("images");
    std::iter::once(profile).chain(exceptions).flat_map(move |node| listed_by(node, of))
}

fn listed_by(profile: &YamlNode, of: usize) -> impl Iterator<Item = ListedPlace<'_>> {
    let paths = profile.items_of("host_paths").iter().filter_map(move |entry| {
        let node = entry.get("path")?;
        Some(ListedPlace {
            path: node.text()?,
            at: node.at,
            writable: !entry.has_flag("read_only"),
            movable: entry.has_flag("danger_movable"),
            of,
        })
    });
    // the directories of an overlay stand among its options: lowerdir=/a:/b,upperdir=/c
    let devices = profile.items_of("volume_options").iter().flat_map(move |entry| {
        let text = |key| entry.get(key).and_then(|node| Some((node.at, node.text()?)));
        let options = text("o")
            .into_iter()
            .flat_map(|(at, options)| options.split([',', '=', ':']).map(move |word| (at, word)));
        let named = text("device").into_iter().chain(options);
        let paths = named.filter(|(_, path)| path.starts_with('/'));
        paths.map(move |(at, path)| ListedPlace { path, at, writable: true, movable: false, of })
    });
    paths.chain(devices)
}

/// Whether one strictly holds the other. A name with a `*` is any that it fits.
fn is_one_in_the_other(one: &str, other: &str) -> bool {
    let (one, other): (Vec<_>, Vec<_>) = (names(one).collect(), names(other).collect());
    one.len() != other.len() && one.iter().zip(&other).all(|(one, other)| may_be_one(one, other))
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

fn may_be_one(one: &str, other: &str) -> bool {
    let both = one.contains('*') && other.contains('*');
    both || Glob::new(one).matches(other) || Glob::new(other).matches(one)
}

fn touches_kept(path: &str, kept: &Path) -> bool {
    let Some(kept) = kept.to_str().filter(|kept| kept.starts_with('/')) else { return false };
    names(path).zip(names(kept)).all(|(one, other)| may_be_one(one, other))
}

#[cfg(test)]
mod tests {
    use super::{is_one_in_the_other, touches_kept};
    use std::path::Path;

    #[test]
    fn one_is_in_the_other_by_component() {
        for (one, other) in [
            ("/srv/w", "/srv/w/_temp"),
            ("/srv/w/a/b", "/srv/w"),
            ("/", "/srv"),
            ("/srv/ci/*", "/srv/ci"),
            ("/srv/ci/*", "/srv/ci/a/b"),
            ("/srv/ci/run-*", "/srv/ci/run-7/out"),
        ] {
            assert!(is_one_in_the_other(one, other), "{one} {other}");
            assert!(is_one_in_the_other(other, one), "{other} {one}");
        }
        for (one, other) in [
            ("/srv/w", "/srv/w"),
            ("/srv/w", "/srv/w2"),
            ("/srv/w/a", "/srv/w/b/c"),
            ("/srv/ci/*", "/srv/ci/a"),
            ("/srv/ci/run-*", "/srv/ci/job-1/out"),
        ] {
            assert!(!is_one_in_the_other(one, other), "{one} {other}");
            assert!(!is_one_in_the_other(other, one), "{other} {one}");
        }
    }

    #[test]
    fn a_kept_place_is_touched_from_above_and_from_below() {
        let kept = Path::new("/var/lib/docker");
        for path in ["/", "/var/lib", "/var/lib/docker", "/var/lib/docker/volumes", "/var/lib/*"] {
            assert!(touches_kept(path, kept), "{path}");
        }
        for path in ["/var/lib/docker2", "/srv", "/var/lib/postgresql"] {
            assert!(!touches_kept(path, kept), "{path}");
        }
        assert!(!touches_kept("/srv", Path::new("")));
    }
}
