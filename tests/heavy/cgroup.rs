//! A cgroup with little memory, where this machine lets us make one: whoever is in it and takes more is killed.

use std::path::PathBuf;

/// A cgroup, removed on drop.
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// One with so many bytes; none where the hierarchy cannot be written, as in most containers. What is measured
    /// besides does not need it.
    pub fn limited(bytes: u64) -> Option<Self> {
        let name = format!("dockward-test-{}", std::process::id());
        let roots = [("memory", "memory.limit_in_bytes"), ("", "memory.max")];
        roots.into_iter().find_map(|(hierarchy, limit)| {
            let root = PathBuf::from("/sys/fs/cgroup").join(hierarchy);
            if hierarchy.is_empty() && !root.join("cgroup.controllers").exists() {
                return None;
            }
            let group = Self(root.join(&name));
            std::fs::create_dir(&group.0).ok()?;
            std::fs::write(group.0.join(limit), bytes.to_string()).ok()?;
            Some(group)
        })
    }

    /// The command that runs another one in it.
    pub fn enter(&self) -> Vec<String> {
        let procs = self.0.join("cgroup.procs").display().to_string();
        ["sh", "-c", r#"echo $$ > "$0" && exec "$@""#, &procs].map(str::to_owned).to_vec()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0); // empty by now, since the gate has ended
    }
}
