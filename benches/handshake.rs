//! What the question costs that follows every handshake: of a stranger who sends all that may be sent, and with
//! revocation, alone and in whole handshakes with the gate over loopback (both sides of them), with no list, an
//! empty one and long ones, in one run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "criterion's macros make a public function; a bench stops at what it cannot do"
)]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use dockward::facade::proxy::{Address, Credentials, Trust};
use dockward::facade::server::Server;
use pki::{Authority, AuthorityWish, ListWish, Pair, Wish};
use rustls::pki_types::{ServerName, UnixTime};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

#[path = "../tests/support/pki.rs"]
mod pki;

const LENGTHS: [Option<u64>; 4] = [None, Some(0), Some(10_000), Some(100_000)];

struct Pki {
    authority: Authority,
    leaf: Pair,
}

impl Pki {
    /// An authority, and a certificate that is a server's and a client's; all files in `dir`.
    fn new(dir: &Path) -> Self {
        let authority = Authority::new("ca");
        let purpose = Some(["client", "server"].map(str::to_owned).to_vec());
        let wish = Wish::client("ci").dns("localhost").serial(u64::MAX);
        let leaf = authority.issue(&Wish { purpose, ..wish });
        std::fs::write(dir.join("ca.pem"), &authority.certificate).unwrap();
        std::fs::write(dir.join("cert.pem"), &leaf.certificate).unwrap();
        std::fs::write(dir.join("key.pem"), &leaf.key).unwrap();
        Self { authority, leaf }
    }

    fn credentials(&self, dir: &Path, length: Option<u64>) -> Credentials {
        let crl = length.map(|length| {
            let path = dir.join(format!("crl-{length}.pem"));
            let list = self.authority.listed(&ListWish::default().revokes(1..=length));
            std::fs::write(&path, list).unwrap();
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
        roots.add(self.authority.der()).unwrap();
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(self.leaf.chain(), self.leaf.key())
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

/// What somebody without a certificate of ours can make the gate verify: as many authorities of one name as may be
/// sent, none of them genuine, and a leaf that claims to be from there. The root has the dearest kind of key.
fn strangers(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let now = UnixTime::now();
    let mut group = c.benchmark_group("chain of a stranger");
    for key in ["p256", "p384", "p521", "rsa4096"] {
        let says = Wish { key: Some(key.to_owned()), ..Wish::default() };
        let root = Authority::of(&AuthorityWish { says: says.clone(), ..AuthorityWish::new("ca") });
        let file = Pki::new(dir.path()).credentials(dir.path(), None);
        std::fs::write(dir.path().join("ca.pem"), &root.certificate).unwrap();
        let trust = Trust::read(&file, i64::try_from(now.as_secs()).unwrap()).unwrap();
        let forged =
            |_| Authority::of(&AuthorityWish { says: says.clone(), ..AuthorityWish::new("ca") });
        let forged: Vec<_> = (0..7).map(forged).collect();
        let mut chain = forged.first().unwrap().issue(&Wish::client("ci")).chain();
        chain.extend(forged.iter().map(Authority::der));
        group.bench_function(BenchmarkId::from_parameter(key), |b| {
            b.iter(|| trust.verify(&chain, now).unwrap_err());
        });
    }
    group.finish();
}

fn revocation(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::new(dir.path());
    let now = UnixTime::now();
    let seconds = i64::try_from(now.as_secs()).unwrap();
    let mut group = c.benchmark_group("chain asked about");
    for length in LENGTHS {
        let trust = Trust::read(&pki.credentials(dir.path(), length), seconds).unwrap();
        let chain = pki.leaf.chain();
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

criterion_group!(benches, strangers, revocation);
criterion_main!(benches);
