//! Files that decide who may do what: policy, authorities, lists, keys. Whoever can write one, or put another in its
//! place, is whoever he likes; so a file that everybody can change is not taken.

use crate::problem::{Actionable, Problem};
use rustix::process::{getegid, geteuid};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file that everybody can change.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum OpenFile {
    /// Everybody may write it.
    File(PathBuf),
    /// Everybody may put another in its place, in this directory.
    Directory(PathBuf, PathBuf),
}

impl Actionable for OpenFile {
    fn problem(&self) -> Problem {
        match self {
            Self::File(path) => {
                Problem::new("everybody may write it", "chmod o-w it").at(path.display())
            }
            Self::Directory(path, directory) => Problem::new(
                format!("everybody may put another in its place, in {}", directory.display()),
                "chmod o-w that directory, or move the file",
            )
            .at(path.display()),
        }
    }
}

/// Looks at a file, or at a directory in which files are looked for. Gives what deserves a look; what is not there is
/// told by whoever reads it.
///
/// # Errors
/// Everybody can change it.
pub(super) fn look(path: &Path) -> Result<Option<String>, OpenFile> {
    let Ok(is) = fs::metadata(path) else { return Ok(None) };
    if is.mode() & 0o002 != 0 {
        return Err(match is.is_dir() {
            // sticky or not: a new file is one of those that are looked for
            true => OpenFile::Directory(path.join("*"), path.to_owned()),
            false => OpenFile::File(path.to_owned()),
        });
    }
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    for directory in path.ancestors().skip(1).chain(real.ancestors().skip(1)) {
        let mode = fs::metadata(directory).map_or(0, |is| is.mode());
        // in a sticky one, such as /tmp, a name is its owner's
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Err(OpenFile::Directory(path.to_owned(), directory.to_owned()));
        }
    }
    let (own, group) = (geteuid().as_raw(), getegid().as_raw());
    if own != 0 && is.uid() != 0 && is.uid() != own {
        return Ok(Some(format!(
            "{}: belongs to user {}, who can change it: give it to root",
            path.display(),
            is.uid()
        )));
    }
    // a user's own group has the user's number
    let others = is.mode() & 0o020 != 0 && ![0, group, is.uid()].contains(&is.gid());
    Ok(others.then(|| {
        format!(
            "{}: group {} may write it: chmod g-w it, unless that is meant",
            path.display(),
            is.gid()
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_everybody_can_change_is_refused_and_what_a_group_can_is_told() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        fs::create_dir(at("etc")).unwrap();
        let file = at("etc/policy");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        assert!(matches!(look(&file), Ok(None)));
        mode(&file, 0o666);
        assert!(matches!(look(&file), Err(OpenFile::File(_))));
        mode(&file, 0o644);
        mode(&at("etc"), 0o777);
        assert!(matches!(look(&file), Err(OpenFile::Directory(..))));
        symlink(&file, at("link")).unwrap();
        assert!(matches!(look(&at("link")), Err(OpenFile::Directory(..))), "where it leads counts");
        mode(&at("etc"), 0o1777);
        assert!(matches!(look(&file), Ok(None)), "in /tmp a name is its owner's");
        assert!(look(&at("etc")).is_err(), "but anybody may add one");
        mode(&at("etc"), 0o755);
        mode(&file, 0o664);
        assert!(matches!(look(&file), Ok(None)));
        chown(&file, None, Some(65_534)).unwrap();
        assert!(look(&file).unwrap().unwrap().contains("group 65534 may write it"));
        assert!(matches!(look(&at("absent")), Ok(None)));
    }
}
