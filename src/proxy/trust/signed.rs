//! Whether an authority has signed what is said to be its own, by the algorithms that count in a handshake
//! and no others: x509-parser's own check takes SHA-1 and has no P-521.

use rustls::crypto::aws_lc_rs::default_provider;
use x509_parser::asn1_rs::{Any, FromDer as _};

/// Whether the key of the issuer's certificate verifies the signature of a certificate or revocation list.
/// Both are DER; what cannot be taken apart is signed by nobody.
pub(super) fn has_signed(issuer_key: &[u8], signed: &[u8]) -> bool {
    let (Some(key), Some(signed)) = (PublicKeyInfo::of(issuer_key), Signed::of(signed)) else {
        return false;
    };
    let algorithms = default_provider().signature_verification_algorithms.all;
    algorithms.iter().any(|algorithm| {
        algorithm.signature_alg_id().as_ref() == signed.algorithm
            && algorithm.public_key_alg_id().as_ref() == key.algorithm
            && algorithm.verify_signature(key.bits, signed.message, signed.signature).is_ok()
    })
}

/// SubjectPublicKeyInfo.
struct PublicKeyInfo<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

impl<'a> PublicKeyInfo<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let (_, whole) = Any::from_der(der).ok()?;
        let (rest, algorithm) = Any::from_der(whole.data).ok()?;
        Some(Self { algorithm: algorithm.data, bits: bit_string(rest)? })
    }
}

/// `SIGNED` of X.509: what is signed, how, and the signature.
struct Signed<'a> {
    message: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Signed<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let (_, whole) = Any::from_der(der).ok()?;
        let (rest, _) = Any::from_der(whole.data).ok()?;
        let message = whole.data.get(..whole.data.len().checked_sub(rest.len())?)?;
        let (rest, algorithm) = Any::from_der(rest).ok()?;
        Some(Self { message, algorithm: algorithm.data, signature: bit_string(rest)? })
    }
}

/// The bytes of a BIT STRING of whole bytes.
fn bit_string(der: &[u8]) -> Option<&[u8]> {
    let (rest, bits) = Any::from_der(der).ok()?;
    rest.is_empty().then_some(bits.data)?.strip_prefix(&[0])
}
