//! The file of a Unix socket. Nobody can connect to a socket that does not listen yet, so mode and group
//! are set between the two: there is no moment at which it is open to more than it will be.

use crate::problem::{Actionable, Problem};
use rustix::fs::{Access, AtFlags, Gid, Mode, OFlags, access, chownat, open};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Connections that may wait to be accepted, as systemd's units usually have it.
const BACKLOG: i32 = 1024;

/// Why a socket cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum SocketError {
    /// Something that is no socket is there.
    Other,
    /// Somebody listens there.
    Taken,
    /// Everybody may put something else in its place.
    Open,
    /// It may not be given to that group.
    Group(u32, #[source] io::Error),
    /// The system says no.
    System(#[from] io::Error),
}

impl Actionable for SocketError {
    fn problem(&self) -> Problem {
        match self {
            Self::Other => Problem::new(
                "something that is no socket is there",
                "move it away or choose another path",
            ),
            Self::Taken => Problem::new(
                "somebody listens there already",
                "end that process or choose another path",
            ),
            Self::Open => {
                Problem::new("everybody may write to its directory", "choose another or chmod o-w")
            }
            Self::Group(group, error) => Problem::new(
                format!("cannot be given to group {group} ({error})"),
                "put the user that dockward runs as in that group; under systemd, take the drop-in \
                 users-socket.conf as well",
            ),
            Self::System(error) => Problem::new(
                format!("cannot be made ({error})"),
                "see that its directory is there and that dockward may write in it",
            ),
        }
    }
}

impl From<rustix::io::Errno> for SocketError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::System(error.into())
    }
}

/// A socket's file, removed when this is dropped, unless another has taken its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    is: (u64, u64),
}

impl SocketFile {
    /// Makes it and listens, with this mode and group. A socket that is left of a process which has ended
    /// is replaced.
    ///
    /// # Errors
    /// See [`SocketError`]; then what was there is there still.
    pub fn listen(
        path: &Path,
        mode: u32,
        group: Option<u32>,
    ) -> Result<(UnixListener, Self), SocketError> {
        let (directory, name) = place(path)?;
        if is_open(&directory)? {
            return Err(SocketError::Open);
        }
        let way = within(&directory, name);
        remove_stale(&way)?;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::bind(&socket, &SocketAddrUnix::new(&way)?)?;
        let file = Self { path: path.to_owned(), is: identity(&way)? };
        give(&directory, name, group)?;
        fs::set_permissions(&way, fs::Permissions::from_mode(mode))?;
        rustix::net::listen(&socket, BACKLOG)?;
        Ok((UnixListener::from(socket), file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|is| is == self.is) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl SocketFile {
    /// Whether it could be made, as far as that can be told without making it. A socket that somebody listens on
    /// passes: it may be the gate's own.
    ///
    /// # Errors
    /// See [`SocketError`].
    pub fn vet(path: &Path, group: Option<u32>) -> Result<(), SocketError> {
        let (directory, name) = place(path)?;
        if is_open(&directory)? {
            return Err(SocketError::Open);
        }
        access(within(&directory, Path::new(".")), Access::WRITE_OK | Access::EXEC_OK)?;
        match fs::symlink_metadata(within(&directory, name)) {
            Ok(is) if !is.file_type().is_socket() => return Err(SocketError::Other),
            _ => {}
        }
        match group {
            Some(group) if !may_give(group)? => Err(rustix::io::Errno::PERM.into()),
            _ => Ok(()),
        }
    }
}

/// Whether everybody may put something else into the directory in place of what is there.
fn is_open(directory: &OwnedFd) -> io::Result<bool> {
    let around = fs::metadata(within(directory, Path::new(".")))?.mode();
    Ok(around & 0o1000 == 0 && around & 0o002 != 0)
}

/// Whether a file of ours may be given to that group (chown(2)).
fn may_give(group: u32) -> io::Result<bool> {
    let own = rustix::process::getegid().as_raw();
    let others = rustix::process::getgroups()?;
    let is = others.iter().any(|other| other.as_raw() == group);
    Ok(rustix::process::geteuid().is_root() || own == group || is)
}

/// Connects to a socket, however long its path is.
///
/// # Errors
/// As connect(2) says.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let (directory, name) = place(path)?;
    UnixStream::connect(within(&directory, name))
}

/// The directory, opened, and the name in it.
fn place(path: &Path) -> io::Result<(OwnedFd, &Path)> {
    let name = path.file_name().ok_or(io::ErrorKind::NotFound)?;
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok((open(directory, flags, Mode::empty())?, Path::new(name)))
}

/// A short way to a name: a socket's address has room for 107 bytes (unix(7)), and paths are longer.
fn within(directory: &OwnedFd, name: &Path) -> PathBuf {
    Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name)
}

/// Gives the socket to a group, if one is asked for. Where none is, nothing is called: a sandbox need not allow it.
fn give(directory: &OwnedFd, name: &Path, group: Option<u32>) -> Result<(), SocketError> {
    let Some(group) = group else {
        return Ok(());
    };
    // fchownat(2) on every machine, so that the sandbox has one call to allow
    chownat(directory, name, None, Some(Gid::from_raw(group)), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| SocketError::Group(group, errno.into()))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let is = fs::symlink_metadata(path)?;
    Ok((is.dev(), is.ino()))
}

fn remove_stale(path: &Path) -> Result<(), SocketError> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(is) if !is.file_type().is_socket() => return Err(SocketError::Other),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Ok(fs::remove_file(path)?)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // also a backlog that is full, or one that may not be connected to: somebody is there
        Ok(_) | Err(_) => Err(SocketError::Taken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn the_file_has_its_mode_and_goes_with_its_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        for wanted in [0o600, 0o660] {
            let made = SocketFile::listen(&path, wanted, None).unwrap();
            assert_eq!(mode(&path), wanted);
            UnixStream::connect(&path).unwrap();
            drop(made);
            assert!(!path.exists());
        }
    }

    #[test]
    fn only_a_socket_that_nobody_listens_on_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        let made = SocketFile::listen(&path, 0o600, None).unwrap();
        assert!(matches!(SocketFile::listen(&path, 0o600, None), Err(SocketError::Taken)));
        UnixStream::connect(&path).unwrap();
        drop(made);
        fs::write(&path, "precious").unwrap();
        assert!(matches!(SocketFile::listen(&path, 0o600, None), Err(SocketError::Other)));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        assert!(matches!(SocketFile::listen(&path, 0o600, None), Err(SocketError::Other)));
    }

    #[test]
    fn what_has_taken_its_place_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let made = SocketFile::listen(&path, 0o600, None).unwrap();
        fs::rename(&path, directory.path().join("old")).unwrap();
        let next = UnixListener::bind(&path).unwrap();
        drop(made);
        assert!(path.exists());
        drop(next);
    }

    #[test]
    fn where_everybody_may_put_something_else_is_no_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let modes = |mode| fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode));
        modes(0o777).unwrap();
        assert!(matches!(SocketFile::listen(&path, 0o600, None), Err(SocketError::Open)));
        modes(0o1777).unwrap();
        assert!(SocketFile::listen(&path, 0o600, None).is_ok(), "names are kept in it");
    }

    #[test]
    fn a_path_may_be_longer_than_an_address() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("d".repeat(120));
        fs::create_dir(&deep).unwrap();
        let made = SocketFile::listen(&deep.join("s"), 0o600, None).unwrap();
        connect(&deep.join("s")).unwrap();
        drop(made);
        assert!(!deep.join("s").exists());
    }

    #[test]
    fn a_directory_that_is_not_there_is_said() {
        let error = SocketFile::listen(Path::new("/nowhere/s"), 0o600, None).unwrap_err();
        assert!(error.to_string().contains("see that its directory is there"), "{error}");
    }
}
