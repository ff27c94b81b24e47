use super::super::error::PkiError;
use super::*;
use crate::identity::IdentityName;
use jiff::Timestamp;
use std::path::Path;

const NOW: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(NOW + day * DAY).unwrap()
}

fn plan() -> Plan {
    Plan {
        hosts: vec!["gate.example".to_owned()],
        permit_dns: Vec::new(),
        key: KeyKind::Ecdsa,
        trust_domain: "x".to_owned(),
        crl_days: 90,
        endpoint: "gate.example:2376".to_owned(),
        policy: None,
    }
}

fn made() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    init(directory.path(), &plan(), None, day(0)).unwrap();
    directory
}

fn open(directory: &Path, on: i64) -> Ca {
    Ca::open(directory, None, day(on)).unwrap()
}

fn name(text: &str) -> IdentityName {
    text.parse().unwrap()
}

fn issue(directory: &Path, on: i64, lifetime: Option<&str>) -> Result<Issued, PkiError> {
    let lifetime = lifetime.map(|text| text.parse().unwrap());
    let wish = Wish { lifetime, ..Wish::of(name("a")) };
    let bundle = directory.join(format!("bundles/{on}"));
    open(directory, on).issue(&wish, &Delivery::Bundle(bundle))
}

fn renew(directory: &Path, on: i64) -> Result<Issued, PkiError> {
    let bundle = Delivery::Bundle(directory.join(format!("bundles/{on}")));
    open(directory, on).renew(&Former::Name(name("a")), None, &bundle)
}

#[test]
fn no_certificate_outlives_the_issuing_ca() {
    let directory = made();
    let end = open(directory.path(), 0).index().newest(CertificateKind::Authority).unwrap().until;
    assert_eq!(end, day(1_096));
    let asked = issue(directory.path(), 1_090, Some("6d")).unwrap();
    assert_eq!(asked.entry.until, end);
    let beyond = issue(directory.path(), 1_091, Some("6d"));
    assert!(matches!(beyond, Err(PkiError::TooLong(until)) if until == end));
    let unasked = issue(directory.path(), 1_092, None).unwrap();
    assert_eq!(unasked.entry.until, end);
    let after = issue(directory.path(), 1_096, None);
    assert!(matches!(after, Err(PkiError::IssuingExpired)));
}

#[test]
fn who_left_nothing_asked_has_thirty_days_and_the_gate_a_year() {
    let directory = made();
    assert_eq!(issue(directory.path(), 1, None).unwrap().entry.until, day(31));
    let ca = open(directory.path(), 1);
    assert_eq!(ca.index().newest(CertificateKind::Server).unwrap().until, day(365));
    drop(ca);
    let again = open(directory.path(), 300).renew_server(None).unwrap();
    assert_eq!(again.entry.until, day(665));
    assert_eq!(again.entry.dns, ["gate.example", "localhost"]);
}

#[test]
fn one_that_has_run_out_is_renewed_for_as_long_and_one_that_was_revoked_then_is_not() {
    let directory = made();
    issue(directory.path(), 0, Some("5d")).unwrap();
    assert_eq!(renew(directory.path(), 10).unwrap().entry.until, day(15));
    // both have run out; the last is revoked all the same
    let all = Selection::Name(name("a"));
    let revoked = open(directory.path(), 20).revoke(&all, RevocationReason::KeyCompromise).unwrap();
    assert_eq!(revoked.now.len(), 1);
    assert!(matches!(renew(directory.path(), 21), Err(PkiError::WasRevoked { .. })));
    let again = open(directory.path(), 21).revoke(&all, RevocationReason::Superseded).unwrap();
    assert_eq!((again.now.len(), again.before.len()), (0, 1));
}

#[test]
fn a_revocation_that_cannot_be_signed_is_not_recorded() {
    let directory = made();
    issue(directory.path(), 0, None).unwrap();
    let key = directory.path().join(layout::ISSUING_KEY);
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let all = Selection::Name(name("a"));
    let refused = open(directory.path(), 1).revoke(&all, RevocationReason::Unspecified);
    assert!(matches!(refused, Err(PkiError::Io { path, .. }) if path == key));
    assert_eq!(read(directory.path()).unwrap().clients("a").next().unwrap().revoked, None);
    std::fs::write(&key, kept).unwrap();
    assert_eq!(
        open(directory.path(), 1).revoke(&all, RevocationReason::Unspecified).unwrap().now.len(),
        1
    );
}

#[test]
fn lists_are_old_by_the_clock() {
    let directory = made();
    let both = [Which::Root, Which::Issuing];
    let write = |on: i64| {
        let age = Some("30d".parse().unwrap());
        open(directory.path(), on).write_lists(&both, None, age).unwrap()
    };
    assert_eq!(write(30), []);
    let written = write(31);
    let said: Vec<_> = written.iter().map(|list| (list.which, list.number, list.until)).collect();
    assert_eq!(said, [(Which::Issuing, 2, day(121)), (Which::Root, 2, day(121))]);
    assert_eq!(write(32), []);
}

#[test]
fn a_key_that_is_not_the_certificates_signs_nothing() {
    let directory = made();
    let (root, issuing) =
        (directory.path().join(layout::ROOT_KEY), directory.path().join(layout::ISSUING_KEY));
    std::fs::copy(root, &issuing).unwrap();
    let refused = issue(directory.path(), 1, None);
    assert!(matches!(refused, Err(PkiError::Unusable { path, .. }) if path == issuing));
    assert_eq!(read(directory.path()).unwrap().clients("a").count(), 0);
}

#[test]
fn what_is_kept_is_made_once_renewed_in_time_and_stays_revoked() {
    let directory = made();
    let bundle = directory.path().join("clients/a");
    let keep = |on: i64| open(directory.path(), on).keep(&Wish::of(name("a")), &bundle);
    let count = || read(directory.path()).unwrap().clients("a").count();
    for (on, many) in [(0, 1), (22, 1), (24, 2), (40, 2), (80, 3)] {
        keep(on).unwrap();
        assert_eq!(count(), many, "day {on}");
    }
    std::fs::remove_dir_all(&bundle).unwrap();
    keep(81).unwrap();
    assert_eq!((count(), bundle.join("key.pem").exists()), (4, true));
    let all = Selection::Name(name("a"));
    open(directory.path(), 82).revoke(&all, RevocationReason::Superseded).unwrap();
    keep(200).unwrap();
    assert_eq!(count(), 4);
}

#[test]
fn a_bundle_of_somebody_else_is_named_and_left_alone() {
    let (directory, other) = (made(), made());
    let bundle = other.path().join("clients/a");
    open(other.path(), 0).keep(&Wish::of(name("a")), &bundle).unwrap();
    let kept = std::fs::read(bundle.join("cert.pem")).unwrap();
    let refused = open(directory.path(), 0).keep(&Wish::of(name("a")), &bundle);
    assert!(matches!(refused, Err(PkiError::NotOurs(path)) if path == bundle.join("cert.pem")));
    assert_eq!(std::fs::read(bundle.join("cert.pem")).unwrap(), kept);
}

#[test]
fn the_gates_certificate_is_kept_while_it_is_for_the_same_hosts_and_lasts() {
    let directory = made();
    let hosts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let keep = |on, names: &[&str]| open(directory.path(), on).keep_server(&hosts(names));
    let until = || {
        read(directory.path())
            .unwrap()
            .newest(CertificateKind::Server)
            .map(|server| server.until)
            .unwrap()
    };
    keep(1, &["gate.example", "::1"]).unwrap();
    assert_eq!(until(), day(365));
    keep(2, &["a.gate.example"]).unwrap();
    assert_eq!(until(), day(367));
    keep(365, &["a.gate.example"]).unwrap();
    assert_eq!(until(), day(730));
    let beyond = keep(366, &["192.0.2.9"]);
    assert!(matches!(beyond, Err(PkiError::NotPermitted { .. })));
}
