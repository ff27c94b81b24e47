//! `dockward healthcheck`: whether the gate and the daemon behind it are well, told apart, since a
//! restart of the gate does not bring the daemon back.
//!
//! No client certificate is at hand, so the gate counts as well when it begins the TLS handshake with
//! the certificate that the policy file names, and asks for ours; at a Unix socket, when it answers at all:
//! whoever runs this need not be somebody whom it knows.

use super::out::{self, Paint};
use super::{Exit, Failure, HealthcheckArgs, TableFormat, status, verdict};
use crate::config::{self, Bind, Config, ListenWay, TlsListen, UnixBind, UnixListen};
use crate::control::wire::DegradedCause;
use crate::visible::line;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// For each step of a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a gate whose only listener is a Unix socket of systemd's is not asked.
const SYSTEMDS: &str = "the socket's path is systemd's to choose";
const SYSTEMDS_NEXT: &str =
    "write it under unix: and leave the .socket unit out, or ask by a tls listener";

/// What was asked, where, and what came of it.
type ProbeAnswer = (&'static str, String, Result<(), String>);

/// Asks both, and says whether they are well, and of each how it is. Where the policy has `control:`, the gate is asked
/// for what it knows itself; else its files and the log's disk are looked at. Exit code 1 if something is not well.
///
/// # Errors
/// The policy file has mistakes, or it leaves the address to systemd and none was given.
pub fn run(args: &HealthcheckArgs) -> Result<Exit, Failure> {
    let config = config::load(&args.config, jiff::Timestamp::now())?;
    let mut answers = listeners(&config, args.listen)?;
    let gates = answers.iter().filter_map(|(_, place, well)| Some((place, well.as_ref().err()?)));
    let mut causes: Vec<DegradedCause> = gates.map(|(place, why)| of_gate(place, why)).collect();
    let control = config.control.as_deref();
    match control.map(status::ask) {
        Some(Ok((status, daemon))) => {
            causes.extend(status.causes.into_iter().chain(verdict::of_daemon(&daemon)));
            let well = daemon.error.map_or(Ok(()), Err);
            answers.push(("daemon", daemon.socket, well));
        }
        otherwise => {
            if let (Some(path), Some(Err(Failure(why)))) = (control, otherwise) {
                out::note(&format!("{}: {why}; looked at from outside instead", path.display()));
            }
            let socket = &config.daemon.socket;
            let well = daemon(socket);
            causes.extend(well.as_ref().err().map(|why| of_daemon(socket, why)));
            answers.push(("daemon", socket.display().to_string(), well));
            causes.extend(verdict::from_outside(&config, jiff::Timestamp::now().as_second()));
        }
    }
    match args.format {
        TableFormat::Text => out::print(&text(&causes, &answers, Paint::stdout()))?,
        TableFormat::Json => out::json(&object(&causes, &answers))?,
    }
    Ok(if causes.is_empty() { Exit::Done } else { Exit::Findings })
}

fn listeners(config: &Config, given: Option<SocketAddr>) -> Result<Vec<ProbeAnswer>, Failure> {
    let mut answers = Vec::new();
    for listen in &config.listen {
        match &listen.way {
            ListenWay::Tls(tls) => {
                let address = address(tls, given)?;
                answers.push(("gate", address.to_string(), gate(address, &tls.certificate)));
            }
            ListenWay::Unix(UnixListen { bind: UnixBind::Path(path), .. }) => {
                answers.push(("gate", path.display().to_string(), answers_at(path)));
            }
            ListenWay::Unix(UnixListen { bind: UnixBind::Systemd, .. })
                if config.listen.len() > 1 => {}
            ListenWay::Unix(UnixListen { bind: UnixBind::Systemd, .. }) => {
                return Err(Failure::new(SYSTEMDS, SYSTEMDS_NEXT));
            }
        }
    }
    Ok(answers)
}

fn of_gate(place: &str, why: &str) -> DegradedCause {
    let next = "see whether the gate runs, and its operational log".to_owned();
    DegradedCause { what: format!("the gate at {place}: {why}"), next }
}

fn of_daemon(socket: &Path, why: &str) -> DegradedCause {
    let next = "see `systemctl status docker`; the gate needs no restart".to_owned();
    DegradedCause { what: format!("the daemon at {}: {why}", socket.display()), next }
}

fn text(causes: &[DegradedCause], answers: &[ProbeAnswer], paint: Paint) -> String {
    let mut text = verdict::text(causes, paint);
    for (who, place, well) in answers {
        let how = match well {
            Ok(()) => paint.green("well"),
            Err(why) => paint.red(&line(why)),
        };
        text.push_str(&format!("{who}: {how} ({})\n", line(place)));
    }
    text
}

fn object(causes: &[DegradedCause], answers: &[ProbeAnswer]) -> Value {
    let one = |(who, place, well): &ProbeAnswer| json!({ "who": who, "place": place, "well": well.is_ok(), "why": well.as_ref().err() });
    json!({
        "verdict": verdict::word(causes),
        "causes": verdict::object(causes),
        "asked": answers.iter().map(one).collect::<Vec<_>>(),
    })
}

fn address(listen: &TlsListen, given: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
    match (given, listen.address) {
        (Some(address), _) => Ok(address),
        (None, Bind::Address(address)) => Ok(reachable(address)),
        (None, Bind::Systemd) => {
            Err(Failure::new("the address is systemd's to choose", "give it with --listen"))
        }
    }
}

/// `0.0.0.0` is every address of this host; loopback is one of them.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn gate(address: SocketAddr, certificate: &Path) -> Result<(), String> {
    let expected = CertificateDer::from_pem_file(certificate).map_err(|why| {
        format!("its certificate {} cannot be read: {why}", certificate.display())
    })?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)
        .map_err(|why| format!("nobody listens: {why}"))?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|why| why.to_string())?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(|why| why.to_string())?;
    let mut tls = client(expected, address).map_err(|why| why.to_string())?;
    match tls.complete_io(&mut stream) {
        Ok(_) => Ok(()),
        // with TLS 1.2 the gate asks for our certificate before the handshake is done
        Err(why) if is_alert(&why) => Ok(()),
        Err(why) => Err(format!("it does not answer in TLS: {why}")),
    }
}

fn is_alert(why: &io::Error) -> bool {
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::AlertReceived(_)))
}

fn client(
    expected: CertificateDer<'static>,
    address: SocketAddr,
) -> Result<ClientConnection, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let verifier = Arc::new(Exactly { expected, algorithms });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::IpAddress(address.ip().into()))
}

/// Accepts one certificate and no other: the one that the policy file names.
#[derive(Debug)]
struct Exactly {
    expected: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Exactly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.expected {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("another certificate than the policy file names".into()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether somebody speaks HTTP there, be it to refuse.
fn answers_at(socket: &Path) -> Result<(), String> {
    let head = ping(socket, "nobody listens")?;
    match head.starts_with(b"HTTP/1.1 ") {
        true => Ok(()),
        false => Err("it does not answer in HTTP".to_owned()),
    }
}

fn daemon(socket: &Path) -> Result<(), String> {
    let head = ping(socket, "it is away")?;
    let status = head.split(|&b| b == b'\r').next().unwrap_or_default();
    if status.starts_with(b"HTTP/1.1 200") || status.starts_with(b"HTTP/1.0 200") {
        return Ok(());
    }
    Err(format!("it answers {:?}", String::from_utf8_lossy(status)))
}

/// What is answered, or in words why nothing is: `away` if there is nobody.
fn ping(socket: &Path, away: &str) -> Result<Vec<u8>, String> {
    let stream = UnixStream::connect(socket).map_err(|why| format!("{away}: {why}"))?;
    head(stream).map_err(|why| format!("it does not answer: {why}"))
}

fn head(mut stream: UnixStream) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")?;
    // the first line is enough, whether or not the connection is closed behind it
    let (mut head, mut piece) = (Vec::new(), [0; 512]);
    while head.len() < 4096 && !head.contains(&b'\n') {
        match stream.read(&mut piece)? {
            0 => break,
            read => head.extend_from_slice(piece.get(..read).unwrap_or_default()),
        }
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    fn certificate(dir: &Path) -> (std::path::PathBuf, rcgen::CertifiedKey<rcgen::KeyPair>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let path = dir.join("server.pem");
        std::fs::write(&path, made.cert.pem()).unwrap();
        (path, made)
    }

    /// A TLS server that wants a client certificate, for one connection.
    fn serve(
        made: &rcgen::CertifiedKey<rcgen::KeyPair>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> (SocketAddr, std::thread::JoinHandle<()>) {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = rustls::RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
            Arc::new(roots),
            provider.clone(),
        );
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            let refused = tls.complete_io(&mut stream);
            assert!(refused.is_err(), "a client without a certificate came in");
        });
        (address, thread)
    }

    #[test]
    fn a_gate_that_asks_for_a_certificate_is_well() {
        let dir = tempfile::tempdir().unwrap();
        let (path, made) = certificate(dir.path());
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let (address, thread) = serve(&made, &[version]);
            assert_eq!(gate(address, &path), Ok(()));
            thread.join().unwrap();
        }
    }

    #[test]
    fn a_gate_that_is_away_silent_or_another_is_ill() {
        let dir = tempfile::tempdir().unwrap();
        let (path, _) = certificate(dir.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || drop(listener.accept().unwrap()));
        assert!(gate(address, &path).unwrap_err().starts_with("it does not answer in TLS"));
        thread.join().unwrap();
        assert!(gate(address, &path).unwrap_err().starts_with("nobody listens"));
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (address, thread) = serve(&other, &[&rustls::version::TLS13]);
        let why = gate(address, &path).unwrap_err();
        assert!(why.contains("another certificate"), "{why}");
        thread.join().unwrap();
    }

    #[test]
    fn a_daemon_is_well_if_it_answers_a_ping() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("docker.sock");
        assert!(daemon(&socket).unwrap_err().starts_with("it is away"));
        let listener = UnixListener::bind(&socket).unwrap();
        let thread = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 200 OK\r\n\r\nOK", "HTTP/1.1 500 No\r\n\r\n"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 128];
                let read = stream.read(&mut request).unwrap();
                assert!(request[..read].starts_with(b"GET /_ping HTTP/1.1\r\n"));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!(daemon(&socket), Ok(()));
        assert_eq!(daemon(&socket), Err("it answers \"HTTP/1.1 500 No\"".to_owned()));
        thread.join().unwrap();
    }

    #[test]
    fn a_gate_at_a_unix_socket_is_well_if_it_answers_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("dockward.sock");
        assert!(answers_at(&socket).unwrap_err().starts_with("nobody listens"));
        let listener = UnixListener::bind(&socket).unwrap();
        let thread = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 403 Forbidden\r\n\r\n", "SSH-2.0\r\n"] {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 128]).unwrap() > 0);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!(answers_at(&socket), Ok(()));
        assert_eq!(answers_at(&socket), Err("it does not answer in HTTP".to_owned()));
        thread.join().unwrap();
    }

    #[test]
    fn every_address_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:1".parse().unwrap()), "127.0.0.1:1".parse().unwrap());
        assert_eq!(reachable("[::]:1".parse().unwrap()), "[::1]:1".parse().unwrap());
        assert_eq!(reachable("10.0.0.1:1".parse().unwrap()), "10.0.0.1:1".parse().unwrap());
    }
}
