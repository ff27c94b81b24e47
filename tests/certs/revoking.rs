//! Revoking, the lists, and what is told of it.

use super::house::{House, chain, facts, openssl, text};
use dockward::facade::audit::event::{DecisionRecord, IdentityRecord, Proof};
use dockward::facade::audit::{Durability, Event, GateInstance, Stage, Writer};
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::path::Path;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

/// A list as x509-parser reads it: its number and the serial numbers with their reason.
#[derive(Debug, PartialEq, Eq)]
struct List {
    number: u64,
    revoked: Vec<(String, Option<u8>)>,
    days: i64,
}

/// The lists of the issuing CA and of the root, both signed by theirs.
fn lists(house: &House) -> Vec<List> {
    let authorities = [house.ca("issuing.pem"), house.ca("ca.pem")].map(|path| chain(&path));
    let ders = CertificateRevocationListDer::pem_file_iter(house.ca("crl.pem")).unwrap();
    let ders: Vec<_> = ders.map(Result::unwrap).collect();
    let from = authorities.len() - ders.len();
    ders.iter().zip(&authorities[from..]).map(|(der, authority)| list(der, &authority[0])).collect()
}

fn list(der: &[u8], authority: &[u8]) -> List {
    let (_, list) = CertificateRevocationList::from_der(der).unwrap();
    let (_, authority) = X509Certificate::from_der(authority).unwrap();
    list.verify_signature(authority.public_key()).unwrap();
    assert_eq!(list.issuer(), authority.subject());
    let until = list.next_update().unwrap().timestamp();
    let revoked = list.iter_revoked_certificates().map(|entry| {
        let serial = entry.raw_serial().iter().map(|byte| format!("{byte:02x}")).collect();
        (serial, entry.reason_code().map(|(_, code)| code.0))
    });
    List {
        number: list.crl_number().unwrap().try_into().unwrap(),
        revoked: revoked.collect(),
        days: (until - list.last_update().timestamp()) / 86_400,
    }
}

fn issue(house: &House, name: &str, bundle: &str) -> String {
    house.does(&["issue", "--name", name, "--bundle", bundle]);
    facts(&house.path(bundle).join("cert.pem")).serial
}

#[test]
fn a_revoked_certificate_is_on_a_signed_list_with_a_higher_number() {
    let house = House::with(&["--crl-days", "30"]);
    let before = lists(&house);
    assert_eq!(before[0], List { number: 1, revoked: vec![], days: 30 });
    let (first, second) = (issue(&house, "a", "a1"), issue(&house, "a", "a2"));
    let other = issue(&house, "b", "b");
    house.does(&["revoke", "--name", "a", "--reason", "key-compromise"]);
    let after = lists(&house);
    let both = vec![(first, Some(1)), (second, Some(1))];
    assert_eq!(after[0], List { number: 2, revoked: both, days: 30 });
    assert_eq!(after[1], before[1], "the root's stays");
    assert_eq!(house.states("a"), ["revoked", "revoked"]);
    assert_eq!(house.states("b"), ["valid"]);
    house.does(&["revoke", "--serial", &other.to_uppercase()]);
    let third = &lists(&house)[0];
    assert_eq!((third.number, third.revoked[2].clone()), (3, (other, None)));
}

#[test]
fn every_reason_has_its_code() {
    let house = House::new();
    for (reason, code) in [
        ("key-compromise", Some(1)),
        ("affiliation-changed", Some(3)),
        ("superseded", Some(4)),
        ("cessation", Some(5)),
        ("privilege-withdrawn", Some(9)),
        ("unspecified", None),
    ] {
        issue(&house, reason, reason);
        let file = format!("{reason}/cert.pem");
        house.does(&["revoke", "--cert", &file, "--reason", reason]);
        assert_eq!(lists(&house)[0].revoked.last().unwrap().1, code, "{reason}");
    }
    let refused = house.refuses(&["revoke", "--name", "cessation", "--reason", "because"]);
    assert!(refused.contains("key-compromise, superseded"), "{refused}");
}

#[test]
fn revoking_twice_is_done_and_changes_nothing() {
    let house = House::new();
    issue(&house, "a", "a");
    house.does(&["revoke", "--name", "a", "--reason", "superseded"]);
    let before = house.everything();
    let said = house.does(&["revoke", "--name", "a", "--reason", "key-compromise"]);
    assert!(said.contains("was revoked before") && said.contains("(superseded)"), "{said}");
    assert_eq!(house.everything(), before);
}

#[test]
fn what_is_unknown_is_not_revoked() {
    let house = House::new();
    issue(&house, "a", "a");
    let other = House::new();
    issue(&other, "a", "a");
    let foreign = text(&other.path("a/cert.pem")).to_owned();
    for (args, word) in [
        (["--name", "nobody"], "\"nobody\" is not known here"),
        (["--serial", "4a0b"], "\"4a0b\" is not known here"),
        (["--serial", "xyz"], "no serial number"),
        (["--cert", &foreign], "not a certificate that was issued here"),
        (["--cert", "absent"], "No such file"),
    ] {
        let refused = house.refuses(&["revoke", args[0], args[1]]);
        assert!(refused.contains(word), "{refused}");
    }
}

#[test]
fn a_revoked_one_is_not_renewed_until_it_is_issued_again() {
    let house = House::new();
    issue(&house, "a", "old");
    issue(&house, "a", "new");
    house.does(&["revoke", "--cert", "new/cert.pem", "--reason", "key-compromise"]);
    for args in [["--name", "a"], ["--cert", "new/cert.pem"], ["--cert", "old/cert.pem"]] {
        let refused = house.refuses(&["renew", args[0], args[1], "--bundle", "x"]);
        assert!(refused.contains("was revoked (key-compromise)"), "{refused}");
    }
    issue(&house, "a", "again");
    house.does(&["renew", "--name", "a", "--bundle", "x"]);
    // the very certificate that was revoked stays so
    house.refuses(&["renew", "--cert", "new/cert.pem", "--bundle", "y"]);
}

#[test]
fn the_lists_are_written_anew_when_they_are_old_enough() {
    let house = House::new();
    let before = house.everything();
    let said = house.does(&["crl", "--if-older-than", "1h"]);
    assert!(said.contains("nothing written"), "{said}");
    assert_eq!(house.everything(), before);
    house.does(&["crl", "--days", "7"]);
    let numbers =
        |house: &House| lists(house).iter().map(|l| (l.number, l.days)).collect::<Vec<_>>();
    assert_eq!(numbers(&house), [(2, 7), (2, 7)]);
    issue(&house, "a", "a");
    house.does(&["revoke", "--name", "a"]);
    assert_eq!(numbers(&house), [(3, 7), (2, 7)], "those after them too");
    fs::rename(house.ca("root-key.pem"), house.path("elsewhere")).unwrap();
    house.does(&["crl", "--ca", "issuing"]);
    assert_eq!(numbers(&house), [(4, 7), (2, 7)]);
    let refused = house.refuses(&["crl"]);
    assert!(refused.contains("root-key.pem"), "{refused}");
    fs::rename(house.path("elsewhere"), house.ca("root-key.pem")).unwrap();
    // a list that is gone is old, and one that was taken back is not believed
    let kept = fs::read(house.ca("crl.pem")).unwrap();
    house.does(&["crl"]);
    fs::write(house.ca("crl.pem"), kept).unwrap();
    house.does(&["crl", "--if-older-than", "1h"]);
    assert_eq!(numbers(&house), [(6, 7), (4, 7)]);
    assert_eq!(lists(&house)[0].revoked.len(), 1);
}

#[test]
fn a_revoked_issuing_ca_is_on_the_roots_list_and_is_no_anchor_any_more() {
    let house = House::new();
    let serial = facts(&house.ca("issuing.pem")).serial;
    issue(&house, "a", "a");
    let said = house.does(&["revoke", "--ca", "issuing", "--reason", "key-compromise"]);
    assert!(said.contains("make another authority"), "{said}");
    let lists = lists(&house);
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0], List { number: 2, revoked: vec![(serial, Some(1))], days: 90 });
    assert_eq!(chain(&house.ca("client-ca.pem")), chain(&house.ca("ca.pem")));
    let refused = house.refuses(&["issue", "--name", "b"]);
    assert!(refused.contains("the issuing CA was revoked"), "{refused}");
    house.does(&["crl"]);
    house.does(&["revoke", "--name", "a"]);
}

#[test]
fn openssl_refuses_by_the_list_what_it_took_before() {
    let house = House::new();
    issue(&house, "a", "a");
    issue(&house, "b", "b");
    house.does(&["revoke", "--name", "a"]);
    let verify = |bundle: &str| {
        let leaf = house.path(bundle).join("cert.pem");
        let (ca, issuing) = (house.ca("ca.pem"), house.ca("issuing.pem"));
        let crl = house.ca("crl.pem");
        let output = std::process::Command::new("openssl")
            .args(["verify", "-x509_strict", "-crl_check_all", "-purpose", "sslclient"])
            .args(["-CAfile", text(&ca), "-untrusted", text(&issuing), "-CRLfile", text(&crl)])
            .arg(leaf)
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (taken, why) = verify("a");
    assert!(!taken && why.contains("certificate revoked"), "{why}");
    let (taken, why) = verify("b");
    assert!(taken, "{why}");
    let lists = openssl(&["crl", "-in", text(&house.ca("crl.pem")), "-noout", "-text"]);
    assert!(lists.contains("X509v3 CRL Number"), "{lists}");
}

/// A log in which that certificate was used.
fn used(directory: &Path, serial: &str) {
    let mut event = Event::new(Stage::Decision);
    event.identity = Some(IdentityRecord {
        unix: None,
        claims: serde_json::Map::new(),
        name: "a".to_owned(),
        roles: Vec::new(),
        proven: Proof::Certificate,
        subject: None,
        issuer: None,
        serial: Some(serial.to_owned()),
        sans: Vec::new(),
        fingerprint: None,
    });
    event.decision = Some(DecisionRecord::deny([]));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let log = Writer::open(directory, GateInstance::here(), 0).unwrap();
        log.record(event, Durability::Synced).await.unwrap();
        log.close().await.unwrap();
    });
}

#[test]
fn the_list_of_certificates_says_when_each_was_last_seen() {
    let house = House::new();
    let serial = issue(&house, "a", "a");
    issue(&house, "b", "b");
    used(&house.path("log"), &serial);
    let seen = house.list(&["--log", "log"]);
    let seen: Vec<bool> = seen.iter().map(|entry| entry["last_seen"].is_string()).collect();
    assert_eq!(seen, [true, false]);
    let text = house.does(&["list", "--log", "log"]);
    let last = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(last("b").ends_with("never") && !last("a").ends_with("never"), "{text}");
    assert!(!house.does(&["list"]).contains("LAST SEEN"));
    let refused = house.refuses(&["list", "--log", "absent"]);
    assert!(refused.contains("cannot read absent"), "{refused}");
}

#[test]
fn the_list_of_certificates_shows_the_rest_when_asked() {
    let house = House::new();
    issue(&house, "a", "a");
    house.does(&["revoke", "--name", "a", "--reason", "cessation"]);
    let text = house.does(&["list"]);
    assert!(text.contains("(cessation)") && !text.contains("dockward server"), "{text}");
    let kinds: Vec<_> = house.list(&["--all"]).iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(kinds, ["authority", "server", "client"]);
}
