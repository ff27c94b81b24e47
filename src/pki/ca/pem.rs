//! DER as PEM (RFC 7468), for what no library writes: lists that are kept as they are, and sealed keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The object under its label.
pub(super) fn text(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
