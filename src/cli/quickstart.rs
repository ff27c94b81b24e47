//! `dockward quickstart`: an authority as `dockward certs` keeps one, two clients and a policy in one directory,
//! then the gate, and the commands to try: one that is allowed, and those that are refused. Who liked it goes on
//! from there with `certs issue` and `certs revoke`.

use super::certs::program;
use super::starter::{ADMINISTRATOR, DEVELOPER};
use super::words::shell_path;
use super::{Exit, Failure, QuickstartArgs, certs, clock, out, serve};
use crate::config::{self, Bind};
use crate::pki::PkiError;
use crate::pki::ca::{self, Ca, KeyKind, Lifetime, Plan, Which, Wish, layout, with_local};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where things are when nobody says otherwise.
const DIRECTORY: &str = "dockward-quickstart";
const DAEMON: &str = "/run/docker.sock";
const PORT: u16 = 2376;

/// The authority's directory, which is also where `dockward certs` looks when nobody says otherwise.
const PKI: &str = "pki";
/// What stands behind `spiffe://` in the URI of a client.
const TRUST_DOMAIN: &str = "dockward.demo";
/// Days that the lists of revoked certificates are good; they are written anew at each start.
const CRL_DAYS: u32 = 90;
/// The clients, one for each role.
const CLIENTS: [&str; 2] = ["dev", "admin"];

/// What is tried and refused, with what each is about.
const REFUSED: [(&str, &str); 8] = [
    ("run --rm --privileged busybox true", "every capability and device"),
    ("run --rm -v /:/h busybox true", "the host's files"),
    ("run --rm --pid host busybox true", "the host's processes"),
    ("run --rm --network host busybox true", "the host's network"),
    ("run --rm --cap-add ALL busybox true", "every capability"),
    ("run --rm --device /dev/sda busybox true", "the host's disk"),
    ("run --rm --security-opt seccomp=unconfined busybox true", "no system call filter"),
    ("volume create -o type=none -o o=bind -o device=/ h", "a volume that is the host's root"),
];

/// Makes what is missing, then serves.
///
/// # Errors
/// What keeps it from being run.
pub fn run(args: &QuickstartArgs) -> Result<Exit, Failure> {
    // before certificates are made that would be over when the clock is set
    clock::now()?;
    let prepared = prepare(&QuickstartWanted {
        dir: args.dir.clone().unwrap_or_else(|| DIRECTORY.into()),
        listen: args.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, PORT).into()),
        daemon: args.daemon.clone().unwrap_or_else(|| DAEMON.into()),
    })?;
    serve::serve(&prepared.config, |ready| out::print(&format!("{ready}\n{}", prepared.text)))
}

/// The arguments, complete.
struct QuickstartWanted {
    dir: PathBuf,
    listen: SocketAddr,
    daemon: PathBuf,
}

struct Prepared {
    config: PathBuf,
    text: String,
}

fn prepare(args: &QuickstartWanted) -> Result<Prepared, Failure> {
    let at = |what: &Path, error: io::Error| {
        Failure::new(format!("{}: {error}", what.display()), "choose another --dir")
    };
    std::fs::create_dir_all(&args.dir).map_err(|e| at(&args.dir, e))?;
    let dir = args.dir.canonicalize().map_err(|e| at(&args.dir, e))?;
    let audit = dir.join("audit");
    std::fs::create_dir_all(&audit).map_err(|e| at(&audit, e))?;
    let (config, pki) = (dir.join(layout::POLICY), dir.join(PKI));
    let there = config.exists();
    if there {
        is_kept(&config, args, &pki)?;
    }
    let trust_domain = authority(&pki, args.listen)?;
    if !there {
        std::fs::write(&config, policy(args, &trust_domain)).map_err(|e| at(&config, e))?;
    }
    Ok(Prepared { config, text: commands(args.listen, &dir) })
}

/// Makes the authority and what it issues, or keeps what is there. Gives its trust domain.
fn authority(directory: &Path, listen: SocketAddr) -> Result<String, Failure> {
    let passphrase = certs::passphrase(None)?;
    let now = clock::now()?;
    if !directory.join(layout::INDEX).exists() {
        ca::init(directory, &plan(listen), passphrase.as_ref(), now)?;
    }
    let mut ca = Ca::open(directory, passphrase, now)?;
    ca.keep_server(&with_local(&hosts(listen)))?;
    let trust_domain = ca.index().trust_domain.clone();
    for name in CLIENTS {
        let parsed = name.parse().map_err(|_| PkiError::ClientName(name.to_owned()))?;
        let uri = Some(format!("spiffe://{trust_domain}/{name}/{name}"));
        let bundle = directory.join(layout::CLIENTS).join(name);
        ca.keep(&Wish { uri, ..Wish::of(parsed) }, &bundle)?;
    }
    let age = Lifetime::days(CRL_DAYS.div_ceil(3));
    ca.write_lists(&[Which::Root, Which::Issuing], None, Some(age))?;
    Ok(trust_domain)
}

fn plan(listen: SocketAddr) -> Plan {
    Plan {
        hosts: hosts(listen),
        permit_dns: Vec::new(),
        key: KeyKind::Ecdsa,
        trust_domain: TRUST_DOMAIN.to_owned(),
        crl_days: CRL_DAYS,
        endpoint: endpoint(listen),
        policy: None,
    }
}

/// A policy that is there is not written again, so it must say what is asked for now: else the
/// commands would be printed of one gate and the policy be that of another.
fn is_kept(path: &Path, args: &QuickstartWanted, pki: &Path) -> Result<(), Failure> {
    let config = config::load(path, Timestamp::now())?;
    let (listen, client_ca) = (Bind::Address(args.listen), pki.join(layout::CLIENT_CA));
    let mut doors = config.listen.iter().filter_map(|door| door.tls());
    let other = match doors.find(|tls| tls.address == listen) {
        None => format!("address than {}", args.listen),
        Some(tls) if tls.client_ca != client_ca => {
            format!("client_ca than {}", client_ca.display())
        }
        Some(_) if config.daemon.socket != args.daemon => {
            format!("daemon than {}", args.daemon.display())
        }
        Some(_) => return Ok(()),
    };
    let what = format!("{} is there already and has another {other}", path.display());
    Err(Failure::new(what, "change it there, or choose another --dir"))
}

/// How clients reach the gate, besides the local names.
fn hosts(listen: SocketAddr) -> Vec<String> {
    let ip = listen.ip();
    if ip.is_unspecified() { Vec::new() } else { vec![ip.to_string()] }
}

/// Host and port as the printed commands have them.
fn endpoint(listen: SocketAddr) -> String {
    match listen.ip().is_unspecified() {
        true => format!("localhost:{}", listen.port()),
        false => listen.to_string(),
    }
}

fn policy(args: &QuickstartWanted, trust_domain: &str) -> String {
    format!(
        r#"# Made by `dockward quickstart`. It is yours to change; it is not written again.
version: 1
listen:
  - tls: "{listen}"
    certificate: {PKI}/{server}
    key: {PKI}/{server_key}
    client_ca: {PKI}/{client_ca}
    crl: {PKI}/{crl}
daemon: {{ socket: "{socket}" }}
audit: {{ directory: audit }}
control: {{ socket: control.sock }}

identities:
  - name: dev
    match: {{ uri: "spiffe://{trust_domain}/dev/dev" }}
    roles: [developer]
  - name: admin
    match: {{ uri: "spiffe://{trust_domain}/admin/admin" }}
    roles: [administrator]
  - name: "dev-{{1}}"         # whoever else gets a certificate by `dockward certs issue --name NAME`
    match: {{ uri: "spiffe://{trust_domain}/*" }}
    roles: [developer]

roles:
{DEVELOPER}{ADMINISTRATOR}"#,
        listen = args.listen,
        server = layout::SERVER,
        server_key = layout::SERVER_KEY,
        client_ca = layout::CLIENT_CA,
        crl = layout::CRL,
        socket = args.daemon.display(),
    )
}

/// Short commands to paste: where the gate is and who asks stands in the environment, which is set once.
fn commands(listen: SocketAddr, dir: &Path) -> String {
    let mut text = String::new();
    let (host, pki, dir) = (endpoint(listen), shell_path(&dir.join(PKI)), shell_path(dir));
    let bundle = |name: &str| format!("{pki}/{}/{name}", layout::CLIENTS);
    let program = program();
    let _ = writeln!(
        text,
        "\nIn another shell, as the developer:\n  export DOCKER_HOST=tcp://{host} DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH={}",
        bundle("dev")
    );
    let _ = writeln!(text, "\nAllowed:\n  docker run --rm busybox echo hi");
    let _ = writeln!(text, "\nRefused, each with its reason:");
    let width = REFUSED.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    for (command, about) in REFUSED {
        let _ = writeln!(text, "  docker {command:width$}  # {about}");
    }
    let _ = writeln!(
        text,
        "\nThe administrator may:\n  DOCKER_CERT_PATH={} docker info",
        bundle("admin")
    );
    let _ = writeln!(
        text,
        "\nOne more developer, and out again; how the gate is, and its log:\n  cd {dir}\n  {program} certs issue --name alice\n  {program} certs revoke --name alice --control control.sock\n  {program} status --control control.sock\n  tail -f audit/dockward-*.jsonl",
    );
    let _ = writeln!(
        text,
        "\nThe policy is {dir}/dockward.yaml: what is changed there is in force within a second. Ctrl-C ends this."
    );
    text
}

#[cfg(test)]
mod tests {
    use super::{QuickstartWanted, commands, prepare};
    use std::path::Path;

    #[test]
    fn what_is_printed_is_short_enough_to_paste() {
        let text =
            commands("127.0.0.1:2376".parse().unwrap(), Path::new("/srv/dockward-quickstart"));
        assert_eq!(text.matches("export ").count(), 1);
        for line in text.lines() {
            assert!(line.len() <= 160, "{line}");
        }
        assert_eq!(text.lines().filter(|line| line.contains("  # ")).count(), 8, "{text}");
    }

    #[test]
    fn a_policy_that_is_there_must_say_what_is_asked_for() {
        let scratch = tempfile::tempdir().unwrap();
        let wanted = |listen: &str, daemon: &str| QuickstartWanted {
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
        let others = std::fs::read_to_string(&first.config).unwrap();
        std::fs::write(&first.config, others.replace("pki/client-ca.pem", "ca.pem")).unwrap();
        let refused = prepare(&wanted("127.0.0.1:2376", "/run/docker.sock")).err().unwrap();
        assert!(refused.0.what.contains("another client_ca than"), "{}", refused.0);
    }
}
