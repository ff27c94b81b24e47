//! The bodies of `POST /containers/{}/exec`, `POST /exec/{}/start` and of checkpoints.

use super::create::{InertText, Text, Texts};
use super::field::{Field, Inert, body};

body! {
    /// `container.ExecOptions` (`api/types/container/exec.go`).
    ExecCreate<'a> {
        user: Text<'a> = "User",
        privileged: Field<bool> = "Privileged",
        /// Inert: a terminal inside the container.
        tty: Inert<Field<bool>> = "Tty",
        /// Inert: height and width of the terminal.
        console_size: Inert<Field<Vec<u64>>> = "ConsoleSize",
        /// Inert here: the daemon keeps it; exec start is what streams.
        attach_stdin: Inert<Field<bool>> = "AttachStdin",
        /// Inert: as above.
        attach_stderr: Inert<Field<bool>> = "AttachStderr",
        /// Inert: as above.
        attach_stdout: Inert<Field<bool>> = "AttachStdout",
        /// Inert: in API 1.24 to 1.41 part of this body and never read; start's own decides.
        detach: Inert<Field<bool>> = "Detach",
        /// Inert: the keys by which this very client leaves; docker-py begins in lower case.
        detach_keys: InertText<'a> = "DetachKeys",
        /// Inert: acts inside the container only; values are never logged.
        env: Inert<Texts<'a>> = "Env",
        working_dir: Text<'a> = "WorkingDir",
        /// Judged by no rule (code inside the container), logged as argv.
        cmd: Texts<'a> = "Cmd",
    }

    /// `container.ExecStartOptions`.
    ExecStart<'a> {
        /// Decides whether the connection is taken over.
        detach: Field<bool> = "Detach",
        /// Inert: must agree with create, else the daemon refuses.
        tty: Inert<Field<bool>> = "Tty",
        /// Inert: height and width of the terminal.
        console_size: Inert<Field<Vec<u64>>> = "ConsoleSize",
    }

    /// `checkpoint.CreateOptions`.
    CheckpointCreate<'a> {
        checkpoint_id: Text<'a> = "CheckpointID",
        checkpoint_dir: Text<'a> = "CheckpointDir",
        exit: Field<bool> = "Exit",
    }
}
