//! What must be looked up before a decision, and what came of it: plain data, so that a decision
//! can be replayed without the host it was made on.

use std::collections::BTreeMap;

/// What [`super::decide`] will want to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Paths of the host, absolute and lexically clean.
    pub host_paths: Vec<String>,
    /// An exec about to be started by a client that did not ask to upgrade.
    pub exec: Option<String>,
}

impl Needs {
    /// Whether there is nothing to look up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.host_paths.is_empty() && self.exec.is_none()
    }
}

/// What was found. What is missing here is refused, never guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// By path, for each of the needs.
    pub host_paths: BTreeMap<String, PathFact>,
    /// Whether the exec takes input; `None` where it is not known to the daemon.
    pub exec_takes_input: Option<bool>,
}

/// What a path of the host is, as the daemon sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathFact {
    /// A directory or file, reached without following a link.
    Plain {
        /// Whether every component belongs to root and nobody else may write it.
        root_owned: bool,
    },
    /// Nothing is there; what leads to it is plain. The daemon would make a directory.
    Missing,
    /// A component is a symbolic link.
    Link,
    /// A socket.
    Socket,
    /// A device node.
    Device,
    /// Something else, such as a FIFO.
    Other,
    /// It holds, or lies in, a directory of the gate, the daemon or containerd.
    Protected,
    /// It cannot be seen as the daemon sees it.
    Unseen {
        /// Why, for the operator's log.
        why: String,
    },
}
