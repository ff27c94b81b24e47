//! What a certificate may say: hosts, URIs, addresses, moments. One reading for the demo and for the
//! authority, and it is the narrow one, since a name that is read in two ways is somebody else's.

use super::error::PkiError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, SanType, date_time_ymd};
use std::net::IpAddr;
use std::time::Duration;

/// Validity starts this much earlier, for clients whose clock is behind.
pub(super) const CLOCK_SKEW: u64 = 60 * 60;

/// An address or a DNS name of ASCII letters, digits, `.`, `-` and `_`.
pub(super) fn host(host: &str) -> Result<SanType, PkiError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(ip));
    }
    let bad = || PkiError::Host(host.to_owned());
    let label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || !host.chars().all(label) {
        return Err(bad());
    }
    Ok(SanType::DnsName(host.try_into().map_err(|_| bad())?))
}

/// A URI of printable ASCII.
pub(super) fn uri(uri: &str) -> Result<SanType, PkiError> {
    let bad = || PkiError::Uri(uri.to_owned());
    if uri.is_empty() || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad());
    }
    Ok(SanType::URI(uri.try_into().map_err(|_| bad())?))
}

/// A certificate that says nothing but its name and time: from an hour before `now` to `until`, both in
/// seconds since 1970.
pub(super) fn params(now: u64, until: u64, common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now.saturating_sub(CLOCK_SKEW));
    params.not_after = epoch + Duration::from_secs(until);
    params
}

/// A DER object as PEM (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
