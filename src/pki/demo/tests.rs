use super::*;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

const NOW: u64 = 1_790_000_000;

fn hosts() -> Vec<String> {
    ["127.0.0.1", "::1", "localhost"].map(str::to_owned).to_vec()
}

fn demo(now: u64, directory: &Path) -> DemoPki {
    let uri = client_uri("ci", "runner");
    make_at(now, directory, &hosts(), &[("runner", &uri), ("boss", "spiffe://x/boss")]).unwrap()
}

fn facts(bundle: &Bundle) -> CertificateFacts {
    CertificateFacts::read(&leaf(bundle)).unwrap()
}

fn leaf(bundle: &Bundle) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(bundle.certificate()).unwrap()
}

fn roots(bundle: &Bundle) -> Arc<rustls::RootCertStore> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(bundle.ca()).unwrap()).unwrap();
    Arc::new(roots)
}

fn at(now: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(now))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[test]
fn server_and_clients_are_trusted_by_one_another_and_not_in_each_others_part() {
    let directory = tempfile::tempdir().unwrap();
    let pki = demo(NOW, directory.path());
    let runner = &pki.clients[0].1;
    let clients = WebPkiClientVerifier::builder_with_provider(roots(&pki.server), provider());
    let clients = clients.build().unwrap();
    let servers = WebPkiServerVerifier::builder_with_provider(roots(runner), provider());
    let servers = servers.build().unwrap();
    let server = |host: &str, leaf: &CertificateDer<'_>, now| {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        servers.verify_server_cert(leaf, &[], &name, &[], at(now)).is_ok()
    };
    assert!(clients.verify_client_cert(&leaf(runner), &[], at(NOW)).is_ok());
    assert!(clients.verify_client_cert(&leaf(&pki.server), &[], at(NOW)).is_err());
    for host in hosts() {
        assert!(server(&host, &leaf(&pki.server), NOW), "{host}");
    }
    assert!(!server("example.org", &leaf(&pki.server), NOW));
    assert!(!server("localhost", &leaf(runner), NOW));
    assert!(!server("localhost", &leaf(&pki.server), NOW + VALIDITY.as_secs() + 1));
}

#[test]
fn a_client_is_named_by_uri_and_common_name() {
    let directory = tempfile::tempdir().unwrap();
    let pki = demo(NOW, directory.path());
    let (name, bundle) = &pki.clients[0];
    assert_eq!(name.as_str(), "runner");
    assert_eq!(bundle.directory, directory.path().join("clients/runner"));
    let facts = facts(bundle);
    assert_eq!(facts.uris, ["spiffe://dockward.demo/ci/runner"]);
    assert_eq!(facts.common_names, ["runner"]);
    assert_eq!(facts.issuer, "CN=dockward demo CA");
    assert_eq!(facts.not_after - facts.not_before, 30 * 86_400 + 3_600);
}

#[test]
fn keys_are_their_owners_alone_and_out_of_git() {
    let directory = tempfile::tempdir().unwrap();
    let pki = demo(NOW, directory.path());
    let clients = pki.clients.iter().map(|(_, bundle)| bundle);
    for bundle in clients.chain([&pki.server, &pki.authority]) {
        for path in [bundle.key(), bundle.certificate(), bundle.ca()] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let mode = fs::metadata(&bundle.directory).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    assert_eq!(fs::read_to_string(directory.path().join(".gitignore")).unwrap(), "*\n");
}

#[test]
fn run_again_it_keeps_everything_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let before = demo(NOW, directory.path());
    let all = |pki: &DemoPki| {
        let clients: Vec<_> = pki.clients.iter().map(|(_, bundle)| leaf(bundle)).collect();
        (leaf(&pki.authority), leaf(&pki.server), clients)
    };
    let first = all(&before);
    let after = demo(NOW + 86_400, directory.path());
    assert_eq!((&before, first), (&after, all(&after)));
    let hidden = |name: &str| name.starts_with('.') && name != ".gitignore";
    let names = fs::read_dir(directory.path()).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(names.filter(|name| hidden(name.to_str().unwrap())).count(), 0);
}

#[test]
fn what_has_run_out_or_says_something_else_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let pki = demo(NOW, directory.path());
    let (authority, server) = (leaf(&pki.authority), leaf(&pki.server));
    let more = [hosts(), vec!["gate.example".to_owned()]].concat();
    make_at(NOW, directory.path(), &more, &[]).unwrap();
    assert_eq!(leaf(&pki.authority), authority);
    assert_ne!(leaf(&pki.server), server);
    assert!(facts(&pki.server).dns.contains(&"gate.example".to_owned()));

    let runner = leaf(&pki.clients[0].1);
    make_at(NOW, directory.path(), &more, &[("runner", "spiffe://x/other")]).unwrap();
    assert_ne!(leaf(&pki.clients[0].1), runner);

    demo(NOW + 30 * 86_400, directory.path());
    assert_ne!(leaf(&pki.authority), authority);
    let text = |bundle: &Bundle| fs::read_to_string(bundle.ca()).unwrap();
    assert_eq!(text(&pki.clients[0].1), text(&pki.authority));
    assert!(facts(&pki.clients[0].1).not_after.unsigned_abs() > NOW + 40 * 86_400);
}

#[test]
fn a_bundle_changed_by_hand_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let pki = demo(NOW, directory.path());
    fs::copy(pki.authority.key(), pki.server.key()).unwrap();
    let again = make_at(NOW, directory.path(), &hosts(), &[]);
    assert!(matches!(again, Err(PkiError::Unusable { path, .. }) if path == pki.server.directory));
    fs::remove_file(pki.server.key()).unwrap();
    let again = make_at(NOW, directory.path(), &hosts(), &[]);
    assert!(matches!(again, Err(PkiError::Io { path, .. }) if path == pki.server.key()));
}

#[test]
fn a_name_that_leaves_the_directory_is_refused_before_anything_is_written() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("pki");
    for name in ["../x", "a/b", "", ".", "..", "a..b"] {
        let made = make_at(NOW, &directory, &hosts(), &[(name, "spiffe://x/y")]);
        assert!(matches!(made, Err(PkiError::ClientName(_))), "{name}");
    }
    for uri in ["", "spiffe://x/ y", "spiffe://x/\n", "spiffe://ü"] {
        let made = make_at(NOW, &directory, &hosts(), &[("a", uri)]);
        assert!(matches!(made, Err(PkiError::Uri(_))), "{uri}");
    }
    for host in ["", "a b", "[::1]", "ü.example"] {
        let made = make_at(NOW, &directory, &[host.to_owned()], &[]);
        assert!(matches!(made, Err(PkiError::Host(_))), "{host}");
    }
    assert!(!directory.exists());
}
