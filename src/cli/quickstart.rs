//! `dockward quickstart`: a demo authority, two clients and a policy in one directory, then the gate,
//! and the commands to try: one that is allowed, and those that are refused.

use super::starter::{ADMINISTRATOR, DEVELOPER};
use super::words::shell_word;
use super::{Failure, Outcome, QuickstartArgs, clock, out, serve};
use crate::config::{self, Bind};
use crate::identity::IdentityName;
use crate::pki::{self, Bundle, demo};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where things are when nobody says otherwise.
const DIRECTORY: &str = "dockward-quickstart";
const DAEMON: &str = "/run/docker.sock";
const PORT: u16 = 2376;

/// What is tried and refused, with what each is about.
const REFUSED: [(&str, &str); 8] = [
    ("--privileged busybox true", "every capability and device"),
    ("-v /:/h busybox true", "the host's files"),
    ("--pid host busybox true", "the host's processes"),
    ("--network host busybox true", "the host's network"),
    ("--cap-add ALL busybox true", "every capability"),
    ("--device /dev/sda busybox true", "the host's disk"),
    ("--security-opt seccomp=unconfined busybox true", "no system call filter"),
    (
        "--mount type=volume,dst=/h,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/ busybox true",
        "a volume that is the host's root",
    ),
];

/// Makes what is missing, then serves.
///
/// # Errors
/// What keeps it from being run.
pub fn run(args: &QuickstartArgs) -> Result<Outcome, Failure> {
    // before certificates are made that would be over when the clock is set
    clock::now()?;
    let prepared = prepare(&Wanted::of(args))?;
    serve::serve(&prepared.config, |ready| out::print(&format!("{ready}\n{}", prepared.text)))
}

/// The arguments, complete.
struct Wanted {
    dir: PathBuf,
    listen: SocketAddr,
    daemon: PathBuf,
}

impl Wanted {
    fn of(args: &QuickstartArgs) -> Self {
        Self {
            dir: args.dir.clone().unwrap_or_else(|| DIRECTORY.into()),
            listen: args.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, PORT).into()),
            daemon: args.daemon.clone().unwrap_or_else(|| DAEMON.into()),
        }
    }
}

struct Prepared {
    config: PathBuf,
    text: String,
}

fn prepare(args: &Wanted) -> Result<Prepared, Failure> {
    let at = |what: &Path, error: io::Error| {
        Failure::new(format!("{}: {error}", what.display()), "choose another --dir")
    };
    std::fs::create_dir_all(&args.dir).map_err(|e| at(&args.dir, e))?;
    let dir = args.dir.canonicalize().map_err(|e| at(&args.dir, e))?;
    let audit = dir.join("audit");
    std::fs::create_dir_all(&audit).map_err(|e| at(&audit, e))?;
    let (dev, admin) = (demo::client_uri("dev", "dev"), demo::client_uri("admin", "admin"));
    let hosts = hosts(args.listen);
    let clients = [("dev", dev.as_str()), ("admin", admin.as_str())];
    let made = pki::make(&dir.join("pki"), &hosts, &clients).map_err(Failure::of)?;
    let config = dir.join("dockward.yaml");
    match config.exists() {
        true => is_kept(&config, args)?,
        false => {
            let text = policy(args, &made.server);
            std::fs::write(&config, text).map_err(|e| at(&config, e))?;
        }
    }
    let text = commands(args.listen, &dir, &made.clients);
    Ok(Prepared { config, text })
}

/// A policy that is there is not written again, so it must say what is asked for now: else the
/// commands would be printed of one gate and the policy be that of another.
fn is_kept(path: &Path, args: &Wanted) -> Result<(), Failure> {
    let config = config::load(path, Timestamp::now())?;
    let (listen, daemon) = (Bind::Address(args.listen), &args.daemon);
    let says = |what: &str| {
        Err(Failure::new(
            format!("{} is there already and has another {what}", path.display()),
            "change it there, or choose another --dir",
        ))
    };
    match config.listen.iter().any(|door| door.tls().is_some_and(|tls| tls.address == listen)) {
        false => says(&format!("address than {}", args.listen)),
        true if config.daemon.socket != *daemon => {
            says(&format!("daemon than {}", daemon.display()))
        }
        true => Ok(()),
    }
}

/// What the server's certificate is for.
fn hosts(listen: SocketAddr) -> Vec<String> {
    let mut hosts = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let ip = listen.ip();
    if !ip.is_unspecified() && !hosts.contains(&ip.to_string()) {
        hosts.push(ip.to_string());
    }
    hosts
}

fn policy(args: &Wanted, server: &Bundle) -> String {
    format!(
        r#"# Made by `dockward quickstart`. It is yours to change; it is not written again.
version: 1
listen:
  - tls: "{listen}"
    certificate: "{certificate}"
    key: "{key}"
    client_ca: "{ca}"
daemon: {{ socket: "{socket}" }}
audit: {{ directory: audit }}
control: {{ socket: control.sock }}

identities:
  - name: dev
    match: {{ uri: "spiffe://dockward.demo/dev/dev" }}
    roles: [developer]
  - name: admin
    match: {{ uri: "spiffe://dockward.demo/admin/admin" }}
    roles: [administrator]

roles:
{DEVELOPER}{ADMINISTRATOR}"#,
        listen = args.listen,
        certificate = server.certificate().display(),
        key = server.key().display(),
        ca = server.ca().display(),
        socket = args.daemon.display(),
    )
}

fn commands(listen: SocketAddr, dir: &Path, clients: &[(IdentityName, Bundle)]) -> String {
    let mut text = String::new();
    let bundle = |wanted: &str| {
        let found = clients.iter().find(|(name, _)| name.as_str() == wanted);
        found.and_then(|(_, bundle)| bundle.ca().parent().map(|p| p.display().to_string()))
    };
    let host = match listen.ip().is_unspecified() {
        true => format!("localhost:{}", listen.port()),
        false => listen.to_string(),
    };
    let docker = |name: &str| {
        format!(
            "docker --host tcp://{host} --tlsverify --tlscacert {c}/ca.pem --tlscert {c}/cert.pem --tlskey {c}/key.pem",
            c = shell_word(&bundle(name).unwrap_or_default())
        )
    };
    let (dev, admin) = (docker("dev"), docker("admin"));
    let _ = writeln!(text, "\nAllowed to the developer:\n  {dev} run --rm busybox echo hi");
    let _ = writeln!(text, "\nRefused, each with its reason:");
    for (command, about) in REFUSED {
        let _ = writeln!(text, "  # {about}\n  {dev} run --rm {command}");
    }
    let _ = writeln!(text, "\nThe administrator may:\n  {admin} info");
    let _ = writeln!(
        text,
        "\nEvery decision is on record: tail -f {0}/audit/dockward-*.jsonl\nThe policy is {0}/dockward.yaml; `dockward reload --control {0}/control.sock` reads it again.\nHow the gate is: dockward status --control {0}/control.sock\nCtrl-C ends this.",
        shell_word(&dir.display().to_string())
    );
    text
}

#[cfg(test)]
mod tests {
    use super::{Wanted, prepare};

    #[test]
    fn a_policy_that_is_there_must_say_what_is_asked_for() {
        let scratch = tempfile::tempdir().unwrap();
        let wanted = |listen: &str, daemon: &str| Wanted {
            dir: scratch.path().to_owned(),
            listen: listen.parse().unwrap(),
            daemon: daemon.into(),
        };
        let first = prepare(&wanted("127.0.0.1:2376", "/run/docker.sock")).unwrap();
        let kept = std::fs::read(&first.config).unwrap();
        let again = prepare(&wanted("127.0.0.1:2376", "/run/docker.sock")).unwrap();
        assert_eq!((again.text, std::fs::read(&again.config).unwrap()), (first.text, kept));
        for (listen, daemon, word) in [
            ("127.0.0.1:2377", "/run/docker.sock", "address"),
            ("127.0.0.1:2376", "/run/other.sock", "daemon"),
        ] {
            let refused = prepare(&wanted(listen, daemon)).err().unwrap();
            assert!(refused.0.what.contains(&format!("another {word} than")), "{}", refused.0);
        }
    }
}
