//! What a crash leaves behind, made by hand: each moment between two steps of a command.

use super::house::House;
use std::fs;
use std::path::Path;

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

fn hidden(house: &House) -> Vec<String> {
    let names = fs::read_dir(house.path("pki")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name == ".next" || name == ".commit").collect()
}

#[test]
fn what_was_not_committed_never_was() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    let before = fs::read(house.ca("crl.pem")).unwrap();
    fs::create_dir(house.ca(".next")).unwrap();
    fs::write(house.ca(".next/index.json"), "{ half").unwrap();
    fs::write(house.ca(".next/crl.pem"), "half").unwrap();
    assert_eq!(house.states("a"), ["valid"]);
    house.does(&["issue", "--name", "b", "--bundle", "b"]);
    assert_eq!(
        (house.states("a"), house.states("b")),
        (vec!["valid".into()], vec!["valid".into()])
    );
    assert_eq!(fs::read(house.ca("crl.pem")).unwrap(), before);
    assert!(hidden(&house).is_empty());
}

/// A revocation that was committed, with so many of its files put in place already.
fn cut_short(moved: &[&str]) {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    let names = ["index.json", "crl.pem"];
    let read = |name: &str| fs::read(house.ca(name)).unwrap();
    let before = names.map(read);
    house.does(&["revoke", "--name", "a"]);
    let after = names.map(read);
    fs::create_dir(house.ca(".commit")).unwrap();
    for ((name, before), after) in names.iter().zip(&before).zip(&after) {
        if !moved.contains(name) {
            fs::write(house.ca(".commit").join(name), after).unwrap();
            fs::write(house.ca(name), before).unwrap();
        }
    }
    assert_eq!(house.states("a"), ["revoked"], "{moved:?}: readers know it already");
    assert!(house.refuses_after(&["renew", "--name", "a"]).contains("was revoked"), "{moved:?}");
    assert_eq!(names.map(read), after, "{moved:?}");
    assert!(hidden(&house).is_empty());
}

#[test]
fn what_was_committed_is_finished_by_the_next_command() {
    for moved in [&[][..], &["index.json"], &["crl.pem"], &["index.json", "crl.pem"]] {
        cut_short(moved);
    }
}

#[test]
fn an_init_that_was_cut_short_is_finished_by_the_next() {
    let house = House::new();
    let all = house.everything();
    let committed = house.path("pki-committed");
    copy(&house.path("pki"), &committed);
    let _ = fs::remove_file(committed.join(".lock"));
    for name in ["index.json", "ca.pem", "root-key.pem"] {
        fs::remove_file(house.ca(name)).unwrap();
    }
    for name in ["issuing.pem", "server.pem"] {
        fs::remove_file(committed.join(name)).unwrap();
    }
    fs::rename(&committed, house.ca(".commit")).unwrap();
    let said = house.does(&["init", "--host", "other.example"]);
    assert!(said.contains("gate.example") && !said.contains("other.example"), "{said}");
    assert_eq!(house.everything(), all);
    house.refuses(&["init"]);
}

#[test]
fn an_init_that_was_not_committed_is_begun_again() {
    let house = House::empty();
    fs::create_dir_all(house.ca(".next")).unwrap();
    fs::write(house.ca(".next/root-key.pem"), "half").unwrap();
    house.does(&["init"]);
    assert!(hidden(&house).is_empty());
}

#[test]
fn a_damaged_index_is_an_error_and_is_kept() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    let good = fs::read(house.ca("index.json")).unwrap();
    for bad in [&b""[..], b"{}", b"[]", &good[..good.len() / 2], b"\xff"] {
        fs::write(house.ca("index.json"), bad).unwrap();
        for args in [
            &["issue", "--name", "b"][..],
            &["renew", "--name", "a"],
            &["revoke", "--name", "a"],
            &["list"],
            &["crl"],
            &["init"],
        ] {
            let refused = house.refuses(args);
            assert!(refused.contains("index.json: damaged"), "{args:?}: {refused}");
        }
    }
    fs::write(house.ca("index.json"), good).unwrap();
    house.does(&["renew", "--name", "a"]);
}

#[test]
fn a_bundle_that_was_cut_short_is_in_nobodys_way() {
    let house = House::new();
    fs::create_dir_all(house.ca("clients/.a.new")).unwrap();
    fs::write(house.ca("clients/.a.new/key.pem"), "half").unwrap();
    house.does(&["issue", "--name", "a"]);
    assert!(!house.ca("clients/.a.new").exists());
}
