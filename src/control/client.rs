//! The asking side of the gate's own socket, for the command line.

use super::wire::{ANSWER_MAX, Ask, ControlAnswer, ControlRequest, Said};
use crate::problem::{Actionable, Problem};
use crate::proxy::socket_file;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than the gate takes to load anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.problem())]
pub enum AskError {
    /// The socket cannot be connected to.
    Connect(PathBuf, #[source] io::Error),
    /// The connection broke.
    Broken(PathBuf, #[source] io::Error),
    /// It was closed without a word: we are not listened to.
    Closed(PathBuf),
    /// What came is no answer.
    Unreadable(Problem),
}

impl Actionable for AskError {
    fn problem(&self) -> Problem {
        match self {
            Self::Connect(path, error) => {
                Problem::new(error.to_string(), next(error.kind())).at(path.display())
            }
            Self::Broken(path, error) => {
                Problem::new(error.to_string(), "see the log of the gate").at(path.display())
            }
            Self::Closed(path) => {
                Problem::new("the gate hung up", "ask as root, outside of containers")
                    .at(path.display())
            }
            Self::Unreadable(why) => why.clone(),
        }
    }
}

fn next(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => {
            "start the gate, see that its policy has `control:`, or say where with --control or --config"
        }
        io::ErrorKind::ConnectionRefused => "nobody listens there, start the gate",
        io::ErrorKind::PermissionDenied => "ask as root",
        _ => "see that it is the socket of a gate",
    }
}

/// Whether somebody listens there.
#[must_use]
pub fn is_listening(path: &Path) -> bool {
    socket_file::connect(path).is_ok()
}

/// Asks one question.
///
/// # Errors
/// Why there is no answer. A refusal is one.
pub fn ask(path: &Path, ask: Ask) -> Result<Said, AskError> {
    ask_within(path, ask, PATIENCE)
}

/// Asks one question, and waits for so long for each piece of the answer.
///
/// # Errors
/// As [`ask`].
pub fn ask_within(path: &Path, ask: Ask, patience: Duration) -> Result<Said, AskError> {
    let mut stream =
        socket_file::connect(path).map_err(|error| AskError::Connect(path.to_owned(), error))?;
    let broken = |error| AskError::Broken(path.to_owned(), error);
    stream.set_read_timeout(Some(patience)).map_err(broken)?;
    stream.set_write_timeout(Some(patience)).map_err(broken)?;
    let mut question =
        serde_json::to_vec(&ControlRequest::of(ask)).map_err(|why| broken(why.into()))?;
    question.push(b'\n');
    // a gate that is busy answers and hangs up without having read the question
    let asked = stream.write_all(&question);
    let mut text = Vec::new();
    let most = u64::try_from(ANSWER_MAX).unwrap_or(u64::MAX);
    let heard = stream.take(most).read_to_end(&mut text);
    if !text.is_empty() {
        return ControlAnswer::read(&text)
            .map(|answer| answer.answer)
            .map_err(AskError::Unreadable);
    }
    match asked.and(heard.map(drop)) {
        Err(error) if !is_hang_up(&error) => Err(broken(error)),
        _ => Err(AskError::Closed(path.to_owned())),
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}
