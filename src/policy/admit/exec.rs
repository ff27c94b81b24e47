//! Exec create, taken apart.

use super::Judge;
use super::start::seen_container;
use crate::docker::ApiCall;
use crate::docker::body::exec::ExecCreate;
use crate::policy::Reason;

/// Execs in one container that have not ended, or were never begun: the daemon forgets the latter when their container
/// stops, and not before (`daemon/container/exec.go`).
const MOST_EXECS: usize = 256;

/// Judges a whole exec create request.
pub(super) fn exec_create(judge: &mut Judge<'_>, call: &ApiCall<'_>, body: &ExecCreate<'_>) {
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
    // one that was not seen is refused as such
    if let Ok(container) = seen_container(call.head.target().unwrap_or_default(), judge.facts) {
        if container.execs >= MOST_EXECS {
            let what = format!("make one exec more than {}", container.execs);
            judge.deny(Reason::Execs, "path", container.execs.to_string(), what);
        }
        judge.exec_directory(call, container, working_dir.text());
    }
}
