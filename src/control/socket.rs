//! The socket as a file. It is root's alone from its first moment: it is bound inside a directory that
//! nobody else can enter, given its mode there, and only then moved to its name. What was left behind by a
//! gate that died is replaced; one that answers is not.

use crate::audit::EventId;
use rustix::fs::{Mode, OFlags, open};
use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _,
};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The gate's own socket, bound. The file is removed when this is dropped.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: tokio::net::UnixListener,
    _file: Bound,
}

/// The name in the file system, while it is ours.
#[derive(Debug)]
struct Bound {
    path: PathBuf,
    node: (u64, u64),
}

/// Why there is no socket.
#[derive(Debug)]
pub enum ControlError {
    /// Something stands in its place, or around it.
    Place(PathBuf, &'static str),
    /// The system says no.
    Io(PathBuf, io::Error),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(path, why) => write!(f, "control: {}: {why}", path.display()),
            Self::Io(path, error) => write!(
                f,
                "control: {}: cannot be made ({error}), let the user that dockward runs as write \
                 to its directory, or choose another",
                path.display()
            ),
        }
    }
}

impl std::error::Error for ControlError {}

impl Socket {
    /// Makes the socket, with its directory where that is missing. To be called within the runtime.
    ///
    /// # Errors
    /// Why there is none.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let failed = |error| ControlError::Io(path.to_owned(), error);
        let place = |why| Err(ControlError::Place(path.to_owned(), why));
        let Some(name) = path.file_name() else { return place("names no file, write its path") };
        let directory = parent(path);
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let around = fs::metadata(directory).map_err(failed)?.mode();
        if around & 0o1000 == 0 && around & 0o002 != 0 {
            return place("everybody may write to its directory, choose another or chmod o-w");
        }
        match standing(path).map_err(failed)? {
            Standing::Nothing | Standing::Stale => {}
            Standing::Other => return place("is there and is no socket, move it away"),
            Standing::Answers => return place("another process answers there, stop it first"),
        }
        let at = open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let at = at.map_err(|errno| failed(errno.into()))?;
        let listener = bind_unseen(&at, Path::new(name)).map_err(failed)?;
        let is = fs::symlink_metadata(path).map_err(failed)?;
        let file = Bound { path: path.to_owned(), node: (is.dev(), is.ino()) };
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = tokio::net::UnixListener::from_std(listener).map_err(failed)?;
        Ok(Self { listener, _file: file })
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        // another gate may have taken the name since
        let ours =
            fs::symlink_metadata(&self.path).is_ok_and(|is| self.node == (is.dev(), is.ino()));
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Connects to a socket, however long its path is.
///
/// # Errors
/// As connect(2) says.
pub(super) fn connect(path: &Path) -> io::Result<UnixStream> {
    let Some(name) = path.file_name() else { return Err(io::ErrorKind::NotFound.into()) };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(parent(path), flags, Mode::empty())?;
    UnixStream::connect(within(&directory, Path::new(name)))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    }
}

/// A short way to a name: a socket's address has room for 107 bytes (unix(7)), and paths are longer.
fn within(directory: &OwnedFd, name: &Path) -> PathBuf {
    Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string()).join(name)
}

fn bind_unseen(directory: &OwnedFd, name: &Path) -> io::Result<UnixListener> {
    let id = EventId::new().to_string();
    let cell = within(directory, Path::new(&format!(".{id}")));
    DirBuilder::new().mode(0o700).create(&cell)?;
    let draft = cell.join("s");
    let bound = UnixListener::bind(&draft).and_then(|listener| {
        fs::set_permissions(&draft, Permissions::from_mode(0o600))?;
        fs::rename(&draft, within(directory, name))?;
        Ok(listener)
    });
    let _ = fs::remove_file(&draft);
    let _ = fs::remove_dir(&cell);
    bound
}

enum Standing {
    Nothing,
    /// A socket that nobody listens on.
    Stale,
    Answers,
    Other,
}

fn standing(path: &Path) -> io::Result<Standing> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Nothing),
        Ok(is) if !is.file_type().is_socket() => return Ok(Standing::Other),
        is => is.map(drop)?,
    }
    match connect(path) {
        Ok(_) => Ok(Standing::Answers),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Standing::Stale),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn the_socket_is_roots_alone_and_goes_with_the_gate() {
        let scratch = tempfile::tempdir().unwrap();
        // longer than an address can be
        let path = scratch.path().join("d".repeat(120)).join("control.sock");
        let socket = Socket::bind(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(parent(&path)), 0o700);
        assert_eq!(names(parent(&path)), ["control.sock"]);
        assert!(connect(&path).is_ok());
        drop(socket);
        assert_eq!(names(parent(&path)), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_a_dead_gate_left_is_replaced_and_what_lives_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        let socket = Socket::bind(&path).unwrap();
        let second = Socket::bind(&path).unwrap_err().to_string();
        assert!(second.contains("another process answers there"), "{second}");
        assert!(connect(&path).is_ok(), "the first one stays");
        drop(socket);
        fs::write(&path, "precious").unwrap();
        let file = Socket::bind(&path).unwrap_err().to_string();
        assert!(file.contains("is no socket"), "{file}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_name_that_another_took_is_left_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("control.sock");
        let socket = Socket::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let _other = UnixListener::bind(&path).unwrap();
        drop(socket);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_directory_that_everybody_may_write_to_is_refused_unless_names_are_kept_in_it() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("control.sock");
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o777)).unwrap();
        let open = Socket::bind(&path).unwrap_err().to_string();
        assert!(open.contains("everybody may write"), "{open}");
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o1777)).unwrap();
        assert!(Socket::bind(&path).is_ok());
    }
}
