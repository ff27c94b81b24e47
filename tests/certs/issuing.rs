//! Making an authority, issuing and renewing.

use super::house::{House, chain, facts, mode, openssl, text};
use std::fs;
use std::thread;

#[test]
fn an_authority_is_laid_out_as_its_documentation_says() {
    let house = House::new();
    for (name, certificates) in
        [("ca.pem", 1), ("issuing.pem", 1), ("client-ca.pem", 2), ("server.pem", 2)]
    {
        assert_eq!(chain(&house.ca(name)).len(), certificates, "{name}");
        assert_eq!(mode(&house.ca(name)), 0o644, "{name}");
    }
    for name in ["root-key.pem", "issuing-key.pem", "server-key.pem", "index.json"] {
        assert_eq!(mode(&house.ca(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&house.path("pki")), 0o700);
    assert_eq!(chain(&house.ca("client-ca.pem"))[1], chain(&house.ca("ca.pem"))[0]);
    let server = facts(&house.ca("server.pem"));
    assert_eq!(server.dns, ["gate.example", "localhost"]);
    assert_eq!(server.ips, ["192.0.2.1", "127.0.0.1", "::1"]);
    let hidden = fs::read_dir(house.path("pki")).unwrap().map(|e| e.unwrap().file_name());
    let mut hidden: Vec<_> = hidden.filter(|n| n.to_str().unwrap().starts_with('.')).collect();
    hidden.sort();
    assert_eq!(hidden, [".gitignore", ".lock"]);
}

#[test]
fn what_init_prints_is_all_that_has_to_be_typed() {
    let house = House::empty();
    let said = house.does(&["init", "--listen", "127.0.0.1:24376", "--daemon", "d.sock"]);
    let line = |word: &str| said.lines().find(|line| line.contains(word)).unwrap().trim();
    let pki = house.path("pki").canonicalize().unwrap();
    let pki = text(&pki);
    let binary = env!("CARGO_BIN_EXE_dockward");
    assert_eq!(line("certs issue"), format!("{binary} certs issue --dir {pki} --name alice"));
    assert_eq!(line("serve"), format!("{binary} serve --config {pki}/dockward.yaml"));
    let context = format!(
        "docker context create alice --docker \"host=tcp://localhost:24376,\
         ca={pki}/clients/alice/ca.pem,cert={pki}/clients/alice/cert.pem,key={pki}/clients/alice/key.pem\""
    );
    assert_eq!(line("context create"), context);
    let issued = std::process::Command::new("sh").arg("-c").arg(line("certs issue")).output();
    let issued = String::from_utf8(issued.unwrap().stdout).unwrap();
    assert!(issued.contains(&context), "{issued}");
    let check = std::process::Command::new(binary)
        .args(["check", "--config", &format!("{pki}/dockward.yaml")])
        .output()
        .unwrap();
    let report = String::from_utf8(check.stdout).unwrap();
    assert_eq!(check.status.code(), Some(0), "{report}");
    assert!(!report.contains("ROOT ON THE HOST"), "{report}");
    let policy = fs::read_to_string(house.ca("dockward.yaml")).unwrap();
    assert!(policy.contains("tls: \"127.0.0.1:24376\""), "{policy}");
    assert!(policy.contains("/d.sock\" }"), "{policy}");
}

#[test]
fn an_authority_is_never_made_over_another() {
    let house = House::new();
    let refused = house.refuses(&["init"]);
    assert!(refused.contains("index.json: is there already"), "{refused}");
    let half = House::empty();
    fs::create_dir(half.path("pki")).unwrap();
    fs::write(half.ca("server-key.pem"), "mine").unwrap();
    let refused = half.refuses(&["init"]);
    assert!(refused.contains("server-key.pem: is there already"), "{refused}");
    // a policy that is there is somebody's, and stays
    fs::remove_file(half.ca("server-key.pem")).unwrap();
    fs::write(half.ca("dockward.yaml"), "mine").unwrap();
    half.does(&["init"]);
    assert_eq!(fs::read_to_string(half.ca("dockward.yaml")).unwrap(), "mine");
}

#[test]
fn what_makes_no_authority_leaves_nothing() {
    let house = House::empty();
    for (args, word) in [
        (["--host", "a b"], "host name"),
        (["--trust-domain", "A/b"], "trust domain"),
        (["--permit-dns", ""], "host name"),
        (["--key", "dsa"], "ecdsa, ed25519 or rsa"),
        (["--crl-days", "0"], "1..=3650"),
    ] {
        let refused = house.refuses(&["init", args[0], args[1]]);
        assert!(refused.contains(word), "{refused}");
    }
    let refused = house.refuses(&["list"]);
    assert!(refused.contains("dockward certs init --dir pki"), "{refused}");
}

#[test]
fn a_bundle_is_what_docker_reads() {
    let house = House::new();
    house.does(&["issue", "--name", "ci-7", "--ttl", "8h", "--bundle", "b"]);
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        assert_eq!(mode(&house.path("b").join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&house.path("b")), 0o700);
    assert_eq!(fs::read_dir(house.path("b")).unwrap().count(), 3);
    assert_eq!(chain(&house.path("b/ca.pem")), chain(&house.ca("ca.pem")));
    assert_eq!(chain(&house.path("b/cert.pem")).len(), 2);
    let facts = facts(&house.path("b/cert.pem"));
    assert_eq!(facts.uris, ["spiffe://dockward.internal/ci-7"]);
    assert_eq!(facts.common_names, ["ci-7"]);
    assert_eq!(facts.not_after - facts.not_before, 9 * 3_600, "an hour for clocks behind");
    let entry = &house.list(&[])[0];
    assert_eq!(entry["serial"], facts.serial.as_str());
    assert_eq!(entry["fingerprint"], facts.sha256.to_string());
    assert_eq!(facts.serial.len(), 32);
    // the usual place
    house.does(&["issue", "--name", "ci-7"]);
    assert!(house.ca("clients/ci-7/key.pem").exists());
}

#[test]
fn a_certificate_says_what_was_asked_for_and_no_more() {
    let house = House::with(&["--permit-dns", "corp.example"]);
    let args = ["issue", "--name", "web", "--uri", "spiffe://other/x", "--dns", "web.corp.example"];
    house.does(&[&args[..], &["--email", "web@corp.example", "--bundle", "web"]].concat());
    let facts = facts(&house.path("web/cert.pem"));
    assert_eq!(facts.uris, ["spiffe://other/x"]);
    assert_eq!(facts.dns, ["web.corp.example"]);
    assert_eq!(facts.emails, ["web@corp.example"]);
    for (more, word) in [
        (["--dns", "corp.example.org"], "may not sign for"),
        (["--dns", "192.0.2.1"], "neither an address nor a host name"),
        (["--email", "nobody"], "no address for mail"),
        (["--uri", "spiffe://ü/x"], "printable ASCII"),
        (["--ttl", "1w"], "no lifetime"),
        (["--ttl", "2000d"], "the issuing CA ends on"),
    ] {
        let refused = house.refuses(&["issue", "--name", "x", more[0], more[1]]);
        assert!(refused.contains(word), "{refused}");
    }
    house.refuses(&["issue", "--name", "../x"]);
    let refused = house.refuses(&["issue", "--name", "web", "--bundle", "web"]);
    assert!(refused.contains("web: is there already"), "{refused}");
}

#[test]
fn all_kinds_of_keys_are_made_and_known_to_openssl() {
    for (kind, word) in [("ecdsa", "prime256v1"), ("ed25519", "ED25519"), ("rsa", "3072 bit")] {
        let house = House::with(&["--key", kind]);
        house.does(&["issue", "--name", "a", "--bundle", "a"]);
        for file in [house.ca("root-key.pem"), house.path("a/key.pem")] {
            let key = openssl(&["pkey", "-in", text(&file), "-noout", "-text"]);
            assert!(key.contains(word), "{kind}: {key}");
        }
        house.does(&["revoke", "--name", "a"]);
    }
}

#[test]
fn a_passphrase_is_needed_for_every_signature_and_openssl_knows_it() {
    let house = House::empty();
    fs::write(house.path("good"), "correct horse\n").unwrap();
    fs::write(house.path("bad"), "wrong horse\n").unwrap();
    house.does(&["init", "--passphrase-file", "good"]);
    let key = fs::read_to_string(house.ca("issuing-key.pem")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED"), "{key}");
    let pass = format!("file:{}", text(&house.path("good")));
    openssl(&["pkey", "-in", text(&house.ca("root-key.pem")), "-passin", &pass, "-noout"]);
    let refused = house.refuses(&["issue", "--name", "a"]);
    assert!(refused.contains("it needs its passphrase"), "{refused}");
    let refused = house.refuses(&["issue", "--name", "a", "--passphrase-file", "bad"]);
    assert!(refused.contains("the passphrase is not the one"), "{refused}");
    house.does(&["issue", "--name", "a", "--passphrase-file", "good"]);
    let mut by_environment = house.command(&["revoke", "--name", "a"]);
    let status = by_environment.env("DOCKWARD_CA_PASSPHRASE", "correct horse").status().unwrap();
    assert!(status.success());
    // what openssl encrypts is read too
    let (from, to) = (house.ca("issuing-key.pem"), house.path("again"));
    let same = format!("file:{}", text(&house.path("same")));
    fs::copy(house.path("good"), house.path("same")).unwrap();
    let new = ["-v2prf", "hmacWithSHA256", "-passout", &same, "-out", text(&to)];
    let old = ["pkcs8", "-topk8", "-in", text(&from), "-passin", &pass, "-v2", "aes-256-cbc"];
    openssl(&[&old[..], &new].concat());
    fs::rename(&to, &from).unwrap();
    house.does(&["issue", "--name", "b", "--passphrase-file", "good"]);
}

#[test]
fn two_that_issue_at_once_lose_nothing() {
    let house = House::new();
    thread::scope(|scope| {
        for nth in 0..6 {
            let house = &house;
            scope.spawn(move || house.does(&["issue", "--name", &format!("c{nth}")]));
        }
    });
    let mut serials: Vec<String> = Vec::new();
    for nth in 0..6 {
        let certificate = house.ca(&format!("clients/c{nth}/cert.pem"));
        serials.push(facts(&certificate).serial);
    }
    let listed = house.list(&[]);
    assert_eq!(listed.len(), 6);
    for entry in &listed {
        assert!(serials.iter().any(|serial| entry["serial"] == serial.as_str()), "{entry}");
    }
}

#[test]
fn a_renewed_certificate_says_the_same_with_another_key() {
    let house = House::new();
    let more = ["--uri", "spiffe://x/ci/7", "--email", "a@b.c", "--bundle", "b"];
    house.does(&[&["issue", "--name", "ci-7", "--ttl", "8h"], &more[..]].concat());
    let (before, key) = (facts(&house.path("b/cert.pem")), fs::read(house.path("b/key.pem")));
    let said = house.does(&["renew", "--cert", "b/cert.pem"]);
    assert!(said.contains("docker context update ci-7 --docker"), "{said}");
    let after = facts(&house.path("b/cert.pem"));
    assert_ne!(after.serial, before.serial);
    assert_ne!(fs::read(house.path("b/key.pem")).unwrap(), key.unwrap());
    let says = |f: &dockward::facade::identity::CertificateFacts| {
        (f.subject.clone(), f.uris.clone(), f.emails.clone(), f.not_after - f.not_before)
    };
    assert_eq!(says(&after), says(&before));
    assert_eq!(fs::read_dir(house.path("b")).unwrap().count(), 3);
    // by name, to the usual place, for another time
    house.does(&["renew", "--name", "ci-7", "--ttl", "1h"]);
    let third = facts(&house.ca("clients/ci-7/cert.pem"));
    assert_eq!(third.not_after - third.not_before, 2 * 3_600);
    assert_eq!(house.states("ci-7"), ["valid", "valid", "valid"]);
}

#[test]
fn renewing_writes_over_nothing_but_the_same_clients_bundle() {
    let house = House::new();
    house.does(&["issue", "--name", "a", "--bundle", "a"]);
    house.does(&["issue", "--name", "b", "--bundle", "b"]);
    let refused = house.refuses(&["renew", "--name", "a", "--bundle", "b"]);
    assert!(refused.contains("b: is there already"), "{refused}");
    // such as ~/.docker, where Docker keeps its configuration beside the certificate
    fs::write(house.path("a/config.json"), "{}").unwrap();
    let refused = house.refuses(&["renew", "--cert", "a/cert.pem"]);
    assert!(refused.contains("holds more than"), "{refused}");
    fs::remove_file(house.path("a/config.json")).unwrap();
    house.does(&["renew", "--cert", "a/cert.pem"]);
    let refused = house.refuses(&["renew", "--name", "nobody"]);
    assert!(refused.contains("\"nobody\" is not known here"), "{refused}");
    let server = text(&house.ca("server.pem")).to_owned();
    let refused = house.refuses(&["renew", "--cert", &server]);
    assert!(refused.contains("renew --server"), "{refused}");
}

#[test]
fn the_gates_certificate_is_renewed_in_its_place_and_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::with(&["--permit-dns", "corp.example"]);
    let key = house.ca("server-key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let before = facts(&house.ca("server.pem"));
    house.does(&["renew", "--server"]);
    let after = facts(&house.ca("server.pem"));
    assert_ne!(after.serial, before.serial);
    assert_eq!((&after.dns, &after.ips), (&before.dns, &before.ips));
    assert_eq!(mode(&key), 0o640);
    house.does(&["issue", "--server", "--host", "gate.corp.example"]);
    let other = facts(&house.ca("server.pem"));
    assert_eq!(other.dns, ["gate.corp.example", "localhost"]);
    assert_eq!(house.index()["endpoint"], "gate.corp.example:2376");
    let refused = house.refuses(&["issue", "--server", "--host", "gate.other.example"]);
    assert!(refused.contains("--permit-dns"), "{refused}");
}
