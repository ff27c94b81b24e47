//! What a certificate may say, read in the narrow way, since a name that is read in two ways is somebody
//! else's; and for which names the issuing CA may sign. The certificate itself says so (RFC 5280, 4.2.1.10), so that
//! a stolen issuing key makes no server but this gate; here it is asked before signing, since a
//! certificate outside would be refused by everybody and nobody would know why.

use super::super::error::PkiError;
use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints, SanType};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Where this machine is always reached by itself.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Names and addresses that may be signed for. Both lists are never empty, since an empty one would
/// permit every name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermittedNames {
    /// DNS names, and all below them.
    pub dns: Vec<String>,
    /// Addresses.
    pub ips: Vec<IpAddr>,
}

impl PermittedNames {
    /// These hosts and DNS names, and the local ones.
    ///
    /// # Errors
    /// What is no host.
    pub fn of(hosts: &[String], more_dns: &[String]) -> Result<Self, PkiError> {
        let mut permitted = Self { dns: Vec::new(), ips: Vec::new() };
        for name in hosts.iter().chain(more_dns).map(String::as_str).chain(LOCAL) {
            match host(name)? {
                SanType::IpAddress(ip) if !permitted.ips.contains(&ip) => permitted.ips.push(ip),
                SanType::DnsName(_) => {
                    let name = name.to_ascii_lowercase();
                    if !permitted.dns.contains(&name) {
                        permitted.dns.push(name);
                    }
                }
                _ => {}
            }
        }
        Ok(permitted)
    }

    /// As the certificate says it.
    pub(super) fn constraints(&self) -> NameConstraints {
        let dns = self.dns.iter().cloned().map(GeneralSubtree::DnsName);
        let whole = |ip: &IpAddr| if ip.is_ipv4() { 32 } else { 128 };
        let ips = self.ips.iter().map(|ip| CidrSubnet::from_addr_prefix(*ip, whole(ip)));
        let permitted_subtrees = dns.chain(ips.map(GeneralSubtree::IpAddress)).collect();
        NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() }
    }

    /// The host as a name in a certificate.
    ///
    /// # Errors
    /// It is none, or the issuing CA may not sign for it.
    pub(super) fn host(&self, host: &str) -> Result<SanType, PkiError> {
        let name = self::host(host)?;
        let allowed = match &name {
            SanType::IpAddress(ip) => self.ips.contains(ip),
            _ => self.dns.iter().any(|root| is_below(&host.to_ascii_lowercase(), root)),
        };
        match allowed {
            true => Ok(name),
            false => Err(PkiError::NotPermitted { name: host.to_owned(), permitted: self.words() }),
        }
    }

    fn words(&self) -> String {
        let ips = self.ips.iter().map(ToString::to_string);
        self.dns.iter().cloned().chain(ips).collect::<Vec<_>>().join(", ")
    }
}

/// The hosts of a server certificate: those asked for, then the local ones.
#[must_use]
pub fn with_local(hosts: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for host in hosts.iter().map(String::as_str).chain(LOCAL) {
        if !all.iter().any(|known| known == host) {
            all.push(host.to_owned());
        }
    }
    all
}

/// An address or a DNS name of ASCII letters, digits, `.`, `-` and `_`.
fn host(host: &str) -> Result<SanType, PkiError> {
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

fn is_below(name: &str, root: &str) -> bool {
    name == root || name.strip_suffix(root).is_some_and(|rest| rest.ends_with('.'))
}

/// An address for mail: one `@`, printable ASCII without blanks or brackets.
pub(super) fn email(text: &str) -> Result<SanType, PkiError> {
    let bad = || PkiError::Email(text.to_owned());
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"@<>,;:\"".contains(&b))
    };
    let (local, domain) = text.split_once('@').ok_or_else(bad)?;
    match plain(local) && plain(domain) {
        true => Ok(SanType::Rfc822Name(text.try_into().map_err(|_| bad())?)),
        false => Err(bad()),
    }
}

/// A trust domain as SPIFFE has it: `a-z`, `0-9`, `.`, `-`, `_`.
pub(super) fn trust_domain(text: &str) -> Result<String, PkiError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
    match !text.is_empty() && text.len() <= 255 && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err(PkiError::TrustDomain(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted() -> PermittedNames {
        let hosts = ["Gate.example".to_owned(), "192.0.2.1".to_owned()];
        PermittedNames::of(&hosts, &["corp.example".to_owned()]).unwrap()
    }

    #[test]
    fn what_is_below_a_permitted_name_is_permitted_and_nothing_beside_it() {
        for good in ["gate.example", "GATE.example", "a.corp.example", "localhost", "::1"] {
            assert!(permitted().host(good).is_ok(), "{good}");
        }
        for bad in ["example", "xgate.example", "192.0.2.2", "gate.example.org"] {
            let refused = permitted().host(bad).unwrap_err().to_string();
            assert!(refused.contains("corp.example"), "{refused}");
        }
    }

    #[test]
    fn no_kind_of_name_is_left_open() {
        let bare = PermittedNames::of(&[], &[]).unwrap();
        assert_eq!(bare.dns, ["localhost"]);
        assert_eq!(bare.ips.len(), 2);
        assert_eq!(with_local(&["localhost".to_owned()]), ["localhost", "127.0.0.1", "::1"]);
    }

    #[test]
    fn an_address_for_mail_is_one() {
        assert!(email("a.b+c@example.org").is_ok());
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "A <a@b>", "ä@b"] {
            assert!(email(bad).is_err(), "{bad}");
        }
        assert!(trust_domain("dockward.internal").is_ok());
        for bad in ["", "A.b", "a/b", "a b", "a:1"] {
            assert!(trust_domain(bad).is_err(), "{bad}");
        }
    }
}
