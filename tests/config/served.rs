//! What keeps a gate from serving, made by hand one by one: `check` finds what `serve` does not start with.

use super::{dockward, text};
use std::path::PathBuf;
use std::process::Command;

/// A place in which a gate serves, and what is done to it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(["gate".to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        std::fs::write(place.path("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["gate".to_owned()]).unwrap();
        std::fs::write(place.path("c.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(place.path("k.pem"), key.serialize_pem()).unwrap();
        place.mode("k.pem", 0o600);
        place.policy("");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The policy, with these keys of the listener too.
    fn policy(&self, keys: &str) {
        let lines = "version: 1
listen: [{ tls: '127.0.0.1:0', certificate: c.pem, key: k.pem, client_ca: ca.pemKEYS }]
daemon: { socket: docker.sock }
audit: { directory: log }
control: { socket: run/control.sock }
identities: [{ name: a, match: { cn: a }, roles: [r] }]
roles: { r: { scope: any } }
";
        std::fs::write(self.path("policy.yaml"), lines.replace("KEYS", keys)).unwrap();
    }

    fn replace(&self, from: &str, to: &str) {
        let old = std::fs::read_to_string(self.path("policy.yaml")).unwrap();
        assert!(old.contains(from), "{from}");
        std::fs::write(self.path("policy.yaml"), old.replace(from, to)).unwrap();
    }

    /// What `serve` ends with, if it does not serve; as this user.
    fn serve(&self, user: Option<u32>) -> Option<(i32, String)> {
        use std::io::{BufRead as _, BufReader, Read as _};
        let mut command = self.as_user(user);
        command.args(["serve", "--config"]).arg(self.path("policy.yaml"));
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut gate = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(gate.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.contains("is ready") {
            gate.kill().unwrap();
            gate.wait().unwrap();
            return None;
        }
        let mut said = String::new();
        gate.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        Some((gate.wait().unwrap().code().unwrap(), said))
    }

    fn as_user(&self, user: Option<u32>) -> Command {
        let gate = env!("CARGO_BIN_EXE_dockward");
        let Some(user) = user.map(|user| user.to_string()) else { return Command::new(gate) };
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", gate]);
        command
    }
}

/// What is done to a place, who serves there, and a word of what both say.
type Broken = (&'static str, fn(&Place), Option<u32>, &'static str);

const BROKEN: &[Broken] = &[
    (
        "no certificate",
        |p| std::fs::remove_file(p.path("c.pem")).unwrap(),
        None,
        "c.pem: no such file",
    ),
    ("no key", |p| std::fs::remove_file(p.path("k.pem")).unwrap(), None, "k.pem: no such file"),
    (
        "the key of another",
        |p| {
            let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
            std::fs::write(p.path("k.pem"), other).unwrap();
        },
        None,
        "not the private key",
    ),
    ("a key for nobody else", |_| {}, Some(4242), "k.pem: cannot be read"),
    (
        "no PEM",
        |p| std::fs::write(p.path("ca.pem"), "nonsense").unwrap(),
        None,
        "ca.pem: no certificate inside",
    ),
    (
        "an authority that is none",
        |p| assert!(std::fs::copy(p.path("c.pem"), p.path("ca.pem")).unwrap() > 0),
        None,
        "no CA",
    ),
    ("no list", |p| p.policy(", crl: crl.pem"), None, "crl.pem: no such file"),
    (
        "an empty list",
        |p| {
            p.policy(", crl: crl.pem");
            std::fs::write(p.path("crl.pem"), "").unwrap();
        },
        None,
        "there is no revocation list in it",
    ),
    (
        "a deny list of nonsense",
        |p| {
            p.policy(", deny: deny");
            std::fs::write(p.path("deny"), "nonsense").unwrap();
        },
        None,
        "line 1 is not understood",
    ),
    (
        "a policy that everybody may write",
        |p| p.mode("policy.yaml", 0o666),
        None,
        "everybody may write it",
    ),
    (
        "an authority that everybody may write",
        |p| p.mode("ca.pem", 0o666),
        None,
        "everybody may write it",
    ),
    (
        "a directory that everybody may write to",
        |p| p.mode("", 0o777),
        None,
        "everybody may put another",
    ),
    (
        "the log of everybody",
        |p| {
            std::fs::create_dir(p.path("log")).unwrap();
            p.mode("log", 0o777);
        },
        None,
        "can be written by everyone",
    ),
    (
        "the log of somebody else",
        |p| {
            std::fs::create_dir(p.path("log")).unwrap();
            std::os::unix::fs::chown(p.path("log"), Some(4343), None).unwrap();
        },
        None,
        "belongs to user 4343",
    ),
];

/// The same of what may be otherwise a moment later: a service manager tries it again.
const NOT_NOW: &[Broken] = &[
    ("a file for the log", |p| std::fs::write(p.path("log"), "").unwrap(), None, "audit directory"),
    (
        "a log that may not be made",
        |p| {
            std::fs::create_dir(p.path("run")).unwrap();
            for name in ["k.pem", "run"] {
                std::os::unix::fs::chown(p.path(name), Some(4242), None).unwrap();
            }
        },
        Some(4242),
        "log: Permission denied",
    ),
    (
        "something in place of the gate's own socket",
        |p| {
            std::fs::create_dir(p.path("run")).unwrap();
            std::fs::write(p.path("run/control.sock"), "").unwrap();
        },
        None,
        "is no socket",
    ),
    (
        "a socket nowhere",
        |p| p.replace("listen: [", "listen: [{ unix: none/d.sock }, "),
        None,
        "none/d.sock",
    ),
    (
        "an address of others",
        |p| p.replace("127.0.0.1:0", "192.0.2.1:2376"),
        None,
        "192.0.2.1:2376: cannot listen",
    ),
];

#[test]
fn what_serve_does_not_start_with_check_finds() {
    use std::os::unix::fs::PermissionsExt as _;
    let for_good = BROKEN.iter().map(|broken| (broken, 2));
    for (&(name, broken, user, word), ends) in for_good.chain(NOT_NOW.iter().map(|not| (not, 1))) {
        let place = Place::new();
        // readable to others, as a directory of /etc is
        std::fs::set_permissions(place.0.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        broken(&place);
        let mut command = place.as_user(user);
        let checked =
            command.args(["check", "--config"]).arg(place.path("policy.yaml")).output().unwrap();
        let found = text(&checked.stdout) + &text(&checked.stderr);
        assert!(
            !place.path("log/x").exists() && checked.status.code() == Some(2),
            "{name}: {found}"
        );
        assert!(found.contains(word), "{name}: {word:?} is not in {found}");
        let (code, said) = place.serve(user).unwrap_or_else(|| panic!("{name}: it serves"));
        assert!(code == ends && said.contains(word), "{name}: {code}, {said}");
    }
    let place = Place::new();
    let policy = place.path("policy.yaml");
    let checked = dockward(&["check", "--config", policy.to_str().unwrap()]);
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}",
        text(&checked.stdout) + &text(&checked.stderr)
    );
    assert!(!place.path("log").exists() && !place.path("run").exists(), "nothing is made");
    assert_eq!(place.serve(None), None);
    // what only a group can change is told, and serves
    std::os::unix::fs::chown(&policy, None, Some(4343)).unwrap();
    place.mode("policy.yaml", 0o660);
    let checked = dockward(&["check", "--config", policy.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0));
    assert!(text(&checked.stdout).contains("group 4343 may write it"), "{}", text(&checked.stdout));
    // root looks with the eyes of another
    let as_user = dockward(&["check", "--as-user", "nobody", "--config", policy.to_str().unwrap()]);
    assert_eq!(as_user.status.code(), Some(2));
    let alone = dockward(&["check", "--policy-only", "--config", policy.to_str().unwrap()]);
    assert_eq!(alone.status.code(), Some(0));
}
