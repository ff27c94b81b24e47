//! What revocation costs: the question that follows every handshake, and whole handshakes with the gate over
//! loopback (both sides of them), with no list, an empty one and long ones, in one run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make a public function; a bench stops at what it cannot do"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dockward::proxy::{Address, Credentials, Trust};
use dockward::server::Server;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SerialNumber,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

const LENGTHS: [Option<u64>; 4] = [None, Some(0), Some(10_000), Some(100_000)];

struct Pki {
    issuer: Issuer<'static, KeyPair>,
    ca: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Pki {
    /// An authority, and a certificate that is a server's and a client's; all files in `dir`.
    fn new(dir: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "ca");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "ci");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.serial_number = Some(SerialNumber::from(u64::MAX));
        let leaf = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(dir.join("ca.pem"), ca.pem()).unwrap();
        std::fs::write(dir.join("cert.pem"), leaf.pem()).unwrap();
        std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Self { issuer, ca: ca.der().clone(), leaf: leaf.der().clone(), key: private }
    }

    fn credentials(&self, dir: &Path, length: Option<u64>) -> Credentials {
        let crl = length.map(|length| {
            let now = SystemTime::now();
            let revoked = (1..=length).map(|serial| RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: now.into(),
                reason_code: None,
                invalidity_date: None,
            });
            let list = CertificateRevocationListParams {
                this_update: (now - Duration::from_secs(60)).into(),
                next_update: (now + Duration::from_secs(86_400)).into(),
                crl_number: SerialNumber::from(1),
                issuing_distribution_point: None,
                revoked_certs: revoked.collect(),
                key_identifier_method: KeyIdMethod::Sha256,
            };
            let path = dir.join(format!("crl-{length}.pem"));
            std::fs::write(&path, list.signed_by(&self.issuer).unwrap().pem().unwrap()).unwrap();
            path
        });
        Credentials {
            certificate: dir.join("cert.pem"),
            key: dir.join("key.pem"),
            client_ca: dir.join("ca.pem"),
            crl,
            accept_expired_crl: false,
            deny: None,
            tls12: false,
        }
    }

    fn client(&self) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.leaf.clone()], self.key.clone_key())
            .unwrap();
        config.resumption = rustls::client::Resumption::disabled();
        Arc::new(config)
    }
}

fn policy(dir: &Path, credentials: &Credentials) -> String {
    let crl = credentials.crl.as_ref().map(|crl| format!("crl: \"{}\",", crl.display()));
    format!(
        r#"version: 1
listen: [{{ tls: "127.0.0.1:0", certificate: cert.pem, key: key.pem, client_ca: ca.pem, {} }}]
daemon: {{ socket: docker.sock }}
audit: {{ directory: "{}" }}
identities: [{{ name: ci, match: {{ cn: ci }}, roles: [ci] }}]
roles: {{ ci: {{ scope: any, allow: {{ container: [read] }} }} }}
"#,
        crl.unwrap_or_default(),
        dir.join("audit").display(),
    )
}

async fn shake_hands(client: &Arc<rustls::ClientConfig>, address: SocketAddr) {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(client));
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
    // the gate closes when it has taken the handshake to its end
    let _ = stream.read(&mut [0; 16]).await;
}

fn revocation(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::new(dir.path());
    let now = UnixTime::now();
    let seconds = i64::try_from(now.as_secs()).unwrap();
    let mut group = c.benchmark_group("chain asked about");
    for length in LENGTHS {
        let trust = Trust::read(&pki.credentials(dir.path(), length), seconds).unwrap();
        let chain = [pki.leaf.clone()];
        let name = length.map_or("no list".to_owned(), |length| format!("{length} revoked"));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| trust.verify(&chain, now).unwrap());
        });
    }
    group.finish();
    let runtime = Runtime::new().unwrap();
    let client = pki.client();
    let mut group = c.benchmark_group("handshake");
    for length in LENGTHS {
        let credentials = pki.credentials(dir.path(), length);
        let path = dir.path().join("dockward.yaml");
        std::fs::write(&path, policy(dir.path(), &credentials)).unwrap();
        let server = runtime.block_on(Server::start(&path, |_| {})).unwrap();
        let address = server.addresses().find_map(Address::socket).unwrap();
        let serving = runtime.spawn(server.run(|| {}));
        let name = length.map_or("no list".to_owned(), |length| format!("{length} revoked"));
        group.bench_function(BenchmarkId::from_parameter(name), |b| {
            b.iter(|| runtime.block_on(shake_hands(&client, address)));
        });
        serving.abort();
    }
    group.finish();
}

criterion_group!(benches, revocation);
criterion_main!(benches);
