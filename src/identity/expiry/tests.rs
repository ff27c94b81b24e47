use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_795_262_400; // 2026-11-21T12:00:00Z

fn span(life: i64, left: i64) -> Span {
    Span { not_before: NOW + left - life, not_after: NOW + left }
}

fn server(life: i64, left: i64) -> Dated {
    Dated {
        what: What::ServerCertificate,
        subject: "CN=gate".to_owned(),
        path: Some("pki/server.pem".into()),
        span: span(life, left),
    }
}

#[test]
fn a_year_is_spoken_of_for_thirty_days() {
    for (left, stage) in [
        (300 * DAY, ExpiryStage::Good),
        (30 * DAY, ExpiryStage::Good),
        (30 * DAY - 1, ExpiryStage::Ahead),
        (14 * DAY, ExpiryStage::Ahead),
        (14 * DAY - 1, ExpiryStage::Near),
        (3 * DAY, ExpiryStage::Near),
        (3 * DAY - 1, ExpiryStage::Urgent),
        (0, ExpiryStage::Urgent),
        (-1, ExpiryStage::Expired),
        (366 * DAY, ExpiryStage::NotYet),
    ] {
        assert_eq!(span(365 * DAY, left).stage(NOW), stage, "{left}");
    }
}

#[test]
fn a_short_life_is_spoken_of_at_its_end_alone() {
    for (life, left, stage) in [
        (8 * HOUR, 8 * HOUR, ExpiryStage::Good),
        (8 * HOUR, 160 * MINUTE, ExpiryStage::Good),
        (8 * HOUR, 160 * MINUTE - 1, ExpiryStage::Ahead),
        (8 * HOUR, 80 * MINUTE - 1, ExpiryStage::Near),
        (8 * HOUR, 16 * MINUTE - 1, ExpiryStage::Urgent),
        (47 * DAY, 16 * DAY, ExpiryStage::Good),
        (47 * DAY, 15 * DAY, ExpiryStage::Ahead),
        (90 * DAY, 30 * DAY - 1, ExpiryStage::Ahead),
        (0, 0, ExpiryStage::Good),
        (-DAY, -DAY, ExpiryStage::Expired),
    ] {
        assert_eq!(span(life, left).stage(NOW), stage, "{left} of {life}");
    }
}

proptest! {
    #[test]
    fn it_only_gets_worse(life in 1i64..1000 * DAY, a in 0i64..2000 * DAY, b in 0i64..2000 * DAY) {
        let of = Span { not_before: NOW, not_after: NOW + life };
        let (first, then) = (a.min(b), a.max(b));
        prop_assert!(of.stage(NOW + first) <= of.stage(NOW + then));
        prop_assert_eq!(of.stage(NOW), ExpiryStage::Good);
        // renewed when a third is left, it is never spoken of
        prop_assert_eq!(of.stage(NOW + life - life / 3), ExpiryStage::Good);
    }

    #[test]
    fn any_numbers_are_dates(not_before: i64, not_after: i64, now: i64) {
        let one = Dated { span: Span { not_before, not_after }, ..server(1, 1) };
        let said = one.notice(now);
        prop_assert_eq!(said.is_none(), one.span.stage(now) == ExpiryStage::Good);
    }
}

#[test]
fn people_are_told_what_when_and_what_to_do() {
    let said = |what: What, life, left| {
        Dated { what, ..server(life, left) }.notice(NOW).map(|notice| notice.text)
    };
    let year = 365 * DAY;
    assert_eq!(said(What::ServerCertificate, year, 40 * DAY), None);
    assert_eq!(
        said(What::ServerCertificate, year, 10 * DAY + 5).unwrap(),
        "pki/server.pem: the server certificate (CN=gate) ends 2026-12-01T12:00:05Z (10 days left), \
         issue it again and reload"
    );
    assert_eq!(
        said(What::ClientAuthority, year, -47 * HOUR).unwrap(),
        "pki/server.pem: the client authority (CN=gate) ended 2026-11-19T13:00:00Z (47 hours ago), put its \
         successor beside it in the file, reload, and issue the client certificates again"
    );
    assert_eq!(
        said(What::RevocationList, year, 366 * DAY).unwrap(),
        "pki/server.pem: the revocation list (CN=gate) begins 2026-11-22T12:00:00Z (24 hours from now), check \
         the clocks of this host and of its authority"
    );
    let client = What::Client("deploy".to_owned());
    let client = Dated { what: client, path: None, subject: String::new(), ..server(year, 61) };
    assert_eq!(
        client.notice(NOW).unwrap().text,
        "the certificate of client deploy ends 2026-11-21T12:01:01Z (a minute left), issue deploy a new one"
    );
}

#[test]
fn the_worst_is_said_first_and_each_once() {
    let year = 365 * DAY;
    let all = [20 * DAY, DAY, -DAY, 2 * DAY, 100 * DAY, 20 * DAY].map(|left| server(year, left));
    let stages: Vec<_> = notices(&all, NOW).into_iter().map(|notice| notice.stage).collect();
    assert_eq!(
        stages,
        [ExpiryStage::Expired, ExpiryStage::Urgent, ExpiryStage::Urgent, ExpiryStage::Ahead]
    );
    assert!(notices(&all, NOW)[1].text.contains("24 hours left"));
    assert!(notices(&all[4..5], NOW).is_empty());
}

#[test]
fn a_certificate_says_whose_it_is_and_until_when() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let read = |der: &[u8]| Dated::of_certificate(What::ServerCertificate, None, der);
    let dated = read(made.cert.der()).unwrap();
    assert_eq!(dated.subject, "CN=rcgen self signed cert");
    assert_eq!((dated.span.not_before, dated.span.stage(NOW)), (157_766_400, ExpiryStage::Good));
    assert!(read(b"no certificate").is_err());
    assert!(read(&[&made.cert.der()[..], b"x"].concat()).is_err());
}
