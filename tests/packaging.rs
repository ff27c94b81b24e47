//! The files that are installed beside the binary, checked with the tools that will read them.
//! `systemd-analyze` is in Debian's package systemd, `openssl` in openssl; a test fails without them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "tests fail by panicking"
)]

use dockward::facade::identity::CertificateFacts;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn systemd(name: &str) -> PathBuf {
    root().join("packaging/systemd").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(systemd(name)).unwrap()
}

/// Every value of a key, over all its lines.
fn values<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(k, _)| *k == key).map(|(_, value)| value).collect()
}

/// Runs a tool that has to be there.
fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_owned();
    command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

fn assert_ran(output: &Output) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&text));
}

/// What a unit exposes by `systemd-analyze security` is at most so many tenths, of 100. Drop-ins beside it count.
fn assert_hardened(unit: &Path, tenths: u32) {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager", &format!("--threshold={tenths}")]);
    assert_ran(&run(analyze.arg(unit)));
}

#[test]
fn the_service_is_hardened() {
    let unit = read("dockward.service");
    let directory = tempfile::tempdir().unwrap();
    let alone = directory.path().join("dockward.service");
    fs::write(&alone, &unit).unwrap();
    assert_hardened(&alone, 13);
    assert_hardened(&systemd("dockward.service"), 17); // with what users of the host ask for
    assert_eq!(values(&unit, "User"), ["dockward"]);
    assert_eq!(values(&unit, "CapabilityBoundingSet"), [""]);
}

#[test]
fn the_lists_are_written_long_before_they_run_out() {
    assert_hardened(&systemd("dockward-crl.service"), 15);
    let unit = read("dockward-crl.service");
    let start = values(&unit, "ExecStart")[0].to_owned();
    let (program, args) = start.split_once(' ').unwrap();
    assert_eq!((program, values(&unit, "Type")), ("/usr/bin/dockward", vec!["oneshot"]));
    assert_eq!(values(&read("dockward-crl.timer"), "OnCalendar"), ["daily"]);
    // the very arguments, on an authority that is new and on one whose list is gone
    let directory = tempfile::tempdir().unwrap();
    let pki = directory.path().join("pki");
    let dockward = |args: &str| {
        let args = args.replace("/etc/dockward/pki", pki.to_str().unwrap());
        let output = run(Command::new(env!("CARGO_BIN_EXE_dockward")).args(args.split(' ')));
        assert_ran(&output);
        String::from_utf8(output.stdout).unwrap()
    };
    dockward("certs init --dir /etc/dockward/pki");
    assert!(dockward(args).contains("nothing written"));
    fs::remove_file(pki.join("crl.pem")).unwrap();
    assert!(dockward(args).contains("number 2"));
}

#[test]
fn the_service_outlives_the_daemon() {
    let unit = read("dockward.service");
    assert!(values(&unit, "After").iter().any(|v| v.split(' ').any(|u| u == "docker.service")));
    for key in ["Requires", "Requisite", "BindsTo", "PartOf", "StopPropagatedFrom"] {
        assert_eq!(values(&unit, key), Vec::<&str>::new(), "{key}");
    }
}

#[test]
fn the_service_says_when_it_is_ready_and_reloads_on_hup() {
    let unit = read("dockward.service");
    assert_eq!(values(&unit, "Type"), ["notify"]);
    let start = "/usr/bin/dockward serve --config /etc/dockward/dockward.yaml";
    assert_eq!(values(&unit, "ExecStart"), [start]);
    // what it finds keeps nobody down: RestartPreventExitStatus= is about the main process alone
    let check = "-/usr/bin/dockward check --config /etc/dockward/dockward.yaml";
    assert_eq!(values(&unit, "ExecStartPre"), [check]);
    assert_eq!(values(&unit, "RestartPreventExitStatus"), ["2"]);
    assert_eq!(values(&unit, "ExecReload"), ["/bin/kill -HUP $MAINPID"]);
}

#[test]
fn what_the_gate_must_see_is_not_hidden_from_it() {
    let unit = read("dockward.service");
    // Either would hide dockerd's mounts or homes, and the host paths there would all be refused.
    assert_eq!(values(&unit, "ProtectProc"), Vec::<&str>::new());
    assert_eq!(values(&unit, "ProtectHome"), ["read-only"]);
}

#[test]
fn what_is_hidden_from_the_gate_it_is_told() {
    let unit = read("dockward.service");
    assert_eq!(values(&unit, "ProcSubset"), ["pid"]);
    assert_eq!(values(&unit, "Environment"), ["DOCKWARD_BOOT_ID=%b"]);
}

/// systemd gives a unit's own directories to its user, everything in them too, and removes them when it ends.
#[test]
fn no_socket_of_systemds_lies_in_the_gates_own_directory() {
    let own = values(&read("dockward.service"), "RuntimeDirectory")[0].to_owned();
    let socket = read("dockward.socket").replace('#', "");
    let listens = values(&socket, "ListenStream");
    assert_eq!(listens.len(), 2, "{listens:?}");
    assert!(listens.iter().all(|at| !at.starts_with(&format!("/run/{own}/"))), "{listens:?}");
}

#[test]
fn the_drop_ins_for_users_open_no_more_than_they_say() {
    let settings = |name: &str| {
        let text = read(name);
        let lines = text.lines().filter(|line| !line.starts_with('#') && line.contains('='));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(settings("dockward.service.d/users.conf"), ["PrivateUsers=no"]);
    let socket = settings("dockward.service.d/users-socket.conf");
    let wanted = [
        "SupplementaryGroups=dockward-users",
        "SystemCallFilter=fchownat",
        "RuntimeDirectoryMode=0711",
    ];
    assert_eq!(socket, wanted);
}

#[test]
fn systemd_reads_every_unit_without_a_complaint() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let put = |name: &str, text: &str| fs::write(here.join(name), text).unwrap();
    let service = read("dockward.service").replace("/usr/bin/dockward", "/bin/true");
    put("dockward.service", &service);
    put("dockward.socket", &read("dockward.socket"));
    let lists = read("dockward-crl.service").replace("/usr/bin/dockward", "/bin/true");
    put("dockward-crl.service", &lists.replace("/bin/systemctl", "/bin/true"));
    put("dockward-crl.timer", &read("dockward-crl.timer"));
    let before = "[Service]\nType=notify\nExecStart=/bin/true -H fd:// -H tcp://0.0.0.0:2376\n";
    put("docker.service", before);
    put("docker.socket", "[Socket]\nListenStream=/run/docker.sock\nListenStream=2376\n");
    for unit in ["docker.service", "docker.socket"] {
        let name = format!("{unit}.d/zz-dockward.conf");
        fs::create_dir(here.join(format!("{unit}.d"))).unwrap();
        put(&name, &read(&name).replace("=dockerd ", "=/bin/true "));
    }
    fs::create_dir(here.join("dockward.service.d")).unwrap();
    for name in ["users.conf", "users-socket.conf"] {
        let name = format!("dockward.service.d/{name}");
        put(&name, &read(&name));
    }
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no", "--recursive-errors=no"]);
    let units = ["dockward.service", "dockward.socket", "docker.service", "docker.socket"];
    let units = units.into_iter().chain(["dockward-crl.service", "dockward-crl.timer"]);
    let output = run(verify.args(units.map(|unit| here.join(unit))));
    assert_ran(&output);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn the_drop_ins_reset_before_they_set_and_leave_no_port() {
    let service = read("docker.service.d/zz-dockward.conf");
    let starts = values(&service, "ExecStart");
    assert_eq!((starts.len(), starts[0]), (2, ""));
    assert!(starts[1].starts_with("dockerd -H fd://") && !starts[1].contains("tcp"), "{starts:?}");
    let socket = read("docker.socket.d/zz-dockward.conf");
    assert_eq!(values(&socket, "ListenStream"), ["", "/run/docker.sock"]);
    let readme = read("README.md");
    let commands = readme.lines().filter(|l| l.contains("systemctl restart docker.socket docker"));
    assert_eq!(commands.count(), 2, "one command takes the port away, one gives it back");
}

#[test]
fn the_user_is_made_as_the_service_wants_it() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let mut sysusers = Command::new("systemd-sysusers");
    sysusers.arg(format!("--root={}", root.path().display()));
    assert_ran(&run(sysusers.arg(systemd("dockward.sysusers"))));
    let users = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
    let user = users.lines().find(|line| line.starts_with("dockward:")).unwrap();
    assert!(user.ends_with("/nologin"), "{user}");
    let groups = fs::read_to_string(root.path().join("etc/group")).unwrap();
    let docker = groups.lines().find(|line| line.starts_with("docker:")).unwrap();
    assert!(docker.ends_with(":dockward"), "{docker}");
}

/// The example and an authority of `certs init` beside it: checked, and each identity has a certificate that gets in.
#[test]
fn the_example_policy_fits_what_certs_init_makes() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(root().join("config/dockward.yaml")).arg(root().join("config/presets"));
    assert_ran(&run(copy.arg(here)));
    let policy = fs::read_to_string(here.join("dockward.yaml")).unwrap();
    let dockward = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockward"));
        let output = run(command.args(line.split(' ')).current_dir(here));
        assert_ran(&output);
        String::from_utf8(output.stdout).unwrap()
    };
    dockward("certs init --dir pki --host gate.example");
    let checked = dockward("check --config dockward.yaml --format json");
    let checked: serde_json::Value = serde_json::from_str(&checked).unwrap();
    let about_files =
        |warning: &serde_json::Value| warning["subject"].as_str().unwrap().contains("pki");
    let warnings = checked["warnings"].as_array().unwrap();
    assert_eq!(warnings.iter().find(|warning| about_files(warning)), None);
    assert_eq!(checked["certificates"].as_array().map(Vec::len), Some(6), "{checked}");

    let documented = policy.lines().find_map(|line| line.strip_prefix("# dockward certs issue "));
    let documented = documented.unwrap();
    assert!(documented.contains("--name ci-7 "), "{documented}");
    dockward(&format!("certs issue {documented}"));
    for name in ["dev-jo", "audit-kim", "admin"] {
        let uri = format!("spiffe://dockward.internal/{}", name.replace('-', "/"));
        dockward(&format!("certs issue --dir pki --name {name} --uri {uri}"));
    }
    for name in ["ci-7", "dev-jo", "audit-kim", "admin"] {
        let bundle = format!("pki/clients/{name}/cert.pem");
        let asked = dockward(&format!("check --config dockward.yaml --client-cert {bundle}"));
        let verdict = asked.lines().find(|line| line.contains(name) && line.contains("let in"));
        assert!(verdict.is_some(), "{name}: {asked}");
    }
}

fn make_certificates(directory: &Path, arguments: &[&str]) -> Output {
    let mut script = Command::new("sh");
    script.arg(root().join("certs-example/make-certs.sh")).arg(directory).args(arguments);
    run(&mut script)
}

fn facts(certificate: &Path) -> CertificateFacts {
    CertificateFacts::read(&CertificateDer::from_pem_file(certificate).unwrap()).unwrap()
}

#[test]
fn the_example_certificates_say_what_their_readme_says() {
    let directory = tempfile::tempdir().unwrap();
    let demo = directory.path().join("demo");
    assert_ran(&make_certificates(&demo, &["127.0.0.1,::1,gate.example", "ci/runner"]));
    let runner = facts(&demo.join("clients/runner/cert.pem"));
    assert_eq!(runner.uris, ["spiffe://dockward.demo/ci/runner"]);
    assert_eq!(runner.common_names, ["runner"]);
    let server = facts(&demo.join("server/cert.pem"));
    assert_eq!(server.ips, ["127.0.0.1", "::1"]);
    assert_eq!(server.dns, ["gate.example"]);
    for (bundle, purpose) in [("clients/runner", "sslclient"), ("server", "sslserver")] {
        let mut verify = Command::new("openssl");
        verify.args(["verify", "-x509_strict", "-purpose", purpose, "-CAfile"]);
        verify.arg(demo.join("ca/ca.pem")).arg(demo.join(bundle).join("cert.pem"));
        assert_ran(&run(&mut verify));
    }
    assert_ran(&make_certificates(&demo, &["gate.example", "ci/runner"]));
    assert_eq!(facts(&demo.join("clients/runner/cert.pem")), runner, "kept");
}

#[test]
fn the_example_script_refuses_a_name_that_leaves_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let demo = directory.path().join("demo");
    for bad in ["runner", "ci/", "/x", "ci/..", "../x", "ci/a/b", "ci/A b", "ci/x,URI:y"] {
        let output = make_certificates(&demo, &["gate.example", bad]);
        assert_eq!(output.status.code(), Some(2), "{bad}");
    }
    let output = make_certificates(&demo, &["gate.example,x=y"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!demo.exists());
}
