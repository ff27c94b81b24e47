use super::{Trust, Untrusted};
use crate::digest::Sha256;
use crate::proxy::credentials::{SourceFile, TlsError, TrustFiles};
use pki::{Authority, AuthorityWish, Extension, ListWish, Wish, pem as armoured};
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;

#[path = "../../../tests/support/pki.rs"]
mod pki;

/// The moment of all these tests.
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 60 * 60;

fn says(days: i64) -> Wish {
    Wish::default().between(NOW - DAY, NOW + days * DAY).serial(7)
}

fn authority(name: &str, days: i64) -> AuthorityWish {
    AuthorityWish { says: says(days), ..AuthorityWish::new(name) }
}

impl Authority {
    fn root(name: &str, days: i64) -> Self {
        Self::of(&authority(name, days))
    }

    fn issuing(&self) -> Self {
        self.under(authority("issuing", 300))
    }

    fn client(&self, serial: u64) -> CertificateDer<'static> {
        let wish = Wish::client("ci").between(NOW - DAY, NOW + 30 * DAY).serial(serial);
        self.issue(&wish).chain().remove(0)
    }

    fn revokes(&self, serials: &[u64], change: impl FnOnce(ListWish) -> ListWish) -> String {
        let list = ListWish::default().revokes(serials.iter().copied());
        self.listed(&change(list.between(NOW - 60, NOW + 10 * DAY)))
    }
}

fn source(text: String) -> SourceFile {
    SourceFile { path: "file".into(), bytes: text.into_bytes() }
}

fn load_files(
    authorities: &SourceFile,
    lists: Option<(&SourceFile, bool)>,
    deny: Option<&SourceFile>,
    now: i64,
) -> Result<Trust, TlsError> {
    let copy =
        |file: &SourceFile| SourceFile { path: file.path.clone(), bytes: file.bytes.clone() };
    let files = TrustFiles {
        authorities: copy(authorities),
        crl: lists.map(|(lists, _)| copy(lists)),
        deny: deny.map(copy),
        accept_expired_crl: lists.is_some_and(|(_, accept)| accept),
    };
    Trust::load(&files, now)
}

fn pem(certificates: &[&Authority]) -> String {
    certificates.iter().map(|one| one.certificate.as_str()).collect()
}

fn load(authorities: &[&Authority], lists: &[String]) -> Result<Trust, TlsError> {
    let lists = source(lists.concat());
    load_files(&source(pem(authorities)), Some((&lists, false)), None, NOW)
}

fn ask(trust: &Trust, chain: &[&CertificateDer<'static>]) -> Result<i64, Untrusted> {
    let chain: Vec<_> = chain.iter().map(|one| (*one).clone()).collect();
    trust.verify(&chain, UnixTime::since_unix_epoch(Duration::from_secs(NOW.unsigned_abs())))
}

fn id(answer: Result<i64, Untrusted>) -> &'static str {
    answer.map_or_else(|why| why.rule().id, |_| "held")
}

#[test]
fn a_chain_holds_until_the_first_of_what_it_stands_on_ends() {
    let root = Authority::root("root", 300);
    let issuing = root.issuing();
    let (root_list, list) = (root.revokes(&[], |list| list), issuing.revokes(&[2], |list| list));
    let trust = load(&[&root, &issuing], &[root_list.clone(), list.clone()]).unwrap();
    let client = issuing.client(1);
    assert_eq!(ask(&trust, &[&client]).unwrap(), NOW + 10 * DAY, "the list");
    assert_eq!(
        ask(&trust, &[&client, &issuing.der()]).unwrap(),
        NOW + 10 * DAY,
        "chain sent along"
    );
    let none = load_files(&source(pem(&[&root, &issuing])), None, None, NOW).unwrap();
    assert_eq!(ask(&none, &[&client]).unwrap(), NOW + 30 * DAY, "the certificate");
    let brief = Authority::root("brief", 5);
    let none = load_files(&source(pem(&[&brief])), None, None, NOW).unwrap();
    assert_eq!(ask(&none, &[&brief.client(1)]).unwrap(), NOW + 5 * DAY, "the authority");
    assert_eq!(trust.dated().count(), 4);
}

#[test]
fn what_was_revoked_on_the_way_up_is_refused_and_its_neighbour_is_not() {
    let root = Authority::root("root", 300);
    let issuing = root.issuing();
    let (silent, lists) = (root.revokes(&[], |list| list), issuing.revokes(&[2], |list| list));
    let trust = load(&[&root, &issuing], &[silent, lists.clone()]).unwrap();
    assert_eq!(id(ask(&trust, &[&issuing.client(2)])), "certificate.revoked");
    assert_eq!(id(ask(&trust, &[&issuing.client(3)])), "held");
    // the issuing authority is trusted by itself, and its root has revoked it (serial 7)
    let trust = load(&[&root, &issuing], &[root.revokes(&[7], |list| list), lists]).unwrap();
    for chain in [&[&issuing.client(3)][..], &[&issuing.client(3), &issuing.der()]] {
        assert_eq!(id(ask(&trust, chain)), "certificate.revoked");
    }
}

#[test]
fn where_a_list_is_missing_or_has_ended_nobody_gets_in() {
    let root = Authority::root("root", 300);
    let issuing = root.issuing();
    let client = issuing.client(1);
    let (root_list, list) = (root.revokes(&[], |list| list), issuing.revokes(&[], |list| list));
    for lists in [std::slice::from_ref(&root_list), std::slice::from_ref(&list)] {
        assert_eq!(id(ask(&load(&[&root, &issuing], lists).unwrap(), &[&client])), "crl.missing");
    }
    // trusted by the root alone: nobody can say whether the list of the one between is genuine
    assert!(load(&[&root], &[root_list.clone(), list]).is_err());
    let trust = load(&[&root], std::slice::from_ref(&root_list)).unwrap();
    assert_eq!(id(ask(&trust, &[&client, &issuing.der()])), "crl.missing");
    let old = issuing.revokes(&[2], |list| list.between(NOW - 60, NOW - 1));
    let (authorities, both) = (source(pem(&[&root, &issuing])), source(root_list + &old));
    let strict = load_files(&authorities, Some((&both, false)), None, NOW).unwrap();
    assert_eq!(id(ask(&strict, &[&client])), "crl.expired");
    let lenient = load_files(&authorities, Some((&both, true)), None, NOW).unwrap();
    assert_eq!(id(ask(&lenient, &[&client])), "held");
    assert_eq!(id(ask(&lenient, &[&issuing.client(2)])), "certificate.revoked");
}

#[test]
fn a_list_that_is_not_whole_and_genuine_is_not_loaded() {
    let (root, namesake) = (Authority::root("root", 300), Authority::root("root", 300));
    // [0] { [0] { [6] "http://x" } }, [1] TRUE: of clients alone, from there
    let value = "3011 a00c a00a 8608 687474703a2f2f78 8101ff".to_owned();
    let point = Extension { oid: "2.5.29.28".to_owned(), critical: true, value };
    let part = |list| ListWish { extensions: vec![point], ..list };
    let future = |list: ListWish| list.between(NOW + DAY, NOW + 2 * DAY);
    let good = root.revokes(&[], |list| list);
    let mut lines: Vec<&str> = good.lines().collect();
    let damaged = lines[1].replace(['A', 'Q'], "B");
    lines[1] = &damaged;
    for (name, list, why) in [
        ("a namesake's", namesake.revokes(&[], |list| list), "signed by no authority"),
        ("a part", root.revokes(&[], part), "part of the certificates"),
        ("of tomorrow", root.revokes(&[], future), "begins in the future"),
        ("nothing", String::new(), "no revocation list"),
        ("damaged", lines.join("\n"), "file: "),
    ] {
        let error = load(&[&root], &[list]).unwrap_err().to_string();
        assert!(error.contains(why), "{name}: {error}");
    }
    assert!(load(&[&root], &[good]).is_ok());
}

#[test]
fn the_list_of_one_does_not_speak_for_its_namesake() {
    let (one, namesake) = (Authority::root("root", 300), Authority::root("root", 300));
    let trust = load(&[&one, &namesake], &[one.revokes(&[], |list| list)]).unwrap();
    assert_eq!(id(ask(&trust, &[&one.client(1)])), "held");
    assert_eq!(id(ask(&trust, &[&namesake.client(1)])), "crl.missing");
}

#[test]
fn an_authority_that_has_ended_lets_nobody_in() {
    let root = Authority::root("root", 300);
    let says = says(0).between(NOW - 9 * DAY, NOW - DAY);
    let old = Authority::of(&AuthorityWish { says, ..AuthorityWish::new("old") });
    let trust = load_files(&source(pem(&[&root, &old])), None, None, NOW).unwrap();
    assert_eq!(id(ask(&trust, &[&old.client(1)])), "certificate.authority-expired");
    assert_eq!(id(ask(&trust, &[&root.client(1)])), "held");
}

#[test]
fn what_is_on_the_deny_list_is_refused_whoever_issued_it() {
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let root = Authority::root("root", 300);
    let clients = [root.client(0x1a2b), root.client(0xff00), root.client(3), root.client(4)];
    let digest = |bytes: &[u8]| {
        let digits: Vec<char> = Sha256::of(bytes).to_string().to_uppercase().chars().collect();
        digits.chunks(2).map(String::from_iter).collect::<Vec<_>>().join(":")
    };
    let key = X509Certificate::from_der(&clients[2]).unwrap().1.public_key().raw.to_vec();
    let text = format!(
        "serial:1A:2B\ncertificate:sha256:{}\nkey:sha256:{} # laptop\nserial:04ff",
        digest(&clients[1]),
        digest(&key)
    );
    let (authorities, denied) = (source(pem(&[&root])), source(text));
    let trust = load_files(&authorities, None, Some(&denied), NOW).unwrap();
    let answers = clients.each_ref().map(|client| id(ask(&trust, &[client])));
    assert_eq!(answers, ["certificate.denied", "certificate.denied", "certificate.denied", "held"]);
}

#[test]
fn what_is_no_authority_is_not_trusted_as_one() {
    let root = Authority::root("root", 300);
    let file = source(armoured("CERTIFICATE", &root.client(1)));
    assert!(load_files(&file, None, None, NOW).unwrap_err().to_string().contains("authority"));
}

#[test]
fn an_authority_above_that_was_renewed_with_its_key_ends_with_the_new_one() {
    let root = Authority::root("root", 300);
    let ended = Wish::client("root").between(NOW - 3 * DAY, NOW - DAY);
    let key_of = Some("root".to_owned());
    let old = root.beside(&AuthorityWish { key_of, says: ended, ..AuthorityWish::new("old") });
    let issuing = root.issuing();
    let asked = |authorities: String| {
        let trust = load_files(&source(authorities), None, None, NOW).unwrap();
        id(ask(&trust, &[&issuing.client(1)]))
    };
    assert_eq!(asked(old.certificate.clone() + &pem(&[&root, &issuing])), "held");
    assert_eq!(asked(old.certificate.clone() + &pem(&[&issuing])), "certificate.authority-expired");
}

#[test]
fn with_the_whole_chain_in_the_file_each_link_is_asked_about() {
    let root = Authority::root("root", 300);
    let policy =
        root.under(AuthorityWish { says: says(300).serial(8), ..authority("policy", 300) });
    let issuing = policy.issuing();
    let file = [&root, &policy, &issuing];
    let silent = |one: &Authority| one.revokes(&[], |list| list);
    let client = issuing.client(1);
    let asked = |lists: &[String]| {
        let trust = load(&file, lists).unwrap();
        let along = [&client, &issuing.der(), &policy.der()];
        let answers = [id(ask(&trust, &along[..1])), id(ask(&trust, &along))];
        assert_eq!(answers[0], answers[1], "sent along or not");
        answers[0]
    };
    assert_eq!(asked(&file.map(silent)), "held");
    assert_eq!(asked(&[silent(&root), silent(&issuing)]), "crl.missing");
    let of_root = root.revokes(&[8], |list| list);
    assert_eq!(asked(&[of_root, silent(&policy), silent(&issuing)]), "certificate.revoked");
    let denied = source(format!("certificate:sha256:{}", Sha256::of(&policy.der())));
    let trust = load_files(&source(pem(&file)), None, Some(&denied), NOW).unwrap();
    assert_eq!(id(ask(&trust, &[&client])), "certificate.denied");
}

#[test]
fn an_authority_is_a_link_or_topmost_by_what_else_the_file_has() {
    let root = Authority::root("root", 300);
    let other = root.beside(&authority("other", 300));
    let issuing = root.issuing();
    // the root as the other one has signed it, and the issuing authority as it was before it was renewed
    let key_of = |name: &str| Some(name.to_owned());
    let says = |name: &str| Wish::client(name).between(NOW - DAY, NOW + 200 * DAY).serial(9);
    let crossed = other.under(AuthorityWish {
        key_of: key_of("root"),
        says: says("root"),
        ..AuthorityWish::new("crossed")
    });
    let before = AuthorityWish {
        key_of: key_of("issuing"),
        says: says("issuing"),
        ..AuthorityWish::new("before")
    };
    let before = root.under(before);
    let client = issuing.client(1);
    for (file, topmost) in [
        (vec![&root], 1),
        (vec![&issuing], 1),
        (vec![&issuing, &root], 1),
        (vec![&issuing, &before], 2),
        (vec![&issuing, &before, &root], 1),
        (vec![&crossed, &issuing], 1),
        (vec![&crossed, &issuing, &other], 1),
        (vec![&crossed, &issuing, &other, &root], 2),
    ] {
        let trust = load_files(&source(pem(&file)), None, None, NOW).unwrap();
        assert_eq!(trust.anchors.len(), topmost, "{}", pem(&file));
        assert_eq!(id(ask(&trust, &[&client, &issuing.der()])), "held");
        let namesake = Authority::root("root", 300);
        assert_ne!(id(ask(&trust, &[&namesake.client(1)])), "held");
    }
}

#[test]
fn more_than_a_client_needs_is_refused_unverified() {
    let root = Authority::root("root", 300);
    let trust = load_files(&source(pem(&[&root])), None, None, NOW).unwrap();
    let (client, own) = (root.client(1), root.der());
    let sent = |count: usize| {
        let chain: Vec<_> = std::iter::once(&client).chain(vec![&own; count - 1]).collect();
        id(ask(&trust, &chain))
    };
    assert_eq!((sent(8), sent(9)), ("held", "certificate.too-much"));
    let large = |bytes: usize| {
        // whatever it is: it is counted before it is looked at
        let rest = CertificateDer::from(vec![0; bytes - client.len()]);
        id(ask(&trust, &[&client, &rest]))
    };
    assert_eq!((large(16 << 10), large((16 << 10) + 1)), ("held", "certificate.too-much"));
}

#[test]
fn no_chain_makes_more_signatures_verified_than_a_client_needs() {
    // three roots of one name, and seven links that say they are of each of them
    let roots = [1, 2, 3].map(|_| Authority::root("root", 300));
    let trust = load_files(&source(pem(&roots.each_ref())), None, None, NOW).unwrap();
    let forged = Authority::root("root", 300);
    let link = || forged.under(AuthorityWish { says: says(300), ..authority("link", 300) }).der();
    let links: Vec<_> = (0..7).map(|_| link()).collect();
    let client = roots[0].client(1);
    let chain: Vec<_> = std::iter::once(&client).chain(&links).collect();
    assert_eq!(id(ask(&trust, &chain)), "certificate.too-much", "21 of 19");
    assert_eq!(id(ask(&trust, &chain[..7])), "held", "18 of 19");
}
