//! Whether an authority has signed what is said to be its own, by the algorithms that count in a handshake
//! and no others: x509-parser's own check takes SHA-1 and has no P-521.

use rustls::crypto::aws_lc_rs::default_provider;
use x509_parser::asn1_rs::{Any, FromDer as _};

/// Whether the key of the issuer's certificate verifies the signature of a certificate or revocation list.
/// Both are DER; what cannot be taken apart is signed by nobody.
pub(super) fn has_signed(issuer_key: &[u8], signed: &[u8]) -> bool {
    verifies(issuer_key, signed).unwrap_or(false)
}

fn verifies(issuer_key: &[u8], signed: &[u8]) -> Option<bool> {
    // SubjectPublicKeyInfo
    let (_, issuer_key) = Any::from_der(issuer_key).ok()?;
    let (key_algorithm, key) = algorithm_and_bits(issuer_key.data)?;
    // `SIGNED` of X.509: what is signed, how, and the signature
    let (_, signed) = Any::from_der(signed).ok()?;
    let (rest, _) = Any::from_der(signed.data).ok()?;
    let message = signed.data.get(..signed.data.len().checked_sub(rest.len())?)?;
    let (signed_by, signature) = algorithm_and_bits(rest)?;
    let algorithms = default_provider().signature_verification_algorithms.all;
    Some(algorithms.iter().any(|algorithm| {
        algorithm.signature_alg_id().as_ref() == signed_by
            && algorithm.public_key_alg_id().as_ref() == key_algorithm
            && algorithm.verify_signature(key, message, signature).is_ok()
    }))
}

/// An AlgorithmIdentifier and a BIT STRING of whole bytes, and nothing after them.
fn algorithm_and_bits(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, algorithm) = Any::from_der(der).ok()?;
    let (rest, bits) = Any::from_der(rest).ok()?;
    Some((algorithm.data, rest.is_empty().then_some(bits.data)?.strip_prefix(&[0])?))
}
