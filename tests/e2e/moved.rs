//! Paths that a client can move between our look and the daemon's: links in images and volumes, told in `moved.yaml`,
//! and a writer that turns what it can reach as fast as it can.

use super::dockerd::{Engine, PrivateDaemon};
use super::gate::Gate;
use super::http::Side;
use super::registry::{Line, live};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a container is made and started while somebody turns paths. `DOCKWARD_RACES` says another number.
const STARTS: usize = 25;

/// What came of one way to start containers.
#[derive(Debug, Default)]
pub(crate) struct Raced {
    /// Containers that were asked for.
    pub(crate) asked: usize,
    /// Those that had what was judged.
    pub(crate) mounted: usize,
    /// Those that had something else.
    pub(crate) elsewhere: usize,
    /// Those that were refused.
    pub(crate) refused: usize,
    /// How often paths were turned meanwhile.
    pub(crate) turns: u64,
}

/// The same writer before three ways.
#[derive(Debug)]
pub(crate) struct Races {
    /// Through the gate, what is listed, while the writer turns all that he can have mounted.
    pub(crate) listed: Raced,
    /// Straight at the daemon, what the writer turns: what would come of it.
    pub(crate) bare: Raced,
    /// Through the gate, a listed path in a directory that is everybody's on the host. It is what is left.
    pub(crate) left: Raced,
}

/// Plays the life of containers that an administrator has begun: `begun.yaml`.
pub(crate) fn begun(engine: Engine) {
    let (scratch, host) = (tempfile::tempdir().unwrap(), of_root());
    let (daemon, gate) = world(engine, scratch.path(), host.path());
    let lines: Vec<Line> = serde_saphyr::from_str(include_str!("begun.yaml")).unwrap();
    live(&engine.cli().1, scratch.path(), &daemon, &gate, &lines);
    super::log::judge(&gate.end());
    println!("begun: {} lines", lines.len());
}

/// Plays the life.
pub(crate) fn play(engine: Engine) {
    let (scratch, host) = (tempfile::tempdir().unwrap(), of_root());
    let (daemon, gate) = world(engine, scratch.path(), host.path());
    fs::create_dir(host.path().join("own")).unwrap();
    let text = include_str!("moved.yaml").replace("H/", &format!("{}/", host.path().display()));
    let text = text.replace("chmod 777 H", &format!("chmod 777 {}", host.path().display()));
    let text = text.replace("chmod 755 H", &format!("chmod 755 {}", host.path().display()));
    let lines: Vec<Line> = serde_saphyr::from_str(&text).unwrap();
    live(&engine.cli().1, scratch.path(), &daemon, &gate, &lines);
    super::log::judge(&gate.end());
    println!("moved: {} lines", lines.len());
}

/// Whoever has `own` mounted turns everything in it, and what it lies in is not his.
pub(crate) fn race(engine: Engine) {
    let (scratch, host) = (tempfile::tempdir().unwrap(), of_root());
    let (daemon, gate) = world(engine, scratch.path(), host.path());
    let at = |name: &str| host.path().join(name);
    for name in ["own", "other", "own/path", "secret", "loose", "loose/path"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::write(at("secret/secret"), "").unwrap();
    let everybodys = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    fs::set_permissions(at("loose"), everybodys).unwrap();
    for name in ["own", "loose"] {
        std::os::unix::fs::symlink(at("secret"), at(name).join("link")).unwrap();
    }
    let gated = Side::gate(gate.port, gate.bundle("dev"));
    let bare = Side::daemon(&daemon.socket);
    let races = Races {
        listed: raced(&gated, &at("own"), &[at("own"), at("other")]),
        bare: raced(&bare, &at("own"), &[at("own/path")]),
        left: raced(&gated, &at("loose"), &[at("loose/path")]),
    };
    super::log::judge(&gate.end());
    let Races { listed, bare, left } = races;
    println!("listed: {listed:?}\nbare: {bare:?}\nleft: {left:?}");
    assert_eq!((listed.mounted, listed.elsewhere), (listed.asked, 0), "{listed:?}");
    assert!(listed.turns > 1000 && bare.elsewhere > 0, "nothing was raced: {listed:?} {bare:?}");
}

/// Starts containers with these paths, while somebody exchanges `path` and `link` in a directory.
fn raced(side: &Side, turned: &Path, paths: &[PathBuf]) -> Raced {
    let wanted = std::env::var("DOCKWARD_RACES").ok().and_then(|text| text.parse().ok());
    let mut raced = Raced { asked: wanted.unwrap_or(STARTS), ..Raced::default() };
    let done = AtomicBool::new(false);
    let (one, two) = (turned.join("path"), turned.join("link"));
    std::thread::scope(|scope| {
        let turner = scope.spawn(|| {
            let mut turns = 0;
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, &one, CWD, &two, RenameFlags::EXCHANGE).unwrap();
                turns += 1;
            }
            turns
        });
        for path in paths.iter().cycle().take(raced.asked) {
            match outcome(side, path) {
                Some(0) => raced.mounted += 1,
                Some(_) => raced.elsewhere += 1,
                None => raced.refused += 1,
            }
        }
        done.store(true, Ordering::Relaxed);
        raced.turns = turner.join().unwrap();
    });
    raced
}

/// Runs a container with that path, which ends with 0 unless the secret is there.
fn outcome(side: &Side, path: &Path) -> Option<i64> {
    let bind = format!("{}:/m", path.display());
    let look = "! test -e /m/secret";
    let body = serde_json::json!({
        "Image": "busybox", "Cmd": ["sh", "-c", look], "HostConfig": { "Binds": [bind] },
    });
    let made = side.send("POST", "/v1.41/containers/create", &body.to_string());
    assert!([201, 403].contains(&made.status), "{made:?}");
    let id = made.json()["Id"].as_str()?.to_owned();
    let at = |verb: &str| format!("/v1.41/containers/{id}{verb}");
    let started = side.send("POST", &at("/start"), "");
    assert!([204, 403].contains(&started.status), "{started:?}");
    let started = started.status == 204;
    let ended = side.send("POST", &at("/wait"), "").json()["StatusCode"].as_i64();
    side.send("DELETE", &at("?force=1"), "");
    ended.filter(|_| started)
}

/// A directory that lies in root's alone.
fn of_root() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("dockward-e2e-").tempdir_in("/srv").unwrap()
}

fn world(engine: Engine, scratch: &Path, host: &Path) -> (PrivateDaemon, Gate) {
    fs::create_dir(scratch.join("gate")).unwrap();
    let daemon = PrivateDaemon::start(engine, &scratch.join("daemon"));
    let clients = ["admin", "dev", "shop", "streamer"].map(str::to_owned);
    let (head, roles) = include_str!("policy.yaml").split_once("roles:\n").unwrap();
    let places = [("own", ""), ("other", ""), ("loose/path", ", danger_movable: true")]
        .map(|(name, more)| format!("{{ path: {}/{name}{more} }}", host.display()));
    let policy = format!(
        "{head}admission: {{ moved: {{ extends: developer, host_paths: [{}] }} }}\nroles:\n{}",
        places.join(", "),
        roles.replace(
            "here: { extends: developer,",
            "here: { extends: developer, admission: moved,"
        ),
    );
    let gate = Gate::with(&scratch.join("gate"), &daemon.socket, &clients, &policy);
    (daemon, gate)
}
