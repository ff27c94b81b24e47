#![allow(clippy::string_slice, reason = "the slices are of ASCII digits that the test made")]

use super::*;
use proptest::prelude::*;
use rcgen::{CertificateParams, CustomExtension, DnType, DnValue, KeyPair, SanType};

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
}

fn der(params: &CertificateParams) -> Vec<u8> {
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

fn san_extension(content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, 17], content)
}

#[test]
fn every_field_is_read_as_it_stands() {
    let mut params = params();
    params.distinguished_name.push(DnType::CommonName, "web, 1");
    params.distinguished_name.push(DnType::OrganizationalUnitName, "shop");
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 2, 1);
    params.serial_number = Some(vec![0x0a, 0xbc].into());
    params.subject_alt_names = vec![
        SanType::URI("spiffe://acme/ci/7".try_into().unwrap()),
        SanType::DnsName("a.example".try_into().unwrap()),
        SanType::DnsName("b.example".try_into().unwrap()),
        SanType::Rfc822Name("x@acme.com".try_into().unwrap()),
        SanType::IpAddress("10.0.0.1".parse().unwrap()),
        SanType::IpAddress("2001:db8::1".parse().unwrap()),
    ];
    let der = der(&params);
    let facts = CertificateFacts::read(&der).unwrap();
    assert_eq!(facts.subject, "OU=shop,CN=web\\, 1");
    assert_eq!(facts.issuer, facts.subject);
    assert_eq!(facts.serial, "0abc");
    assert_eq!(facts.sha256, Fingerprint::of(&der));
    assert_eq!((facts.not_before, facts.not_after), (1_767_225_600, 1_769_904_000));
    assert_eq!(facts.uris, ["spiffe://acme/ci/7"]);
    assert_eq!(facts.dns, ["a.example", "b.example"]);
    assert_eq!(facts.emails, ["x@acme.com"]);
    assert_eq!(facts.ips, ["10.0.0.1", "2001:db8::1"]);
    assert_eq!(facts.common_names, ["web, 1"]);
    assert_eq!(facts.organizational_units, ["shop"]);
}

#[test]
fn a_multi_valued_rdn_hides_no_value() {
    let ou = |text: &[u8]| tlv(0x30, &[&[6, 3, 0x55, 4, 11][..], &tlv(0x0c, text)].concat());
    let both = tlv(0x31, &[ou(b"one"), ou(b"two")].concat());
    let der = with_subject(&tlv(0x30, &both));
    let facts = CertificateFacts::read(&der).unwrap();
    assert_eq!(facts.organizational_units, ["one", "two"]);
    assert_eq!(facts.subject, "OU=one+OU=two");
}

#[test]
fn a_nul_is_kept_for_the_rules_to_refuse() {
    let mut params = params();
    params.custom_extensions = vec![san_extension(tlv(0x30, &tlv(0x86, b"spiffe://a/b\0c")))];
    assert_eq!(CertificateFacts::read(&der(&params)).unwrap().uris, ["spiffe://a/b\0c"]);
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_an_absent_value() {
    let mut trailing = der(&params());
    trailing.push(0);
    assert_eq!(CertificateFacts::read(&trailing), Err(IdentityError::NotACertificate));
    assert_eq!(CertificateFacts::read(b""), Err(IdentityError::NotACertificate));

    let bad_address = tlv(0x30, &tlv(0x87, &[1, 2, 3]));
    let not_ascii = tlv(0x30, &tlv(0x86, "spiffe://ü".as_bytes()));
    let after_the_end = [tlv(0x30, &tlv(0x86, b"a:b")), vec![5, 0]].concat();
    for content in [bad_address, not_ascii, after_the_end, vec![0x30, 9]] {
        let mut params = params();
        params.custom_extensions = vec![san_extension(content)];
        assert_eq!(CertificateFacts::read(&der(&params)), Err(IdentityError::SubjectAltName));
    }
}

#[test]
fn a_serial_number_has_one_form() {
    let serial = |content: &[u8]| CertificateFacts::read(&with_element(1, &tlv(2, content)));
    assert_eq!(serial(&[0]).unwrap().serial, "00");
    assert_eq!(serial(&[0xff]).unwrap().serial, "ff");
    assert_eq!(serial(&[0, 0x80]).unwrap().serial, "0080");
    assert_eq!(serial(&[0xff, 0x7f]).unwrap().serial, "ff7f");
    for other in [&[][..], &[0, 0x7f], &[0, 0], &[0xff, 0x80]] {
        assert_eq!(serial(other), Err(IdentityError::NotACertificate), "{other:?}");
    }
}

#[test]
fn two_alternative_name_extensions_are_refused() {
    let mut params = params();
    let uri = |text: &[u8]| san_extension(tlv(0x30, &tlv(0x86, text)));
    params.custom_extensions = vec![uri(b"a:b"), uri(b"a:c")];
    let read = CertificateFacts::read(&der(&params));
    // Which layer of the reading notices is not our business; that nothing is picked is.
    assert!(matches!(read, Err(IdentityError::SubjectAltName | IdentityError::NotACertificate)));
}

#[test]
fn a_common_name_with_two_readings_is_refused() {
    let mut params = params();
    let utf16 = rcgen::string::BmpString::try_from("client").unwrap();
    params.distinguished_name.push(DnType::CommonName, DnValue::BmpString(utf16));
    let read = CertificateFacts::read(&der(&params));
    assert_eq!(read, Err(IdentityError::UnreadableName(CertificateField::Cn)));
}

#[test]
fn a_fingerprint_is_read_in_every_usual_spelling_and_shown_in_one() {
    let shown = Fingerprint::of(b"x").to_string();
    let digits = shown.strip_prefix("sha256:").unwrap().to_owned();
    let pairs: Vec<&str> = (0..32).map(|at| &digits[2 * at..2 * at + 2]).collect();
    let spellings = [
        shown.clone(),
        format!("sha256:{}", digits.to_uppercase()),
        format!("sha256:{}", pairs.join(":").to_uppercase()),
    ];
    for spelling in spellings {
        assert_eq!(spelling.parse::<Fingerprint>().unwrap().to_string(), shown, "{spelling}");
    }
    let wrong = [
        digits.clone(),
        format!("sha1:{digits}"),
        format!("sha256:{digits}0"),
        format!("sha256:{}", &digits[2..]),
        format!("sha256:{}", digits.replacen(&digits[..1], "+", 1)),
        format!("sha256:{}:", pairs.join(":")),
        format!("sha256:{}", "ü".repeat(32)),
        "sha256:".to_owned(),
    ];
    for wrong in wrong {
        assert_eq!(wrong.parse::<Fingerprint>(), Err(PatternError::Fingerprint), "{wrong}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = CertificateFacts::read(&bytes);
    }

    #[test]
    fn a_bent_certificate_never_panics(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bent = SAMPLE.clone();
        let at = at.index(bent.len());
        bent[at] = to;
        let _ = CertificateFacts::read(&bent);
    }

    #[test]
    fn a_subject_is_always_one_printable_line(name in "\\PC{0,20}|[\\x00-\\x20\u{202e}]{1,8}") {
        let mut params = params();
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        let facts = CertificateFacts::read(&der(&params)).unwrap();
        prop_assert!(facts.subject.chars().all(super::super::letters::is_printable), "{}", facts.subject);
        prop_assert_eq!(facts.common_names, [name]);
    }
}

static SAMPLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
    let mut params = params();
    params.distinguished_name.push(DnType::CommonName, "client");
    params.subject_alt_names = vec![SanType::URI("spiffe://acme/ci/7".try_into().unwrap())];
    der(&params)
});

/// A certificate whose (empty) subject is replaced; its signature no longer fits, and verifying that is
/// not this module's work.
fn with_subject(subject: &[u8]) -> Vec<u8> {
    with_element(5, subject)
}

/// The same with another of its elements replaced, counted from the version on.
fn with_element(at: usize, element: &[u8]) -> Vec<u8> {
    let plain = der(&params());
    let (_, certificate) = X509Certificate::from_der(&plain).unwrap();
    let tbs = certificate.tbs_certificate.as_ref();
    let (_, inner) = header(tbs);
    let pieces = elements(inner);
    assert_eq!(pieces[5], [0x30, 0], "the subject is the sixth element");
    let mut changed = pieces.clone();
    changed[at] = element;
    let (_, body) = header(&plain);
    let mut outer = elements(body);
    let tbs = sequence(&changed.concat());
    outer[0] = &tbs;
    sequence(&outer.concat())
}

fn sequence(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82], &length[..], content].concat()
}

/// Tag and length octets of an element, and the content.
fn header(element: &[u8]) -> (usize, &[u8]) {
    let (head, length) = match element[1] {
        n if n < 0x80 => (2, usize::from(n)),
        0x81 => (3, usize::from(element[2])),
        0x82 => (4, usize::from(u16::from_be_bytes([element[2], element[3]]))),
        n => panic!("length of form {n:#x}"),
    };
    (head, &element[head..head + length])
}

fn elements(mut content: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !content.is_empty() {
        let (head, inner) = header(content);
        let (element, rest) = content.split_at(head + inner.len());
        found.push(element);
        content = rest;
    }
    found
}
