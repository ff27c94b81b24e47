use super::*;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;

fn view() -> HostView {
    HostView::of_daemon(Some(own_pid())).unwrap()
}

fn own_pid() -> i32 {
    i32::try_from(std::process::id()).unwrap()
}

struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir(tree.at("dir")).unwrap();
        fs::write(tree.at("dir/file"), "x").unwrap();
        tree
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn look(&self, name: &str) -> PathFact {
        view().look(&self.at(name))
    }
}

#[test]
fn plain_files_and_directories_are_known() {
    let tree = Tree::new();
    for plain in ["dir", "dir/file"] {
        let fact = PathFact::Plain { root_owned: false, fixed: false };
        assert_eq!(tree.look(plain), fact, "{plain}");
    }
}

#[test]
fn a_link_anywhere_on_the_way_leads_elsewhere() {
    let tree = Tree::new();
    symlink("dir", tree.at("link")).unwrap();
    symlink("/nowhere", tree.at("dangling")).unwrap();
    for path in ["link", "link/file", "link/no", "dangling"] {
        assert_eq!(tree.look(path), PathFact::Link, "{path}");
    }
    assert_eq!(view().look(Path::new("/proc/self/root/etc")), PathFact::Link);
}

#[test]
fn sockets_pipes_and_devices_are_told_apart() {
    let tree = Tree::new();
    let _listener = UnixListener::bind(tree.at("socket")).unwrap();
    assert_eq!(tree.look("socket"), PathFact::Socket);
    let made = rustix::fs::mknodat(CWD, tree.at("pipe"), FileType::Fifo, Mode::RUSR, 0);
    made.unwrap();
    assert_eq!(tree.look("pipe"), PathFact::Other);
    assert_eq!(view().look(Path::new("/dev/null")), PathFact::Device);
}

#[test]
fn what_is_not_there_is_missing() {
    let tree = Tree::new();
    for missing in ["dir/no", "dir/no/more"] {
        assert_eq!(tree.look(missing), PathFact::Missing { fixed: false }, "{missing}");
    }
    let missing = view().look(Path::new("/etc/no-such-thing/more"));
    assert_eq!(missing, PathFact::Missing { fixed: true });
}

#[test]
fn what_cannot_be_seen_is_never_guessed() {
    let tree = Tree::new();
    assert!(matches!(tree.look("dir/file/x"), PathFact::Unseen { .. }));
    let long = format!("/{}", "x".repeat(300));
    assert!(matches!(view().look(Path::new(&long)), PathFact::Unseen { .. }));
    for unclean in ["", "etc", "/etc/", "//etc", "/./etc", "/etc/../etc", "/etc/."] {
        assert!(matches!(view().look(Path::new(unclean)), PathFact::Unseen { .. }), "{unclean}");
    }
    let unknown = [None, Some(0), Some(i32::MAX)];
    for pid in unknown {
        assert!(HostView::of_daemon(pid).is_err(), "{pid:?}");
    }
}

#[test]
fn another_view_of_the_host_is_seen_only_where_both_agree() {
    let own = "1 1 8:1 / / rw - e a rw\n2 1 8:1 /var/log /var/log rw - e a rw\n";
    let daemon = "7 7 8:1 / / rw - e a rw\n8 7 0:9 / /tmp rw - tmpfs t rw\n";
    let view = HostView {
        own: Mounts::parse(own.as_bytes()).unwrap(),
        daemon: Mounts::parse(daemon.as_bytes()).unwrap(),
    };
    assert!(matches!(view.look(Path::new("/tmp")), PathFact::Unseen { .. }));
    assert!(matches!(view.look(Path::new("/tmp/x")), PathFact::Unseen { .. }));
    // A bind mount of a directory on itself, as systemd makes for ReadWritePaths, changes nothing.
    assert!(matches!(view.look(Path::new("/var/log")), PathFact::Plain { .. }));
    assert!(matches!(view.look(Path::new("/etc")), PathFact::Plain { .. }));
}

#[test]
fn root_owned_asks_for_every_component() {
    let is_root_owned = |path: &Path| match view().look(path) {
        PathFact::Plain { root_owned, .. } => root_owned,
        other => panic!("{other:?}"),
    };
    assert!(is_root_owned(Path::new("/")));
    assert!(is_root_owned(Path::new("/etc/passwd")));
    // /tmp is everybody's, so nothing in it counts, whoever owns it.
    let tree = Tree::new();
    fs::set_permissions(tree.at("dir"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!is_root_owned(&tree.at("dir")));
}

#[test]
fn what_lies_in_roots_directories_stays_where_it_is_whoever_owns_it() {
    let is_fixed = |path: &Path| match view().look(path) {
        PathFact::Plain { fixed, .. } => fixed,
        other => panic!("{other:?}"),
    };
    assert!(is_fixed(Path::new("/etc/passwd")));
    assert!(is_fixed(Path::new("/tmp")), "everybody's, but its name is root's to change");
    assert!(!is_fixed(&Tree::new().at("dir")));
}

#[test]
fn ownership_is_read_from_mode_and_uid() {
    let mut stat = fstat(fs::File::open("/").unwrap()).unwrap();
    for (uid, mode, roots_alone) in [
        (0, 0o755, true),
        (0, 0o700, true),
        (0, 0o775, false),
        (0, 0o757, false),
        (0, 0o1777, false),
        (1000, 0o755, false),
    ] {
        (stat.st_uid, stat.st_mode) = (uid, 0o040_000 | mode);
        assert_eq!(is_roots_alone(&stat), roots_alone, "{uid} {mode:o}");
    }
}

#[test]
fn the_daemons_process_is_known_or_not_known() {
    let directory = tempfile::tempdir().unwrap();
    let pid_file = directory.path().join("docker.pid");
    assert_eq!(daemon_process(Some(77), &pid_file), Some(77));
    assert_eq!(daemon_process(None, &pid_file), None);
    assert_eq!(daemon_process(Some(0), &pid_file), None);
    assert_eq!(daemon_process(Some(-1), &pid_file), None);
    assert_eq!(daemon_process(Some(1), &pid_file), None, "no pid file");
    fs::write(&pid_file, format!("{}\n", own_pid())).unwrap();
    assert_eq!(daemon_process(Some(1), &pid_file), None, "not a dockerd");
}

#[test]
fn a_protected_path_is_touched_through_a_view() {
    let tree = Tree::new();
    let kept = [tree.at("dir")];
    let touched = |path: &Path| view().touched(path, &kept).map(Path::to_owned);
    assert_eq!(touched(&tree.at("dir/file")), Some(tree.at("dir")));
    assert_eq!(touched(Path::new("/")), Some(tree.at("dir")));
    assert_eq!(touched(&tree.at("other")), None);
}

#[test]
fn a_process_with_a_mount_of_its_own_is_not_believed_to_see_ours() {
    let tree = Tree::new();
    let ready = tree.at("ready");
    let script = "mount -t tmpfs none \"$1\" && mkfifo \"$2\" && read -r _ < \"$2\"";
    let mut child = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .args([tree.at("dir"), ready.clone()])
        .spawn()
        .unwrap();
    while !ready.exists() {
        assert_eq!(child.try_wait().unwrap(), None, "unshare or mount does not work here");
        std::thread::yield_now();
    }
    let other = HostView::of_daemon(i32::try_from(child.id()).ok()).unwrap();
    let (inside, beside) = (other.look(&tree.at("dir/file")), other.look(&tree.at("no")));
    fs::write(&ready, "\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert!(matches!(inside, PathFact::Unseen { .. }), "{inside:?}");
    assert!(matches!(beside, PathFact::Missing { .. }), "{beside:?}");
}
