//! Roles to start with, written into the policies that `quickstart` and `certs init` leave behind: one that
//! cannot become root on the host, and one that is.

/// Everyday work on containers, images, volumes and networks, judged by `baseline`.
pub(super) const DEVELOPER: &str = r#"  developer:
    scope: any
    admission: baseline
    allow:
      system: [info, events, df]
      container: [read, run, exec, logs, stop, restart, kill, rename, delete, pause, unpause, copy-out]
      image: [read, pull]
      volume: [read, create, delete]
      network: [read, create, connect, disconnect, delete]
    images: { run: ["**"], pull: ["docker.io/**"] }
"#;

/// Everything; root on the host.
pub(super) const ADMINISTRATOR: &str = r#"  administrator:            # root on this host: keep its certificate as you keep root
    scope: any
    admission: unrestricted
    allow:
      "*": ["*"]
      container: ["*", attach, checkpoint, copy-in]
      image: ["*", import, load]
      build: ["*", create, buildkit, prune]
    images: { run: ["**"], pull: ["**"], push: ["**"], write: ["**"] }
"#;
