//! A certificate signing request, so that a key never leaves the machine that made it. Who asks proves to
//! hold the key; what the certificate says is the authority's business alone, so nothing is taken over of
//! what the request asks for, and the operator is told of it.

use super::super::error::PkiError;
use rcgen::SubjectPublicKeyInfo;
use rustls::pki_types::CertificateSigningRequestDer;
use rustls::pki_types::pem::PemObject as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::oid_registry::{
    OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
    OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo as Key;

/// What a request is good for.
pub(super) struct SigningRequest {
    pub(super) key: SubjectPublicKeyInfo,
    /// What it asks for, each in one word such as `DNS:a.example`, safe to show.
    pub(super) asks: Vec<String>,
}

/// Reads a request (PEM), its key's strength and its signature.
pub(super) fn read(path: &Path) -> Result<SigningRequest, PkiError> {
    let pem = fs::read(path).map_err(PkiError::io(path))?;
    let refused = |(why, next)| PkiError::Request { path: path.to_owned(), why, next };
    let der = CertificateSigningRequestDer::from_pem_slice(&pem).map_err(|_| {
        refused(("no certificate request inside", "make one with `openssl req -new`"))
    })?;
    let (rest, request) = X509CertificationRequest::from_der(&der)
        .map_err(|_| refused(("damaged", "make it anew")))?;
    if !rest.is_empty() {
        return Err(refused(("there is more after the request", "make it anew")));
    }
    let info = &request.certification_request_info;
    strong(&info.subject_pki).map_err(refused)?;
    request.verify_signature().map_err(|_| {
        refused(("its signature is not by its own key", "make it anew with that key"))
    })?;
    let key = SubjectPublicKeyInfo::from_der(info.subject_pki.raw)
        .map_err(|_| refused(("its key is of a kind that is not known", "take P-256")))?;
    Ok(SigningRequest { key, asks: asks(&request) })
}

/// What is wrong, and what to do about it.
type Weak = (&'static str, &'static str);

/// Only what the gate's own TLS verifies, and is worth it.
fn strong(key: &Key<'_>) -> Result<(), Weak> {
    const UNKNOWN: Weak = (
        "its key is of a kind that is not taken",
        "make one of P-256, P-384, Ed25519, or RSA of 2048 bits or more",
    );
    let algorithm = &key.algorithm.algorithm;
    if *algorithm == OID_SIG_ED25519 {
        return Ok(());
    }
    if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        let known = curve.is_some_and(|c| c == OID_EC_P256 || c == OID_NIST_EC_P384);
        return if known { Ok(()) } else { Err(UNKNOWN) };
    }
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) if *algorithm == OID_PKCS1_RSAENCRYPTION => match rsa.key_size() {
            0..2048 => {
                Err(("its RSA key is shorter than 2048 bits", "make a longer one, or P-256"))
            }
            2048..=8192 => Ok(()),
            _ => Err(("its RSA key is longer than 8192 bits", "make a shorter one, or P-256")),
        },
        _ => Err(UNKNOWN),
    }
}

fn asks(request: &X509CertificationRequest<'_>) -> Vec<String> {
    let subject = &request.certification_request_info.subject;
    let attributes = subject.iter_attributes().map(|attribute| {
        let oid = attribute.attr_type();
        let names = x509_parser::objects::oid_registry();
        let kind = x509_parser::objects::oid2abbrev(oid, names)
            .map_or_else(|_| oid.to_id_string(), str::to_owned);
        word(&kind, "=", attribute.as_str().unwrap_or("?"))
    });
    let extensions = request.requested_extensions().into_iter().flatten();
    attributes.chain(extensions.flat_map(extension)).collect()
}

fn extension(extension: &ParsedExtension<'_>) -> Vec<String> {
    let one = |text: &str| vec![text.to_owned()];
    match extension {
        ParsedExtension::SubjectAlternativeName(names) => {
            names.general_names.iter().map(alt_name).collect()
        }
        ParsedExtension::BasicConstraints(basic) if basic.ca => one("to be an authority"),
        ParsedExtension::ExtendedKeyUsage(usage) => {
            let more = usage.any || usage.server_auth || usage.code_signing || usage.time_stamping;
            let more = more || usage.email_protection || usage.ocsp_signing;
            let more = more || !usage.other.is_empty();
            if more { one("other uses than clientAuth") } else { Vec::new() }
        }
        ParsedExtension::UnsupportedExtension { oid } => vec![format!("extension {oid}")],
        ParsedExtension::BasicConstraints(_)
        | ParsedExtension::KeyUsage(_)
        | ParsedExtension::SubjectKeyIdentifier(_) => Vec::new(),
        _ => one("another extension"),
    }
}

fn alt_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::URI(uri) => word("URI", ":", uri),
        GeneralName::DNSName(dns) => word("DNS", ":", dns),
        GeneralName::RFC822Name(email) => word("email", ":", email),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let ip = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            word("IP", ":", &ip.map(|ip| ip.to_string()).unwrap_or_default())
        }
        _ => "a name of another kind".to_owned(),
    }
}

/// A kind and a value, with nothing in it that moves a cursor, and not without end.
fn word(kind: &str, between: &str, value: &str) -> String {
    let value: String = value.chars().take(120).collect();
    format!("{kind}{between}{}", value.escape_debug())
}
