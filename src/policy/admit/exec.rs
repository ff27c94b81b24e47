//! Exec create, taken apart.

use super::Judge;
use crate::docker::body::exec::ExecCreate;

/// Judges a whole exec create request.
pub(super) fn exec_create(judge: &mut Judge<'_>, body: &ExecCreate<'_>) {
    let ExecCreate {
        user,
        privileged,
        tty: _,
        console_size: _,
        attach_stdin: _,
        attach_stderr: _,
        attach_stdout: _,
        detach: _,
        detach_keys,
        env,
        working_dir,
        cmd, // code inside the container that was granted
        borrow: _,
    } = body;
    let words = env.0.items().iter().chain(cmd.items()).map(AsRef::as_ref);
    judge.weigh("Env", words.chain([user.text(), working_dir.text(), detach_keys.0.text()]));
    judge.privileged("Privileged", privileged.or_zero());
    judge.exec_user(user.text());
    judge.working_dir("WorkingDir", working_dir.text());
}
