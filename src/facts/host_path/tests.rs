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

    fn look(&self, name: &str) -> SeenPath {
        view().look(&self.at(name))
    }
}

#[test]
fn plain_files_and_directories_are_known() {
    let tree = Tree::new();
    let plain = |kind| SeenPath::Plain { kind, root_owned: false };
    assert_eq!(tree.look("dir"), plain(FileKind::Directory));
    assert_eq!(tree.look("dir/file"), plain(FileKind::File));
}

#[test]
fn a_link_anywhere_on_the_way_leads_elsewhere() {
    let tree = Tree::new();
    symlink("dir", tree.at("link")).unwrap();
    symlink("/nowhere", tree.at("dangling")).unwrap();
    for (path, link) in
        [("link", "link"), ("link/file", "link"), ("link/no", "link"), ("dangling", "dangling")]
    {
        assert_eq!(tree.look(path), SeenPath::LeadsElsewhere { link: tree.at(link) }, "{path}");
    }
    let magic = Path::new("/proc/self/root/etc");
    let link = PathBuf::from("/proc/self");
    assert_eq!(view().look(magic), SeenPath::LeadsElsewhere { link });
}

#[test]
fn sockets_pipes_and_devices_are_told_apart() {
    let tree = Tree::new();
    let _listener = UnixListener::bind(tree.at("socket")).unwrap();
    assert_eq!(tree.look("socket"), SeenPath::Socket);
    let made = rustix::fs::mknodat(CWD, tree.at("pipe"), FileType::Fifo, Mode::RUSR, 0);
    made.unwrap();
    assert_eq!(tree.look("pipe"), SeenPath::Fifo);
    assert_eq!(view().look(Path::new("/dev/null")), SeenPath::Device);
}

#[test]
fn what_is_missing_names_the_nearest_directory() {
    let tree = Tree::new();
    let missing =
        |nearest: &str| SeenPath::Missing { nearest: tree.at(nearest), root_owned: false };
    assert_eq!(tree.look("dir/no"), missing("dir"));
    assert_eq!(tree.look("dir/no/more"), missing("dir"));
}

#[test]
fn what_cannot_be_seen_is_never_guessed() {
    let tree = Tree::new();
    assert!(matches!(tree.look("dir/file/x"), SeenPath::Unseen { .. }));
    let long = format!("/{}", "x".repeat(300));
    assert!(matches!(view().look(Path::new(&long)), SeenPath::Unseen { .. }));
    for unclean in ["", "etc", "/etc/", "//etc", "/./etc", "/etc/../etc", "/etc/."] {
        assert!(matches!(view().look(Path::new(unclean)), SeenPath::Unseen { .. }), "{unclean}");
    }
    let unknown = [None, Some(0), Some(i32::MAX)];
    for pid in unknown {
        assert!(matches!(look(Path::new("/etc"), pid), SeenPath::Unseen { .. }), "{pid:?}");
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
    assert!(matches!(view.look(Path::new("/tmp")), SeenPath::Unseen { .. }));
    assert!(matches!(view.look(Path::new("/tmp/x")), SeenPath::Unseen { .. }));
    // A bind mount of a directory on itself, as systemd makes for ReadWritePaths, changes nothing.
    assert!(matches!(view.look(Path::new("/var/log")), SeenPath::Plain { .. }));
    assert!(matches!(view.look(Path::new("/etc")), SeenPath::Plain { .. }));
}

#[test]
fn root_owned_asks_for_every_component() {
    let is_root_owned = |path: &Path| match view().look(path) {
        SeenPath::Plain { root_owned, .. } | SeenPath::Missing { root_owned, .. } => root_owned,
        other => panic!("{other:?}"),
    };
    assert!(is_root_owned(Path::new("/")));
    assert!(is_root_owned(Path::new("/etc/passwd")));
    assert!(is_root_owned(Path::new("/etc/no-such-thing")));
    // /tmp is everybody's, so nothing in it counts, whoever owns it.
    let tree = Tree::new();
    fs::set_permissions(tree.at("dir"), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(!is_root_owned(&tree.at("dir")));
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
    assert!(matches!(inside, SeenPath::Unseen { .. }), "{inside:?}");
    assert!(matches!(beside, SeenPath::Missing { .. }), "{beside:?}");
}
