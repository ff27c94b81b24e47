//! The socket as a file: root's alone from its first moment, in a directory of its own where that is missing.

use crate::problem::{Actionable, Problem};
use crate::proxy::{SocketError, SocketFile};
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// The gate's own socket, bound. The file is removed when this is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    pub(super) listener: tokio::net::UnixListener,
    _file: SocketFile,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum ControlError {
    /// Something stands in its place, or around it.
    Place(PathBuf, Problem),
    /// The system says no.
    Io(PathBuf, #[source] io::Error),
}

impl Actionable for ControlError {
    fn problem(&self) -> Problem {
        let (path, why) = match self {
            Self::Place(path, why) => (path, why.clone()),
            Self::Io(path, error) => (
                path,
                Problem::new(
                    format!("cannot be made ({error})"),
                    "let the user that dockward runs as write to its directory, or choose another",
                ),
            ),
        };
        why.at(format_args!("control: {}", path.display()))
    }
}

impl ControlSocket {
    /// Makes the socket, with its directory where that is missing. To be called within the runtime.
    ///
    /// # Errors
    /// Why there is none.
    pub fn bind(path: &Path) -> Result<Self, ControlError> {
        let failed = |error| ControlError::Io(path.to_owned(), error);
        let place = |what, next| ControlError::Place(path.to_owned(), Problem::new(what, next));
        if path.file_name().is_none() {
            return Err(place("names no file", "write its path"));
        }
        if let Some(directory) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        }
        let (listener, file) = SocketFile::listen(path, 0o600, None).map_err(|why| match why {
            SocketError::Other => place("is there and is no socket", "move it away"),
            SocketError::Taken => place("another process answers there", "stop it first"),
            SocketError::Open => {
                place("everybody may write to its directory", "choose another or chmod o-w")
            }
            SocketError::System(error) | SocketError::Group(_, error) => failed(error),
        })?;
        let listener = tokio::net::UnixListener::from_std(listener).map_err(failed)?;
        Ok(Self { listener, _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::socket_file::connect;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::net::UnixListener;

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
        let socket = ControlSocket::bind(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(names(path.parent().unwrap()), ["control.sock"]);
        assert!(connect(&path).is_ok());
        drop(socket);
        assert_eq!(names(path.parent().unwrap()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_a_dead_gate_left_is_replaced_and_what_lives_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("control.sock");
        drop(UnixListener::bind(&path).unwrap());
        let socket = ControlSocket::bind(&path).unwrap();
        let second = ControlSocket::bind(&path).unwrap_err().to_string();
        assert!(second.contains("another process answers there"), "{second}");
        assert!(connect(&path).is_ok(), "the first one stays");
        drop(socket);
        fs::write(&path, "precious").unwrap();
        let file = ControlSocket::bind(&path).unwrap_err().to_string();
        assert!(file.contains("is no socket"), "{file}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[tokio::test]
    async fn a_name_that_another_took_is_left_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("control.sock");
        let socket = ControlSocket::bind(&path).unwrap();
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
        let open = ControlSocket::bind(&path).unwrap_err().to_string();
        assert!(open.contains("everybody may write"), "{open}");
        fs::set_permissions(scratch.path(), Permissions::from_mode(0o1777)).unwrap();
        assert!(ControlSocket::bind(&path).is_ok());
    }
}
