//! Who gets in: certificates, TLS versions, ALPN, places.

use crate::house::{House, OURS, client_config, client_config_of, now, soon};
use crate::pki::{Authority, Wish};
use dockward::facade::config::FrontLimits;
use dockward::facade::identity::Nobody;
use dockward::facade::proxy::{Doubt, RefusedKind, Secured};
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_good_certificate_gets_in() {
    let house = House::open(FrontLimits::default()).await;
    let pair = OURS.issue(&Wish::client("dev").uri("spiffe://example.org/dev"));
    let mut client = house.connect(client_config(Some(&pair))).await.unwrap();
    assert_eq!(client.get("/").await.body, "dev");
    assert_eq!(client.get("/tls").await.body, "1.3");
    assert_eq!(house.ledger.entries(0).await, []);
}

#[tokio::test]
async fn a_bad_certificate_is_refused_in_the_handshake() {
    let house = House::open(FrontLimits::default()).await;
    let theirs = Authority::new("theirs");
    let cases = [
        ("other authority", theirs.issue(&Wish::client("ci")), "unknown-issuer", "UnknownCA"),
        ("expired", OURS.issue(&Wish::client("ci").days(-9, -1)), "expired", "CertificateExpired"),
        ("not yet", OURS.issue(&Wish::client("ci").days(1, 9)), "not-yet-valid", ""),
        ("server's", OURS.issue(&Wish::client("ci").for_servers()), "purpose", ""),
        ("authority", OURS.issue(&Wish::client("ci").authority()), "unusable", ""),
    ];
    for (count, (name, pair, reason, alert)) in cases.iter().enumerate() {
        let mut client = house.connect(client_config(Some(pair))).await.unwrap();
        client.send("GET / HTTP/1.1\r\nHost: docker\r\n\r\n").await;
        let (bytes, ended) = client.rest().await;
        assert_eq!(bytes, b"", "{name}: not a byte of an answer");
        let error = ended.unwrap_err().to_string();
        assert!(error.contains("fatal alert") && error.contains(alert), "{name}: {error}");
        let entries = house.ledger.entries(count + 1).await;
        let (kind, detail) = &entries[count];
        assert_eq!(kind.rule().id, format!("certificate.{reason}"), "{name}");
        assert!(detail.contains("; subject CN=ci, serial "), "{name}: {detail}");
    }
}

#[tokio::test]
async fn who_speaks_plain_http_hears_what_dockerd_says() {
    let house = House::open(FrontLimits::default()).await;
    let cases = [
        (&b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n"[..], true),
        (b"POST /v1.41/containers/create HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", true),
        (b"HEAD /_ping HTTP/1.1\r\n\r\n", true),
        (b"SSH-2.0-OpenSSH_9.2\r\n", false),
        (b"\0\0\0\0\0\0", false),
    ];
    for (count, (sent, told)) in cases.into_iter().enumerate() {
        let mut client = TcpStream::connect(house.address).await.unwrap();
        client.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        let sentence = "Client sent an HTTP request to an HTTPS server.";
        assert_eq!(text.starts_with("HTTP/1.0 400 Bad Request\r\n\r\n"), told, "{text}");
        assert_eq!(text.contains(sentence), told, "{text}");
        let (kind, detail) = house.ledger.entries(count + 1).await.pop().unwrap();
        assert_eq!(kind.rule().id, "handshake.failed");
        assert!(!told || detail.contains("plain HTTP"), "{detail}");
    }
}

#[tokio::test]
async fn without_a_certificate_nobody_gets_in() {
    let house = House::open(FrontLimits::default()).await;
    let mut client = house.connect(client_config(None)).await.unwrap();
    let (bytes, ended) = client.rest().await;
    assert_eq!(bytes, b"");
    assert!(ended.unwrap_err().to_string().contains("CertificateRequired"));
    house.ledger.refused(RefusedKind::NoCertificate).await;
}

#[tokio::test]
async fn a_certificate_that_is_nobodys_gets_a_403_and_the_end() {
    let house = House::open(FrontLimits::default()).await;
    let pair = OURS.issue(&Wish::client("nobody"));
    let mut client = house.connect(client_config(Some(&pair))).await.unwrap();
    client.send("POST /anything HTTP/1.1\r\nHost: docker\r\nContent-Length: 2\r\n\r\n{}").await;
    let answer = client.answer().await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.message(),
        "dockward: no identity matches this certificate, which has nothing that a rule can name \
         [identity.unknown]"
    );
    assert!(answer.head.contains("connection: close"));
    client.assert_closed().await;
    let kind = RefusedKind::Unidentified { rule: Nobody::Unknown.rule(), recorded: true };
    let detail = house.ledger.refused(kind).await;
    assert!(detail.starts_with("identity.unknown"), "{detail}");
}

#[tokio::test]
async fn tls_1_2_only_where_it_was_opted_in() {
    let pair = OURS.issue(&Wish::client("ci"));
    let house = House::open(FrontLimits::default()).await;
    assert!(house.connect(client_config_of(Some(&pair), &[&TLS12])).await.is_err());
    house.ledger.refused(RefusedKind::Handshake).await;

    let house = House::with(FrontLimits::default(), |files| files.tls12 = true).await;
    let mut old = house.connect(client_config_of(Some(&pair), &[&TLS12])).await.unwrap();
    assert_eq!(old.get("/tls").await.body, "1.2");
    let mut new = house.connect(client_config_of(Some(&pair), &[&TLS12, &TLS13])).await.unwrap();
    assert_eq!(new.get("/tls").await.body, "1.3");
}

#[tokio::test]
async fn who_resumes_a_session_is_asked_about_again() {
    use HandshakeKind::{Full, Resumed};
    for versions in [&[&TLS13][..], &[&TLS12][..]] {
        let end = SystemTime::now() + Duration::from_secs(3);
        let pair = OURS.issue(&Wish::client("ci").until(end));
        let house = House::with(FrontLimits::default(), |files| files.tls12 = true).await;
        let config = client_config_of(Some(&pair), versions);
        for kind in [Full, Resumed] {
            let mut client = house.connect(config.clone()).await.unwrap();
            assert_eq!(client.get("/").await.status, 200);
            assert_eq!(client.0.get_ref().1.handshake_kind(), Some(kind));
        }
        while SystemTime::now() <= end + Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut late = house.connect(config.clone()).await.unwrap();
        assert_eq!(late.0.get_ref().1.handshake_kind(), Some(Resumed), "TLS itself asks nobody");
        assert_eq!(late.rest().await.0, b"");
        house.ledger.refused(RefusedKind::Untrusted(Doubt::Expired.rule())).await;
    }
}

#[tokio::test]
async fn what_was_loaded_anew_resumes_no_session_of_before() {
    let pair = OURS.issue(&Wish::client("ci"));
    let house = House::open(FrontLimits::default()).await;
    let config = client_config(Some(&pair));
    assert_eq!(house.connect(config.clone()).await.unwrap().get("/").await.status, 200);
    house.tls.adopt(Secured::load(&house.files.credentials(), now()).unwrap().0);
    let mut client = house.connect(config).await.unwrap();
    assert_eq!(client.get("/").await.status, 200);
    assert_eq!(client.0.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
}

#[tokio::test]
async fn http_1_1_is_the_only_protocol() {
    let pair = OURS.issue(&Wish::client("ci"));
    let house = House::open(FrontLimits::default()).await;
    let with = |protocols: &[&str]| {
        let mut config = client_config(Some(&pair));
        config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
        config
    };
    assert!(house.connect(with(&["h2"])).await.is_err());
    house.ledger.refused(RefusedKind::Handshake).await;
    let both = house.connect(with(&["h2", "http/1.1"])).await.unwrap();
    assert_eq!(both.0.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn a_slow_handshake_is_given_up() {
    let limits =
        FrontLimits { handshake_timeout: Duration::from_millis(50), ..FrontLimits::default() };
    let house = House::open(limits).await;
    let mut silent = TcpStream::connect(house.address).await.unwrap();
    assert_eq!(soon(silent.read(&mut [0; 1])).await.unwrap(), 0);
    house.ledger.refused(RefusedKind::HandshakeTimeout).await;
    drop(silent);
    house.empty().await;
}

#[tokio::test]
async fn seats_are_for_those_who_are_known_and_given_back() {
    let all = FrontLimits { connections: 1, ..FrontLimits::default() };
    let of_address = FrontLimits { connections_per_address: 1, ..FrontLimits::default() };
    for (limits, kind, words) in [
        (all, RefusedKind::TooMany, ": 1 are open [connections.too-many]\n"),
        (
            of_address,
            RefusedKind::TooManyFromAddress,
            ": 1 are open [connections.too-many-from-address]\n",
        ),
    ] {
        let house = House::open(limits).await;
        let silent = [
            TcpStream::connect(house.address).await.unwrap(),
            TcpStream::connect(house.address).await.unwrap(),
        ];
        let mut first = house.client().await;
        assert_eq!(first.get("/").await.status, 200, "whoever says nothing has no seat");
        let mut second = house.client().await;
        let answer = second.get("/").await;
        assert_eq!(answer.status, 429);
        assert!(answer.message().contains(words), "{answer:?}");
        second.assert_closed().await;
        house.ledger.refused(kind).await;
        assert_eq!(first.get("/").await.status, 200, "the first is not disturbed");
        drop((first, second, silent));
        house.empty().await;
        assert_eq!(house.client().await.get("/").await.status, 200);
    }
}

#[tokio::test]
async fn an_identity_has_its_share_of_connections() {
    let house =
        House::open(FrontLimits { connections_per_identity: 1, ..FrontLimits::default() }).await;
    let mut first = house.client().await;
    assert_eq!(first.get("/").await.status, 200);
    let mut second = house.client().await;
    let answer = second.get("/").await;
    assert_eq!(answer.status, 429);
    assert!(answer.head.contains("retry-after: 1") && answer.head.contains("connection: close"));
    assert!(answer.message().contains(": 1 are open [connections.too-many-of-identity]\n"));
    second.assert_closed().await;
    house.ledger.refused(RefusedKind::TooManyOfIdentity).await;
    let dev = OURS.issue(&Wish::client("dev"));
    let mut other = house.connect(client_config(Some(&dev))).await.unwrap();
    assert_eq!(other.get("/").await.status, 200, "others have their own");
    drop((first, second, other));
    house.empty().await;
    assert_eq!(house.client().await.get("/").await.status, 200);
}
