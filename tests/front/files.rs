//! The files of a listener: an error names the file and what to do; a reload is whole or nothing.

use crate::house::{Files, House, OURS, client_config, named, now};
use crate::pki::{Authority, Wish};
use dockward::facade::config::FrontLimits;
use dockward::facade::proxy::Secured;
use std::os::unix::fs::PermissionsExt as _;

fn error(files: &Files) -> String {
    Secured::load(&files.credentials(), now()).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn an_error_names_the_file_and_the_next_step() {
    let other = OURS.issue(&Wish::server());
    for (name, text, expected) in [
        ("server.pem", "", "no certificate inside"),
        ("server.pem", other.key.as_str(), "no certificate inside"),
        ("server-key.pem", "", "no private key inside"),
        ("server-key.pem", other.certificate.as_str(), "no private key inside"),
        ("server-key.pem", other.key.as_str(), "not the private key of"),
        ("ca.pem", "", "no certificate inside"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "not PEM"),
        ("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "authority"),
    ] {
        let files = Files::new();
        files.write(name, text);
        let message = error(&files);
        assert!(message.starts_with(&named(&files.path(name))), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    let files = Files::new();
    std::fs::remove_file(files.path("ca.pem")).unwrap();
    assert!(error(&files).ends_with("ca.pem: no such file, create it or correct the path"));
}

#[test]
fn a_key_that_others_may_read_is_warned_of() {
    let files = Files::new();
    for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(files.path("server-key.pem"), permissions).unwrap();
        let (_, warnings) = Secured::load(&files.credentials(), now()).unwrap();
        assert_eq!(!warnings.is_empty(), warned, "{mode:o}");
    }
}

#[tokio::test]
async fn a_reload_counts_for_the_next_handshake_and_a_bad_one_for_none() {
    let house = House::open(FrontLimits::default()).await;
    let mut before = house.client().await;
    assert_eq!(before.get("/").await.status, 200);

    house.files.write("ca.pem", "");
    assert!(Secured::load(&house.files.credentials(), now()).is_err());
    assert_eq!(house.client().await.get("/").await.status, 200, "as it was");

    let next = Authority::new("next");
    house.files.write("ca.pem", &next.certificate);
    house.tls.adopt(Secured::load(&house.files.credentials(), now()).unwrap().0);
    let (bytes, ended) = house.client().await.rest().await;
    assert!(bytes.is_empty() && ended.is_err(), "the old authority counts no more");
    let pair = next.issue(&Wish::client("dev"));
    let mut after = house.connect(client_config(Some(&pair))).await.unwrap();
    assert_eq!(after.get("/").await.body, "dev");
    assert_eq!(before.get("/").await.status, 200, "who is in stays in");
}

#[test]
fn a_certificate_that_is_not_for_servers_is_not_taken_for_our_own() {
    let purposes = |purposes: &[&str]| Some(purposes.iter().map(|p| (*p).to_owned()).collect());
    for (purpose, taken) in [
        (purposes(&["client"]), false),
        (purposes(&["any"]), false),
        (purposes(&["server"]), true),
        (purposes(&["client", "server"]), true),
        (purposes(&[]), true),
    ] {
        let files = Files::new();
        let pair = OURS.issue(&Wish { purpose, ..Wish::server() });
        files.write("server.pem", &pair.certificate);
        files.write("server-key.pem", &pair.key);
        let loaded = Secured::load(&files.credentials(), now());
        let Err(error) = loaded else {
            assert!(taken);
            continue;
        };
        let words = format!(
            "{}: its first certificate is not for servers, and clients refuse it, issue one with the extended key usage serverAuth",
            named(&files.path("server.pem"))
        );
        assert!(!taken && error.to_string() == words, "{error}");
    }
}
