//! Elevations that outlast a restart, in a file beside the log. Whoever can write it can become root on the
//! host, so it is believed only where nobody but the gate's user and root can have written it, and not
//! beyond what a grant may last.

use super::LONGEST;
use crate::audit::EventId;
use crate::who::Elevation;
use jiff::Timestamp;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// More than the most grants with the longest reasons come to, in bytes.
const LARGEST: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept<G> {
    version: u32,
    grants: Vec<G>,
}

/// An [`Elevation`] as it was written, before it is believed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: String,
    identity: String,
    role: String,
    until: String,
    reason: String,
}

pub(super) fn path(directory: &Path) -> PathBuf {
    directory.join("grants.json")
}

/// Writes those that persist, whole or not at all; without any there is no file.
pub(super) fn write(directory: &Path, grants: &[Elevation]) -> io::Result<()> {
    let grants: Vec<&Elevation> = grants.iter().filter(|held| held.persist).collect();
    let path = path(directory);
    if grants.is_empty() {
        return match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => File::open(directory)?.sync_all(),
        };
    }
    let text = serde_json::to_vec(&Kept { version: 1, grants })?;
    let draft = directory.join(format!(".grants-{}", EventId::new()));
    put(&draft, &text)
        .and_then(|()| fs::rename(&draft, &path))
        .and_then(|()| File::open(directory)?.sync_all())
        .inspect_err(|_| drop(fs::remove_file(&draft)))
}

fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

/// Those that were kept, ended ones included.
///
/// # Errors
/// Why the file is not believed.
pub(super) fn read(directory: &Path, now: Timestamp) -> Result<Vec<Elevation>, String> {
    let nofollow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(nofollow).open(path(directory)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened.map_err(|error| error.to_string())?,
    };
    let is = file.metadata().map_err(|error| error.to_string())?;
    let own = rustix::process::geteuid().as_raw();
    if !is.is_file() || ![0, own].contains(&is.uid()) || is.mode() & 0o022 != 0 {
        return Err("others than the gate's user and root could have written it".to_owned());
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text).map_err(|error| error.to_string())?;
    let kept: Kept<One> = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    if kept.version != 1 {
        return Err(format!("version {} is not known", kept.version));
    }
    kept.grants.into_iter().map(|one| elevation(one, now)).collect()
}

fn elevation(one: One, now: Timestamp) -> Result<Elevation, String> {
    let until: Timestamp = one.until.parse().map_err(|_| "a time in it is none".to_owned())?;
    if until.as_second() > now.as_second().saturating_add_unsigned(LONGEST.as_secs()) {
        return Err(format!("a grant in it lasts until {until}, longer than one may"));
    }
    Ok(Elevation {
        id: one.id.parse().map_err(|_| "an id in it is none".to_owned())?,
        identity: one.identity,
        role: one.role,
        until,
        reason: one.reason,
        persist: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn lasting(persist: bool) -> Elevation {
        Elevation {
            id: EventId::new(),
            identity: "dev".to_owned(),
            role: "administrator".to_owned(),
            until: now() + LONGEST,
            reason: "disk \"full\"\u{202e}".to_owned(),
            persist,
        }
    }

    #[test]
    fn what_persists_is_read_back_and_the_rest_is_not_kept() {
        let directory = tempfile::tempdir().unwrap();
        let (kept, gone) = (lasting(true), lasting(false));
        write(directory.path(), &[kept.clone(), gone.clone()]).unwrap();
        assert_eq!(fs::metadata(path(directory.path())).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read(directory.path(), now()).unwrap(), [kept]);
        write(directory.path(), &[gone]).unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert_eq!(read(directory.path(), now()).unwrap(), []);
    }

    #[test]
    fn a_file_that_others_can_write_a_link_and_what_lasts_too_long_are_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let at = path(directory.path());
        write(directory.path(), &[lasting(true)]).unwrap();
        let early = Timestamp::from_second(1_799_999_999).unwrap();
        assert!(read(directory.path(), early).unwrap_err().contains("longer"));
        fs::set_permissions(&at, fs::Permissions::from_mode(0o620)).unwrap();
        assert!(read(directory.path(), now()).unwrap_err().contains("others"));
        fs::set_permissions(&at, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(directory.path(), now()).unwrap().len(), 1);
        let elsewhere = directory.path().join("elsewhere");
        fs::rename(&at, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &at).unwrap();
        assert!(read(directory.path(), now()).is_err());
    }
}
